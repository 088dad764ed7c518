"""A server of the driver protocol for drivers written in Python: the reference that other languages are held to.

What the driver does is passed on as it is, its mistakes too. What no message can hold (a text where bytes are due, ``None`` for
a stream) becomes a foreign error that says so.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import grpc

from storcert.harness.contract import InvalidRequest, StorageError
from storcert.harness.protocol import PROTOCOL_VERSIONS
from storcert.harness.protocol import driver_pb2 as pb
from storcert.harness.protocol.failures import CODES, trailing
from storcert.harness.protocol.limits import CHUNK_BYTES_DEFAULT, PAGE_NAMES
from storcert.harness.protocol.methods import METHODS, SERVICE, Method, serialized
from storcert.harness.protocol.server_streams import STREAMS, uri_in
from storcert.harness.protocol.values import capabilities_message, description_message, uri_message

THREADS = 256
"""A stream that is open keeps one."""
_STATUS: Mapping[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}


@dataclass(frozen=True, slots=True)
class Served:
    """Who is served: the class (or whatever makes a driver), and what ``Hello`` says of it."""

    make: Callable[[Mapping[str, Any]], Any]
    name: str
    version: str = ""
    digest: str = ""
    language: str = ""
    protocol_versions: tuple[int, ...] = PROTOCOL_VERSIONS


class DriverServer:
    """The server of one driver. ``port`` 0: a free one; :attr:`port` says which."""

    def __init__(self, served: Served, host: str = "127.0.0.1", port: int = 0) -> None:
        self._service = _Service(served)
        options = (("grpc.so_reuseport", 0),)
        self._server = grpc.server(ThreadPoolExecutor(THREADS, "driver"), options=options)
        handlers = {name: self._service.handler(method) for name, method in METHODS.items()}
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        self.port = self._server.add_insecure_port(f"{host}:{port}")
        self.address = f"grpc://{host}:{self.port}"
        self._server.start()

    def stop(self) -> None:
        """Cut every call off, as a process that dies does."""
        self._server.stop(None).wait()

    def wait(self) -> None:
        """Until somebody stops it."""
        self._server.wait_for_termination()


class _Unknown(Exception):
    """A call named an instance that this server has not made."""


class _Absent(Exception):
    """The driver has no such method."""


class _Service:
    def __init__(self, served: Served) -> None:
        self._served = served
        self._instances: dict[str, Any] = {}
        self._lock = threading.Lock()

    def handler(self, method: Method) -> grpc.RpcMethodHandler[Any, Any]:
        """What gRPC calls for that method."""
        codec = {"request_deserializer": method.parse_request, "response_serializer": serialized}
        if method.streams_in:
            steps = STREAMS[method.name]

            def converse(requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
                with _told(context):
                    yield from steps(self._driver, requests)

            return grpc.stream_stream_rpc_method_handler(converse, **codec)
        body = getattr(self, f"_{method.name}")
        if method.streams_out:

            def stream(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
                with _told(context):
                    yield from body(request)

            return grpc.unary_stream_rpc_method_handler(stream, **codec)

        def answer(request: Any, context: grpc.ServicerContext) -> Any:
            with _told(context):
                return body(request)

        return grpc.unary_unary_rpc_method_handler(answer, **codec)

    def _driver(self, instance: str, method: str) -> Any:
        """The instance, which has that method."""
        with self._lock:
            driver = self._instances.get(instance)
        if driver is None:
            raise _Unknown(instance)
        if not callable(getattr(driver, method, None)):
            raise _Absent(method)
        return driver

    def _call(self, request: Any, method: str, *arguments: Any) -> None:
        answer = getattr(self._driver(request.instance, method), method)(*arguments)
        if answer is not None:
            raise TypeError(f"{method} returned {type(answer).__name__}, where nothing was due")

    def _Hello(self, request: pb.HelloRequest) -> pb.HelloResponse:
        served = self._served
        common = [version for version in served.protocol_versions if version in request.protocol_versions]
        return pb.HelloResponse(
            protocol_version=max(common or served.protocol_versions),
            driver_name=served.name,
            driver_version=served.version,
            driver_digest=served.digest,
            language=served.language,
            max_chunk_bytes=CHUNK_BYTES_DEFAULT,
        )

    def _MakeInstance(self, request: pb.MakeInstanceRequest) -> pb.MakeInstanceResponse:
        try:
            configuration = json.loads(request.configuration_json or "{}")
        except ValueError as error:
            raise InvalidRequest(f"the configuration is not JSON: {error}") from None
        if not isinstance(configuration, dict):
            raise InvalidRequest("the configuration is not a JSON object")
        driver, name = self._served.make(configuration), secrets.token_hex(8)
        with self._lock:
            self._instances[name] = driver
        return pb.MakeInstanceResponse(instance=name)

    def _CloseInstance(self, request: pb.CloseInstanceRequest) -> pb.CloseInstanceResponse:
        with self._lock:
            self._instances.pop(request.instance, None)
        return pb.CloseInstanceResponse()

    def _GetCapabilities(self, request: pb.GetCapabilitiesRequest) -> pb.Capabilities:
        return capabilities_message(self._driver(request.instance, "capabilities").capabilities())

    def _Create(self, request: pb.CreateRequest) -> pb.CreateResponse:
        self._call(request, "create", uri_in(request.uri), request.size_bytes)
        return pb.CreateResponse()

    def _Delete(self, request: pb.DeleteRequest) -> pb.DeleteResponse:
        self._call(request, "delete", uri_in(request.uri))
        return pb.DeleteResponse()

    def _Copy(self, request: pb.CopyRequest) -> pb.CopyResponse:
        self._call(request, "copy", uri_in(request.source), uri_in(request.destination))
        return pb.CopyResponse()

    def _Describe(self, request: pb.DescribeRequest) -> pb.Description:
        return description_message(self._driver(request.instance, "describe").describe(uri_in(request.uri)))

    def _ListObjects(self, request: pb.ListObjectsRequest) -> Iterator[pb.ListObjectsPage]:
        names = self._driver(request.instance, "list_objects").list_objects()
        yield pb.ListObjectsPage()
        page = pb.ListObjectsPage()
        for uri in names:
            page.uris.append(uri_message(uri))
            if len(page.uris) == PAGE_NAMES:
                yield page
                page = pb.ListObjectsPage()
        yield page

    def _TakeSnapshot(self, request: pb.TakeSnapshotRequest) -> pb.TakeSnapshotResponse:
        self._call(request, "take_snapshot", uri_in(request.volume), uri_in(request.snapshot))
        return pb.TakeSnapshotResponse()

    def _Revert(self, request: pb.RevertRequest) -> pb.RevertResponse:
        self._call(request, "revert", uri_in(request.volume), uri_in(request.snapshot))
        return pb.RevertResponse()

    def _Clone(self, request: pb.CloneRequest) -> pb.CloneResponse:
        self._call(request, "clone", uri_in(request.snapshot), uri_in(request.volume))
        return pb.CloneResponse()


class _told:
    """Whatever comes out of the block becomes the status of the call."""

    def __init__(self, context: grpc.ServicerContext) -> None:
        self._context = context

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        if error is None or isinstance(error, GeneratorExit):
            return False
        if isinstance(error, grpc.RpcError):
            return True  # the client is gone, and nobody is to be told
        context = self._context
        if isinstance(error, _Unknown):
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"no instance {error}")
        if isinstance(error, _Absent):
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"the driver has no method {error}")
        code = _STATUS[CODES.get(type(error).__name__, 2)] if isinstance(error, StorageError) else grpc.StatusCode.UNKNOWN
        context.set_trailing_metadata(trailing(error))
        said = error.message if isinstance(error, StorageError) else f"{type(error).__name__}: {error}"
        context.abort(code, said.encode("ascii", "backslashreplace").decode()[:200])
        return False

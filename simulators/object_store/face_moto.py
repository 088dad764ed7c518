"""The moto face of the object store: real boto3 and botocore in front, moto's S3 behind, the device's own wire between.

Fault model. The same as that of the native face (same wire, same legal faults, same log, virtual time), one layer lower:
what the wire does to an exchange becomes the error botocore's own HTTP session would raise, and botocore's retry logic
goes on from there, sleeping in virtual time; what the device itself answers (throttling, expired credentials, an error
in a 200) is sent as HTTP and XML, and botocore parses it. A request has its effect in moto at one instant, whole or not
at all. The body of an answer streams in virtual time and can be cut. S3 beyond the native model (tags, ACLs, bucket
policies...) is moto's answer as it is. What moto itself cannot take (an exception inside it) is a 500, as its own server
answers.

Sources: botocore 1.44 httpsession.py (which transport error becomes which exception), moto 5.2 core/responses.py.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import botocore.compat
import botocore.exceptions
import urllib3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from storcert.harness.record.fault import Fault
from storcert.simulators.network.errors import ConnectRefused, ConnectTimeout, ReadTimeout, WireError
from storcert.simulators.network.http_socket import HttpRequest
from storcert.simulators.network.wire import Answer, Delivery, Wire
from storcert.simulators.object_store.body import SocketFile
from storcert.simulators.object_store.content import Content
from storcert.simulators.object_store.errors import Refusal
from storcert.simulators.object_store.face_moto_client import LocationSession
from storcert.simulators.object_store.face_moto_server import MotoServer
from storcert.simulators.object_store.http_answer import HttpAnswer, error_answer
from storcert.simulators.object_store.http_request import Addressed
from storcert.simulators.object_store.legal_faults import WRITES
from storcert.simulators.object_store.reply import Reply
from storcert.simulators.object_store.server import Server
from storcert.simulators.object_store.timing import service_ns

if TYPE_CHECKING:
    from storcert.harness.kernel.location import Location

NS_PER_S = 1_000_000_000
_WITH_BODY = frozenset(("PutObject", "UploadPart"))
_COPIES = frozenset(("CopyObject", "UploadPartCopy"))
_ENTRIES = (b"<Contents>", b"<CommonPrefixes>", b"<Version>", b"<DeleteMarker>", b"<Upload>", b"<Part>", b"<Deleted>")
_UNREACHABLE_NS = 1_000_000


class MotoFace:
    """Real clients in front, moto behind; ``server`` is asked for what the device itself refuses, never for an object."""

    def __init__(self, wire: Wire, server: Server, moto: MotoServer, endpoint_url: str) -> None:
        self._wire = wire
        self._server = server
        self._moto = moto
        self._endpoint_host = urlsplit(endpoint_url).netloc.lower()
        self._sessions: dict[tuple[object, ...], LocationSession] = {}

    def session(self, location: Location, *arguments: Any, **named: Any) -> LocationSession:
        """``boto3.session.Session(...)`` as code at ``location`` gets it."""
        return LocationSession(location.environ, self.send, *arguments, **named)

    def client(self, location: Location, *arguments: Any, **named: Any) -> Any:
        """``boto3.client(...)`` at ``location``: from a default session that lives as long as its process."""
        settings = tuple(sorted(item for item in location.environ.items() if item[0].startswith("AWS_")))
        name = (location.name, location.epoch, settings)
        if name not in self._sessions:
            self._sessions[name] = self.session(location)
        return self._sessions[name].client(*arguments, **named)

    def on_fault(self, fault: Fault, operation: str) -> Answer | None:
        """What the wire does not do itself: as the native face, but an error in a 200 stays one on its way to botocore."""
        if fault.kind == "ok_with_error":
            return self._server.refuse(Refusal("InternalError", status=200))
        return self._server.on_fault(fault, operation)

    def send(self, client: Any, operation: str, request: AWSPreparedRequest) -> AWSResponse:
        """Carry one HTTP request of ``client`` over the wire; raises botocore's connection errors."""
        body = _body_of(request)
        bucket, key, query = self._addressed(client, request)
        method, headers, url = str(request.method), dict(request.headers.items()), str(request.url)
        sent_bytes = len(body) if operation in _WITH_BODY else 0

        def effect() -> Answer:
            return self._effect(operation, method, bucket, key, query, headers, body)

        try:
            delivery = self._wire.call(
                operation, _target(bucket, key), effect, sent_bytes=sent_bytes, streamed=bool(request.stream_output),
                read_timeout_ns=_patience_ns(client, request),
            )
        except ConnectRefused as error:
            raise botocore.exceptions.EndpointConnectionError(endpoint_url=url, error=error) from None
        except ConnectTimeout as error:
            raise botocore.exceptions.ConnectTimeoutError(endpoint_url=url, error=error) from None
        except ReadTimeout as error:
            raise botocore.exceptions.ReadTimeoutError(endpoint_url=url, error=error) from None
        except WireError as error:
            raise botocore.exceptions.ConnectionClosedError(endpoint_url=url, error=error, request=request) from None
        response = _response(request, delivery)
        if not request.stream_output:
            _ = response.content  # as botocore's own HTTP session does: a body that is no stream is read at once
        return response

    def serve_http(self, request: HttpRequest, wanted: Addressed) -> Answer:
        """One request that came over a connection, carried out."""
        query, headers = request.target.partition("?")[2], dict(request.headers)
        return self._effect(
            wanted.operation, request.method, wanted.bucket, wanted.quoted_key, query, headers, request.body)

    def _effect(
        self, operation: str, method: str, bucket: str, key: str, query: str, headers: dict[str, str], body: bytes,
    ) -> Answer:
        if self._server.store.full and operation in WRITES:
            return self._server.refuse(Refusal(str(self._server.store.dialect["full"])))
        http = self._moto.serve(method, key, query, headers, body, bucket=bucket)
        received = len(http.body) if operation == "GetObject" and http.status < 300 else 0
        return Answer(http, _code(http), received, self._service_ns(operation, bucket, key, body, http))

    def _addressed(self, client: Any, request: AWSPreparedRequest) -> tuple[str, str, str]:
        """Bucket, percent-encoded key and query of a request, path-style or with the bucket in front of the host."""
        url = urlsplit(str(request.url))
        host, path = url.netloc.lower(), url.path.removeprefix("/")
        if host.endswith("." + self._endpoint_host):
            return host.removesuffix("." + self._endpoint_host), path, url.query
        if host != self._endpoint_host:
            self._wire.kernel.sleep_ns(_UNREACHABLE_NS)
            raise botocore.exceptions.EndpointConnectionError(endpoint_url=client.meta.endpoint_url)
        bucket, _, key = path.partition("/")
        return bucket, key, url.query

    def _service_ns(self, operation: str, bucket: str, key: str, body: bytes, http: HttpAnswer) -> int:
        """How long the device works, from the same table as the native face."""
        if http.status >= 400:
            return self._server.refuse(Refusal("InternalError")).service_ns
        counted = body if operation == "CompleteMultipartUpload" else http.body
        entries = 0 if operation == "GetObject" else sum(counted.count(mark) for mark in _ENTRIES)
        moved = self._moto.size_of(bucket, key) if operation in _COPIES else 0
        return service_ns(operation, Reply({}, entries=entries, moved_bytes=moved))


def _response(request: AWSPreparedRequest, delivery: Delivery) -> AWSResponse:
    result = delivery.answer.result
    http: HttpAnswer = error_answer(result) if isinstance(result, Refusal) else result
    announced = b"" if request.method == "HEAD" or http.status == 304 else http.body
    body = b"" if delivery.answer.head_only else announced
    headers = botocore.compat.HTTPHeaders()
    for name, value in ({"content-length": str(len(announced))} | {k.lower(): v for k, v in http.headers.items()}).items():
        headers[name] = value
    # Only the bytes of an object take their time; an answer of XML arrived with its head.
    source: Any = SocketFile(Content((body,)), delivery) if delivery.answer.body_bytes else io.BytesIO(body)
    raw = urllib3.HTTPResponse(
        body=source, headers=dict(headers.items()), status=http.status, preload_content=False, decode_content=False,
        enforce_content_length=False, request_method=str(request.method),
    )
    return AWSResponse(str(request.url), http.status, headers, raw)


def _target(bucket: str, key: str) -> str:
    return f"{bucket}/{unquote(key)}" if key else bucket


def _code(http: HttpAnswer) -> str:
    if http.status < 400:
        return "ok"
    code = http.body.partition(b"<Code>")[2].partition(b"</Code>")[0].decode()
    return code or str(http.status)


def _body_of(request: AWSPreparedRequest) -> bytes:
    body: Any = request.body
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    return bytes(body.read()) if hasattr(body, "read") else bytes(body)


def _patience_ns(client: Any, request: AWSPreparedRequest) -> int | None:
    seconds = (getattr(request, "context", None) or {}).get("read_timeout")
    if seconds is None:
        seconds = client.meta.config.read_timeout
    return None if seconds is None else int(seconds * NS_PER_S)

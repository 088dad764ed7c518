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
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

import botocore.compat
import botocore.exceptions
import urllib3.exceptions
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from storcert.simulators.network.errors import (
    ConnectionCut,
    ConnectionReset,
    ConnectRefused,
    ConnectTimeout,
    ReadTimeout,
)
from storcert.simulators.network.wire import Answer, Delivery, Wire
from storcert.simulators.object_store.errors import Refusal
from storcert.simulators.object_store.face_moto_client import LocationSession
from storcert.simulators.object_store.face_moto_server import HttpAnswer, MotoServer

if TYPE_CHECKING:
    from storcert.harness.kernel.location import Location

NS_PER_S = 1_000_000_000
_BODY_OPERATIONS = frozenset(("PutObject", "UploadPart"))


def error_answer(refusal: Refusal) -> HttpAnswer:
    """The HTTP answer S3 gives for an error of the device itself, whatever its status (a 200 can carry one)."""
    elements = {"Code": refusal.code, "Message": refusal.message} | refusal.details
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in elements.items())
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inner}</Error>'
    return HttpAnswer(refusal.status, {"content-type": "application/xml"} | refusal.headers, body.encode())


class MotoFace:
    """Clients and server of one device. ``service_ns(operation, sent_bytes, received_bytes)`` is how long it works."""

    def __init__(self, wire: Wire, server: MotoServer, service_ns: Callable[[str, int, int], int]) -> None:
        self._wire = wire
        self._server = server
        self._service_ns = service_ns
        self._sessions: dict[tuple[object, ...], LocationSession] = {}

    def session(self, location: Location, **arguments: Any) -> LocationSession:
        """``boto3.session.Session(...)`` as code at ``location`` gets it."""
        return LocationSession(location.environ, self.send, **arguments)

    def client(self, location: Location, service_name: str, *arguments: Any, **named: Any) -> Any:
        """``boto3.client(...)`` at ``location``: from a default session that lives as long as its process."""
        settings = tuple(sorted(item for item in location.environ.items() if item[0].startswith("AWS_")))
        name = (location.name, location.epoch, settings)
        if name not in self._sessions:
            self._sessions[name] = self.session(location)
        return self._sessions[name].client(service_name, *arguments, **named)

    def send(self, client: Any, operation: str, request: AWSPreparedRequest) -> AWSResponse:
        """Carry one HTTP request of ``client`` over the wire; raises botocore's connection errors."""
        body = _body_of(request)
        bucket, key, query = _addressed(client, request)
        method, headers, url = str(request.method), dict(request.headers.items()), str(request.url)
        sent_bytes = len(body) if operation in _BODY_OPERATIONS else 0

        def effect() -> Answer:
            http = self._server.serve(method, key, query, headers, body, bucket=bucket)
            received = len(http.body) if operation == "GetObject" and http.status < 300 else 0
            return Answer(http, _code(http), received, self._service_ns(operation, sent_bytes, received))

        try:
            delivery = self._wire.call(
                operation, f"{bucket}/{key}" if key else bucket, effect, sent_bytes=sent_bytes,
                streamed=bool(request.stream_output), read_timeout_ns=_patience_ns(client, request),
            )  # fmt: skip
        except ConnectRefused as error:
            raise botocore.exceptions.EndpointConnectionError(endpoint_url=url, error=error) from None
        except ConnectTimeout as error:
            raise botocore.exceptions.ConnectTimeoutError(endpoint_url=url, error=error) from None
        except ReadTimeout as error:
            raise botocore.exceptions.ReadTimeoutError(endpoint_url=url, error=error) from None
        except (ConnectionReset, ConnectionCut) as error:
            raise botocore.exceptions.ConnectionClosedError(endpoint_url=url, error=error, request=request) from None
        http = _as_http(delivery.answer)
        answer_headers = {"content-length": str(len(http.body))} | {k.lower(): v for k, v in http.headers.items()}
        raw = RawBody(delivery, b"" if method == "HEAD" else http.body, url)
        response = AWSResponse(url, http.status, _headers(answer_headers), raw)
        if not request.stream_output:
            _ = response.content  # as botocore's own HTTP session does: a body that is no stream is read at once
        return response


class RawBody(io.RawIOBase):
    """The bytes of one answer as urllib3 gives them to botocore: they take their time and may end early."""

    def __init__(self, delivery: Delivery, body: bytes, url: str) -> None:
        super().__init__()
        self._delivery = delivery
        self._body = body
        self._url = url
        self._position = 0

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def read(self, amt: int | None = -1) -> bytes:
        end = len(self._body) if amt is None or amt < 0 else min(self._position + amt, len(self._body))
        if self._delivery.answer.body_bytes == 0:
            arrived = end  # an answer whose body is not counted arrived with its head
        else:
            try:
                arrived = self._delivery.receive(end)
            except ReadTimeout as error:
                raise urllib3.exceptions.ReadTimeoutError(None, self._url, str(error)) from None  # type: ignore[arg-type]
            except (ConnectionReset, ConnectionCut) as error:
                raise urllib3.exceptions.ProtocolError(f"Connection broken: {error}") from None
        chunk = self._body[self._position : min(end, arrived)]
        self._position += len(chunk)
        if self._position < end and not chunk:
            raise urllib3.exceptions.ProtocolError("Connection broken: reset by peer")
        if self._position < end and (amt is None or amt < 0):
            raise urllib3.exceptions.ProtocolError("Connection broken: reset by peer")
        return chunk

    def readinto(self, buffer: Any) -> int:
        chunk = self.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def stream(self, amt: int = 65536, decode_content: bool | None = None) -> Iterator[bytes]:
        """Pieces of at most ``amt`` bytes to the end."""
        while chunk := self.read(amt):
            yield chunk


def _headers(headers: Mapping[str, str]) -> Any:
    found = botocore.compat.HTTPHeaders()
    for name, value in headers.items():
        found[name] = value
    return found


def _code(http: HttpAnswer) -> str:
    if http.status < 400:
        return "ok"
    code = http.body.partition(b"<Code>")[2].partition(b"</Code>")[0].decode()
    return code or str(http.status)


def _as_http(answer: Answer) -> HttpAnswer:
    result = answer.result
    if isinstance(result, Refusal):
        return error_answer(result)
    assert isinstance(result, HttpAnswer), result
    return result


def _body_of(request: AWSPreparedRequest) -> bytes:
    body: Any = request.body
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    if hasattr(body, "read"):
        return bytes(body.read())
    return bytes(body)


def _addressed(client: Any, request: AWSPreparedRequest) -> tuple[str, str, str]:
    """Bucket, percent-encoded key and query of a request, path-style or with the bucket in front of the host."""
    url = urlsplit(str(request.url))
    endpoint = urlsplit(client.meta.endpoint_url)
    path = url.path.removeprefix("/")
    if url.netloc != endpoint.netloc and url.netloc.endswith("." + endpoint.netloc):
        return url.netloc.removesuffix("." + endpoint.netloc), path, url.query
    bucket, _, key = path.partition("/")
    return bucket, key, url.query


def _patience_ns(client: Any, request: AWSPreparedRequest) -> int | None:
    seconds = (getattr(request, "context", None) or {}).get("read_timeout")
    if seconds is None:
        seconds = client.meta.config.read_timeout
    return None if seconds is None else int(seconds * NS_PER_S)

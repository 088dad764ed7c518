"""The HTTP face of the object store: whatever speaks S3 over urllib3 at a location reaches it, requests and minio among them.

Fault model. That of the native face (same wire, same legal faults, same log, virtual time), one layer lower still: what the
wire does to an exchange is what a socket does, and the real ``http.client`` and urllib3 make of it what they make anywhere.
What the device itself answers (throttling, expired credentials, an error in a 200) is sent as HTTP and XML. A connection that
the server's death cut is seen as such by whoever looks at it; a new one is refused while the server is down.

Behind it stands the model the device was made with: the native one through ``http_request`` and ``http_answer``, or moto.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from storcert.simulators.network.http_socket import HttpReply, HttpRequest, HttpSocket, connect
from storcert.simulators.network.tcp_doors import listen
from storcert.simulators.network.wire import Answer, Delivery, Wire
from storcert.simulators.object_store.content import Content
from storcert.simulators.object_store.errors import Refusal
from storcert.simulators.object_store.http_answer import HttpAnswer, error_answer, reply_answer
from storcert.simulators.object_store.http_request import Addressed, addressed, parameters
from storcert.simulators.object_store.http_signature import signed_with
from storcert.simulators.object_store.reply import Reply, http_date
from storcert.simulators.object_store.server import Server

if TYPE_CHECKING:
    from storcert.harness.kernel.location import Location

_WITH_BODY = frozenset(("PutObject", "UploadPart"))
_NO_BODY = frozenset((204, 304))
MotoEffect = Callable[[HttpRequest, Addressed], Answer]


class HttpFace:
    """Listens at the store's endpoint. ``moto``: what carries a request out where moto stands behind."""

    def __init__(self, wire: Wire, server: Server, endpoint_url: str, moto: MotoEffect | None = None) -> None:
        self.wire = wire
        self._server = server
        self._moto = moto
        url = urlsplit(endpoint_url)
        self._host = (url.hostname or "").lower()
        self._port = url.port or (443 if url.scheme == "https" else 80)

    def attach(self, location: Location) -> None:
        """Code at ``location`` can connect to it."""
        listen(location, self._host, self._port, self._connect)

    def _connect(self, timeout_s: float | None) -> HttpSocket:
        return connect(self, timeout_s)

    def exchange(self, request: HttpRequest, read_timeout_ns: int | None) -> HttpReply:
        """Carry one request out; raises what the wire raises."""
        path, _, query = request.target.partition("?")
        path = path.removeprefix("/")
        host = request.headers.get("host", "").rpartition(":")[0] or request.headers.get("host", "")
        if host.lower().endswith(f".{self._host}"):
            bucket, key = host.lower().removesuffix(f".{self._host}"), path
        else:
            bucket, _, key = path.partition("/")
        wanted = addressed(request.method, bucket, key, query, request.headers)

        def effect() -> Answer:
            if self._moto is not None:
                return self._moto(request, wanted)
            return self._serve(request, wanted)

        delivery = self.wire.call(
            wanted.operation, wanted.target, effect, streamed=True, read_timeout_ns=read_timeout_ns,
            sent_bytes=len(request.body) if wanted.operation in _WITH_BODY else 0,
        )
        return self._reply(request, wanted, delivery)

    def _serve(self, request: HttpRequest, wanted: Addressed) -> Answer:
        server = self._server
        credentials = signed_with(request.method, request.target, request.headers, server.credentials)
        try:
            params = parameters(wanted, request.headers, request.body)
        except Refusal as refusal:
            return server.refuse(refusal)
        return server.handle(wanted.operation, params, request.body, credentials, self.wire.kernel.now_ns)

    def _reply(self, request: HttpRequest, wanted: Addressed, delivery: Delivery) -> HttpReply:
        result: Any = delivery.answer.result
        body: Content | None = None
        if isinstance(result, Refusal):
            http = error_answer(result)
        elif isinstance(result, Reply):
            encoded = dict(wanted.query).get("encoding-type") == "url"
            http, body = reply_answer(wanted.operation, result, encoded=encoded), result.body
        else:
            http = result
            body = Content((http.body,)) if delivery.answer.body_bytes else None
        headers = self._headers(http, delivery)
        if request.method == "HEAD" or http.status in _NO_BODY:
            if http.status in _NO_BODY:
                headers.pop("content-length", None)
            else:
                headers.setdefault("content-length", str(len(http.body)))
            return HttpReply(http.status, headers)
        if body is not None and body.size_bytes:
            headers["content-length"] = str(body.size_bytes)
            return HttpReply(http.status, headers, streamed=body, delivery=delivery)
        content = b"" if body is not None else http.body
        headers["content-length"] = str(len(content))
        if delivery.answer.head_only and content:
            # A body of which no byte arrives: the socket ends after the head.
            return HttpReply(http.status, headers, streamed=Content((content,)), delivery=delivery)
        return HttpReply(http.status, headers, content)

    def _headers(self, http: HttpAnswer, delivery: Delivery) -> dict[str, str]:
        headers = {name.lower(): value for name, value in http.headers.items()}
        headers["date"] = http_date(self.wire.kernel.now_ns)
        headers["server"] = "AmazonS3"
        headers["x-amz-request-id"] = f"{delivery.request.index:016X}"
        headers["x-amz-id-2"] = "storcert"
        headers.pop("connection", None)
        headers.pop("transfer-encoding", None)
        return headers

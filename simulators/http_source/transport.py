"""The transport an ``httpx.Client`` at a simulated location has: requests go over the wire, failures are httpx's own.

What it keeps of the real one: exception classes and messages, the piece size, what an early end of a body means,
timeouts (connect and read), ``retries``. What it leaves out: pools, HTTP/2, proxies, client certificates, Unix
sockets; asking for one of those raises :class:`NotModelled`.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import h11
import httpx

from storcert.harness.kernel.context import current_location
from storcert.simulators.device import NotModelled
from storcert.simulators.extents import Extents
from storcert.simulators.http_source.server import HttpAnswer
from storcert.simulators.network.errors import ConnectionReset, ConnectRefused, ConnectTimeout, ReadTimeout, WireError
from storcert.simulators.network.wire import Delivery

if TYPE_CHECKING:
    from storcert.simulators.http_source.source import HttpSource, Site

PIECE_BYTES = 64 * 1024
NS_PER_S = 1_000_000_000
_ARGUMENTS = (
    "verify", "cert", "trust_env", "http1", "http2", "limits", "proxy", "uds", "local_address", "retries",
    "socket_options",
)
_NOT_MODELLED = ("cert", "http2", "proxy", "uds")
_CERTIFICATES = {
    "expired": "certificate has expired",
    "self-signed": "self-signed certificate",
    "other-name": "Hostname mismatch, certificate is not valid for this name",
}


class SimulatedTransport(httpx.BaseTransport):
    """What ``httpx.HTTPTransport(...)`` gives at a location that an :class:`HttpSource` is attached to."""

    def __init__(self, source: HttpSource, *args: Any, **kwargs: Any) -> None:
        given = dict(zip(_ARGUMENTS, args, strict=False)) | kwargs
        unknown = sorted(set(given) - set(_ARGUMENTS))
        if unknown:
            raise TypeError(f"HTTPTransport.__init__() got an unexpected keyword argument '{unknown[0]}'")
        for name in _NOT_MODELLED:
            if given.get(name):
                raise NotModelled(f"httpx.HTTPTransport({name}=...)")
        self._source = source
        self._retries: int = given.get("retries", 0)
        verify = given.get("verify", True)
        self._verifies = verify.verify_mode != ssl.CERT_NONE if isinstance(verify, ssl.SSLContext) else verify is not False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it and wait for the head of the answer."""
        attempts = 0
        while True:
            try:
                return self._attempt(request)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if attempts >= self._retries:
                    raise
            # httpcore's own pauses: none, then half a second, doubled each time.
            self._source.kernel.sleep_ns(0 if attempts == 0 else NS_PER_S // 2 << attempts - 1)
            attempts += 1

    def _attempt(self, request: httpx.Request) -> httpx.Response:
        location = current_location()
        exchange = None if location is None else self._source.exchange(location, request)
        if exchange is not None:
            return exchange.run()
        site = self._reach(request.url)
        body = _sent(request)
        timeouts = request.extensions.get("timeout", {})
        path = request.url.raw_path.decode("ascii")
        headers = {name.lower(): value for name, value in request.headers.items()}
        kernel = self._source.kernel
        try:
            delivery = site.wire.call(
                request.method, path.partition("?")[0],
                lambda: site.server.handle(request.method, path, headers, kernel.now_ns, body).as_answer(),
                sent_bytes=body.size_bytes, streamed=True, read_timeout_ns=_ns(timeouts.get("read")),
                connect_timeout_ns=_ns(timeouts.get("connect")),
            )
        except WireError as broken:
            raise _as_httpx(broken) from None
        answer: HttpAnswer = delivery.answer.result
        return httpx.Response(
            answer.status, headers=list(answer.headers), stream=_Body(answer, delivery),
            extensions={"http_version": b"HTTP/1.1"},
        )

    def _reach(self, url: httpx.URL) -> Site:
        if url.scheme not in ("http", "https"):
            raise httpx.UnsupportedProtocol(f"Request URL has an unsupported protocol '{url.scheme}://'.")
        site = self._source.site(url.host, url.port or (443 if url.scheme == "https" else 80))
        if site is None:
            self._source.kernel.sleep_ns(1_000_000)
            if self._source.knows(url.host):
                raise httpx.ConnectError("[Errno 111] Connection refused")
            raise httpx.ConnectError("[Errno -2] Name or service not known")
        if url.scheme == "https" and self._verifies and site.host.certificate != "good":
            self._source.kernel.sleep_ns(4 * site.wire.link.one_way_ns)
            reason = _CERTIFICATES[site.host.certificate]
            raise httpx.ConnectError(f"[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {reason}")
        return site


def _sent(request: httpx.Request) -> Extents:
    """The body of a request, drawn from whoever makes it. Another length than said is h11's own error, as it is outside."""
    body = Extents()
    said = request.headers.get("content-length")
    assert isinstance(request.stream, httpx.SyncByteStream)
    for piece in request.stream:
        if said is not None and body.size_bytes + len(piece) > int(said):
            raise h11.LocalProtocolError("Too much data for declared Content-Length")
        body.write(body.size_bytes, piece)
    if said is not None and body.size_bytes < int(said):
        raise h11.LocalProtocolError("Too little data for declared Content-Length")
    return body


class _Body(httpx.SyncByteStream):
    """A body as it arrives."""

    def __init__(self, answer: HttpAnswer, delivery: Delivery) -> None:
        self._answer = answer
        self._delivery = delivery
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        body = self._answer.body
        at = 0
        while not self._closed:
            try:
                here = self._delivery.receive(at + 1)
            except WireError as broken:
                raise _as_httpx(broken) from None
            if here <= at:
                break
            while at < here:
                piece = body.read(at, min(PIECE_BYTES, here - at))
                at += len(piece)
                yield piece
        if not self._closed and (at < body.size_bytes or not self._answer.ends_well):
            self._end_early(at)

    def _end_early(self, received: int) -> None:
        fields = dict(self._answer.headers)
        if "content-length" in fields:
            how = f"received {received} bytes, expected {fields['content-length']}"
        elif "transfer-encoding" in fields:
            how = "incomplete chunked read"
        else:
            return  # the end of the connection is the end of the body, as far as anybody can see
        raise httpx.RemoteProtocolError(f"peer closed connection without sending complete message body ({how})")

    def close(self) -> None:
        """No more of it is wanted."""
        self._closed = True


def _ns(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds * NS_PER_S)


def _as_httpx(broken: WireError) -> httpx.TransportError:
    if isinstance(broken, ConnectRefused):
        return httpx.ConnectError("[Errno 111] Connection refused")
    if isinstance(broken, ConnectTimeout):
        return httpx.ConnectTimeout("timed out")
    if isinstance(broken, ReadTimeout):
        return httpx.ReadTimeout("timed out")
    assert isinstance(broken, ConnectionReset)
    return httpx.ReadError("[Errno 104] Connection reset by peer")

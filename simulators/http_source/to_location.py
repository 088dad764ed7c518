"""An httpx exchange with a web server that runs at a location (``served``), seen from the client's side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import h11
import httpx

from storcert.simulators.http_source.served import HEAD_BYTES, LOOK_NS, NAME, PIECE_BYTES, PORT
from storcert.simulators.network.topology import network_of

if TYPE_CHECKING:
    from storcert.harness.kernel.location import Location

NS_PER_S = 1_000_000_000
FOR_EVER_NS = 1 << 62


class Exchange:
    """One request. ``number``: unlike any other's in the world."""

    def __init__(self, here: Location, there: Location, request: httpx.Request, number: int) -> None:
        self._here, self._there, self._epoch = here, there, there.epoch
        self._request = request
        self._network = network_of(here.kernel)
        self._port = f"{PORT}/{number}"
        self._mailbox = self._network.messages.mailbox(here, self._port)
        self._open = False
        self._received = 0
        self._due = "0"
        self._timeouts: dict[str, float | None] = request.extensions.get("timeout", {})

    def run(self) -> httpx.Response:
        """Send it and wait for the head of the answer. Raises what httpx raises."""
        self._connect()
        body = _pieces(self._request)
        first = next(body, None)
        self._send({
            "sort": "open", "port": self._port, "method": self._request.method, "body": first is not None,
            "path": self._request.url.raw_path.decode("ascii"),
            "headers": {name.lower(): value for name, value in self._request.headers.items()},
        }, HEAD_BYTES, PORT)
        self._open = True
        head = self._push(first, body) if first is not None else None
        if head is None:
            head = self._hear("read", httpx.ReadTimeout, httpx.ReadError)
        self._due = dict(head["headers"]).get("content-length", "0")
        return httpx.Response(
            head["status"], headers=head["headers"], stream=_Body(self), extensions={"http_version": b"HTTP/1.1"})

    def _connect(self) -> None:
        kernel = self._here.kernel
        if not self._there.alive or not self._network.joined(self._here.name, self._there.name):
            kernel.sleep_ns(_ns(self._timeouts.get("connect")))
            raise httpx.ConnectTimeout("timed out")
        kernel.sleep_ns(2 * self._network.default.one_way_ns)

    def _push(self, piece: bytes, more: Iterator[bytes]) -> dict[str, Any] | None:
        """Send the body; the head of an answer that came before its end."""
        while True:
            following = next(more, None)
            self._send({"sort": "data", "data": piece, "last": following is None}, len(piece), self._port)
            heard = self._hear("write", httpx.WriteTimeout, httpx.WriteError)
            if heard["sort"] == "head":
                return heard
            if following is None:
                return None
            piece = following

    def _send(self, payload: dict[str, Any], size_bytes: int, port: str) -> None:
        objects = ((NAME, size_bytes),) if payload["sort"] == "data" else ()
        self._network.messages.send(self._here, self._there, payload, size_bytes, objects=objects, port=port)

    def _hear(self, patience: str, late: type[httpx.TransportError], reset: type[httpx.TransportError]) -> dict[str, Any]:
        kernel = self._here.kernel
        deadline_ns = kernel.now_ns + _ns(self._timeouts.get(patience))
        while kernel.now_ns < deadline_ns:
            letter = self._mailbox.receive(min(LOOK_NS, deadline_ns - kernel.now_ns))
            if letter is not None:
                if letter.payload["sort"] in ("closed", "end"):
                    self._open = False
                if letter.payload["sort"] == "closed":
                    raise httpx.RemoteProtocolError(
                        "peer closed connection without sending complete message body "
                        f"(received {self._received} bytes, expected {self._due})")
                found: dict[str, Any] = letter.payload
                return found
            if self._there.alive and self._there.epoch != self._epoch:
                raise reset("[Errno 104] Connection reset by peer")
        raise late("timed out")

    def receive(self) -> bytes:
        """The next piece of the answer, ``b""`` at its end."""
        heard = self._hear("read", httpx.ReadTimeout, httpx.ReadError)
        if heard["sort"] == "end":
            return b""
        self._send({"sort": "ack"}, 0, self._port)
        piece: bytes = heard["data"]
        self._received += len(piece)
        return piece

    def close(self) -> None:
        """No more of it is wanted."""
        if self._open:
            self._open = False
            self._send({"sort": "gone"}, 0, self._port)
        self._network.messages.drop_mailbox(self._here, self._port)


class _Body(httpx.SyncByteStream):
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def __iter__(self) -> Iterator[bytes]:
        while piece := self._exchange.receive():
            yield piece

    def close(self) -> None:
        self._exchange.close()


def _pieces(request: httpx.Request) -> Iterator[bytes]:
    """The body, as it is drawn from whoever makes it; another length than said is h11's own error, as it is outside."""
    said = request.headers.get("content-length")
    left = None if said is None else int(said)
    assert isinstance(request.stream, httpx.SyncByteStream)
    for chunk in request.stream:
        if left is not None:
            left -= len(chunk)
            if left < 0:
                raise h11.LocalProtocolError("Too much data for declared Content-Length")
        for start in range(0, len(chunk), PIECE_BYTES):
            yield chunk[start : start + PIECE_BYTES]
    if left:
        raise h11.LocalProtocolError("Too little data for declared Content-Length")


def _ns(seconds: float | None) -> int:
    return FOR_EVER_NS if seconds is None else int(seconds * NS_PER_S)

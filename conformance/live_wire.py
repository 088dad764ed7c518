"""Values of HTTP as the proxy carries them: a whole request, a whole answer, how each goes over a socket. No faults here."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass

import h11

Headers = tuple[tuple[bytes, bytes], ...]
RECEIVE_BYTES = 1 << 18
#: Of one connection only, or worked out anew for the next one.
_HOP = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"te", b"upgrade", b"expect"})
_CODE = re.compile(rb"<Code>([A-Za-z]+)</Code>")


class Gone(Exception):
    """The other side closed or broke the connection."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, its body complete."""

    method: str
    path: str
    headers: Headers
    body: bytes

    def header(self, name: str) -> str:
        """The value of that header, or ``""``."""
        wanted = name.lower().encode()
        return next((value.decode("latin-1") for key, value in self.headers if key.lower() == wanted), "")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, its body complete. ``code``: the service's own code of an error, if it gave one."""

    status: int
    headers: Headers
    body: bytes
    code: str = ""


def next_event(side: h11.Connection, connection: socket.socket) -> h11.Event | type[h11.PAUSED]:
    """The next event, waiting for bytes. Raises :class:`Gone`."""
    while True:
        try:
            event = side.next_event()
        except h11.RemoteProtocolError as error:
            raise Gone(str(error)) from error
        if event is not h11.NEED_DATA:
            return event  # type: ignore[return-value]  # h11's sentinels are types of their own
        try:
            side.receive_data(connection.recv(RECEIVE_BYTES))
        except OSError as error:
            raise Gone(str(error)) from error


def passed_on(headers: Headers, length: int | None) -> Headers:
    """Headers for the next connection; ``length``: of the body, where it is to be said anew."""
    kept = tuple((name, value) for name, value in headers if name.lower() not in _HOP)
    if length is None:
        return kept
    return (*((name, value) for name, value in kept if name.lower() != b"content-length"), (b"Content-Length", b"%d" % length))


def exchange(address: tuple[str, int], asked: Asked, limit_s: float) -> Answer:
    """Ask the real service, on a connection of its own. Raises ``OSError`` or :class:`Gone`."""
    with socket.create_connection(address, timeout=limit_s) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        side = h11.Connection(h11.CLIENT)
        has_body = bool(asked.body) or asked.method in ("PUT", "POST")
        headers = passed_on(asked.headers, len(asked.body) if has_body else None)
        sent = side.send(h11.Request(method=asked.method, target=asked.path, headers=list(headers))) or b""
        if asked.body:
            sent += side.send(h11.Data(data=asked.body)) or b""
        sent += side.send(h11.EndOfMessage()) or b""
        connection.sendall(sent)
        return _answer(side, connection)


def _answer(side: h11.Connection, connection: socket.socket) -> Answer:
    head: h11.Response | None = None
    body = bytearray()
    while True:
        event = next_event(side, connection)
        if isinstance(event, h11.Response):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            code = _CODE.search(body[:2000]) if head.status_code >= 400 or body[:100].find(b"<Error>") >= 0 else None
            return Answer(head.status_code, tuple(head.headers.raw_items()), bytes(body), code[1].decode() if code else "")
        elif isinstance(event, h11.ConnectionClosed):
            raise Gone("the service closed the connection")

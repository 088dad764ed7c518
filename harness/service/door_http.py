"""The doors of an agent over HTTP, for clients who bring an object or fetch one. Apart from the port that commands come to: who
may knock here has a secret URL and nothing else.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from typing import Any

from storcert.harness.record.web_request import Asked, ClientGone, Reply

SILENCE_S = 60.0
"""A client that sends or takes nothing for so long is gone."""
_LINE_BYTES_MAX = 1024


class _Sized:
    """A body of so many bytes."""

    def __init__(self, file: BufferedIOBase, size_bytes: int) -> None:
        self._file = file
        self._left = size_bytes

    @property
    def whole(self) -> bool:
        """Whether all of it was read."""
        return self._left == 0

    def read(self, n: int) -> bytes:
        """The next bytes."""
        if not self._left:
            return b""
        found = _read(self._file, min(n, self._left))
        self._left -= len(found)
        return found


class _Chunked:
    """A body in chunks (RFC 9112 section 7.1). ``whole``: whether its end has come."""

    def __init__(self, file: BufferedIOBase) -> None:
        self._file = file
        self._left = 0
        self.whole = False

    def read(self, n: int) -> bytes:
        """The next bytes."""
        if not self._left and not self.whole:
            try:
                self._left = int(_line(self._file).partition(b";")[0], 16)
            except ValueError:
                raise ClientGone("no chunk where one was due") from None
            if not self._left:
                while _line(self._file).strip():
                    pass
                self.whole = True
        if self.whole:
            return b""
        found = _read(self._file, min(n, self._left))
        self._left -= len(found)
        if not self._left:
            _line(self._file)
        return found


def _read(file: BufferedIOBase, n: int) -> bytes:
    try:
        found = file.read1(n)
    except OSError as error:
        raise ClientGone(str(error)) from error
    if not found:
        raise ClientGone("the connection ended before the body did")
    return bytes(found)


def _line(file: BufferedIOBase) -> bytes:
    try:
        found = file.readline(_LINE_BYTES_MAX)
    except OSError as error:
        raise ClientGone(str(error)) from error
    if not found.endswith(b"\n"):
        raise ClientGone("the connection ended before the body did")
    return found


class DoorHandler(BaseHTTPRequestHandler):
    """One connection of a client. A body that was not read to its end, or an answer that could not be, ends it."""

    protocol_version = "HTTP/1.1"
    timeout = SILENCE_S
    answer: Callable[[Asked], Reply]

    def _serve(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        chunked = "chunked" in headers.get("transfer-encoding", "").lower()
        length = headers.get("content-length", "0")
        if not length.isdigit():
            self.send_error(400, "Content-Length is a number")
            return
        body = _Chunked(self.rfile) if chunked else _Sized(self.rfile, int(length))
        reply = type(self).answer(Asked(self.command, self.path, headers, body))
        self.close_connection = not body.whole
        try:
            self._say(reply)
        except Exception:  # noqa: BLE001  (whatever it was, the client must see a broken connection, not an end)
            self.close_connection = True

    def _say(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Length", str(reply.size_bytes))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            for piece in reply.body:
                self.wfile.write(piece)

    def do_GET(self) -> None:
        """Read, or ask how far an upload is."""
        self._serve()

    def do_HEAD(self) -> None:
        """The head of that."""
        self._serve()

    def do_PUT(self) -> None:
        """Upload."""
        self._serve()

    def do_POST(self) -> None:
        """Upload."""
        self._serve()

    def handle(self) -> None:
        """All requests of the connection; one that breaks off is the client's affair."""
        with contextlib.suppress(OSError, ClientGone):
            super().handle()

    def log_message(self, format: str, *args: Any) -> None:
        """URLs are secrets: nothing of them is logged."""


def serve_doors(address: str, port: int, answer: Callable[[Asked], Reply]) -> ThreadingHTTPServer:
    """A server on that address; port 0 takes a free one. ``serve_forever`` runs it."""
    handler = type("Doors", (DoorHandler,), {"answer": staticmethod(answer)})
    server = ThreadingHTTPServer((address, port), handler)
    server.daemon_threads = True
    return server

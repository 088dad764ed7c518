"""A connection to a simulated HTTP server, as a client's code sees it: bytes in, bytes out, and the errors of a socket.

What is written is parsed as HTTP/1.1 by h11, as by a real server; a complete request is carried out when the client begins to
read. So ``http.client`` and whatever stands on it are the real ones, and make of a short body, a reset or silence
what they make of it anywhere. Which requests there are and how a wire breaks is the affair of the :class:`HttpService`.

Left out: TLS, proxies, ``Expect: 100-continue``, pipelining, trailers, an answer before the request is complete.
"""

from __future__ import annotations

import errno
import http
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

import h11

from storcert.simulators.device import NotModelled
from storcert.simulators.network.errors import ConnectionReset, ConnectRefused, ConnectTimeout, ReadTimeout, WireError
from storcert.simulators.network.wire import Delivery, Wire

NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """``target`` as on the request line; ``headers`` in lower case; the body whole."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


class Bytes(Protocol):
    """A body that can be read in ranges."""

    @property
    def size_bytes(self) -> int: ...

    def read(self, offset: int, length: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class HttpReply:
    """``body`` came with the head; ``streamed`` takes its time, as ``delivery`` says."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    streamed: Bytes | None = None
    delivery: Delivery | None = None


class HttpService(Protocol):
    """What listens. ``exchange`` carries one request over the wire, or raises a :class:`WireError`."""

    @property
    def wire(self) -> Wire: ...

    def exchange(self, request: HttpRequest, read_timeout_ns: int | None) -> HttpReply: ...


class HttpSocket:
    """One connection. The ``socket`` methods that ``http.client`` and urllib3 call, and no others."""

    def __init__(self, service: HttpService, timeout_s: float | None) -> None:
        self._service = service
        self._timeout_s = timeout_s
        self._generation = service.wire.generation
        self._parser = h11.Connection(h11.SERVER)
        self._request: h11.Request | None = None
        self._pieces: list[bytes] = []
        self._complete = False
        self._out = bytearray()
        self._reply: HttpReply | None = None
        self._at = 0
        self._ended = False  # the other side has closed
        self._closed = False
        self._files = 0

    # -- what a socket has

    def settimeout(self, timeout_s: float | None) -> None:
        """How long one read may wait."""
        self._timeout_s = timeout_s

    def gettimeout(self) -> float | None:
        """The same, back."""
        return self._timeout_s

    def setsockopt(self, *_: Any) -> None:
        """Nothing of it shows here."""

    def shutdown(self, _how: int) -> None:
        """No more either way."""
        self._ended = True

    def sendall(self, data: bytes | bytearray | memoryview) -> None:
        """Write. Requests of h11's idea of HTTP only: anything else is answered 400, as real servers do."""
        self._check_open()
        if self._ended or self._server_gone():
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")
        self._parser.receive_data(memoryview(data).tobytes())
        try:
            self._parse()
        except h11.RemoteProtocolError as error:
            self._out += f"HTTP/1.1 {error.error_status_hint} Bad Request\r\nConnection: close\r\n\r\n".encode()
            self._ended = True

    def makefile(self, mode: str = "r", buffering: int | None = None, **_: Any) -> io.BufferedReader:
        """The reading side; the connection is closed when the last of its files and the socket itself are."""
        if mode != "rb":
            raise NotModelled(f"socket.makefile({mode!r})")
        self._files += 1
        return io.BufferedReader(_Reader(self), buffering if buffering and buffering > 0 else io.DEFAULT_BUFFER_SIZE)

    def close(self) -> None:
        """No more is wanted of the socket; a file made of it may still be read."""
        self._closed = True
        self._release()

    def file_closed(self) -> None:
        """One of the files is."""
        self._files -= 1
        self._release()

    def has_something_to_read(self) -> bool:
        """Whether the answer to a question nobody asked is here: the end of the connection."""
        return bool(self._out) or self._ended or self._server_gone()

    def recv_into(self, buffer: memoryview) -> int:
        """Wait for bytes and take some; 0 at the end of the connection."""
        while True:
            if self._out:
                size = min(len(buffer), len(self._out))
                buffer[:size] = self._out[:size]
                del self._out[:size]
                return size
            if self._reply is not None:
                self._receive(len(buffer))
            elif self._complete:
                self._carry_out()
            elif self._ended:
                return 0
            elif self._server_gone():
                self._break(ConnectionReset("the server went away"))
            else:
                self._wait_in_vain()

    # -- inside

    def _check_open(self) -> None:
        if self._closed:
            raise OSError(errno.EBADF, "Bad file descriptor")

    def _server_gone(self) -> bool:
        return self._service.wire.generation != self._generation

    def _break(self, broken: WireError) -> NoReturn:
        self._ended = True
        raise as_socket_error(broken)

    def _wait_in_vain(self) -> None:
        """A read that nothing was asked for: a client's mistake, which costs it its patience."""
        if self._timeout_s is None:
            raise NotModelled("a read without a request, on a socket without a timeout")
        self._service.wire.kernel.sleep_ns(int(self._timeout_s * NS_PER_S))
        raise TimeoutError("timed out")

    def _release(self) -> None:
        if self._closed and not self._files:
            self._out.clear()
            self._reply, self._pieces, self._request = None, [], None
            self._complete, self._ended = False, True

    def _parse(self) -> None:
        while True:
            event = self._parser.next_event()
            if isinstance(event, h11.Request):
                self._request = event
                if self._parser.they_are_waiting_for_100_continue:
                    raise NotModelled("Expect: 100-continue")
            elif isinstance(event, h11.Data):
                self._pieces.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                self._complete = True
            else:
                return

    def _carry_out(self) -> None:
        head, self._request, self._complete = self._request, None, False
        assert head is not None
        body, self._pieces = b"".join(self._pieces), []
        headers = {bytes(name).decode("latin-1"): bytes(value).decode("latin-1") for name, value in head.headers}
        request = HttpRequest(head.method.decode("ascii"), head.target.decode("ascii"), headers, body)
        patience_ns = None if self._timeout_s is None else int(self._timeout_s * NS_PER_S)
        reply = self._exchanged(request, patience_ns)
        if isinstance(reply, WireError):
            self._break(reply)
        phrase = http.HTTPStatus(reply.status).phrase.encode()
        fields = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items()]
        self._out += self._parser.send(h11.Response(status_code=reply.status, headers=fields, reason=phrase))
        self._reply, self._at = reply, 0
        if reply.streamed is None:
            if reply.body:
                self._out += self._parser.send(h11.Data(data=reply.body))
            self._finish()

    def _exchanged(self, request: HttpRequest, patience_ns: int | None) -> HttpReply | WireError:
        try:
            return self._service.exchange(request, patience_ns)
        except ConnectRefused:
            return ConnectionReset("the server died before the request")
        except WireError as error:
            return error

    def _receive(self, wanted: int) -> None:
        """The next bytes of a body that takes its time."""
        reply = self._reply
        assert reply is not None and reply.streamed is not None and reply.delivery is not None
        if self._at == reply.streamed.size_bytes:
            self._finish()
            return
        here = _received(reply.delivery, self._at + 1)
        if isinstance(here, WireError):
            self._reply = None
            self._break(here)
        if here <= self._at:
            self._reply, self._ended = None, True
            return
        piece = reply.streamed.read(self._at, min(wanted, here - self._at))
        self._at += len(piece)
        self._out += self._parser.send(h11.Data(data=piece))
        if self._at == reply.streamed.size_bytes:
            self._finish()

    def _finish(self) -> None:
        """The answer is complete: the connection is free for the next request, unless either side said it is the last."""
        self._reply = None
        self._out += self._parser.send(h11.EndOfMessage())
        if self._parser.our_state is h11.DONE and self._parser.their_state is h11.DONE:
            self._parser.start_next_cycle()
        else:
            self._ended = True


class _Reader(io.RawIOBase):
    """What ``makefile`` buffers."""

    def __init__(self, connection: HttpSocket) -> None:
        self._connection = connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        return self._connection.recv_into(memoryview(buffer).cast("B"))

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._connection.file_closed()


def _received(delivery: Delivery, upto: int) -> int | WireError:
    try:
        return delivery.receive(upto)
    except WireError as error:
        return error


def as_socket_error(broken: WireError) -> OSError:
    """What a socket raises. To be raised when the wire's own error is dealt with: code at a location gets no look at it."""
    if isinstance(broken, ReadTimeout | ConnectTimeout):
        return TimeoutError("timed out")
    if isinstance(broken, ConnectRefused):
        return ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
    return ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")


def connect(service: HttpService, timeout_s: float | None) -> HttpSocket:
    """Open a connection over the service's wire; ``OSError`` as ``socket.connect`` raises it."""
    broken: WireError | None = None
    try:
        service.wire.connect(None if timeout_s is None else int(timeout_s * NS_PER_S))
    except WireError as error:
        broken = error
    if broken is not None:
        raise as_socket_error(broken)
    return HttpSocket(service, timeout_s)

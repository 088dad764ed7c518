"""The simulated transport against httpx's own on a loopback socket: the same answers, the same exceptions, word for
word.

The real side sends exactly what the simulated server says, byte by byte, and ends the connection where that says so.
Conditions and ranges are compared with werkzeug, which knows nothing of this project.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import h11
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storcert.harness.agent.expected import Expected
from storcert.harness.agent.http_input import open_url
from storcert.harness.contract import StorageError
from storcert.harness.kernel import Kernel
from storcert.harness.kernel.interpose import installed
from storcert.simulators.extents import Extents
from storcert.simulators.http_source import Destination, HttpSource, Resource, error, error_page, file, redirect
from storcert.simulators.http_source.server import HttpAnswer, WebServer, byte_range
from storcert.simulators.http_source.source import Host

DATA = bytes(number * 7 % 251 for number in range(150_000))


def send(connection: socket.socket, answer: HttpAnswer) -> None:
    """What a real server with these bugs puts on the wire."""
    fields = dict(answer.headers)
    head = f"HTTP/1.1 {answer.status} Said\r\n" + "".join(f"{name}: {value}\r\n" for name, value in answer.headers)
    if "connection" not in fields:
        head += "connection: close\r\n"
    connection.sendall(head.encode() + b"\r\n")
    body = answer.body.read(0, answer.body.size_bytes)
    if "transfer-encoding" in fields:
        for start in range(0, len(body), 10_000):
            piece = body[start : start + 10_000]
            connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        if answer.ends_well:
            connection.sendall(b"0\r\n\r\n")
    else:
        connection.sendall(body)


def _received(connection: socket.socket, headers: dict[str, str], begun: bytes) -> bytes | None:
    """The body of a request; ``None`` where the client went away in its middle."""
    chunked = headers.get("transfer-encoding") == "chunked"
    size = int(headers.get("content-length", "0"))
    while not begun.endswith(b"0\r\n\r\n") if chunked else len(begun) < size:
        if not (piece := connection.recv(65_536)):
            return None
        begun += piece
    if not chunked:
        return begun
    body = b""
    while begun:
        length, _, rest = begun.partition(b"\r\n")
        body, begun = body + rest[: int(length, 16)], rest[int(length, 16) + 2 :]
    return body


@contextmanager
def loopback(server: WebServer) -> Iterator[str]:
    """A real server; gives the beginning of its URLs."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                request = b""
                while b"\r\n\r\n" not in request:
                    if not (piece := connection.recv(65_536)):
                        break
                    request += piece
                else:
                    first, *lines = request.decode("latin-1").split("\r\n\r\n")[0].split("\r\n")
                    method, target, _ = first.split(" ")
                    fields = (line.partition(":") for line in lines)
                    headers = {name.lower(): value.strip() for name, _, value in fields}
                    body = _received(connection, headers, request.split(b"\r\n\r\n", 1)[1])
                    if body is not None:
                        send(connection, server.handle(method, target, headers, 1_700_000_000 * 10**9, Extents(body)))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


def simulated(pages: dict[str, tuple[Resource, ...]], call: Callable[[str], Any], place: Destination | None = None) -> Any:
    with Kernel(1) as kernel, installed():
        source = HttpSource(kernel)
        if place is not None:
            source.accept("http://web.sim/file", place)
        for path, resources in pages.items():
            source.put("http://web.sim" + path, *resources)
        here = kernel.location("here")
        source.attach(here)
        task = kernel.spawn(call, "http://web.sim", location=here)
        kernel.run_until_done(task)
        assert task.error is None
        return task.result


def real(pages: dict[str, tuple[Resource, ...]], call: Callable[[str], Any], place: Destination | None = None) -> Any:
    from storcert.simulators.http_source.resource import Pages

    host = Host("127.0.0.1", 80, pages={path: Pages(resources) for path, resources in pages.items()})
    if place is not None:
        host.destinations["/file"] = place
    with loopback(WebServer(host)) as url:
        return call(url)


def ask(headers: dict[str, str], method: str = "GET") -> Callable[[str], Any]:
    """All that a client can see of one request."""

    def call(url: str) -> Any:
        got = b""
        try:
            with httpx.Client(follow_redirects=True, max_redirects=3) as client:
                with client.stream(method, url + "/file", headers=headers) as response:
                    seen = dict(response.headers)
                    for name in ("date", "connection"):
                        seen.pop(name, None)
                    for piece in response.iter_bytes():
                        got += piece
                    return response.status_code, seen, got, len(response.history)
        except httpx.HTTPError as error:
            return type(error), str(error), got

    return call


SERVED = {
    "good": file(DATA),
    "empty": file(b""),
    "chunked": file(DATA, framing="chunked"),
    "close": file(DATA, framing="close"),
    "empty chunked": file(b"", framing="chunked"),
    "gzip": file(DATA, gzip=True),
    "gzip chunked": file(DATA, gzip=True, framing="chunked"),
    "cut": file(DATA, cut_after_bytes=70_000),
    "cut at once": file(DATA, cut_after_bytes=0),
    "cut chunked": file(DATA, framing="chunked", cut_after_bytes=70_000),
    "cut close": file(DATA, framing="close", cut_after_bytes=70_000),
    "too long": file(DATA, declared_bytes=len(DATA) + 1),
    "too short": file(DATA, declared_bytes=len(DATA) - 1),
    "short": file(DATA, short_bytes=70_000),
    "short chunked": file(DATA, framing="chunked", short_bytes=70_000),
    "ignored": file(DATA, ranges="ignored"),
    "refused": file(DATA, ranges="refused"),
    "whole": file(DATA, ranges="whole"),
    "503": error(503, "3"),
    "404": error(404),
    "page": error_page(),
    "loop": redirect("/file"),
    "no head": file(DATA, head=False),
    "locked": file(DATA, user="alice", password="pw"),
}
ASKED: dict[str, dict[str, str]] = {
    "plain": {}, "range": {"range": "bytes=100000-"}, "bound": {"range": "bytes=100000-", "if-range": '"1"'},
    "bound to another": {"range": "bytes=100000-", "if-range": '"2"'}, "past the end": {"range": "bytes=150000-"},
    "identity": {"accept-encoding": "identity"},
}


@pytest.mark.parametrize("served", SERVED)
def test_the_same_answers_and_the_same_exceptions(served: str) -> None:
    pages = {"/file": (SERVED[served],)}
    for headers in ASKED.values():
        call = ask(headers)
        assert simulated(pages, call) == real(pages, call), headers
    call = ask({}, "HEAD")
    assert simulated(pages, call) == real(pages, call)


TAKEN: dict[str, Callable[[], Destination]] = {
    "good": Destination, "403": lambda: Destination(refused=403), "409": lambda: Destination(refused=409),
    "405": lambda: Destination(methods=("POST",)), "507": lambda: Destination(room_bytes=10),
    "once": lambda: Destination(once=True), "length": lambda: Destination(needs_length=True),
    "moved": lambda: Destination(moved_to="/other"),
    "locked": lambda: Destination(user="alice", password="pw"),
}


@pytest.mark.parametrize("taken", TAKEN)
@pytest.mark.parametrize("said", [None, len(DATA), len(DATA) - 1, len(DATA) + 1])
def test_bodies_are_taken_alike(taken: str, said: int | None) -> None:
    def call(url: str) -> Any:
        found: list[Any] = []
        for _ in range(2):
            pieces = (DATA[start : start + 40_000] for start in range(0, len(DATA), 40_000))
            headers = {} if said is None else {"content-length": str(said)}
            try:
                answer = httpx.put(url + "/file", content=pieces, headers=headers)
            except (httpx.HTTPError, h11.LocalProtocolError) as error:
                found.append((type(error), str(error)))
                continue
            seen = {name: value for name, value in answer.headers.items() if name not in ("date", "connection")}
            found.append((answer.status_code, seen, answer.content))
        found.append(httpx.get(url + "/file").content)
        return found

    assert simulated({}, call, TAKEN[taken]()) == real({}, call, TAKEN[taken]())


@pytest.mark.parametrize("served", [name for name in SERVED if name not in ("503",)])
@pytest.mark.parametrize("expected", [Expected(), Expected(size_bytes=len(DATA))])
def test_downloads_end_alike(served: str, expected: Expected, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storcert.harness.agent.http_input.TRIES_MAX", 1)  # no pause in real time

    def download(url: str) -> Any:
        try:
            with open_url(url + "/file", expected) as stream:
                return b"".join(iter(stream.read, b""))
        except StorageError as error:
            return type(error), error.message.replace(urlsplit(url).netloc, "host"), error.outcome

    pages = {"/file": (SERVED[served],)}
    assert simulated(pages, download) == real(pages, download)


def test_a_connection_that_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    def call(url: str) -> Any:
        try:
            httpx.get(url)
        except httpx.HTTPError as error:
            return type(error), str(error)

    with Kernel(1) as kernel, installed():
        source = HttpSource(kernel)
        source.put("http://web.sim/", file(b""))
        here = kernel.location("here")
        source.attach(here)
        task = kernel.spawn(call, "http://web.sim:81/", location=here)
        kernel.run_until_done(task)
    assert task.result == call(f"http://127.0.0.1:{port}/")


@given(st.sampled_from(["bytes=", "byte="]), st.text("0123456789-, x", max_size=9), st.integers(0, 40))
@settings(max_examples=500, deadline=None)
def test_ranges_are_read_as_werkzeug_reads_them(unit: str, text: str, size: int) -> None:
    from werkzeug.http import parse_range_header

    ours = byte_range(unit + text, size)
    theirs = parse_range_header(unit + text)
    if theirs is None or theirs.units != "bytes" or len(theirs.ranges) != 1 or " " in text:
        assert ours is None or " " in text or theirs is None
        return
    span = theirs.range_for_length(size)
    if span is None and text.startswith("-"):
        # RFC 9110 section 14.1.2: of a file shorter than the suffix all is given; werkzeug gives nothing.
        assert ours == (0, size) and int(text[1:]) >= size
    elif span is None:
        assert ours is None or ours[0] >= ours[1], "cannot be satisfied"
    else:
        assert ours == span

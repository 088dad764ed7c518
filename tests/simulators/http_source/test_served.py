"""Web servers that run at a location: what a client sees of one is what it sees of the real server on loopback, and what
crashes and partitions make of it.
"""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import h11
import httpx
import pytest

from storcert.harness.kernel import Kernel
from storcert.harness.kernel.interpose import installed
from storcert.harness.record.web_request import Asked, ClientGone, Reply
from storcert.harness.service.door_http import serve_doors
from storcert.simulators.http_source import HttpSource
from storcert.simulators.network.topology import network_of

DATA = bytes(number * 7 % 251 for number in range(600_000))


def answer(asked: Asked) -> Reply:
    """A server that takes bodies and tells their digest, gives one, breaks off in one, and answers without listening."""
    name = asked.path.strip("/")
    if name == "take":
        hasher, size = hashlib.sha256(), 0
        while piece := asked.body.read(100_000):
            hasher.update(piece)
            size += len(piece)
        told = f"{size} {hasher.hexdigest()} {asked.headers.get('x-said', '')}".encode()
        return Reply(201, (("x-method", asked.method),), (told,), len(told))
    if name == "nothing":
        return Reply(204, (("upload-offset", "5"),))
    if name == "broken":
        return Reply(200, (), broken(), len(DATA))
    return Reply(200, (("etag", '"x"'),), pieces(), len(DATA))


def pieces() -> Iterator[bytes]:
    for start in range(0, len(DATA), 130_000):
        yield DATA[start : start + 130_000]


def broken() -> Iterator[bytes]:
    yield DATA[:200_000]
    raise OSError("the disk is gone")


def simulated(call: Callable[[str], Any]) -> Any:
    with Kernel(1) as kernel, installed():
        source = HttpSource(kernel)
        url = source.serve_at(kernel.location("server"), answer)
        client = kernel.location("client")
        source.attach(client)
        task = kernel.spawn(call, url, location=client)
        assert kernel.run_until_done(task, limit_ns=10**13)
        assert task.error is None, task.error
        return task.result


def real(call: Callable[[str], Any]) -> Any:
    server = serve_doors("127.0.0.1", 0, answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        return call(f"http://127.0.0.1:{server.server_address[1]}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


ASKED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "get": ("GET", "/file", {}), "head": ("HEAD", "/file", {}), "nothing": ("GET", "/nothing", {}),
    "head of nothing": ("HEAD", "/nothing", {}), "broken": ("GET", "/broken", {}),
    "put": ("PUT", "/take", {"content": DATA}), "post": ("POST", "/take", {"content": DATA[:5]}),
    "nothing to take": ("PUT", "/take", {"content": b""}),
    "chunks": ("PUT", "/take", {"content": lambda: pieces()}),
    "said": ("PUT", "/take", {"content": DATA, "headers": {"x-said": "so"}}),
    "too little": ("PUT", "/take", {"content": lambda: pieces(), "headers": {"content-length": str(len(DATA) + 1)}}),
}


@pytest.mark.parametrize("asked", ASKED)
def test_a_client_sees_what_it_sees_of_the_real_server(asked: str) -> None:
    method, path, more = ASKED[asked]

    def call(url: str) -> Any:
        given = {**more, **({"content": more["content"]()} if callable(more.get("content")) else {})}
        try:
            seen = httpx.request(method, url + path, timeout=20, **given)
        except (httpx.HTTPError, h11.LocalProtocolError) as error:
            return type(error), str(error)
        fields = {name: value for name, value in seen.headers.items() if name not in ("date", "server", "connection")}
        return seen.status_code, fields, seen.content

    assert simulated(call) == real(call)


class World:
    """A server and a client that may be crashed and cut off."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.source = HttpSource(kernel)
        self.server, self.client = kernel.location("server"), kernel.location("client")
        self.source.attach(self.client)
        self.url = self.source.serve_at(self.server, self.answer)
        self.network = network_of(kernel)
        self.network.set_port("client", out_bytes_per_s=1_000_000)
        self.gone: list[str] = []

    def answer(self, asked: Asked) -> Reply:
        try:
            return answer(asked)
        except ClientGone as gone:
            self.gone.append(str(gone))
            return Reply(408)

    def begin(self, **more: Any) -> Any:
        return self.kernel.spawn(lambda: httpx.put(self.url + "/take", content=DATA, **more), location=self.client)

    def end(self, task: Any) -> Any:
        assert self.kernel.run_until_done(task, limit_ns=10**13)
        return task.error


@pytest.fixture
def world() -> Iterator[World]:
    with Kernel(5) as kernel, installed():
        yield World(kernel)


def test_a_server_that_dies_and_comes_back_resets_the_connection(world: World) -> None:
    task = world.begin(timeout=60)
    world.kernel.run_for(200_000_000)
    world.server.crash()
    world.server.restart()
    assert isinstance(world.end(task), httpx.WriteError)
    assert isinstance(world.end(world.begin(timeout=3)), httpx.TransportError), "nobody serves there yet"
    world.source.serve_at(world.server, world.answer)
    assert world.end(world.begin(timeout=60)) is None


def test_a_server_that_is_dead_is_silence(world: World) -> None:
    task = world.begin(timeout=5)
    world.kernel.run_for(200_000_000)
    world.server.crash()
    assert isinstance(world.end(task), httpx.WriteTimeout)
    began_ns = world.kernel.now_ns
    assert isinstance(world.end(world.begin(timeout=5)), httpx.ConnectTimeout)
    assert world.kernel.now_ns - began_ns == 5 * 10**9


def test_a_partition_holds_it_up_and_a_long_one_ends_it(world: World) -> None:
    task = world.begin(timeout=60)
    world.kernel.run_for(200_000_000)
    world.network.partition("client", "server")
    world.kernel.run_for(5 * 10**9)
    world.network.heal()
    assert world.end(task) is None
    task = world.begin(timeout=10)
    world.kernel.run_for(200_000_000)
    world.network.partition("client", "server")
    assert isinstance(world.end(task), httpx.WriteTimeout)
    world.kernel.run_for(100 * 10**9)
    assert len(world.gone) == 1


def test_a_client_that_dies_is_noticed(world: World) -> None:
    world.begin(timeout=60)
    world.kernel.run_for(200_000_000)
    world.client.crash()
    world.kernel.run_for(100 * 10**9)
    assert len(world.gone) == 1


def test_bytes_stand_in_the_ledger_on_both_sides(world: World) -> None:
    assert world.end(world.begin(timeout=60)) is None
    carried = world.network.ledger().carriers()
    assert carried["client"] == carried["server"] >= len(DATA)


def test_a_client_that_goes_in_the_middle_of_its_body_is_nobodys_error(capfd: pytest.CaptureFixture[str]) -> None:
    def half_a_body(url: str) -> None:
        address = httpx.URL(url)
        with socket.create_connection((address.host, address.port)) as connection:
            connection.sendall(b"PUT /take HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf")
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(1) == b""

    real(half_a_body)
    assert capfd.readouterr().err == ""

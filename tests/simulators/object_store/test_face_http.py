"""S3 over a simulated connection: the real urllib3, requests and minio-py against the model, moto, and a real loopback."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
import urllib3

from storcert.harness.record.fault import Fault, Phase
from storcert.simulators.device import NotModelled
from tests.simulators.object_store.conftest import StoreWorld

BASE = "http://s3.sim/storcert"
XML = "{http://s3.amazonaws.com/doc/2006-03-01/}"


def run(world: StoreWorld, function: Callable[[], Any]) -> Any:
    return world.run(lambda _client: function())


def pool(**settings: Any) -> urllib3.PoolManager:
    return urllib3.PoolManager(**{"retries": False, "timeout": 5.0, **settings})


def fault(kind: str, phase: Phase, operation: str = "GetObject", value: int = 0, nth: int = 1) -> Fault:
    return Fault(operation=operation, nth=nth, phase=phase, kind=kind, value=value)



def minio_client(host: str = "s3.sim") -> Any:
    minio = pytest.importorskip("minio")
    return minio.Minio(host, "AKIASTORCERTSIM", "storcert-simulated-secret", secure=False, region="us-east-1")


def use_minio(host: str = "s3.sim") -> list[Any]:
    """Most of what minio-py does to a bucket, and what it says: errors by code and message."""
    client, key = minio_client(host), "a b/ü+&<'\"~!.xml"
    error = pytest.importorskip("minio").S3Error
    copy_source = pytest.importorskip("minio.commonconfig").CopySource
    client.put_object("storcert", key, io.BytesIO(b"0123456789"), 10, metadata={"color": "blue"}, content_type="text/x")
    big = client.put_object("storcert", "big", io.BytesIO(b"x" * (11 << 20)), -1, part_size=5 << 20)
    client.copy_object("storcert", "copy", copy_source("storcert", key))
    stat = client.stat_object("storcert", key)
    part = client.get_object("storcert", "copy", offset=3, length=4)
    found: list[Any] = [big.etag, part.read(3), part.read(3), part.read(3), part.status, part.headers["content-range"]]
    found += [stat.size, stat.etag, stat.content_type, stat.metadata["x-amz-meta-color"], client.bucket_exists("storcert")]
    part.release_conn()
    for arguments in ({"recursive": True}, {}, {"prefix": "b"}, {"recursive": True, "start_after": "big"}):
        listed = client.list_objects("storcert", **arguments)
        found.append([(one.object_name, one.size, one.etag, one.is_dir) for one in listed])
    client.remove_object("storcert", key)
    client.remove_object("storcert", key)
    for call in (
        lambda: client.stat_object("storcert", key), lambda: client.get_object("storcert", key),
        lambda: client.get_object("storcert", "copy", offset=10), lambda: client.stat_object("elsewhere", key),
        lambda: next(client.list_objects("elsewhere")),
        lambda: client.copy_object("storcert", "k", copy_source("storcert", key)),
        lambda: client.put_object("elsewhere", key, io.BytesIO(b""), 0),
    ):  # fmt: skip
        with pytest.raises(error) as refused:
            call()
        found.append(refused.value.code)
    return found


@pytest.mark.parametrize("face", ["native", "moto"])
def test_minio_py_is_told_the_same_by_the_simulated_store_and_by_a_real_server(face: str) -> None:
    server = pytest.importorskip("moto.server").ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        address = "{}:{}".format(*server.get_host_and_port())
        minio_client(address).make_bucket("storcert")
        real = use_minio(address)
    finally:
        server.stop()
    world = StoreWorld(face=face, part_size_min_bytes=5 << 20)
    assert run(world, use_minio) == real
    assert "CompleteMultipartUpload" in world.operations() and "connect" not in world.operations()


def test_a_bucket_may_stand_in_front_of_the_host() -> None:
    world = StoreWorld()
    anybody_may_read(world, b"content")
    assert run(world, lambda: pool().request("GET", "http://storcert.s3.sim/k").data) == b"content"


def test_a_body_whose_length_is_not_told_is_refused_as_s3_does() -> None:
    world = StoreWorld()
    anybody_may_read(world, b"content")
    assert run(world, lambda: requests.put(f"{BASE}/k", data=iter([b"piece"])).status_code) == 501


def anybody_may_read(world: StoreWorld, content: bytes) -> None:
    """An object ``k``, and no question who asks: the requests of these tests are not signed."""
    world.run(lambda client: client.put_object(Bucket="storcert", Key="k", Body=content))
    world.store.server._authenticate = lambda credentials: None  # type: ignore[method-assign]


def test_who_signs_with_another_secret_is_refused_and_whoever_does_not_sign() -> None:
    world = StoreWorld()
    minio = pytest.importorskip("minio")

    def use() -> list[Any]:
        codes = []
        for key, secret in (("AKIASTORCERTSIM", "wrong"), ("AKIAOTHER", "storcert-simulated-secret")):
            client = minio.Minio("s3.sim", key, secret, secure=False, region="us-east-1")
            with pytest.raises(minio.S3Error) as refused:
                client.get_object("storcert", "k")
            codes.append(refused.value.code)
        return [*codes, pool().request("GET", f"{BASE}/k").status]

    assert run(world, use) == ["SignatureDoesNotMatch", "InvalidAccessKeyId", 403]


def test_what_the_model_has_not_is_the_kits_error() -> None:
    with pytest.raises(NotModelled, match="GET acl"):
        run(StoreWorld(), lambda: pool().request("GET", f"{BASE}/k?acl="))


def test_a_strange_host_meets_the_fence() -> None:
    world = StoreWorld()
    with pytest.raises(RuntimeError, match="cannot be simulated"):
        run(world, lambda: pool().request("GET", "http://elsewhere.sim/"))
    assert any("elsewhere.sim" in finding.message for finding in world.here.findings)


def test_a_connection_is_used_again_until_the_server_dies() -> None:
    world = StoreWorld()
    world.arm(fault("server_restart", Phase.BEFORE, value=2_000_000_000, nth=3))

    def use() -> list[Any]:
        manager = pool()
        seen: list[Any] = [manager.request("GET", f"{BASE}/k").status for _ in range(2)]
        for _ in range(2):
            try:
                manager.request("GET", f"{BASE}/k")
            except urllib3.exceptions.HTTPError as error:
                seen.append(type(error).__name__)
        seen.append(manager.connection_from_url(BASE).num_connections)
        patient = urllib3.Retry(connect=8, backoff_factor=0.2)
        seen.append(manager.request("GET", f"{BASE}/k", retries=patient).status)
        return seen

    assert run(world, use) == [403, 403, "ProtocolError", "NewConnectionError", 2, 403]
    assert world.operations().count("connect") >= 2


def test_the_same_seed_is_the_same_run() -> None:
    def digest() -> str:
        world = StoreWorld(seed=5, part_size_min_bytes=5 << 20)
        run(world, lambda: minio_client().put_object("storcert", "big", io.BytesIO(b"x" * (16 << 20)), -1, part_size=5 << 20))
        return world.kernel.journal.digest().hex()

    pytest.importorskip("minio")
    assert digest() == digest()


# -- the same trouble over a real connection, from a server that does nothing but make it

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 400000\r\n\r\n"


@contextmanager
def server(behave: Callable[[socket.socket], None]) -> Iterator[str]:
    """Every connection is answered by ``behave``, which is called when a request is there."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.recv(65536)
            behave(connection)
            connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/storcert"
    ended.set()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def silent(connection: socket.socket) -> None:
    connection.recv(1)


def cut(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"x" * 1000)


def chain(error: BaseException) -> list[str]:
    """What was raised, and what that came from."""
    names = []
    seen: BaseException | None = error
    while seen is not None:
        names.append(type(seen).__name__)
        seen = seen.__cause__ or seen.__context__
    return names


def with_urllib3(base: str) -> bytes:
    answer = pool(timeout=0.3).request("GET", f"{base}/k", preload_content=False)
    return b"".join(answer.stream(65536))


def with_requests(base: str) -> bytes:
    with requests.get(f"{base}/k", timeout=0.3, stream=True) as answer:
        return b"".join(answer.iter_content(65536))


def with_retries(base: str) -> bytes:
    return pool(timeout=0.3, retries=urllib3.Retry(total=1, backoff_factor=0)).request("GET", f"{base}/k").data


TROUBLES: dict[str, tuple[Fault, Callable[[socket.socket], None]]] = {
    "reset": (fault("answer_lost", Phase.AFTER, value=1), reset),
    "silent": (fault("request_lost", Phase.BEFORE), silent),
    "cut": (fault("cut", Phase.DURING, value=1000), cut),
}


@pytest.mark.parametrize("trouble", sorted(TROUBLES))
@pytest.mark.parametrize("read", [with_urllib3, with_requests, with_retries])
def test_trouble_on_the_wire_is_what_it_is_on_loopback(trouble: str, read: Callable[[str], bytes]) -> None:
    armed, behave = TROUBLES[trouble]

    def failing(base: str) -> list[str]:
        try:
            read(base)
        except Exception as error:  # noqa: BLE001  whatever it is, it is compared
            return chain(error)
        return []

    with server(behave) as base:
        real = failing(base)
    world = StoreWorld()
    anybody_may_read(world, b"x" * 400_000)
    world.arm(armed, Fault(operation="GetObject", nth=2, phase=armed.phase, kind=armed.kind, value=armed.value))
    assert run(world, lambda: failing(BASE)) == real != []


@pytest.mark.parametrize("read", [with_urllib3, with_requests, with_retries])
def test_a_refused_connection_is_what_it_is_on_loopback(read: Callable[[str], bytes]) -> None:
    with server(silent) as base:
        pass  # nobody listens there any more
    with pytest.raises(Exception) as real:
        read(base)
    world = StoreWorld()
    world.store.wire.take_down(60_000_000_000)
    with pytest.raises(type(real.value)) as simulated:
        run(world, lambda: read(BASE))
    assert chain(simulated.value) == chain(real.value)

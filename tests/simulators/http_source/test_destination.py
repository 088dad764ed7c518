"""URLs that take bodies: what is stored, what is refused, and what a single fault makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import h11
import httpx
import pytest

from storcert.harness.record.fault import Fault, Phase
from storcert.simulators.http_source import Destination
from tests.simulators.http_source.conftest import URL, Web

DATA = bytes(range(256)) * 1_000


def pieces(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), 10_000):
        yield data[start : start + 10_000]


def put(web: Web, data: bytes = DATA, **more: Any) -> httpx.Response:
    answer: httpx.Response = web.run(lambda: httpx.put(URL, content=data, **more))
    return answer


def test_what_is_sent_is_stored_and_read_back(web: Web) -> None:
    place = web.source.accept(URL)
    assert web.run(lambda: httpx.get(URL).status_code) == 404
    assert put(web).status_code == 201
    assert web.run(lambda: httpx.get(URL).content) == DATA
    assert web.run(lambda: httpx.head(URL).headers["content-length"]) == str(len(DATA))
    assert web.run(lambda: httpx.get(URL, headers={"range": "bytes=5-8"}).content) == DATA[5:9]
    assert put(web, b"").status_code == 204
    assert (web.run(lambda: httpx.get(URL).content), place.received) == (b"", 2)
    assert [(entry.kind, entry.size_bytes) for entry in web.source.census()] == [("stored", 0)]


def test_a_body_in_pieces_is_one_body(web: Web) -> None:
    web.source.accept(URL)
    assert web.run(lambda: httpx.put(URL, content=pieces(DATA)).status_code) == 201
    assert web.run(lambda: httpx.get(URL).content) == DATA
    assert web.source.requests[0].sent_bytes == len(DATA)


@pytest.mark.parametrize(
    ("place", "status"),
    [
        (Destination(refused=403), 403), (Destination(methods=("POST",)), 405),
        (Destination(size_max_bytes=len(DATA) - 1), 413),
        (Destination(room_bytes=len(DATA) - 1), 507), (Destination(user="alice", password="pw"), 401),
        (Destination(moved_to="http://other.sim/file"), 307),
    ],
)
def test_refusals_store_nothing(web: Web, place: Destination, status: int) -> None:
    web.source.accept(URL, place)
    assert put(web).status_code == status
    assert place.stored is None and web.source.census() == ()


def test_what_is_there_may_stay(web: Web) -> None:
    place = web.source.accept(URL, Destination(once=True, methods=("PUT", "POST")))
    assert put(web, b"first").status_code == 201
    assert put(web, b"second").status_code == 409
    assert web.run(lambda: httpx.post(URL, content=b"third").status_code) == 409
    assert place.stored is not None and place.stored.read(0, 10) == b"first"


def test_a_body_without_a_length_may_be_refused(web: Web) -> None:
    web.source.accept(URL, Destination(needs_length=True))
    assert web.run(lambda: httpx.put(URL, content=pieces(DATA)).status_code) == 411
    headers = {"content-length": str(len(DATA))}
    assert web.run(lambda: httpx.put(URL, content=pieces(DATA), headers=headers).status_code) == 201


def test_what_may_only_be_written_is_not_read(web: Web) -> None:
    web.source.accept(f"{URL}?signature=1", Destination(readable=False))
    assert web.run(lambda: httpx.put(f"{URL}?signature=1", content=b"x").status_code) == 201
    assert web.run(lambda: httpx.get(f"{URL}?signature=1").status_code) == 403


@pytest.mark.parametrize("wrong", [len(DATA) - 1, len(DATA) + 1])
def test_another_length_than_said_is_an_error_of_the_client(web: Web, wrong: int) -> None:
    web.source.accept(URL)
    with pytest.raises(h11.LocalProtocolError, match="data for declared Content-Length"):
        web.run(lambda: httpx.put(URL, content=pieces(DATA), headers={"content-length": str(wrong)}))
    assert web.source.census() == ()


def test_a_body_that_is_cut_stores_nothing(web: Web) -> None:
    web.source.accept(URL)
    web.source.arm([Fault("cut", "PUT", 1, Phase.DURING, value=1000)])
    with pytest.raises(httpx.ReadError):
        put(web)
    assert web.source.census() == ()
    assert web.source.requests[0].sent_bytes == 1000
    assert put(web).status_code == 201


def test_an_answer_that_is_lost_leaves_what_was_stored(web: Web) -> None:
    place = web.source.accept(URL)
    web.source.arm([Fault("answer_lost", "PUT", 1, Phase.AFTER, value=1)])
    with pytest.raises(httpx.ReadError):
        put(web)
    assert place.stored is not None and place.stored.size_bytes == len(DATA)


def test_a_careless_server_keeps_a_part_and_says_all_is_well(web: Web) -> None:
    place = web.source.accept(URL)
    web.source.arm([Fault("stored_short", "PUT", 1, value=7)])
    assert put(web).status_code == 201
    assert place.stored is not None and place.stored.size_bytes == 7
    web.source.arm([Fault("stored_short", "PUT", 1, value=9), Fault("answer_lost", "PUT", 1, Phase.AFTER, value=1)])
    with pytest.raises(httpx.ReadError):
        put(web)
    assert place.stored.size_bytes == 9
    assert put(web).status_code == 204 and place.stored.size_bytes == len(DATA)
    keeps = web.source.accept(URL, Destination(keeps_bytes=3))
    assert put(web).status_code == 201 and keeps.stored is not None and keeps.stored.size_bytes == 3


@pytest.mark.parametrize(
    ("kind", "status"), [("insufficient_storage", 507), ("throttle", 429), ("busy", 503), ("internal_error", 500)])
def test_a_refusal_for_once(web: Web, kind: str, status: int) -> None:
    web.source.accept(URL)
    web.source.arm([Fault(kind, "PUT", 1)])
    assert put(web).status_code == status
    assert web.source.census() == ()
    assert put(web).status_code == 201


def test_a_slow_destination_takes_its_time(web: Web) -> None:
    web.source.accept(URL)
    web.source.host(URL, bytes_per_s=256_000)
    began_ns = web.kernel.now_ns
    put(web, timeout=None)
    assert web.kernel.now_ns - began_ns > 10**9


def test_destinations_are_told_with_their_urls(web: Web) -> None:
    one = web.source.accept("https://web.sim/a?x=1")
    other = web.source.accept("http://web.sim:8080/b")
    assert web.source.destinations() == {"https://web.sim/a?x=1": one, "http://web.sim:8080/b": other}

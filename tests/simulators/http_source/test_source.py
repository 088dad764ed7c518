"""What the simulated web servers answer, and how an ordinary httpx client comes to them."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from storcert.harness.kernel import Kernel
from storcert.harness.kernel.interpose import installed
from storcert.harness.record.fault import Fault, Phase
from storcert.simulators.device import NotModelled, SimulatedDevice
from storcert.simulators.http_source import Endless, HttpSource, Resource, error, file, pattern, redirect, zeros
from storcert.simulators.http_source.httpx_doors import TRANSPORT_SERVICE
from storcert.simulators.http_source.legal_faults import LEGAL_FAULTS
from tests.simulators.http_source.conftest import URL, Web

DATA = bytes(range(256)) * 1_000


def test_every_way_of_asking_reaches_the_simulated_server(web: Web) -> None:
    web.source.put(URL, file(DATA))

    def ask() -> list[bytes]:
        found = [httpx.get(URL).content]
        with httpx.stream("GET", URL) as response:
            found.append(b"".join(response.iter_bytes()))
        with httpx.Client() as client:
            found.append(client.get(URL).content)
        with httpx.Client(transport=httpx.HTTPTransport(retries=1)) as client:
            found.append(client.get(URL).content)
        return found

    assert web.run(ask) == [DATA] * 4
    assert [request.answer for request in web.source.requests] == ["ok"] * 4
    assert web.source.requests[0].target == "/file"


def test_outside_a_location_httpx_is_itself() -> None:
    original = httpx.HTTPTransport
    with Kernel(1) as kernel, installed():
        with httpx.Client() as client:
            assert isinstance(client._transport, original)
            assert isinstance(client._transport, httpx.HTTPTransport)
        here = kernel.location("no-web-here")
        task = kernel.spawn(lambda: httpx.get("http://127.0.0.1:9/"), location=here)
        kernel.run_until_done(task)
        assert task.error is not None
        assert here.findings, "the fence met the real transport's socket"
    assert httpx.HTTPTransport is original


def test_what_the_real_transport_has_and_this_one_not(web: Web) -> None:
    for arguments in ({"http2": True}, {"uds": "/run/x"}, {"proxy": "http://p"}, {"cert": "/c.pem"}):
        with pytest.raises(NotModelled):
            web.run(lambda arguments=arguments: httpx.HTTPTransport(**arguments))
        web.here.findings.clear()
    with pytest.raises(TypeError, match="unexpected keyword argument 'nonsense'"):
        web.run(lambda: httpx.HTTPTransport(nonsense=1))  # type: ignore[call-arg]


def test_time_passes_as_the_link_says(web: Web) -> None:
    web.source.put(URL, file(DATA))
    web.source.host(URL, bytes_per_s=256_000)

    def ask() -> float:
        began_s = time.monotonic()
        httpx.get(URL)
        return time.monotonic() - began_s

    assert 1.0 < web.run(ask) < 1.1


def answer(web: Web, resource: Resource, method: str = "GET", **headers: str) -> httpx.Response:
    web.source.put(URL, resource)
    response: httpx.Response = web.run(
        lambda: httpx.request(method, URL, headers={name.replace("_", "-"): value for name, value in headers.items()}))
    return response


@pytest.mark.parametrize(
    ("asked", "status", "said", "expected"),
    [
        ("bytes=0-", 206, "bytes 0-9/10", b"0123456789"), ("bytes=3-4", 206, "bytes 3-4/10", b"34"),
        ("bytes=3-400", 206, "bytes 3-9/10", b"3456789"), ("bytes=-3", 206, "bytes 7-9/10", b"789"),
        ("bytes=-30", 206, "bytes 0-9/10", b"0123456789"), ("bytes=9-9", 206, "bytes 9-9/10", b"9"),
        ("bytes=10-", 416, "bytes */10", b""), ("bytes=-0", 416, "bytes */10", b""),
        ("bytes=4-3", 200, None, b"0123456789"), ("bytes=-", 200, None, b"0123456789"),
        ("bytes=0-1,3-4", 200, None, b"0123456789"), ("lines=0-1", 200, None, b"0123456789"),
    ],
)
def test_ranges(web: Web, asked: str, status: int, said: str | None, expected: bytes) -> None:
    response = answer(web, file(b"0123456789"), range=asked)
    assert (response.status_code, response.headers.get("content-range"), response.content) == (status, said, expected)
    assert response.headers["content-length"] == str(len(expected))


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ('"1"', 206), ('"2"', 200), ('W/"1"', 200), ("Sat, 22 Jul 2023 04:26:40 GMT", 206),
        ("Sat, 22 Jul 2023 04:26:41 GMT", 200), ("nonsense", 200),
    ],
)
def test_if_range(web: Web, condition: str, status: int) -> None:
    assert answer(web, file(DATA), range="bytes=5-", if_range=condition).status_code == status
    assert answer(web, file(DATA, ranges="unconditional"), range="bytes=5-", if_range=condition).status_code == 206


def test_ranges_that_are_not_what_they_should_be(web: Web) -> None:
    assert answer(web, file(DATA, ranges="ignored"), range="bytes=5-").content == DATA
    assert answer(web, file(DATA, ranges="refused"), range="bytes=5-").status_code == 416
    whole = answer(web, file(DATA, ranges="whole"), range="bytes=5-")
    assert (whole.status_code, whole.headers["content-range"]) == (206, f"bytes 0-{len(DATA) - 1}/{len(DATA)}")


def test_sizes_known_and_unknown(web: Web) -> None:
    for framing, field, value in (
        ("length", "content-length", str(len(DATA))), ("chunked", "transfer-encoding", "chunked"),
        ("close", "connection", "close"),
    ):
        response = answer(web, file(DATA, framing=framing))
        assert response.content == DATA
        assert response.headers[field] == value
        assert ("content-length" in response.headers) == (framing == "length")


def test_a_head_has_the_same_head_and_no_body(web: Web) -> None:
    response = answer(web, file(DATA), "HEAD")
    assert (response.status_code, response.headers["content-length"], response.content) == (200, str(len(DATA)), b"")
    assert answer(web, file(DATA, head=False), "HEAD").status_code == 405
    assert answer(web, file(DATA), "PUT").status_code == 405


def test_gzip_is_unpacked_by_the_client(web: Web) -> None:
    for content in (DATA, b"", b"x", bytes(65_535), bytes(65_536)):
        response = answer(web, file(content, gzip=True))
        assert response.headers["content-encoding"] == "gzip"
        assert response.content == content
        assert int(response.headers["content-length"]) == response.num_bytes_downloaded
    assert "content-encoding" not in answer(web, file(DATA, gzip=True), accept_encoding="identity").headers


def test_pages_in_turn_and_pages_that_stay(web: Web) -> None:
    web.source.put(URL, file(b"a"), file(b"b"))
    assert [web.run(lambda: httpx.get(URL).content) for _ in range(4)] == [b"a", b"b", b"a", b"b"]
    web.source.put(URL, error(503, "1"), file(b"b"), stay=True)
    assert [web.run(lambda: httpx.get(URL).status_code) for _ in range(3)] == [503, 200, 200]
    with pytest.raises(ValueError, match="nothing to serve"):
        web.source.put(URL)
    with pytest.raises(ValueError, match="no URL of a web server"):
        web.source.put("ftp://x/", file(b""))


def test_redirects_are_the_clients_affair(web: Web) -> None:
    web.source.put(URL, redirect("http://mirror.sim/x?sig=1", 307))
    web.source.put("http://mirror.sim/x?sig=1", file(DATA))
    assert web.run(lambda: httpx.get(URL).status_code) == 307
    assert web.run(lambda: httpx.get(URL, follow_redirects=True).content) == DATA
    assert [request.target for request in web.source.requests][-1] == "/x", "queries may be secret"
    web.source.put(URL, redirect(URL))
    with pytest.raises(httpx.TooManyRedirects):
        web.run(lambda: httpx.get(URL, follow_redirects=True))


def test_basic_authentication(web: Web) -> None:
    web.source.put(URL, file(DATA, user="alice", password="pw"))
    assert web.run(lambda: httpx.get(URL).status_code) == 401
    assert web.run(lambda: httpx.get(URL, auth=("alice", "pw")).content) == DATA


def test_hosts_ports_and_certificates(web: Web) -> None:
    web.source.put("https://templates.sim/file", file(DATA))
    web.source.host("https://templates.sim", certificate="expired")
    with pytest.raises(httpx.ConnectError, match="certificate has expired"):
        web.run(lambda: httpx.get("https://templates.sim/file"))
    assert web.run(lambda: httpx.get("https://templates.sim/file", verify=False).content) == DATA
    with pytest.raises(httpx.ConnectError, match="refused"):
        web.run(lambda: httpx.get("http://templates.sim/file"))
    with pytest.raises(httpx.ConnectError, match="Name or service not known"):
        web.run(lambda: httpx.get("http://nowhere.sim/file"))


def test_connection_attempts_are_repeated_when_asked_for(web: Web) -> None:
    web.source.put(URL, file(DATA))
    site = web.source.site("templates.sim", 80)
    assert site is not None
    site.wire.take_down(1_200_000_000)
    with pytest.raises(httpx.ConnectError):
        web.run(lambda: httpx.get(URL))

    def persist() -> bytes:
        with httpx.Client(transport=httpx.HTTPTransport(retries=3)) as client:
            return client.get(URL).content

    assert web.run(persist) == DATA


def test_large_contents_cost_nothing(web: Web) -> None:
    size = 3 << 40
    for resource, expected in (
        (zeros(size), bytes(6)), (pattern(b"abc", size), b"abcabc"), (Resource(content=Endless()), b"x" * 6),
    ):
        web.source.put(URL, resource)
        assert web.run(lambda: httpx.get(URL, headers={"range": f"bytes={size - 6}-{size - 1}"}).content) == expected


# -- faults


def test_it_is_a_device_and_its_faults_have_sources(web: Web) -> None:
    device: SimulatedDevice = web.source
    assert all(kind.source and kind.description for kind in LEGAL_FAULTS)
    web.source.put(URL, file(DATA))
    assert [(entry.kind, entry.name, entry.size_bytes) for entry in device.census()] == [
        ("page", "templates.sim:80/file", len(DATA))]
    assert device.configuration() == {}
    assert TRANSPORT_SERVICE in web.here.services


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        ("throttle", lambda r: r.status_code == 429 and r.headers["retry-after"] == "7"),
        ("busy", lambda r: r.status_code == 503 and r.headers["retry-after"] == "7"),
        ("internal_error", lambda r: r.status_code == 500),
        ("not_found", lambda r: r.status_code == 404),
        ("error_page", lambda r: r.status_code == 200 and r.text.startswith("<!DOCTYPE html>")),
        ("ranges_ignored", lambda r: r.status_code == 200 and r.content == DATA),
        ("other_etag", lambda r: r.headers["etag"] == '"other-node"' and r.content == DATA[5:]),
        ("changed", lambda r: r.headers["etag"] == '"1-changed"' and len(r.content) == len(DATA) - 5 and r.content != DATA[5:]),
    ],
)
def test_the_servers_own_faults(web: Web, kind: str, check: Any) -> None:
    web.source.put(URL, file(DATA))
    web.source.arm([Fault(kind, value=7 * 10**9)])
    response = web.run(lambda: httpx.get(URL, headers={"range": "bytes=5-"}))
    assert check(response)
    assert [fault.kind for fault in web.source.fired] == [kind]
    after = web.run(lambda: httpx.get(URL).content)
    assert (after == DATA) == (kind != "changed")


@pytest.mark.parametrize(
    ("fault", "error_class"),
    [
        (Fault("request_lost"), httpx.ReadTimeout), (Fault("answer_lost", phase=Phase.AFTER), httpx.ReadTimeout),
        (Fault("answer_lost", phase=Phase.AFTER, value=1), httpx.ReadError),
        (Fault("cut", phase=Phase.DURING, value=100), httpx.RemoteProtocolError),
        (Fault("slow", phase=Phase.DURING, value=10**11), httpx.ReadTimeout), (Fault("server_restart"), httpx.ReadError),
    ],
)
def test_what_httpx_makes_of_the_wires_faults(web: Web, fault: Fault, error_class: type[Exception]) -> None:
    web.source.put(URL, file(DATA))
    web.source.arm([fault])
    with pytest.raises(error_class):
        web.run(lambda: httpx.get(URL))
    web.source.heal()
    assert web.run(lambda: httpx.get(URL).content) == DATA


def test_a_partition_is_a_connection_that_cannot_be_made(web: Web) -> None:
    web.source.put(URL, file(DATA))
    site = web.source.site("templates.sim", 80)
    assert site is not None
    site.wire.network.partition("ssvm", "templates.sim")
    with pytest.raises(httpx.ConnectTimeout):
        web.run(lambda: httpx.get(URL))
    assert site.wire.network.ledger().bytes_seen("ssvm") == 0
    web.source.heal()
    web.run(lambda: httpx.get(URL))
    assert site.wire.network.ledger().bytes_seen("ssvm", "/file") == len(DATA)


def test_options_are_checked() -> None:
    for bad in ({"speed": 1}, {"latency_ns": "1"}, {"latency_ns": -1}, {"get_bytes_per_s": 0}):
        with pytest.raises(ValueError, match="http-source"):
            HttpSource(Kernel(1), bad)
    with pytest.raises(ValueError, match="no host yet"):
        HttpSource(Kernel(1)).arm([])

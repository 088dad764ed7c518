"""Downloads: the exact bytes or a typed error, whatever the server does."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from storcert.harness.agent.expected import Expected
from storcert.harness.agent.http_input import RESUMES_MAX, TRIES_MAX, open_url
from storcert.harness.contract import (
    CapacityExceeded,
    DataCorrupted,
    DeviceUnavailable,
    InputStream,
    InvalidRequest,
    ObjectNotFound,
    Outcome,
    PermissionDenied,
    StorageError,
)
from storcert.harness.record.fault import Fault, Phase
from storcert.simulators.http_source import Endless, Resource, error, error_page, file, redirect, zeros
from storcert.simulators.http_source.resource import Framing, Ranges
from tests.harness.agent.conftest import CALL_LIMIT_NS, URL, Downloads, sha256

S = 10**9
DATA = b"QFI\xfb" + bytes(number * 7 % 251 for number in range(300_000))
OTHER = b"QFI\xfb" + bytes(number * 11 % 251 for number in range(300_000))
CUT = Fault("cut", nth=1, phase=Phase.DURING, value=100_000)
FRAMINGS: tuple[Framing, ...] = ("length", "chunked")
RANGES: tuple[Ranges, ...] = ("yes", "unconditional", "whole", "ignored", "refused")


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("n", [-1, 1_000, 10**9])
def test_the_bytes_of_the_file(world: Downloads, framing: Framing, n: int) -> None:
    world.serve(file(DATA, framing=framing))
    assert world.get(n=n) == DATA
    assert len(world.source.requests) == 1


def test_an_empty_file_is_a_file(world: Downloads) -> None:
    for framing in FRAMINGS:
        world.serve(file(b"", framing=framing))
        assert world.get() == b""
        assert world.get(Expected(size_bytes=0, digest=sha256(b""))) == b""


def test_it_is_an_input_stream_and_ends_as_one(world: Downloads) -> None:
    world.serve(file(DATA))

    def use() -> list[Any]:
        stream = open_url(URL)
        assert isinstance(stream, InputStream)
        seen: list[Any] = [stream.read(0), stream.read(3)]
        for bad in (-2, "7", 1.5):
            with pytest.raises(InvalidRequest):
                stream.read(bad)  # type: ignore[arg-type]
        stream.close()
        stream.close()
        with pytest.raises(InvalidRequest):
            stream.read()
        return seen

    assert world.run(use) == [b"", DATA[:3]]


def test_a_terabyte_costs_nothing_until_it_is_read(world: Downloads) -> None:
    world.serve(zeros(1 << 40))
    assert world.get(upto=1 << 20)[: 1 << 20] == bytes(1 << 20)


# -- what a server says of the file, and what is known of it


@pytest.mark.parametrize(
    ("expected", "error_class"),
    [
        (Expected(size_bytes=len(DATA)), None),
        (Expected(size_bytes=len(DATA), digest=sha256(DATA), magic=(b"QFI\xfb", b"KDMV")), None),
        (Expected(size_bytes=len(DATA) + 1), DataCorrupted),
        (Expected(size_bytes=len(DATA) - 1), DataCorrupted),
        (Expected(digest=sha256(OTHER)), DataCorrupted),
        (Expected(magic=(b"KDMV",)), DataCorrupted),
        (Expected(size_max_bytes=len(DATA) - 1), CapacityExceeded),
        (Expected(size_max_bytes=len(DATA)), None),
    ],
)
@pytest.mark.parametrize("framing", [*FRAMINGS, "close"])
def test_what_is_known_of_the_file(
    world: Downloads, expected: Expected, error_class: type[StorageError] | None, framing: Framing,
) -> None:
    world.serve(file(DATA, framing=framing))
    outcome = world.get(expected)
    if framing == "close" and not expected.tells_the_end:
        error_class = DataCorrupted
    assert type(outcome) is (error_class or bytes)
    assert error_class is not None or outcome == DATA


def test_the_last_bytes_of_a_wrong_file_are_never_handed_out(world: Downloads) -> None:
    world.serve(file(DATA))
    got = bytearray()

    def download() -> None:
        with open_url(URL, Expected(digest=sha256(OTHER))) as stream:
            while piece := stream.read():
                got.extend(piece)

    with pytest.raises(DataCorrupted):
        world.run(download)
    assert len(got) < len(DATA)
    with pytest.raises(InvalidRequest, match="no digest"):
        Expected(digest="sha256:123")


@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_body_that_never_ends_is_too_large(world: Downloads, framing: Framing) -> None:
    world.serve(Resource(content=Endless(), framing=framing))
    outcome = world.get(Expected(size_max_bytes=3_000_000))
    assert isinstance(outcome, CapacityExceeded)
    assert world.source.requests[0].received_bytes < 4_000_000


def test_a_length_that_is_too_long_or_too_short(world: Downloads) -> None:
    world.serve(file(DATA, declared_bytes=len(DATA) + 10, etag="", modified_ns=0))
    assert isinstance(world.get(), DeviceUnavailable)
    world.serve(file(DATA, declared_bytes=len(DATA) - 10))
    assert world.get() == DATA[:-10], "nobody could know"
    assert isinstance(world.get(Expected(size_bytes=len(DATA))), DataCorrupted)
    world.serve(file(DATA, short_bytes=1_000, framing="chunked"))
    assert isinstance(world.get(Expected(digest=sha256(DATA))), DataCorrupted)


def test_an_end_that_is_not_told_needs_something_to_know_it_by(world: Downloads) -> None:
    world.serve(file(DATA, framing="close", cut_after_bytes=5_000))
    assert isinstance(world.get(), DataCorrupted)
    assert isinstance(world.get(Expected(size_bytes=len(DATA))), DataCorrupted)
    assert isinstance(world.get(Expected(digest=sha256(DATA))), DataCorrupted)


def test_a_page_of_html_is_no_template(world: Downloads) -> None:
    world.serve(error_page())
    outcome = world.get()
    assert isinstance(outcome, DataCorrupted) and "HTML" in outcome.message
    page = error_page().content
    html = page.read(0, page.size_bytes)
    assert world.get(Expected(digest=sha256(html))) == html, "unless it is exactly what is wanted"
    world.serve(file(DATA, content_type="text/html"))
    assert world.get() == DATA, "the type alone says little"


def test_a_coding_nobody_asked_for(world: Downloads) -> None:
    world.serve(file(DATA, gzip=True))
    assert world.get() == DATA, "it is asked for as it is"
    world.serve(file(DATA, gzip_always=True))
    assert isinstance(world.get(), DataCorrupted)
    assert isinstance(world.get(Expected(digest=sha256(DATA))), DataCorrupted)


# -- refusals


@pytest.mark.parametrize(
    ("status", "error_class"),
    [
        (404, ObjectNotFound), (410, ObjectNotFound), (401, PermissionDenied), (403, PermissionDenied), (400, InvalidRequest),
        (416, DeviceUnavailable), (429, DeviceUnavailable), (500, DeviceUnavailable), (503, DeviceUnavailable),
        (204, DeviceUnavailable), (304, DeviceUnavailable), (505, DeviceUnavailable),
    ],
)
def test_a_refusal_is_a_typed_error(world: Downloads, status: int, error_class: type[StorageError]) -> None:
    world.serve(error(status))
    outcome = world.get()
    assert type(outcome) is error_class
    assert outcome.outcome is Outcome.NOT_DONE
    tries = TRIES_MAX if status in (429, 500, 503) else 2 if status == 416 else 1
    assert len(world.source.requests) == tries


@pytest.mark.parametrize("value", ["7", "Tue, 14 Nov 2023 22:13:27 GMT"])
def test_retry_after_is_honoured(world: Downloads, value: str) -> None:
    world.serve(error(503, value), file(DATA), stay=True)
    assert world.get() == DATA
    first, second = world.source.requests
    assert 6 * S <= second.time_ns - first.time_ns <= 8 * S


def test_a_server_that_asks_for_too_much_patience(world: Downloads) -> None:
    world.serve(error(429, "86400"))
    assert isinstance(world.get(), DeviceUnavailable)
    assert world.longest_call_ns < CALL_LIMIT_NS


def test_redirects(world: Downloads) -> None:
    world.serve(redirect("http://mirror.sim/a?sig=1", 301))
    world.serve(redirect("/b"), url="http://mirror.sim/a?sig=1")
    world.serve(file(DATA), url="http://mirror.sim/b")
    assert world.get() == DATA
    world.serve(redirect(URL))
    assert isinstance(world.get(), DeviceUnavailable)
    world.serve(redirect("ftp://mirror.sim/b"))
    assert isinstance(world.get(), DeviceUnavailable)
    world.serve(redirect("http://unknown.sim/"))
    assert isinstance(world.get(), DeviceUnavailable)
    world.serve(redirect("http://mirror.sim/b"), url="https://templates.sim/x")
    outcome = world.get(url="https://templates.sim/x")
    assert isinstance(outcome, DeviceUnavailable) and "https to http" in outcome.message


@pytest.mark.parametrize("certificate", ["expired", "self-signed", "other-name"])
def test_a_certificate_that_cannot_be_trusted(world: Downloads, certificate: Any) -> None:
    url = "https://templates.sim/a"
    world.serve(file(DATA), url=url)
    assert world.get(url=url) == DATA
    world.source.host(url, certificate=certificate)
    outcome = world.get(url=url)
    assert isinstance(outcome, DeviceUnavailable) and not outcome.retryable
    assert len(world.source.requests) == 1


def test_nothing_listens_there(world: Downloads) -> None:
    world.serve(file(DATA))
    for url in ("http://unknown.sim/a", "http://templates.sim:8080/a"):
        outcome = world.get(url=url)
        assert isinstance(outcome, DeviceUnavailable) and "no connection" in outcome.message


@pytest.mark.parametrize("url", ["", "debian.qcow2", "ftp://templates.sim/a", "file:///etc/passwd", "http://", "http://[", "http://a:0/"])
def test_no_url(world: Downloads, url: str) -> None:
    assert isinstance(world.get(url=url), InvalidRequest)


def test_no_secret_reaches_a_message(world: Downloads) -> None:
    secrets = ("hunter2", "s3cr3t", "alice")
    url = "http://alice:hunter2@templates.sim/a?signature=s3cr3t"
    plain = "http://templates.sim/a?signature=s3cr3t"
    messages: list[str] = []
    for resource in (
        error(404), error(403), error(503), error(400), error_page(), redirect(plain), redirect("ftp://x/?s3cr3t"),
        redirect("http://nowhere.sim/?s3cr3t"), file(DATA, cut_after_bytes=10, etag=""), file(DATA, gzip_always=True),
    ):
        world.serve(resource, url=plain)
        messages.append(str(world.get(Expected(size_bytes=7), url=url)))
    for bad in ("ftp://alice:hunter2@x/?s3cr3t", "alice:hunter2@templates.sim", "http://alice:hunter2@[/?s3cr3t"):
        messages.append(str(world.get(url=bad)))
    assert not [message for message in messages for secret in secrets if secret in message]


def test_user_and_password_in_the_url(world: Downloads) -> None:
    world.serve(file(DATA, user="alice", password="hunter2"))
    assert isinstance(world.get(), PermissionDenied)
    assert world.get(url="http://alice:hunter2@templates.sim/debian.qcow2") == DATA


def test_a_body_shorter_than_its_announced_length_is_no_end(world: Downloads) -> None:
    # The usual transports see to that themselves; a client may be given another one.
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers.get("range", ""))
        headers = {"etag": '"1"', "content-length": "9"}
        if len(asked) == 1:
            return httpx.Response(200, headers=headers, stream=httpx.ByteStream(b"short"))
        headers |= {"content-range": "bytes 5-8/9", "content-length": "4"}
        return httpx.Response(206, headers=headers, stream=httpx.ByteStream(b"-end"))

    def download() -> bytes:
        with httpx.Client(transport=httpx.MockTransport(answer)) as client, open_url(URL, client=client) as stream:
            return b"".join(iter(stream.read, b""))

    assert world.run(download) == b"short-end"
    assert asked == ["", "bytes=5-"]


# -- connections that break


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("ranges", RANGES)
@pytest.mark.parametrize("etag", ['"v1"', 'W/"v1"', ""])
def test_a_broken_connection_is_resumed(world: Downloads, framing: Framing, ranges: Ranges, etag: str) -> None:
    world.serve(file(DATA, framing=framing, ranges=ranges, etag=etag))
    world.arm(CUT)
    assert world.get() == DATA
    by_range = ranges in ("yes", "unconditional") and not etag.startswith("W/")
    assert (sum(request.received_bytes for request in world.source.requests) <= len(DATA)) == by_range


@pytest.mark.parametrize("expected", [Expected(), Expected(size_bytes=len(DATA), digest=sha256(DATA))])
@pytest.mark.parametrize("ranges", RANGES)
@pytest.mark.parametrize("etags", [('"1"', '"2"'), ('"same"', '"same"'), ('W/"same"', 'W/"same"'), ("", "")])
def test_two_versions_are_never_mixed(
    world: Downloads, ranges: Ranges, etags: tuple[str, str], expected: Expected,
) -> None:
    modified = 1_690_000_000 * S
    world.serve(
        file(DATA, ranges=ranges, etag=etags[0], modified_ns=modified),
        file(OTHER, ranges=ranges, etag=etags[1], modified_ns=modified + 100 * S), stay=True)
    world.arm(CUT)
    outcome = world.get(expected)
    if etags == ('"same"', '"same"') and ranges in ("yes", "unconditional") and expected.digest is None:
        assert len(outcome) == len(DATA), "a server that gives two files one strong tag: only a digest could tell"
    else:
        assert isinstance(outcome, DataCorrupted)


def test_the_same_bytes_under_another_tag_are_the_same_file(world: Downloads) -> None:
    world.serve(file(DATA, etag='"node-1"'), file(DATA, etag='"node-2"'))
    world.arm(CUT, Fault("cut", nth=2, phase=Phase.DURING, value=200_000))
    assert world.get() == DATA


def test_a_file_of_unknown_size_that_broke_off_at_its_very_end(world: Downloads) -> None:
    world.serve(file(DATA, framing="chunked", cut_after_bytes=len(DATA) - 1), file(DATA, framing="chunked"), stay=True)
    assert world.get() == DATA


def test_a_connection_that_breaks_all_the_time_with_and_without_progress(world: Downloads) -> None:
    world.serve(file(DATA, cut_after_bytes=40_000))
    assert world.get() == DATA, "a little further each time"
    world.serve(file(DATA, cut_after_bytes=1_000))
    assert isinstance(world.get(), DeviceUnavailable)
    assert len(world.source.requests) < RESUMES_MAX + 20
    world.serve(file(DATA, cut_after_bytes=0))
    assert isinstance(world.get(), DeviceUnavailable)


@pytest.mark.parametrize("phase", list(Phase))
@pytest.mark.parametrize("count", [1, 0])
def test_a_frozen_server(world: Downloads, phase: Phase, count: int) -> None:
    world.serve(file(DATA))
    world.arm(Fault("slow", phase=phase, value=10**15, count=count))
    outcome = world.get()
    assert world.longest_call_ns < CALL_LIMIT_NS
    if count == 1:
        assert outcome == DATA
    elif phase != Phase.DURING:
        assert isinstance(outcome, DeviceUnavailable)


def test_a_slow_server_is_waited_for(world: Downloads) -> None:
    world.serve(file(DATA))
    world.source.host(URL, bytes_per_s=1_000)
    assert world.get() == DATA
    assert world.longest_call_ns < 60 * S


def test_reading_again_is_bounded_in_time(world: Downloads) -> None:
    size = 3 << 30
    world.source.host(URL, bytes_per_s=5_000_000)
    world.serve(zeros(size, ranges="ignored", framing="chunked", cut_after_bytes=size - 1, etag=""))

    def skip() -> Any:
        stream = open_url(URL)
        try:
            while self_timed(stream):
                pass
        except StorageError as error:
            return error

    def self_timed(stream: Any) -> bytes:
        piece: bytes = world.timed(stream.read)
        return piece

    outcome = world.run(skip)
    assert isinstance(outcome, DeviceUnavailable) and "too long" in outcome.message
    assert world.longest_call_ns < CALL_LIMIT_NS

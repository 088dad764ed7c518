"""The S3 driver with real boto3 in front of moto: requests that botocore validates, signs and parses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from storcert.harness.contract import (
    CapacityExceeded,
    DeviceUnavailable,
    InvalidRequest,
    ObjectExists,
    ObjectKind,
    ObjectNotFound,
    Outcome,
    SizeMismatch,
)
from storcert.harness.drivers import s3_bucket
from storcert.harness.drivers.s3 import S3Driver
from tests.harness.drivers.moto_bucket import (
    CONFIGURATION,
    CONTENT,
    PART,
    A,
    get,
    left,
    plain_and_versioned,
    put,
    uri,
)


@plain_and_versioned
@pytest.mark.parametrize("size", [0, 1, PART - 1, PART, PART + 1, 2 * PART, 2 * PART + 7])
def test_bytes_come_back_around_every_part_boundary(driver: S3Driver, client: Any, size: int) -> None:
    put(driver, A, CONTENT[:size])
    assert get(driver, A) == CONTENT[:size]
    assert driver.describe(A).size_bytes == size
    driver.copy(A, uri("b"))
    assert get(driver, uri("b")) == CONTENT[:size]
    driver.delete(A)
    driver.delete(uri("b"))
    assert left(client) == []


def test_ranges(driver: S3Driver) -> None:
    put(driver, A, b"0123456789")
    put(driver, uri("empty"), b"")
    assert get(driver, A, 3) == b"3456789"
    assert get(driver, A, 3, 4) == b"3456"
    assert get(driver, A, 8, 100) == b"89"
    assert get(driver, A, 10) == get(driver, A, 99, 5) == get(driver, A, 2**70) == get(driver, A, 4, 0) == b""
    assert get(driver, A, 2, 2**70) == b"23456789"
    assert get(driver, uri("empty"), 0, 5) == get(driver, uri("empty"), 1) == b""
    refused: list[list[Any]] = [[-1], [0, -1], [1.5]]
    for extent in refused:
        with pytest.raises(InvalidRequest):
            driver.open_input(A, *extent)
    for extent in [[], [0, 0], [2**70], [3, 3]]:
        with pytest.raises(ObjectNotFound):
            driver.open_input(uri("absent"), *extent)


def test_read_gives_at_most_what_is_asked(driver: S3Driver) -> None:
    put(driver, A, b"0123456789")
    with driver.open_input(A) as stream:
        assert stream.read(0) == b""
        assert stream.read(3) == b"012"
        with pytest.raises(InvalidRequest):
            stream.read(-2)
        assert stream.read(100) == b"3456789"
        assert stream.read(1) == stream.read() == b""
    with pytest.raises(InvalidRequest):
        stream.read(1)
    stream.close()


@plain_and_versioned
def test_create_is_zeros_and_repeatable(driver: S3Driver, client: Any) -> None:
    for size in (0, 5, 2 * PART + 3):
        driver.create(uri(str(size)), size)
        driver.create(uri(str(size)), size)
        assert get(driver, uri(str(size))) == bytes(size)
        with pytest.raises(ObjectExists):
            driver.create(uri(str(size)), size + 1)
    with pytest.raises(InvalidRequest):
        driver.create(A, -1)
    assert len(left(client)) == 3


def test_copy_looks_at_the_source_first(driver: S3Driver) -> None:
    put(driver, A, b"a")
    put(driver, uri("b"), b"b")
    with pytest.raises(ObjectNotFound):
        driver.copy(uri("absent"), A)
    with pytest.raises(ObjectNotFound):
        driver.copy(uri("absent"), uri("absent"))
    for destination in (A, uri("b")):
        with pytest.raises(ObjectExists):
            driver.copy(A, destination)
    assert (get(driver, A), get(driver, uri("b"))) == (b"a", b"b")


def test_a_copy_has_a_write_id_of_its_own(client: Any) -> None:
    put(S3Driver(CONFIGURATION), A, b"a")
    for conditional in (True, False):
        driver = S3Driver({**CONFIGURATION, "conditional_copy": conditional})
        driver.copy(A, uri(f"copy-{conditional}"))
    keys = [entry["Key"] for entry in client.list_objects_v2(Bucket="bucket")["Contents"]]
    ids = {client.head_object(Bucket="bucket", Key=key)["Metadata"][s3_bucket.WRITE_ID] for key in keys}
    assert len(ids) == len(keys) == 3


@plain_and_versioned
def test_names_stay_apart_and_siblings_alive(driver: S3Driver, client: Any) -> None:
    names = [
        uri("a"), uri("A"), uri("ab"), uri("a", "1b"), uri("caf\u00e9"), uri("cafe\u0301"), uri("a/b"), uri("a%2Fb"),
        uri("..."), uri("a b\n*?[x]"), uri("\U0001f4be"), uri("a", kind=ObjectKind.ISO), uri("x" * 64, "y" * 64),
    ]  # fmt: skip
    for index, name in enumerate(names):
        put(driver, name, str(index).encode())
        driver.open_output(uri(name.object_id + "-", name.account), None).close()
    assert sorted(map(str, driver.list_objects())) == sorted(map(str, names))
    for index, name in enumerate(names):
        assert get(driver, name) == str(index).encode()
    for index, name in enumerate(names):
        driver.delete(name)
        assert sorted(map(str, driver.list_objects())) == sorted(map(str, names[index + 1 :]))
    assert left(client) == []


def test_longest_names_fit_and_longer_ones_are_refused_everywhere(driver: S3Driver) -> None:
    limit = driver.capabilities().max_name_bytes
    assert limit is not None
    longest = uri("\u20ac" * (limit // 3), "\u20ac" * (limit // 3))
    put(driver, longest, b"x")
    assert get(driver, longest) == b"x"
    long = uri("x" * (limit + 1))
    for call in (
        lambda: driver.create(long, 0), lambda: driver.delete(long), lambda: driver.copy(long, A),
        lambda: driver.copy(A, long), lambda: driver.open_input(long), lambda: driver.open_output(long),
        lambda: driver.describe(long),
    ):  # fmt: skip
        with pytest.raises(InvalidRequest):
            call()


def test_listing_passes_every_page_and_skips_what_is_not_ours(
    driver: S3Driver, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("other", "pre/fix-volume/1", "pre/fix-volume/1/a/b", "pre/fix-volume/1/a b", "pre/fix-disk/1/2"):
        client.put_object(Bucket="bucket", Key=key, Body=b"")
    for index in range(7):
        client.put_object(Bucket="bucket", Key=f"pre/fix-volume/1/{index}", Body=b"")
    real = driver._bucket._client.list_objects_v2
    monkeypatch.setattr(driver._bucket._client, "list_objects_v2", lambda **given: real(MaxKeys=3, **given))
    assert [name.object_id for name in driver.list_objects()] == [str(index) for index in range(7)]


@plain_and_versioned
def test_stream_rules(driver: S3Driver, client: Any) -> None:
    for data in (memoryview(bytearray(range(8))).cast("I"), memoryview(b"0a1b2c3d")[::2], bytearray(b"abcd"), b""):
        with driver.open_output(A) as stream:
            assert stream.write(data) == len(bytes(data))
        assert get(driver, A) == bytes(data)
        driver.delete(A)
    stream = driver.open_output(A, 3)
    stream.write(b"ab")
    with pytest.raises(ObjectNotFound):
        driver.describe(A)
    with pytest.raises(SizeMismatch):
        stream.commit()
    stream.close()
    stream.abort()
    for call in (stream.commit, lambda: stream.write(b"")):
        with pytest.raises(InvalidRequest):
            call()
    with pytest.raises(KeyError), driver.open_output(A) as stream:
        for _ in range(2):
            stream.write(CONTENT[:PART])
        stream.write(b"x")
        raise KeyError
    stream = driver.open_output(A)
    with pytest.raises(InvalidRequest):
        stream.write("text")  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest):
        stream.commit()
    assert left(client) == []


def test_limits(client: Any) -> None:
    driver = S3Driver({**CONFIGURATION, "max_object_size_bytes": 10})
    assert driver.capabilities().max_object_size_bytes == 10
    for call in (lambda: driver.create(A, 11), lambda: driver.open_output(A, 11), lambda: put(driver, A, b"x" * 11)):
        with pytest.raises(CapacityExceeded):
            call()
    put(driver, A, b"x" * 10)
    assert len(left(client)) == 1


def test_written_once(driver: S3Driver) -> None:
    streams = [driver.open_output(A) for _ in range(2)]
    for index, stream in enumerate(streams):
        stream.write(CONTENT[: PART if index else 1])
        stream.write(b"x")
    streams[1].commit()
    with pytest.raises(ObjectExists) as caught:
        streams[0].commit()
    assert caught.value.outcome is Outcome.NOT_DONE
    with pytest.raises(ObjectExists):
        driver.open_output(A)
    assert driver.describe(A).size_bytes == PART + 1


@plain_and_versioned
def test_what_a_dead_writer_left_goes_with_the_next_commit_or_delete(driver: S3Driver, client: Any) -> None:
    finishes: list[Callable[[], None]] = [lambda: put(driver, A, b"x"), lambda: driver.delete(A)]
    for finish in finishes:
        stream = driver.open_output(A)
        for _ in range(2):
            stream.write(CONTENT[:PART])
        del stream
        client.create_multipart_upload(Bucket="bucket", Key="pre/fix-volume/1/ab")  # a sibling's
        assert len([entry for entry in left(client) if entry.startswith("upload")]) >= 2
        finish()
        assert "upload pre/fix-volume/1/a" not in left(client)
        assert "upload pre/fix-volume/1/ab" in left(client)
        driver.delete(uri("ab"))
        driver.delete(A)


def test_an_absent_bucket_is_an_unavailable_device(client: Any) -> None:
    driver = S3Driver({**CONFIGURATION, "bucket": "absent"})
    for call in (
        lambda: driver.create(A, 1), lambda: driver.delete(A), lambda: driver.copy(A, uri("b")),
        lambda: driver.open_input(A), lambda: put(driver, A, b"x"), lambda: driver.describe(A),
        lambda: list(driver.list_objects()),
    ):  # fmt: skip
        with pytest.raises(DeviceUnavailable) as caught:
            call()
        assert caught.value.outcome is Outcome.NOT_DONE

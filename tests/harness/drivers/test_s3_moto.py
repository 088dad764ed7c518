"""The S3 driver with real boto3 in front of moto: requests that botocore validates, signs and parses."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import botocore.exceptions
import botocore.loaders
import moto
import moto.s3.models
import pytest

from storcert.harness.contract import (
    CapacityExceeded,
    DataObjectUri,
    DeviceUnavailable,
    InvalidRequest,
    ObjectExists,
    ObjectKind,
    ObjectNotFound,
    Outcome,
    PermissionDenied,
    SizeMismatch,
    StorageError,
)
from storcert.harness.drivers import s3_bucket
from storcert.harness.drivers.s3 import S3Driver

PART = 1000
CONFIGURATION: dict[str, Any] = {
    "bucket": "bucket",
    "prefix": "pre/fix-",
    "region_name": "us-east-1",
    "aws_access_key_id": "key",
    "aws_secret_access_key": "secret",
    "conditional_copy": False,
    "part_size_bytes": PART,
}


def uri(object_id: str, account: str = "1", kind: ObjectKind = ObjectKind.VOLUME) -> DataObjectUri:
    return DataObjectUri(kind, account, object_id)


A = uri("a")


plain_and_versioned = pytest.mark.parametrize("client", [False, True], indirect=True, ids=["plain", "versioned"])
one_loader = functools.cache(botocore.loaders.create_loader)  # every session would read the service model again


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_bucket.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(botocore.loaders, "create_loader", one_loader)


@pytest.fixture(params=[False], ids=["plain"])
def client(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(moto.s3.models, "S3_UPLOAD_PART_MIN_SIZE", PART)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with moto.mock_aws():
        made = boto3.client("s3", region_name="us-east-1")
        made.create_bucket(Bucket="bucket")
        if request.param:
            made.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
        yield made


@pytest.fixture
def driver(client: Any) -> S3Driver:
    return S3Driver(CONFIGURATION)


class Spoiled:
    """The driver's client with some of its calls replaced: ``operation -> (the n-th call, what happens instead)``."""

    def __init__(self, real: Any, spoils: dict[str, Callable[..., Any]]) -> None:
        self._real = real
        self._spoils = spoils
        self.calls: list[str] = []

    def __getattr__(self, operation: str) -> Any:
        real = getattr(self._real, operation)

        def call(**parameters: Any) -> Any:
            self.calls.append(operation)
            nth = self.calls.count(operation)
            spoil = self._spoils.get(operation)
            return real(**parameters) if spoil is None else spoil(nth, lambda: real(**parameters))

        return call


def spoil(driver: S3Driver, **spoils: Callable[..., Any]) -> Spoiled:
    spoiled = Spoiled(driver._bucket._client, spoils)
    driver._bucket._client = spoiled
    return spoiled


def refusal(code: str, status: int) -> Exception:
    answer = {"Error": {"Code": code, "Message": None}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return botocore.exceptions.ClientError(answer, "Operation")  # type: ignore[arg-type]


def silence() -> Exception:
    return botocore.exceptions.ReadTimeoutError(endpoint_url="http://s3")


def raising(make: Callable[[], Exception], first: int = 10**9, effect: bool = False) -> Callable[..., Any]:
    """The first ``first`` calls fail with ``make()``, with or without having had their effect."""

    def spoiled(nth: int, real: Callable[[], Any]) -> Any:
        if nth > first:
            return real()
        if effect:
            real()
        raise make()

    return spoiled


def put(driver: S3Driver, name: DataObjectUri, data: bytes, size: int | None = None) -> None:
    with driver.open_output(name, size) as stream:
        view = memoryview(data)
        while view:
            view = view[stream.write(view) :]


def get(driver: S3Driver, name: DataObjectUri, *extent: Any) -> bytes:
    with driver.open_input(name, *extent) as stream:
        return b"".join(iter(stream.read, b""))


def left(client: Any) -> list[str]:
    """Everything in the bucket: versions, delete markers, pending uploads."""
    versions = client.list_object_versions(Bucket="bucket")
    uploads = client.list_multipart_uploads(Bucket="bucket").get("Uploads") or []
    entries = (versions.get("Versions") or []) + (versions.get("DeleteMarkers") or [])
    return sorted(entry["Key"] for entry in entries) + [f"upload {entry['Key']}" for entry in uploads]


CONTENT = bytes(range(256)) * 20


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
    for extent in ((-1,), (0, -1), (1.5,)):
        with pytest.raises(InvalidRequest):
            driver.open_input(A, *extent)
    for extent in ((), (0, 0), (2**70,), (3, 3)):
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


def test_listing_passes_every_page_and_skips_what_is_not_ours(driver: S3Driver, client: Any) -> None:
    for key in ("other", "pre/fix-volume/1", "pre/fix-volume/1/a/b", "pre/fix-volume/1/a b", "pre/fix-disk/1/2"):
        client.put_object(Bucket="bucket", Key=key, Body=b"")
    for index in range(7):
        client.put_object(Bucket="bucket", Key=f"pre/fix-volume/1/{index}", Body=b"")
    real = driver._bucket._client.list_objects_v2
    spoil(driver).list_objects_v2 = lambda **parameters: real(MaxKeys=3, **parameters)
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
    for finish in (lambda: put(driver, A, b"x"), lambda: driver.delete(A)):
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


@pytest.mark.parametrize("effect", [True, False], ids=["after", "before"])
def test_a_lost_answer_to_put_is_looked_up(driver: S3Driver, client: Any, effect: bool) -> None:
    spoil(driver, put_object=raising(silence, first=1, effect=effect))
    if effect:
        put(driver, A, b"x")
    else:
        with pytest.raises(DeviceUnavailable) as caught:
            put(driver, A, b"x")
        assert caught.value.outcome is Outcome.UNKNOWN
    assert len(left(client)) == int(effect)


@plain_and_versioned
def test_a_retried_put_recognises_its_own_object(driver: S3Driver, client: Any) -> None:
    first = {1: (True, lambda: refusal("InternalError", 500))}

    def put_object(nth: int, real: Callable[[], Any]) -> Any:
        if nth in first:
            with pytest.MonkeyPatch.context():
                real()
            raise first[nth][1]()
        return real()

    heads = raising(lambda: refusal("404", 404), first=2)  # the look at open, and the one after the lost answer
    spoiled = spoil(driver, put_object=put_object, head_object=heads)
    put(driver, A, b"x")  # the second PutObject meets the first one's object: 412, and HEAD tells whose it is
    assert spoiled.calls.count("put_object") == 2
    assert len(left(client)) == 1


def test_a_conflict_is_repeated_and_throttling_is_not_done(driver: S3Driver, client: Any) -> None:
    spoil(driver, put_object=raising(lambda: refusal("ConditionalRequestConflict", 409), first=2))
    put(driver, A, b"x")
    throttled = S3Driver(CONFIGURATION)
    spoiled = spoil(throttled, put_object=raising(lambda: refusal("SlowDown", 503)))
    with pytest.raises(DeviceUnavailable) as caught:
        put(throttled, uri("b"), b"x")
    assert caught.value.outcome is Outcome.NOT_DONE and caught.value.retryable
    assert len(spoiled.calls) < 100


def big(driver: S3Driver) -> None:
    put(driver, A, CONTENT[: PART + 1])


@pytest.mark.parametrize("effect", [True, False], ids=["after", "before"])
@pytest.mark.parametrize("make", [silence, lambda: refusal("InternalError", 500)], ids=["silence", "error"])
def test_a_lost_answer_to_complete_converges(driver: S3Driver, client: Any, make: Any, effect: bool) -> None:
    spoil(driver, complete_multipart_upload=raising(make, first=1, effect=effect))
    big(driver)
    assert get(driver, A) == CONTENT[: PART + 1]
    assert len(left(client)) == 1


@plain_and_versioned
def test_complete_that_never_succeeds_is_not_done_because_the_upload_could_be_aborted(
    driver: S3Driver, client: Any
) -> None:
    spoil(driver, complete_multipart_upload=raising(silence))
    with pytest.raises(DeviceUnavailable) as caught:
        big(driver)
    assert caught.value.outcome is Outcome.NOT_DONE
    assert left(client) == []


def test_what_cannot_be_removed_makes_the_outcome_unknown(driver: S3Driver, client: Any) -> None:
    spoil(
        driver,
        upload_part=raising(lambda: refusal("SlowDown", 503)),
        abort_multipart_upload=raising(lambda: refusal("SlowDown", 503)),
    )
    with pytest.raises(DeviceUnavailable) as caught:
        big(driver)
    assert caught.value.outcome is Outcome.UNKNOWN
    S3Driver(CONFIGURATION).delete(A)
    assert left(client) == []


@plain_and_versioned
@pytest.mark.parametrize("published", [True, False])
def test_a_writer_whose_upload_was_ended_says_why(driver: S3Driver, client: Any, published: bool) -> None:
    stream = driver.open_output(A)
    stream.write(CONTENT[:PART])
    stream.write(b"x")
    other = S3Driver(CONFIGURATION)
    # In process moto fails with a KeyError where a server answers: this is what AWS answers.
    spoil(driver, upload_part=raising(lambda: refusal("NoSuchUpload", 404)))
    if published:
        put(other, A, b"other")
    else:
        other.delete(A)
    with pytest.raises(ObjectExists if published else DeviceUnavailable) as caught:
        stream.commit()
    assert caught.value.outcome is Outcome.NOT_DONE
    assert len(left(client)) == int(published)


@plain_and_versioned
def test_delete_never_removes_two_objects(driver: S3Driver, client: Any) -> None:
    """The answer is lost, and before the driver looks another location has written a new object."""
    put(driver, A, b"old")
    other = S3Driver(CONFIGURATION)

    def delete_object(nth: int, real: Callable[[], Any]) -> Any:
        answer = real()
        if nth > 1:
            return answer
        put(other, A, b"new")
        raise silence()

    spoil(driver, delete_object=delete_object)
    driver.delete(A)
    assert get(other, A) == b"new"


def test_a_delete_that_stays_unanswered_is_unknown(driver: S3Driver) -> None:
    put(driver, A, b"old")
    spoil(driver, delete_object=raising(silence))
    with pytest.raises(DeviceUnavailable) as caught:
        driver.delete(A)
    assert caught.value.outcome is Outcome.UNKNOWN


class Cut:
    """A body that gives some bytes and then breaks."""

    def __init__(self, body: Any, after: int, error: Exception | None) -> None:
        self._body, self._after, self._error = body, after, error

    def read(self, amount: int) -> bytes:
        if self._after <= 0:
            if self._error is not None:
                raise self._error
            return b""
        taken: bytes = self._body.read(min(amount, self._after))
        self._after -= len(taken)
        return taken

    def close(self) -> None:
        self._body.close()


@pytest.mark.parametrize("error", [None, silence(), ConnectionResetError()], ids=["end", "silence", "reset"])
def test_a_cut_answer_is_resumed_and_never_a_short_end(driver: S3Driver, error: Exception | None) -> None:
    put(driver, A, CONTENT[:1000])

    def cut(nth: int, real: Callable[[], Any]) -> Any:
        answer = real()
        return {**answer, "Body": Cut(answer["Body"], 300, error)}

    spoiled = spoil(driver, get_object=cut)
    assert get(driver, A, 10, 900) == CONTENT[10:910]
    assert spoiled.calls.count("get_object") == 3
    spoil(driver, get_object=lambda nth, real: {**real(), "Body": Cut(io.BytesIO(), 0, error)})
    with driver.open_input(A) as stream, pytest.raises(DeviceUnavailable):
        stream.read()


@pytest.mark.parametrize("replacement", [b"n" * 1000, CONTENT[:1000], None], ids=["other", "equal", "deleted"])
def test_an_object_replaced_while_it_is_read_gives_no_other_bytes(driver: S3Driver, replacement: bytes | None) -> None:
    put(driver, A, CONTENT[:1000])
    spoil(
        driver,
        get_object=lambda nth, real: (lambda answer: {**answer, "Body": Cut(answer["Body"], 300, None)})(real()),
    )
    with driver.open_input(A) as stream:
        assert stream.read(300) == CONTENT[:300]
        driver.delete(A)
        if replacement is not None:
            put(driver, A, replacement)
        with pytest.raises(ObjectNotFound):
            stream.read(300)


def test_a_source_replaced_during_a_copy_in_parts_is_never_mixed(client: Any) -> None:
    driver = S3Driver({**CONFIGURATION, "copy_part_bytes": PART})
    put(driver, A, CONTENT[: 2 * PART])
    other = S3Driver(CONFIGURATION)

    def upload_part_copy(nth: int, real: Callable[[], Any]) -> Any:
        if nth == 2:
            other.delete(A)
            put(other, A, bytes(2 * PART))
        return real()

    spoil(driver, upload_part_copy=upload_part_copy)
    with pytest.raises(DeviceUnavailable) as caught:
        driver.copy(A, uri("b"))
    assert caught.value.outcome is Outcome.NOT_DONE
    assert left(client) == ["pre/fix-volume/1/a"]


def test_a_device_without_conditional_copy_copies_in_parts(client: Any) -> None:
    driver = S3Driver({**CONFIGURATION, "conditional_copy": True})
    put(driver, A, b"bytes")
    spoiled = spoil(driver, copy_object=raising(lambda: refusal("NotImplemented", 501)))
    driver.copy(A, uri("b"))
    assert get(driver, uri("b")) == b"bytes"
    assert "upload_part_copy" in spoiled.calls


def test_an_expired_token_is_told_from_its_bodiless_head(driver: S3Driver) -> None:
    spoil(
        driver,
        head_object=raising(lambda: refusal("400", 400)),
        list_objects_v2=raising(lambda: refusal("ExpiredToken", 400)),
    )
    with pytest.raises(PermissionDenied):
        driver.describe(A)


def test_a_device_that_is_gone_is_found_out_with_bounded_effort(driver: S3Driver) -> None:
    names = ("head_object", "get_object", "list_objects_v2", "head_bucket")
    spoiled = spoil(driver, **{name: raising(silence) for name in names})
    for call in (
        lambda: driver.describe(A), lambda: driver.open_input(A), lambda: driver.open_output(A),
        lambda: driver.create(A, 1), lambda: driver.delete(A), lambda: list(driver.list_objects()),
    ):  # fmt: skip
        spoiled.calls.clear()
        with pytest.raises(StorageError) as caught:
            call()
        assert isinstance(caught.value, DeviceUnavailable) and caught.value.outcome is Outcome.NOT_DONE
        assert len(spoiled.calls) < 20

"""What the S3 driver makes of answers that are lost, late, wrong or refused, with real boto3 in front of moto."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest

from storcert.harness.contract import (
    DeviceUnavailable,
    ObjectExists,
    ObjectNotFound,
    Outcome,
    PermissionDenied,
    StorageError,
)
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
    raising,
    refusal,
    silence,
    spoil,
    uri,
)


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
    heads = raising(lambda: refusal("404", 404), first=2)  # the look at open, and the one after the lost answer
    answer_lost = raising(lambda: refusal("InternalError", 500), first=1, effect=True)
    spoiled = spoil(driver, put_object=answer_lost, head_object=heads)
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

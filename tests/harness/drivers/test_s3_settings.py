"""Configuration, limits and the table of answers of the S3 driver: pure, no device."""

from __future__ import annotations

import random
import time
from typing import Any

import botocore.exceptions
import pytest

from storcert.harness.contract import (
    CapacityExceeded,
    DataCorrupted,
    DeviceUnavailable,
    InvalidRequest,
    ObjectNotFound,
    Outcome,
    PermissionDenied,
    StorageError,
)
from storcert.harness.drivers.s3 import S3Driver
from storcert.harness.drivers.s3_bucket import OBJECT_BYTES_MAX, PART_BYTES_MAX, PARTS_MAX, Effort, Settings
from storcert.harness.drivers.s3_errors import FOREIGN, classify

BASE: dict[str, Any] = {"bucket": "bucket", "region_name": "us-east-1"}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"buckets": "x"}, "buckets"), ({"bucket": ""}, "bucket"), ({"bucket": 3}, "bucket"), ({"bucket": None}, "bucket"),
        ({"prefix": 3}, "prefix"), ({"prefix": "x" * 700}, "prefix"), ({"prefix": "\0"}, "prefix"),
        ({"prefix": "\ud800"}, "prefix"), ({"part_size_bytes": 0}, "part_size_bytes"),
        ({"part_size_bytes": True}, "part_size_bytes"), ({"part_size_bytes": "5"}, "part_size_bytes"),
        ({"part_size_bytes": PART_BYTES_MAX + 1}, "part_size_bytes"), ({"copy_part_bytes": 0}, "copy_part_bytes"),
        ({"conditional_copy": 1}, "conditional_copy"), ({"addressing_style": "odd"}, "addressing_style"),
        ({"max_object_size_bytes": -1}, "max_object_size_bytes"), ({"aws_access_key_id": "x"}, "aws_secret_access_key"),
        ({"endpoint_url": "no url"}, "endpoint"),
    ],
)  # fmt: skip
def test_a_wrong_configuration_is_refused_by_name(change: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidRequest, match=named):
        S3Driver({**BASE, **change})


def test_no_secret_is_repeated_in_a_refusal() -> None:
    with pytest.raises(InvalidRequest) as caught:
        S3Driver({**BASE, "aws_access_key_id": "AKIAVERYSECRET", "aws_secret_access_key": ["hunter2"]})
    assert "hunter2" not in str(caught.value) and "AKIAVERYSECRET" not in str(caught.value)


def test_two_longest_names_fit_into_a_key_whatever_the_prefix() -> None:
    for prefix in ("", "p/", "\u00e9" * 100, "x" * 600):
        settings = Settings.parse({**BASE, "prefix": prefix})
        key_bytes = len(prefix.encode()) + len("template/") + 2 * 3 * settings.name_bytes_max + len("/")
        assert settings.name_bytes_max >= 64 and key_bytes <= 1024 < key_bytes + 6


@pytest.mark.parametrize("part_size_bytes", [1, 1000, 5 * 1024**2, PART_BYTES_MAX])
def test_growing_parts_reach_the_declared_size(part_size_bytes: int) -> None:
    settings = Settings.parse({**BASE, "part_size_bytes": part_size_bytes})
    lengths = [settings.part_bytes(number, None) for number in range(1, PARTS_MAX + 1)]
    assert lengths == sorted(lengths) and lengths[0] == part_size_bytes and lengths[-1] <= PART_BYTES_MAX
    assert settings.size_bytes_max == min(OBJECT_BYTES_MAX, sum(lengths))


def test_five_tebibytes_are_reached_with_the_default_part() -> None:
    settings = Settings.parse(BASE)
    assert settings.size_bytes_max == OBJECT_BYTES_MAX
    assert settings.part_bytes(1, OBJECT_BYTES_MAX) * PARTS_MAX >= OBJECT_BYTES_MAX
    assert settings.part_bytes(1, 6 * 1024**2) == 5 * 1024**2


def answered(code: Any, status: int, message: Any = None) -> Exception:
    answer: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return botocore.exceptions.ClientError(answer, "PutObject")


URL = {"endpoint_url": "http://s3"}
CASES: list[tuple[Exception, type[StorageError], Outcome]] = [
    (answered("NoSuchKey", 404), ObjectNotFound, Outcome.NOT_DONE),
    (answered("NoSuchBucket", 404), DeviceUnavailable, Outcome.NOT_DONE),
    (answered("SlowDown", 503), DeviceUnavailable, Outcome.NOT_DONE),
    (answered("RequestTimeout", 400), DeviceUnavailable, Outcome.NOT_DONE),
    (answered("InternalError", 500), DeviceUnavailable, Outcome.UNKNOWN),
    (answered("ServiceUnavailable", 503), DeviceUnavailable, Outcome.UNKNOWN),
    (answered(None, 504), DeviceUnavailable, Outcome.UNKNOWN),
    (answered("AccessDenied", 403), PermissionDenied, Outcome.NOT_DONE),
    (answered("ExpiredToken", 400), PermissionDenied, Outcome.NOT_DONE),
    (answered("SignatureDoesNotMatch", 403), PermissionDenied, Outcome.NOT_DONE),
    (answered("403", 403), PermissionDenied, Outcome.NOT_DONE),
    (answered("QuotaExceeded", 403), CapacityExceeded, Outcome.NOT_DONE),
    (answered("XMinioStorageFull", 507), CapacityExceeded, Outcome.NOT_DONE),
    (answered(None, 507), CapacityExceeded, Outcome.NOT_DONE),
    (answered("EntityTooLarge", 400), CapacityExceeded, Outcome.NOT_DONE),
    (answered("BadDigest", 400), DataCorrupted, Outcome.NOT_DONE),
    (answered("NeverHeardOf", 418), DeviceUnavailable, Outcome.NOT_DONE),
    (answered(None, 0), DeviceUnavailable, Outcome.NOT_DONE),
    (botocore.exceptions.NoCredentialsError(), PermissionDenied, Outcome.NOT_DONE),
    (botocore.exceptions.EndpointConnectionError(**URL), DeviceUnavailable, Outcome.NOT_DONE),
    (botocore.exceptions.ConnectTimeoutError(**URL), DeviceUnavailable, Outcome.NOT_DONE),
    (botocore.exceptions.ReadTimeoutError(**URL), DeviceUnavailable, Outcome.UNKNOWN),
    (botocore.exceptions.ConnectionClosedError(**URL), DeviceUnavailable, Outcome.UNKNOWN),
    (botocore.exceptions.IncompleteReadError(actual_bytes=1, expected_bytes=2), DeviceUnavailable, Outcome.UNKNOWN),
    (botocore.exceptions.ParamValidationError(report="Invalid bucket name"), InvalidRequest, Outcome.NOT_DONE),
    (ConnectionResetError(), DeviceUnavailable, Outcome.UNKNOWN),
]


@pytest.mark.parametrize(("error", "kind", "outcome"), CASES, ids=lambda value: str(value)[:40])
def test_what_an_answer_means(error: Exception, kind: type[StorageError], outcome: Outcome) -> None:
    assert isinstance(error, FOREIGN)
    typed = classify(error).typed("/volume/1/a")
    assert (type(typed), typed.outcome) == (kind, outcome)


def test_effort_is_bounded_in_a_row_in_all_and_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: clock.__setitem__(0, clock[0] + seconds))
    monkeypatch.setattr(random, "random", lambda: 1.0)
    effort = Effort(retries=3, retries_in_all=5, seconds=100)
    assert [effort.again() for _ in range(4)] == [True, True, True, False]
    effort.progressed()
    assert [effort.again() for _ in range(4)] == [True, True, False, False]
    late = Effort(seconds=100)
    clock[0] += 101
    assert late.expired() and not late.again()
    assert 5 * 35 + clock[0] < 900

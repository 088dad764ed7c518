"""What the tests of the S3 driver against moto share: names, bytes, and a client whose answers can be spoiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import botocore.exceptions
import pytest

from storcert.harness.contract import DataObjectUri, ObjectKind
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
CONTENT = bytes(range(256)) * 20
plain_and_versioned = pytest.mark.parametrize("client", [False, True], indirect=True, ids=["plain", "versioned"])


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

"""Two correct drivers that share nothing with the bundled one: the kit must not accuse them.

``WholePutDriver`` keeps an object in memory and publishes it with one conditional PutObject; it is what a careful vendor writes
first. ``NarrowDriver`` declares as little as the contract allows: two kinds, multiples of 512 bytes, plain names only, no copy,
no ranges, no listing, and it takes a piece of what it is given.
"""

from __future__ import annotations

import hashlib
import re
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, NoCredentialsError

from storcert.harness.contract import (
    Capabilities,
    CapacityExceeded,
    DataObjectDescription,
    DataObjectUri,
    DeviceUnavailable,
    InvalidRequest,
    ObjectExists,
    ObjectKind,
    ObjectNotFound,
    PermissionDenied,
    SizeMismatch,
    StorageError,
    Unsupported,
)

LIMIT_BYTES = 1 << 26
NAME_BYTES_MAX = 160
CONFLICTS_MAX = 20


class Conflict(Exception):
    """S3 asks for the conditional request to be sent again."""


def typed(uri: object, error: Exception, changes: bool) -> StorageError:
    """The contract's error for what boto3 raised; ``changes`` tells whether the request may have had an effect."""
    if isinstance(error, NoCredentialsError):
        return PermissionDenied(str(error), uri)
    if isinstance(error, ClientError):
        code = str(error.response["Error"]["Code"])
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if code in ("NoSuchKey", "404"):
            return ObjectNotFound(code, uri)
        if "Quota" in code or "Full" in code or status == 507:
            return CapacityExceeded(code, uri)
        if status in (401, 403):
            return PermissionDenied(code, uri)
        return DeviceUnavailable(code, uri, "unknown" if changes and status != 503 else "not_done")
    known = isinstance(error, ConnectTimeoutError) or not changes
    return DeviceUnavailable(type(error).__name__, uri, "not_done" if known else "unknown")


class WholePutDriver:
    """One PutObject an object."""

    def __init__(self, configuration: Mapping[str, Any]) -> None:
        self.bucket = configuration["bucket"]
        self.prefix = configuration.get("prefix", "")
        self.s3 = boto3.client(
            "s3",
            endpoint_url=configuration["endpoint_url"],
            region_name=configuration["region_name"],
            config=Config(
                retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=5, read_timeout=20
            ),
        )

    def capabilities(self) -> Capabilities:
        return Capabilities(
            enumerate=True,
            range_read=True,
            on_device_copy=True,
            max_object_size_bytes=LIMIT_BYTES,
            max_name_bytes=NAME_BYTES_MAX,
        )

    def key(self, uri: DataObjectUri) -> str:
        for segment in (uri.account, uri.object_id):
            if len(segment.encode()) > NAME_BYTES_MAX:
                raise InvalidRequest("name too long", uri)
        return f"{self.prefix}{str(uri)[1:]}"

    def call(self, uri: object, name: str, changes: bool = False, **arguments: Any) -> Any:
        try:
            return getattr(self.s3, name)(Bucket=self.bucket, **arguments)
        except (ClientError, BotoCoreError) as error:
            raise typed(uri, error, changes) from error

    def head(self, uri: DataObjectUri) -> Any:
        try:
            return self.call(uri, "head_object", Key=self.key(uri))
        except ObjectNotFound:
            return None

    def publish(self, uri: DataObjectUri, name: str, **arguments: Any) -> None:
        for _ in range(CONFLICTS_MAX):
            try:
                return self._publish_once(uri, name, **arguments)
            except Conflict:
                time.sleep(0.05)
        raise DeviceUnavailable("conflict after conflict", uri, "not_done")

    def _publish_once(self, uri: DataObjectUri, name: str, **arguments: Any) -> None:
        mark = uuid.uuid4().hex
        send = getattr(self.s3, name)
        try:
            send(Bucket=self.bucket, Key=self.key(uri), IfNoneMatch="*", Metadata={"mark": mark}, **arguments)
            return
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ConditionalRequestConflict":
                raise Conflict from error
            if code in ("PreconditionFailed", "412"):
                raise ObjectExists(str(code), uri) from error
            failure = typed(uri, error, True)
        except BotoCoreError as error:
            failure = typed(uri, error, True)
        if failure.outcome == "unknown" and self._is_mine(uri, mark, failure):
            return
        raise failure

    def _is_mine(self, uri: DataObjectUri, mark: str, failure: StorageError) -> bool:
        try:
            found = self.head(uri)
        except StorageError:
            raise failure from None
        return bool(found) and found["Metadata"].get("mark") == mark

    def create(self, uri: DataObjectUri, size: int) -> None:
        self.key(uri)
        if size < 0:
            raise InvalidRequest("negative size", uri)
        if size > LIMIT_BYTES:
            raise CapacityExceeded("too large", uri)
        found = self.head(uri)
        if not found:
            try:
                return self.publish(uri, "put_object", Body=bytes(size))
            except ObjectExists:
                found = self.head(uri)
        if not found:
            raise DeviceUnavailable("made and gone again", uri, "not_done")
        if found["ContentLength"] != size:
            raise ObjectExists("another size", uri)

    def delete(self, uri: DataObjectUri) -> None:
        self.call(uri, "delete_object", True, Key=self.key(uri))

    def copy(self, source: DataObjectUri, destination: DataObjectUri) -> None:
        key = self.key(source)
        self.key(destination)
        if not self.head(source):
            raise ObjectNotFound("no source", source)
        if source == destination or self.head(destination):
            raise ObjectExists("taken", destination)
        self.publish(
            destination, "copy_object", CopySource={"Bucket": self.bucket, "Key": key}, MetadataDirective="REPLACE"
        )

    def open_input(self, uri: DataObjectUri, offset: int = 0, length: int | None = None) -> PieceByPiece:
        self.key(uri)
        if offset < 0 or (length is not None and length < 0):
            raise InvalidRequest("negative range", uri)
        found = self.head(uri)
        if not found:
            raise ObjectNotFound("absent", uri)
        size = found["ContentLength"]
        end = size if length is None else min(size, offset + length)
        return PieceByPiece(self, uri, offset, end, found)

    def open_output(self, uri: DataObjectUri, size: int | None = None) -> InMemory:
        self.key(uri)
        if size is not None and size < 0:
            raise InvalidRequest("negative size", uri)
        if size is not None and size > LIMIT_BYTES:
            raise CapacityExceeded("too large", uri)
        if self.head(uri):
            raise ObjectExists("taken", uri)
        return InMemory(self, uri, size)

    def describe(self, uri: DataObjectUri) -> DataObjectDescription:
        found = self.head(uri)
        if not found:
            raise ObjectNotFound("absent", uri)
        return DataObjectDescription(uri, found["ContentLength"])

    def list_objects(self) -> Iterator[DataObjectUri]:
        more: dict[str, Any] = {}
        while True:
            page = self.call(None, "list_objects_v2", Prefix=self.prefix, **more)
            if "IsTruncated" not in page:  # the connection ended in good order before the answer's body
                raise DeviceUnavailable("a listing that says nothing", None, "not_done")
            for entry in page.get("Contents", []):
                yield DataObjectUri.parse("/" + entry["Key"][len(self.prefix) :])
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}


class PieceByPiece:
    """Every read is a ranged GET, bound to the object that was there at the start."""

    def __init__(self, driver: WholePutDriver, uri: DataObjectUri, at: int, end: int, found: Any) -> None:
        self.driver, self.uri, self.at, self.end = driver, uri, at, end
        self.etag, self.mark = found["ETag"], found["Metadata"].get("mark")
        self.closed = False

    def read(self, n: int = -1) -> bytes:
        if self.closed:
            raise InvalidRequest("closed", self.uri)
        if n == 0 or self.at >= self.end:
            return b""
        count = min(self.end - self.at, n if n > 0 else 1 << 20)
        data = self._get(f"bytes={self.at}-{self.at + count - 1}")
        if len(data) != count:
            raise DeviceUnavailable("short answer", self.uri, "not_done")
        self.at += count
        return data

    def _get(self, wanted: str) -> bytes:
        driver = self.driver
        try:
            answer = driver.s3.get_object(
                Bucket=driver.bucket, Key=driver.key(self.uri), Range=wanted, IfMatch=self.etag
            )
            if answer["Metadata"].get("mark") != self.mark:
                raise ObjectNotFound("replaced", self.uri)
            return bytes(answer["Body"].read())
        except ClientError as error:
            if error.response["Error"]["Code"] in ("PreconditionFailed", "412", "InvalidRange"):
                raise ObjectNotFound("replaced", self.uri) from error
            raise typed(self.uri, error, False) from error
        except BotoCoreError as error:
            raise typed(self.uri, error, False) from error

    def close(self) -> None:
        self.closed = True

    def __enter__(self) -> PieceByPiece:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class InMemory:
    """Nothing is sent before commit."""

    limit_bytes = LIMIT_BYTES

    def __init__(self, driver: WholePutDriver, uri: DataObjectUri, size: int | None) -> None:
        self.driver, self.uri, self.size = driver, uri, size
        self.buffer = bytearray()
        self.ended = False
        self.failure: StorageError | None = None

    def write(self, data: Any) -> int:
        if self.ended:
            raise InvalidRequest("closed", self.uri)
        taken = bytes(data)
        if len(self.buffer) + len(taken) > self.limit_bytes:
            self.failure = CapacityExceeded("too large", self.uri)
            raise self.failure
        self.buffer += taken
        return len(taken)

    def commit(self) -> DataObjectDescription:
        if self.ended:
            raise InvalidRequest("closed", self.uri)
        self.ended = True
        if self.failure is not None:
            raise self.failure
        if self.size is not None and self.size != len(self.buffer):
            raise SizeMismatch("not the size announced", self.uri)
        self.check()
        self.driver.publish(self.uri, "put_object", Body=bytes(self.buffer))
        return self.described()

    def check(self) -> None:
        """A last look before publishing."""

    def described(self) -> DataObjectDescription:
        return DataObjectDescription(self.uri, len(self.buffer))

    def abort(self) -> None:
        self.ended = True

    def close(self) -> None:
        self.abort()

    def __enter__(self) -> InMemory:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None and not self.ended:
            self.commit()
        self.abort()


PLAIN = re.compile(r"[A-Za-z0-9._-]{1,64}")
GRAIN_BYTES = 512
NARROW_LIMIT_BYTES = 1 << 23


class NarrowDriver(WholePutDriver):
    """As little as the contract allows, each limit kept."""

    def capabilities(self) -> Capabilities:
        return Capabilities(
            kinds=frozenset({ObjectKind.VOLUME, ObjectKind.TEMPLATE}),
            size_granularity_bytes=GRAIN_BYTES,
            max_object_size_bytes=NARROW_LIMIT_BYTES,
            max_name_bytes=64,
            digest="md5",
        )

    def key(self, uri: DataObjectUri) -> str:
        if not (PLAIN.fullmatch(uri.account) and PLAIN.fullmatch(uri.object_id)):
            raise InvalidRequest("names are plain here", uri)
        if uri.kind not in self.capabilities().kinds:
            raise Unsupported("kind", uri)
        return f"{self.prefix}{uri.kind}={uri.account}={uri.object_id}"

    def create(self, uri: DataObjectUri, size: int) -> None:
        self.key(uri)
        if size % GRAIN_BYTES:
            raise InvalidRequest("granularity", uri)
        if size > NARROW_LIMIT_BYTES:
            raise CapacityExceeded("too large", uri)
        super().create(uri, size)

    def copy(self, source: DataObjectUri, destination: DataObjectUri) -> None:
        raise Unsupported("copy", source)

    def list_objects(self) -> Iterator[DataObjectUri]:
        raise Unsupported("list")

    def open_input(self, uri: DataObjectUri, offset: int = 0, length: int | None = None) -> PieceByPiece:
        if (offset, length) != (0, None):
            raise Unsupported("ranges", uri)
        return super().open_input(uri)

    def open_output(self, uri: DataObjectUri, size: int | None = None) -> InMemory:
        self.key(uri)
        if size is not None and size > NARROW_LIMIT_BYTES:
            raise CapacityExceeded("too large", uri)
        super().open_output(uri, size)
        return NarrowStream(self, uri, size)

    def describe(self, uri: DataObjectUri) -> DataObjectDescription:
        found = self.head(uri)
        if not found:
            raise ObjectNotFound("absent", uri)
        return DataObjectDescription(uri, found["ContentLength"], "md5:" + found["ETag"].strip('"'))


class NarrowStream(InMemory):
    """Takes at most a piece of what it is given."""

    limit_bytes = NARROW_LIMIT_BYTES
    piece_bytes = 77_777

    def write(self, data: Any) -> int:
        view = memoryview(data)
        return super().write(view.cast("B")[: self.piece_bytes] if view.contiguous else bytes(data)[: self.piece_bytes])

    def check(self) -> None:
        if len(self.buffer) % GRAIN_BYTES:
            raise InvalidRequest("granularity", self.uri)

    def described(self) -> DataObjectDescription:
        return DataObjectDescription(self.uri, len(self.buffer), f"md5:{hashlib.md5(self.buffer).hexdigest()}")

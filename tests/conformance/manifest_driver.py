"""A correct driver for S3 in which an object is a manifest and chunks: nothing of the bundled one is in it.

Below the prefix, N being the name in hex:

- ``m/N``: the published manifest. Zeros that ``create`` makes have no chunks.
- ``i/N/G``: that somebody writes generation G; at commit its content becomes the manifest, and CopyObject publishes it.
- ``c/N/G/0`` and so on: the chunks.

Whoever deletes the intent ends the writer: neither the conditional PUT of the manifest nor its copy can succeed any more, so
that chunks are only removed when no manifest will ever name them.
"""

from __future__ import annotations

import json
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
    StorageError,
)
from tests.conformance.manifest_streams import CHUNK_BYTES, Reading, Writing

LIMIT_BYTES = 1 << 40
NAME_BYTES_MAX = 120
TRIES = 20


def typed(uri: object, error: Exception, changes: bool) -> StorageError:
    """The contract's error for what boto3 raised; ``changes`` tells whether the request may have had an effect."""
    if isinstance(error, NoCredentialsError):
        return PermissionDenied(str(error), uri)
    if isinstance(error, ClientError):
        code, status = code_of(error)
        if code in ("NoSuchKey", "404"):
            return ObjectNotFound(code, uri)
        if "Quota" in code or status == 507:
            return CapacityExceeded(code, uri)
        if status in (401, 403) or code == "ExpiredToken":
            return PermissionDenied(code, uri)
        return DeviceUnavailable(code, uri, "unknown" if changes and status >= 500 and status != 503 else "not_done")
    known = isinstance(error, ConnectTimeoutError) or not changes
    return DeviceUnavailable(type(error).__name__, uri, "not_done" if known else "unknown")


def code_of(error: ClientError) -> tuple[str, int]:
    answer: Any = error.response
    return str(answer["Error"]["Code"]), int(answer["ResponseMetadata"]["HTTPStatusCode"])


class ManifestDriver:
    """Configuration: ``endpoint_url``, ``bucket``, ``region_name``, ``prefix``."""

    def __init__(self, configuration: Mapping[str, Any]) -> None:
        self.bucket, self.prefix = configuration["bucket"], configuration.get("prefix", "")
        once = Config(retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=5, read_timeout=20)
        self.s3: Any = boto3.client(
            "s3", endpoint_url=configuration["endpoint_url"], region_name=configuration["region_name"], config=once
        )

    def capabilities(self) -> Capabilities:
        return Capabilities(
            enumerate=True, range_read=True, on_device_copy=True, max_object_size_bytes=LIMIT_BYTES,
            max_name_bytes=NAME_BYTES_MAX,
        )  # fmt: skip

    # -- places

    def name(self, uri: DataObjectUri) -> str:
        if any(len(segment.encode()) > NAME_BYTES_MAX for segment in (uri.account, uri.object_id)):
            raise InvalidRequest(f"names have at most {NAME_BYTES_MAX} bytes", uri)
        return f"{uri.kind}.{uri.account.encode().hex()}.{uri.object_id.encode().hex()}"

    def manifest_key(self, uri: DataObjectUri) -> str:
        return f"{self.prefix}m/{self.name(uri)}"

    def intents(self, uri: DataObjectUri) -> str:
        return f"{self.prefix}i/{self.name(uri)}/"

    def chunks(self, uri: DataObjectUri) -> str:
        return f"{self.prefix}c/{self.name(uri)}/"

    # -- requests

    def call(self, uri: object, method: str, changes: bool = False, **arguments: Any) -> Any:
        try:
            return getattr(self.s3, method)(Bucket=self.bucket, **arguments)
        except (ClientError, BotoCoreError) as error:
            raise typed(uri, error, changes) from error

    def conditional(self, uri: object, method: str, **arguments: Any) -> Any:
        """Raises ``ObjectExists`` where the condition does not hold."""
        for _ in range(TRIES):
            try:
                return getattr(self.s3, method)(Bucket=self.bucket, **arguments)
            except ClientError as error:
                code, status = code_of(error)
                if status == 412:
                    raise ObjectExists(code, uri) from error
                if code != "ConditionalRequestConflict":
                    raise typed(uri, error, True) from error
            except BotoCoreError as error:
                raise typed(uri, error, True) from error
        raise DeviceUnavailable("conflicts without end", uri, "not_done")

    def keys(self, uri: object, prefix: str) -> Iterator[str]:
        more: dict[str, Any] = {}
        while True:
            page = self.call(uri, "list_objects_v2", Prefix=prefix, **more)
            if "IsTruncated" not in page:
                raise DeviceUnavailable("a listing that says nothing", uri, "not_done")
            yield from (one["Key"] for one in page.get("Contents", []))
            if not page["IsTruncated"]:
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def generations(self, uri: DataObjectUri) -> set[str]:
        """All that has something lying here, published or not."""
        found = {key.split("/")[-2] for key in self.keys(uri, self.chunks(uri))}
        return found | {key.split("/")[-1] for key in self.keys(uri, self.intents(uri))}

    def remove(self, uri: DataObjectUri, *keys: str) -> None:
        for key in keys:
            self.call(uri, "delete_object", changes=True, Key=key)

    def bury(self, uri: DataObjectUri, generation: str) -> None:
        """Remove a generation that nothing publishes any more."""
        self.remove(uri, self.intents(uri) + generation)
        self.remove(uri, *list(self.keys(uri, f"{self.chunks(uri)}{generation}/")))

    def manifest(self, uri: DataObjectUri) -> tuple[dict[str, Any], str] | None:
        try:
            answer = self.s3.get_object(Bucket=self.bucket, Key=self.manifest_key(uri))
            return json.loads(answer["Body"].read()), answer["ETag"]
        except (ClientError, BotoCoreError) as error:
            found = typed(uri, error, False)
            if isinstance(found, ObjectNotFound):
                return None
            raise found from error

    def needed(self, uri: DataObjectUri) -> dict[str, Any]:
        found = self.manifest(uri)
        if found is None:
            raise ObjectNotFound("absent", uri)
        return found[0]

    # -- the contract

    def create(self, uri: DataObjectUri, size: int) -> None:
        self.check(uri, size)
        for _ in range(2):
            found = self.manifest(uri)
            if found is not None:
                if found[0]["size"] != size:
                    raise ObjectExists("of another size", uri)
                return
            body = json.dumps({"size": size, "generation": None, "chunks": 0}).encode()
            try:
                self.conditional(uri, "put_object", Key=self.manifest_key(uri), Body=body, IfNoneMatch="*")
                return
            except ObjectExists:
                continue
        raise DeviceUnavailable("there and gone", uri, "not_done")

    def check(self, uri: DataObjectUri, size: int) -> None:
        self.name(uri)
        if size < 0:
            raise InvalidRequest("a size is 0 or more", uri)
        if size > LIMIT_BYTES:
            raise CapacityExceeded(f"at most {LIMIT_BYTES} bytes", uri)

    def delete(self, uri: DataObjectUri) -> None:
        self.name(uri)
        going = self.generations(uri)
        try:
            for _ in range(TRIES):
                self.remove(uri, *(self.intents(uri) + one for one in sorted(going)))
                found = self.manifest(uri)
                if found is None:
                    break
                going |= {found[0]["generation"]} - {None}
                try:
                    self.conditional(uri, "delete_object", Key=self.manifest_key(uri), IfMatch=found[1])
                except (ObjectExists, ObjectNotFound):
                    continue
            else:
                raise DeviceUnavailable("deleted and made again without end", uri)
            for generation in sorted(going):
                self.bury(uri, generation)
        except StorageError as error:
            # Something may be gone by now; the next delete goes on.
            raise type(error)(error.message, uri, "unknown") from error

    def copy(self, source: DataObjectUri, destination: DataObjectUri) -> None:
        self.name(destination)
        found = self.needed(source)
        if source == destination or self.manifest(destination) is not None:
            raise ObjectExists("taken", destination)
        out = Writing(self, destination, found["size"], uuid.uuid4().hex)
        out.take_over(source, found)
        out.commit()

    def describe(self, uri: DataObjectUri) -> DataObjectDescription:
        return DataObjectDescription(uri, self.needed(uri)["size"])

    def list_objects(self) -> Iterator[DataObjectUri]:
        for key in self.keys(None, f"{self.prefix}m/"):
            kind, account, identity = key.rpartition("/")[2].split(".")
            yield DataObjectUri(ObjectKind(kind), bytes.fromhex(account).decode(), bytes.fromhex(identity).decode())

    def open_input(self, uri: DataObjectUri, offset: int = 0, length: int | None = None) -> Reading:
        if offset < 0 or (length is not None and length < 0):
            raise InvalidRequest("a range begins at 0 or later and has 0 bytes or more", uri)
        found = self.needed(uri)
        size = found["size"]
        return Reading(self, uri, found, offset, size if length is None else min(size, offset + length))

    def open_output(self, uri: DataObjectUri, size: int | None = None) -> Writing:
        self.check(uri, size or 0)
        if self.manifest(uri) is not None:
            raise ObjectExists("objects are written once", uri)
        return Writing(self, uri, size, uuid.uuid4().hex)

    def piece(self, uri: DataObjectUri, generation: str, at: int, count: int) -> bytes:
        """Bytes of one chunk."""
        index, inside = divmod(at, CHUNK_BYTES)
        wanted = f"bytes={inside}-{inside + count - 1}"
        answer = self.call(uri, "get_object", Key=f"{self.chunks(uri)}{generation}/{index}", Range=wanted)
        try:
            return bytes(answer["Body"].read())
        except BotoCoreError as error:
            raise typed(uri, error, False) from error

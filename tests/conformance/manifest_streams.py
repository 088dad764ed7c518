"""The two streams of ``manifest_driver``: what the driver does with keys stands there, what becomes of bytes here."""

from __future__ import annotations

import json
from typing import Any

from storcert.harness.contract import (
    CapacityExceeded,
    DataObjectDescription,
    DataObjectUri,
    DeviceUnavailable,
    InvalidRequest,
    ObjectExists,
    ObjectNotFound,
    SizeMismatch,
    StorageError,
)

CHUNK_BYTES = 4 << 20


class Reading:
    """One chunk at most for each read; a chunk that is gone means that the object was deleted."""

    def __init__(self, driver: Any, uri: DataObjectUri, manifest: dict[str, Any], at: int, end: int) -> None:
        self.driver, self.uri, self.manifest, self.at, self.end = driver, uri, manifest, at, end
        self.closed = False

    def read(self, n: int = -1) -> bytes:
        if self.closed or n < -1:
            raise InvalidRequest("the stream is closed, or the count is below -1", self.uri)
        left = min(self.end - self.at, CHUNK_BYTES - self.at % CHUNK_BYTES)
        count = left if n == -1 else min(n, left)
        if count <= 0:
            return b""
        if self.manifest["chunks"]:
            data: bytes = self.driver.piece(self.uri, self.manifest["generation"], self.at, count)
        else:
            data = bytes(count)
        if len(data) != count:
            raise DeviceUnavailable("the answer was short", self.uri, "not_done")
        self.at += count
        return data

    def close(self) -> None:
        self.closed = True

    def __enter__(self) -> Reading:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Writing:
    """Sends a chunk as soon as it is full. The intent is made first: whoever dies leaves it, and a delete finds it."""

    def __init__(self, driver: Any, uri: DataObjectUri, size: int | None, generation: str) -> None:
        self.driver, self.uri, self.size, self.generation = driver, uri, size, generation
        self.intent = driver.intents(uri) + generation
        self.buffer, self.total, self.chunks = bytearray(), 0, 0
        self.ended = False
        self.failure: StorageError | None = None
        try:
            self.etag = driver.conditional(uri, "put_object", Key=self.intent, Body=b"", IfNoneMatch="*")["ETag"]
        except StorageError as error:
            raise self.given_up(error) from error

    def given_up(self, error: StorageError) -> StorageError:
        """That error, when what was sent is taken back; where it could not be, the outcome is open."""
        try:
            self.driver.bury(self.uri, self.generation)
        except StorageError as left:
            return type(error)(f"{error.message}; left: {left.message}", self.uri, "unknown")
        return type(error)(error.message, self.uri, "not_done")

    def write(self, data: Any) -> int:
        if self.ended:
            raise InvalidRequest("the stream has ended", self.uri)
        if self.failure is not None:
            raise self.failure
        taken = memoryview(data).tobytes()
        try:
            if self.total + len(taken) > self.driver.capabilities().max_object_size_bytes:
                raise CapacityExceeded("too large", self.uri)
            self.total += len(taken)
            self.buffer += taken
            while len(self.buffer) >= CHUNK_BYTES:
                self.send(bytes(self.buffer[:CHUNK_BYTES]))
                del self.buffer[:CHUNK_BYTES]
        except StorageError as error:
            self.failure = error
            raise
        return len(taken)

    def send(self, data: bytes) -> None:
        key = f"{self.driver.chunks(self.uri)}{self.generation}/{self.chunks}"
        try:
            self.driver.call(self.uri, "put_object", Key=key, Body=data)
        except ObjectNotFound as error:
            raise DeviceUnavailable("there is no bucket", self.uri, "not_done") from error
        self.chunks += 1

    def take_over(self, source: DataObjectUri, manifest: dict[str, Any]) -> None:
        """The chunks of another object, on the device."""
        bucket, total = self.driver.bucket, manifest["chunks"]
        try:
            for self.chunks in range(total):
                there = f"{self.driver.chunks(source)}{manifest['generation']}/{self.chunks}"
                here = f"{self.driver.chunks(self.uri)}{self.generation}/{self.chunks}"
                self.driver.call(source, "copy_object", Key=here, CopySource={"Bucket": bucket, "Key": there})
        except StorageError as error:
            raise self.given_up(error) from error
        self.total, self.chunks = manifest["size"], total

    def commit(self) -> DataObjectDescription:
        if self.ended:
            raise InvalidRequest("the stream has ended", self.uri)
        self.ended = True
        try:
            others = self.publish()
        except StorageError as error:
            raise (self.given_up(error) if str(error.outcome) == "not_done" else error) from error
        try:
            self.driver.remove(self.uri, self.intent)
            for generation in sorted(others - {self.generation}):
                # Ends whoever writes it: then it is published already, after mine was deleted, or never will be.
                self.driver.remove(self.uri, self.driver.intents(self.uri) + generation)
                now = self.driver.manifest(self.uri)
                if now is None or now[0]["generation"] != generation:
                    self.driver.bury(self.uri, generation)
        except StorageError:
            pass  # It is published; what the dead left goes with the delete.
        return DataObjectDescription(self.uri, self.total)

    def publish(self) -> set[str]:
        """Raises with outcome unknown only where the object may be there. Gives the generations of others until then."""
        if self.failure is not None:
            raise type(self.failure)(self.failure.message, self.uri, "not_done")
        if self.size is not None and self.size != self.total:
            raise SizeMismatch(f"{self.total} bytes written, {self.size} announced", self.uri)
        if self.buffer:
            self.send(bytes(self.buffer))
        driver, uri = self.driver, self.uri
        body = json.dumps({"size": self.total, "generation": self.generation, "chunks": self.chunks}).encode()
        try:
            driver.conditional(uri, "put_object", Key=self.intent, Body=body, IfMatch=self.etag)
        except (ObjectExists, ObjectNotFound) as error:
            raise self.ended_by_another() from error
        except StorageError as error:
            raise type(error)(error.message, uri, "not_done") from error
        others: set[str] = driver.generations(uri)
        here = {"Bucket": driver.bucket, "Key": self.intent}
        try:
            driver.conditional(uri, "copy_object", Key=driver.manifest_key(uri), IfNoneMatch="*", CopySource=here)
        except ObjectNotFound as error:
            raise self.ended_by_another() from error
        return others

    def ended_by_another(self) -> StorageError:
        if self.driver.manifest(self.uri) is not None:
            return ObjectExists("taken", self.uri)
        return DeviceUnavailable("deleted while it was written", self.uri, "not_done")

    def abort(self) -> None:
        if not self.ended:
            self.ended = True
            self.driver.bury(self.uri, self.generation)

    def close(self) -> None:
        self.abort()

    def __enter__(self) -> Writing:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None and not self.ended:
            self.commit()
        elif not self.ended:
            try:
                self.abort()
            except StorageError:
                pass  # The exception that ended the block is the one to tell.

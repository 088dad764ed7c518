"""The two streams of the S3 driver. Each has its own requests and its own buffer; nothing is shared (C-INDEP).

Neither stream has a ``__del__``: one that is dropped sends nothing, and what it had uploaded goes with the next delete
of, or commit to, its name.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from storcert.harness.contract import (
    CapacityExceeded,
    DataObjectDescription,
    DataObjectUri,
    DeviceUnavailable,
    InvalidRequest,
    ObjectNotFound,
    Outcome,
    SizeMismatch,
    StorageError,
)
from storcert.harness.drivers.arguments import bytes_of, count_of_bytes
from storcert.harness.drivers.s3_bucket import Bucket, Effort, Head, head_of
from storcert.harness.drivers.s3_errors import FOREIGN, RequestFailed, Trouble, classify
from storcert.harness.drivers.s3_publish import Discarded, Publisher, Upload

CHUNK_BYTES = 256 * 1024


class S3InputStream:
    """Bytes ``first .. end`` of one object. A cut transport is resumed, bound to the same object, or reported."""

    def __init__(self, bucket: Bucket, uri: DataObjectUri, first: int, length: int | None) -> None:
        self._bucket = bucket
        self._uri = uri
        self._key = bucket.key(uri)
        self._position = first
        self._end = first
        self._seen: Head | None = None
        self._begun = False
        self._body: Any = None
        self._closed = False
        self._begin(Effort(), None if length is None else first + length)

    def read(self, n: int = -1) -> bytes:
        if self._closed:
            raise InvalidRequest("the stream is closed", self._uri)
        wanted = CHUNK_BYTES if n == -1 else count_of_bytes("n", n, self._uri)
        wanted = min(wanted, CHUNK_BYTES, self._end - self._position)
        if wanted == 0:
            return b""
        effort = Effort()
        while True:
            try:
                body = self._body if self._body is not None else self._open(effort, self._end)
                chunk: bytes = body.read(wanted)
                if not chunk:
                    raise RequestFailed(Trouble.RESET, "the connection ended before the last byte")
            except FOREIGN as error:
                failure = classify(error)
            except RequestFailed as early_end:
                failure = early_end
            else:
                self._position += len(chunk)
                if self._position >= self._end:
                    self._release()
                return bytes(chunk)
            self._release()
            if not effort.again():
                raise failure.typed(self._uri, Outcome.NOT_DONE) from failure

    def _begin(self, effort: Effort, end: int | None) -> None:
        try:
            self._seen = self._bucket.before_reading(effort, self._key)
        except RequestFailed as failure:
            raise failure.typed(self._uri, Outcome.NOT_DONE) from failure
        if self._seen is not None:
            self._key = self._seen.key
        self._open(effort, end)
        self._begun = True

    def _open(self, effort: Effort, end: int | None) -> Any:
        """Ask for the bytes from the current position to ``end``; the first time, learn what object it is."""
        parameters: dict[str, Any] = {}
        if self._position or end is not None:
            parameters["Range"] = f"bytes={self._position}-{'' if end is None else end - 1}"
        if self._seen is not None and self._seen.etag is not None:
            parameters["IfMatch"] = self._seen.etag
        try:
            answer = self._bucket.ask(effort, "get_object", safe=True, Key=self._key, **parameters)
        except RequestFailed as failure:
            if failure.trouble is Trouble.RANGE and not self._begun:
                return None  # the object is there, and the range lies past its end
            if failure.trouble in (Trouble.TAKEN, Trouble.RANGE):
                raise ObjectNotFound("the object was replaced while it was read", self._uri) from failure
            raise failure.typed(self._uri, Outcome.NOT_DONE) from failure
        self._body = answer["Body"]
        self._accept(answer, "Range" in parameters, end)
        return self._body

    def _accept(self, answer: Any, ranged: bool, end: int | None) -> None:
        """Take the answer only if it is the range asked for, of the object seen first. Never other bytes, nor fewer."""
        head = head_of(answer)
        if not self._begun:
            self._end = self._position + head.size_bytes
        if self._seen is None:
            self._seen = head
        elif (head.etag, head.write_id, head.version_id) != (
            self._seen.etag,
            self._seen.write_id,
            self._seen.version_id,
        ):
            self._release()
            raise ObjectNotFound("the object was replaced while it was read", self._uri)
        if head.size_bytes != self._end - self._position or (ranged and not _is_range(answer, self._position, end)):
            self._release()
            raise DeviceUnavailable("the device answered with another range", self._uri, Outcome.NOT_DONE)
        if not head.size_bytes:
            self._release()

    def _release(self) -> None:
        body, self._body = self._body, None
        if body is not None:
            try:
                body.close()
            except FOREIGN:
                pass  # the connection is given up either way

    def close(self) -> None:
        self._closed = True
        self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.close()


class EmptyInputStream(S3InputStream):
    """A range without bytes, of an object that exists."""

    def __init__(self, bucket: Bucket, uri: DataObjectUri) -> None:
        super().__init__(bucket, uri, 0, 0)

    def _begin(self, effort: Effort, end: int | None) -> None:
        try:
            found = self._bucket.head_in_bucket(effort, self._key)
        except RequestFailed as failure:
            raise failure.typed(self._uri, Outcome.NOT_DONE) from failure
        if found is None:
            raise ObjectNotFound("no such object", self._uri)


class S3OutputStream:
    """One object in the making: one part in memory, full parts on the device as an upload that nobody sees."""

    def __init__(self, bucket: Bucket, publisher: Publisher, uri: DataObjectUri, size: int | None) -> None:
        self._bucket = bucket
        self._publisher = publisher
        self._uri = uri
        self._size = size
        self._written = 0
        self._buffer = bytearray()
        self._upload: Upload | None = None
        self._failure: StorageError | None = None
        self._ended = False

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Take up to one part; at most one part travels in one call, which bounds its time."""
        self._require_open()
        if self._failure is not None:
            raise self._failure
        try:
            view = bytes_of(data)
        except (TypeError, ValueError, BufferError) as error:
            raise self._failed(InvalidRequest(f"write takes bytes: {error}", self._uri)) from error
        try:
            return self._take(view) if view else 0
        except StorageError as error:
            raise self._failed(error) from error.__cause__

    def _take(self, view: memoryview) -> int:
        limit = self._bucket.settings.size_bytes_max
        if self._written + len(view) > limit:
            raise CapacityExceeded(f"an object has at most {limit} bytes", self._uri)
        if self._size is not None and self._written + len(view) > self._size:
            self._written += len(view)  # commit will refuse: nothing of it needs to travel
            return len(view)
        number = self._upload.next_number if self._upload else 1
        part_bytes = self._bucket.settings.part_bytes(number, self._size)
        if len(self._buffer) == part_bytes:
            self._send_part(Effort())
            part_bytes = self._bucket.settings.part_bytes(number + 1, self._size)
        taken = view[: part_bytes - len(self._buffer)]
        self._buffer += taken
        self._written += len(taken)
        return len(taken)

    def _send_part(self, effort: Effort) -> Upload:
        if self._upload is None:
            self._upload = self._publisher.upload(self._uri)
        self._upload.put_part(effort, bytes(self._buffer))
        self._buffer.clear()
        return self._upload

    def _failed(self, error: StorageError) -> StorageError:
        self._failure = error if self._upload is None else self._upload.give_up(error)
        self._buffer.clear()
        return self._failure

    def commit(self) -> DataObjectDescription:
        self._require_open()
        self._ended = True
        if self._failure is not None:
            raise self._failure
        if self._size is not None and self._written != self._size:
            mismatch = SizeMismatch(f"{self._written} bytes were written, {self._size} announced", self._uri)
            raise self._failed(mismatch)
        effort = Effort()
        if self._upload is None:
            self._publisher.put_whole(effort, self._uri, bytes(self._buffer))
        else:
            self._send_part(effort).complete(effort)
        self._buffer.clear()
        return DataObjectDescription(self._uri, self._written, None)

    def abort(self) -> None:
        ended, self._ended = self._ended, True
        self._buffer.clear()
        if self._upload is not None and self._upload.discard() is Discarded.UNSURE and not ended:
            raise DeviceUnavailable("what was sent could not be removed; it goes with delete", self._uri)

    def close(self) -> None:
        self.abort()

    def _require_open(self) -> None:
        if self._ended:
            raise InvalidRequest("the stream has ended", self._uri)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        if kind is None:
            if not self._ended:
                self.commit()
            return
        try:
            self.abort()
        except StorageError:
            pass  # the exception that ended the block is the one to be seen


def _is_range(answer: Any, first: int, end: int | None) -> bool:
    """Whether the answer is what ``first .. end`` means for an object of the length it names itself."""
    try:
        span, _, total = str(answer.get("ContentRange") or "").removeprefix("bytes ").partition("/")
        starts, _, last = span.partition("-")
        expected = int(total) if end is None else min(end, int(total))
        return int(starts) == first and int(last) + 1 == expected
    except ValueError:
        return False

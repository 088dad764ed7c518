"""The two streams and the volume handle of the RBD driver. Each has its own image handle and buffer (C-INDEP).

A reader leaves no watcher, so nothing keeps an image or a snapshot from being removed under it, and then librbd gives zeros
and no error: for objects that are gone, and for a snapshot that is gone once. A piece is therefore only handed out when the
directory, asked after it was read, still has the very object that was opened: an object goes from the directory before
anything of its bytes goes.
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
from storcert.harness.drivers.rbd_directory import Record
from storcert.harness.drivers.rbd_errors import RequestFailed, Trouble
from storcert.harness.drivers.rbd_images import PART_BYTES, close_quietly, new_name
from storcert.harness.drivers.rbd_pool import Effort, Pool
from storcert.harness.drivers.rbd_publish import Discarded, Publication, Remover

AHEAD_BYTES = 1024 * 1024


class RbdInputStream:
    """Bytes ``first .. end`` of one object."""

    def __init__(self, pool: Pool, remover: Remover, uri: DataObjectUri, record: Record, first: int, end: int) -> None:
        self._pool = pool
        self._remover = remover
        self._uri = uri
        self._record = record
        self._position = first
        self._end = end
        self._ahead = b""
        self._image: Any = None
        self._closed = False

    def read(self, n: int = -1) -> bytes:
        """Up to ``n`` bytes; small reads are served from a piece that was read ahead."""
        if self._closed:
            raise InvalidRequest("the stream is closed", self._uri)
        wanted = AHEAD_BYTES if n == -1 else count_of_bytes("n", n, self._uri)
        wanted = min(wanted, PART_BYTES, self._end - self._position)
        if wanted == 0:
            return b""
        if not self._ahead:
            self._ahead = self._piece(Effort(), min(max(wanted, AHEAD_BYTES), self._end - self._position))
        taken, self._ahead = self._ahead[:wanted], self._ahead[wanted:]
        self._position += len(taken)
        if self._position >= self._end:
            self._release()
        return taken

    def _piece(self, effort: Effort, count: int) -> bytes:
        """The next ``count`` bytes, of the object that was opened. Never other bytes, nor fewer."""
        while True:
            try:
                data = self._read_image(effort, count)
                if self._remover.directory.find(effort, str(self._uri)) != [self._record]:
                    raise ObjectNotFound("the object was deleted while it was read", self._uri)
            except RequestFailed as failure:
                self._release()
                if not (failure.ambiguous and effort.again()):
                    raise self._lost(effort, failure) from failure
            except StorageError:
                self._release()
                raise
            else:
                return data

    def _read_image(self, effort: Effort, count: int) -> bytes:
        if self._image is None:
            self._image = self._remover.images.open(effort, self._record.image, self._record.snapshot, read_only=True)
        data: bytes = self._pool.ask(effort, lambda session: self._image.read(self._position, count))
        if len(data) != count:
            raise RequestFailed(Trouble.ODD, f"the device gave {len(data)} bytes of {count}")
        return data

    def _lost(self, effort: Effort, failure: RequestFailed) -> StorageError:
        """Why the bytes cannot be had: deleted, or published and missing all the same."""
        if failure.trouble is not Trouble.NOT_FOUND:
            return failure.typed(self._uri, Outcome.NOT_DONE)
        try:
            if self._remover.directory.find(effort, str(self._uri)) == [self._record]:
                return DeviceUnavailable("the image of the object is missing", self._uri, Outcome.NOT_DONE, False)
        except RequestFailed as lost:
            return lost.typed(self._uri, Outcome.NOT_DONE)
        return ObjectNotFound("the object was deleted while it was read", self._uri)

    def _release(self) -> None:
        image, self._image = self._image, None
        if image is not None:
            close_quietly(image, self._pool.foreign)

    def close(self) -> None:
        self._closed = True
        self._ahead = b""
        self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.close()


class RbdOutputStream:
    """One object in the making: one part in memory, full parts in an image that nobody sees."""

    def __init__(self, pool: Pool, remover: Remover, uri: DataObjectUri, size: int | None) -> None:
        self._size_bytes_max = pool.settings.max_object_size_bytes
        self._remover = remover
        self._uri = uri
        self._size = size
        self._written = 0
        self._sent = 0
        self._buffer = bytearray()
        self._publication: Publication | None = None
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
        if self._written + len(view) > self._size_bytes_max:
            raise CapacityExceeded(f"an object has at most {self._size_bytes_max} bytes", self._uri)
        if self._size is not None and self._written + len(view) > self._size:
            self._written += len(view)  # commit will refuse: nothing of it needs to travel
            return len(view)
        if len(self._buffer) == PART_BYTES:
            effort = Effort()
            self._send(effort).require_alive(effort)
        taken = view[: PART_BYTES - len(self._buffer)]
        self._buffer += taken
        self._written += len(taken)
        return len(taken)

    def _send(self, effort: Effort) -> Publication:
        """Put the buffer into the image; the first time, make one."""
        offset, total = self._sent, self._sent + len(self._buffer)
        first = self._publication is None
        publication = self._publication or Publication(
            self._remover, self._uri, Record(new_name(), self._size or 0, owner=str(self._uri))
        )
        image, images = publication.record.image, self._remover.images
        try:
            if first:
                publication.begin(effort)
                self._publication = publication
                images.create(effort, image, total if self._size is None else self._size)
            grown = total if self._size is None and not first else None
            if self._buffer or grown:
                images.write(effort, image, offset, bytes(self._buffer), grown)
        except RequestFailed as failure:
            raise publication.failed(failure) from failure
        self._sent = total
        self._buffer.clear()
        return publication

    def _failed(self, error: StorageError) -> StorageError:
        self._failure = error if self._publication is None else self._publication.given_up(error)
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
        self._send(effort).publish(effort, self._written)
        return DataObjectDescription(self._uri, self._written, None)

    def abort(self) -> None:
        ended, self._ended = self._ended, True
        self._buffer.clear()
        if self._publication is not None and self._publication.discard() is Discarded.UNSURE and not ended:
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

"""The two streams of the Sheepdog driver. Each has its own runs of dog and its own buffer; nothing is shared (C-INDEP).

Neither stream has a ``__del__``: one that is dropped does nothing, and what it had written goes with the next delete of, or
commit to, its name.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from storcert.harness.contract import (
    CapacityExceeded,
    DataObjectDescription,
    DeviceUnavailable,
    InvalidRequest,
    ObjectNotFound,
    Outcome,
    SizeMismatch,
    StorageError,
)
from storcert.harness.drivers.arguments import bytes_of, count_of_bytes
from storcert.harness.drivers.sheepdog_command import Effort, Failed, Trouble
from storcert.harness.drivers.sheepdog_publish import Draft, Place
from storcert.harness.drivers.sheepdog_vdis import VDI_BYTES_MAX, Row, Size

CHUNK_BYTES = 1 << 22


class SheepdogInputStream:
    """Bytes ``first .. end`` of one version, one data object at a time."""

    def __init__(self, place: Place, version: Row, first: int, end: int) -> None:
        self._place = place
        self._version = version
        self._position = first
        self._end = end
        self._held = b""
        self._closed = False

    def read(self, n: int = -1) -> bytes:
        if self._closed:
            raise InvalidRequest("the stream is closed", self._place.uri)
        wanted = CHUNK_BYTES if n == -1 else count_of_bytes("n", n, self._place.uri)
        wanted = min(wanted, self._end - self._position + len(self._held))
        if wanted <= 0:
            return b""
        if not self._held:
            self._held = self._fetch(Effort())
            self._position += len(self._held)
        piece, self._held = self._held[:wanted], self._held[wanted:]
        return piece

    def _fetch(self, effort: Effort) -> bytes:
        version, vdis = self._version, self._place.vdis
        length = min(self._end - self._position, version.object_bytes - self._position % version.object_bytes)
        while True:
            try:
                data = vdis.read(effort, version.name, self._position, length)
                if len(data) != length:
                    raise Failed(Trouble.BROKEN, f"{len(data)} of {length} bytes came")
                # What is being deleted reads as zeros: they are believed only if the version is whole afterwards.
                if data == bytes(length) and vdis.exact(effort, version.name, version.size_bytes) is not Size.SAME:
                    raise Failed(Trouble.ABSENT, "the version is being deleted")
                return data
            except Failed as failure:
                if failure.trouble in (Trouble.ABSENT, Trouble.NO_TAG):
                    raise ObjectNotFound("the object was deleted while it was read", self._place.uri) from failure
                if failure.trouble is not Trouble.BROKEN or not effort.again():
                    raise failure.typed(self._place.uri, Outcome.NOT_DONE) from failure

    def close(self) -> None:
        self._closed = True
        self._held = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.close()


class SheepdogOutputStream:
    """One object in the making: one chunk in memory, full chunks in a version that nobody sees."""

    def __init__(self, place: Place, size: int | None) -> None:
        self._place = place
        self._size = size
        self._written = 0
        self._sent = 0
        self._buffer = bytearray()
        self._draft: Draft | None = None
        self._failure: StorageError | None = None
        self._ended = False

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Take up to one chunk; at most one chunk travels in one call, which bounds its time."""
        self._require_open()
        if self._failure is not None:
            raise self._failure
        try:
            view = bytes_of(data)
        except (TypeError, ValueError, BufferError) as error:
            raise self._failed(InvalidRequest(f"write takes bytes: {error}", self._place.uri)) from error
        try:
            return self._take(view) if view else 0
        except StorageError as error:
            raise self._failed(error) from error.__cause__

    def _take(self, view: memoryview) -> int:
        if self._written + len(view) > VDI_BYTES_MAX:
            raise CapacityExceeded(f"an object has at most {VDI_BYTES_MAX} bytes", self._place.uri)
        if self._size is not None and self._written + len(view) > self._size:
            self._written += len(view)  # commit will refuse: nothing of it needs to travel
            return len(view)
        if len(self._buffer) == CHUNK_BYTES:
            self._send(Effort())
        taken = view[: CHUNK_BYTES - len(self._buffer)]
        self._buffer += taken
        self._written += len(taken)
        return len(taken)

    def _send(self, effort: Effort) -> Draft:
        draft = self._draft = self._draft or Draft(self._place)
        end = self._sent + len(self._buffer)
        draft.make(effort, end if self._size is None else self._size)
        if self._buffer:
            draft.write(effort, self._sent, bytes(self._buffer))
        self._sent = end
        self._buffer.clear()
        return draft

    def _failed(self, error: StorageError) -> StorageError:
        self._failure = error if self._draft is None else self._draft.give_up(error)
        self._buffer.clear()
        return self._failure

    def commit(self) -> DataObjectDescription:
        self._require_open()
        self._ended = True
        if self._failure is not None:
            raise self._failure
        if self._size is not None and self._written != self._size:
            mismatch = SizeMismatch(f"{self._written} bytes were written, {self._size} announced", self._place.uri)
            raise self._failed(mismatch)
        effort = Effort()
        draft = self._send(effort)
        draft.publish(effort)
        return DataObjectDescription(self._place.uri, self._written, None)

    def abort(self) -> None:
        ended, self._ended = self._ended, True
        self._buffer.clear()
        if self._draft is not None and not self._draft.discard() and not ended:
            raise DeviceUnavailable("what was sent could not be removed; it goes with delete", self._place.uri)

    def close(self) -> None:
        self.abort()

    def _require_open(self) -> None:
        if self._ended:
            raise InvalidRequest("the stream has ended", self._place.uri)

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

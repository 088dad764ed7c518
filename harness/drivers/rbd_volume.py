"""The volume handle of the RBD driver: one image, open for writing until it is closed.

Its watch is what tells ``delete`` and ``revert`` that the volume is in use. Nothing is written again here: after a timeout
nobody knows what has arrived, and the caller, who knows what the bytes mean, may write them again.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

from storcert.harness.contract import DataObjectUri, DeviceUnavailable, InvalidRequest, ObjectInUse, Outcome
from storcert.harness.drivers.arguments import bytes_of, count_of_bytes
from storcert.harness.drivers.rbd_errors import RequestFailed, Trouble
from storcert.harness.drivers.rbd_images import close_quietly
from storcert.harness.drivers.rbd_pool import Effort, Pool

T = TypeVar("T")


class RbdVolumeHandle:
    """Random access to one volume."""

    def __init__(self, pool: Pool, uri: DataObjectUri, image: Any, size_bytes: int) -> None:
        self._pool = pool
        self._uri = uri
        self._image = image
        self._size_bytes = size_bytes
        self._closed = False

    def pread(self, offset: int, length: int) -> bytes:
        """Exactly the range."""
        offset, length = self._range(offset, count_of_bytes("length", length, self._uri))
        if length == 0:
            return b""
        data = self._ask(lambda: bytes(self._image.read(offset, length)), Outcome.NOT_DONE)
        if len(data) != length:
            raise DeviceUnavailable(f"the device gave {len(data)} bytes of {length}", self._uri, Outcome.NOT_DONE)
        return data

    def pwrite(self, offset: int, data: bytes | bytearray | memoryview) -> int:
        """All of ``data``, there. librbd would clip what reaches over the end, so that is refused before."""
        try:
            view = bytes_of(data)
        except (TypeError, ValueError, BufferError) as error:
            raise InvalidRequest(f"pwrite takes bytes: {error}", self._uri) from error
        offset, length = self._range(offset, len(view))
        if length:
            written = self._ask(lambda: self._image.write(bytes(view), offset), Outcome.UNKNOWN)
            if written != length:
                raise DeviceUnavailable(f"the device took {written} bytes of {length}", self._uri, Outcome.UNKNOWN)
        return length

    def flush(self) -> None:
        """Errors of writes that were only cached appear here."""
        self._require_open()
        self._ask(lambda: self._image.flush(), Outcome.UNKNOWN)

    def close(self) -> None:
        """Give the image back. What was not flushed is flushed; whether that worked is what an error here says."""
        if self._closed:
            return
        self._closed = True
        try:
            self._ask(lambda: self._image.flush(), Outcome.UNKNOWN)
        finally:
            close_quietly(self._image, self._pool.foreign)

    def _ask(self, call: Callable[[], T], outcome: Outcome) -> T:
        try:
            return self._pool.ask(Effort(), lambda _: call())
        except RequestFailed as failure:
            if failure.trouble is Trouble.BUSY:
                raise ObjectInUse("somebody else holds the volume's lock", self._uri, Outcome.NOT_DONE) from failure
            if failure.trouble in (Trouble.NOT_FOUND, Trouble.INVALID):
                raise DeviceUnavailable("the volume has gone under its handle", self._uri, outcome, False) from failure
            raise failure.typed(self._uri, outcome) from failure

    def _range(self, offset: int, length: int) -> tuple[int, int]:
        self._require_open()
        offset = count_of_bytes("offset", offset, self._uri)
        if offset + length > self._size_bytes:
            raise InvalidRequest(f"the range reaches over the end of the volume at {self._size_bytes}", self._uri)
        return offset, length

    def _require_open(self) -> None:
        if self._closed:
            raise InvalidRequest("the volume is closed", self._uri)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.close()

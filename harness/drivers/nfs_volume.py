"""Random access to a published volume: ``pread`` and ``pwrite`` on its open file, ``flush`` is ``fsync``.

A network client takes writes into its cache and learns later that they failed; it says so once, at the next ``fsync`` or
``close``, and has dropped the bytes by then. So after one such error this handle never reports success again.
"""

from __future__ import annotations

import os
from io import FileIO
from types import TracebackType
from typing import Self

from storcert.harness.contract import DataObjectUri, DeviceUnavailable, InvalidRequest, Outcome, StorageError
from storcert.harness.drivers.arguments import bytes_of, count_of_bytes
from storcert.harness.drivers.nfs_errors import typed


class NfsVolume:
    """A handle on one volume. ``file`` is open for reading and writing."""

    def __init__(self, uri: DataObjectUri, file: FileIO, size_bytes: int) -> None:
        self._uri = uri
        self._file = file
        self._size = size_bytes
        self._lost: StorageError | None = None
        self._closed = False

    def pread(self, offset: int, length: int) -> bytes:
        offset, length = self._range(offset, length)
        pieces: list[bytes] = []
        while length:
            try:
                data = os.pread(self._file.fileno(), length, offset)
            except OSError as error:
                raise typed(error, self._uri, "reading") from error
            if not data:
                raise DeviceUnavailable("the volume is shorter than it was", self._uri, Outcome.NOT_DONE)
            pieces.append(data)
            offset, length = offset + len(data), length - len(data)
        return b"".join(pieces)

    def pwrite(self, offset: int, data: bytes | bytearray | memoryview) -> int:
        try:
            view = bytes_of(data)
        except (TypeError, ValueError, BufferError) as error:
            raise InvalidRequest(f"pwrite takes bytes: {error}", self._uri) from error
        offset, total = self._range(offset, len(view))
        self._require_nothing_lost()
        while view:
            try:
                taken = os.pwrite(self._file.fileno(), view, offset)
            except OSError as error:
                raise self._loses(error, "writing") from error
            view, offset = view[taken:], offset + taken
        return total

    def flush(self) -> None:
        self._require_open()
        self._require_nothing_lost()
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._loses(error, "flushing") from error

    def close(self) -> None:
        """Raises where bytes that were written, and not flushed, did not reach the server."""
        if self._closed:
            return
        self._closed = True
        try:
            self._file.close()
        except OSError as error:
            raise self._loses(error, "closing") from error

    def _loses(self, error: OSError, doing: str) -> StorageError:
        self._lost = typed(error, self._uri, doing, Outcome.UNKNOWN)
        return self._lost

    def _require_nothing_lost(self) -> None:
        if self._lost is not None:
            raise DeviceUnavailable("bytes written earlier were lost; open the volume again", self._uri, Outcome.UNKNOWN)

    def _require_open(self) -> None:
        if self._closed:
            raise InvalidRequest("the volume is closed", self._uri)

    def _range(self, offset: int, length: int) -> tuple[int, int]:
        self._require_open()
        offset, length = count_of_bytes("offset", offset, self._uri), count_of_bytes("length", length, self._uri)
        if offset + length > self._size:
            raise InvalidRequest(f"the volume has {self._size} bytes", self._uri)
        return offset, length

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.close()

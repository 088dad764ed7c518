"""The two streams of the NFS driver. Each has its own file and its own buffer; nothing is shared (C-INDEP).

A reader keeps its file open: the handle, unlike a name or a number, never means another file. A writer keeps nothing open:
it writes chunk after chunk into its file in the making, and each chunk is on the server before the next is taken.
"""

from __future__ import annotations

import errno
import os
from io import FileIO
from types import TracebackType
from typing import Self

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
from storcert.harness.drivers.nfs_errors import typed
from storcert.harness.drivers.nfs_mount import Identity, Mount, Patience
from storcert.harness.drivers.nfs_publish import Pending, clear_pending

CHUNK_BYTES = 1 << 20


class NfsInputStream:
    """Bytes ``first .. end`` of one published file."""

    def __init__(self, mount: Mount, uri: DataObjectUri, first: int, length: int | None) -> None:
        self._mount = mount
        self._uri = uri
        self._position = first
        self._file: FileIO | None
        self._file, self._identity = self._open()
        size = self._identity.size_bytes
        self._end = size if length is None else min(size, first + length)
        self._closed = False

    def _open(self) -> tuple[FileIO, Identity]:
        found = self._mount.look(self._uri, self._mount.open_object)
        if found is None:
            raise ObjectNotFound("no such object", self._uri)
        return found

    def read(self, n: int = -1) -> bytes:
        if self._closed:
            raise InvalidRequest("the stream is closed", self._uri)
        wanted = CHUNK_BYTES if n == -1 else count_of_bytes("n", n, self._uri)
        wanted = min(wanted, CHUNK_BYTES, self._end - self._position)
        if wanted <= 0:
            return b""
        patience = Patience(120.0)
        while True:
            try:
                data = self._pread(wanted)
                break
            except OSError as error:
                if not patience.again():
                    raise typed(error, self._uri, "reading") from error
                if error.errno == errno.ESTALE:
                    self._reopen()
        if not data:
            raise DeviceUnavailable("the object is shorter than it was", self._uri, Outcome.NOT_DONE)
        self._position += len(data)
        return data

    def _pread(self, wanted: int) -> bytes:
        if self._file is None:
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return os.pread(self._file.fileno(), wanted, self._position)

    def _reopen(self) -> None:
        """The handle means nothing any more: the file was removed, or the server forgot its handles."""
        self._release()
        self._file, identity = self._open()
        if identity != self._identity:
            self._release()
            raise ObjectNotFound("the object was removed, and another one has its name", self._uri)

    def close(self) -> None:
        self._closed = True
        self._release()

    def _release(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError:
                pass  # nothing was written through it

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.close()


class NfsOutputStream:
    """One object in the making: at most one chunk in memory, the rest in a file that nobody is shown."""

    def __init__(self, mount: Mount, uri: DataObjectUri, size: int | None) -> None:
        self._mount = mount
        self._uri = uri
        self._size = size
        self._written = 0
        self._buffer = bytearray()
        self._sent = 0
        self._pending: Pending | None = None
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
            raise self._failed(InvalidRequest(f"write takes bytes: {error}", self._uri)) from error
        try:
            return self._take(view) if view else 0
        except StorageError as error:
            raise self._failed(error) from error.__cause__

    def _take(self, view: memoryview) -> int:
        limit = self._mount.settings.max_object_size_bytes
        if self._written + len(view) > limit:
            raise CapacityExceeded(f"an object has at most {limit} bytes", self._uri)
        if self._size is not None and self._written + len(view) > self._size:
            self._written += len(view)  # commit will refuse: nothing of it needs to travel
            return len(view)
        if len(self._buffer) == CHUNK_BYTES:
            self._send()
        taken = view[: CHUNK_BYTES - len(self._buffer)]
        self._buffer += taken
        self._written += len(taken)
        return len(taken)

    def _send(self) -> Pending:
        if self._pending is None:
            self._pending = Pending(self._mount, self._uri)
        if self._buffer or not self._sent:
            self._pending.append(self._buffer, self._sent)
        self._sent += len(self._buffer)
        self._buffer = bytearray()
        return self._pending

    def _failed(self, error: StorageError) -> StorageError:
        self._failure = error if self._pending is None else self._pending.give_up(error)
        self._buffer = bytearray()  # never cleared: the error's traceback may still look at the old one
        return self._failure

    def commit(self) -> DataObjectDescription:
        self._require_open()
        self._ended = True
        if self._failure is not None:
            raise self._failure
        if self._size is not None and self._written != self._size:
            raise self._failed(SizeMismatch(f"{self._written} bytes were written, {self._size} announced", self._uri))
        patience = Patience()
        try:
            pending = self._send()
        except StorageError as error:
            raise self._failed(error) from error.__cause__
        pending.publish(patience)
        try:
            patience.check()
            clear_pending(self._mount, self._uri)
        except OSError:
            pass  # published it is; what others left goes with the next commit or delete
        return DataObjectDescription(self._uri, self._written, None)

    def abort(self) -> None:
        ended, self._ended = self._ended, True
        self._buffer = bytearray()
        if self._pending is not None and not self._pending.discard(Patience(120.0)) and not ended:
            raise DeviceUnavailable("what was written could not be removed; it goes with delete", self._uri)

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

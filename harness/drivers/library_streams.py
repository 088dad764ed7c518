"""The streams of a driver that stands on somebody's library: the states that the contract asks for, over a source or a sink."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from storcert.harness.contract import (
    DataObjectDescription,
    DataObjectUri,
    DeviceUnavailable,
    InvalidRequest,
    ObjectExists,
    ObjectInUse,
    Outcome,
    SizeMismatch,
    StorageError,
)
from storcert.harness.drivers.arguments import bytes_of, count_of_bytes
from storcert.harness.drivers.library_store import Errors, Sink, Source

CHUNK_BYTES = 256 * 1024


class LibraryInputStream:
    """A range of one object. ``left``: how many bytes are due; a source that ends earlier is an error."""

    def __init__(self, errors: Errors, source: Source | None, uri: DataObjectUri, left: int) -> None:
        self._errors = errors
        self._source = source
        self._uri = uri
        self._left = left
        self._closed = False

    def read(self, n: int = -1) -> bytes:
        if self._closed:
            raise InvalidRequest("the stream is closed", self._uri)
        wanted = min(CHUNK_BYTES if n == -1 else count_of_bytes("n", n, self._uri), self._left)
        if not wanted or self._source is None:
            return b""
        with self._errors(self._uri, Outcome.NOT_DONE):
            chunk = bytes(self._source.read(wanted))
        if not chunk:
            raise DeviceUnavailable("the object ended before its size", self._uri, Outcome.NOT_DONE)
        self._left -= len(chunk)
        return chunk

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            if self._source is not None:
                with self._errors(self._uri, Outcome.NOT_DONE):
                    self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.close()


class LibraryOutputStream:
    """One object being written. ``size``: what was announced, in bytes, or ``None``. ``taken``: whether the object is there."""

    def __init__(
        self, errors: Errors, sink: Sink, uri: DataObjectUri, size: int | None, taken: Callable[[], bool]
    ) -> None:
        self._errors = errors
        self._sink: Sink | None = sink
        self._uri = uri
        self._size = size
        self._taken = taken
        self._written = 0
        self._failed = False

    def write(self, data: bytes | bytearray | memoryview) -> int:
        sink = self._open()
        try:
            content = bytes(bytes_of(data))
            if not content:
                return 0
            with self._errors(self._uri, Outcome.NOT_DONE):
                taken = sink.write(content)
        except TypeError as error:
            self._failed = True
            raise InvalidRequest(f"write takes bytes: {error}", self._uri) from error
        except BaseException:
            self._failed = True
            raise
        count = len(content) if taken is None else int(taken)
        self._written += count
        return count

    def commit(self) -> DataObjectDescription:
        sink = self._open()
        if self._failed or (self._size is not None and self._size != self._written):
            self.abort()
            if self._failed:
                raise InvalidRequest("an earlier write failed", self._uri)
            raise SizeMismatch(f"{self._written} bytes were written, {self._size} announced", self._uri)
        self._sink = None
        try:
            with self._errors(self._uri, Outcome.UNKNOWN):
                sink.publish()
        except ObjectInUse as error:
            # Somebody else was at it: whether that one has made the object, a look tells.
            if self._taken():
                raise ObjectExists(error.message, self._uri) from error
            raise
        return DataObjectDescription(self._uri, self._written, None)

    def abort(self) -> None:
        if self._sink is None:
            return
        sink, self._sink = self._sink, None
        with self._errors(self._uri, Outcome.NOT_DONE):
            sink.discard()

    def close(self) -> None:
        self.abort()

    def _open(self) -> Sink:
        if self._sink is None:
            raise InvalidRequest("the stream has ended", self._uri)
        return self._sink

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        if kind is None:
            if self._sink is not None:
                self.commit()
            return
        try:
            self.abort()
        except StorageError:
            # The caller's own exception says more than that its leftovers could not be taken away.
            return

"""Pipes between a driver and a simulated command: bytes in order, blocking in virtual time, and the file objects at their ends.

A pipe here has no limit: who writes never waits for the reader, so the dead lock of two full pipes is not simulated.
Nothing is known here of processes; those are :mod:`.commands`.
"""

from __future__ import annotations

import errno
import io
import os
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from storcert.harness.kernel.loop import Kernel


class Pipe:
    """``written_out``: no more will be written. ``unread``: nobody will read any more."""

    __slots__ = ("_chunks", "_kernel", "_waiting", "unread", "written_out")

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._chunks: deque[bytes] = deque()
        self._waiting: list[Any] = []
        self.written_out = False
        self.unread = False

    def write(self, data: bytes) -> None:
        """Append. ``BrokenPipeError`` where nobody reads any more."""
        if self.unread:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
        if data:
            self._chunks.append(data)
            self._wake()

    def close_writing(self) -> None:
        """The end of the stream. Repeatable."""
        if not self.written_out:
            self.written_out = True
            self._wake()

    def close_reading(self) -> None:
        """What is in it, and what comes later, is lost."""
        self.unread = True
        self._chunks.clear()

    def read(self, size: int = -1) -> bytes:
        """Wait for at least one byte and give up to ``size`` (-1: what is there); ``b""`` at the end. Tasks only."""
        if size == 0:
            return b""
        while not self._chunks:
            if self.written_out:
                return b""
            event = self._kernel.event()
            self._waiting.append(event)
            self._kernel.wait(event, reason="pipe")
        chunk = self._chunks.popleft()
        if 0 < size < len(chunk):
            self._chunks.appendleft(chunk[size:])
            chunk = chunk[:size]
        return chunk

    def read_full(self, size: int) -> bytes:
        """Exactly ``size`` bytes, fewer only at the end."""
        first = self.read(size)
        if len(first) == size or not first:
            return first
        found, length = [first], len(first)
        while length < size and (piece := self.read(size - length)):
            found.append(piece)
            length += len(piece)
        return b"".join(found)

    def drain(self) -> bytes:
        """What is in it now, without waiting."""
        chunks = self._chunks
        if len(chunks) == 1:
            return chunks.popleft()
        found = b"".join(chunks)
        chunks.clear()
        return found

    def _wake(self) -> None:
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            for event in waiting:
                if not event.triggered:
                    event.succeed()


class PipeReader(io.RawIOBase):
    """The reading end, as a raw stream. ``pipe`` lets a command take it for its standard input."""

    def __init__(self, pipe: Pipe) -> None:
        super().__init__()
        self.pipe = pipe

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.pipe.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self.pipe.close_reading()
        super().close()


class PipeWriter(io.RawIOBase):
    """The writing end, as a raw stream."""

    def __init__(self, pipe: Pipe) -> None:
        super().__init__()
        self.pipe = pipe

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        view = bytes(data)
        self.pipe.write(view)
        return len(view)

    def close(self) -> None:
        if not self.closed:
            self.pipe.close_writing()
        super().close()


def opened(raw: PipeReader | PipeWriter, bufsize: int, encoding: str | None, errors: str | None) -> Any:
    """The file object a caller is given: raw, buffered, or text where there is an encoding; as ``subprocess`` makes them."""
    stream: Any = raw
    if bufsize != 0:
        size = io.DEFAULT_BUFFER_SIZE if bufsize < 0 or bufsize == 1 else bufsize
        stream = io.BufferedReader(raw, size) if isinstance(raw, PipeReader) else io.BufferedWriter(raw, size)
    if encoding is None:
        return stream
    if isinstance(raw, PipeReader):
        return io.TextIOWrapper(stream, encoding=encoding, errors=errors)
    return io.TextIOWrapper(stream, encoding=encoding, errors=errors, line_buffering=bufsize == 1, write_through=True)

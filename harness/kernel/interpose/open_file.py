"""``open`` at a location: the standard buffered and text layers over a raw file that reads and writes descriptors of the fence.

The mode is taken apart as :func:`open` of ``_pyio`` does; only the lowest layer is ours, so buffering, newlines, encodings,
``seek`` and ``tell`` are those of the standard library.
"""

from __future__ import annotations

import io
import os
from typing import Any

from storcert.harness.kernel.interpose import descriptors
from storcert.harness.kernel.interpose.namespace import Namespace
from storcert.harness.kernel.interpose.presence import location_here


class Mode:
    """A mode string of :func:`open`, checked as ``open`` checks it."""

    __slots__ = ("binary", "flags", "raw", "reads", "updates", "writes")

    def __init__(self, mode: Any) -> None:
        if not isinstance(mode, str):
            raise TypeError(f"open() argument 'mode' must be str, not {type(mode).__name__}")
        letters = set(mode)
        if letters - set("axrwb+t") or len(mode) > len(letters):
            raise ValueError(f"invalid mode: {mode!r}")
        kinds = letters & set("axrw")
        if {"t", "b"} <= letters:
            raise ValueError("can't have text and binary mode at once")
        if len(kinds) != 1:
            raise ValueError("must have exactly one of create/read/write/append mode")
        kind = kinds.pop()
        self.binary = "b" in letters
        self.updates = "+" in letters
        self.reads = kind == "r" or self.updates
        self.writes = kind != "r" or self.updates
        self.raw = kind + ("+" if self.updates else "")
        access = os.O_RDWR if self.updates else os.O_WRONLY if self.writes else os.O_RDONLY
        extra = {"r": 0, "w": os.O_CREAT | os.O_TRUNC, "a": os.O_CREAT | os.O_APPEND, "x": os.O_CREAT | os.O_EXCL}[kind]
        self.flags = access | extra | os.O_CLOEXEC


class LocationFile(io.RawIOBase):
    """What ``io.FileIO`` is elsewhere."""

    def __init__(self, namespace: Namespace, descriptor: int, name: Any, mode: Mode, closefd: bool) -> None:
        super().__init__()
        self._namespace = namespace
        self._descriptor = descriptor
        self._closefd = closefd
        self._mode = mode
        self._epoch = namespace.location.epoch
        self.name = name

    @property
    def mode(self) -> str:
        """As ``io.FileIO`` words it."""
        kind = self._mode.raw[0]
        return ("rb+" if kind in "rw" else f"{kind}b+") if self._mode.updates else f"{kind}b"

    @property
    def closefd(self) -> bool:
        """Whether closing the file closes the descriptor."""
        return self._closefd

    def fileno(self) -> int:
        self._checked()
        return self._descriptor

    def _checked(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")

    def readable(self) -> bool:
        self._checked()
        return self._mode.reads

    def writable(self) -> bool:
        self._checked()
        return self._mode.writes

    def seekable(self) -> bool:
        self._checked()
        return True

    def isatty(self) -> bool:
        self._checked()
        return False

    def readinto(self, buffer: Any) -> int:
        self._checked()
        if not self._mode.reads:
            raise io.UnsupportedOperation("not readable")
        view = memoryview(buffer).cast("B")
        data = descriptors.read(self._namespace, self._descriptor, len(view))
        view[: len(data)] = data
        return len(data)

    def write(self, data: Any) -> int:
        self._checked()
        if not self._mode.writes:
            raise io.UnsupportedOperation("not writable")
        if not self._at_home:
            return len(memoryview(data).cast("B"))
        return descriptors.write(self._namespace, self._descriptor, data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._checked()
        return descriptors.lseek(self._namespace, self._descriptor, offset, whence)

    def tell(self) -> int:
        return self.seek(0, os.SEEK_CUR)

    def truncate(self, size: int | None = None) -> int:
        self._checked()
        if not self._mode.writes:
            raise io.UnsupportedOperation("truncate")
        length = self.tell() if size is None else size
        descriptors.ftruncate(self._namespace, self._descriptor, length)
        return length

    def close(self) -> None:
        if self.closed:
            return
        try:
            super().close()
        finally:
            if self._closefd and self._at_home:
                self._namespace.close(self._descriptor)
            else:
                self._forget()

    @property
    def _at_home(self) -> bool:
        """Whether it is used where it was opened. Buffers flush and close it when they are collected, wherever that is."""
        location = self._namespace.location
        return location_here() is location and self._epoch == location.epoch

    def _forget(self) -> None:
        if self._closefd and self._epoch == self._namespace.location.epoch:
            self._namespace.forget(self._descriptor)

    def __del__(self) -> None:
        # A file that nobody closed: its number is forgotten and nothing is sent anywhere, at whatever moment this happens.
        if not self.closed:
            self._forget()


def layers(
    raw: LocationFile, mode: Mode, buffering: int, encoding: str | None, errors: str | None, newline: str | None
) -> Any:
    """The object that ``open`` returns for ``raw``."""
    if mode.binary and buffering == 0:
        return raw
    line_buffering = buffering == 1 and not mode.binary
    size = io.DEFAULT_BUFFER_SIZE if buffering in (-1, 1) else buffering
    if mode.updates:
        buffer: Any = io.BufferedRandom(raw, size)
    elif mode.writes:
        buffer = io.BufferedWriter(raw, size)
    else:
        buffer = io.BufferedReader(raw, size)
    if mode.binary:
        return buffer
    text: Any = io.TextIOWrapper(buffer, encoding or "utf-8", errors, newline, line_buffering)
    text.mode = mode.raw
    return text


def check_arguments(mode: Mode, buffering: int, encoding: Any, errors: Any, newline: Any) -> None:
    """The refusals of :func:`open` that come before any file is touched."""
    if mode.binary:
        for name, value in (("encoding", encoding), ("errors", errors), ("newline", newline)):
            if value is not None:
                raise ValueError(f"binary mode doesn't take {'an' if name[0] == 'e' else 'a'} {name} argument")
    elif buffering == 0:
        raise ValueError("can't have unbuffered text I/O")
    if newline not in (None, "", "\n", "\r", "\r\n"):
        raise ValueError(f"illegal newline value: {newline!r}")

"""The bytes of one simulated file: a plain ``bytes`` while it is small, sparse extents with a count of their space otherwise.

A million small files must not cost a million extent lists. Functions here give the contents after a change; what they were
given may have been changed in place if it was extents: whoever must keep it copies first (:func:`kept`).
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TypeAlias

from storcert.simulators.extents import Extents

SMALL_BYTES_MAX = 1024
BLOCK_BYTES = 4096


class Blocks(Extents):
    """Extents that know how many bytes of them are not holes, without adding up all pieces each time."""

    __slots__ = ("used_bytes",)

    def __init__(self, data: bytes = b"") -> None:
        super().__init__(data)
        self.used_bytes = self.allocated_bytes

    def copy(self) -> Blocks:
        """The same contents, independent from now on."""
        made = Blocks()
        made.size_bytes, made._pieces, made.used_bytes = self.size_bytes, self._pieces, self.used_bytes
        return made

    def write(self, offset: int, data: bytes) -> None:
        """Put ``data`` at ``offset``."""
        end = offset + len(data)
        before = self._covered(offset, end)
        super().write(offset, data)
        self.used_bytes += self._covered(offset, end) - before

    def truncate(self, size_bytes: int) -> None:
        """Cut, or grow with zeros."""
        if size_bytes < self.size_bytes:
            self.used_bytes -= self._covered(size_bytes, self.size_bytes)
        super().truncate(size_bytes)

    def _covered(self, start: int, end: int) -> int:
        pieces = self._pieces
        covered = 0
        for index in range(max(0, bisect_right(pieces, start, key=lambda piece: piece[0]) - 1), len(pieces)):
            first, stop, _ = pieces[index]
            if first >= end:
                break
            covered += max(0, min(stop, end) - max(first, start))
        return covered


Content: TypeAlias = bytes | Blocks


def size_of(content: Content) -> int:
    """Length in bytes."""
    return len(content) if type(content) is bytes else content.size_bytes  # type: ignore[union-attr]


def used_by(content: Content) -> int:
    """Space on the device, whole blocks."""
    used = len(content) if type(content) is bytes else content.used_bytes  # type: ignore[union-attr]
    return -(-used // BLOCK_BYTES) * BLOCK_BYTES


def read(content: Content, offset: int, count: int) -> bytes:
    """The bytes of the range as far as there are any."""
    if type(content) is bytes:
        return content if offset == 0 and count >= len(content) else content[offset : offset + count]
    return content.read(offset, count)  # type: ignore[union-attr]


def written(content: Content, offset: int, data: bytes) -> Content:
    """With ``data`` at ``offset``."""
    if type(content) is bytes:
        end = offset + len(data)
        if end <= SMALL_BYTES_MAX and len(content) <= SMALL_BYTES_MAX:
            if offset == 0 and end >= len(content):
                return bytes(data)
            return content[:offset].ljust(offset, b"\0") + data + content[end:]
        content = Blocks(content)
    content.write(offset, data)  # type: ignore[union-attr]
    return content


def truncated(content: Content, size_bytes: int) -> Content:
    """Cut, or grown with zeros."""
    if type(content) is bytes:
        if size_bytes <= SMALL_BYTES_MAX:
            return content[:size_bytes].ljust(size_bytes, b"\0")
        content = Blocks(content)
    content.truncate(size_bytes)  # type: ignore[union-attr]
    return content


def kept(content: Content) -> Content:
    """A version of its own, that later changes do not touch."""
    return content if type(content) is bytes else content.copy()  # type: ignore[union-attr]

"""The bytes of one response body, made when they are asked for. Nothing of HTTP's headers here."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from itertools import chain

from storcert.simulators.http_source.resource import Content

_STORED_MAX = 65_535


class Slice:
    """Bytes ``first .. first + size_bytes`` of a content."""

    __slots__ = ("_content", "_first", "size_bytes")

    def __init__(self, content: Content, first: int, size_bytes: int) -> None:
        self._content = content
        self._first = first
        self.size_bytes = size_bytes

    def read(self, offset: int, length: int) -> bytes:
        """Those of the range, fewer only at the end."""
        return self._content.read(self._first + offset, min(length, self.size_bytes - offset))


class Changed:
    """Another file of the same size: every byte differs."""

    __slots__ = ("_content", "size_bytes")
    _TABLE = bytes(byte ^ 0x5A for byte in range(256))

    def __init__(self, content: Content) -> None:
        self._content = content
        self.size_bytes = content.size_bytes

    def read(self, offset: int, length: int) -> bytes:
        """As the other file's, every byte turned."""
        return self._content.read(offset, length).translate(self._TABLE)


class Gzip:
    """A content as a gzip stream that only stores: the same bytes with every zlib, and its size known beforehand.

    Read forwards only, as a body is sent.
    """

    __slots__ = ("_at", "_left", "_made", "size_bytes")

    def __init__(self, content: Content) -> None:
        blocks = max(1, -(-content.size_bytes // _STORED_MAX))
        self.size_bytes = 10 + content.size_bytes + 5 * blocks + 8
        self._made = _gzip(content)
        self._left = b""
        self._at = 0

    def read(self, offset: int, length: int) -> bytes:
        """The next bytes."""
        if offset != self._at:
            raise ValueError("a compressed body is sent from its beginning to its end")
        while len(self._left) < length:
            piece = next(self._made, b"")
            if not piece:
                break
            self._left += piece
        found, self._left = self._left[:length], self._left[length:]
        self._at += len(found)
        return found


def _gzip(content: Content) -> Iterator[bytes]:
    size = content.size_bytes
    checksum = 0
    yield b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    for start in chain(range(0, size, _STORED_MAX), [0] if size == 0 else []):
        data = content.read(start, min(_STORED_MAX, size - start))
        checksum = zlib.crc32(data, checksum)
        last = start + len(data) >= size
        length = len(data)
        yield bytes([last]) + length.to_bytes(2, "little") + (length ^ 0xFFFF).to_bytes(2, "little") + data
    yield checksum.to_bytes(4, "little") + (size & 0xFFFFFFFF).to_bytes(4, "little")

"""Bytes of an object or a part: immutable pieces that are never joined until somebody reads across them, and digests."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from storcert.simulators.extents import period_of

_SMALL_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Digests:
    """What a server knows about one body after having received it."""

    md5: bytes
    crc32: int


@lru_cache(maxsize=64)
def _zeros(size_bytes: int) -> bytes:
    return bytes(size_bytes)


@lru_cache(maxsize=1024)
def _zero_digests(size_bytes: int) -> Digests:
    return _compute(_zeros(size_bytes))


def _compute(body: bytes) -> Digests:
    return Digests(hashlib.md5(body, usedforsecurity=False).digest(), zlib.crc32(body))


def digests_of(body: bytes) -> Digests:
    """MD5 and CRC-32 of ``body``; a block of zeros, the commonest body of a storage test, is hashed once per size."""
    return _zero_digests(len(body)) if _is_zeros(body) else _compute(body)


_zeros_seen: list[bytes] = [b""]


def _is_zeros(body: bytes) -> bool:
    """Whether it is more than a few bytes, all zero."""
    size = len(body)
    if size <= _SMALL_BYTES or body[0] or body[-1]:
        return False
    # A driver that makes a volume sends one block of zeros again and again. The comparison stops at the first other byte.
    if body is not _zeros_seen[0]:
        if body != _zeros(size):
            return False
        _zeros_seen[0] = body
    return True


class Repeated:
    """So many bytes of a pattern, of which one is kept."""

    __slots__ = ("_size", "_unit")

    def __init__(self, unit: bytes, size_bytes: int) -> None:
        self._unit = unit
        self._size = size_bytes

    def __len__(self) -> int:
        return self._size

    def cut(self, offset: int, length: int) -> Repeated:
        """A range of it, kept as small."""
        begin = offset % len(self._unit)
        return Repeated(self._unit[begin:] + self._unit[:begin], length)

    def part(self, offset: int, length: int) -> bytes:
        """The bytes of a range, fewer only at the end."""
        length = max(0, min(length, self._size - offset))
        begin = offset % len(self._unit)
        return (self._unit * (-(-(begin + length) // len(self._unit))))[begin : begin + length]


def received(body: bytes) -> tuple[Content, Digests]:
    """A body as it is kept, and what is known of it. Zeros and patterns cost one period of theirs."""
    if _is_zeros(body):
        return Content((Repeated(b"\0", len(body)),)), _zero_digests(len(body))
    unit = period_of(body)
    kept = body if len(unit) == len(body) else Repeated(unit, len(body))
    return Content((kept,)), _compute(body)


Piece: TypeAlias = bytes | Repeated


class Content:
    """A sequence of immutable pieces."""

    __slots__ = ("_pieces", "size_bytes")

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self._pieces = tuple(piece for piece in pieces if piece)
        self.size_bytes = sum(map(len, self._pieces))

    @classmethod
    def joined(cls, contents: Iterable[Content]) -> Content:
        """One content after the other, without copying a byte."""
        return cls(piece for content in contents for piece in content._pieces)

    def read(self, offset: int, length: int) -> bytes:
        """The bytes from ``offset``, at most ``length``. No copy where a whole piece is asked for."""
        if len(self._pieces) == 1:
            piece = self._pieces[0]
            if type(piece) is Repeated:
                return piece.part(offset, length)
            assert type(piece) is bytes
            return piece if offset == 0 and length >= len(piece) else piece[offset : offset + length]
        found: list[bytes | memoryview] = []
        for piece in self._pieces:
            if length <= 0:
                break
            if offset >= len(piece):
                offset -= len(piece)
                continue
            if isinstance(piece, Repeated):
                part: bytes | memoryview = piece.part(offset, length)
            else:
                part = memoryview(piece)[offset : offset + length]
            found.append(part)
            length -= len(part)
            offset = 0
        return b"".join(found)

    def slice(self, offset: int, length: int) -> Content:
        """A range as a content of its own."""
        if offset == 0 and length >= self.size_bytes:
            return self
        found: list[Piece] = []
        for piece in self._pieces:
            if length <= 0:
                break
            size = len(piece)
            if offset < size:
                amount = min(length, size - offset)
                if amount == size:
                    found.append(piece)
                else:
                    found.append(piece.cut(offset, amount) if isinstance(piece, Repeated) else piece[offset : offset + amount])
                length -= amount
            offset = max(0, offset - size)
        return Content(found)


def crc32_text(value: int) -> str:
    """A CRC-32 as S3 writes it: base64 of the big-endian bytes."""
    return base64.b64encode(value.to_bytes(4, "big")).decode("ascii")


def multipart_etag(part_md5s: Iterable[bytes]) -> str:
    """MD5 of the parts' MD5s and their number: never the MD5 of the bytes."""
    md5s = tuple(part_md5s)
    return f"{hashlib.md5(b''.join(md5s), usedforsecurity=False).hexdigest()}-{len(md5s)}"


def composite_crc32(part_crcs: Iterable[int]) -> str:
    """The checksum of a multipart object of type COMPOSITE."""
    crcs = tuple(part_crcs)
    joined = b"".join(crc.to_bytes(4, "big") for crc in crcs)
    return f"{crc32_text(zlib.crc32(joined))}-{len(crcs)}"

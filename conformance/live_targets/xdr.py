"""External data representation (RFC 4506), as much of it as ONC RPC and NFS version 3 need. Bytes in and out, no meaning."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Packer:
    """Builds one message."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def u32(self, *values: int) -> Packer:
        """Unsigned 32-bit numbers, enumerations, booleans."""
        self._pieces.append(struct.pack(f">{len(values)}I", *values))
        return self

    def u64(self, value: int) -> Packer:
        """One unsigned 64-bit number."""
        self._pieces.append(struct.pack(">Q", value))
        return self

    def fixed(self, data: bytes) -> Packer:
        """Opaque data of known length."""
        self._pieces.append(data + bytes(-len(data) % 4))
        return self

    def opaque(self, data: bytes) -> Packer:
        """Opaque data or a string, with its length."""
        return self.u32(len(data)).fixed(data)

    def maybe(self, value: int | None, put: Callable[[int], object]) -> Packer:
        """An optional number: a flag, and the number where there is one."""
        self.u32(int(value is not None))
        if value is not None:
            put(value)
        return self

    def done(self) -> bytes:
        """The message."""
        return b"".join(self._pieces)


class Unpacker:
    """Takes one message apart."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def u32(self) -> int:
        """One unsigned 32-bit number."""
        return int(struct.unpack(">I", self._take(4))[0])

    def u64(self) -> int:
        """One unsigned 64-bit number."""
        return int(struct.unpack(">Q", self._take(8))[0])

    def fixed(self, size: int) -> bytes:
        """Opaque data of known length."""
        data = self._take(size)
        self._take(-size % 4)
        return data

    def opaque(self) -> bytes:
        """Opaque data or a string, with its length."""
        return self.fixed(self.u32())

    def maybe(self, take: Callable[[], T]) -> T | None:
        """Something optional."""
        return take() if self.u32() else None

    def _take(self, size: int) -> bytes:
        if self._at + size > len(self._data):
            raise EOFError(f"a message of {len(self._data)} bytes ends where {size} more were due")
        self._at += size
        return self._data[self._at - size : self._at]

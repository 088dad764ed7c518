"""Bytes to store: cheap to make, different for every key, and different at every 4 KiB of an object.

Each block carries its own number, so that dropped, doubled and swapped parts show, and a digest of the key, so that bytes of
another object show. Nothing here is random: the same key and size give the same bytes on every machine.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

_BLOCK_BYTES = 4096
_NUMBER_BYTES = 8
_CACHED_BYTES_MAX = 1 << 16


def content(key: str, size: int) -> bytes:
    """``size`` bytes that no other key gives."""
    return _small(key, size) if size <= _CACHED_BYTES_MAX else _make(key, size)


@lru_cache(maxsize=512)
def _small(key: str, size: int) -> bytes:
    return _make(key, size)


@lru_cache(maxsize=4)
def _make(key: str, size: int) -> bytes:
    if size <= 0:
        return b""
    body = _body(key)
    blocks = -(-size // _BLOCK_BYTES)
    # The first eight bytes of a small object are its block number; fold the key in so that tiny objects differ too.
    start = int.from_bytes(body[:_NUMBER_BYTES], "big")
    numbers = ((start + number) % (1 << 64) for number in range(blocks))
    return b"".join([number.to_bytes(_NUMBER_BYTES, "big") + body for number in numbers])[:size]


@lru_cache(maxsize=256)
def _body(key: str) -> bytes:
    return hashlib.shake_128(key.encode("utf-8", "surrogatepass")).digest(_BLOCK_BYTES - _NUMBER_BYTES)


def first_difference(found: bytes, expected: bytes) -> str:
    """A phrase that says how ``found`` differs from ``expected``, for a person."""
    if len(found) != len(expected):
        shared = min(len(found), len(expected))
        kind = "only " if len(found) < len(expected) else ""
        tail = " (equal as far as they go)" if found[:shared] == expected[:shared] else ""
        return f"{kind}{len(found)} bytes instead of {len(expected)}{tail}"
    if found == expected:
        return "no difference"
    offset = next(index for index, (one, other) in enumerate(zip(found, expected, strict=True)) if one != other)
    return f"byte {offset} is 0x{found[offset]:02x} instead of 0x{expected[offset]:02x}"

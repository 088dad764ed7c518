"""Which writes of a guest do these bytes hold, and are they those of one moment? Pure functions of bytes and histories.

A device may keep unflushed writes back, in any order. What was flushed before another write began is on the device before
it. So bytes are those of one moment where three things hold: every write flushed before the call is there; no write that
began after the call is; and whoever finds a write finds every write that had been flushed when that one began. A block that
was being written may be a mixture, byte by byte, of two of its contents.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from storcert.conformance.guest import BLOCK_BYTES, Guest, Span, Written
from storcert.conformance.scenario import mixes
from storcert.conformance.violation import require


@dataclass(frozen=True, slots=True)
class Found:
    """Of one block: every write to it in order (number 0 is what was there first), the last one that is surely there, and
    the last one of which there is anything."""

    block: int
    versions: tuple[Written | None, ...]
    surely: int
    partly: int


def blocks_found(data: bytes, initial: bytes, guests: Iterable[Guest], what: str, rule: str) -> list[Found]:
    """What each block of the guests holds; every other byte must be as ``initial``."""
    require(len(data) == len(initial), f"{what} has {len(data)} bytes, the volume {len(initial)}", rule)
    written: dict[int, list[Written]] = {}
    for guest in guests:
        for one in guest.written:
            written.setdefault(one.block, []).append(one)
    rest_found, rest_due = bytearray(data), bytearray(initial)
    found = []
    for block in sorted(written):
        at = slice(block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES)
        found.append(_identify(block, data[at], initial[at], written[block], what, rule))
        rest_found[at] = rest_due[at] = b""[:0].ljust(len(data[at]), b"\0")
    if rest_found != rest_due:
        place = next(at for at, (one, other) in enumerate(zip(rest_found, rest_due, strict=True)) if one != other)
        require(False, f"{what}: byte {place} changed, and nobody wrote there", rule)
    return found


def _identify(block: int, data: bytes, first: bytes, written: Sequence[Written], what: str, rule: str) -> Found:
    contents = [first, *(one.data for one in written)]
    versions = (None, *written)
    for number in range(len(contents) - 1, -1, -1):
        if contents[number] == data:
            return Found(block, versions, number, number)
    for later in range(len(contents) - 1, 0, -1):
        for earlier in range(later - 1, -1, -1):
            if mixes(data, contents[earlier], contents[later]):
                return Found(block, versions, earlier, later)
    require(False, f"{what}: block {block} holds bytes that were never in it", rule)
    raise AssertionError("unreachable")


def require_range(found: Sequence[Found], span: Span, what: str, rule: str) -> None:
    """What was flushed before the call is there; what began after it is not."""
    for one in found:
        for number, write in enumerate(one.versions):
            if write is None:
                continue
            flushed_before = write.flushed_ns is not None and write.flushed_ns < span.begin_ns
            require(
                not flushed_before or one.surely >= number,
                f"{what}: {write.key} to block {one.block} was flushed before the call and is not in it",
                rule,
            )
        last = one.versions[one.partly]
        began_after = last is not None and span.end_ns is not None and last.invoke_ns > span.end_ns
        require(not began_after, f"{what}: {last.key if last else ''} began after the call returned and is in it", rule)


def require_one_moment(found: Sequence[Found], span: Span, what: str, rule: str) -> None:
    """The bytes are those of one moment of the call."""
    require_range(found, span, what, rule)
    for one in found:
        seen = one.versions[one.partly]
        if seen is None:
            continue
        for other in found:
            for number, write in enumerate(other.versions):
                if write is None or write.flushed_ns is None or write.flushed_ns >= seen.invoke_ns:
                    continue
                require(
                    other.surely >= number,
                    f"{what} mixes moments: {seen.key} of block {one.block} is in it, {write.key} of block {other.block}, "
                    "flushed before that one began, is not",
                    rule,
                )

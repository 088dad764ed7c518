"""Registers: the simplest objects there are, written and read whole. A model for the search, and a judge that needs none.

Where every written value is unique, who wrote what a reader saw is known, and no search is needed (Gibbons and Korach,
"Testing shared memories", 1997): a write and the reads of its value are a cluster, and must stand together in any order. The
zone of a cluster goes from the first of its returns to the last of its calls. There is an order if and only if nobody reads
before the write was made, no two clusters must each have a call before the other's, and nobody reads what was never written.
That is told from the zones after one sorting.

A write whose outcome is unknown is exact here too: seen by somebody, it happened, at any moment after its call; seen by
nobody, leaving it out forbids nothing. A read whose outcome is unknown says nothing. Pure functions.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from storcert.harness.checkers.precedence import NEVER

_ANYTHING: Any = object()


class Access(NamedTuple):
    """One access to a register. ``writes``: whether it is a write of ``value``, or a read that gave it. ``begin`` and ``end``:
    moments (:mod:`.precedence`); an end of ``NEVER``: outcome unknown."""

    writes: bool
    value: Hashable
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Zones:
    """``legal``: whether there is an order; ``None`` where a value was written twice, so that this way of judging does not
    apply. ``conflict``: numbers of the accesses that no order can hold, sorted; a few, and no fewer would do."""

    legal: bool | None
    conflict: tuple[int, ...] = ()


def step_of(history: Sequence[Access]) -> Callable[[Any, int], Sequence[Any]]:
    """The register as a model for :mod:`.search`: its state is its value."""
    following = [(one.value,) for one in history]
    seen = [_ANYTHING if one.writes else one.value for one in history]

    def step(state: Any, number: int) -> Sequence[Any]:
        before = seen[number]
        return following[number] if before is _ANYTHING or before == state else ()

    return step


def judge_unique(history: Sequence[Access], initial: Hashable = None) -> Zones:
    """Judge the accesses to one register that held ``initial`` first. The time is that of one sorting."""
    first_end: dict[Hashable, int] = {initial: -1}
    last_begin: dict[Hashable, int] = {initial: -1}
    written: dict[Hashable, int] = {initial: -1}
    for writes, value, begin, end in history:
        if writes:
            if value in written:
                return Zones(None)
            written[value] = begin
            first_end[value] = end
            last_begin[value] = begin
    read = {initial}
    note = read.add
    for writes, value, begin, end in history:
        if not writes and end != NEVER:
            if value not in written or end < written[value]:
                return Zones(False, _impossible(history, value, end))
            note(value)
            if begin > last_begin[value]:
                last_begin[value] = begin
            if end < first_end[value]:
                first_end[value] = end
    forward: list[tuple[int, int, Any]] = []
    backward: list[tuple[int, int, Any]] = []
    for value, end in first_end.items():
        begin = last_begin[value]
        if end < begin:
            forward.append((end, begin, value))
        elif end != NEVER:
            backward.append((begin, end, value))
    return _compare(history, forward, backward)


def _compare(
    history: Sequence[Access], forward: list[tuple[int, int, Any]], backward: list[tuple[int, int, Any]]
) -> Zones:
    """Clusters conflict where the first end of each is before the last begin of the other."""
    forward.sort(key=_begin_of)
    until, holder = -2, None
    for end, begin, value in forward:
        if end < until:
            return Zones(False, _clash(history, holder, value))
        until, holder = begin, value
    starts = [zone[0] for zone in forward]
    for begin, end, value in backward:
        at = bisect_left(starts, begin) - 1
        if at >= 0 and end < forward[at][1]:
            return Zones(False, _clash(history, forward[at][2], value))
    return Zones(True)


def _begin_of(zone: tuple[int, int, Any]) -> int:
    return zone[0]


def _impossible(history: Sequence[Access], value: Hashable, end: int) -> tuple[int, ...]:
    """The read that saw what was not yet, or never, written; and the write."""
    found = [
        number for number, one in enumerate(history) if one.value == value and (one.writes or one.end == end)
    ]
    reads = [number for number in found if not history[number].writes]
    return tuple(sorted([*(number for number in found if history[number].writes), reads[0]]))


def _clash(history: Sequence[Access], one: Hashable, other: Hashable) -> tuple[int, ...]:
    """Of both clusters the access that ends first, the one that begins last, and the write."""
    found: set[int] = set()
    for value in (one, other):
        members = [
            number
            for number, access in enumerate(history)
            if access.value == value and (access.writes or access.end != NEVER)
        ]
        if not members:
            continue
        found.add(min(members, key=lambda number: (history[number].end, number)))
        found.add(max(members, key=lambda number: (history[number].begin, -number)))
        found.update(number for number in members if history[number].writes)
    return tuple(sorted(found))

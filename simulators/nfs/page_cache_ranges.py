"""Sets of byte ranges: which bytes of a file are cached, dirty, or on the server but not yet safe. Arithmetic only."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator


class Ranges:
    """Disjoint, sorted, half-open ranges that never touch."""

    __slots__ = ("_ends", "_starts")

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def __bool__(self) -> bool:
        return bool(self._starts)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(tuple(zip(self._starts, self._ends, strict=True)))

    @property
    def end(self) -> int:
        """The first byte after the last range; 0 where there is none."""
        return self._ends[-1] if self._ends else 0

    @property
    def total(self) -> int:
        """How many bytes are in the set."""
        return sum(self._ends) - sum(self._starts)

    def add(self, start: int, end: int) -> None:
        """All of ``start .. end`` belongs to the set from now on."""
        if start >= end:
            return
        first = bisect_left(self._ends, start)
        last = bisect_right(self._starts, end)
        if first < last:
            start = min(start, self._starts[first])
            end = max(end, self._ends[last - 1])
        self._starts[first:last] = [start]
        self._ends[first:last] = [end]

    def discard(self, start: int, end: int) -> None:
        """Nothing of ``start .. end`` belongs to the set from now on."""
        if start >= end or not self._starts:
            return
        first = bisect_right(self._ends, start)
        last = bisect_left(self._starts, end)
        if first >= last:
            return
        left, right = self._starts[first], self._ends[last - 1]
        starts, ends = [], []
        if left < start:
            starts.append(left)
            ends.append(start)
        if right > end:
            starts.append(end)
            ends.append(right)
        self._starts[first:last] = starts
        self._ends[first:last] = ends

    def missing(self, start: int, end: int) -> list[tuple[int, int]]:
        """The parts of ``start .. end`` that are not in the set."""
        found = []
        at = start
        for index in range(bisect_right(self._ends, start), len(self._starts)):
            if self._starts[index] >= end:
                break
            if self._starts[index] > at:
                found.append((at, self._starts[index]))
            at = self._ends[index]
        if at < end:
            found.append((at, end))
        return found

    def clear(self) -> None:
        """The set is empty."""
        self._starts.clear()
        self._ends.clear()

"""Of a history without an order: the few operations that already have none, whatever became of all the others.

An operation that only looked, or was refused, can be left out: that forbids nothing. One that changes something cannot, because
what others saw may be explained by it. So it is made an operation of unknown outcome instead: it may have taken effect at any
moment after its call, or never. What is kept has no order even so; hence whoever sees only what is kept is not deceived, and
each operation kept is needed, because without what it says there is an order (or, rarely, none was found to be missing within
the budget).

What was called after the answer that fits in nowhere cannot explain it and goes first. Tests are counted, not timed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from storcert.harness.checkers.linearizability import Linearization, linearize
from storcert.harness.checkers.reference_model import State, observes
from storcert.harness.record.history import Operation, Status

TESTS_MAX = 300
TRIES_MAX = 60_000


@dataclass(frozen=True, slots=True)
class Core:
    """``operations``: what is kept, by call. ``stuck``: the one whose answer fits in nowhere. ``order``: the longest order of
    the kept ones. ``left_out``: how many operations of the history are not kept. ``minimal``: whether each kept one was shown
    to be needed."""

    operations: tuple[Operation, ...]
    stuck: Operation
    order: tuple[Operation, ...]
    left_out: int
    minimal: bool


def smallest(found: Linearization, start: State | None = None, *, deletes_repeat: bool = False) -> Core:
    """The core of a history without an order; ``found`` is what :func:`linearize` said of it, with the same options.

    Raises ``ValueError`` where ``found`` is no history without an order."""
    if found.legal is not False or found.stuck is None:
        raise ValueError("only a history without an order has a core")
    until_ns = found.stuck.return_ns
    search = _Reduction(found.part, start, deletes_repeat)
    kept = [
        number for number, one in enumerate(found.part) if until_ns is None or one.invoke_ns <= until_ns
    ]
    if not search.has_none(kept):
        kept = list(range(len(found.part)))
    size = max(len(kept) // 2, 1)
    while True:
        before = len(kept)
        kept = search.without_chunks(kept, size)
        if size == 1 and len(kept) == before:
            break
        size = max(min(size, len(kept)) // 2, 1)
    answer = search.last if search.last is not None else found
    operations = tuple(found.part[number] for number in kept)
    stuck = answer.stuck if _among(answer.stuck, operations) else found.stuck
    order = answer.order or search.judged(kept, always_search=True).order
    order = tuple(one for one in order if _among(one, operations))
    minimal = search.tests <= TESTS_MAX and search.certain
    return Core(operations, stuck or found.stuck, order, len(found.part) - len(operations), minimal)


class _Reduction:
    def __init__(self, part: Sequence[Operation], start: State | None, deletes_repeat: bool) -> None:
        self.part, self.start, self.deletes_repeat = part, start, deletes_repeat
        self.tests = 0
        self.certain = True
        self.last: Linearization | None = None

    def has_none(self, kept: Sequence[int]) -> bool:
        """Whether the kept operations have no order, whatever became of the others."""
        self.tests += 1
        if self.tests > TESTS_MAX:
            return False
        answer = self.judged(kept)
        if answer.legal is None:
            self.certain = False
        if answer.legal is False:
            self.last = answer
        return answer.legal is False

    def judged(self, kept: Sequence[int], *, always_search: bool = False) -> Linearization:
        """The kept operations as they are, and the others with nothing known of them but that they were called."""
        chosen = set(kept)
        history = [
            one if number in chosen else _weakened(one)
            for number, one in enumerate(self.part)
            if number in chosen or not observes(one)
        ]
        return linearize(
            history, self.start, TRIES_MAX, deletes_repeat=self.deletes_repeat, always_search=always_search
        )

    def without_chunks(self, kept: list[int], size: int) -> list[int]:
        """Leave out chunks of that many operations, the latest first."""
        at = len(kept)
        while at > 0:
            at = max(at - size, 0)
            fewer = kept[:at] + kept[at + size :]
            if len(fewer) < len(kept) and self.has_none(fewer):
                kept = fewer
        return kept


def _among(operation: Operation | None, operations: Sequence[Operation]) -> bool:
    """Whether it is one of them, and not merely equal to one."""
    return any(one is operation for one in operations)


def _weakened(operation: Operation) -> Operation:
    return replace(operation, status=Status.UNKNOWN, return_ns=None, error="")

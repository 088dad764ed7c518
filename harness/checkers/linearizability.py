"""Is there one order of the operations, true to their times, in which the reference model allows all they answered?

Wing-Gong search with memoisation over (operations done, state), made for short histories: the kit's programs have a dozen
or two operations and a few processes. A process asks one thing after the other: what it asked at the very instant its last
answer came is later all the same, while two processes that meet at an instant are at work at the same time. A copy is two
moments (its source is read, its destination appears), both between call and return, so it is two entries here, and so is a
snapshot, a clone or each block of a revert. An
operation with an unknown outcome may take effect at any moment after its call, or never. The search has a step budget;
past it the answer is ``None``, which is never a pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from storcert.harness.checkers.reference_model import DERIVING, State, Stored, init, lookup, step
from storcert.harness.record.history import Operation, Status

STEPS_MAX = 200_000
_NEVER_NS = 1 << 62
_PIECES = ("member", "peek", "pwrite-block", "revert-block")
_TWO_MOMENTS = (*DERIVING, "revert", "revert-block")


@dataclass(frozen=True, slots=True)
class Linearization:
    """``legal``: yes, no, or ``None`` where the budget ran out. ``stuck``: where there is no order, an operation that
    could not be placed in the longest attempt. ``final``: a state after a legal order."""

    legal: bool | None
    stuck: Operation | None
    final: State | None
    steps: int


@dataclass(frozen=True, slots=True)
class _Entry:
    operation: Operation
    invoke_ns: int
    return_ns: int
    reads_source: bool
    after: int  # index of the entry that looked at the source, or -1
    optional: bool
    first: int  # one bit per entry that must come before this one


def _entries(history: Sequence[Operation], deletes_repeat: bool) -> list[_Entry]:
    entries: list[_Entry] = []
    for operation in sorted(history, key=lambda item: (item.invoke_ns, item.process)):
        optional = operation.status is Status.UNKNOWN
        returns = _NEVER_NS if optional or operation.return_ns is None else operation.return_ns
        first = sum(1 << index for index, entry in enumerate(entries) if _same_process_before(entry, operation))
        if operation.verb in _TWO_MOMENTS and operation.status is not Status.FAILED:
            look = len(entries)
            entries.append(_Entry(operation, operation.invoke_ns, returns, True, -1, optional, first))
            entries.append(_Entry(operation, operation.invoke_ns, returns, False, look, optional, first | 1 << look))
        elif operation.verb == "delete" and deletes_repeat and operation.status is not Status.FAILED:
            once = len(entries)
            entries.append(_Entry(operation, operation.invoke_ns, returns, False, -1, optional, first))
            entries.append(_Entry(operation, operation.invoke_ns, returns, False, -1, optional, first | 1 << once))
        else:
            entries.append(_Entry(operation, operation.invoke_ns, returns, False, -1, optional, first))
    return entries


def _same_process_before(entry: _Entry, operation: Operation) -> bool:
    """Whether who asked for ``operation`` had the answer of ``entry`` by then. Looks of one listing, and blocks of one read
    or write, have no order."""
    earlier = entry.operation
    if earlier.process != operation.process or entry.return_ns > operation.invoke_ns:
        return False
    one_call = earlier.verb == operation.verb and earlier.verb in _PIECES and earlier.invoke_ns == operation.invoke_ns
    return not one_call


def linearize(
    history: Sequence[Operation],
    start: State | None = None,
    steps_max: int = STEPS_MAX,
    *,
    deletes_repeat: bool = False,
) -> Linearization:
    """Search for a legal order of ``history`` from ``start`` (default: the empty device).

    ``deletes_repeat``: a delete may take effect at two moments between call and return, as it does where a client library
    sends it again after a lost answer. The contract names the object to be deleted, not one generation of it.
    """
    entries = _entries(history, deletes_repeat)
    search = _Search(entries, steps_max)
    legal = search.run(init() if start is None else start)
    stuck = None if legal else search.stuck()
    return Linearization(legal, stuck, search.final, search.steps)


class _Search:
    def __init__(self, entries: list[_Entry], steps_max: int) -> None:
        self.entries = entries
        self.steps_max = steps_max
        self.steps = 0
        self.final: State | None = None
        self._seen: set[tuple[int, State, tuple[tuple[int, Stored | None], ...]]] = set()
        self._longest = 0

    def run(self, start: State) -> bool | None:
        everything = (1 << len(self.entries)) - 1
        needed = sum(1 << index for index, entry in enumerate(self.entries) if not entry.optional)
        stack: list[tuple[int, State, tuple[tuple[int, Stored | None], ...]]] = [(0, start, ())]
        while stack:
            done, state, captured = stack.pop()
            if done & needed == needed:
                self.final = state
                return True
            if (done, state, captured) in self._seen:
                continue
            self._seen.add((done, state, captured))
            self.steps += 1
            if self.steps > self.steps_max:
                return None
            if (done & needed).bit_count() > (self._longest & needed).bit_count():
                self._longest = done
            stack.extend(self._next(done, state, captured, everything))
        return False

    def _next(
        self, done: int, state: State, captured: tuple[tuple[int, Stored | None], ...], everything: int
    ) -> list[tuple[int, State, tuple[tuple[int, Stored | None], ...]]]:
        waiting = [index for index in range(len(self.entries)) if not done >> index & 1]
        horizon = min(self.entries[index].return_ns for index in waiting)
        following = []
        for index in reversed(waiting):
            entry = self.entries[index]
            if entry.invoke_ns > horizon or entry.first & ~done:
                continue
            here = done | 1 << index
            if entry.reads_source:
                found = lookup(state, entry.operation.source)
                if found is not None or entry.optional:
                    following.append((here, state, (*captured, (index, found))))
                continue
            seen = next((stored for at, stored in captured if at == entry.after), None)
            rest = tuple(pair for pair in captured if pair[0] != entry.after)
            following.extend((here, after, rest) for after in step(state, entry.operation, seen))
        return following

    def stuck(self) -> Operation | None:
        for index, entry in enumerate(self.entries):
            if not self._longest >> index & 1 and not entry.optional:
                return entry.operation
        return None

"""Is there one order of the operations, true to their times, in which the reference model allows all they answered?

A history is judged in parts: objects that nothing ties together (no copy, snapshot, clone or revert between them) are judged
each on its own, since a history has an order where each of its parts has one. A volume that only has blocks written and read is
as many registers as it has blocks, each judged without a search (:mod:`.registers`); everything else is searched
(:mod:`.search`). A copy is two moments (its source is read, its destination appears), both between call and return, so it is
two calls here, and so is a snapshot, a clone or each block of a revert. An operation with an unknown outcome may take effect at
any moment after its call, or never. The search has a budget, raised over the parts in turn; past it the answer is ``None``,
which is never a pass.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from storcert.harness.checkers.block_contents import block_value
from storcert.harness.checkers.precedence import NEVER, Calls, Timed, calls_of
from storcert.harness.checkers.reference_model import DERIVING, State, Stored, effect, init, lookup, observes
from storcert.harness.checkers.registers import Access, judge_unique
from storcert.harness.checkers.search import find_order
from storcert.harness.record.history import Operation, Status

TRIES_MAX = 1_000_000
FIRST_TRIES = 10_000
_PIECES = ("member", "peek", "pwrite-block", "revert-block")
_TWO_MOMENTS = (*DERIVING, "revert", "revert-block")
#: A state, and what operations of two moments saw of their sources so far, by the number of their first call.
_Place: TypeAlias = tuple[State, tuple[tuple[int, Stored], ...]]


@dataclass(frozen=True, slots=True)
class Linearization:
    """``legal``: yes, no, or ``None`` where the budget ran out. Where there is no order: ``part`` is the history of the objects
    that have none, ``order`` the longest one that was found, and ``stuck`` the operation whose answer fits in nowhere: up to
    its return, and not to any earlier one, the part has no order. ``tries``: how many effects were tried."""

    legal: bool | None
    stuck: Operation | None = None
    order: tuple[Operation, ...] = ()
    part: tuple[Operation, ...] = ()
    tries: int = 0


@dataclass(frozen=True, slots=True)
class _Call:
    operation: Operation
    looks: bool = False  # it is the moment at which the source is looked at
    after: int = -1  # number of the call that looked at the source
    again: bool = False  # it is the second time that a delete takes effect


@dataclass(frozen=True, slots=True)
class _Part:
    calls: Calls
    entries: tuple[_Call, ...]
    start: State


def linearize(
    history: Sequence[Operation],
    start: State | None = None,
    tries_max: int = TRIES_MAX,
    *,
    deletes_repeat: bool = False,
    always_search: bool = False,
) -> Linearization:
    """Search for a legal order of ``history`` from ``start`` (default: the empty device).

    ``deletes_repeat``: a delete may take effect at two moments between call and return, as it does where a client library
    sends it again after a lost answer. The contract names the object to be deleted, not one generation of it.
    ``always_search``: registers too, for who wants to see the longest order.
    """
    waiting = _parts(history, init() if start is None else start, deletes_repeat)
    tries, limit = 0, min(FIRST_TRIES, tries_max)
    while waiting:
        undecided = []
        for part in waiting:
            answer = (None if always_search else _of_registers(part)) or _searched(part, limit)
            tries += answer.tries
            if answer.legal is False:
                return Linearization(False, answer.stuck, answer.order, answer.part, tries)
            if answer.legal is None:
                undecided.append(part)
        if undecided and tries > tries_max:
            return Linearization(None, tries=tries)
        waiting, limit = undecided, min(4 * limit, tries_max)
    return Linearization(True, tries=tries)


# Parts


def _parts(history: Sequence[Operation], start: State, deletes_repeat: bool) -> list[_Part]:
    entries, needs, timed = _calls(history, deletes_repeat)
    calls = calls_of(timed)
    merged = {number: (*needs.get(number, ()), *calls.needs.get(number, ())) for number in (*needs, *calls.needs)}
    calls = Calls(calls.begins, calls.ends, merged)
    roots: dict[str, str] = {}

    def root(uri: str) -> str:
        while roots.setdefault(uri, uri) != uri:
            uri = roots[uri]
        return uri

    def tie(one: str, other: str) -> None:
        first, second = sorted((root(one), root(other)))
        roots[second] = first

    for number, entry in enumerate(entries):
        if entry.operation.source:
            tie(entry.operation.uri, entry.operation.source)
        for before in merged.get(number, ()):
            tie(entry.operation.uri, entries[before].operation.uri)
    members: dict[str, list[int]] = {}
    for number, entry in enumerate(entries):
        members.setdefault(root(entry.operation.uri), []).append(number)
    parts = []
    for name, numbers in members.items():
        place = {number: at for at, number in enumerate(numbers)}
        own = tuple(
            replace(entries[number], after=place.get(entries[number].after, -1)) for number in numbers
        )
        here = frozenset(pair for pair in start if root(pair[0]) == name)
        parts.append(_Part(calls.only(numbers), own, here))
    return parts


def _calls(
    history: Sequence[Operation], deletes_repeat: bool
) -> tuple[list[_Call], dict[int, tuple[int, ...]], list[Timed]]:
    """The calls of the search, what each needs of its own operation, and when they were made."""
    entries: list[_Call] = []
    needs: dict[int, tuple[int, ...]] = {}
    timed: list[Timed] = []
    for operation in sorted(history, key=lambda item: (item.invoke_ns, item.process)):
        end_ns = None if operation.status is Status.UNKNOWN else operation.return_ns
        group = operation.verb if operation.verb in _PIECES else ""
        number = len(entries)
        happens = operation.status is not Status.FAILED
        if happens and (operation.verb in _TWO_MOMENTS or (deletes_repeat and operation.verb == "delete")):
            # Two calls of one group, so that what the process asks next comes after both, and nothing but need orders these.
            group = group or f"{operation.verb} {number}"
            looks = operation.verb in _TWO_MOMENTS
            entries += [_Call(operation, looks=looks), _Call(operation, after=number if looks else -1, again=not looks)]
            needs[number + 1] = (number,)
            timed += [Timed(operation.process, operation.invoke_ns, end_ns, group)] * 2
            continue
        entries.append(_Call(operation))
        timed.append(Timed(operation.process, operation.invoke_ns, end_ns, group))
    return entries, needs, timed


# One part, searched


def _searched(part: _Part, limit: int) -> Linearization:
    entries = part.entries

    def step(place: _Place, number: int) -> Sequence[_Place]:
        state, captured = place
        entry = entries[number]
        operation = entry.operation
        if entry.looks:
            found = lookup(state, operation.source)
            return () if found is None else ((state, (*captured, (number, found))),)
        if entry.after < 0:
            return [(following, captured) for following in effect(state, operation)]
        seen = next((stored for at, stored in captured if at == entry.after), None)
        rest = tuple(pair for pair in captured if pair[0] != entry.after)
        return [(following, rest) for following in effect(state, operation, seen)]

    watching = [observes(entry.operation) for entry in entries]
    start: _Place = (part.start, ())
    alike = [_deed(entry, number) for number, entry in enumerate(entries)]
    found = find_order(part.calls, watching, step, start, limit, alike)
    if found.legal is not False:
        return Linearization(found.legal, tries=found.tries)
    order = tuple(entries[number].operation for number in found.calls if not entries[number].looks)
    return Linearization(False, entries[found.stuck].operation, order, _operations(part), found.tries)


def _deed(entry: _Call, number: int) -> Hashable:
    """Equal for calls that do the same in every state: what they do depends on nothing that only they have seen."""
    operation = entry.operation
    if entry.looks or entry.after >= 0:
        return number
    return (operation.verb, operation.uri, operation.value)


def _operations(part: _Part) -> tuple[Operation, ...]:
    return tuple(entry.operation for entry in part.entries if not entry.looks and not entry.again)


# One part, as registers


def _of_registers(part: _Part) -> Linearization | None:
    """The answer where the part is one volume of which only blocks are written and read; ``None`` where it is not."""
    if part.calls.needs or not any(entry.operation.verb == "pwrite-block" for entry in part.entries):
        return None
    made = _made_first(part)
    if made is None:
        return None
    stored, rest = made
    blocks: dict[int, list[int]] = {}
    accesses: dict[int, list[Access]] = {}
    for number in rest:
        operation = part.entries[number].operation
        if operation.status is Status.FAILED and operation.error not in ("ObjectExists", "ObjectNotFound"):
            continue
        if operation.verb == "pwrite-block" and operation.status is not Status.FAILED:
            block, value = operation.value
        elif operation.verb == "peek" and operation.status is Status.OK and len(operation.result) == 1:
            block, value = operation.value, next(iter(operation.result))
        elif not _sees(operation, stored):
            return None
        else:
            continue
        blocks.setdefault(block, []).append(number)
        accesses.setdefault(block, []).append(
            Access(operation.verb == "pwrite-block", value, part.calls.begins[number], part.calls.ends[number])
        )
    for block in sorted(accesses):
        answer = judge_unique(accesses[block], block_value(stored.content, block))
        if answer.legal is None:
            return None
        if not answer.legal:
            conflict = [part.entries[blocks[block][at]].operation for at in answer.conflict]
            looked = [one for one in conflict if one.verb == "peek"] or conflict
            stuck = max(looked, key=lambda one: (one.return_ns or 0, one.process))
            return Linearization(False, stuck, (), _operations(part), len(part.entries))
    return Linearization(True, tries=len(part.entries))


def _sees(operation: Operation, stored: Stored) -> bool:
    """Whether it is true of the volume at every moment, whatever its blocks hold."""
    if operation.status is not Status.OK:
        return False
    if operation.verb == "describe":
        return bool(operation.result == stored.size_bytes)
    return operation.verb == "nothing" or (operation.verb == "member" and bool(operation.result))


def _made_first(part: _Part) -> tuple[Stored, list[int]] | None:
    """What the volume was before anybody else came, and the calls of the others."""
    uri = part.entries[0].operation.uri
    stored = lookup(part.start, uri)
    if any(entry.operation.uri != uri for entry in part.entries):
        return None
    if stored is not None:
        return stored, list(range(len(part.entries)))
    first = part.entries[0].operation
    until = part.calls.ends[0]
    if first.verb not in ("create", "write") or first.status is not Status.OK:
        return None
    if until == NEVER or any(begin <= until for begin in part.calls.begins[1:]):
        return None
    return lookup(effect(init(), first)[0], uri), list(range(1, len(part.entries)))  # type: ignore[return-value]

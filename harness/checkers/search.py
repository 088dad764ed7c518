"""Is there one order of concurrent calls in which a model allows all they answered? The search of Wing and Gong with Lowe's
improvements, for any model.

It goes through calls and returns in the order of time and lets a call take effect as late as it can: when it returns, or when
one that returns cannot do without it. Calls that change nothing take effect as soon as the state allows what they said; that
never takes a way from the others. What is under way has a bit each, bits of calls that returned are used again, so that a
place in the search is a few small numbers and a state, and no place is looked at twice.

A call without an end may take effect at any moment after its begin, or never. So it takes effect only where that lets another
do what it could not have done before, of several alike the first is tried, and a place is not looked at where the same place
was looked at with fewer of them spent.

The number of tries is counted and limited; past the limit the answer is ``None``, which is never a yes.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from storcert.harness.checkers.precedence import NEVER, Calls

S = TypeVar("S", bound=Hashable)
#: The states that may follow when a call (by its number) takes effect in a state; none where it cannot have.
Step: TypeAlias = Callable[[S, int], Sequence[S]]
#: An order so far, last call first.
_Path: TypeAlias = "tuple[_Path, int] | None"
#: One event: whether it is a return, the call, its bit, and what else is under way (calls that end; how many that do not).
_Event: TypeAlias = tuple[bool, int, int, tuple[int, ...], int]
#: A place to go on from: the event, the state, the bits of what took effect, the order, the state before where the last effect
#: still has to prove useful, and whether only other ways than the direct one are left to try.
_Frame: TypeAlias = tuple[int, Any, int, _Path, Any, bool]
_PROVEN = object()


@dataclass(frozen=True, slots=True)
class Order:
    """``legal``: yes, no, or ``None`` where the limit was reached. ``calls``: the order found, or the longest one that was
    tried. ``stuck``: of a history without an order, the call whose return no order reaches; -1 otherwise. ``tries``: how many
    effects were tried."""

    legal: bool | None
    calls: tuple[int, ...]
    stuck: int
    tries: int


def find_order(
    calls: Calls, observes: Sequence[bool], step: Step[S], start: S, tries_max: int, alike: Sequence[Hashable] | None = None
) -> Order:
    """Search. ``observes``: which calls leave every state as it is; of those ``step`` gives the same state, or none.
    ``alike``: calls with equal values do the same in every state."""
    return _Search(calls, observes, step, tries_max, alike).run(start)


class _Search:
    """One search: the history as events, and the depth-first walk over them."""

    def __init__(
        self, calls: Calls, observes: Sequence[bool], step: Step[Any], tries_max: int, alike: Sequence[Hashable] | None
    ) -> None:
        self.observes, self.step, self.tries_max = observes, step, tries_max
        self.alike: Sequence[Hashable] = range(len(observes)) if alike is None else alike
        self.needs = calls.needs
        self.bits = [0] * len(calls.begins)
        self.endless: list[int] = []
        self.returned_at = [NEVER] * len(calls.begins)
        self.events = self._events(calls)
        self.endless_bits = sum(self.bits[one] for one in self.endless)
        self.tries = 0
        self._under_way: dict[int, tuple[list[int], list[int]]] = {}

    def _events(self, calls: Calls) -> list[_Event]:
        count = len(calls.begins)
        moments = [begin * 2 * count + number for number, begin in enumerate(calls.begins)]
        moments += [(end * 2 + 1) * count + number for number, end in enumerate(calls.ends) if end != NEVER]
        moments.sort()
        observes, needed = self.observes, {one for before in self.needs.values() for one in before}
        slots: list[int] = []
        free: list[int] = []
        bit_of = self.bits
        events: list[_Event] = []
        for moment in moments:
            number = moment % count
            if moment // count & 1:
                slot = bit_of[number]
                slots[slot] = -1
                self.returned_at[number] = len(events)
                events.append((True, number, 1 << slot, tuple(slots), len(self.endless)))
                # The bit of a call that others need stays its own, so that they can see it.
                if number not in needed:
                    free.append(slot)
                continue
            ends = calls.ends[number] != NEVER
            if not ends and observes[number]:
                continue
            slot = free.pop() if free and ends else len(slots)  # what does not end has a bit that nobody else ever had
            if slot == len(slots):
                slots.append(-1)
            bit_of[number] = slot
            if ends:
                slots[slot] = number
            else:
                self.endless.append(number)
            if observes[number]:
                events.append((False, number, 1 << slot, (), 0))
        for number, slot in enumerate(bit_of):
            bit_of[number] = 1 << slot
        return events

    def run(self, start: Any) -> Order:
        events, step, needs, endless_bits = self.events, self.step, self.needs, self.endless_bits
        length, observes = len(events), self.observes
        seen: dict[tuple[int, int, Any], tuple[int, ...]] = {}
        unproven: set[tuple[int, int, Any, Any]] = set()
        stack: list[_Frame] = [(0, start, 0, None, _PROVEN, False)]
        furthest, furthest_path = -1, None
        while stack:
            at, state, placed, path, before, others = stack.pop()
            if others:
                self._other_ways(stack, at, state, placed, path, before)
                continue
            while at < length:
                returns, number, bit, _, _ = events[at]
                if not returns:
                    self.tries += 1
                    if (not needs or self._may(number, at, placed)) and step(state, number):
                        placed |= bit
                        path = (path, number)
                        before = _PROVEN
                elif placed & bit:
                    placed ^= bit
                else:
                    break
                at += 1
            else:
                return Order(True, _listed(path), -1, self.tries)
            place = (at, placed & ~endless_bits, state)
            spent = placed & endless_bits
            known = seen.get(place)
            if known is not None and (spent in known or any(one & spent == one for one in known)):
                continue
            if before is _PROVEN:
                seen[place] = (spent,) if known is None else (*(one for one in known if spent & one != spent), spent)
            elif (at, placed, state, before) in unproven:
                continue
            else:
                unproven.add((at, placed, state, before))
            if at > furthest:
                furthest, furthest_path = at, path
            if self.tries > self.tries_max:
                return Order(None, _listed(furthest_path), -1, self.tries)
            number, bit = events[at][1:3]
            stack.append((at, state, placed, path, before, True))
            if not observes[number] and (not needs or self._may(number, at, placed)):
                self.tries += 1
                found = step(state, number) if before is _PROVEN else self._useful(state, number, before)
                for following in reversed(found):
                    stack.append(self._with_observers(at, following, placed | bit, (path, number), _PROVEN))
        return Order(False, _listed(furthest_path), events[furthest][1], self.tries)

    def _other_ways(self, stack: list[_Frame], at: int, state: Any, placed: int, path: _Path, before: Any) -> None:
        """All that may take effect before the call that returns here does; what lets it do so is tried first."""
        number, bit = self.events[at][1:3]
        changing, watching = self._at(at)
        step, bits, needs, endless_bits, tries = self.step, self.bits, self.needs, self.endless_bits, 0
        helping: list[_Frame] = []
        tried: set[Hashable] = set()
        for one in changing:
            its = bits[one]
            if placed & its or one == number or (needs and not self._may(one, at, placed)):
                continue
            endless = its & endless_bits
            if endless_bits:
                if endless and self.alike[one] in tried:
                    continue
                tried.add(self.alike[one])
            tries += 1
            for following in step(state, one) if before is _PROVEN else self._useful(state, one, before):
                if endless and following == state:
                    continue
                tries += len(watching)
                useful = state if endless else _PROVEN
                frame = self._with_observers(at, following, placed | its, (path, one), useful)
                (helping if frame[2] & bit else stack).append(frame)
        self.tries += tries
        stack.extend(reversed(helping))

    def _useful(self, state: Any, number: int, before: Any) -> Sequence[Any]:
        """The states that may follow, but those that the call would have led to without the last effect, which nothing
        demanded: that way the search goes too, and spends less."""
        found = self.step(state, number)
        self.tries += 1
        without = self.step(before, number)
        return [one for one in found if one not in without]

    def _at(self, at: int) -> tuple[list[int], list[int]]:
        """What is under way at an event: calls that may change something, those that end first; and calls that only look."""
        found = self._under_way.get(at)
        if found is None:
            _, number, _, others, endless = self.events[at]
            known = sorted((*(one for one in others if one >= 0), number))
            changing = [*(one for one in known if not self.observes[one]), *self.endless[:endless]]
            found = self._under_way[at] = (changing, [one for one in known if self.observes[one]])
        return found

    def _with_observers(self, at: int, state: Any, placed: int, path: _Path, before: Any) -> _Frame:
        """The place where everything that only looks, and is content with the state, has looked."""
        step, bits = self.step, self.bits
        for one in self._at(at)[1]:
            its = bits[one]
            if not placed & its and (not self.needs or self._may(one, at, placed)) and step(state, one):
                placed |= its
                path = (path, one)
                before = _PROVEN
        return (at, state, placed, path, before, False)

    def _may(self, number: int, at: int, placed: int) -> bool:
        """Whether all that the call needs has taken effect."""
        for before in self.needs.get(number, ()):
            if self.returned_at[before] >= at and not placed & self.bits[before]:
                return False
        return True


def _listed(path: _Path) -> tuple[int, ...]:
    found = []
    while path is not None:
        path, number = path
        found.append(number)
    return tuple(reversed(found))

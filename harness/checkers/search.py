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
#: One event: whether it is a return, the call, its bit.
_Event: TypeAlias = tuple[bool, int, int]
#: What is under way when a call returns: calls that end and may change something (if there are others than itself), calls that
#: only look, each with its bit; bits of the others that may change something; bits of those that look; how many do not end.
_UnderWay: TypeAlias = tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...], int, int, int]
#: A place to go on from: the event, the state, the bits of what took effect, the order, the state before where the last effect
#: still has to prove useful, and whether only other ways than the direct one are left to try.
_Frame: TypeAlias = tuple[int, Any, int, _Path, Any, bool]
_PROVEN = object()
_NOTHING: _UnderWay = ((), (), 0, 0, 0)


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
        self.endless: list[tuple[int, int]] = []
        self.returned_at = [NEVER] * len(calls.begins)
        self.under_way: list[_UnderWay] = []
        self.events = self._events(calls)
        self.endless_bits = sum(bit for _, bit in self.endless)
        self.tries = 0

    def _events(self, calls: Calls) -> list[_Event]:
        shift = len(calls.begins).bit_length()
        returns, number_bits = 1 << shift, (1 << shift) - 1
        moments = [(begin << shift + 1) + number for number, begin in enumerate(calls.begins)]
        moments += [(end << shift + 1) + returns + number for number, end in enumerate(calls.ends) if end != NEVER]
        moments.sort()
        observes, ends, needed = self.observes, calls.ends, {one for before in self.needs.values() for one in before}
        next_bit, free, newest = 1, list[int](), -1
        changing, watching = dict[int, int](), dict[int, int]()  # bits by call, sorted by call
        changing_bits = watching_bits = 0
        bits, endless, under_way = self.bits, self.endless, self.under_way
        events: list[_Event] = []
        for moment in moments:
            number = moment & number_bits
            looks = observes[number]
            if moment & returns:
                bit = bits[number]
                others = changing_bits & ~bit
                changes, looks_on = tuple(changing.items()) if others else (), tuple(watching.items()) if watching_bits else ()
                under_way.append((changes, looks_on, others, watching_bits, len(endless)))
                if looks:
                    del watching[number]
                    watching_bits ^= bit
                else:
                    del changing[number]
                    changing_bits = others
                self.returned_at[number] = len(events)
                events.append((True, number, bit))
                # The bit of a call that others need stays its own, so that they can see it.
                if number not in needed:
                    free.append(bit)
                continue
            ending = ends[number] != NEVER
            if looks and not ending:
                self.returned_at[number] = -1  # it says nothing, and nobody waits for it
                continue
            if free and ending:
                bit = free.pop()
            else:  # what does not end has a bit that nobody else ever had
                bit = next_bit
                next_bit <<= 1
            bits[number] = bit
            if not ending:
                endless.append((number, bit))
                changing_bits |= bit
                continue
            if looks:
                watching[number] = bit
                watching_bits |= bit
                under_way.append(_NOTHING)
                events.append((False, number, bit))
            else:
                changing[number] = bit
                changing_bits |= bit
            if number < newest:
                changing, watching = dict(sorted(changing.items())), dict(sorted(watching.items()))
            else:
                newest = number
        return events

    def run(self, start: Any) -> Order:
        events, under_way, step, needs, endless_bits = self.events, self.under_way, self.step, self.needs, self.endless_bits
        length, observes, tries_max = len(events), self.observes, self.tries_max
        seen: dict[tuple[int, int, Any], tuple[int, ...]] = {}
        unproven: set[tuple[int, int, Any, Any]] = set()
        stack: list[_Frame] = [(0, start, 0, None, _PROVEN, False)]
        furthest, furthest_path = -1, None
        tries = 0  # those made here
        while stack:
            at, state, placed, path, before, others = stack.pop()
            if others:
                self._other_ways(stack, at, state, placed, path, before)
                continue
            while True:  # the direct way: each call takes effect when it returns
                while at < length:
                    returns, number, bit = events[at]
                    if not returns:
                        tries += 1
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
                    return Order(True, _listed(path), -1, tries + self.tries)
                if not endless_bits:
                    place = (at, placed, state)
                    if place in seen:
                        break
                    seen[place] = ()
                elif self._known(seen, unproven, at, state, placed, before):
                    break
                if at > furthest:
                    furthest, furthest_path = at, path
                if tries + self.tries > tries_max:
                    return Order(None, _listed(furthest_path), -1, tries + self.tries)
                _, _, elsewhere, looking, _ = under_way[at]
                if elsewhere & ~placed:
                    stack.append((at, state, placed, path, before, True))
                if observes[number] or (needs and not self._may(number, at, placed)):
                    break
                tries += 1
                found = step(state, number) if before is _PROVEN else self._useful(state, number, before)
                if not found:
                    break
                path, placed, before = (path, number), placed | bit, _PROVEN
                for following in reversed(found[1:]):
                    stack.append(self._with_observers(at, following, placed, path, _PROVEN))
                state = found[0]
                if looking & ~placed:
                    _, _, placed, path, _, _ = self._with_observers(at, state, placed, path, _PROVEN)
        return Order(False, _listed(furthest_path), events[furthest][1], tries + self.tries)

    def _known(
        self, seen: dict[tuple[int, int, Any], tuple[int, ...]], unproven: set[tuple[int, int, Any, Any]],
        at: int, state: Any, placed: int, before: Any,
    ) -> bool:
        """Whether the place was looked at, with no more calls spent that do not end; if not, it is noted."""
        place = (at, placed & ~self.endless_bits, state)
        spent = placed & self.endless_bits
        known = seen.get(place)
        if known is not None and (spent in known or any(one & spent == one for one in known)):
            return True
        if before is _PROVEN:
            seen[place] = (spent,) if known is None else (*(one for one in known if spent & one != spent), spent)
            return False
        if (at, placed, state, before) in unproven:
            return True
        unproven.add((at, placed, state, before))
        return False

    def _other_ways(self, stack: list[_Frame], at: int, state: Any, placed: int, path: _Path, before: Any) -> None:
        """All that may take effect before the call that returns here does; what lets it do so is tried first."""
        changing, watching, elsewhere, looking, begun = self.under_way[at]
        bit = self.events[at][2]
        step, needs, endless_bits, tries, watched = self.step, self.needs, self.endless_bits, 0, len(watching)
        free = elsewhere & ~placed
        if begun:
            changing = (*changing, *self.endless[:begun])
        helping: list[_Frame] = []
        tried: set[Hashable] = set()
        for one, its in changing:
            if not free & its or (needs and not self._may(one, at, placed)):
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
                tries += watched
                useful, now = state if endless else _PROVEN, placed | its
                if looking & ~now:
                    frame = self._with_observers(at, following, now, (path, one), useful)
                    (helping if frame[2] & bit else stack).append(frame)
                else:
                    stack.append((at, following, now, (path, one), useful, False))
        self.tries += tries
        stack.extend(reversed(helping))

    def _useful(self, state: Any, number: int, before: Any) -> Sequence[Any]:
        """The states that may follow, but those that the call would have led to without the last effect, which nothing
        demanded: that way the search goes too, and spends less."""
        found = self.step(state, number)
        self.tries += 1
        without = self.step(before, number)
        return [one for one in found if one not in without]

    def _with_observers(self, at: int, state: Any, placed: int, path: _Path, before: Any) -> _Frame:
        """The place where everything that only looks, and is content with the state, has looked."""
        step, needs = self.step, self.needs
        for one, its in self.under_way[at][1]:
            if not placed & its and (not needs or self._may(one, at, placed)) and step(state, one):
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

"""Which of two calls certainly came first: moments of histories as whole numbers that can simply be compared.

One call is before another where it returned before the other was made. Processes that meet at an instant are at work at the
same time; but a process asks one thing after the other, also where no time passes between an answer and the next question.
So an instant may have an order inside it: everybody's calls, then answers and questions of the one process that asked on at
that instant, then everybody's answers. Where two processes asked on at the same instant no such order is true to both; then
what must come first is told call by call (``needs``).

Nothing here knows what calls do. Pure functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

#: Later than everything: the end of a call that nobody knows the outcome of.
NEVER = 1 << 62


@dataclass(frozen=True, slots=True)
class Timed:
    """When who called. ``end_ns`` is ``None`` where the outcome is unknown. Calls of one process that share a ``group`` and
    were made at one instant are pieces of one question, and have no order among themselves."""

    process: str
    begin_ns: int
    end_ns: int | None
    group: str = ""


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls by number. ``begins`` and ``ends``: moments; one call is before another where its end is smaller than the other's
    begin. An end of ``NEVER``: the call may have had no effect at all. ``needs``: for some calls, others that come before."""

    begins: Sequence[int]
    ends: Sequence[int]
    needs: Mapping[int, tuple[int, ...]] = field(default_factory=dict)

    def only(self, numbers: Sequence[int]) -> Calls:
        """These calls, numbered anew; what they need must be among them."""
        place = {number: at for at, number in enumerate(numbers)}
        needs = {place[one]: tuple(place[before] for before in self.needs[one]) for one in numbers if one in self.needs}
        return Calls([self.begins[one] for one in numbers], [self.ends[one] for one in numbers], needs)


def calls_of(timed: Sequence[Timed]) -> Calls:
    """Moments of these calls, which are sorted by begin, those of one process in the order in which it made them."""
    asked_on = _asked_on(timed)
    needs: dict[int, tuple[int, ...]] = {}
    begins: dict[int, tuple[int, int]] = {}
    ends: dict[int, tuple[int, int]] = {}
    for now_ns, pairs in asked_on.items():
        if len({timed[later].process for _, later in pairs}) > 1:
            for earlier, later in pairs:
                needs[later] = (*needs.get(later, ()), earlier)
        else:
            _order_inside(timed, now_ns, sorted({number for pair in pairs for number in pair}), begins, ends)
    last = 2 * len(timed) + 2
    first = [begins.get(number, (one.begin_ns, 0)) for number, one in enumerate(timed)]
    final = [
        (NEVER, 0) if one.end_ns is None else ends.get(number, (one.end_ns, last)) for number, one in enumerate(timed)
    ]
    ranks = {moment: rank for rank, moment in enumerate(sorted({*first, *final}))}
    ranks[NEVER, 0] = NEVER
    return Calls([ranks[one] for one in first], [ranks[one] for one in final], needs)


def _asked_on(timed: Sequence[Timed]) -> dict[int, list[tuple[int, int]]]:
    """By instant: pairs of an answer that came then and a later question of the same process at that very instant."""
    found: dict[int, list[tuple[int, int]]] = {}
    ended: dict[tuple[str, int], list[int]] = {}
    for number, one in enumerate(timed):
        for earlier in ended.get((one.process, one.begin_ns), ()):
            before = timed[earlier]
            if not (one.group and before.group == one.group and before.begin_ns == one.begin_ns):
                found.setdefault(one.begin_ns, []).append((earlier, number))
        if one.end_ns is not None:
            ended.setdefault((one.process, one.end_ns), []).append(number)
    return found


def _order_inside(
    timed: Sequence[Timed],
    now_ns: int,
    chain: Iterable[int],
    begins: dict[int, tuple[int, int]],
    ends: dict[int, tuple[int, int]],
) -> None:
    """Places of one process' questions and answers inside an instant: each question after the answers that went before it."""
    place, before = 1, ("", -1)
    for number in chain:
        one = timed[number]
        if one.begin_ns == now_ns:
            place += not (one.group and (one.group, one.begin_ns) == before)
            begins[number] = (now_ns, place)
        if one.end_ns == now_ns:
            ends[number] = (now_ns, place)
        before = (one.group, one.begin_ns)

"""What every L- rule is: something that sees the facts it asked for, one at a time, and is asked at the end of the run."""

from __future__ import annotations

from typing import ClassVar

from storcert.harness.checkers.facts import Broken, Fact, Finding
from storcert.harness.checkers.known import Known

BROKEN_MAX = 1000
"""So many texts of one rule are kept; the rest is counted."""


class _Tally:
    """What was looked at, and what of it broke the rule."""

    __slots__ = ("broken", "looked_at", "more")

    def __init__(self) -> None:
        self.looked_at = 0
        self.broken: list[Broken] = []
        self.more = 0


class Rule:
    """``identity``: which rule of the contract; ``sorts``: the facts that reach :meth:`see`. ``known``: what all facts before
    the present one say."""

    identity: ClassVar[str]
    sorts: ClassVar[tuple[str, ...]]

    def __init__(self, known: Known) -> None:
        self.known = known
        self._during = self._tally = _Tally()
        self._at_end = _Tally()

    def see(self, fact: Fact) -> None:
        """One fact, in order. Says :meth:`sound` or :meth:`broke` where it decides something."""

    def end(self, fact: Fact) -> None:
        """The run is at rest; ``fact`` says so. Judges what can be judged only then."""

    def conclude(self, fact: Fact) -> None:
        """:meth:`end`. A run may go on and come to rest again: what the last end came to is what counts."""
        self._tally = self._at_end = _Tally()
        self.end(fact)
        self._tally = self._during

    def sound(self, count: int = 1) -> None:
        """So many things were looked at and are as they should be."""
        self._tally.looked_at += count

    def broke(self, time_ns: int, text: str) -> None:
        """Something was looked at and breaks the rule."""
        tally = self._tally
        tally.looked_at += 1
        if len(tally.broken) < BROKEN_MAX:
            tally.broken.append(Broken(self.identity, text, time_ns))
        else:
            tally.more += 1

    def take_back(self) -> None:
        """Nothing that was seen before the end counts, after all."""
        self._during = self._tally = _Tally()

    def finding(self) -> Finding:
        """What it came to so far."""
        during, at_end = self._during, self._at_end
        return Finding(
            self.identity, during.looked_at + at_end.looked_at, (*during.broken, *at_end.broken), during.more + at_end.more
        )

"""Which trial has which number. A plan is decided by scenario and seed; a guided one also by what earlier trials reached, but
only by those so far back that nobody has to wait for them: the number of workers changes nothing."""

from __future__ import annotations

from bisect import bisect_left
from typing import Protocol

from storcert.scenarios.explore.outcome import Outcome
from storcert.scenarios.explore.space import Space
from storcert.scenarios.explore.swarm import Swarm
from storcert.scenarios.explore.trial import Trial

BLOCK = 128
"""Trials of a block may come of trials that ended before the last block began."""


class Plan(Protocol):
    """``size``: how many trials there are, ``None`` without end."""

    @property
    def size(self) -> int | None:
        """How many trials there are."""
        ...

    def ready(self, number: int, outcome: Outcome) -> bool:
        """Whether enough is known to say what that trial is."""
        ...

    def trial(self, number: int, outcome: Outcome) -> Trial:
        """That trial. The scenario itself is number 0."""
        ...


class Drawn:
    """Variations drawn at random."""

    size = None

    def __init__(self, swarm: Swarm, base: Trial, *, guided: bool) -> None:
        self._swarm = swarm
        self._base = base
        self._guided = guided

    def ready(self, number: int, outcome: Outcome) -> bool:
        """Whether all trials it may come of are known."""
        return not self._guided or outcome.trials >= _known(number)

    def trial(self, number: int, outcome: Outcome) -> Trial:
        """That trial."""
        if number == 0:
            return self._base
        parents = outcome.parents[: bisect_left(outcome.parents, _known(number), key=lambda one: one[0])]
        return self._swarm.draw(number, parents if self._guided else ())


class Counted:
    """Every point of a space."""

    def __init__(self, space: Space, base: Trial) -> None:
        self.space = space
        self._base = base

    @property
    def size(self) -> int:
        """All points, and the scenario itself."""
        return len(self.space) + 1

    def ready(self, number: int, outcome: Outcome) -> bool:
        """Always."""
        return True

    def trial(self, number: int, outcome: Outcome) -> Trial:
        """That trial."""
        return self._base if number == 0 else self.space.trial(number - 1)


def _known(number: int) -> int:
    """Trials below that number may be parents."""
    return max(0, number // BLOCK - 1) * BLOCK

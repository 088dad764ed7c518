"""One run of a scenario once more, whole or up to a moment. Going back is going there again: a run is decided by its scenario
and its seed, so the world that stands there is the same to the bit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from storcert.harness.kernel.interpose import installed
from storcert.scenarios.format.scenario import Scenario
from storcert.scenarios.region import Region
from storcert.scenarios.result import ScenarioResult
from storcert.scenarios.runner.onlooker import Onlooker
from storcert.scenarios.runner.play import play
from storcert.scenarios.runner.run import play_planted, run_scenario

Look: TypeAlias = Callable[[Region, int], "int | None"]
"""Called with the region and the number of the last event; gives the number of the event to stop after next, ``None`` for none.
The region stands still, between two events of its loop: nothing runs, and nobody may change anything."""


class Left(Exception):
    """Whoever looked at a moment has seen enough of the run."""


@dataclass(frozen=True, slots=True)
class Case:
    """What decides one run. ``scenario``: of class ``negative`` where the run is the one on its defect, otherwise without one.
    ``elsewhere``: on other devices than it was written for (see ``run_scenario``)."""

    scenario: Scenario
    seed: int
    until_ns: int | None = None
    elsewhere: bool = False

    @classmethod
    def of(
        cls, scenario: Scenario, seed: int, until_ns: int | None = None, *, elsewhere: bool = False, on_defect: bool = False
    ) -> Case:
        """The run without a defect, or the one on it. Raises ``ValueError`` where there is none to be on."""
        if on_defect or scenario.class_ == "negative":
            if scenario.defect is None:
                raise ValueError(f"scenario {scenario.name} names no defect")
            one = scenario.model_copy(update={"class_": "negative"})
        elif scenario.class_ == "regression":
            one = scenario.model_copy(update={"class_": "own", "defect": None})
        else:
            one = scenario
        return cls(one, seed, until_ns, elsewhere)


def again(case: Case) -> ScenarioResult:
    """The whole run, with all its events. Raises as ``run_scenario``."""
    with installed():
        return run_scenario(case.scenario, case.seed, case.until_ns, elsewhere=case.elsewhere)


def visit(case: Case, number: int, look: Look) -> bool:
    """Run up to just after event ``number`` of the journal, counted from 1, and look; go on as long as that says where to stop
    next. Whether the run was left early: by :class:`Left`, or because nobody wanted to see more.

    Several events may happen in one go; then it stops after the last of them. A run that is shorter stops at its end."""
    halting = _Halting(number, look)
    try:
        with installed():
            if case.scenario.class_ == "negative" and case.scenario.defect is not None:
                play_planted(case.scenario, case.scenario.defect, case.seed, case.until_ns, "all", onlooker=halting)
            else:
                play(case.scenario, case.seed, case.until_ns, onlooker=halting)
    except Left:
        return True
    return False


class _Halting(Onlooker):
    """Looks after certain events."""

    def __init__(self, number: int, look: Look) -> None:
        self._look = look
        self._number: int = number
        self._region: Region | None = None
        self._waiting = False
        self._over = False

    def begins(self, region: Region) -> None:
        self._region = region
        region.kernel.journal.listen_to_all(self._hear)
        if self._number <= len(region.kernel.journal):
            self._halt()

    def over(self, region: Region) -> None:
        """The run ended before what was to be seen, or with it. What happens in its world from now on is no part of it."""
        self._over = True
        look = self._look(region, len(region.kernel.journal))
        if look is None:
            raise Left

    def _hear(self, *_: object) -> None:
        region = self._region
        assert region is not None
        if len(region.kernel.journal) >= self._number and not self._waiting and not self._over:
            self._halt()

    def _halt(self) -> None:
        assert self._region is not None
        self._waiting = True
        self._region.kernel.interlude(self._here)

    def _here(self) -> None:
        if self._over:
            return
        region = self._region
        assert region is not None
        self._waiting = False
        following = self._look(region, len(region.kernel.journal))
        if following is None:
            raise Left
        self._number = following

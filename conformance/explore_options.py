"""What ``storcert explore`` is asked to do, checked before anything runs: which scenario, how many runs, how long, and who."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from storcert.conformance.options import SEED_MAX
from storcert.conformance.real_time import seconds_of
from storcert.conformance.scenario_options import run_options
from storcert.conformance.usage import InvalidUsage
from storcert.scenarios.defects.defect import Defect, UnknownDefect, named
from storcert.scenarios.format.scenario import Scenario

RUNS = 500
"""So many variations are drawn where neither runs nor a budget is said."""
RUNS_MAX = 1_000_000_000
SHRINK_RUNS = 400


@dataclass(frozen=True, slots=True)
class ExploreOptions:
    """``runs`` ``None``: as many as there is time for, or all there are. ``budget_s``: real time. ``defect``: what is planted
    in the program, of a scenario of class negative. ``shrink_runs``: so many runs at most make one finding smaller; 0: none."""

    scenario: Scenario
    seed: int
    runs: int | None
    budget_s: float | None = None
    exhaustive: bool = False
    workers: int = 1
    scheduler: str = ""
    shrink_runs: int = SHRINK_RUNS
    defect: Defect | None = None

    def to_json(self) -> dict[str, Any]:
        """For the record's ``options``: what was asked for; who ran it is not part of it."""
        return {
            "scenario": self.scenario.name, "seed": self.seed, "runs": self.runs, "budget_s": self.budget_s,
            "exhaustive": self.exhaustive, "shrink_runs": self.shrink_runs,
            "defect": self.defect.id if self.defect is not None else "",
        }


def explore_options(
    scenario: str, *, runs: int | None = None, budget: str | None = None, exhaustive: bool = False, workers: int = 1,
    scheduler: str | None = None, seed: int | None = None, shrink_runs: int = SHRINK_RUNS,
) -> ExploreOptions:
    """Check everything a user can say. Raises :class:`InvalidUsage`, one line each."""
    found = run_options([scenario]).scenarios
    if len(found) != 1:
        raise InvalidUsage(f"{scenario}: that is {len(found)} scenarios; explore one of them")
    if runs is not None and not 1 <= runs <= RUNS_MAX:
        raise InvalidUsage(f"--runs {runs}: how many variations, from 1 to {RUNS_MAX:,}")
    if seed is not None and not 0 <= seed <= SEED_MAX:
        raise InvalidUsage(f"--seed {seed}: a whole number from 0 to {SEED_MAX}")
    if not 1 <= workers <= 256:
        raise InvalidUsage(f"--workers {workers}: processes, from 1 to 256")
    if not 0 <= shrink_runs <= RUNS_MAX:
        raise InvalidUsage(f"--shrink-runs {shrink_runs}: a whole number, 0 for none")
    if scheduler is not None and workers != 1:
        raise InvalidUsage("--workers and --scheduler: either processes of this machine or those of a cluster")
    budget_s = seconds_of("--budget", budget)
    if runs is None and budget_s is None and not exhaustive:
        runs = RUNS
    return ExploreOptions(
        found[0], found[0].seeds[0] if seed is None else seed, runs, budget_s, exhaustive, workers, scheduler or "",
        shrink_runs, _defect(found[0]))


def _defect(scenario: Scenario) -> Defect | None:
    """What must go wrong in a negative scenario is looked for in the program that has it; otherwise in the program as it is."""
    if scenario.class_ != "negative" or scenario.defect is None:
        return None
    try:
        return named(scenario.defect.id)
    except UnknownDefect:
        raise InvalidUsage(f"{scenario.name}: there is no defect {scenario.defect.id!r}; see `storcert list defects`") from None

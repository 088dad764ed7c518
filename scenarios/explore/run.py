"""One trial, done: a scenario is run with a seed, and what came of it is put down. What runs it is imported late, because a
planted defect stands in another copy of it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from storcert.harness.contract import StorageError
from storcert.harness.record.verdict import Verdict
from storcert.scenarios.explore.lines import LineWatch, driver_files
from storcert.scenarios.explore.normal import Normal
from storcert.scenarios.explore.terrain import Asked, Surveyor, Terrain
from storcert.scenarios.explore.trial import EXPECTED, Break, Cell, Trial, TrialResult
from storcert.scenarios.format.legality import strikes
from storcert.scenarios.format.scenario import Scenario
from storcert.scenarios.result import Played, ScenarioResult

RUN = "storcert.scenarios.runner.run"
PLAY = "storcert.scenarios.runner.play"


@dataclass(frozen=True, slots=True)
class RunTrial:
    """The task of doing a trial."""

    trial: Trial

    def do(self, watch: LineWatch | None) -> TrialResult:
        """Do it here."""
        if watch is not None:
            watch.begin(driver_files(self.trial.scenario))
        found = run_trial(self.trial.scenario, self.trial.seed)
        return found if watch is None else replace(found, lines=watch.take())


@dataclass(frozen=True, slots=True)
class Survey:
    """The task of finding out what a scenario does by itself."""

    scenario: Scenario
    seed: int

    def do(self, watch: LineWatch | None) -> Surveyed:
        """Do it here. Raises what the run raises."""
        surveyor = Surveyor(self.scenario)
        importlib.import_module(PLAY).play(self.scenario, self.seed, onlooker=surveyor)
        return Surveyed(surveyor.terrain, tuple(surveyor.asked_for))


@dataclass(frozen=True, slots=True)
class Surveyed:
    """``asked``: what the clients of workloads asked for, in order."""

    terrain: Terrain
    asked: tuple[Asked, ...]


def run_trial(scenario: Scenario, seed: int) -> TrialResult:
    """What a run comes to where only rules count. What the kit itself cannot do is part of the result, as an error."""
    try:
        result: ScenarioResult = importlib.import_module(RUN).run_scenario(scenario, seed, elsewhere=True, keep=0)
    except (ValueError, StorageError) as error:
        # Its region cannot even begin, as when a link is slower than a client of a device waits: nothing is tried then.
        return TrialResult(Verdict.SKIPPED, error=f"cannot be run: {error}")
    except Exception as error:  # noqa: BLE001  (a run that the kit could not finish is told as such, and the others go on)
        return TrialResult(Verdict.ERROR, error=f"{type(error).__name__}: {error}")
    played = result.shown
    operations = sum(one.count for one in played.operations) + len(played.steps)
    looked = tuple(rule.rule for rule in result.rules if rule.verdict in (Verdict.PASS, Verdict.FAIL))
    return TrialResult(
        result.verdict, tuple(_breaks(scenario, result)), tuple(struck(scenario, played)), looked, operations, played.lasted_ns,
        played.digest)


def _breaks(scenario: Scenario, result: ScenarioResult) -> Iterator[Break]:
    """The first of each kind; what does not depend on order, in the order of rules."""
    normal = Normal(scenario)
    seen: set[tuple[str, str]] = set()
    for rule in result.rules:
        if rule.verdict is not Verdict.FAIL:
            continue
        for broken in rule.broken:
            key = normal.key(broken.text)
            if (rule.rule, key) not in seen:
                seen.add((rule.rule, key))
                yield Break(rule.rule, key, broken.text, broken.time_ns)
    for problem in result.problems:
        key = normal.key(problem)
        if (EXPECTED, key) not in seen:
            seen.add((EXPECTED, key))
            yield Break(EXPECTED, key, problem)


def struck(scenario: Scenario, played: Played) -> Iterator[tuple[Cell, int]]:
    """Each fault of the scenario as a cell, and how often it struck."""
    known: dict[tuple[str, str], Cell] = {}
    for _, strike in strikes(scenario):
        fault: Any = strike.armed()
        known[strike.place, str(fault)] = Cell(strike.place, strike.operation, strike.fault, strike.phase)
    counts: dict[Cell, int] = {}
    for one in played.faults:
        cell = known.get((one.place, one.text))
        if cell is not None:
            counts[cell] = counts.get(cell, 0) + one.strikes
    yield from sorted(counts.items())

"""Delta debugging of a scenario: parts are left out in ever smaller groups, what is left is made smaller value by value,
clients become steps; again until nothing more can go. Then each part that is left is left out once, to show that it is needed.

Everything is tried with the same seed, and counts only where the same rule breaks in the same words (names and numbers aside).
How far it gets is decided by a number of runs, so that it gets as far everywhere; time is only the second limit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from storcert.scenarios.explore.lines import LineWatch
from storcert.scenarios.explore.run import Survey, run_trial
from storcert.scenarios.explore.trial import Trial
from storcert.scenarios.format.read import from_json
from storcert.scenarios.format.scenario import Scenario
from storcert.scenarios.runner.resolve import resolve
from storcert.scenarios.shrink.footprint import Footprint, concrete, footprint, recounted
from storcert.scenarios.shrink.parts import Part, parts, told, without
from storcert.scenarios.shrink.smaller import smaller
from storcert.scenarios.shrink.unroll import unrolled

RUNS = 400
TIME_S = 300.0
PROOF_S = 120.0
"""More time for showing what is needed."""
NOTHING_LEFT = "nothing can be run without it"
STEPS = ("prepare", "step", "afterwards")
Fails = Callable[[Scenario, int], bool]


@dataclass(frozen=True, slots=True)
class Shrunk:
    """``scenario``: the smallest that was found. ``runs``: how many it took. ``cut_short``: why it may be larger than it must
    be, or empty. ``necessary``: parts in words, each shown by a run without it; ``unproven``: the others, with why.
    ``digest``: of the run of it, empty where that is not known."""

    scenario: Scenario
    runs: int
    cut_short: str
    necessary: tuple[str, ...]
    unproven: tuple[str, ...]
    digest: str = ""

    def to_json(self) -> dict[str, Any]:
        """For the diary of an exploration."""
        return {
            "scenario": self.scenario.to_json(), "runs": self.runs, "cut_short": self.cut_short,
            "necessary": list(self.necessary), "unproven": list(self.unproven), "digest": self.digest,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Shrunk:
        """Inverse of :meth:`to_json`. Raises ``KeyError`` or ``ValueError`` for anything else."""
        return cls(
            from_json(value["scenario"]), int(value["runs"]), str(value["cut_short"]), tuple(value["necessary"]),
            tuple(value["unproven"]), str(value["digest"]))


@dataclass(frozen=True, slots=True)
class Shrink:
    """The task of making the scenario of a trial smaller, in which ``rule`` broke in the words of ``key``."""

    trial: Trial
    rule: str
    key: str
    runs_max: int = RUNS
    time_s: float = TIME_S

    def do(self, watch: LineWatch | None) -> Shrunk:
        """Do it here. Raises ``ValueError`` where the trial does not break the rule in those words."""
        found = shrunk(self.trial.scenario, self.trial.seed, self._fails, self.runs_max, self.time_s)
        return replace(found, digest=run_trial(found.scenario, self.trial.seed).digest)

    def _fails(self, scenario: Scenario, seed: int) -> bool:
        found = run_trial(scenario, seed)
        return any(broken.rule == self.rule and broken.key == self.key for broken in found.breaks)


def shrunk(scenario: Scenario, seed: int, fails: Fails, runs_max: int = RUNS, time_s: float = TIME_S) -> Shrunk:
    """The smallest scenario with which ``fails`` still says yes. Raises ``ValueError`` where it does not even for this one."""
    search = _Search(seed, fails, runs_max, time.monotonic() + time_s)
    current = resolve(scenario, seed)
    if not search.fails(current, limited=False):
        raise ValueError("the scenario does not fail in this way")
    search.best = current
    try:
        current = search.with_concrete_faults(current)
        while True:
            before = current
            current = search.with_fewer_parts(current)
            current = search.without_clients(current)
            current = search.with_less(current)
            if current == before:
                break
    except _CutShort:
        current = search.best
    necessary, unproven = search.proof(current)
    return Shrunk(current, search.runs, search.cut_short, tuple(necessary), tuple(unproven))


class _CutShort(Exception):
    """No more runs, or no more time."""


@dataclass(slots=True)
class _Search:
    seed: int
    judge: Fails
    runs_max: int
    end_s: float
    runs: int = 0
    cut_short: str = ""
    known: dict[str, bool] = field(default_factory=dict)
    best: Scenario = field(init=False)
    _seen: tuple[str, Footprint] | None = None

    def fails(self, scenario: Scenario, *, limited: bool = True) -> bool:
        """Run it, unless that was done."""
        digest = scenario.digest()
        found = self.known.get(digest)
        if found is None:
            if limited:
                self._refuse()
            self.runs += 1
            found = self.known[digest] = self.judge(scenario, self.seed)
        if found and limited:
            self.best = scenario
        return found

    def _refuse(self) -> None:
        if self.runs >= self.runs_max:
            self.cut_short = f"cut short after {self.runs} runs"
        elif time.monotonic() >= self.end_s:
            self.cut_short = f"cut short by time after {self.runs} runs"
        if self.cut_short:
            raise _CutShort

    # -- parts

    def with_fewer_parts(self, scenario: Scenario) -> Scenario:
        """Groups of parts are left out, half of all at first, in the end one by one until none can be."""
        size = max(1, len(parts(scenario)) // 2)
        while True:
            scenario, changed = self._once(scenario, size)
            if size > 1:
                size //= 2
            elif not changed:
                return scenario

    def _once(self, scenario: Scenario, size: int) -> tuple[Scenario, bool]:
        at, changed = 0, False
        while at < len(found := parts(scenario)):
            candidate = without(scenario, frozenset(found[at : at + size]))
            smaller = next(filter(self.fails, self._candidates(scenario, candidate)), None)
            if smaller is not None:
                scenario, changed = smaller, True
            else:
                at += size
        return scenario, changed

    def _candidates(self, scenario: Scenario, candidate: Scenario | None) -> Iterator[Scenario]:
        """Without some parts; where steps are among them, first with faults that count less."""
        if candidate is None or candidate == scenario:
            return
        if candidate.fault and any(len(getattr(candidate, part)) < len(getattr(scenario, part)) for part in STEPS):
            yield recounted(scenario, candidate, self._footprint(scenario))
        yield candidate

    def _footprint(self, scenario: Scenario) -> Footprint:
        digest = scenario.digest()
        if self._seen is None or self._seen[0] != digest:
            self._refuse()
            self.runs += 1
            self._seen = digest, footprint(scenario, self.seed)
        return self._seen[1]

    def with_concrete_faults(self, scenario: Scenario) -> Scenario:
        """Faults that name the request they strike, where it fails so too."""
        if all(fault.operation != "*" for fault in scenario.fault):
            return scenario
        candidate = concrete(scenario, self._footprint(scenario))
        return candidate if self.fails(candidate) else scenario

    # -- clients

    def without_clients(self, scenario: Scenario) -> Scenario:
        """The operations of workloads as steps, where it fails so too."""
        if not scenario.workload:
            return scenario
        scenario = self.with_less(scenario)
        self._refuse()
        self.runs += 1
        candidate = unrolled(scenario, Survey(scenario, self.seed).do(None).asked)
        if candidate is None or not self.fails(candidate):
            return scenario
        return self.with_fewer_parts(candidate)

    # -- values

    def with_less(self, scenario: Scenario) -> Scenario:
        """Every value as small as it can be."""
        turn = 0
        while True:
            for number, candidate in enumerate(smaller(scenario)):
                if number < turn:
                    continue
                turn = number
                if self.fails(candidate):
                    scenario = candidate  # the next one in its place may make it smaller still
                    break
            else:
                return scenario

    # -- what is needed

    def proof(self, scenario: Scenario) -> tuple[list[str], list[str]]:
        """Each part, left out by itself: those without which it does not fail, and those of which that is not shown."""
        necessary: list[str] = []
        unproven: list[str] = []
        for part in _in_reading_order(scenario):
            candidate = without(scenario, frozenset((part,)))
            if candidate is None:
                unproven.append(f"{told(scenario, part)} ({NOTHING_LEFT})")
            elif time.monotonic() >= self.end_s + PROOF_S:
                unproven.append(f"{told(scenario, part)} (no time)")
            elif self.fails(candidate, limited=False):
                unproven.append(f"{told(scenario, part)} (it fails without it, too)")
            else:
                necessary.append(told(scenario, part))
        return necessary, unproven


def _in_reading_order(scenario: Scenario) -> list[Part]:
    order = ("zone", "device", "web", "link", "port", "prepare", "workload", "fault", "nemesis", "schedule", "step",
             "afterwards")
    return sorted(parts(scenario), key=lambda part: (order.index(part.key), part.number, part.inner))

"""Which requests a run made, and which of its steps was being taken: what a fault that counts requests would count without some
of the steps. A fault at the fourteenth request is one at the ninth when a step that made five is left out."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from storcert.harness.record.fault import Fault as Armed
from storcert.scenarios.explore.terrain import place_of
from storcert.scenarios.format import faults
from storcert.scenarios.format.load import Phase
from storcert.scenarios.format.scenario import Scenario
from storcert.scenarios.format.steps import Step
from storcert.scenarios.region import Region
from storcert.scenarios.runner.onlooker import Onlooker
from storcert.scenarios.runner.script import label

PLAY = "storcert.scenarios.runner.play"
_STEPS = ("prepare", "step", "afterwards")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: when, by whom, which faults struck it."""

    time_ns: int
    operation: str
    location: str
    struck: tuple[Armed, ...]


@dataclass(frozen=True, slots=True)
class Footprint:
    """``requests``: by place, since faults could strike. ``windows``: from when to when each step was taken, by its label.
    ``begin_ns``: when faults were first armed."""

    requests: Mapping[str, Sequence[Asked]]
    windows: Mapping[str, tuple[int, int]]
    begin_ns: int

    def counted(self, fault: faults.Fault) -> Iterator[Asked]:
        """The requests that a fault counts, as far as its operation and location say."""
        armed = fault.armed()
        for one in self.requests.get(fault.place, ()):
            if one.time_ns >= self.begin_ns + fault.start_ns[0] and armed.matches(one.operation, one.location):
                yield one

    def first_struck(self, fault: faults.Fault) -> Asked | None:
        """The first request that it struck."""
        armed = fault.armed()
        return next((one for one in self.counted(fault) if armed in one.struck), None)


class _Looking(Onlooker):
    def __init__(self, scenario: Scenario) -> None:
        self._devices = frozenset(device.name for device in scenario.device)
        self._begin_ns = 0
        self.found: Footprint | None = None

    def phase(self, phase: Phase, now_ns: int) -> None:
        if phase == "faulty":
            self._begin_ns = now_ns

    def over(self, region: Region) -> None:
        requests = {
            place_of(region, wire.name, self._devices): [
                Asked(one.time_ns, one.operation, one.location, tuple(one.faults))
                for one in wire.requests if one.time_ns >= self._begin_ns
            ]
            for wire in region.network.wires
        }
        windows: dict[str, tuple[int, int]] = {}
        for event in region.kernel.journal.events:
            if event.kind == "step":
                name = json.loads(event.text)["name"]
                windows[name] = windows.get(name, (event.time_ns, 0))[0], event.time_ns
        self.found = Footprint(requests, windows, self._begin_ns)


def footprint(scenario: Scenario, seed: int) -> Footprint:
    """Of one run. Raises what the run raises."""
    looking = _Looking(scenario)
    importlib.import_module(PLAY).play(scenario, seed, onlooker=looking)
    assert looking.found is not None
    return looking.found


def concrete(scenario: Scenario, found: Footprint) -> Scenario:
    """Faults of any request, as faults of the request that they struck: what else happens at that place does not move them."""
    changed = []
    for fault in scenario.fault:
        struck = found.first_struck(fault) if fault.operation == "*" else None
        if struck is not None:
            only = fault.model_copy(update={"operation": struck.operation})
            nth = 1 + list(found.counted(only)).index(struck)
            fault = only.model_copy(update={"nth": (nth, nth)})
        changed.append(fault)
    return scenario.model_copy(update={"fault": tuple(changed)})


def recounted(scenario: Scenario, candidate: Scenario, found: Footprint) -> Scenario:
    """The candidate, which lacks steps of the scenario, with faults that count as much less as those steps asked."""
    windows = [found.windows[name] for name in _gone(scenario, candidate) if name in found.windows]
    changed = []
    for fault in candidate.fault:
        less = _within(fault, windows, found) if fault in scenario.fault else 0
        nth = max(1, fault.nth[0] - less)
        changed.append(fault.model_copy(update={"nth": (nth, nth)}) if less else fault)
    return candidate.model_copy(update={"fault": tuple(changed)})


def _within(fault: faults.Fault, windows: Sequence[tuple[int, int]], found: Footprint) -> int:
    """How many of the requests it counts before it strikes were made while those steps were taken."""
    before = [one for one, _ in zip(found.counted(fault), range(fault.nth[0] - 1), strict=False)]
    return sum(any(begin_ns <= one.time_ns < end_ns for begin_ns, end_ns in windows) for one in before)


def _gone(scenario: Scenario, candidate: Scenario) -> Iterator[str]:
    for part in _STEPS:
        kept: tuple[Step, ...] = getattr(candidate, part)
        for number, step in enumerate(getattr(scenario, part)):
            if not any(step is other for other in kept):
                yield label(part, number, step)

"""What a scenario does where nothing else goes wrong: which requests it makes of whom while faults can strike, and how long
that takes. Everything that could be disturbed is counted here first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from storcert.harness.kernel import Priorities
from storcert.scenarios.format.load import Phase
from storcert.scenarios.format.references import CATALOGUE, WEB
from storcert.scenarios.format.scenario import Scenario
from storcert.scenarios.format.steps import Request
from storcert.scenarios.region import Region
from storcert.scenarios.runner.onlooker import Onlooker


@dataclass(frozen=True, slots=True)
class Terrain:
    """``requests``: how many of each name there are at each place, while faults are armed. ``faulty_ns``: how long that is.
    ``turns``: how often a task of a location was woken meanwhile."""

    requests: Mapping[str, Mapping[str, int]]
    faulty_ns: int
    turns: int = 1

    @property
    def total(self) -> int:
        """All requests."""
        return sum(sum(counts.values()) for counts in self.requests.values())


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client of a workload asked for: when, in which phase, of which server. ``at_ns``: since the phase began."""

    phase: Phase
    at_ns: int
    server: str
    step: Request


class Surveyor(Onlooker):
    """Counts requests, and keeps what clients ask for. Use with a run that keeps everything."""

    def __init__(self, scenario: Scenario) -> None:
        self._devices = {device.name for device in scenario.device}
        self._begun: dict[Phase, int] = {}
        self._phase: Phase = "warm-up"
        self.asked_for: list[Asked] = []
        self.terrain = Terrain({}, 0)

    def begins(self, region: Region) -> None:
        """Turns are counted; nobody lags who does not lag anyway."""
        if region.kernel.priorities is None:
            region.kernel.priorities = Priorities(region.kernel.seed)

    def phase(self, phase: Phase, now_ns: int) -> None:
        """That phase begins."""
        self._phase = phase
        self._begun[phase] = now_ns

    def asked(self, workload: str, step: Request, server: str, now_ns: int) -> None:
        """A client asks."""
        self.asked_for.append(Asked(self._phase, now_ns - self._begun[self._phase], server, step))

    def over(self, region: Region) -> None:
        """Count."""
        begin_ns = self._begun.get("faulty", 0)
        end_ns = self._begun.get("healed", region.kernel.now_ns)
        found: dict[str, Mapping[str, int]] = {}
        for wire in sorted(region.network.wires, key=lambda wire: wire.name):
            counts = Counter(one.operation for one in wire.requests if begin_ns <= one.time_ns < end_ns)
            if counts:
                found[place_of(region, wire.name, self._devices)] = dict(sorted(counts.items()))
        priorities = region.kernel.priorities
        turns = 1 if priorities is None else max(1, priorities.turns)
        self.terrain = Terrain(found, max(0, end_ns - begin_ns), turns)


def place_of(region: Region, wire: str, devices: Collection[str]) -> str:
    """What a scenario calls the place at the end of a wire: the device's name, ``catalogue`` or ``web``."""
    if wire == region.catalogue.wire.name:
        return CATALOGUE
    return wire if wire in devices else WEB

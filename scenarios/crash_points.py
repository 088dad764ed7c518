"""Every single crash: whichever location makes a request dies at it, before or after its effect. Counted, not sampled.

A story is told twice: once undisturbed, to learn which requests it makes, then once for each of them with the crash at that
one. After each the region is healed and comes to rest; the rules were looking on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from storcert.harness.checkers.control_plane import Broken, Finding
from storcert.harness.contract import StorageError
from storcert.harness.logical.control_plane import ControlPlane
from storcert.harness.record.fault import Fault, Phase
from storcert.scenarios.region import Region
from storcert.simulators.network.wire import Wire

Act = Callable[[ControlPlane], Any]


@dataclass(frozen=True, slots=True)
class CrashPoint:
    """At the ``nth`` request (from 1) that a story makes on ``wire``, called ``operation``."""

    wire: str
    operation: str
    nth: int
    phase: Phase

    def __str__(self) -> str:
        return f"{self.phase} request {self.nth} of {self.wire} ({self.operation})"


@dataclass(frozen=True, slots=True)
class Outcome:
    """``answer``: what the caller was told: a result, an error, or ``None`` where its server died. ``findings``: per rule."""

    point: CrashPoint | None
    answer: Any
    struck: bool
    findings: tuple[Finding, ...]

    @property
    def broken(self) -> list[Broken]:
        """Everything that broke a rule."""
        return [one for finding in self.findings for one in finding.broken]


def crash_points(build: Callable[[], Region], act: Act) -> list[CrashPoint]:
    """Every request the story makes, before and after its effect. Raises ``ValueError`` for a region that keeps only some."""
    with build() as region:
        if region.network.keep is not None:
            raise ValueError('crash points are counted from the logs of requests: build the region with keep="all"')
        _ = region.topology
        before = {wire.name: len(wire.requests) for wire in _wires(region)}
        region.call(act)
        return [
            CrashPoint(wire.name, request.operation, number, phase)
            for wire in _wires(region)
            for number, request in enumerate(wire.requests[before.get(wire.name, 0) :], 1)
            for phase in (Phase.BEFORE, Phase.AFTER)
        ]


def run_point(build: Callable[[], Region], act: Act, point: CrashPoint | None) -> Outcome:
    """The story with that crash (or none), judged by every rule once everything is at rest."""
    with build() as region:
        _ = region.topology
        plan = None
        if point is not None:
            plan = next(wire.plan for wire in _wires(region) if wire.name == point.wire)
            plan.arm([Fault("crash", "*", point.nth, point.phase)])
        try:
            answer = region.call(act)
        except StorageError as error:
            answer = error
        struck = plan is not None and bool(plan.fired)
        region.settle()
        return Outcome(point, answer, struck, tuple(region.findings()))


def outcomes(build: Callable[[], Region], act: Act, points: Sequence[CrashPoint]) -> Iterator[Outcome]:
    """One outcome for each point."""
    for point in points:
        yield run_point(build, act, point)


def _wires(region: Region) -> list[Wire]:
    return sorted(region.network.wires, key=lambda wire: wire.name)

"""What a run record says of scenarios: one value for each run of one scenario with one seed on one set of devices, and where
runs on different devices differ. Frozen values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from storcert.harness.record.verdict import Verdict


@dataclass(frozen=True, slots=True)
class StepRun:
    """One step: what it did (``what``), when (virtual nanoseconds since the run began), and how it ended: ``done``, the name of
    an error, ``died`` with the server it was asked of, ``unended``."""

    name: str
    what: str
    begun_ns: int
    ended_ns: int
    ending: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class OperationRun:
    """How often operations of a workload ended so."""

    workload: str
    operation: str
    ending: str
    count: int


@dataclass(frozen=True, slots=True)
class FaultRun:
    """A fault that was armed, and how often it struck. ``armed_ns``: -1 for never."""

    place: str
    text: str
    armed_ns: int
    strikes: int


@dataclass(frozen=True, slots=True)
class ScenarioRun:
    """One run. ``digest``: of everything that happened in it; ``scenario_digest``: of what the scenario says. ``variant``: the
    substitution of devices, or empty; ``devices``: kind by name. ``problems``: what was not as the scenario expects, beside
    broken rules; ``left_out``: what of it other devices do not have. ``defect``: the planted one that a rule had to catch."""

    scenario: str
    title: str
    class_: str = field(metadata={"json": "class"})
    seed: int
    verdict: Verdict
    digest: str
    scenario_digest: str
    lasted_ns: int
    devices: Mapping[str, str]
    source: tuple[str, ...] = ()
    variant: str = ""
    problems: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    steps: tuple[StepRun, ...] = ()
    operations: tuple[OperationRun, ...] = ()
    faults: tuple[FaultRun, ...] = ()
    defect: str = ""
    broken_on_defect: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """Where runs of one scenario with one seed on different devices differ: in a ``rule``'s verdict or in how a step ended.
    ``explained``: by a capability that a device does not have. ``values``: by variant."""

    scenario: str
    seed: int
    what: str
    explained: bool
    values: Mapping[str, str]

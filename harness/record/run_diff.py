"""What behaves differently in two runs, as frozen values: found in ``conformance``, shown in ``reports``."""

from __future__ import annotations

from dataclasses import dataclass

from storcert.harness.record.run_record import DeviceIdentity, DriverIdentity
from storcert.harness.record.verdict import RunVerdict

DIFF_VERSION = 1
ABSENT = "absent"
"""Stands for the verdict of what one of the two does not have."""


@dataclass(frozen=True, slots=True)
class Side:
    """Which run: who was looked at by whom, how deep, and what it came to."""

    driver: DriverIdentity
    device: DeviceIdentity
    kit: str
    profile: str
    seed: int
    verdict: RunVerdict
    digest: str


@dataclass(frozen=True, slots=True)
class Pair:
    """One thing that is ``a`` in the first run and ``b`` in the second. ``what``: a rule, a capability, a step, ..."""

    what: str
    a: str
    b: str


@dataclass(frozen=True, slots=True)
class CheckPair:
    """A check that came to something else, or failed otherwise. ``a``, ``b``: verdicts, or ``absent``; then what it said."""

    id: str
    rule: str
    a: str
    b: str
    a_message: str = ""
    b_message: str = ""


@dataclass(frozen=True, slots=True)
class ScenarioPair:
    """In one run of one scenario: ``what`` (the verdict, a step, operations, a fault) is ``a`` here and ``b`` there."""

    scenario: str
    variant: str
    seed: int
    what: str
    a: str
    b: str


@dataclass(frozen=True, slots=True)
class ShortestProgram:
    """The fewest steps that show a difference: in ``side`` (``A`` or ``B``) they fail with ``message``; the other differs."""

    check: str
    side: str
    message: str
    steps: tuple[str, ...]
    replay: str = ""


@dataclass(frozen=True, slots=True)
class RunDiff:
    """Only what differs. ``coverage``: how many checks and examples of a rule were decided. ``notes``: never a difference."""

    diff_version: int
    kind: str
    a: Side
    b: Side
    capabilities: tuple[Pair, ...] = ()
    rules: tuple[Pair, ...] = ()
    checks: tuple[CheckPair, ...] = ()
    coverage: tuple[Pair, ...] = ()
    scenarios: tuple[ScenarioPair, ...] = ()
    findings: tuple[Pair, ...] = ()
    shortest: ShortestProgram | None = None
    notes: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether nothing behaves differently."""
        return not (
            self.capabilities or self.rules or self.checks or self.coverage or self.scenarios or self.findings
            or self.a.verdict is not self.b.verdict
        )  # fmt: skip

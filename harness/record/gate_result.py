"""What the merge gate says of a run: failures that were expected, and everything that is not as it must be. Frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from storcert.harness.record.run_record import Counts, DeviceIdentity, DriverIdentity
from storcert.harness.record.verdict import RunVerdict

GATE_VERSION = 1


class GateKind(StrEnum):
    """What is not as it must be.

    Of expectations: ``new``: a failure nobody expected. ``stale``: an expectation whose check passes now. ``expired``: one
    whose day is over. ``unknown-id``: one of a check that does not exist. ``flaky``: a check that came to different verdicts
    in runs that ought to be the same.

    Compared with the last certified run: ``capability``: gone or smaller. ``rule``: no longer decided. ``checks`` and
    ``examples``: fewer of a rule. ``profile``: a lower one. ``kit``: an older one, or other requirements. ``configuration``:
    another one.

    Of the run itself: ``undecided``: a check without a decision. ``error``: one at which the kit failed.
    """

    NEW = "new"
    STALE = "stale"
    EXPIRED = "expired"
    UNKNOWN_ID = "unknown-id"
    FLAKY = "flaky"
    CAPABILITY = "capability"
    RULE = "rule"
    CHECKS = "checks"
    EXAMPLES = "examples"
    PROFILE = "profile"
    KIT = "kit"
    CONFIGURATION = "configuration"
    UNDECIDED = "undecided"
    ERROR = "error"


EXPECTATION_KINDS = (GateKind.NEW, GateKind.STALE, GateKind.EXPIRED, GateKind.UNKNOWN_ID, GateKind.FLAKY)
"""These always block."""
COMPARISON_KINDS = (
    GateKind.CAPABILITY, GateKind.RULE, GateKind.CHECKS, GateKind.EXAMPLES, GateKind.PROFILE, GateKind.KIT,
    GateKind.CONFIGURATION,
)  # fmt: skip
"""These block where the operator says so."""
RUN_KINDS = (GateKind.UNDECIDED, GateKind.ERROR)
"""These keep a gate from saying yes, and have exit codes of their own."""


@dataclass(frozen=True, slots=True)
class GateProblem:
    """One thing. ``subject``: the check, rule or capability. ``blocks``: whether the gate stays shut for it. ``file`` and
    ``line``: where a person has to look: driver code, or the file of expectations (empty and 0: not known)."""

    kind: GateKind
    subject: str
    message: str
    blocks: bool
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class ExpectedResult:
    """A check that did what an expectation says: the ``id`` of the check, and why that is accepted, by whom, until when."""

    id: str
    entry: str
    message: str
    reason: str
    owner: str
    expires: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class GateResult:
    """The gate's answer. ``baseline``: digest of the run it was compared with, or empty. ``notes``: worth knowing, never in
    the way."""

    gate_version: int
    kind: str
    verdict: RunVerdict
    driver: DriverIdentity
    device: DeviceIdentity
    digest: str
    counts: Counts
    problems: tuple[GateProblem, ...] = ()
    expected: tuple[ExpectedResult, ...] = ()
    notes: tuple[str, ...] = ()
    baseline: str = ""
    interrupted: bool = False

    @property
    def blocking(self) -> tuple[GateProblem, ...]:
        """What keeps the gate shut."""
        return tuple(problem for problem in self.problems if problem.blocks)

    def exit_code(self) -> int:
        """0 open, 1 shut, 2 the run was interrupted, 3 the kit failed in it, 5 something or everything is undecided."""
        if self.interrupted:
            return 2
        kinds = {problem.kind for problem in self.blocking}
        if kinds - set(RUN_KINDS):
            return 1
        if GateKind.ERROR in kinds:
            return 3
        return 5 if GateKind.UNDECIDED in kinds else 0

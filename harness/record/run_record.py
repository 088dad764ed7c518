"""The record of one run: everything a report may show, and nothing it would have to compute by simulating again.

Frozen values only. Field names are those of the published JSON (``reports/schemas/run-record-1.json``); reading and
writing is :mod:`storcert.harness.record.codec`. Wall time and dates stand only in :class:`Environment`, which no digest
and no comparison reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from storcert.harness.record.broken_history import BrokenHistory
from storcert.harness.record.coverage import Coverage
from storcert.harness.record.depth import SearchDepth
from storcert.harness.record.exploration import Exploration
from storcert.harness.record.finding import Finding
from storcert.harness.record.isolation import ProcessIsolation
from storcert.harness.record.lint_report import LintNote
from storcert.harness.record.live_answer import LiveAnswer
from storcert.harness.record.proof import Proof
from storcert.harness.record.scenario_run import Difference, ScenarioRun
from storcert.harness.record.shrinking import Shrinking
from storcert.harness.record.trace import ShownTrace
from storcert.harness.record.verdict import Blame, RunVerdict, Verdict, combine

SCHEMA_VERSION = 1
#: A quick look (``core``) is no certificate.
CERTIFYING_PROFILES = ("standard", "deep")


class Audit(StrEnum):
    """What the capability audit found out about one capability."""

    CONFIRMED = "confirmed"
    OVER_DECLARED = "over_declared"
    UNDER_DECLARED = "under_declared"
    REFUSED_AS_DOCUMENTED = "refused_as_documented"
    NOT_PROBED = "not_probed"


@dataclass(frozen=True, slots=True)
class KitIdentity:
    """Which kit decided: its ``version``, the ``contract`` version, a digest over the text of all requirements, and in
    certifications one over its own source."""

    version: str
    contract: int
    requirements_digest: str
    digest: str = ""


@dataclass(frozen=True, slots=True)
class DriverIdentity:
    """Which driver was looked at; ``digest`` is over its source. ``reference`` is what the user typed."""

    name: str
    version: str
    digest: str
    reference: str = ""


@dataclass(frozen=True, slots=True)
class DeviceIdentity:
    """Which device stood behind the driver; ``mode`` is ``simulated`` or ``live``. ``digest``, in certifications: of its model
    and options; of a live one, of the configuration that names it."""

    name: str
    mode: str = "simulated"
    digest: str = ""


@dataclass(frozen=True, slots=True)
class CapabilityResult:
    """One capability: what was declared (a flag, a limit or a list) and what the audit says."""

    name: str
    declared: Any
    audit: Audit
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A place in driver code; ``file`` is relative to the driver's folder, the same on every machine."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class CheckFailure:
    """One failure, minimal: the ``check`` it belongs to, what was wrong, the ``steps`` that show it, how to replay it.

    ``token`` is a replay token; a failure too large for one is in ``file`` instead. ``history``: operations that no order
    explains, where that is what was wrong. ``blame``: whose it is, where that was asked. ``proof``: which faults
    and which of what came after them it needs, where that was looked at. ``shrinking``: how a generated one was made small.
    ``evidence``: what the blame was decided by, in words. ``live``: what a real system said to it, where one was asked.
    """

    check: str
    message: str
    steps: tuple[str, ...] = ()
    token: str = ""
    source: SourceLine | None = None
    file: str = ""
    history: BrokenHistory | None = None
    blame: Blame | None = None
    proof: Proof | None = None
    shrinking: Shrinking | None = None
    evidence: tuple[str, ...] = ()
    live: LiveAnswer | None = None

    @property
    def replay_argument(self) -> str:
        """What ``storcert replay`` takes: the token, or the file, or nothing."""
        return self.token or self.file


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One requirement-level case: ``id`` is unique in a run, ``rule`` is the contract's, ``case`` says what was tried.

    ``examples`` counts the worlds simulated for it; ``steps`` are those of the shown example where there is one.
    ``blame``: who made it fail, break or stay undecided, where that was asked. ``scored``: it counts for the verdict.
    """

    id: str
    rule: str
    case: str
    verdict: Verdict
    reason: str = ""
    examples: int = 0
    steps: tuple[str, ...] = ()
    blame: Blame | None = None
    scored: bool = True


@dataclass(frozen=True, slots=True)
class NotScored:
    """What ran and does not count: checks that this version of the contract does not have yet, and their failures."""

    checks: tuple[CheckResult, ...]
    failures: tuple[CheckFailure, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleResult:
    """One rule: the worst verdict of its checks, how many checks and examples, the failures."""

    id: str
    verdict: Verdict
    checks: int
    examples: int
    failures: tuple[CheckFailure, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Counts:
    """Checks by verdict. The JSON name of ``passed`` and ``failed`` are ``pass`` and ``fail``."""

    passed: int = field(default=0, metadata={"json": "pass"})
    failed: int = field(default=0, metadata={"json": "fail"})
    unknown: int = 0
    skipped: int = 0
    disabled: int = 0
    error: int = 0

    @property
    def total(self) -> int:
        """All checks."""
        return self.passed + self.failed + self.unknown + self.skipped + self.disabled + self.error

    @property
    def decided(self) -> int:
        """Checks that say something about the driver."""
        return self.passed + self.failed

    @classmethod
    def of(cls, verdicts: Iterable[Verdict]) -> Counts:
        """Count verdicts."""
        found = dict.fromkeys(Verdict, 0)
        for verdict in verdicts:
            found[verdict] += 1
        return cls(
            passed=found[Verdict.PASS],
            failed=found[Verdict.FAIL],
            unknown=found[Verdict.UNKNOWN],
            skipped=found[Verdict.SKIPPED],
            disabled=found[Verdict.DISABLED],
            error=found[Verdict.ERROR],
        )


@dataclass(frozen=True, slots=True)
class Environment:
    """Where and how long the run was, and how its processes were held. Read by no digest and no comparison."""

    python: str = ""
    platform: str = ""
    started: str = ""
    wall_time_s: float = 0.0
    workers: int = 1
    rule_times_s: Mapping[str, float] = field(default_factory=dict)
    isolation: ProcessIsolation | None = None


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run: verdict and reason, who and what, every rule, every check, every finding. ``kind``: ``certification``, or
    ``scenario``; then ``driver`` is the control plane, ``scenarios`` has every run of every scenario, and ``differences`` where
    they differ between devices; or ``exploration``: many variations of one scenario, of which ``exploration`` tells.
    ``traces``: what happened when a check failed, or in the run of a scenario, where it was wanted; no digest reads them.
    ``partial``: why a certification is not the whole of its profile, or nothing. ``not_scored``: checks that came after the
    contract's version was frozen; no rule and no count has them. ``depth``: how much was generated and looked at.
    ``coverage``: which operations of a certification were struck where, by what, and what came of it."""

    schema_version: int
    kind: str
    verdict: RunVerdict
    kit: KitIdentity
    driver: DriverIdentity
    device: DeviceIdentity
    profile: str
    seed: int
    digest: str
    capabilities: tuple[CapabilityResult, ...]
    rules: tuple[RuleResult, ...]
    counts: Counts
    reason: str = ""
    checks: tuple[CheckResult, ...] = ()
    findings: tuple[Finding, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    interrupted: bool = False
    scenarios: tuple[ScenarioRun, ...] = ()
    differences: tuple[Difference, ...] = ()
    exploration: Exploration | None = None
    traces: tuple[ShownTrace, ...] = ()
    partial: str = ""
    not_scored: NotScored | None = None
    depth: SearchDepth | None = None
    coverage: Coverage | None = None
    environment: Environment = field(default_factory=Environment)
    lint: LintNote | None = None

    @property
    def failures(self) -> tuple[CheckFailure, ...]:
        """All failures, rule by rule."""
        return tuple(failure for rule in self.rules for failure in rule.failures)

    @property
    def certificate(self) -> bool:
        """Whether this is a certificate: all of profile ``standard`` or ``deep`` was decided, and all of it held."""
        whole = not self.partial and not self.interrupted and self.profile in CERTIFYING_PROFILES
        return self.kind == "certification" and whole and self.verdict is RunVerdict.CONFORMANT

    def exit_code(self) -> int:
        """0 conformant, 1 not conformant, 2 interrupted, 3 internal error, 5 nothing decided (cli.md)."""
        if self.interrupted:
            return 2
        return _EXIT_CODES[self.verdict]


_EXIT_CODES: Mapping[RunVerdict, int] = {
    RunVerdict.CONFORMANT: 0,
    RunVerdict.NOT_CONFORMANT: 1,
    RunVerdict.ERROR: 3,
    RunVerdict.UNDECIDED: 5,
}


def summarise_rules(
    checks: Sequence[CheckResult],
    failures: Sequence[CheckFailure],
    order: Sequence[str] = (),
) -> tuple[RuleResult, ...]:
    """One :class:`RuleResult` per rule that has a check: rules of ``order`` first, the rest as they come.

    A failure belongs to the rule of the check it names; ``ValueError`` where it names none.
    """
    by_rule: dict[str, list[CheckResult]] = {rule: [] for rule in order}
    rule_of: dict[str, str] = {}
    for check in checks:
        by_rule.setdefault(check.rule, []).append(check)
        rule_of[check.id] = check.rule
    failures_of: dict[str, list[CheckFailure]] = {}
    for failure in failures:
        if failure.check not in rule_of:
            raise ValueError(f"failure of a check that is not in the run: {failure.check!r}")
        failures_of.setdefault(rule_of[failure.check], []).append(failure)
    return tuple(
        RuleResult(
            id=rule,
            verdict=combine(check.verdict for check in members),
            checks=len(members),
            examples=sum(check.examples for check in members),
            failures=tuple(failures_of.get(rule, ())),
            reason=_common_reason(members),
        )
        for rule, members in by_rule.items()
        if members
    )


def _common_reason(checks: Sequence[CheckResult]) -> str:
    """The reason all checks of a rule share (why all were skipped), else nothing."""
    reasons = {check.reason for check in checks}
    return next(iter(reasons)) if len(reasons) == 1 else ""

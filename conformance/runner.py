"""Runs one case and says what it came to. Here, and only here, what a check raised becomes a verdict."""

from __future__ import annotations

import hashlib
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from storcert.conformance.bench import SCHEDULE_MARK, Bench, LocationDied
from storcert.conformance.blame import blame_of
from storcert.conformance.broken_history import broken_history
from storcert.conformance.case_trace import trace_of_case
from storcert.conformance.facts import Facts
from storcert.conformance.frozen import is_scored
from storcert.conformance.generated import FoundByGeneration
from storcert.conformance.grpc_source import SCHEME
from storcert.conformance.program import Program
from storcert.conformance.registry import Case
from storcert.conformance.subject import Subject
from storcert.conformance.tidy import left_behind
from storcert.conformance.violation import LeftToFillIn, NoOrder, NotApplicable, Undecided, Violation
from storcert.conformance.world import World
from storcert.harness.contract import StorageError
from storcert.harness.record.broken_history import BrokenHistory
from storcert.harness.record.codec import from_json, to_json
from storcert.harness.record.coverage import Coverage
from storcert.harness.record.depth import SearchDepth
from storcert.harness.record.finding import Finding
from storcert.harness.record.live_answer import LiveAnswer
from storcert.harness.record.proof import Proof
from storcert.harness.record.run_record import CheckResult, SourceLine
from storcert.harness.record.shrinking import Shrinking
from storcert.harness.record.trace import ShownTrace
from storcert.harness.record.verdict import Blame, Verdict

STEPS_SHOWN_MAX = 60
NOTHING_OBSERVED = "the check came to its end without one call of the driver, so that nothing was observed"
SCHEDULES = 6
"""In so many worlds, at least, a case is tried with a driver that starts threads."""


@dataclass(frozen=True, slots=True)
class CaseOutcome:
    """``result`` as it stands in the record; ``example`` and ``program`` name what failed; ``digest`` is of all worlds of
    the case, ``example_digest`` of the last one; ``trace`` is the traceback of an error of the kit; ``shown``: what happened in
    the last world of a case that did not pass; ``history``: operations that no order explains; ``coverage``: what it tried in
    the space of faults; ``proof``: which parts of the failure are necessary."""

    result: CheckResult
    message: str = ""
    example: str = ""
    program: Mapping[str, Any] | None = None
    source: SourceLine | None = None
    findings: tuple[Finding, ...] = ()
    digest: str = ""
    example_digest: str = ""
    trace: str = ""
    journal: Sequence[Any] = field(default=(), compare=False)
    wall_s: float = field(default=0.0, compare=False)
    shown: ShownTrace | None = field(default=None, compare=False)
    history: BrokenHistory | None = None
    coverage: Coverage | None = None
    proof: Proof | None = None
    blame: Blame | None = None
    depth: SearchDepth = field(default_factory=SearchDepth)
    shrinking: Shrinking | None = None
    live: LiveAnswer | None = field(default=None, compare=False)

    @property
    def scored(self) -> bool:
        """Whether its check is one of the contract's version."""
        return is_scored(self.result.id.partition("[")[0])

    def to_json(self) -> dict[str, Any]:
        """A JSON object, without the journal: what another process needs to make the record."""
        value: dict[str, Any] = to_json(replace(self, journal=()))
        del value["journal"]
        return value

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> CaseOutcome:
        """Inverse of :meth:`to_json`."""
        return from_json(cls, dict(value))


def run_case(
    case: Case,
    subject: Subject,
    facts: Facts,
    seed: int,
    *,
    wanted: str | None = None,
    program: Program | None = None,
    keep_journal: bool = False,
) -> CaseOutcome:
    """Run one case to its verdict. Raises nothing but ``KeyboardInterrupt``."""
    started = time.perf_counter()
    missing = case.check.missing(facts)
    if missing:
        return CaseOutcome(_result(case, Verdict.SKIPPED, missing))
    wanted, schedule = _wanted(wanted)
    bench = Bench(subject, facts, seed, case.id, wanted, program, keep_journal=keep_journal)
    bench.schedule = schedule or 0
    bench.wired = bool({"requests", "faults"}.intersection(case.check.live)) or program is not None
    verdict, message, rule, trace = Verdict.PASS, "", case.check.rule, ""
    error: Exception | None = None
    found: Mapping[str, Any] | None = None
    history = None
    try:
        case.run(bench)
        _try_other_schedules(case, bench, schedule)
        if bench.wanted is not None and not bench.examples_run:
            raise Undecided(f"the recorded example does not come up: {bench.wanted}")
        if not bench.observed:
            raise Undecided(NOTHING_OBSERVED)
    except Violation as violation:
        verdict, message, rule, error = Verdict.FAIL, violation.message, violation.rule or rule, violation
        if isinstance(violation, FoundByGeneration):
            found = violation.program.to_json()
    except StorageError as raised:
        verdict, error = Verdict.FAIL, raised
        message = f"{bench.last_step}, where success was due: {raised.message}"
    except LocationDied as died:
        verdict, message, error = Verdict.ERROR, f"the kit lost a location: {died}", died
    except NotApplicable as reason:
        verdict, message = Verdict.SKIPPED, str(reason)
    except LeftToFillIn as gap:
        verdict, message, error = Verdict.UNKNOWN, str(gap), gap
        if gap.rule == rule:
            verdict, message = Verdict.FAIL, f"{bench.last_step.rpartition(' -> ')[0]}: {gap}".removeprefix(": ")
    except Undecided as reason:
        verdict, message = Verdict.UNKNOWN, str(reason)
    except Exception as trouble:  # noqa: BLE001  (a crash in the kit is a verdict: error)
        verdict, message, trace = Verdict.ERROR, f"{type(trouble).__name__}: {trouble}", traceback.format_exc()
        error = trouble
    steps = tuple(bench.steps[:STEPS_SHOWN_MAX]) if verdict in (Verdict.FAIL, Verdict.ERROR, Verdict.UNKNOWN) else ()
    shown = None
    try:
        if verdict not in (Verdict.PASS, Verdict.SKIPPED) and isinstance(bench.world, World):
            shown = trace_of_case(bench.case_id, bench.world)
        bench.close()
        history = _history_of(error)
    except Exception as trouble:  # noqa: BLE001  (a crash in the kit is a verdict: error)
        verdict, message, trace = Verdict.ERROR, f"{type(trouble).__name__}: {trouble}", traceback.format_exc()
        error = trouble
    if verdict is Verdict.PASS:
        # What a check that failed has left may be the kit's doing: it had no chance to end its streams.
        bench.findings.extend(left_behind(bench.left))
    result = CheckResult(
        case.id, rule, case.label, verdict, message if verdict is not Verdict.PASS else "",
        max(bench.examples_run, bench.schedule + 1), steps,
    )
    return CaseOutcome(
        result,
        message,
        bench.example_id if program is None and found is None else "",
        found,
        source_of(error, subject),
        tuple(sorted(set(bench.findings))),
        _digest(bench, result),
        bench.digests[-1] if bench.digests else "",
        trace,
        bench.journal,
        time.perf_counter() - started,
        shown,
        history,
        bench.tried.told() if bench.tried is not None else None,
        bench.proof,
        blame_of(verdict, error, facts.mode),
        bench.depth,
        error.shrinking if isinstance(error, FoundByGeneration) else None,
    )


def _wanted(recorded: str | None) -> tuple[str | None, int | None]:
    """The example of a replay, and its schedule; ``None`` for either: all there are."""
    if recorded is None or SCHEDULE_MARK not in recorded:
        return recorded, None if recorded is None else 0
    example, _, schedule = recorded.rpartition(SCHEDULE_MARK)
    return example or None, int(schedule)


def _try_other_schedules(case: Case, bench: Bench, only: int | None) -> None:
    """Drivers with threads are asked more than once: what they do may depend on how the threads take turns. Generated cases,
    whose failures are replayed by their program alone, have worlds enough."""
    generated = case.check.function.__module__ == FoundByGeneration.__module__
    if only is not None or generated or bench.program is not None or bench.facts.mode != "simulated":
        return
    while bench.schedule + 1 < SCHEDULES:
        bench.fresh()
        if not bench.threaded or len(bench.digests) >= SCHEDULES:
            return
        bench.again(bench.schedule + 1)
        try:
            case.run(bench)
        except NotApplicable:
            return  # it was, the first time


def _history_of(error: Exception | None) -> BrokenHistory | None:
    shown = error.violation if isinstance(error, FoundByGeneration) else error
    return broken_history(shown) if isinstance(shown, NoOrder) else None


def _result(case: Case, verdict: Verdict, reason: str) -> CheckResult:
    return CheckResult(case.id, case.check.rule, case.label, verdict, reason)


def _digest(bench: Bench, result: CheckResult) -> str:
    hasher = hashlib.sha256(f"{result.id} {result.rule} {result.verdict} {result.examples}".encode())
    for part in (*bench.digests, *result.steps):
        hasher.update(part.encode("utf-8", "backslashreplace"))
    return "sha256:" + hasher.hexdigest()


def source_of(error: BaseException | None, subject: Subject) -> SourceLine | None:
    """The innermost line of driver code in the traceback of what came out of the driver."""
    if subject.reference.startswith(SCHEME):
        return None  # of a driver on the other end of a wire, no line is known; those of the bridge are not its own
    file = getattr(sys.modules.get(subject.driver_class.__module__), "__file__", None)
    folder = Path(file).parent if file else None
    while error is not None and folder is not None:
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            path = Path(frame.filename)
            if path.parent == folder:
                return SourceLine(path.name, frame.lineno or 0)
        error = error.__cause__
    return None

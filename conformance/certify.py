"""A certification from options to run record: calibrate, run every case of the profile, put the results together.

Cases are independent, each in worlds of its own with seeds of its own, so that any number of workers gives the same record.
"""

from __future__ import annotations

import datetime
import hashlib
import platform
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import storcert.conformance.requirements  # noqa: F401  (fills the registry)
from storcert.conformance import secrets, undecided
from storcert.conformance.audit import audit
from storcert.conformance.case_trace import kept
from storcert.conformance.coverage import merged
from storcert.conformance.deep_search import search_on
from storcert.conformance.devices import is_live
from storcert.conformance.facts import Facts
from storcert.conformance.frozen import is_scored
from storcert.conformance.generated import SEARCH
from storcert.conformance.isolation import Isolation
from storcert.conformance.leak_check import leak_check
from storcert.conformance.lint_note import lint_note
from storcert.conformance.live_agreement import agreed
from storcert.conformance.live_targets.session import started as live_target
from storcert.conformance.live_targets.target import Reached
from storcert.conformance.lost_device import NOT_TRIED
from storcert.conformance.options import CertifyOptions
from storcert.conformance.progress import Progress
from storcert.conformance.registry import Case, Level, cases_for
from storcert.conformance.rules import DRIVER_RULES
from storcert.conformance.runner import CaseOutcome
from storcert.conformance.schedule import Job, run_cases
from storcert.conformance.tokens import place_token
from storcert.conformance.vacuity import holes
from storcert.harness.record.depth import SearchDepth, deeper
from storcert.harness.record.finding import Finding
from storcert.harness.record.run_record import (
    SCHEMA_VERSION,
    CheckFailure,
    CheckResult,
    Counts,
    Environment,
    NotScored,
    RunRecord,
    SourceLine,
    summarise_rules,
)
from storcert.harness.record.verdict import Blame, RunVerdict, Verdict, conclude

WHOLE_RUN = "C-NOFS/whole-run"
HOLES_SHOWN = 3
TRACES_PER_RULE, TRACES_MAX = 2, 30


Ended = Callable[[CheckResult, Sequence[CheckFailure]], None]


def _unheard(check: CheckResult, failures: Sequence[CheckFailure]) -> None:
    pass


def run_certification(options: CertifyOptions, progress: Progress, ended: Ended = _unheard) -> RunRecord:
    """Certify. Raises :class:`InvalidUsage` for a driver that cannot be made or reached; an interrupt gives a record.

    ``ended`` hears of each check as soon as it is decided, with its failures."""
    with live_target(options.device) as reached:
        return _certification(options, reached, progress, ended)


def _certification(options: CertifyOptions, reached: Reached | None, progress: Progress, ended: Ended) -> RunRecord:
    started, begun = datetime.datetime.now(datetime.UTC), time.perf_counter()
    job = Job.of(options, reached)
    facts = job.calibrate()
    wanted = wanted_cases(options, facts)
    progress.started(len(wanted))

    def case_ended(outcome: CaseOutcome) -> None:
        for result in _results(outcome) if outcome.scored else ():
            ended(result, (failure_of(options, outcome),) if result.verdict is Verdict.FAIL else ())

    outcomes, interrupted = run_cases(job, facts, wanted, options.workers, options.budget_s, progress, case_ended)
    found: list[CaseOutcome] = []
    searched = None
    if options.search_s is not None and not interrupted:
        found, searched = search_on(job, facts, options.search_s)
        for outcome in found:
            case_ended(outcome)
    if options.agree_with is not None and not interrupted:
        outcomes = agreed(outcomes, options, facts)
    progress.finished()
    environment = Environment(
        python=platform.python_version(),
        platform=platform.platform(),
        started=started.isoformat(timespec="seconds"),
        wall_time_s=round(time.perf_counter() - begun, 3),
        workers=options.workers,
        rule_times_s=rule_times(outcomes),
        isolation=Isolation.of(options, job.mount).told() if options.isolate else None,
    )
    return record_of(options, facts, [*outcomes, *found], environment, interrupted=interrupted, searched=searched)


def wanted_cases(options: CertifyOptions, facts: Facts) -> list[Case]:
    """The cases of the profile, of the rules that were asked for."""
    cases = cases_for(facts, Level[options.profile.name])
    return [case for case in cases if not options.rules or case.check.rule in options.rules]


def record_of(
    options: CertifyOptions,
    facts: Facts,
    outcomes: Sequence[CaseOutcome],
    environment: Environment,
    *,
    interrupted: bool = False,
    left_out: str = "",
    searched: SearchDepth | None = None,
) -> RunRecord:
    """The record of these outcomes. A case of the profile without an outcome was switched off: by ``--rule``, or by what
    ``left_out`` says."""
    ran = {outcome.result.id for outcome in outcomes}
    cases = cases_for(facts, Level[options.profile.name])
    disabled = [case for case in cases if case.id not in ran and is_scored(case.check.id)]
    scored = [outcome for outcome in outcomes if outcome.scored]
    checks = [result for outcome in scored for result in _results(outcome)]
    checks += [
        CheckResult(
            case.id,
            case.check.rule,
            case.label,
            Verdict.DISABLED,
            left_out if left_out and (not options.rules or case.check.rule in options.rules) else "not asked for with --rule",
        )
        for case in disabled
    ]
    findings = tuple(sorted({finding for outcome in scored for finding in outcome.findings}))
    failures = [failure_of(options, outcome) for outcome in scored if outcome.result.verdict is Verdict.FAIL]
    if not options.rules or "C-NOFS" in options.rules:
        whole, more = _whole_run(options, scored, findings)
        checks.append(whole)
        failures += more
    leaks = leak_check(facts, scored, lambda outcome: place_token(options, outcome))
    if leaks is not None and (not options.rules or leaks[0].rule in options.rules):
        checks.append(leaks[0])
        failures += leaks[1]
    record = _record(options, facts, checks, failures, findings, outcomes, interrupted, environment)
    depths = [outcome.depth for outcome in outcomes if not _by_search(outcome.result.id)]
    return replace(record, depth=deeper((*depths, *([searched] if searched is not None else []))))


def _by_search(identity: str) -> bool:
    """Found by a search beyond the profile: how far that gets depends on the machine, so no digest reads it."""
    return f"[{SEARCH}]" in identity


def rule_times(outcomes: Iterable[CaseOutcome]) -> dict[str, float]:
    """Seconds of real time that each rule took."""
    times: dict[str, float] = {}
    for outcome in outcomes:
        times[outcome.result.rule] = times.get(outcome.result.rule, 0.0) + outcome.wall_s
    return {rule: round(seconds, 3) for rule, seconds in sorted(times.items())}


def _results(outcome: CaseOutcome) -> list[CheckResult]:
    """A case that broke another rule than its own failed that one, and decided nothing of its own."""
    result = replace(outcome.result, blame=outcome.blame)
    own = result.id.partition("/")[0]
    if result.rule == own:
        return [result]
    reason = f"not decided, because {result.rule} broke first"
    undecided_one = replace(result, rule=own, verdict=Verdict.UNKNOWN, reason=reason, steps=())
    return [undecided_one, replace(result, id=_moved(result))]


def _moved(result: CheckResult) -> str:
    return result.id if result.rule == result.id.partition("/")[0] else f"{result.id}:{result.rule}"


def failure_of(options: CertifyOptions, outcome: CaseOutcome) -> CheckFailure:
    """The failure as it stands in the record, with its token."""
    token, file = place_token(options, outcome)
    return CheckFailure(
        _moved(outcome.result),
        outcome.message,
        outcome.result.steps,
        token,
        outcome.source,
        file,
        outcome.history,
        outcome.blame,
        outcome.proof,
        outcome.shrinking,
        live=outcome.live,
    )


def touch(finding: Finding) -> str:
    """What driver code did to a file system, and where in the driver."""
    where = f" ({Path(finding.file).name}:{finding.line})" if finding.file else ""
    return f"driver code touched a file system outside its device: {finding.message}{where}"


def _whole_run(
    options: CertifyOptions, outcomes: Sequence[CaseOutcome], findings: Sequence[Finding]
) -> tuple[CheckResult, list[CheckFailure]]:
    """Every file-system event of driver code in the whole run: one failure per place in the source."""
    if is_live(options.device) and not options.isolate:
        reason = "nothing watches the files of a live run"
        return CheckResult(WHOLE_RUN, "C-NOFS", "", Verdict.SKIPPED, reason, len(outcomes)), []
    touched: dict[tuple[str, int], Finding] = {}
    for finding in findings:
        if finding.kind == "file-system":
            touched.setdefault((finding.file, finding.line), finding)
    failures = []
    for place, finding in sorted(touched.items()):
        outcome = next(one for one in outcomes if finding in one.findings)
        token, file = place_token(options, outcome)
        failures.append(
            CheckFailure(
                WHOLE_RUN,
                touch(finding),
                (f"first seen in {outcome.result.id}",),
                token,
                SourceLine(Path(place[0]).name, place[1]) if place[0] else None,
                file,
                blame=Blame.DRIVER,
            )
        )
    watched = any(outcome.result.verdict in (Verdict.PASS, Verdict.FAIL) for outcome in outcomes)
    verdict = Verdict.FAIL if failures else Verdict.PASS if watched else Verdict.UNKNOWN
    blame = {Verdict.FAIL: Blame.DRIVER, Verdict.UNKNOWN: Blame.INCONCLUSIVE}.get(verdict)
    reason = f"{len(failures)} places in the driver touch a file system" if failures else ""
    if not failures and not watched:
        reason = "nothing was watched: no other check was decided"
    return CheckResult(WHOLE_RUN, "C-NOFS", "", verdict, reason, len(outcomes), blame=blame), failures


def _record(
    options: CertifyOptions,
    facts: Facts,
    checks: Sequence[CheckResult],
    failures: Sequence[CheckFailure],
    findings: tuple[Finding, ...],
    outcomes: Sequence[CaseOutcome],
    interrupted: bool,
    environment: Environment,
) -> RunRecord:
    rules = summarise_rules(checks, failures, tuple(rule.id for rule in DRIVER_RULES))
    verdict = conclude(rule.verdict for rule in rules)
    missing = holes(facts.capabilities, checks, options.rules) if verdict is RunVerdict.CONFORMANT else ()
    if (interrupted and verdict is not RunVerdict.NOT_CONFORMANT) or missing:
        verdict = RunVerdict.UNDECIDED
    digest = hashlib.sha256()
    for outcome in sorted((one for one in outcomes if not _by_search(one.result.id)), key=lambda one: one.result.id):
        digest.update(f"{outcome.result.id} {outcome.digest}\n".encode("utf-8", "backslashreplace"))
    for check in sorted((one for one in checks if not _by_search(one.id)), key=lambda one: one.id):
        digest.update(f"{check.id} {check.verdict}\n".encode("utf-8", "backslashreplace"))
    record = RunRecord(
        schema_version=SCHEMA_VERSION,
        kind="certification",
        verdict=verdict,
        kit=undecided.kit_identity(),
        driver=undecided.driver_identity(options),
        device=undecided.device_identity(options),
        profile=str(options.profile),
        seed=options.seed,
        digest="sha256:" + digest.hexdigest(),
        capabilities=audit(facts.capabilities, checks),
        rules=rules,
        counts=Counts.of(check.verdict for check in checks),
        reason=_reason(verdict, checks, interrupted, missing),
        checks=tuple(checks),
        findings=_portable(findings),
        options=options.to_json(),
        interrupted=interrupted,
        traces=kept([(one.result.rule, one.shown) for one in outcomes], TRACES_PER_RULE, TRACES_MAX),
        partial=_partial(checks),
        not_scored=_not_scored(options, outcomes),
        coverage=merged(outcome.coverage for outcome in outcomes if outcome.coverage is not None),
        environment=environment,
        lint=lint_note(options),
    )
    return secrets.scrubbed_value(record)


def _not_scored(options: CertifyOptions, outcomes: Iterable[CaseOutcome]) -> NotScored | None:
    """What ran and does not count."""
    apart = [outcome for outcome in outcomes if not outcome.scored]
    if not apart:
        return None
    checks = tuple(replace(result, scored=False) for outcome in apart for result in _results(outcome))
    return NotScored(
        checks, tuple(failure_of(options, outcome) for outcome in apart if outcome.result.verdict is Verdict.FAIL)
    )


def _partial(checks: Sequence[CheckResult]) -> str:
    """Why a run is not the whole of its profile, or nothing."""
    off = [check for check in checks if check.verdict is Verdict.DISABLED]
    if not off:
        return ""
    reasons = "; ".join(sorted({check.reason for check in off}))
    return f"{len(off)} of {len(checks)} checks were left out: {reasons}"


def _portable(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Without folders of this machine."""
    return tuple(Finding(one.kind, one.message, Path(one.file).name, one.line) for one in findings)


def _reason(
    verdict: RunVerdict, checks: Sequence[CheckResult], interrupted: bool, missing: Sequence[str] = ()
) -> str:
    bad = [check for check in checks if check.verdict is Verdict.FAIL]
    if verdict is RunVerdict.NOT_CONFORMANT:
        rules = sorted({check.rule for check in bad})
        return f"{len(rules)} rules are broken: {', '.join(rules)}" if len(rules) > 1 else f"{rules[0]} is broken"
    if interrupted:
        return "interrupted; what was decided until then is here"
    if verdict is RunVerdict.ERROR:
        broken = next(check for check in checks if check.verdict is Verdict.ERROR)
        return f"the kit itself failed, the driver is not to blame: {broken.id}: {broken.reason}"
    if verdict is RunVerdict.UNDECIDED:
        open_ones = [check for check in checks if check.verdict is Verdict.UNKNOWN]
        if open_ones:
            tells_why = next((check for check in open_ones if not check.reason.startswith(NOT_TRIED)), open_ones[0])
            return f"{len(open_ones)} checks are undecided: {tells_why.id}: {tells_why.reason}"
        if missing:
            more = [f"and {len(missing) - HOLES_SHOWN} more"] if len(missing) > HOLES_SHOWN else []
            return "; ".join((*missing[:HOLES_SHOWN], *more))
        return "nothing was decided: no check ran"
    done = sum(check.verdict is Verdict.PASS for check in checks)
    return f"every rule that applies holds in {done} checks"


def case_by_id(cases: Iterable[Case], identity: str) -> Case | None:
    """The case of that id."""
    return next((case for case in cases if case.id == identity), None)

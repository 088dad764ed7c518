"""Runs of scenarios to one run record: a check for each rule and scenario, over all its seeds; every run beside them."""

from __future__ import annotations

import platform
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import storcert
from storcert.conformance import secrets
from storcert.conformance.replay_token import payload
from storcert.conformance.scenario_options import RunOptions
from storcert.conformance.scenario_schedule import Ran
from storcert.conformance.tokens import place
from storcert.conformance.usage import one_line
from storcert.harness.contract import CONTRACT_VERSION
from storcert.harness.record.codec import behaviour, digest_of
from storcert.harness.record.run_record import (
    SCHEMA_VERSION,
    CheckFailure,
    CheckResult,
    Counts,
    DeviceIdentity,
    DriverIdentity,
    Environment,
    KitIdentity,
    RunRecord,
    summarise_rules,
)
from storcert.harness.record.scenario_run import Difference, FaultRun, OperationRun, ScenarioRun, StepRun
from storcert.harness.record.verdict import Blame, RunVerdict, Verdict, combine, conclude
from storcert.scenarios.replay import Case
from storcert.scenarios.result import EXPECTED, ScenarioResult

KIND = "scenario"
BROKEN_SHOWN = 3
TOKENS_MAX = 3
"""So many seeds of one check get a replay token when they fail."""


def record_of(
    options: RunOptions, rans: Sequence[Ran], *, interrupted: bool, started: str = "", wall_time_s: float = 0.0,
    out: Path | None = None,
) -> RunRecord:
    """The record of these runs. ``out``: where replay tokens go that are too long for it."""
    checks: dict[str, list[CheckResult]] = defaultdict(list)
    failures: list[CheckFailure] = []
    for ran in rans:
        for check, failure in _checks(options, ran):
            checks[check.id].append(check)
            replayed = len(checks[check.id]) <= TOKENS_MAX
            failures.extend(_with_token(options, ran, one, check.rule, out) if replayed else one for one in failure)
    merged = [_merged(same) for same in checks.values()]
    differences = tuple(_differences(options, rans))
    verdict = conclude(check.verdict for check in merged)
    unfinished = interrupted or len(rans) < len(options.runs())
    if unfinished and verdict is RunVerdict.CONFORMANT:
        verdict = RunVerdict.UNDECIDED
    values = {
        "schema_version": SCHEMA_VERSION,
        "kind": KIND,
        "verdict": verdict,
        "kit": KitIdentity(str(storcert.__version__), CONTRACT_VERSION, ""),
        "driver": DriverIdentity("control plane", str(storcert.__version__), ""),
        "device": DeviceIdentity("+".join(sorted({kind for ran in rans for kind in _devices(ran).values()}))),
        "profile": KIND,
        "seed": rans[0].seed if rans else 0,
        "capabilities": (),
        "rules": summarise_rules(merged, failures, _order(merged)),
        "counts": Counts.of(check.verdict for check in merged),
        "reason": "interrupted before every scenario had run" if interrupted else "",
        "checks": tuple(merged),
        "options": options.to_json(),
        "interrupted": interrupted,
        "scenarios": tuple(_run(options, ran) for ran in rans),
        "differences": differences,
        "environment": Environment(
            python=platform.python_version(), platform=platform.platform(), started=started, wall_time_s=wall_time_s,
            workers=options.workers),
    }
    record = secrets.scrubbed_value(RunRecord(**values, digest=""))  # type: ignore[arg-type]
    return replace(record, digest=digest_of(behaviour(record)))


def ended_early(options: RunOptions, verdict: RunVerdict, reason: str) -> RunRecord:
    """The record of runs that came to nothing, saying why."""
    told = one_line(secrets.scrubbed(reason))
    record = replace(record_of(options, (), interrupted=False), verdict=verdict, reason=told, digest="")
    return replace(record, digest=digest_of(behaviour(record)))


def _devices(ran: Ran) -> Mapping[str, str]:
    return {device.name: device.kind for device in ran.substituted.scenario.device}


def _name(options: RunOptions, ran: Ran) -> str:
    variant = options.variants[ran.variant].name
    return f"{options.scenarios[ran.scenario].name}{f'[{variant}]' if variant else ''}"


def _checks(options: RunOptions, ran: Ran) -> Iterable[tuple[CheckResult, list[CheckFailure]]]:
    name = _name(options, ran)
    if ran.result is None:
        identity = f"{EXPECTED}/{name}"
        yield CheckResult(identity, EXPECTED, name, Verdict.ERROR, f"seed {ran.seed}: {ran.error}", 1, blame=ran.blame), []
        return
    result = ran.result
    for rule in result.rules:
        identity = f"{rule.rule}/{name}"
        failed: list[CheckFailure] = []
        if rule.verdict is Verdict.FAIL:
            told = "; ".join(dict.fromkeys(one.text for one in rule.broken[:BROKEN_SHOWN]))
            unsaid = max(0, len(rule.broken) - BROKEN_SHOWN) + rule.more
            more = f" (and {unsaid:,} more)" if unsaid else ""
            failed = [_blamed(ran, rule.rule, CheckFailure(identity, f"seed {ran.seed}: {told}{more}", ran.last))]
        reason = {Verdict.UNKNOWN: "nothing to look at", Verdict.SKIPPED: "nothing to look at"}.get(rule.verdict, "")
        yield CheckResult(identity, rule.rule, name, rule.verdict, reason, 1, blame=_whose(failed)), failed
    identity = f"{EXPECTED}/{name}"
    verdict = Verdict.FAIL if result.problems else Verdict.PASS
    wrong = [CheckFailure(identity, f"seed {ran.seed}: {'; '.join(result.problems)}")] if result.problems else []
    wrong = [_blamed(ran, EXPECTED, one) for one in wrong]
    yield CheckResult(identity, EXPECTED, name, verdict, "", 1, blame=_whose(wrong)), wrong


def _blamed(ran: Ran, rule: str, failure: CheckFailure) -> CheckFailure:
    found = ran.blamed.get(rule)
    return failure if found is None else replace(failure, blame=found.blame, evidence=found.evidence)


def _whose(failed: Sequence[CheckFailure]) -> Blame | None:
    return failed[0].blame if failed else None


def _with_token(options: RunOptions, ran: Ran, failure: CheckFailure, rule: str, out: Path | None) -> CheckFailure:
    result = ran.result
    assert result is not None
    survives = result.played is not None and rule == EXPECTED and all("survives" in problem for problem in result.problems)
    played = result.planted if survives else result.shown
    assert played is not None
    case = Case.of(
        ran.substituted.scenario, ran.seed, options.until_ns, elsewhere=ran.substituted.changed, on_defect=survives)
    if result.played is None:
        rule = EXPECTED  # of a defect that survives no rule broke, and that is what went wrong
    token, file = place(payload(case, played.digest, rule, failure.message.removeprefix(f"seed {ran.seed}: ")), out)
    return replace(failure, token=token, file=file)


def _merged(checks: Sequence[CheckResult]) -> CheckResult:
    """One check over all seeds: the worst of its verdicts, with its reason."""
    verdict = combine(check.verdict for check in checks)
    worst = next(check for check in checks if check.verdict is verdict)
    return replace(worst, examples=sum(check.examples for check in checks))


def _order(checks: Iterable[CheckResult]) -> list[str]:
    rules = {check.rule for check in checks}
    return [*sorted(rules - {EXPECTED}), *([EXPECTED] if EXPECTED in rules else [])]


def _run(options: RunOptions, ran: Ran) -> ScenarioRun:
    asked, scenario, result = options.scenarios[ran.scenario], ran.substituted.scenario, ran.result
    head = {
        "scenario": asked.name, "title": asked.title, "class_": asked.class_, "seed": ran.seed,
        "scenario_digest": scenario.digest(), "devices": _devices(ran), "source": asked.source,
        "variant": options.variants[ran.variant].name, "left_out": ran.substituted.left_out,
    }
    if result is None:
        return ScenarioRun(**head, verdict=Verdict.ERROR, digest="", lasted_ns=0, problems=(ran.error,))  # type: ignore[arg-type]
    shown, defect, planted = result.shown, asked.defect, result.planted
    broken = () if planted is None else tuple(one.rule for one in planted.findings if one.broken)
    return ScenarioRun(
        **head,  # type: ignore[arg-type]
        verdict=result.verdict, digest=result.digest, lasted_ns=shown.lasted_ns, problems=result.problems,
        steps=tuple(StepRun(one.name, one.what, one.begun_ns, one.ended_ns, one.ending, one.text) for one in shown.steps),
        operations=tuple(OperationRun(one.workload, one.operation, one.ending, one.count) for one in shown.operations),
        faults=tuple(FaultRun(one.place, one.text, one.armed_ns, one.strikes) for one in shown.faults),
        defect=defect.id if defect is not None else "", broken_on_defect=broken,
    )


def _differences(options: RunOptions, rans: Sequence[Ran]) -> Iterable[Difference]:
    """Where the variants of one scenario with one seed differ: verdicts of rules, and how steps ended."""
    together: dict[tuple[int, int], dict[str, ScenarioResult]] = defaultdict(dict)
    without: set[tuple[int, int]] = set()
    for ran in rans:
        if ran.substituted.left_out:
            without.add((ran.scenario, ran.seed))
        if ran.result is not None:
            together[ran.scenario, ran.seed][options.variants[ran.variant].name or "as written"] = ran.result
    for (number, seed), results in together.items():
        if len(results) < 2:
            continue
        name = options.scenarios[number].name
        for what, values, explained in _compared(results, (number, seed) in without):
            if len(set(values.values())) > 1:
                yield Difference(name, seed, what, explained, values)


def _compared(results: Mapping[str, ScenarioResult], lacking: bool) -> Iterable[tuple[str, dict[str, str], bool]]:
    """``lacking``: one of the devices does not have a fault of the scenario, so that things went otherwise there."""
    rules = dict.fromkeys(rule.rule for result in results.values() for rule in result.rules)
    for rule in rules:
        values = {
            variant: next((str(one.verdict) for one in result.rules if one.rule == rule), "skipped")
            for variant, result in results.items()
        }
        # A rule that had nothing to look at on one device says nothing of it.
        yield rule, values, set(values.values()) <= {"pass", "skipped", "unknown"}
    steps = dict.fromkeys(step.name for result in results.values() for step in result.shown.steps)
    for step in steps:
        values = {
            variant: next((one.ending for one in result.shown.steps if one.name == step), "left out")
            for variant, result in results.items()
        }
        # What a device cannot do is no fault of it, nor is what follows from that.
        lacking = lacking or any(value in ("Unsupported", "left out") for value in values.values())
        yield f"step {step}", values, lacking

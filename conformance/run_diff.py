"""Compares two run records and keeps what behaves differently. Pure.

Names and numbers in messages come from the seed; two failures of a check are the same when their words are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from storcert.conformance.usage import InvalidUsage, one_line
from storcert.harness.record.run_diff import (
    ABSENT,
    DIFF_VERSION,
    CheckPair,
    Pair,
    RunDiff,
    ScenarioPair,
    ShortestProgram,
    Side,
)
from storcert.harness.record.run_record import CapabilityResult, CheckFailure, CheckResult, RunRecord
from storcert.harness.record.scenario_run import ScenarioRun
from storcert.harness.record.verdict import Verdict
from storcert.reports.failure_text import failures_by_check
from storcert.reports.summary import AUDITS, declared

MESSAGE_MAX = 300
_DECIDED = (Verdict.PASS, Verdict.FAIL)
_NAME = re.compile(r"/(volume|template|snapshot|iso)/[^\s,;:)]*")
_NUMBER = re.compile(r"0x[0-9a-f]+|\b[0-9a-f]{8,}\b|\d+")


def diff(a: RunRecord, b: RunRecord) -> RunDiff:
    """What differs. Raises :class:`InvalidUsage` for runs of different kinds, which have nothing in common."""
    if a.kind != b.kind:
        raise InvalidUsage(f"a {a.kind} and a {b.kind} cannot be compared")
    checks = tuple(_checks(a, b))
    return RunDiff(
        DIFF_VERSION, a.kind, _side(a), _side(b),
        capabilities=tuple(_capabilities(a, b)),
        rules=tuple(_pairs({rule.id: str(rule.verdict) for rule in a.rules}, {rule.id: str(rule.verdict) for rule in b.rules})),
        checks=checks,
        coverage=tuple(_coverage(a, b)),
        scenarios=tuple(_scenarios(a, b)),
        findings=tuple(_findings(a, b)),
        shortest=_shortest(a, b, checks),
        notes=tuple(_notes(a, b)),
    )  # fmt: skip


def _side(record: RunRecord) -> Side:
    return Side(
        record.driver, record.device, record.kit.version, record.profile, record.seed, record.verdict, record.digest)


def _pairs(a: Mapping[str, str], b: Mapping[str, str]) -> Iterator[Pair]:
    for name in dict.fromkeys((*a, *b)):
        pair = Pair(name, a.get(name, ABSENT), b.get(name, ABSENT))
        if pair.a != pair.b:
            yield pair


def _capabilities(a: RunRecord, b: RunRecord) -> Iterator[Pair]:
    yield from _pairs(
        {one.name: _declared(one) for one in a.capabilities}, {one.name: _declared(one) for one in b.capabilities})


def _declared(one: CapabilityResult) -> str:
    return f"{declared(one.declared)} ({AUDITS[one.audit][0]})"


def _checks(a: RunRecord, b: RunRecord) -> Iterator[CheckPair]:
    one, other = _by_id(a), _by_id(b)
    said_a, said_b = failures_by_check(a), failures_by_check(b)
    for name in dict.fromkeys((*one, *other)):
        left, right = one.get(name), other.get(name)
        verdict_a = str(left.verdict) if left is not None else ABSENT
        verdict_b = str(right.verdict) if right is not None else ABSENT
        message_a, message_b = _message(left, said_a), _message(right, said_b)
        rule = (left or right or CheckResult("", "", "", Verdict.UNKNOWN)).rule
        if verdict_a != verdict_b or (verdict_a == Verdict.FAIL and words(message_a) != words(message_b)):
            yield CheckPair(name, rule, verdict_a, verdict_b, message_a, message_b)


def _by_id(record: RunRecord) -> dict[str, CheckResult]:
    return {check.id: check for check in record.checks}


def _message(check: CheckResult | None, failures: Mapping[str, list[CheckFailure]]) -> str:
    if check is None or check.verdict is Verdict.PASS:
        return ""
    failed = failures.get(check.id)
    return one_line(failed[0].message if failed else check.reason, MESSAGE_MAX)


def words(message: str) -> str:
    """A message without what the seed chose: names of objects, numbers, digests."""
    return _NUMBER.sub("#", _NAME.sub(r"/\1/#", message))


def _coverage(a: RunRecord, b: RunRecord) -> Iterator[Pair]:
    """Rules in both of which a different number of checks or examples was decided."""
    there = {rule.id: rule for rule in b.rules}
    for rule in a.rules:
        other = there.get(rule.id)
        if other is not None:
            left = _told(_decided(a, rule.id), rule.examples)
            right = _told(_decided(b, rule.id), other.examples)
            if left != right:
                yield Pair(rule.id, left, right)


def _decided(record: RunRecord, rule: str) -> int:
    return sum(check.rule == rule and check.verdict in _DECIDED for check in record.checks)


def _told(checks: int, examples: int) -> str:
    return f"{checks:,} decided, {examples:,} examples"


def _scenarios(a: RunRecord, b: RunRecord) -> Iterator[ScenarioPair]:
    one = {(run.scenario, run.variant, run.seed): run for run in a.scenarios}
    other = {(run.scenario, run.variant, run.seed): run for run in b.scenarios}
    for key in dict.fromkeys((*one, *other)):
        left, right = one.get(key), other.get(key)
        if left is None or right is None:
            there = str((left or right or a.scenarios[0]).verdict)
            yield ScenarioPair(*key, "the run", there if left else ABSENT, there if right else ABSENT)
            continue
        for pair in _pairs(_happened(left), _happened(right)):
            yield ScenarioPair(*key, pair.what, pair.a, pair.b)


def _happened(run: ScenarioRun) -> dict[str, str]:
    """All of a run that may be compared, by what it is. Moments are not: they differ with every change."""
    found = {"verdict": str(run.verdict)}
    if run.problems:
        found["not as expected"] = words("; ".join(run.problems))
    for step in run.steps:
        found[f"step {step.name}"] = step.ending
    for one in run.operations:
        found[f"workload {one.workload}: {one.operation} {one.ending}"] = f"{one.count:,}"
    for fault in run.faults:
        found[f"fault {fault.text} at {fault.place}"] = f"struck {fault.strikes}"
    if run.broken_on_defect:
        found[f"on defect {run.defect}"] = ", ".join(run.broken_on_defect)
    return found


def _findings(a: RunRecord, b: RunRecord) -> Iterator[Pair]:
    """By what was done and where; numbers in it come from the seed."""
    one = {f"{found.kind} {found.file}: {words(found.message)}": "found" for found in a.findings}
    other = {f"{found.kind} {found.file}: {words(found.message)}": "found" for found in b.findings}
    yield from _pairs(one, other)


def _shortest(a: RunRecord, b: RunRecord, checks: tuple[CheckPair, ...]) -> ShortestProgram | None:
    """Of everything that fails on one side only, the failure with the fewest steps; of those that fail otherwise, else."""
    found: list[tuple[tuple[object, ...], ShortestProgram]] = []
    sides = (("A", failures_by_check(a)), ("B", failures_by_check(b)))
    for pair in checks:
        both = pair.a == pair.b == Verdict.FAIL
        for side, failures in sides:
            for failure in failures.get(pair.id, ()):
                program = ShortestProgram(
                    pair.id, side, one_line(failure.message, MESSAGE_MAX), failure.steps, failure.replay_argument)
                rank = (both, not failure.steps, len(failure.steps), sum(map(len, failure.steps)), pair.id, side)
                found.append((rank, program))
    return min(found, key=lambda item: item[0])[1] if found else None


def _notes(a: RunRecord, b: RunRecord) -> Iterator[str]:
    if (a.profile, a.seed) != (b.profile, b.seed) and not a.scenarios:
        yield f"profile {a.profile} with seed {a.seed} and profile {b.profile} with seed {b.seed} try different things"
    if a.kit != b.kit:
        yield "the two runs are by different kits: checks may differ for that reason alone"
    left = {(run.scenario, run.variant, run.seed): run.digest for run in a.scenarios}
    inside = sum(left.get((run.scenario, run.variant, run.seed), run.digest) != run.digest for run in b.scenarios)
    if inside:
        yield f"{inside} scenario runs are not the same event for event"

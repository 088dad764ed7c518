"""The words all reports share: the verdict in a few words, the reason in one sentence, the failures to show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from storcert.harness.record.depth import SearchDepth
from storcert.harness.record.run_record import Audit, CheckFailure, Counts, NotScored, RuleResult, RunRecord
from storcert.harness.record.verdict import RunVerdict, Verdict
from storcert.reports import exploration, scenarios
from storcert.reports.text import count, one_line

HEADLINES = {
    RunVerdict.CONFORMANT: "CONFORMANT",
    RunVerdict.NOT_CONFORMANT: "NOT CONFORMANT",
    RunVerdict.UNDECIDED: "UNDECIDED",
    RunVerdict.ERROR: "ERROR",
}


SCENARIO_HEADLINES = {
    RunVerdict.CONFORMANT: "AS EXPECTED",
    RunVerdict.NOT_CONFORMANT: "NOT AS EXPECTED",
    RunVerdict.UNDECIDED: "UNDECIDED",
    RunVerdict.ERROR: "ERROR",
}


EXPLORATION_HEADLINES = {
    RunVerdict.CONFORMANT: "NOTHING FOUND",
    RunVerdict.NOT_CONFORMANT: "FOUND",
    RunVerdict.UNDECIDED: "UNDECIDED",
    RunVerdict.ERROR: "ERROR",
}


AUDITS = {
    Audit.CONFIRMED: ("confirmed", Verdict.PASS),
    Audit.OVER_DECLARED: ("declared, does not work", Verdict.FAIL),
    Audit.UNDER_DECLARED: ("works, not declared", Verdict.FAIL),
    Audit.REFUSED_AS_DOCUMENTED: ("refused, as documented", Verdict.PASS),
    Audit.NOT_PROBED: ("not probed", Verdict.SKIPPED),
}
"""What the audit says in words, and which verdict it looks like."""


def declared(value: Any) -> str:
    """What a driver declares of a capability: a flag, a limit, a list or a name."""
    if value is True:
        return "yes"
    if value is False:
        return "no"
    if value is None:
        return "none"
    if isinstance(value, int):
        return f"{value:,}"
    return ", ".join(str(item) for item in value) if isinstance(value, (list, tuple)) else str(value)


def headline(record: RunRecord) -> str:
    """``CONFORMANT``, or what it is; an interrupted run says so, and one of a part says that it is no certificate."""
    headlines = {scenarios.KIND: SCENARIO_HEADLINES, exploration.KIND: EXPLORATION_HEADLINES}.get(record.kind, HEADLINES)
    text = headlines[record.verdict]
    if record.partial and record.verdict is RunVerdict.CONFORMANT:
        text += " IN PART"
    return f"{text} (interrupted)" if record.interrupted else text


def subject(record: RunRecord) -> str:
    """Which driver, on which device; or which scenarios."""
    if record.kind == scenarios.KIND:
        return scenarios.subject(record)
    if record.kind == exploration.KIND:
        return exploration.subject(record)
    name = one_line(f"{record.driver.name} {record.driver.version}".strip())
    return f"{name} on {one_line(record.device.name)} ({one_line(record.device.mode)})"


def reason(record: RunRecord) -> str:
    """Why the verdict is what it is: the record's own words where it has some, else from the counts."""
    if record.reason:
        return one_line(record.reason)
    counts = record.counts
    if record.verdict is RunVerdict.NOT_CONFORMANT:
        broken = [rule.id for rule in record.rules if rule.verdict is Verdict.FAIL]
        return f"{count(len(broken), 'rule is', 'rules are')} broken: {', '.join(broken)}"
    if record.verdict is RunVerdict.ERROR:
        what = "control plane" if record.kind in (scenarios.KIND, exploration.KIND) else "driver"
        return f"the kit itself failed in {count(counts.error, 'check')}; this says nothing about the {what}"
    if record.verdict is RunVerdict.UNDECIDED:
        if counts.decided == 0:
            return "nothing was decided"
        return f"{count(counts.unknown, 'check')} could not be decided"
    held = sum(rule.verdict is Verdict.PASS for rule in record.rules)
    return f"{count(held, 'rule holds', 'rules hold')} in {count(counts.passed, 'check')}"


def count_words(counts: Counts) -> str:
    """``412 pass, 3 fail, 12 skipped``: what there is, and always the passes."""
    pairs = (
        ("pass", counts.passed),
        ("fail", counts.failed),
        ("unknown", counts.unknown),
        ("error", counts.error),
        ("skipped", counts.skipped),
        ("disabled", counts.disabled),
    )
    return ", ".join(f"{number:,} {name}" for name, number in pairs if number or name == "pass")


def depth_words(depth: SearchDepth) -> str:
    """``generated: 1,204 programs of 5,612 operations, the longest of 31; ...``."""
    programs, operations = count(depth.programs, "program"), count(depth.operations, "operation")
    words = f"generated: {programs} of {operations}, the longest of {depth.longest:,}"
    if not depth.searched:
        return words
    time = f" in {depth.budget_s:g} s" if depth.budget_s else ""
    words += f"; {depth.searched:,} of them by a search through {count(depth.swarms, 'swarm')}{time}"
    led = f"led by the {count(depth.lines, 'line')} of the driver that were reached" if depth.guided else "not led by lines"
    return f"{words}, {led}"


def not_scored_words(apart: NotScored, contract: int) -> str:
    """``Not scored: 3 checks that came after contract 1 was frozen, none fails``."""
    failed = count(len(apart.failures), "fails", "fail") if apart.failures else "none fails"
    return f"Not scored: {count(len(apart.checks), 'check')} that came after contract {contract} was frozen, {failed}"


def shown_failures(record: RunRecord, per_rule: int) -> Iterator[tuple[RuleResult, CheckFailure, int]]:
    """The first failures of each rule, with how many of that rule are not shown (said with the last one)."""
    for rule in record.rules:
        shown = rule.failures[:per_rule]
        for index, failure in enumerate(shown):
            hidden = len(rule.failures) - len(shown) if index == len(shown) - 1 else 0
            yield rule, failure, hidden


def place(file: str, line: int) -> str:
    """``driver.py:12``, or the file alone."""
    return f"{one_line(file)}:{line}" if line else one_line(file)

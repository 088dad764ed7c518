"""The arithmetic of a run record: counts, rules from checks, exit codes."""

from __future__ import annotations

import pytest

from storcert.harness.record.run_record import CheckFailure, CheckResult, Counts, summarise_rules
from storcert.harness.record.verdict import Verdict
from tests.reports import records


def test_counts_add_up_and_know_what_decides() -> None:
    counts = records.broken().counts
    assert (counts.total, counts.decided) == (10, 6)
    assert Counts.of([]) == Counts()


@pytest.mark.parametrize(
    ("name", "code"),
    [("conformant", 0), ("broken", 1), ("interrupted", 2), ("kit_error", 3), ("undecided", 5), ("hostile", 1)],
)
def test_exit_codes(name: str, code: int) -> None:
    assert records.ALL[name]().exit_code() == code


def test_rules_follow_from_their_checks_in_the_order_given() -> None:
    checks = [
        CheckResult("B/1", "B", "", Verdict.PASS, examples=2),
        CheckResult("A/1", "A", "", Verdict.SKIPPED, "no device"),
        CheckResult("B/2", "B", "", Verdict.FAIL, examples=3),
        CheckResult("A/2", "A", "", Verdict.SKIPPED, "no device"),
    ]
    rules = summarise_rules(checks, [CheckFailure("B/2", "broken")], order=["A", "C"])
    assert [(rule.id, rule.verdict, rule.checks, rule.examples, rule.reason) for rule in rules] == [
        ("A", Verdict.SKIPPED, 2, 0, "no device"),
        ("B", Verdict.FAIL, 2, 5, ""),
    ]
    assert [failure.message for failure in rules[1].failures] == ["broken"]


def test_a_failure_of_no_check_is_refused() -> None:
    with pytest.raises(ValueError, match="not in the run"):
        summarise_rules([], [CheckFailure("A/1", "broken")])

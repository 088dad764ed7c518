"""Each thing that expectations can be wrong about is told apart, and what is right is not accused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from storcert.conformance.expectations import Expectation, Expectations
from storcert.conformance.gate_check import Checked, check_expectations, flaky_checks, same_run
from storcert.harness.record.gate_result import GateKind
from storcert.harness.record.run_record import CheckFailure, CheckResult, RunRecord, SourceLine
from storcert.harness.record.verdict import Verdict
from tests.reports import records

TODAY = date(2026, 12, 1)
CHECKS = (
    CheckResult("C-READ/a[1]", "C-READ", "1", Verdict.FAIL),
    CheckResult("C-READ/a[2]", "C-READ", "2", Verdict.PASS),
    CheckResult("C-LIST/b", "C-LIST", "", Verdict.PASS),
    CheckResult("C-SNAP/c", "C-SNAP", "", Verdict.SKIPPED, "capability snapshots is not declared"),
    CheckResult("C-WRITE/d[x]", "C-WRITE", "x", Verdict.UNKNOWN, "not decided, because C-NOFS broke first"),
    CheckResult("C-WRITE/d[x]:C-NOFS", "C-NOFS", "x", Verdict.FAIL),
    CheckResult("C-ONCE/e", "C-ONCE", "", Verdict.UNKNOWN, "the budget was used up"),
)
FAILURES = (
    CheckFailure("C-READ/a[1]", "one byte too many", source=SourceLine("acme.py", 5)),
    CheckFailure("C-WRITE/d[x]:C-NOFS", "opens a file"),
)
RUN = records.record_of(CHECKS, FAILURES)
ALL_EXPECTED = ("C-READ/a[1]", "C-WRITE/d[x]:C-NOFS")


def _entry(identity: str, **more: object) -> Expectation:
    return Expectation.model_validate({
        "id": identity, "reason": "known", "owner": "ana", "expires": date(2027, 1, 1), **more})


def _checked(*entries: Expectation, run: RunRecord = RUN, last: RunRecord | None = None) -> Checked:
    file = Expectations("known.toml", entries, tuple(range(1, len(entries) + 1)))
    return check_expectations(run, file, TODAY, lambda name: name.startswith("C-COPY/f"), last=last)


def _kinds(checked: Checked) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for problem in checked.problems:
        found.setdefault(str(problem.kind), []).append(problem.subject)
    return found


def test_without_expectations_every_failure_is_new_and_told_once() -> None:
    checked = _checked()
    assert _kinds(checked) == {"new": ["C-READ/a[1]", "C-WRITE/d[x]:C-NOFS"], "undecided": ["C-ONCE/e"]}
    first = checked.problems[0]
    assert (first.message, first.file, first.line) == ("one byte too many", "acme.py", 5)
    assert all(problem.blocks for problem in checked.problems)


def test_what_is_expected_is_no_problem_and_says_why() -> None:
    checked = _checked(*map(_entry, ALL_EXPECTED), _entry("C-ONCE/e", verdict="unknown"))
    assert checked.problems == ()
    assert [(one.id, one.reason, one.owner, one.expires) for one in checked.expected] == [
        ("C-READ/a[1]", "known", "ana", "2027-01-01"), ("C-WRITE/d[x]:C-NOFS", "known", "ana", "2027-01-01"),
        ("C-ONCE/e", "known", "ana", "2027-01-01"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("entry", "kind", "words"),
    [
        (_entry("C-LIST/b"), "stale", "expected to fail, and it does not any more (pass); take it away"),
        (_entry("C-LIST/b:C-NOFS"), "stale", "expected to break C-NOFS in C-LIST/b, which passes; take it away"),
        (_entry("C-READ/a[1]", verdict="unknown"), "stale", "expected to stay undecided, and it does not any more (fail)"),
        (_entry("C-READ/a[1]", expires=date(2026, 11, 30)), "expired", "expected until 2026-11-30 by ana (known)"),
        (_entry("C-READ/a[3]"), "unknown-id", "there is no such check; did you mean C-READ/a[2]?"),
        (_entry("C-REED/zzz"), "unknown-id", "there is no such check"),
        (_entry("C-COPY/zzz[*]"), "unknown-id", "there is no such check"),
    ],
)
def test_an_entry_that_is_wrong_is_told_how_and_where(entry: Expectation, kind: str, words: str) -> None:
    right = [_entry(one) for one in ALL_EXPECTED if one != entry.id]
    checked = _checked(*right, entry)
    found = [problem for problem in checked.problems if str(problem.kind) == kind]
    assert [problem.subject for problem in found] == [entry.id]
    assert found[0].message.startswith(words)
    assert (found[0].file, found[0].line, found[0].blocks) == ("known.toml", len(right) + 1, True)


def test_the_last_day_still_counts() -> None:
    assert "expired" not in _kinds(_checked(_entry("C-READ/a[1]", expires=TODAY)))


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (_entry("C-SNAP/c"), "was not decided: skipped (capability snapshots is not declared)"),
        (_entry("C-COPY/f[9]"), "is no part of this run"),
        (_entry("C-ONCE/e"), "was not decided: unknown (the budget was used up)"),
        (_entry("C-ONCE/e:C-NOFS"), "C-ONCE/e is unknown now"),
    ],
)
def test_what_was_not_decided_is_a_note_and_not_stale(entry: Expectation, words: str) -> None:
    checked = _checked(*map(_entry, ALL_EXPECTED), entry)
    assert _kinds(checked) == {"undecided": ["C-ONCE/e"]}
    assert words in checked.notes[0]


def test_a_family_covers_its_cases_and_is_stale_when_all_pass() -> None:
    assert "new" not in _kinds(_checked(_entry("C-READ/a[*]"), _entry("C-WRITE/d[x]:C-NOFS")))
    passing = records.record_of(CHECKS[1:3])
    assert _kinds(_checked(_entry("C-READ/a[*]"), run=passing)) == {"stale": ["C-READ/a[*]"]}


def test_an_entry_for_another_version_or_device_does_not_cover() -> None:
    entry = _entry("C-READ/a[1]", driver_version="<2")
    new = next(problem for problem in _checked(entry).problems if problem.subject == "C-READ/a[1]")
    assert new.kind is GateKind.NEW
    assert new.message.endswith("(expected elsewhere: it is for driver versions <2, this is 2.1)")
    assert _kinds(_checked(_entry("C-LIST/b", device="rbd")))["new"], "and where it does not apply it is not stale"
    assert "stale" not in _kinds(_checked(_entry("C-LIST/b", device="rbd")))


def test_a_failure_of_the_kit_is_never_expected() -> None:
    run = records.record_of((CheckResult("C-READ/a[1]", "C-READ", "1", Verdict.ERROR, "KeyError: 'x'"),))
    checked = _checked(_entry("C-READ/a[1]"), _entry("C-READ/a[1]", verdict="unknown", device="object-store"), run=run)
    assert _kinds(checked) == {"error": ["C-READ/a[1]"]}
    assert checked.expected == ()


def test_a_run_without_checks_is_no_open_gate() -> None:
    empty = replace(records.record_of(()), reason="driver cannot be made")
    assert _kinds(_checked(run=empty)) == {"undecided": ["storcert"]}
    error = replace(records.kit_error(), checks=(), rules=())
    assert _kinds(_checked(run=error)) == {"error": ["storcert"]}


def test_a_new_failure_says_that_it_passed_before() -> None:
    last = records.record_of((replace(CHECKS[0], verdict=Verdict.PASS),))
    assert _checked(last=last).problems[0].message == "one byte too many (it passed in the last certified run)"


def test_a_check_that_comes_to_this_and_that_is_flaky() -> None:
    other = records.record_of((replace(CHECKS[0], verdict=Verdict.PASS), *CHECKS[1:]))
    third = records.record_of((replace(CHECKS[0], verdict=Verdict.UNKNOWN), *CHECKS[1:]))
    assert same_run(RUN, other)
    found = list(flaky_checks(RUN, [other, RUN, third]))
    assert [(one.kind, one.subject) for one in found] == [(GateKind.FLAKY, "C-READ/a[1]")]
    assert found[0].message == "fail here, and otherwise in 1 other run with the same driver, kit and seed"
    assert list(flaky_checks(RUN, [RUN])) == []


@pytest.mark.parametrize("change", [{"seed": 8}, {"profile": "deep"}, {"options": {"configuration": {"x": 1}}}])
def test_another_seed_or_configuration_is_another_run(change: dict[str, object]) -> None:
    assert not same_run(RUN, replace(RUN, **change))  # type: ignore[arg-type]
    assert same_run(RUN, replace(RUN, options={**RUN.options, "budget_s": 5, "rules": ["C-READ"]}))

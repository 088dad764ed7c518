"""GitHub annotations and the step summary: escaped, on the right line, never over the limits."""

from __future__ import annotations

import pytest

from storcert.harness.record.run_record import CheckFailure, CheckResult
from storcert.harness.record.verdict import Verdict
from storcert.reports.github import ANNOTATIONS_MAX, SUMMARY_MAX_CHARACTERS, error_commands, step_summary
from tests.reports import records


def _many(number: int) -> tuple[tuple[CheckResult, ...], tuple[CheckFailure, ...]]:
    checks = tuple(CheckResult(f"C-READ/x[{n}]", "C-READ", "", Verdict.FAIL) for n in range(number))
    return checks, tuple(CheckFailure(check.id, "short " * 50, ("step",) * 20) for check in checks)


def test_a_failure_stands_on_its_line() -> None:
    first = error_commands(records.broken()).splitlines()[0]
    assert first == (
        "::error file=acme/driver.py,line=88,title=C-COMMIT/size-mismatch[1]::"
        "C-COMMIT/size-mismatch[1]: commit published 1 byte where 2 were announced"
    )


def test_the_place_in_the_repository_is_said_where_it_is_known() -> None:
    first = error_commands(records.broken(), "src").splitlines()[0]
    assert first.startswith("::error file=src/acme/driver.py,line=88,")


def test_a_conformant_run_annotates_nothing_and_any_other_something() -> None:
    assert error_commands(records.conformant()) == ""
    assert error_commands(records.undecided()).startswith("::error title=storcert::UNDECIDED: nothing was decided")
    assert error_commands(records.kit_error()).startswith("::error title=storcert::ERROR: the kit itself failed")


@pytest.mark.parametrize("number", [1, 9, 10, 11, 500])
def test_there_are_never_more_than_github_shows(number: int) -> None:
    lines = error_commands(records.record_of(*_many(number))).splitlines()
    assert len(lines) == min(number, ANNOTATIONS_MAX)
    assert ("more failures" in lines[-1]) == (number > ANNOTATIONS_MAX)


def test_the_summary_is_capped_and_says_what_is_missing() -> None:
    text = step_summary(records.record_of(*_many(2_000)))
    assert len(text) < SUMMARY_MAX_CHARACTERS + 1_000
    assert "more failures; the run record has all" in text
    assert text.count("<details>") == text.count("</details>")


def test_a_driver_cannot_write_commands_or_close_the_block() -> None:
    lines = error_commands(records.hostile()).splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("::error file=a%2Cb%3Ac%25.py,line=3,title=")
    assert "%250A" in lines[0]
    summary = step_summary(records.hostile())
    assert "\n````\n" in summary, "the fence is longer than any run of backticks inside"
    assert "&lt;b&gt;" in summary.partition("<details>")[0]

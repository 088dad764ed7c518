"""The lint in a run record: counted, told in one line, in no digest and no verdict."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from storcert.conformance.lint_note import lint_note
from storcert.conformance.options import certify_options
from storcert.harness.record.codec import behaviour
from storcert.harness.record.lint_report import LintNote
from storcert.reports import terminal
from tests.reports import records

FIRST = Path(__file__).resolve().parents[3] / "examples" / "first_driver.py"


def test_a_driver_is_linted_as_what_it_is_certified_on() -> None:
    assert lint_note(certify_options("nfs")) == LintNote()
    elsewhere = lint_note(certify_options("nfs", device="object-store"))
    assert elsewhere is not None and elsewhere.errors >= 10
    found = lint_note(certify_options(f"{FIRST}:FirstDriver"))
    assert found == LintNote(errors=1, warnings=1, accepted=0, rules={"ABORT-exit": 1, "LIST-page": 1})


def test_it_is_told_and_changes_nothing() -> None:
    record = records.conformant()
    noted = replace(record, lint=LintNote(2, 1, 3, {"NOFS-open": 2, "LIST-page": 1}))
    assert behaviour(noted) == behaviour(record) and noted.exit_code() == record.exit_code()
    said = "lint (not scored): 2 errors, 1 warning, 3 accepted: NOFS-open 2, LIST-page 1; see storcert lint"
    assert said in " ".join(terminal.render(noted).split())
    assert "lint (not scored): nothing found" in terminal.render(replace(record, lint=LintNote()))
    assert "lint" not in terminal.render(record)

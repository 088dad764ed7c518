"""SARIF and code quality of a run: the place in the driver's source, and fingerprints that stay when the source moves."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from storcert.conformance.formats import render
from storcert.harness.record.run_record import CheckFailure, DriverIdentity, RunRecord, SourceLine
from storcert.reports.repository_place import RepositoryPlace, repository_place
from tests.reports import records

INSTALLED = DriverIdentity("acme", "2.1", "", "acme")
IN_FILE = DriverIdentity("acme", "", "", "driver.py")


@pytest.mark.parametrize(
    ("source", "driver", "root", "wanted"),
    [
        (SourceLine("driver.py", 8), INSTALLED, "", RepositoryPlace("driver.py", 8, True)),
        (SourceLine("driver.py", 8), INSTALLED, "src/acme/", RepositoryPlace("src/acme/driver.py", 8, True)),
        (SourceLine("driver.py", 0), INSTALLED, ".", RepositoryPlace("driver.py", 1, True)),
        (None, INSTALLED, "src/acme", RepositoryPlace("pyproject.toml", 1, False)),
        (None, IN_FILE, "src", RepositoryPlace("src/driver.py", 1, False)),
    ],
)
def test_a_failure_stands_somewhere(
    source: SourceLine | None, driver: DriverIdentity, root: str, wanted: RepositoryPlace
) -> None:
    assert repository_place(CheckFailure("C-READ/x", "wrong", source=source), driver, root) == wanted


def _results(record: RunRecord) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = json.loads(render(record, "sarif", "src/acme"))["runs"][0]["results"]
    return results


def test_sarif_names_the_rule_and_the_line() -> None:
    log = json.loads(render(records.broken(), "sarif", "src"))["runs"][0]
    assert [rule["id"] for rule in log["tool"]["driver"]["rules"]] == [rule.id for rule in records.broken().rules]
    assert "`storcert explain C-COMMIT`" in log["tool"]["driver"]["rules"][1]["help"]["markdown"]
    first = log["results"][0]
    assert first["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "src/acme/driver.py", "uriBaseId": "%SRCROOT%"}, "region": {"startLine": 88},
    }  # fmt: skip
    assert all(result["locations"] for result in log["results"]), "code scanning refuses a file with a result that has no place"


def test_fingerprints_stay_when_lines_and_messages_change_and_differ_between_checks() -> None:
    record = records.broken()
    moved = replace(record, rules=tuple(
        replace(rule, failures=tuple(
            replace(one, message="other words", source=SourceLine("acme/driver.py", 700)) for one in rule.failures))
        for rule in record.rules
    ))  # fmt: skip
    before = [result["partialFingerprints"] for result in _results(record)]
    assert before == [result["partialFingerprints"] for result in _results(moved)]
    assert len({json.dumps(mark) for mark in before}) == len(before)
    quality = [issue["fingerprint"] for issue in json.loads(render(record, "code-quality"))]
    assert quality == [issue["fingerprint"] for issue in json.loads(render(moved, "code-quality"))]


def test_a_run_without_a_decision_is_not_clean() -> None:
    for name in ("undecided", "kit_error", "interrupted"):
        assert json.loads(render(records.ALL[name](), "code-quality")), name
    assert json.loads(render(records.conformant(), "code-quality")) == []


def test_two_failures_of_one_check_are_two_results() -> None:
    record = records.broken()
    twice = replace(record, rules=tuple(
        replace(rule, failures=rule.failures + rule.failures[:1]) for rule in record.rules))
    marks = [result["partialFingerprints"]["storcertFingerprint/v1"] for result in _results(twice)]
    assert len(marks) == len(set(marks)) == len(_results(record)) + 2

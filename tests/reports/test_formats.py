"""The same counts in every format, for certifications and scenarios: the record is the one source, no format forgets a check.

Each reader below counts for itself what a consumer of that format would count, and reads the six counts where they are told.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from storcert.conformance.formats import FORMATS, render
from storcert.harness.record.run_record import RunRecord
from storcert.harness.record.verdict import Verdict
from storcert.reports import ndjson
from tests.reports import records
from tests.reports.sarif_format import require_sarif

SCHEMAS = Path(__file__).parent / "schemas"
NAMES = [str(verdict) for verdict in Verdict]
CTRF = json.loads((SCHEMAS / "ctrf.schema.json").read_text(encoding="utf-8"))


def _from_words(text: str) -> dict[str, int]:
    line = next(line for line in text.splitlines() if re.match(r"[\d,]+ checks?: ", line))
    found = {word: int(number.replace(",", "")) for number, word in re.findall(r"([\d,]+) ([a-z]+)", line)}
    return {name: found.get(name, 0) for name in NAMES}


def _from_json(text: str) -> dict[str, int]:
    value = json.loads(text)
    assert Counter(check["verdict"] for check in value["checks"]) == Counter(value["counts"])
    return {name: value["counts"][name] for name in NAMES}


def _from_junit(text: str) -> dict[str, int]:
    counts = dict.fromkeys(NAMES, 0)
    root = ElementTree.fromstring(text)
    for item in root.iter("property"):
        kind, _, name = (item.get("name") or "").partition(".")
        if kind == "count":
            counts[name] += int(item.get("value") or "")
    cases = list(root.iter("testcase"))
    assert len({(case.get("classname"), case.get("name")) for case in cases}) == len(cases) == sum(counts.values())
    assert len(list(root.iter("failure"))) == counts["fail"]
    assert len(list(root.iter("error"))) == counts["error"] + counts["unknown"]
    assert len(list(root.iter("skipped"))) == counts["skipped"] + counts["disabled"]
    return counts


def _from_sarif(text: str) -> dict[str, int]:
    run = require_sarif(text)["runs"][0]
    counts = run["properties"]["counts"]
    failed = {result["properties"]["check"] for result in run["results"] if result["level"] == "error"}
    assert len(failed) == counts["fail"]
    assert len(run["invocations"][0].get("toolExecutionNotifications", ())) == counts["unknown"] + counts["error"]
    return {name: counts[name] for name in NAMES}


def _from_ctrf(text: str) -> dict[str, int]:
    results = json.loads(text)["results"]
    summary, tests = results["summary"], results["tests"]
    assert summary["tests"] == len(tests) == len({test["name"] for test in tests})
    statuses = Counter(test["status"] for test in tests)
    for name in ("passed", "failed", "skipped", "pending", "other"):
        assert summary[name] == statuses[name]
    raw = Counter(test["rawStatus"] for test in tests)
    counts = summary["extra"]["storcert"]["counts"]
    assert {name: raw[name] for name in NAMES} == {name: counts[name] for name in NAMES}
    return {name: raw[name] for name in NAMES}


def _from_ndjson(text: str) -> dict[str, int]:
    events = [json.loads(line) for line in text.splitlines()]
    assert [events[0]["event"], events[-1]["event"]] == ["run_started", "run_ended"]
    cases = Counter(event["verdict"] for event in events if event["event"] == "case_ended")
    assert cases == Counter(events[-1]["counts"])
    return {name: cases[name] for name in NAMES}


def _from_html(text: str) -> dict[str, int]:
    table = text[text.index('<table id="checks-table">'):] if "checks-table" in text else ""
    rows = Counter(re.findall(r'<tr data-verdict="([a-z]+)">', table))
    told = re.search(r'id="counts">([^<]*)<', text)
    assert told is not None
    words = {word: int(number.replace(",", "")) for number, word in re.findall(r"([\d,]+) ([a-z]+)", told[1])}
    assert {name: words.get(name, 0) for name in NAMES} == {name: rows[name] for name in NAMES}
    return {name: rows[name] for name in NAMES}


def _from_code_quality(text: str) -> dict[str, int] | None:
    """It shows what is wrong only; the rest of the counts is not in it."""
    issues = json.loads(text)
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)
    return None


READERS: dict[str, Callable[[str], dict[str, int] | None]] = {
    "text": _from_words, "markdown": _from_words, "json": _from_json, "html": _from_html, "junit": _from_junit,
    "sarif": _from_sarif, "ctrf": _from_ctrf, "ndjson": _from_ndjson, "code-quality": _from_code_quality,
    "badge": lambda text: None, "coverage": lambda text: None,
}  # fmt: skip


def test_every_format_is_read_here() -> None:
    assert sorted(READERS) == sorted(FORMATS)


@pytest.mark.parametrize("name", records.EVERY)
def test_counts_are_equal_everywhere(name: str) -> None:
    require_equal_counts(records.EVERY[name]())


def require_equal_counts(record: RunRecord) -> None:
    truth = {str(verdict): sum(check.verdict is verdict for check in record.checks) for verdict in Verdict}
    for kind, read in READERS.items():
        found = read(render(record, kind))
        assert found in (None, truth), kind


@pytest.mark.parametrize("name", records.EVERY)
def test_ctrf_is_valid_by_its_schema(name: str) -> None:
    jsonschema.validate(json.loads(render(records.EVERY[name](), "ctrf")), CTRF, jsonschema.Draft7Validator)


def test_the_ctrf_schema_refuses_what_is_none() -> None:
    value = json.loads(render(records.broken(), "ctrf"))
    value["results"]["tests"][0]["state"] = "x"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(value, CTRF, jsonschema.Draft7Validator)


def test_the_published_schema_of_events_is_up_to_date() -> None:
    written = json.loads(ndjson.SCHEMA_PATH.read_text(encoding="utf-8"))
    assert written == ndjson.json_schema(), "run: python -m storcert.reports.ndjson > the file"


@pytest.mark.parametrize("name", records.EVERY)
def test_every_event_is_valid_by_its_schema(name: str) -> None:
    validator = jsonschema.Draft202012Validator(ndjson.json_schema())
    validator.check_schema(ndjson.json_schema())
    for line in render(records.EVERY[name](), "ndjson").splitlines():
        validator.validate(json.loads(line))


@pytest.mark.parametrize("change", [{"event": "case_began"}, {"event_version": 2}, {"verdict": "green"}])
def test_the_schema_of_events_refuses(change: dict[str, Any]) -> None:
    validator = jsonschema.Draft202012Validator(ndjson.json_schema())
    event = json.loads(render(records.broken(), "ndjson").splitlines()[2])
    assert validator.is_valid(event)
    assert not validator.is_valid(event | change)

"""What a record knows beside verdicts and counts is in every format: whose a failure is, how deep the run has looked, and what
ran and is not scored."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from storcert.conformance.formats import render
from storcert.reports.github import step_summary
from storcert.reports.terminal import render as terminal
from tests.reports import records

DEPTH = "900 of them by a search through 225 swarms, led by the 410 lines of the driver"
APART = "Not scored: 2 checks that came after contract 1 was frozen, 1 fails"
EVIDENCE = "it fails again under its own token"


def _one_line(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("name", ["terminal", "html", "junit", "github"])
def test_texts_tell_all_of_it(name: str) -> None:
    record = records.blamed()
    made = {"terminal": terminal, "github": step_summary}.get(name, lambda one: render(one, name))
    text = _one_line(made(record))
    for wanted in (DEPTH, APART, "blame: driver", EVIDENCE):
        assert wanted in text, wanted
    without = _one_line(made(records.broken()))
    for word in ("blame:", "Not scored", "swarm"):
        assert word not in without


def test_the_page_shows_what_fails_and_is_not_scored() -> None:
    text = render(records.blamed(), "html")
    part = text[text.index('<section id="not-scored">') :]
    assert "a name is listed twice" in part and "storcert replay sc1.c.d" in part and "C-READ/later" in part
    assert "a name is listed twice" not in text[: text.index('<section id="not-scored">')]


def test_sarif_has_it_as_properties() -> None:
    run = json.loads(render(records.blamed(), "sarif"))["runs"][0]
    assert run["properties"]["depth"]["swarms"] == 225
    assert [one["check"] for one in run["properties"]["notScored"]["failures"]] == ["C-LIST/later"]
    (result,) = run["results"]
    assert result["properties"]["blame"] == "driver" and result["properties"]["evidence"] == [EVIDENCE]
    told = [one["message"]["text"] for one in run["invocations"][0]["toolExecutionNotifications"]]
    assert [text.endswith(("(blame: inconclusive)", "(blame: device)")) for text in told] == [True, True]


def test_ctrf_has_it_as_extras() -> None:
    results = json.loads(render(records.blamed(), "ctrf"))["results"]
    about = results["summary"]["extra"]["storcert"]
    assert about["depth"]["lines"] == 410 and len(about["notScored"]["checks"]) == 2
    assert [test["extra"]["blame"] for test in results["tests"]] == ["driver", "inconclusive", "device"]
    assert all(test["testId"] != "C-LIST/later" for test in results["tests"]), "what is not scored is no test"


def test_junit_has_no_case_of_what_is_not_scored() -> None:
    cases = [case.get("name") for case in ElementTree.fromstring(render(records.blamed(), "junit")).iter("testcase")]
    assert cases == ["C-COPY/whole", "C-ONCE/race", "C-RETRY/lost-answer"]

"""The low level of SARIF: what it writes is SARIF, fingerprints are stable, odd text does no harm."""

from __future__ import annotations

import json

import pytest
from jsonschema import ValidationError

from storcert.reports import sarif
from storcert.reports.sarif import Level, SarifPlace, SarifResult, SarifRule, SarifRun
from tests.reports.sarif_format import require_sarif

RULE = SarifRule("C-NOFS", "no file system", "No file-system assumption.", "Keep it in **memory**.", tags=("C-NOFS",))


def run_of(*results: SarifResult) -> SarifRun:
    return SarifRun("1.2.3", (RULE,), results, automation_id="storcert/lint", exit_code=1, properties={"seed": 7})


def test_everything_at_once_is_sarif() -> None:
    place = SarifPlace("drivers/mine.py", 3, 5, 3, 9)
    text = sarif.render(
        run_of(
            SarifResult("C-NOFS", "open() of a path", place=place, fingerprint=sarif.fingerprint("a"), properties={"n": 1}),
            SarifResult("C-NOFS", "accepted", Level.WARNING, SarifPlace("a b.py"), suppression="the mount"),
            SarifResult("C-NOFS", "fine", Level.NONE),
        )
    )
    require_sarif(text)
    first, second, third = json.loads(text)["runs"][0]["results"]
    assert first["locations"][0]["physicalLocation"]["region"] == {
        "startLine": 3, "startColumn": 5, "endLine": 3, "endColumn": 9,
    }  # fmt: skip
    assert second["locations"][0]["physicalLocation"] == {"artifactLocation": {"uri": "a%20b.py", "uriBaseId": "%SRCROOT%"}}
    assert second["suppressions"][0]["justification"] == "the mount"
    assert third["kind"] == "pass"


def test_the_judge_of_these_tests_refuses_what_is_no_sarif() -> None:
    broken = sarif.log(run_of(SarifResult("C-NOFS", "x")))
    broken["runs"][0]["results"][0]["lvel"] = "error"
    with pytest.raises(ValidationError):
        require_sarif(json.dumps(broken))


def test_a_result_needs_its_rule() -> None:
    with pytest.raises(ValueError, match="C-NONE"):
        sarif.log(run_of(SarifResult("C-NONE", "x")))


def test_text_is_printable_and_names_are_uris() -> None:
    text = sarif.render(run_of(SarifResult("C-NOFS", "\x1b[31m\ud800", place=SarifPlace("d/\u00fc\udcff.py", 1))))
    require_sarif(text)
    result = json.loads(text)["runs"][0]["results"][0]
    assert result["message"]["text"] == "\\x1b[31m\\ud800"
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "d/%C3%BC%FF.py"


def test_fingerprints_do_not_run_together_and_equal_ones_are_numbered() -> None:
    assert sarif.fingerprint("ab", "c") != sarif.fingerprint("a", "bc")
    first, second, third = sarif.numbered([("r", "f"), ("r", "f"), ("r", "g")])
    assert len({first, second, third}) == 3
    assert sarif.numbered([("r", "f")]) == [first]

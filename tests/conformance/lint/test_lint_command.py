"""``storcert lint`` from outside: exit codes, what is printed and written, SARIF by its schema, annotations."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from storcert.conformance import cli
from storcert.conformance.lint.rules import LINT_RULES
from storcert.reports import lint_schema
from tests.reports.sarif_format import require_sarif

BAD = """\
import os as o


class Driver:
    def place(self, uri):
        with open("k\u00fc", "rb") as f, open("\u00e9"): pass
        return o.stat(self.root)

    def key(self, uri):
        return uri.object_id.lower()  # storcert: allow NAMES-fold the device folds names itself, and we refuse capitals
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    (tmp_path / "driver.py").write_text(BAD, encoding="utf-8")
    return tmp_path


def test_findings_end_with_1_and_are_told_with_their_place(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["lint", "driver.py"]) == 1
    out = capsys.readouterr().out
    assert "driver.py\n  6:14  error  NOFS-open  open('k\u00fc', 'rb')" in out
    assert "6:37  error  NOFS-open" in out and "7:16  error  NOFS-look" in out
    assert "driver.py:10 NAMES-fold: the device folds names itself, and we refuse capitals" in out
    assert "3 errors and 0 warnings in 1 file, 1 accepted with a reason." in out
    assert "storcert explain NOFS-open" in out


def test_nothing_found_ends_with_0(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "driver.py").write_text("x = 1\n")
    assert cli.run(["lint", "driver.py"]) == 0
    assert capsys.readouterr().out == "Nothing found in 1 file.\n"


def test_what_cannot_be_done_ends_with_4_and_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["nowhere.py"], ["driver.py", "--device", "tape"], ["driver.py", "--json", "no/where.json"], []):
        assert cli.run(["lint", *words]) == 4
        said = capsys.readouterr()
        assert said.out == "" and said.err.count("\n") == 1 and said.err.startswith("storcert: ")


def test_a_file_that_is_no_python_is_a_finding_with_its_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "broken.py").write_text("x = 1\ndef f(:\n")
    (folder / "nul.py").write_bytes(b"x = '\0'\n")
    (folder / "latin.py").write_bytes(b"x = '\xff'\n")
    assert cli.run(["lint", "."]) == 1
    out = capsys.readouterr().out
    assert "broken.py\n  2:7  error  LINT-syntax  this file is no Python: " in out
    assert out.count("LINT-syntax  this") == 3 and "NOFS-open" in out, "the other files are looked at all the same"


def test_json_is_what_its_schema_says(folder: Path) -> None:
    assert cli.run(["lint", "driver.py", "--json", "l.json"]) == 1
    report = json.loads((folder / "l.json").read_text())
    jsonschema.validate(report, lint_schema.json_schema(), jsonschema.Draft202012Validator)
    assert next(iter(report)) == "schema_version"
    assert [(one["line"], one["column"], one["rule"], one["contract"]) for one in report["findings"]] == [
        (6, 14, "NOFS-open", "C-NOFS"), (6, 37, "NOFS-open", "C-NOFS"), (7, 16, "NOFS-look", "C-NOFS"),
    ]  # fmt: skip
    assert str(folder) not in json.dumps(report)
    del report["findings"][0]["line"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(report, lint_schema.json_schema(), jsonschema.Draft202012Validator)


def test_the_published_schema_is_up_to_date() -> None:
    said = lint_schema.SCHEMA_PATH.read_text(encoding="utf-8")
    assert said == lint_schema.text(), "run: python -m storcert.reports.lint_schema > the file"


def test_sarif_is_valid_and_fingerprints_outlive_other_lines(folder: Path) -> None:
    def results() -> list[dict[str, object]]:
        assert cli.run(["lint", "driver.py", "--sarif", "l.sarif"]) == 1
        log = require_sarif((folder / "l.sarif").read_text())
        run = log["runs"][0]
        assert len(run["tool"]["driver"]["rules"]) == len(LINT_RULES)
        found: list[dict[str, object]] = run["results"]
        return found

    before = results()
    assert [one["ruleId"] for one in before] == ["NOFS-open", "NOFS-open", "NOFS-look", "NAMES-fold"]
    assert [one.get("suppressions", [{}])[0].get("kind") for one in before] == [None, None, None, "inSource"]  # type: ignore[attr-defined]
    prints = [one["partialFingerprints"] for one in before]
    assert len({json.dumps(one) for one in prints}) == 4
    (folder / "driver.py").write_text("# one more line\n" + BAD, encoding="utf-8")
    assert [one["partialFingerprints"] for one in results()] == prints


def test_annotations_in_a_github_job(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    cli.run(["lint", "driver.py"])
    out = capsys.readouterr().out
    assert "::error file=driver.py,line=7,col=16,title=NOFS-look (C-NOFS)::o.stat" in out.replace("os.stat", "o.stat")
    (folder / "driver.py").write_text("open('a')\n" * 12)
    cli.run(["lint", "driver.py"])
    out = capsys.readouterr().out
    assert out.count("::error file=") == 9 and "::error title=storcert lint::and 3 more" in out


def test_rules_are_listed_and_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["list", "rules"]) == 0
    listed = capsys.readouterr().out
    for name in LINT_RULES:
        assert f"\n{name} " in listed
        assert cli.run(["explain", name]) == 0
        assert f"{name}: " in capsys.readouterr().out
    assert cli.run(["explain", "c-nofs"]) == 0
    assert "Found by storcert lint" in capsys.readouterr().out


def test_odd_text_reaches_no_terminal(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "driver.py").write_text("open('\x1b[31m\u202e')\n", encoding="utf-8")
    cli.run(["lint", "driver.py"])
    out = capsys.readouterr().out
    assert "\x1b" not in out and "\u202e" not in out

"""``storcert gate`` and ``certify --expectations`` as they are typed: exit codes, what is printed, written, told to GitHub."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import ModuleType

import jsonschema
import pytest

from storcert.conformance import cli
from storcert.conformance.expectations import Expectation, add_entries, read_expectations
from storcert.harness.record.codec import encode
from storcert.harness.record.gate_result import COMPARISON_KINDS
from storcert.harness.record.run_record import CheckResult, RunRecord
from storcert.harness.record.verdict import Verdict
from storcert.reports import gate_text
from tests.reports import records

DAY = ["--today", "2026-12-01"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    return tmp_path


def _put(record: RunRecord, name: str = "run.json") -> str:
    Path(name).write_text(encode(record))
    return name


def _failing() -> RunRecord:
    """Fails in four checks, and everything else is decided."""
    record = records.broken()
    checks = tuple(check for check in record.checks if check.verdict not in (Verdict.ERROR, Verdict.UNKNOWN))
    return records.record_of(checks, record.failures)


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("conformant", 0, "GATE OPEN  acme 2.1 on object-store"),
        ("broken", 1, "GATE SHUT: 4 new, 1 error, 1 undecided  acme"),
        ("interrupted", 2, "GATE SHUT: the run was interrupted"),
        ("kit_error", 3, "GATE SHUT: 1 error"),
        ("undecided", 5, "GATE SHUT: 1 undecided"),
    ],
)
def test_the_exit_code_of_a_run_nobody_said_anything_about(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, code: int, words: str
) -> None:
    assert cli.run(["gate", _put(records.ALL[name]()), *DAY]) == code
    assert capsys.readouterr().out.startswith(words)


def test_write_then_check_then_prune(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, known = _put(_failing()), ["--expectations", "known.toml"]
    assert cli.run(["gate", run, *known]) == 4, "no file yet"
    capsys.readouterr()
    words = ["--write", "--reason", "the pool rounds up", "--owner", "ana", "--link", "https://example.org/1"]
    assert cli.run(["gate", run, *known, *words, *DAY]) == 0
    out = capsys.readouterr().out
    assert "known.toml: 4 entries written" in out
    assert "GATE OPEN: 4 failures expected" in out
    assert {entry.expires for entry in read_expectations(Path("known.toml")).entries} == {date(2027, 3, 1)}
    assert cli.run(["gate", run, *known, *words, *DAY]) == 0
    assert "0 entries written" in capsys.readouterr().out
    assert cli.run(["gate", run, *known, *DAY]) == 0
    assert cli.run(["gate", run, *known, "--today", "2027-03-02"]) == 1
    assert capsys.readouterr().out.count("expected until 2027-03-01 by ana") == 4

    other = _put(records.conformant(), "other.json")
    assert cli.run(["gate", other, *known, *DAY]) == 1, "neither this record nor the kit has checks of these names"
    assert "Expected of a check that does not exist (4)" in capsys.readouterr().out
    fixed = _put(records.record_of(tuple(replace(check, verdict=Verdict.PASS) for check in _failing().checks)), "fixed.json")
    assert cli.run(["gate", fixed, *known, *DAY]) == 1
    assert "Expected to fail, and does not (4)" in capsys.readouterr().out
    assert cli.run(["gate", fixed, *known, "--prune", *DAY]) == 0
    assert "known.toml: 4 entries taken away\n  - C-COMMIT/size-mismatch[1]" in capsys.readouterr().out
    assert read_expectations(Path("known.toml")).entries == ()
    assert cli.run(["gate", run, *known, *DAY]) == 1


def test_the_baseline_reports_and_blocks_what_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    less = records.conformant()
    more = replace(less, profile="deep", seed=9)
    arguments = ["gate", _put(less), "--baseline", _put(more, "last.json"), *DAY]
    assert cli.run(arguments) == 0
    assert "A lower profile (1, not blocking)" in capsys.readouterr().out
    assert cli.run([*arguments, "--block", "capability"]) == 0
    for kind in ("profile", "all"):
        assert cli.run([*arguments, "--block", kind]) == 1
    assert "A lower profile (1)" in capsys.readouterr().out


def test_a_flaky_check_is_found_in_another_run_and_in_the_same_baseline(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = records.conformant()
    other = records.record_of((replace(run.checks[0], verdict=Verdict.FAIL), *run.checks[1:]))
    for option in ("--again", "--baseline"):
        assert cli.run(["gate", _put(run), option, _put(other, "other.json"), *DAY]) == 1
        assert "GATE SHUT: 1 flaky" in capsys.readouterr().out
    assert cli.run(["gate", _put(run), "--again", _put(replace(run, seed=8), "seed.json")]) == 4
    assert "not a run of the same driver" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--write"], "--write needs --expectations FILE"),
        (["--prune"], "--prune needs --expectations FILE"),
        (["--expectations", "k.toml", "--write", "--prune"], "--write and --prune: one of them at a time"),
        (["--expectations", "k.toml", "--write", "--owner", "ana"], "--write needs --reason and --owner"),
        (["--owner", "ana"], "--owner goes with --write"),
        (["--block", "all"], "--block needs --baseline LAST.json"),
        (["--baseline", "run.json", "--block", "new"], "--block new: it is one of capability, rule, checks"),
        (["--today", "tomorrow"], "--today tomorrow: a day, as in 2026-12-31"),
        (["--baseline", "none.json"], "none.json: cannot be read"),
        (["--json", "none/gate.json"], "--json none/gate.json: there is no folder none"),
    ],
)
def test_wrong_usage_is_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert cli.run(["gate", _put(records.conformant()), *arguments]) == 4
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert said.err.startswith(f"storcert: {words}")
    assert not Path("k.toml").exists()


def test_json_is_valid_by_its_published_schema_and_code_quality_is_written(folder: Path) -> None:
    schema = json.loads(gate_text.SCHEMA_PATH.read_text())
    assert schema == gate_text.json_schema(), "run: python -m storcert.reports.gate_text > the file"
    add_entries(Path("known.toml"), [_entry("C-COMMIT/size-mismatch[1]"), _entry("C-NONE/x")])
    arguments = ["gate", _put(records.broken()), "--expectations", "known.toml", *DAY]
    assert cli.run([*arguments, "--json", "gate.json", "--code-quality", "cq.json", "--source-root", "src"]) == 1
    value = json.loads(Path("gate.json").read_text())
    jsonschema.validate(value, schema, jsonschema.Draft202012Validator)
    assert value["exit_code"] == 1
    assert value["headline"] == "GATE SHUT: 1 unknown-id, 3 new, 1 error, 1 undecided"
    assert [one["id"] for one in value["expected"]] == ["C-COMMIT/size-mismatch[1]"]
    assert json.loads(Path("cq.json").read_text())[0]["location"]["path"] == "src/acme/driver.py"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(value | {"problems": [{"kind": "odd"}]}, schema, jsonschema.Draft202012Validator)


def test_github_gets_what_blocks_as_errors(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(folder / "summary.md"))
    add_entries(Path("known.toml"), [_entry("C-NONE/x")])
    last = _put(replace(records.broken(), profile="deep"), "last.json")
    arguments = ["gate", _put(records.broken()), "--expectations", "known.toml", "--baseline", last, *DAY]
    assert cli.run([*arguments, "--source-root", "src"]) == 1
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("::")]
    assert lines[0].startswith("::error file=known.toml,line=3,title=unknown-id%3A C-NONE/x::there is no such check; did")
    assert lines[1].startswith("::error file=src/acme/driver.py,line=88,title=new%3A C-COMMIT/size-mismatch[1]::commit")
    assert lines[-1].startswith("::warning title=profile%3A standard::")
    summary = (folder / "summary.md").read_text()
    assert summary.startswith("### GATE SHUT: 1 unknown-id, 4 new")
    assert "| profile | standard | the last certified run was of profile deep | no |" in summary


def test_annotations_stay_under_the_limit_and_markdown_is_escaped() -> None:
    checks = tuple(CheckResult(f"C-READ/x[{n}|<b>]", "C-READ", "", Verdict.FAIL, "`|<b>") for n in range(60))
    result = records.record_of(checks)
    from storcert.conformance.gate_command import GateOptions, judge

    judged = judge(result, GateOptions(today=date(2026, 12, 1)))
    lines = gate_text.error_commands(judged).splitlines()
    assert len(lines) == 10
    assert lines[-1].endswith("and 51 more problems at the gate")
    assert "<b>" not in gate_text.step_summary(judged)
    assert "  and 10 more" in gate_text.render(judged)


@pytest.mark.parametrize("kind", [*COMPARISON_KINDS, "new", "stale", "expired", "unknown-id", "flaky", "undecided", "error"])
def test_every_kind_has_a_title(kind: str) -> None:
    assert gate_text.TITLES[kind]  # type: ignore[index]  (a StrEnum is its text)


def test_runs_of_scenarios_and_explorations_go_through_the_gate_too(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_entries(Path("known.toml"), [
        _entry("L-ONCE/copy"), _entry("L-ONCE/cpy-01-onto-itself"), _entry("L-ONCE/no-such-scenario"), _entry("L-ODD/copy")])
    for name in ("scenarios", "exploration"):
        assert cli.run(["gate", _put(records.EVERY[name]()), "--expectations", "known.toml", *DAY]) == 1
        out = capsys.readouterr().out
        assert out.startswith("GATE SHUT: 2 unknown-id, 1 error  control plane")
        assert "As expected (1)\n  L-ONCE/copy\n" in out
        assert "L-ONCE/cpy-01-onto-itself is expected to fail, and is no part of this run" in out


def test_certify_with_expectations_ends_as_the_gate_does(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("storcert.conformance.certify")
    module.run_certification = lambda *_: _failing()  # type: ignore[attr-defined]
    module.WHOLE_RUN = "C-NOFS/whole-run"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "storcert.conformance.certify", module)
    certify = ["certify", "s3", "--expectations", "known.toml", "--json", "run.json"]
    assert cli.run(certify) == 4
    assert not Path("run.json").exists()
    failing = [check.id for check in _failing().checks if check.verdict is Verdict.FAIL]
    far = date(9999, 1, 1)
    add_entries(Path("known.toml"), [_entry(name, far) for name in failing[1:]])
    assert cli.run(certify) == 1
    assert "GATE SHUT: 1 new" in capsys.readouterr().out
    add_entries(Path("known.toml"), [_entry(failing[0], far)])
    assert cli.run(certify) == 0
    out = capsys.readouterr().out
    assert out.startswith("NOT CONFORMANT"), "an expectation makes no failure a pass"
    assert "GATE OPEN: 4 failures expected" in out
    assert json.loads(Path("run.json").read_text())["verdict"] == "not_conformant"


def _entry(identity: str, expires: date = date(2027, 1, 1)) -> Expectation:
    return Expectation(id=identity, reason="known", owner="ana", expires=expires)

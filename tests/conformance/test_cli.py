"""The command line: words, exit codes, one line per complaint, nothing heavy at start-up, nothing lost."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from storcert.conformance import cli
from storcert.conformance.formats import ARTEFACTS, FORMATS, render
from storcert.conformance.options import SINGLE_FILES
from storcert.harness.record.codec import encode, read_file
from storcert.harness.record.run_record import RunRecord
from storcert.harness.record.token import encode_token
from tests.reports import records

S3 = "storcert.harness.drivers.s3:S3Driver"
Certification = Callable[[Any, Any], RunRecord]


@pytest.fixture
def certification(monkeypatch: pytest.MonkeyPatch) -> Callable[[Certification], None]:
    """Puts a function in the place of the kit."""

    def put(function: Certification) -> None:
        module = ModuleType("storcert.conformance.certify")
        module.run_certification = lambda options, progress, ended: function(options, progress)  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "storcert.conformance.certify", module)

    return put


def without_times(stream: str) -> str:
    """An event stream as it would be of a stored record: the events of a run that goes have the time."""
    lines = [json.loads(line) for line in stream.splitlines()]
    assert all(line.pop("time").endswith("Z") for line in lines)
    return "".join(json.dumps(line) + "\n" for line in lines)


def test_the_commands_are_those_of_the_documents(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--help"]) == 0
    out = capsys.readouterr().out
    for command in ("certify", "lint", "replay", "explain", "list", "report", "gate", "diff", "sign", "verify"):
        assert f"\n  {command} " in out
        assert cli.run([command, "--help"]) == 0
        assert f"Example:  storcert {command} " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["frob"], "No such command 'frob'. Try 'storcert --help'."),
        (["certify"], "Missing argument 'DRIVER'"),
        (["certify", "s3", "--bogus"], "No such option: --bogus"),
        (["certify", "s3", "--seed", "x"], "Invalid value for '--seed'"),
        (["certify", "nothere"], "no driver 'nothere' is installed"),
        (["certify", S3, "--profile", "x"], "--profile x: it is one of core, standard, deep"),
        (["certify", S3, "--rule", "C-X"], "--rule C-X: no such rule"),
        (["certify", S3, "--config", "/nowhere.toml"], "/nowhere.toml: cannot be read"),
        (["certify", S3, "--json", "/nowhere/run.json"], "--json /nowhere/run.json: there is no folder /nowhere"),
        (["replay", "hello"], "not a replay token"),
        (["replay", "/nowhere/x.json"], "/nowhere/x.json: there is no such file"),
        (["replay", "sc1.x.y"], "replay token is damaged"),
        (["explain", "C-X"], "no rule or check 'C-X'"),
        (["list", "cats"], "list cats: it is one of drivers, devices, rules, scenarios"),
        (["report", "/nowhere/run.json"], "/nowhere/run.json: cannot be read"),
        (["report", "/nowhere/run.json", "--format", "juint"], "--format juint: it is one of text, json, junit"),
    ],
)
def test_wrong_usage_is_exit_code_4_and_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert cli.run(arguments) == 4
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"storcert: {words}")
    assert captured.err.count("\n") == 1


def test_no_command_shows_the_help() -> None:
    assert cli.run([]) == 4


@pytest.mark.parametrize(
    ("name", "code"), [("conformant", 0), ("broken", 1), ("interrupted", 2), ("kit_error", 3), ("undecided", 5)]
)
def test_exit_codes_and_every_artefact(
    certification: Callable[[Certification], None],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    name: str,
    code: int,
) -> None:
    record = records.ALL[name]()
    certification(lambda options, progress: record)
    out = tmp_path / "out"
    arguments = ["--out", str(out), "--json", str(tmp_path / "r.json"), "--junit", str(tmp_path / "j.xml")]
    assert cli.run(["certify", S3, *arguments]) == code
    assert read_file(tmp_path / "r.json") == record
    assert sorted(path.name for path in out.iterdir()) == sorted(ARTEFACTS.values())
    for name, file in ARTEFACTS.items():
        written = (out / file).read_text()
        if name == "ndjson":  # it begins with the real driver's name, which the record put in its place does not have
            assert without_times(written).splitlines()[1:] == render(record, name).splitlines()[1:]
        else:
            assert written == render(record, name), file
    assert (out / "junit.xml").read_text() == (tmp_path / "j.xml").read_text()
    first = capsys.readouterr().out
    assert cli.run(["report", str(tmp_path / "r.json")]) == code
    assert capsys.readouterr().out == first == (out / "report.txt").read_text()


@pytest.mark.parametrize("name", FORMATS)
def test_report_prints_every_format(capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str) -> None:
    record = records.broken()
    (tmp_path / "r.json").write_text(encode(record))
    assert cli.run(["report", str(tmp_path / "r.json"), "--format", name.upper()]) == 1
    assert capsys.readouterr().out == render(record, name)
    if name.replace("-", "_") in SINGLE_FILES:
        assert cli.run(["report", str(tmp_path / "r.json"), f"--{name}", str(tmp_path / "again")]) == 1
        assert (tmp_path / "again").read_text() == render(record, name)


def test_a_stream_is_there_while_the_run_goes(
    certification: Callable[[Certification], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "events.ndjson"
    record = records.broken()
    seen: list[str] = []

    def run(options: Any, progress: Any, ended: Any) -> RunRecord:
        ended(record.checks[1], record.failures[:1])
        seen.append(path.read_text())
        return record

    certification(lambda options, progress: record)
    monkeypatch.setattr(sys.modules["storcert.conformance.certify"], "run_certification", run)
    assert cli.run(["certify", S3, "--ndjson", str(path)]) == 1
    first = [json.loads(line) for line in seen[0].splitlines()]
    assert [event["event"] for event in first] == ["run_started", "case_ended"]
    assert first[0]["driver"]["reference"] == S3
    assert first[1]["failures"][0]["message"] == "commit published 1 byte where 2 were announced"
    whole = [json.loads(line) for line in path.read_text().splitlines()]
    assert path.read_text().startswith(seen[0])
    assert sorted(event["id"] for event in whole[1:-1]) == sorted(check.id for check in record.checks)


def test_what_was_asked_for_reaches_the_kit(
    certification: Callable[[Certification], None], tmp_path: Path
) -> None:
    (tmp_path / "c.toml").write_text('[configuration]\nprefix = "a/"\n')
    seen: list[Any] = []

    def run(options: Any, progress: Any) -> RunRecord:
        seen.append(options)
        progress.started(2)
        progress.advanced("C-READ", "pass")
        progress.advanced("C-READ", "fail")
        return records.conformant()

    certification(run)
    arguments = ["--config", str(tmp_path / "c.toml"), "--profile", "core", "--rule", "C-READ", "--rule", "c-copy"]
    assert cli.run(["certify", S3, *arguments, "--seed", "9", "--budget", "30", "--workers", "2"]) == 0
    options = seen[0]
    assert options.configuration == {"prefix": "a/"}
    assert (str(options.profile), options.rules, options.seed) == ("core", ("C-READ", "C-COPY"), 9)
    assert (options.budget_s, options.workers) == (30.0, 2)


class TestARecordIsWrittenHoweverTheRunEnds:
    def _run(
        self, certification: Callable[[Certification], None], path: Path, error: BaseException, *more: str
    ) -> tuple[int, dict[str, Any]]:
        def run(options: Any, progress: Any) -> RunRecord:
            raise error

        certification(run)
        code = cli.run(["certify", S3, "--json", str(path), *more])
        return code, json.loads(path.read_text())

    def test_the_driver_cannot_be_made(
        self, certification: Callable[[Certification], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        error = cli.InvalidUsage("driver 's3': its constructor raised KeyError: 'bucket'")
        code, record = self._run(certification, tmp_path / "r.json", error)
        assert (code, record["verdict"]) == (4, "undecided")
        assert record["reason"] == str(error)
        assert capsys.readouterr().err == f"storcert: {error}\n"

    def test_an_interrupt(
        self, certification: Callable[[Certification], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code, record = self._run(certification, tmp_path / "r.json", KeyboardInterrupt())
        assert (code, record["verdict"], record["interrupted"]) == (2, "undecided", True)
        assert "Traceback" not in capsys.readouterr().err

    def test_a_failure_of_the_kit(
        self, certification: Callable[[Certification], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code, record = self._run(certification, tmp_path / "r.json", LookupError("lost\nit"))
        assert (code, record["verdict"]) == (3, "error")
        line = capsys.readouterr().err
        assert line.startswith("storcert: internal error of the kit: LookupError: lost it (traceback in ")
        file = Path(line.partition("traceback in ")[2].partition(";")[0])
        assert "LookupError" in file.read_text() and line.count("\n") == 1
        file.unlink()

    def test_with_traceback_it_is_shown(
        self, certification: Callable[[Certification], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code, _ = self._run(certification, tmp_path / "r.json", LookupError("lost"), "--traceback")
        assert code == 3
        assert "Traceback (most recent call last)" in capsys.readouterr().err


class TestReplay:
    @pytest.fixture
    def replayed(self, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
        seen: list[Any] = []

        def replay(payload: Any) -> tuple[bool, str]:
            seen.append(payload)
            return bool(payload["again"]), "what happened"

        monkeypatch.setattr("storcert.conformance.replay.replay", replay)
        return seen

    @pytest.mark.parametrize(("again", "code"), [(True, 1), (False, 0)])
    def test_it_answers_whether_it_happened_again(self, replayed: list[Any], again: bool, code: int) -> None:
        assert cli.run(["replay", encode_token({"again": again})]) == code
        assert replayed == [{"again": again}]

    def test_a_file_holds_a_token_or_its_json(self, replayed: list[Any], tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_text(encode_token({"again": True}) + "\n")
        (tmp_path / "b.json").write_text('{"again": true}\n')
        assert cli.run(["replay", str(tmp_path / "a.txt")]) == 1
        assert cli.run(["replay", str(tmp_path / "b.json")]) == 1
        assert replayed == [{"again": True}] * 2

    def test_a_run_record_is_no_replay_file(
        self, replayed: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "run.json").write_text(encode(records.broken()))
        assert cli.run(["replay", str(tmp_path / "run.json")]) == 4
        assert "is a run record; replay takes the token of one of its failures" in capsys.readouterr().err


def test_github_gets_annotations_and_a_summary(
    certification: Callable[[Certification], None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    certification(lambda options, progress: records.broken())
    assert cli.run(["certify", S3]) == 1
    assert "::error file=acme/driver.py,line=88" in capsys.readouterr().out
    assert (tmp_path / "summary.md").read_text().startswith("### NOT CONFORMANT")


def test_a_terminal_that_knows_only_ascii_still_gets_the_report(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(encode(replace(records.broken(), reason="naïve ✗")))
    done = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-c", _RUN, "report", str(path)],
        env={"PYTHONIOENCODING": "ascii", "PATH": ""},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert b"na\\xefve \\u2717" in done.stdout


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    command = f"{sys.executable} -c '{_RUN}' list rules | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.stdout.count("\n"), done.stderr) == (1, "")


def test_start_up_imports_nothing_heavy() -> None:
    heavy = ("boto3", "botocore", "hypothesis", "moto", "simpy", "rich", "pyfakefs", "greenlet", "jinja2", "pydantic")
    code = "import sys; from storcert.conformance import cli; cli.run(['--help'])"
    code += f"; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


_RUN = "import sys; from storcert.conformance import cli; sys.exit(cli.run())"

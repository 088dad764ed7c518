"""``storcert run``: exit codes, what is printed, records, other devices, and what a person can get wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from storcert.conformance import cli
from storcert.conformance.scenario_options import run_options
from storcert.conformance.scenario_record import record_of
from storcert.conformance.scenario_schedule import Ran
from storcert.harness.checkers.facts import Broken
from storcert.harness.record.codec import read_file
from storcert.harness.record.verdict import Verdict
from storcert.reports.schema import json_schema
from storcert.scenarios.format.read import loads
from storcert.scenarios.format.substitute import Substituted
from storcert.scenarios.result import Played, RuleVerdict, ScenarioResult
from tests.scenarios.format.files import SMALL

KEPT = SMALL.replace('"crash", place = "z1-ssvm1", delay = "3 ms"', '"wait", lasts = "1 s"')
BROKEN = KEPT.replace("background = true", 'expect = "ObjectInUse"')


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "moved.toml"
    path.write_text(KEPT, encoding="utf-8")
    return path


def run(*arguments: object) -> int:
    return cli.run(["run", *map(str, arguments)])


def record(path: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.validate(value, json_schema())
    return value


def test_one_run_shows_its_timeline_its_steps_and_its_rules(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(file) == 0
    said = capsys.readouterr().out
    for part in ("step move: migrate", "job 2: migrate /volume/1/a on new", "AS EXPECTED  moved, 1 run", "L-RECORD"):
        assert part in said


def test_not_as_expected_is_exit_code_1(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(BROKEN, encoding="utf-8")
    assert run(file) == 1
    said = capsys.readouterr().out
    assert "NOT AS EXPECTED" in said and "step move ended done; expected: ObjectInUse" in said
    assert "storcert explain EXPECTED" in said


def test_nothing_decided_is_exit_code_5(file: Path) -> None:
    file.write_text(KEPT + 'expect = { decided = ["L-STAGING"] }\n', encoding="utf-8")
    assert run(file) == 5


def test_the_record(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(file, "--seeds", 3, "--seed", 7, "--workers", 1, "--json", tmp_path / "r.json", "--out", out) == 0
    value = record(tmp_path / "r.json")
    assert (value["kind"], value["verdict"]) == ("scenario", "conformant")
    assert [one["seed"] for one in value["scenarios"]] == [7, 8, 9]
    assert len({one["digest"] for one in value["scenarios"]}) == 3
    assert [step["name"] for step in value["scenarios"][0]["steps"]] == ["prepare-1-create", "move", "step-2-wait"]
    assert {path.name for path in out.iterdir()} >= {
        "run.json", "junit.xml", "report.html", "report.txt", "moved-seed-7.timeline.txt", "moved-seed-9.timeline.txt"}
    counts = value["counts"]
    suites = ElementTree.parse(out / "junit.xml").getroot()
    assert int(suites.get("tests", 0)) == sum(counts.values())
    assert cli.run(["report", str(tmp_path / "r.json")]) == 0


def test_workers_change_nothing(file: Path, tmp_path: Path) -> None:
    digests = []
    for workers in (1, 2):
        assert run(file, "--seeds", 4, "--workers", workers, "--json", tmp_path / "r.json") == 0
        digests.append(read_file(tmp_path / "r.json").digest)
    assert digests[0] == digests[1]


def test_on_other_devices_and_compared(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(file, "--device", "*=nfs,object-store,rbd,sheepdog", "--json", tmp_path / "r.json", "--workers", 1) == 0
    value = record(tmp_path / "r.json")
    assert [one["variant"] for one in value["scenarios"]] == ["*=nfs", "*=object-store", "*=rbd", "*=sheepdog"]
    assert [set(one["devices"].values()) for one in value["scenarios"]] == [{"nfs"}, {"object-store"}, {"rbd"}, {"sheepdog"}]
    assert "Devices compared: alike" in capsys.readouterr().out


def test_where_devices_differ_it_is_told(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    attach = (
        '{ do = "attach", name = "attach", volume = "volume/a", host = "z1-h1" },\n'
        '  { do = "detach", volume = "volume/a", host = "z1-h1" },'
    )
    file.write_text(KEPT.replace("step = [", f"step = [\n  {attach}"), encoding="utf-8")
    assert run(file, "--device", "old=nfs,object-store", "--json", tmp_path / "r.json", "--workers", 1) == 0
    found = {one["what"]: one for one in record(tmp_path / "r.json")["differences"]}
    assert found["step attach"]["values"] == {"old=nfs": "done", "old=object-store": "Unsupported"}
    assert all(one["explained"] for one in found.values())
    assert "explained by what a device cannot do" in capsys.readouterr().out


def test_a_fault_that_another_device_does_not_have_explains_a_difference(file: Path, tmp_path: Path) -> None:
    fault = 'fault = [{ place = "new", fault = "frozen" }]\n'
    file.write_text(KEPT.replace("background = true", 'expect = "DeviceUnavailable"') + fault, encoding="utf-8")
    assert run(file, "--device", "new=rbd,object-store", "--json", tmp_path / "r.json", "--workers", 1) == 0
    value = record(tmp_path / "r.json")
    assert value["scenarios"][1]["left_out"] == ["left out: frozen at new, which object-store does not have before a request"]
    assert "step move" in {one["what"] for one in value["differences"]}
    assert all(one["explained"] for one in value["differences"])


def test_until(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(file, "--until", "20 ms") == 0
    said = capsys.readouterr().out
    assert "step move: migrate" in said and "step move: done" not in said


def test_a_class_of_the_catalogue(tmp_path: Path) -> None:
    assert run("smoke", "--seeds", 1, "--workers", 1, "--json", tmp_path / "r.json") == 0
    assert {one["class"] for one in record(tmp_path / "r.json")["scenarios"]} == {"smoke"}


WRONG = {
    "no-scenario": (["smokey"], "no scenario 'smokey', did you mean smoke?"),
    "no-file": (["none/such.toml"], "none/such.toml: cannot be read: No such file or directory"),
    "seed": (["smoke", "--seed", "-1"], "--seed -1: a whole number from 0"),
    "seeds": (["smoke", "--seeds", "0"], "--seeds 0: how many, from 1"),
    "until": (["smoke", "--until", "soon"], "--until soon: 'soon' is not a duration"),
    "device": (["smoke", "--device", "nfs"], "--device nfs: write WHAT=KIND"),
    "kind": (["smoke", "--device", "nfs=rdb"], "'rdb' is none of object-store, nfs, rbd, sheepdog, did you mean rbd?"),
    "idle": (["smoke", "--device", "nobody=rbd"], "--device nobody=rbd: no device is called so"),
    "workers": (["smoke", "--workers", "0"], "--workers 0: processes, from 1 to 256"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_one_line_and_exit_code_4(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, said = WRONG[case]
    assert run(*arguments) == 4
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1 and "Traceback" not in told


def test_a_file_that_says_nonsense_names_the_line(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(KEPT.replace("hosts = 2", "host = 2"), encoding="utf-8")
    assert run(file) == 4
    assert f"{file}:2: zone 1 has no key 'host', did you mean 'hosts'?" in capsys.readouterr().err


def test_a_driver_that_is_not_there_is_told(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(KEPT.replace('kind = "nfs"', 'kind = "nfs", driver = "nobody"'), encoding="utf-8")
    assert run(file, "--json", tmp_path / "r.json") == 4
    assert "no driver named 'nobody' is installed" in capsys.readouterr().err
    value = record(tmp_path / "r.json")
    assert value["verdict"] == "undecided" and "nobody" in value["reason"] and value["scenarios"] == []


def test_an_interrupt_keeps_what_there_is(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from storcert.conformance import scenario_schedule

    real, calls = scenario_schedule.run_one, []

    def one(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(scenario_schedule, "run_one", one)
    assert run(file, "--seeds", 3, "--workers", 1, "--json", tmp_path / "r.json") == 2
    value = record(tmp_path / "r.json")
    assert value["interrupted"] and len(value["scenarios"]) == 1


def test_a_kit_that_fails_is_exit_code_3_and_no_verdict(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from storcert.conformance import scenario_schedule

    def fails(*_: Any, **__: Any) -> Any:
        raise LookupError("lost")

    monkeypatch.setattr(scenario_schedule, "run_scenario", fails)
    assert run(file, "--json", tmp_path / "r.json") == 3
    assert record(tmp_path / "r.json")["verdict"] == "error"


def test_list_and_explain(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["list", "scenarios"]) == 0
    assert "i8748-host-dies-mid-migration" in capsys.readouterr().out
    assert cli.run(["list", "defects"]) == 0
    assert "moved-before-copied" in capsys.readouterr().out
    assert cli.run(["explain", "i8748-host-dies-mid-migration"]) == 0
    assert "apache/cloudstack#8748" in capsys.readouterr().out
    assert cli.run(["explain", "EXPECTED"]) == 0


def test_a_workload_that_meets_nothing_is_told(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = 'workload = [{ name = "w", mix = { create = 1 }, count = 3, devices = ["old"] }]\n'
    file.write_text(KEPT + said, encoding="utf-8")
    assert run(file) == 0
    told = capsys.readouterr().err
    assert "storcert: warning: moved: workload 1 (w) will be through in the warm-up" in told and "phases" in told
    for better in (said.replace("count = 3", 'count = 3, phases = ["faulty"]'), said + 'phases = { faulty = "1 s" }\n'):
        file.write_text(KEPT + better, encoding="utf-8")
        assert run(file) == 0 and "warning" not in capsys.readouterr().err


def test_how_often_a_rule_broke_is_told_however_often_that_is() -> None:
    broken = tuple(Broken("L-ONCE", f"job {number}", 0) for number in range(5))
    result = ScenarioResult(
        loads(KEPT), 1, Verdict.FAIL, (RuleVerdict("L-ONCE", Verdict.FAIL, 9, broken, 1_000),), (),
        Played((), (), (), (), (), "", (), "sha256:0", 1))
    options = run_options(["i8748-host-dies-mid-migration"])
    ran = Ran(0, 0, 1, Substituted(loads(KEPT), (), False), result)
    rule = next(one for one in record_of(options, [ran], interrupted=False).rules if one.id == "L-ONCE")
    assert rule.failures[0].message == "seed 1: job 0; job 1; job 2 (and 1,002 more)"

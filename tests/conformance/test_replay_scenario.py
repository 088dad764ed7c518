"""``storcert replay`` of runs of scenarios: exit codes, moments, step mode, what if, and what one can get wrong."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from storcert.conformance import cli, replay_token
from storcert.harness.record.token import decode_token, encode_token
from storcert.scenarios.catalogue import scenario
from storcert.scenarios.format.read import read_file
from storcert.scenarios.format.write import dumps
from storcert.scenarios.replay import again
from tests.scenarios.replay.cases import BUSY, CRASHED, on_defect

FAILS = CRASHED + 'afterwards = [{ do = "check", object = "volume/a", on = ["old"] }]\n'
"""It expects the volume where it no longer is."""
MESSAGE = "step afterwards-1-check ended ObjectNotFound: it is ready on new, not on old; expected: done"
DEFECTIVE = "i10798-creating-for-days"

Replay = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The one failure of a run, as its record has it."""
    folder = tmp_path_factory.mktemp("recorded")
    (folder / "fails.toml").write_text(FAILS, encoding="utf-8")
    assert cli.run(["run", str(folder / "fails.toml"), "--seed", "3", "--json", str(folder / "run.json")]) == 1
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    (failure,) = [failure for rule in record["rules"] for failure in rule["failures"]]
    return dict(failure)


@pytest.fixture
def replay(capsys: pytest.CaptureFixture[str]) -> Replay:
    def run(*arguments: object) -> tuple[int, str]:
        code = cli.run(["replay", *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return run


def altered(failure: Mapping[str, Any], **changes: Any) -> str:
    return encode_token({**decode_token(failure["token"]), **changes})


class TestAgain:
    def test_it_happens_again_bit_for_bit(self, recorded: dict[str, Any], replay: Replay) -> None:
        code, said = replay(recorded["token"])
        assert code == 1
        assert f"recorded  EXPECTED: {MESSAGE}\n" in said and "note" not in said
        assert f"It happened again: EXPECTED: {MESSAGE}\nEvery event is as recorded, bit for bit.\n" in said
        assert re.search(r"^ +\d+ +0\.032 s  z1-ssvm1  CRASH$", said, re.MULTILINE)

    def test_from_a_file(self, recorded: dict[str, Any], replay: Replay, tmp_path: Path) -> None:
        (tmp_path / "replay.txt").write_text(recorded["token"] + "\n")
        (tmp_path / "replay.json").write_text(json.dumps(decode_token(recorded["token"])))
        assert replay(tmp_path / "replay.txt") == replay(tmp_path / "replay.json") == replay(recorded["token"])

    def test_from_a_run_record_with_one_failure(self, recorded: dict[str, Any], replay: Replay, tmp_path: Path) -> None:
        path = tmp_path / "run.json"
        record = {"schema_version": 1, "rules": [{"id": "L-ONCE", "failures": []}, {"id": "EXPECTED", "failures": [recorded]}]}
        path.write_text(json.dumps(record))
        assert replay(path) == replay(recorded["token"])
        record["rules"][0]["failures"] = [recorded]  # type: ignore[index]
        path.write_text(json.dumps(record))
        code, said = replay(path)
        assert code == 4 and "replay takes the token of one of its failures: there are 2" in said

    def test_it_does_not_happen_again(self, recorded: dict[str, Any], replay: Replay) -> None:
        code, said = replay(altered(recorded, rule="L-SOURCE", message="a source is gone"))
        assert code == 0
        assert f"It did not happen again.\nBut EXPECTED: {MESSAGE}\n" in said

    def test_events_that_differ_are_told(self, recorded: dict[str, Any], replay: Replay) -> None:
        code, said = replay(altered(recorded, seed=4))
        assert code == 1
        assert "The events differ from the recorded ones." in said and "bit for bit" not in said

    def test_another_source_of_the_same_version_is_told(
        self, recorded: dict[str, Any], replay: Replay, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(replay_token, "source_digest", lambda: "0" * 16)
        code, said = replay(recorded["token"])
        assert code == 1
        assert "note      the program's own source has changed since this was recorded" in said

    def test_a_drivers_source_that_changed_is_told(self, recorded: dict[str, Any], replay: Replay) -> None:
        said = decode_token(recorded["token"])
        said["scenario"]["device"][1]["driver"] = "nfs"
        code, text = replay(encode_token({**said, "drivers": {"nfs": "0" * 16}}))
        assert code == 1
        assert "note      the source of driver nfs has changed since this was recorded" in text

    def test_a_defect_that_survives_is_what_happens_again(self, tmp_path: Path, replay: Replay) -> None:
        one = scenario(DEFECTIVE)
        harmless = one.model_copy(update={"class_": "negative", "fault": (), "step": one.step[:1]})
        text = dumps(harmless).replace('"CapacityExceeded"', '"done"')
        (tmp_path / "survives.toml").write_text(text, encoding="utf-8")
        assert cli.run(["run", str(tmp_path / "survives.toml"), "--json", str(tmp_path / "run.json")]) == 1
        record = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
        failures = [failure for rule in record["rules"] for failure in rule["failures"]]
        assert {failure["check"].partition("/")[0] for failure in failures} == {"L-CLEAN", "EXPECTED"}
        for failure in failures:
            code, said = replay(failure["token"])
            assert code == 1 and "It happened again: EXPECTED: defect failure-keeps-creating survives" in said
            assert "bit for bit" in said

    def test_a_rule_that_broke_on_a_defect_breaks_again(self, replay: Replay) -> None:
        case = on_defect()
        for rule, code in (("L-CLEAN", 1), ("L-SOURCE", 0)):
            found, said = replay(encode_token(replay_token.payload(case, again(case).digest, rule, "found by a search")))
            assert found == code, said
            assert ("It happened again: L-CLEAN: " if code else "It did not happen again.\nBut L-CLEAN: ") in said

    def test_a_token_that_is_too_long_goes_to_a_file(self, tmp_path: Path, replay: Replay) -> None:
        names = [f"{number}{hashlib.sha256(bytes([number])).hexdigest()[:12]}" for number in range(150)]
        steps = "".join(f'{{ do = "create", object = "volume/{name}", size = "1 KiB", device = "old" }},\n' for name in names)
        text = FAILS.replace("prepare = [", f"prepare = [\n{steps}")
        (tmp_path / "long.toml").write_text(text, encoding="utf-8")
        out = tmp_path / "out"
        assert cli.run(["run", str(tmp_path / "long.toml"), "--out", str(out)]) == 1
        record = json.loads((out / "run.json").read_text(encoding="utf-8"))
        (failure,) = [failure for rule in record["rules"] for failure in rule["failures"]]
        assert not failure["token"] and Path(failure["file"]).parent == out
        assert replay(failure["file"])[0] == 1

    def test_a_run_on_other_devices_that_was_cut_short(self, tmp_path: Path, replay: Replay) -> None:
        token = encode_token({
            **decode_token(encode_token(_payload(tmp_path))), "until_ns": 10**9, "elsewhere": True, "rule": "L-SOURCE"})
        code, said = replay(token)
        assert code == 0 and "It did not happen again." in said and "EXPECTED" not in said.partition("It did")[2]


def _payload(folder: Path) -> dict[str, Any]:
    from storcert.scenarios.replay import Case

    (folder / "one.toml").write_text(FAILS, encoding="utf-8")
    return replay_token.payload(Case.of(read_file(folder / "one.toml"), 1), "sha256:" + "0" * 64, "EXPECTED", MESSAGE)


class TestRefused:
    @pytest.mark.parametrize(("changes", "words"), [
        ({"kit": "9.9.9"}, "belongs to another kit: it was made by storcert 9.9.9"),
        ({"contract": 99}, "(contract 99)"),
        ({"seed": "three"}, "not one of a scenario: seed is str"),
        ({"scenario": {"title": "nothing"}}, "not one of a scenario: Field required"),
        ({"scenario": []}, "not one of a scenario: scenario is list"),
        ({"kind": "dream"}, "not one of a certification"),
    ])
    def test_another_kit_or_another_token(
        self, recorded: dict[str, Any], replay: Replay, changes: dict[str, Any], words: str
    ) -> None:
        code, said = replay(altered(recorded, **changes))
        assert code == 4 and words in said and said.count("\n") == 1

    @pytest.mark.parametrize(
        "missing", ["kit", "contract", "scenario", "seed", "rule", "message", "digest", "source", "drivers"])
    def test_without_a_field(self, recorded: dict[str, Any], replay: Replay, missing: str) -> None:
        said = decode_token(recorded["token"])
        del said[missing]
        code, text = replay(encode_token(said))
        assert (code, "not one of a scenario" in text) == (4, True)

    def test_a_driver_that_is_gone(self, recorded: dict[str, Any], replay: Replay) -> None:
        said = decode_token(recorded["token"])
        said["scenario"]["device"][1]["driver"] = "vendors_own"
        code, text = replay(encode_token(said))
        assert code == 4 and "no driver 'vendors_own' is installed" in text

    @pytest.mark.parametrize(("arguments", "words"), [
        (["--at", "later"], "'later' is no moment: a number of an event, a time"),
        (["--at", "99999999"], "99999999: the run has the events 1 to "),
        (["--at", "broken"], "broken: no rule broke in this run"),
        (["--show", "volumes"], "'volumes' is nothing to show: an object as /volume/1/a, device:NAME"),
        (["--show", "device:floppy"], "no device is called 'floppy'; there are catalogue, images, new, old"),
        (["--show", "location:moon"], "no location is called 'moon'; there are"),
        (["--show", "job:999"], "no job 999 at this moment; there are 1 to "),
        (["--show", "job:x"], "a job has a number"),
        (["--show", "volume/.."], "names no object"),
        (["--without", "fault-1"], "nothing in it is called 'fault-1'"),
        (["--change", "step.7.delay=1 s"], "step has no '7'"),
        (["--change", "nothing"], "write KEY=VALUE"),
        (["--seed", "5"], "--seed and --on-defect are for scenarios given by file or name"),
        (["--on-defect"], "--seed and --on-defect are for scenarios given by file or name"),
        (["--write", "/nowhere/at/all.toml"], "/nowhere/at/all.toml"),
    ])
    def test_what_cannot_be_done(
        self, recorded: dict[str, Any], replay: Replay, arguments: list[str], words: str
    ) -> None:
        code, said = replay(recorded["token"], *arguments)
        assert code == 4 and words in said and "Traceback" not in said

    @pytest.mark.parametrize("name", ["i10798", "i10798-creating-for-day"])
    def test_a_name_that_is_nearly_one(self, replay: Replay, name: str) -> None:
        code, said = replay(name)
        assert code == 4 and f"no scenario is called {name!r}, did you mean {DEFECTIVE}?" in said

    def test_a_scenario_that_names_no_defect(self, tmp_path: Path, replay: Replay) -> None:
        (tmp_path / "own.toml").write_text(CRASHED, encoding="utf-8")
        code, said = replay(tmp_path / "own.toml", "--on-defect")
        assert (code, "names no defect" in said) == (4, True)
        assert replay(tmp_path / "none.toml")[0] == 4


class TestMoment:
    def test_at_a_time_everything_out_of_the_ordinary_is_told(self, recorded: dict[str, Any], replay: Replay) -> None:
        code, said = replay(recorded["token"], "--at", "1s")
        assert code == 1
        for line in (
            r"moment     after event \d+ of \d[\d,]+, 0.032 s, phase faulty", r"location   z1-ssvm1 is down",
            r"job 2      migrate /volume/1/a on new \(ms-1/0\), begun 0.012 s",
            r"waits      ms-1 move: for stream 2.0.1 at z1-ssvm1, where no task does that",
            r"waits      step 1: for ms-1: move", r"idle       \d tasks have nothing to do, or sleep",
        ):
            assert re.search(f"^{line}$", said, re.MULTILINE), line

    def test_an_object_a_device_a_location_a_job(self, recorded: dict[str, Any], replay: Replay) -> None:
        things = ["volume/a", "device:old", "location:z1-ssvm1", "job:2", "jobs", "objects", "waits"]
        code, said = replay(recorded["token"], "--at", "0.030s", *(part for name in things for part in ("--show", name)))
        assert code == 1
        for line in (
            r"/volume/1/a: 8,388,608 bytes, known since 0.00\d s",
            r"  on old: ready since 0.01\d s, kept, 8,388,608 bytes reserved, needed by job 2",
            r"  on new: creating since 0.01\d s, kept, 8,388,608 bytes reserved, of job 2, needed by job 2",
            r"old: up, \d+ requests so far", r"  holds 3 things, 8,388,608 bytes", r"  in the catalogue: /volume/1/a ready",
            r"z1-ssvm1: storage-vm, up, booted at 0.000 s", r"  to do: stream .*\(job 2\), since 0.0\d+ s",
            r" +\d+ +0.01\d s  z1-ssvm1    stream /volume/1/a on new .*", r"  needs /volume/1/a on old",
            r"  owns /volume/1/a on new: creating",
        ):
            assert re.search(f"^{line}$", said, re.MULTILINE), f"{line}\n{said}"

    def test_the_same_moment_by_number(self, recorded: dict[str, Any], replay: Replay) -> None:
        said = replay(recorded["token"], "--at", "1s")[1]
        number = re.search(r"after event (\d+) of", said)
        assert number is not None
        assert replay(recorded["token"], "--at", number[1])[1] == said

    def test_a_scenario_by_name_on_its_defect_when_the_rule_breaks(self, replay: Replay) -> None:
        code, said = replay(DEFECTIVE, "--on-defect", "--at", "broken")
        assert code == 1
        assert re.search(r"^broken     L-CLEAN at 0\.\d+ s: ", said, re.MULTILINE)
        assert "On this defect it fails, as it must: L-CLEAN: " in said
        code, said = replay(DEFECTIVE)
        assert (code, "Nothing fails." in said) == (0, True)


class TestWhatIf:
    def test_without_the_fault_a_planted_failure_does_not_happen(self, replay: Replay) -> None:
        code, said = replay(DEFECTIVE, "--on-defect", "--without", "quota")
        assert code == 0
        assert re.search(r"^what if   without quota\nthe same  \d+ events, the last of them \d+, ", said, re.MULTILINE)
        assert re.search(r"^then      (\d+), .*NFS3ERR_DQUOT\nnow       \1, .* ok$", said, re.MULTILINE)
        assert "differs   L-CLEAN: broken -> holds\n" in said
        assert "It does not happen then." in said

    def test_what_makes_no_difference(self, recorded: dict[str, Any], replay: Replay) -> None:
        code, said = replay(recorded["token"], "--change", "title=Another")
        assert code == 1
        assert "nothing differs: all " in said and "It happens all the same" in said

    def test_a_change_mends_it_and_can_be_kept(self, recorded: dict[str, Any], replay: Replay, tmp_path: Path) -> None:
        kept = tmp_path / "kept.toml"
        code, said = replay(recorded["token"], "--change", 'afterwards.1.on=["new"]', "--write", kept)
        assert code == 0
        assert "differs   step afterwards-1-check: ObjectNotFound -> done\n" in said
        assert read_file(kept).seeds == (3,)
        assert cli.run(["run", str(kept)]) == 0
        assert replay(kept)[0] == 0

    def test_a_moment_of_the_changed_run(self, recorded: dict[str, Any], replay: Replay) -> None:
        said = replay(recorded["token"], "--without", "dies", "--at", "1s")[1]
        assert "without dies" in said and "is down" not in said and "moment     after event" in said


class TestSteps:
    def said(self, token: str, *commands: str, more: tuple[str, ...] = ()) -> str:
        result = CliRunner().invoke(cli.app, ["replay", token, "--step", *more], input="\n".join(commands) + "\n")
        assert result.exit_code == 1, result.output
        return result.output

    def test_forward_and_back(self, recorded: dict[str, Any]) -> None:
        said = self.said(recorded["token"], "n", "n", "n", "p", "p", "n 2", "p 99", "q", "n")
        told = [line.split("  ")[-1] for line in said.splitlines() if re.match(r" *\d+ +\d+\.\d+ s ", line)]
        assert told[1:4] == ["step prepare-1-create: create", "job 1: create /volume/1/a on old", told[3]]
        assert told[4:7] == [told[2], told[1], told[3]]
        assert told[7] == told[0], "the beginning"
        assert len(told) == 8, "nothing after q"
        assert "It happened again" in said

    def test_single_events_and_moments(self, recorded: dict[str, Any]) -> None:
        said = self.said(recorded["token"], "+", "+ 5", "-", "g 60", "g 1s", "g end", "g 1", "g 1", "+ 999999", "n")
        numbers = [int(line.split()[0]) for line in said.splitlines() if re.match(r" *\d+ +\d+\.\d+ s ", line)]
        last = max(numbers)
        assert numbers == [1, 2, 7, 6, 60, numbers[5], last, 1, last]
        assert "the beginning" in said and "the end" in said

    def test_what_stands_there(self, recorded: dict[str, Any]) -> None:
        said = self.said(recorded["token"], "s", "s volume/a", "w", "l", "?", "s device:new", more=("--at", "1s"))
        for part in ("moment     after event", "location   z1-ssvm1 is down", "on old: ready", "new: up", "> ", "g MOMENT"):
            assert part in said, part

    def test_a_wrong_word_ends_nothing(self, recorded: dict[str, Any]) -> None:
        said = self.said(recorded["token"], "x", "", "n many", "g nowhere", "s device:floppy", "n")
        for part in (
            "'x' is no command; ? shows them", "'many' is no count", "'nowhere' is no moment", "no device is called 'floppy'",
        ):
            assert part in said, part
        assert "step prepare-1-create: create" in said

    def test_on_a_terminal_it_asks(
        self, recorded: dict[str, Any], replay: Replay, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[str] = []

        def answer(prompt: str) -> str:
            asked.append(prompt)
            if len(asked) == 3:
                raise EOFError
            return "n"

        monkeypatch.setattr("builtins.input", answer)
        monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
        code, said = replay(recorded["token"], "--step")
        assert code == 1 and asked == ["replay> "] * 3
        assert "n: next, p: previous" in said and "job 1: create /volume/1/a on old" in said


def test_an_interrupt_ends_it_with_its_exit_code(
    recorded: dict[str, Any], replay: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("builtins.input", interrupt)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    code, said = replay(recorded["token"], "--step")
    assert code == 2 and said.endswith("storcert: interrupted\n")


def test_options_of_scenarios_are_none_of_a_certification(replay: Replay) -> None:
    for option in (["--at", "1"], ["--step"], ["--without", "x"], ["--show", "waits"]):
        code, said = replay(encode_token({"kit": "0"}), *option)
        assert (code, "this is the token of a certification" in said) == (4, True)


def test_a_busy_run_is_told_in_few_lines(tmp_path: Path, replay: Replay) -> None:
    (tmp_path / "busy.toml").write_text(BUSY, encoding="utf-8")
    code, said = replay(tmp_path / "busy.toml", "--seed", "5")
    assert code in (0, 1) and "earlier lines; --step and --at reach them" in said
    assert said.count("\n") < 140

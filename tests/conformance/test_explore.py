"""``storcert explore``: exit codes, what is said, what is written, and that a second call goes on."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from storcert.conformance import explore_command, explore_options
from storcert.conformance.cli import run
from storcert.harness.record.codec import read_file
from storcert.scenarios.defects import defect
from storcert.scenarios.explore.diary import NAME
from storcert.scenarios.explore.lines import can_watch
from storcert.scenarios.format.read import read_file as read_scenario
from storcert.scenarios.shrink.shrink import Shrink
from tests.scenarios.explore.two_faults import AROUND, FAULTS, TWO_FAULTS

SMALL = """\
title = "One volume"
zone = [{ name = "z1" }]
device = [{ name = "vols", kind = "nfs" }]
step = [{ do = "create", object = "volume/a", size = "4 KiB", device = "vols" }]
"""
NEGATIVE = 'class = "negative"\ndefect = { id = "taken-over-and-believed", breaks = "L-SOURCE" }\n'


@pytest.fixture
def small(tmp_path: Path) -> str:
    path = tmp_path / "small.toml"
    path.write_text(SMALL, encoding="utf-8")
    return str(path)


@pytest.fixture
def two_faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A scenario on the defect that needs two faults, as if the package had it."""
    known = (*defect.load(), TWO_FAULTS)
    monkeypatch.setattr(defect, "load", lambda: known)
    path = tmp_path / "two.toml"
    path.write_text(AROUND.replace("zone =", NEGATIVE + "zone =", 1), encoding="utf-8")
    return str(path)


def record(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8")))


def test_nothing_found_is_conformant(small: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explore", small, "--runs", "5", "--json", str(tmp_path / "run.json")]) == 0
    said, told = capsys.readouterr()
    assert "NOTHING FOUND  small, 5 runs on nfs (simulated)" in said and "cells reached" in said
    assert ("older than 3.12" in told) is not can_watch()
    found = record(tmp_path / "run.json")
    assert found["kind"] == "exploration" and found["exploration"]["trials"] == 5 and found["verdict"] == "conformant"
    assert read_file(tmp_path / "run.json").exploration is not None


def test_the_number_of_workers_does_not_show(small: str, tmp_path: Path) -> None:
    digests = []
    for workers in ("1", "2"):
        assert run(["explore", small, "--runs", "12", "--workers", workers, "--json", str(tmp_path / "run.json")]) == 0
        digests.append(record(tmp_path / "run.json")["digest"])
    assert digests[0] == digests[1]


def test_a_second_call_goes_on_and_another_exploration_is_refused(
    small: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run(["explore", small, "--runs", "4", "--out", str(out)]) == 0
    lines = len((out / NAME).read_text(encoding="utf-8").splitlines())
    capsys.readouterr()
    assert run(["explore", small, "--runs", "7", "--out", str(out)]) == 0
    assert "4 runs are done already" in capsys.readouterr().err
    assert len((out / NAME).read_text(encoding="utf-8").splitlines()) == lines + 3
    assert record(out / "run.json")["exploration"]["trials"] == 7
    assert run(["explore", small, "--runs", "7", "--seed", "5", "--out", str(out)]) == 4
    assert "holds another exploration" in capsys.readouterr().err


def test_every_single_fault_is_counted(small: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert run(["explore", small, "--exhaustive", "--runs", "10", "--out", str(out)]) == 0
    told = record(out / "run.json")["exploration"]
    assert told["mode"] == "exhaustive" and told["trials"] == 10 and told["points"] > told["cells"] > 100
    assert sum(cell["reached"] for cell in told["matrix"]) == told["cells_reached"] == 9  # and one run of nothing else
    assert sum(cell["points"] for cell in told["matrix"]) == told["points"]
    matrix = (out / "matrix.txt").read_text(encoding="utf-8").splitlines()
    assert len(matrix) == told["cells"] + 1 and matrix[0].split()[:4] == ["place", "operation", "fault", "phase"]
    assert "struck" in capsys.readouterr().out


def test_a_whole_space_is_visited_to_its_end(tmp_path: Path) -> None:
    """Of what one transaction makes possible nothing is left out: as many runs as points, and one of nothing else."""
    path = tmp_path / "least.toml"
    path.write_text(SMALL.replace('{ do = "create", object = "volume/a", size = "4 KiB", device = "vols" }', (
        '{ do = "maintenance", device = "vols" }')) + 'region = { reconcile_every = "never" }\n', encoding="utf-8")
    assert run(["explore", str(path), "--exhaustive", "--json", str(tmp_path / "run.json")]) == 0
    told = record(tmp_path / "run.json")["exploration"]
    assert told["planned"] == told["trials"] == told["points"] + 1 == 41
    assert told["cells_reached"] == told["cells"] == len(told["matrix"]) == 22
    for cell in told["matrix"]:
        assert cell["points"] == cell["trials"] == cell["reached"] == cell["survived"] and not cell["failed"], cell


def test_what_is_found_is_told_shrunk_and_written(
    two_faults: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(two_faults).write_text(Path(two_faults).read_text(encoding="utf-8") + FAULTS, encoding="utf-8")
    out = tmp_path / "out"
    assert run(["explore", two_faults, "--runs", "1", "--shrink-runs", "20", "--out", str(out)]) == 1
    said = capsys.readouterr().out
    assert "FOUND  two, 1 run" in said and "Finding 1: L-SOURCE" in said and "cut short after 20 runs" in said
    assert f"storcert replay {out}/finding-1.toml" in said.replace("\n", "")
    scenario = read_scenario(out / "finding-1.toml")
    assert scenario.class_ == "negative" and len(scenario.fault) == 2
    assert run(["run", str(out / "finding-1.toml")]) == 0  # negative: it must break, and does
    compile((out / "test_finding_1.py").read_text(encoding="utf-8"), "test_finding_1.py", "exec")
    found = record(out / "run.json")["exploration"]["discoveries"]
    assert [one["rule"] for one in found] == ["L-SOURCE"] and found[0]["necessary"]
    monkeypatch.setattr(Shrink, "do", None)  # nothing is made smaller a second time
    before = (out / "finding-1.toml").read_text(encoding="utf-8")
    assert run(["explore", two_faults, "--runs", "1", "--shrink-runs", "20", "--out", str(out)]) == 1
    assert (out / "finding-1.toml").read_text(encoding="utf-8") == before


def test_without_a_folder_a_finding_is_a_token(
    two_faults: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(two_faults).write_text(Path(two_faults).read_text(encoding="utf-8") + FAULTS, encoding="utf-8")
    assert run(["explore", two_faults, "--runs", "1", "--shrink-runs", "0"]) == 1
    said = capsys.readouterr().out
    token = next(line.split()[-1] for line in said.splitlines() if "storcert replay" in line)
    for _ in range(2):
        assert run(["replay", token]) == 1
        assert "bit for bit" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--runs", "0"], "--runs 0: how many variations"),
        (["--budget", "soon"], "--budget soon:"),
        (["--budget", "0"], "more than 0"),
        (["--workers", "0"], "--workers 0: processes"),
        (["--workers", "2", "--scheduler", "tcp://127.0.0.1:1"], "either processes of this machine or those of a cluster"),
        (["--seed", "-1"], "--seed -1: a whole number"),
        (["--shrink-runs", "-1"], "0 for none"),
    ],
)
def test_wrong_words_are_usage(small: str, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explore", small, *arguments]) == 4
    assert said in capsys.readouterr().err


def test_one_scenario_at_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explore", "regression"]) == 4
    assert "explore one of them" in capsys.readouterr().err
    assert run(["explore", "no-such-scenario"]) == 4


def test_an_interrupt_leaves_what_is_there(
    small: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = explore_command.ExploreProgress.told

    def interrupted(progress: Any, outcome: Any) -> None:
        told(progress, outcome)
        if outcome.trials == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(explore_command.ExploreProgress, "told", interrupted)
    assert run(["explore", small, "--runs", "9", "--json", str(tmp_path / "run.json")]) == 2
    assert "(interrupted)" in capsys.readouterr().out
    found = record(tmp_path / "run.json")
    assert found["interrupted"] and found["exploration"]["trials"] == 3 and found["verdict"] == "undecided"


def test_a_budget_is_real_time_in_words() -> None:
    name = "i8748-host-dies-mid-migration"
    found = [explore_options.explore_options(name, budget=text) for text in ("90", "1min 30s")]
    assert [(options.budget_s, options.runs) for options in found] == [(90.0, None)] * 2


@pytest.mark.slow
def test_two_faults_and_three_operations_are_found_and_nothing_else_is_left(
    two_faults: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a minute's budget, on a machine on which each look at the clock is a second later than the one before."""
    looks = itertools.count()
    begun_s = time.monotonic()
    late = partial(explore_command.Search, clock=lambda: begun_s + next(looks))
    monkeypatch.setattr(explore_command, "Search", late)
    out = tmp_path / "out"
    assert run(["explore", two_faults, "--budget", "60s", "--out", str(out)]) == 1
    trials = record(out / "run.json")["exploration"]["trials"]
    assert 28 <= trials <= 60, "the search stops with its budget"
    scenario = read_scenario(out / "finding-1.toml")
    assert [step.do for step in scenario.step] == ["create", "create-from", "migrate"] and len(scenario.fault) == 2
    found = record(out / "run.json")["exploration"]["discoveries"][0]
    assert found["rule"] == "L-SOURCE" and not found["cut_short"] and len(found["necessary"]) == 7


@pytest.mark.slow
def test_dask_is_asked_for_in_words_where_it_is_not_there(small: str) -> None:
    """Without Dask everything else works, and --scheduler says what to install."""
    program = (
        "import sys\nsys.modules['distributed'] = None\nfrom storcert.conformance.cli import run\n"
        f"sys.exit(run(['explore', {small!r}, '--scheduler', 'tcp://127.0.0.1:1']))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 4 and "storcert[dask]" in done.stderr, done.stderr

"""Shrinking: down to what is needed and no further, within its limits, with a proof for each part; and the files it ends in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from storcert.scenarios.explore.loosen import loosened
from storcert.scenarios.explore.run import RunTrial
from storcert.scenarios.explore.trial import EXPECTED, Trial
from storcert.scenarios.format.read import from_json, loads
from storcert.scenarios.format.scenario import Scenario
from storcert.scenarios.pool.pool import OwnProcess
from storcert.scenarios.pool.session import Setup
from storcert.scenarios.runner.resolve import resolve
from storcert.scenarios.shrink.shrink import Shrink, Shrunk, shrunk
from storcert.scenarios.shrink.written import Failure, pytest_text, scenario_text
from tests.scenarios.explore.two_faults import FAILING, TWO_FAULTS
from tests.scenarios.explore.worlds import LARGE


def needs(scenario: Scenario, seed: int) -> bool:
    """Made up: fails where a volume of at least 10,000 bytes is made on a device in another zone than a crashing server's."""
    made = [step for step in scenario.step if step.do == "create" and step.device == "far" and step.size_bytes >= 10_000]
    return bool(made) and any(step.do == "crash" and step.place == "ms-2" for step in scenario.step)


def test_what_is_not_needed_goes_and_the_rest_is_proven() -> None:
    found = shrunk(LARGE.model_copy(update={"workload": ()}), 1, needs)
    assert needs(found.scenario, 1) and found.cut_short == ""
    assert [step.do for step in found.scenario.step] == ["create", "crash"]
    assert 10_000 <= found.scenario.step[0].size_bytes < 20_000  # type: ignore[union-attr]
    assert [device.name for device in found.scenario.device] == ["far"]
    assert found.necessary == ("step 1: create volume/b on far", "step 2: crash ms-2")
    assert found.unproven == (
        "zone 1: z2 (nothing can be run without it)", "device 1: far (rbd) (nothing can be run without it)")
    assert found.scenario.region.management_servers == 2


def test_runs_and_time_are_limits_that_are_told() -> None:
    scenario = LARGE.model_copy(update={"workload": ()})
    cut = shrunk(scenario, 1, needs, runs_max=5)
    assert cut.cut_short == "cut short after 5 runs" and needs(cut.scenario, 1)
    late = shrunk(scenario, 1, needs, time_s=0.0)
    assert late.cut_short == "cut short by time after 1 runs" and needs(late.scenario, 1)


def test_what_does_not_fail_is_not_made_smaller() -> None:
    with pytest.raises(ValueError, match="does not fail in this way"):
        shrunk(LARGE, 1, lambda scenario, seed: False)


def test_what_was_found_survives_the_diary() -> None:
    found = Shrunk(resolve(LARGE, 1), 3, "cut", ("a",), ("b",))
    assert Shrunk.from_json(found.to_json()) == found


@pytest.mark.slow
def test_two_faults_and_three_operations_are_left_of_six_and_three() -> None:
    pool = OwnProcess(Setup(TWO_FAULTS))
    trial = Trial(loosened(FAILING), 1)
    first = pool.submit(RunTrial(trial)).result().breaks[0]
    found = pool.submit(Shrink(trial, first.rule, first.key)).result()
    pool.close()
    assert [step.do for step in found.scenario.step] == ["create", "create-from", "migrate"]
    assert [(fault.place, fault.fault, fault.nth) for fault in found.scenario.fault] == [
        ("catalogue", "answer_lost", (1, 1)), ("fast", "request_lost", (1, 1))]
    assert [device.name for device in found.scenario.device] == ["vols", "fast"]
    assert len(found.necessary) == 7 and len(found.unproven) == 1 and found.cut_short == ""


STUCK = """\
title = "t"
zone = [{ name = "z1" }]
device = [{ name = "vols", kind = "nfs" }]
step = [{ do = "create", object = "volume/a", size = "4 KiB", expect = "ObjectNotFound" }]
"""


def _failure(scenario: Scenario, rule: str, text: str, **more: str) -> Failure:
    done = Shrunk(scenario, 12, "", ("step 1: create volume/a",), ("zone 1: z1 (nothing can be run without it)",))
    return Failure("finding-1", rule, text, 7, "Found by storcert explore around t, seed 1, in run 3.", done, **more)


def test_the_file_says_what_is_needed_and_is_the_scenario() -> None:
    scenario = loads(STUCK)
    failure = _failure(scenario, "L-ONCE", 'job 1 "never"\nended \\ at all' + " and so on" * 30)
    text = scenario_text(failure)
    comments = [line for line in text.splitlines() if line.startswith("#")]
    assert "#   - step 1: create volume/a" in comments and "# Made smaller in 12 runs." in comments
    assert all(len(line) <= 120 for line in comments)
    read = loads(text)
    assert read.seeds == (7,) and read.step == scenario.step and read.class_ == "own"
    assert from_json(read.to_json()) == read


def test_on_a_defect_of_the_package_it_is_a_negative_scenario() -> None:
    failure = _failure(loads(STUCK), "L-SOURCE", "text", defect="moved-before-copied")
    read = loads(scenario_text(failure))
    assert read.class_ == "negative" and read.defect is not None and read.defect.breaks == "L-SOURCE"
    assert "Verdict.PASS" in pytest_text(failure)


@pytest.mark.parametrize(("said", "code"), [("ObjectNotFound", 1), ("done", 0)])
def test_the_test_file_stands_alone_and_fails_while_it_is_broken(tmp_path: Path, said: str, code: int) -> None:
    failure = _failure(loads(STUCK.replace("ObjectNotFound", said)), EXPECTED, "step ended done \"\"\" \\x")
    path = tmp_path / "test_finding_1.py"
    path.write_text(pytest_text(failure), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(path)], cwd=tmp_path, capture_output=True,
        text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr

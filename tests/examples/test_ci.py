"""The ready-made CI files: what the services would read is valid, and their shell steps do what they say, run here as there.

Their actions of other projects (checkout, uploads) are not run: those need the services.
"""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CI = ROOT / "examples" / "ci"
ACTION, WORKFLOW = CI / "github" / "action.yml", CI / "github" / "workflow.yml"
TEMPLATE, GITLAB = CI / "gitlab" / "storcert.gitlab-ci.yml", CI / "gitlab" / ".gitlab-ci.yml"


def _yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        (ACTION, "vendor.github-actions"), (WORKFLOW, "vendor.github-workflows"), (TEMPLATE, "vendor.gitlab-ci"),
        (GITLAB, "vendor.gitlab-ci"),
    ],
)  # fmt: skip
def test_the_services_would_read_it(path: Path, schema: str) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_schema_refuses_what_the_service_would(tmp_path: Path) -> None:
    bad = tmp_path / "action.yml"
    bad.write_text(ACTION.read_text().replace("using: composite", "using: composition"))
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-actions", str(bad)]
    assert subprocess.run(command, capture_output=True).returncode == 1


def test_no_input_is_put_into_a_script() -> None:
    """What somebody else may choose (the name of a branch, say) reaches a shell as a variable only."""
    for step in _yaml(ACTION)["runs"]["steps"]:
        assert "${{" not in step.get("run", ""), step["name"]
    named = set(re.findall(r"inputs\.([a-z-]+)", ACTION.read_text()))
    assert named == set(_yaml(ACTION)["inputs"])


def test_the_examples_name_inputs_and_variables_that_there_are() -> None:
    used = _yaml(WORKFLOW)["jobs"]["certify"]["steps"][-1]
    assert set(used["with"]) <= set(_yaml(ACTION)["inputs"])
    assert set(_yaml(GITLAB)["certify"]["variables"]) <= set(_yaml(TEMPLATE)[".storcert"]["variables"])
    assert _yaml(GITLAB)["certify"]["extends"] == ".storcert"


class Runner:
    """Runs the shell steps of a service in a folder, with ``storcert`` and ``pip`` as they would be found there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.summary = folder / "summary.md"
        tools = folder / "tools"
        tools.mkdir()
        self._tool(tools / "storcert", f'exec "{sys.executable}" -m storcert.conformance.cli "$@"')
        self._tool(tools / "python", f'echo "$@" >> "{folder}/installed"')
        self.env = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "CI": "true"}

    def _tool(self, path: Path, text: str) -> None:
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(path.stat().st_mode | stat.S_IEXEC)

    def github(self, **given: str) -> tuple[int, str]:
        """The code of the first step that fails, and all output."""
        action = _yaml(ACTION)
        inputs = {name: str(one.get("default", "")) for name, one in action["inputs"].items()}
        inputs |= {name.replace("_", "-"): value for name, value in given.items()}
        env = {**self.env, "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(self.summary)}
        said = ""
        for step in action["runs"]["steps"]:
            if "run" not in step:
                continue
            own = {name: _resolved(value, inputs) for name, value in step.get("env", {}).items()}
            code, text = self._shell(["bash", "--noprofile", "--norc", "-eo", "pipefail"], step["run"], {**env, **own})
            said += text
            if code:
                return code, said
        return 0, said

    def gitlab(self, **given: str) -> tuple[int, str]:
        """The same of the template: all lines of a job run in one shell."""
        job = _yaml(TEMPLATE)[".storcert"]
        env = {**self.env, **{name: str(value) for name, value in job["variables"].items()}, **given}
        return self._shell(["sh", "-e"], "\n".join([*job["before_script"], *job["script"]]), env)

    def _shell(self, shell: list[str], script: str, env: Mapping[str, str]) -> tuple[int, str]:
        file = self.folder / "step.sh"
        file.write_text(script)
        done = subprocess.run([*shell, str(file)], cwd=self.folder, env=env, capture_output=True, text=True, timeout=120)
        return done.returncode, done.stdout + done.stderr


def _resolved(text: str, inputs: Mapping[str, str]) -> str:
    return re.sub(r"\$\{\{ inputs\.([a-z-]+) \}\}", lambda found: inputs[found[1]], text)


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


QUICK = "--rule C-DESCRIBE --workers 1"
BROKEN = """\
from storcert.harness.drivers.s3 import S3Driver


class Driver(S3Driver):
    def describe(self, uri):
        raise KeyError("x")
"""


@pytest.mark.slow
def test_the_action_lets_a_good_driver_through(runner: Runner) -> None:
    code, said = runner.github(driver="s3", profile="core", arguments=QUICK, requirements="storcert .")
    assert code == 0, said
    assert (runner.folder / "installed").read_text() == "-m pip install --quiet storcert .\n"
    assert "GATE OPEN" in runner.summary.read_text()
    assert json.loads((runner.folder / "storcert-out" / "gate.json").read_text())["exit_code"] == 0
    assert (runner.folder / "storcert-out" / "results.sarif").is_file()


@pytest.mark.slow
def test_the_action_stops_a_broken_driver_until_it_is_expected_and_tells_a_lower_claim(runner: Runner) -> None:
    (runner.folder / "acme.py").write_text(BROKEN)
    words = {"driver": "acme.py:Driver", "profile": "core", "arguments": QUICK, "source_root": "drivers"}
    code, said = runner.github(**words)
    assert code == 1, said
    errors = [line for line in said.splitlines() if line.startswith("::error")]
    assert errors[0].startswith("::error file=drivers/acme.py,line=6,title=new%3A C-DESCRIBE/")
    assert len(errors) == 10, "of the gate alone: certify says nothing of its own to GitHub here"

    known = runner.folder / ".storcert"
    known.mkdir()
    record, entries = "storcert-out/run.json", str(known / "expectations.toml")
    write = ["gate", record, "--expectations", entries, "--write", "--reason", "known", "--owner", "ana"]
    tool = str(runner.folder / "tools" / "storcert")
    assert subprocess.run([tool, *write], cwd=runner.folder, env=runner.env, capture_output=True).returncode == 0
    text = (runner.folder / record).read_text()
    (known / "certified.json").write_text(text.replace('"profile": "core"', '"profile": "standard"'))
    code, said = runner.github(**words)
    assert code == 1
    assert [line for line in said.splitlines() if line.startswith("::error")] == [
        "::error title=profile%3A core::the last certified run was of profile standard"]
    assert runner.github(**words, block="none")[0] == 0


@pytest.mark.slow
def test_the_action_and_the_template_pass_on_what_is_no_verdict(runner: Runner) -> None:
    code, said = runner.github(driver="not-there")
    assert code == 4
    assert "no driver 'not-there' is installed" in said
    code, said = runner.gitlab(STORCERT_DRIVER="not-there")
    assert code == 4, said


@pytest.mark.slow
def test_the_template_does_the_same(runner: Runner) -> None:
    (runner.folder / "acme.py").write_text(BROKEN)
    words = {"STORCERT_DRIVER": "acme.py:Driver", "STORCERT_PROFILE": "core", "STORCERT_ARGUMENTS": QUICK}
    code, said = runner.gitlab(**words, STORCERT_SOURCE_ROOT="drivers")
    assert code == 1, said
    assert "GATE SHUT" in said
    job = _yaml(TEMPLATE)[".storcert"]["artifacts"]["reports"]
    quality = json.loads((runner.folder / job["codequality"]).read_text())
    assert {"path": "drivers/acme.py", "lines": {"begin": 6}} in [issue["location"] for issue in quality]
    assert (runner.folder / job["junit"]).is_file()

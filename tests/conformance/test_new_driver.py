"""``storcert new-driver``: what it writes, what it refuses, and what its first certification says."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from storcert.conformance import cli
from storcert.conformance.new_driver.project import DEVICES, files_of, names_of
from storcert.conformance.usage import InvalidUsage
from storcert.conformance.violation import LeftToFillIn, gap


@pytest.mark.parametrize("device", DEVICES)
def test_a_project_is_whole(device: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "acme-block"
    assert cli.run(["new-driver", "acme-block", "--device", device, "--into", str(folder)]) == 0
    assert "storcert certify acme-block" in capsys.readouterr().out
    written = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}
    assert written == files_of("acme-block", device)
    for name, text in written.items():
        assert "{{" not in text.replace("${{", "") and text.endswith("\n"), name
        if name.endswith(".py"):
            ast.parse(text)
    yaml.safe_load(written[".github/workflows/storcert.yml"])
    project = tomllib.loads(written["pyproject.toml"])["project"]
    assert project["entry-points"]["storcert.drivers"] == {
        "acme-block": f"acme_block_driver.driver:AcmeBlockDriver [{device}]"}


@pytest.mark.parametrize("name", ["", "Acme", "1acme", "acme--x", "acme driver", "../acme", "acme-", "x" * 60])
def test_a_name_that_no_package_could_have(name: str) -> None:
    with pytest.raises(InvalidUsage, match="new-driver"):
        names_of(name)


def test_nothing_is_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "driver.py").write_text("precious")
    assert cli.run(["new-driver", "acme", "--into", str(tmp_path / "mine")]) == cli.USAGE
    assert "not an empty folder" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["driver.py"]
    assert cli.run(["new-driver", "acme", "--device", "tape", "--into", str(tmp_path / "new")]) == cli.USAGE
    assert not (tmp_path / "new").exists()


@pytest.mark.slow
@pytest.mark.parametrize("device", DEVICES)
def test_the_first_certification_fails_in_gaps_only(device: str, tmp_path: Path) -> None:
    folder, record = tmp_path / "acme", tmp_path / "run.json"
    assert cli.run(["new-driver", "acme", "--device", device, "--into", str(folder)]) == 0
    path = os.pathsep.join(filter(None, [str(folder / "src"), os.environ.get("PYTHONPATH", "")]))
    done = subprocess.run(
        [sys.executable, "-m", "storcert.conformance.cli", "certify", "acme_driver.driver:AcmeDriver", "--device", device,
         "--profile", "core", "--workers", "1", "--json", str(record)],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}, cwd=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    value = json.loads(record.read_text())
    failures = {rule["id"]: rule["failures"] for rule in value["rules"] if rule["failures"]}
    assert set(failures) == {"C-CREATE", "C-DELETE", "C-DESCRIBE", "C-LIST"}
    assert all("left to fill in: " in one["message"] for many in failures.values() for one in many)
    assert all(one["source"]["file"] == "driver.py" for many in failures.values() for one in many if one["source"])
    assert value["counts"]["error"] == 0
    wrong = {check["id"]: check["reason"] for check in value["checks"] if check["verdict"] == "unknown"}
    assert wrong and all("left to fill in: " in reason for reason in wrong.values()), wrong


def test_only_what_says_so_is_a_gap() -> None:
    found = gap(NotImplementedError("fill in C-READ: exactly count bytes"))
    assert isinstance(found, LeftToFillIn) and (found.rule, str(found)) == ("C-READ", "left to fill in: exactly count bytes")
    for error in (NotImplementedError("later"), NotImplementedError(), RuntimeError("fill in C-READ: x"), None):
        assert gap(error) is None

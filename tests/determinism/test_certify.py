"""A whole certification gives the same record in another process, with another hash seed and another number of workers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_CODE = "import sys; from storcert.conformance.cli import run; sys.exit(run())"
_RULES = ("C-COMMIT", "C-RETRY", "C-ONCE", "C-LIST", "C-BUDGET")


def _record(folder: Path, *, hash_seed: str, seed: int = 7, workers: int = 1, driver: str = "s3") -> dict[str, Any]:
    path = folder / f"run-{hash_seed}-{seed}-{workers}.json"
    reference = "storcert.harness.drivers.s3:S3Driver" if driver == "s3" else driver
    command = [sys.executable, "-c", _CODE, "certify", reference, "--profile", "core", "--json", str(path)]
    command += ["--seed", str(seed), "--workers", str(workers)]
    for rule in _RULES:
        command += ["--rule", rule]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "COLUMNS": "80"}
    environment.pop("GITHUB_ACTIONS", None)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    record: dict[str, Any] = json.loads(path.read_text())
    return record


def _stable(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key != "environment"}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return _record(tmp_path_factory.mktemp("first"), hash_seed="1")


def test_something_was_decided(first: dict[str, Any]) -> None:
    assert first["counts"]["pass"] + first["counts"]["fail"] >= 50
    assert first["counts"]["error"] == 0


@pytest.mark.parametrize(("hash_seed", "workers"), [("2", 1), ("random", 2)])
def test_same_seed_same_record(first: dict[str, Any], tmp_path: Path, hash_seed: str, workers: int) -> None:
    again = _record(tmp_path, hash_seed=hash_seed, workers=workers)
    assert again["digest"] == first["digest"]
    assert _stable(again) == _stable(first)


def test_other_seed_other_digest(first: dict[str, Any], tmp_path: Path) -> None:
    assert _record(tmp_path, hash_seed="1", seed=8)["digest"] != first["digest"]


def test_a_failing_driver_fails_the_same_way(tmp_path: Path) -> None:
    example = Path(__file__).resolve().parents[2] / "examples" / "first_driver.py"
    one = _record(tmp_path, hash_seed="3", driver=f"{example}:FirstDriver")
    two = _record(tmp_path, hash_seed="4", workers=2, driver=f"{example}:FirstDriver")
    assert one["counts"]["fail"] > 0
    assert _stable(one) == _stable(two)


def test_the_folder_of_the_driver_does_not_matter(tmp_path: Path) -> None:
    example = Path(__file__).resolve().parents[2] / "examples" / "first_driver.py"
    digests = []
    for name in ("here", "somewhere else"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "driver.py").write_text(example.read_text())
        record = _record(folder, hash_seed=str(len(digests)), driver=f"{folder / 'driver.py'}:FirstDriver")
        digests.append((record["digest"], record["driver"]["digest"], record["rules"][0]["verdict"]))
        assert str(tmp_path) not in json.dumps(record["options"]) + json.dumps(record["findings"])
    assert digests[0] == digests[1]


def test_a_driver_in_this_process_is_as_deterministic(tmp_path: Path) -> None:
    source = Path(__file__).resolve().parents[1] / "conformance" / "drivers.py"
    (tmp_path / "memory.py").write_text(source.read_text())
    one = _record(tmp_path, hash_seed="5", driver=f"{tmp_path / 'memory.py'}:MemoryDriver")
    two = _record(tmp_path, hash_seed="6", workers=2, driver=f"{tmp_path / 'memory.py'}:MemoryDriver")
    assert one["counts"]["pass"] > 0 and one["counts"]["fail"] == 0
    assert _stable(one) == _stable(two)

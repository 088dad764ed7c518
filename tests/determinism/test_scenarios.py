"""Scenarios give the same record in another process, with another hash seed and another number of workers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_CODE = "import sys; from storcert.conformance.cli import run; sys.exit(run())"
_NAMES = ("mix-delete-storm", "lossy-network", "i8748-host-dies-mid-migration", "server-that-woke-up-too-late", "life-on-rbd")


def _record(folder: Path, *, hash_seed: str, seed: int = 1, workers: int = 1) -> dict[str, Any]:
    path = folder / f"run-{hash_seed}-{seed}-{workers}.json"
    command = [sys.executable, "-c", _CODE, "run", *_NAMES, "--seed", str(seed), "--seeds", "2", "--json", str(path)]
    command += ["--workers", str(workers)]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "COLUMNS": "80"}
    environment.pop("GITHUB_ACTIONS", None)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    record: dict[str, Any] = json.loads(path.read_text())
    return {key: value for key, value in record.items() if key != "environment"}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return _record(tmp_path_factory.mktemp("first"), hash_seed="1")


def test_every_run_has_a_digest_of_its_own(first: dict[str, Any]) -> None:
    assert len({one["digest"] for one in first["scenarios"]}) == 2 * len(_NAMES)


@pytest.mark.parametrize(("hash_seed", "workers"), [("2", 1), ("random", 2)])
def test_same_seed_same_record(first: dict[str, Any], tmp_path: Path, hash_seed: str, workers: int) -> None:
    assert _record(tmp_path, hash_seed=hash_seed, workers=workers) == first


def test_other_seeds_other_digests(first: dict[str, Any], tmp_path: Path) -> None:
    other = _record(tmp_path, hash_seed="1", seed=7)
    assert not {one["digest"] for one in other["scenarios"]} & {one["digest"] for one in first["scenarios"]}

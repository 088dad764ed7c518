"""A failure recorded in one process happens again in another with another hash seed, event for event and word for word."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from storcert.scenarios.catalogue import paths

_CODE = "import sys; from storcert.conformance.cli import run; sys.exit(run())"
_NAME = "i8748-host-dies-mid-migration"


def _storcert(folder: Path, hash_seed: str, *words: str) -> tuple[int, str]:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "COLUMNS": "100"}
    environment.pop("GITHUB_ACTIONS", None)
    done = subprocess.run(
        [sys.executable, "-c", _CODE, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + (done.stderr if done.returncode > 1 else "")


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Of a scenario of the catalogue that is made to expect the wrong thing."""
    folder = tmp_path_factory.mktemp("recorded")
    text = paths()[_NAME].read_text(encoding="utf-8")
    assert 'on = ["new"]' in text
    (folder / "wrong.toml").write_text(text.replace('on = ["new"]', 'on = ["old"]'), encoding="utf-8")
    code, said = _storcert(folder, "1", "run", "wrong.toml", "--json", "run.json")
    assert code == 1, said
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    (found,) = [failure["token"] for rule in record["rules"] for failure in rule["failures"]]
    return str(found)


def test_it_happens_again_in_another_process_bit_for_bit(token: str, tmp_path: Path) -> None:
    one = _storcert(tmp_path, "2", "replay", token)
    assert one[0] == 1 and "Every event is as recorded, bit for bit." in one[1]
    assert _storcert(tmp_path, "3", "replay", token) == one


def test_a_moment_is_the_same_in_another_process(token: str, tmp_path: Path) -> None:
    words = ["replay", token, "--at", "31s", "--show", "waits", "--show", "device:new", "--show", "volume/a"]
    one = _storcert(tmp_path, "4", *words)
    assert one[0] == 1 and "/volume/1/a" in one[1]
    assert _storcert(tmp_path, "random", *words) == one


def test_on_a_planted_defect_too(tmp_path: Path) -> None:
    words = ["replay", _NAME, "--on-defect", "--without", "step-2-crash"]
    one = _storcert(tmp_path, "5", *words)
    assert one[0] == 1 and "L-SOURCE" in one[1]
    assert _storcert(tmp_path, "6", *words) == one

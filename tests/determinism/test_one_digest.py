"""A scenario in which everything is left to chance is one run for each seed, on whatever Python and however it hashes: a few
seeds here; ``benchmarks/one_digest.py`` asks a thousand of every Python there is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TOOL = Path(__file__).resolve().parents[2] / "benchmarks" / "one_digest.py"


def told(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(TOOL), *arguments], capture_output=True, text=True, check=False)


def test_one_digest_for_all_hash_seeds() -> None:
    done = told("--seeds", "6", "--hash-seed", "0", "--hash-seed", "4242")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.split(": ")[1].split(", ")[:3] for line in done.stdout.splitlines()]
    assert len(lines) == 2 and lines[0] == lines[1] and lines[0][0] == "6 seeds" and lines[0][2] == "0 broke a rule"


def test_seeds_are_told_apart_and_a_difference_is_found(tmp_path: Path) -> None:
    """The tool itself can fail: a Python whose second run says something else is told, with its seed."""
    other = tmp_path / "python"
    other.write_text(f"#!/bin/sh\n{sys.executable} \"$@\" | sed '3s/sha256:./sha256:x/'\n", encoding="utf-8")
    other.chmod(0o755)
    done = told("--seeds", "4", "--hash-seed", "0", "--python", sys.executable, "--python", str(other))
    assert done.returncode == 1 and "at seed 3" in done.stdout, done.stdout + done.stderr

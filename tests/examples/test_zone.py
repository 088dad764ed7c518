"""The example of a zone runs as it stands, twice alike, and tells what it promises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ZONE = Path(__file__).resolve().parents[2] / "examples" / "zone.py"


def _run() -> str:
    done = subprocess.run([sys.executable, str(ZONE)], capture_output=True, text=True, check=True, timeout=120)
    return done.stdout


def test_a_zone_in_twenty_lines() -> None:
    told = _run()
    assert "paris-ssvm1  CRASH" in told
    assert "job 1: download /template/1/ubuntu on images" in told and "snapshot-stream" not in told
    assert "stream /snapshot/7/monday on backups   (asked by ms-1)" in told
    assert told.count("holds") >= 13 and "[" not in told
    assert told == _run()

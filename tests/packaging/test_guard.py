"""The shipped suites are run by name; by path each module would be imported twice."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_running_the_kit_by_path_is_refused_with_one_line() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "conformance"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert "run the shipped suites by name: pytest --pyargs storcert.conformance" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr

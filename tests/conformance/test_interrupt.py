"""Ctrl-C in a real run: every process gets it, exit code 2, no traceback, and the record is written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

_CODE = "import sys; from storcert.conformance.cli import run; sys.exit(run())"
S3 = "storcert.harness.drivers.s3:S3Driver"


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupt_loses_nothing(tmp_path: Path, workers: int) -> None:
    path = tmp_path / "run.json"
    command = [sys.executable, "-c", _CODE, "certify", S3, "--profile", "core", "--json", str(path)]
    with subprocess.Popen(
        [*command, "--workers", str(workers)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        first = process.stderr.readline()
        assert first.endswith(" cases\n"), first
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 2, err
    assert "Traceback" not in err
    assert "(interrupted)" in out.splitlines()[0]
    record = json.loads(path.read_text())
    assert (record["interrupted"], record["verdict"]) == (True, "undecided")

"""The traces of a run are the same bytes in another process with another hash seed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_CODE = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from storcert.reports.chrome_trace import chrome_trace
from storcert.reports.otlp_trace import otlp_trace
from storcert.reports.sequence_diagram import sequence_diagram
from tests.reports.traced_run import traced
trace = traced("nfs", int(sys.argv[2]))
for text in ("".join(chrome_trace(trace)), "".join(otlp_trace(trace)), sequence_diagram(trace)):
    print(hashlib.sha256(text.encode()).hexdigest())
"""


def _digests(hash_seed: str, seed: int = 3) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", _CODE, str(ROOT), str(seed)], env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.split()


def test_same_run_same_bytes() -> None:
    first = _digests("1")
    assert len(set(first)) == 3
    assert _digests("2") == first
    assert set(_digests("1", seed=4)).isdisjoint(first)

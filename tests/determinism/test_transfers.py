"""Uploads, links and seeding give the same run in another process with another hash seed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_CODE = """
from tests.mutants.control_plane.stories import STORIES
import hashlib
for name in ("uploads", "links", "exports", "seeding"):
    told = hashlib.sha256()
    for events in STORIES[name]():
        for event in events:
            told.update(repr((event.time_ns, event.location, event.kind, event.text)).encode())
    print(name, told.hexdigest())
"""


def _told(hash_seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(
        (os.environ.get("PYTHONPATH", ""), str(ROOT)))}
    environment.pop("PYTHONSAFEPATH", None)
    done = subprocess.run(
        [sys.executable, "-c", _CODE], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_one_seed_is_one_run_whatever_the_hash_seed() -> None:
    first = _told("1")
    assert len(first.splitlines()) == 4
    assert _told("2") == first

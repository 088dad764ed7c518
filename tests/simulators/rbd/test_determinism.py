"""One seed, one digest: the same program twice, and in processes whose text hashes differ."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = """
from tests.simulators.rbd import comparing
print([comparing.simulated(number, 40, damage=number % 2 == 1, digest=True) for number in range(6)])
"""


def test_the_digest_is_the_same_under_every_hash_seed() -> None:
    # The tests' own folder is named, because a safe path leaves the current one out.
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
    seen = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT], env={**os.environ, "PYTHONPATH": paths, "PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert len(seen) == 1
    assert "sha256:" in seen.pop()

"""The simulated ``rados`` and ``rbd`` modules and the real ones answer alike, but for the rows of one table.

Programs are drawn by number; each runs in a pool of its own, through two connections, on either side. A program is compared
up to its first difference. ``STORCERT_LIVE_CALLS`` says how many calls to compare (default 600).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter

import pytest

from storcert.conformance.live_targets.ceph import Ceph
from tests.live.ceph_binding import ROOT, environment, require_modules
from tests.simulators.rbd import comparing
from tests.simulators.rbd.programs import draw

pytestmark = [pytest.mark.live, pytest.mark.timeout(3600)]
CALLS = int(os.environ.get("STORCERT_LIVE_CALLS", "600"))
STEPS = 50
CHUNK = 20
#: The real library, too, ends its process now and then (an assertion, a thread that is gone): the program is left out.
DEATHS_MAX_PERCENT = 3


def real_answers(ceph: Ceph, first: int, count: int, *, damage: bool) -> dict[int, list[object]]:
    """Answers of the real modules by number, as far as the process lived."""
    command = [sys.executable, "-m", "tests.live.rbd_real_side", str(ceph.conf), str(first), str(count), str(STEPS)]
    done = subprocess.run(
        [*command, *(["damage"] if damage else [])], capture_output=True, text=True, check=False, timeout=600, cwd=ROOT,
        env=environment(ceph),
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[") and line.endswith("]")]
    return dict(lines)


@pytest.mark.parametrize("damage", [False, True], ids=["whole", "damaged"])
def test_the_modules_and_ceph_answer_alike(ceph: Ceph, damage: bool) -> None:
    require_modules(ceph)
    compared, deaths, number = 0, 0, 100_000 if damage else 0
    unexplained: list[str] = []
    explained: Counter[str] = Counter()
    while compared < CALLS // 2:
        real = real_answers(ceph, number, CHUNK, damage=damage)
        # Where it died, the next chunk begins behind the program that killed it.
        deaths += len(real) < CHUNK
        for one, answers in real.items():
            program = draw(one, STEPS, damage=damage)
            calls, complaint, row = comparing.compare(program, comparing.simulated(one, STEPS, damage=damage), answers)
            compared += calls
            if complaint is not None:
                unexplained.append(f"program {one}: {complaint}")
            if row is not None:
                explained[row.name] += 1
        number += len(real) + (len(real) < CHUNK)
        assert deaths <= 1 + DEATHS_MAX_PERCENT * (number % 100_000) // 100, f"the real library died {deaths} times"
    print(f"{compared} calls compared, explained {dict(explained)}, the real library died {deaths} times")
    assert not unexplained, "\n".join(unexplained)

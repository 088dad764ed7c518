"""What the RBD simulator's fault model rests on, measured once more on a real cluster; and the names of the real binding."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from storcert.conformance.live_targets.ceph import Ceph
from storcert.simulators.rbd import binding_names
from tests.live.ceph_binding import ROOT, environment, require_modules

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

NAMES = """
import json, rados, rbd
print(json.dumps([
    {name: sorted(
        method for method in dir(cls) if not method.startswith("_") and callable(getattr(cls, method)))
     for name, cls in vars(module).items()
     if isinstance(cls, type) and getattr(cls, "__module__", "") == module.__name__ and not issubclass(cls, Exception)}
    for module in (rados, rbd)
]))
"""


def real(ceph: Ceph, *arguments: str) -> Any:
    """The last line another process prints, which has the real modules."""
    require_modules(ceph)
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, timeout=300, cwd=ROOT,
        env=environment(ceph),
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def trap(ceph: Ceph, name: str) -> Any:
    return real(ceph, "-m", "tests.live.rbd_traps_side", str(ceph.conf), name, str(ceph.daemons.pid("osd0")))


def test_the_stored_names_are_those_of_the_binding(ceph: Ceph) -> None:
    rados, rbd = real(ceph, "-c", NAMES)
    for stored, found in ((binding_names.RADOS_CLASSES, rados), (binding_names.RBD_CLASSES, rbd)):
        assert {name: sorted(methods) for name, methods in stored.items() if name in found} == found
        assert set(found) <= set(stored)


def test_a_stopped_osd_does_later_what_it_had_received(ceph: Ceph) -> None:
    """As ``test_traps`` and ``test_faults`` of the simulator have it: the cached write answers, all else times out."""
    timeout = ["Timeout", 110]
    assert trap(ceph, "frozen") == [1, timeout, timeout, timeout, "y"]


def test_a_blocklisted_client_is_shut_out_until_it_connects_anew(ceph: Ceph) -> None:
    shut_out = ["ConnectionShutdown", 108]
    assert trap(ceph, "blocklisted") == [shut_out, shut_out, 0]


def test_a_killed_holder_is_waited_for_for_thirty_seconds(ceph: Ceph) -> None:
    assert trap(ceph, "dead_holder") == 3

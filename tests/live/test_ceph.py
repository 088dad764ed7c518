"""The starter itself: what it starts answers, and nothing stays."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from storcert.conformance.live_targets.ceph import Ceph, Layout, Ports, unavailable
from storcert.conformance.live_targets.daemons import answers

pytestmark = pytest.mark.live


def test_it_answers_and_ends(tmp_path: Path) -> None:
    reason = unavailable()
    if reason is not None:
        pytest.skip(reason)
    cluster = Ceph(tmp_path / "c", Layout(gateway=False))
    cluster.start()
    try:
        assert "osd: 1 osds: 1 up" in cluster.command("-s")
        with pytest.raises(RuntimeError, match="is taken"):
            Ceph(tmp_path / "d", Layout(gateway=False), cluster.ports).start()
    finally:
        cluster.stop()
    assert not answers(cluster.ports.monitor)
    assert not (tmp_path / "c").exists()


def test_a_killed_test_run_leaves_no_daemon(tmp_path: Path) -> None:
    """The parent dies without any clean-up: its daemon goes with it."""
    script = (
        "import sys, time, pathlib; sys.path.insert(0, '.')\n"
        "from storcert.conformance.live_targets.daemons import Daemons\n"
        f"daemons = Daemons(pathlib.Path({str(tmp_path / 'log')!r}))\n"
        "daemons.start('sleeper', ['sleep', '4242.5'])\n"
        "print('up', flush=True); time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "up\n"
        assert _sleepers() == 1
        parent.kill()
    for _ in range(50):
        if not _sleepers():
            return
        time.sleep(0.1)
    pytest.fail("the daemon outlived its parent")


def _sleepers() -> int:
    commands = (path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists())
    return sum(command == b"sleep\x004242.5\x00" for command in commands)


def test_free_ports_are_past_taken_ones(radosgw: Ceph) -> None:
    taken = radosgw.ports
    other = Ports.free(taken.monitor, taken.osd_first, taken.gateway)
    assert other.monitor > taken.monitor
    assert other.gateway - taken.gateway == other.monitor - taken.monitor

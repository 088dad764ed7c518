"""Every live target by its name: the bundled driver is conformant there, a leaky one is found, and nothing runs on afterwards.

What is not installed is skipped, and says why.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from storcert.conformance import isolation
from storcert.conformance.leak_check import LEAK_CHECK
from storcert.conformance.live_agreement import Failing, live_target
from storcert.conformance.live_device import TargetDevice
from storcert.conformance.live_targets.session import started
from storcert.conformance.live_targets.targets import TARGETS
from storcert.conformance.usage import InvalidUsage
from storcert.harness.drivers.rbd import RbdDriver
from storcert.harness.record.live_answer import Agreement
from storcert.harness.record.run_record import RunRecord
from storcert.harness.record.verdict import RunVerdict, Verdict
from tests.conformance.kit import certify, facts_of, options, run_id
from tests.conformance.live_targets import nfs_mutants
from tests.conformance.live_targets.mutants import LeavesAnUpload, TakesLostForDone

pytestmark = [pytest.mark.live, pytest.mark.timeout(1800)]
DRIVERS: Mapping[str, str] = {
    "object-store": "storcert.harness.drivers.s3:S3Driver", "nfs": "storcert.harness.drivers.nfs:NfsDriver",
    "rbd": "storcert.harness.drivers.rbd:RbdDriver",
}  # fmt: skip
RULES = ("C-CREATE", "C-DELETE", "C-ABORT", "C-RETRY", "C-BUDGET")
MUTANTS = "tests.conformance.live_targets.mutants"
NFS_MUTANTS = Path(nfs_mutants.__file__)


def require(name: str) -> None:
    """Skip where the target cannot run."""
    lacking = TARGETS[name].load().missing()
    if lacking:
        pytest.skip(lacking)


def processes() -> set[str]:
    """Command lines of everything whose scratch folder is a live target's of this process."""
    found = set()
    for one in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.add(one.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue  # it ended meanwhile
    return {line for line in found if "storcert-live-" in line}


def row(record: RunRecord) -> Verdict:
    return next(check.verdict for check in record.checks if check.id == LEAK_CHECK)


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_the_bundled_driver_is_conformant(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require(name)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    kind = TARGETS[name]
    record = certify(DRIVERS[kind.like], *RULES, device=name)
    assert record.failures == ()
    assert record.verdict is RunVerdict.CONFORMANT, record.reason
    assert row(record) is Verdict.PASS
    faults = [check.verdict for check in record.checks if check.id.startswith("C-RETRY/one-fault[")]
    assert (Verdict.PASS in faults) == kind.proxied
    assert [line for line in processes() if str(tmp_path) in line] == []
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith("storcert-live-")] == []


_KILLED = """
import os, signal
from storcert.conformance.live_targets.session import started
with started("live:fuse") as reached:
    print(reached.server["mount"], flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_mount_does_not_outlive_whoever_made_it(tmp_path: Path) -> None:
    require("live:fuse")
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", _KILLED]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=60)
    mount = done.stdout.strip()
    assert mount.startswith(str(tmp_path))
    ends_s = time.monotonic() + 20
    while mount in Path("/proc/mounts").read_text():
        assert time.monotonic() < ends_s, "still mounted"
        time.sleep(0.05)


def test_a_leak_on_the_gateway_is_found() -> None:
    require("live:radosgw")
    record = certify(f"{MUTANTS}:LeavesAnUpload", "C-DELETE", device="live:radosgw")
    assert row(record) is Verdict.FAIL or any("left behind on the device: upload" in one.message for one in record.failures)
    assert record.verdict is RunVerdict.NOT_CONFORMANT


@pytest.mark.parametrize("name", ["live:fuse", "live:ganesha"])
def test_a_leak_is_found_by_a_process_without_rights_too(name: str) -> None:
    """What is left is counted behind the mount, where the driver has no business."""
    require(name)
    try:
        isolation.require_available()
    except InvalidUsage as reason:
        pytest.skip(str(reason))
    record = certify(f"{NFS_MUTANTS}:LeavesANote", "C-DELETE", device=name, isolate=True)
    assert row(record) is Verdict.FAIL or any("left behind on the device: file" in one.message for one in record.failures)
    assert record.verdict is RunVerdict.NOT_CONFORMANT, record.reason


@pytest.mark.parametrize(
    "driver, case",
    [
        (TakesLostForDone, "C-RETRY/one-fault[create-small request_lost]"),
        (LeavesAnUpload, "C-DELETE/all-comes-back[create]"),
    ],
)
def test_the_gateway_agrees_with_the_simulator(driver: Any, case: str) -> None:
    require("live:radosgw")
    outcome = run_id(case, driver, seed=0)
    assert outcome.result.verdict is Verdict.FAIL
    with live_target("live:radosgw", options(f"{MUTANTS}:{driver.__name__}"), facts_of(driver)) as target:
        answer = target.answer(Failing.of(outcome))
    assert answer.answer is Agreement.REPRODUCED, answer


def test_no_client_of_a_cluster_outlives_it() -> None:
    """In a process that goes on it would look for its cluster for ever, with a dozen threads."""
    name = "live:ceph-rbd"
    require(name)
    kind = TARGETS[name]
    kind.provide()
    before = len(os.listdir("/proc/self/task"))
    with started(name) as reached:
        assert reached is not None
        device = TargetDevice(reached, RbdDriver, wired=False)
        list(RbdDriver(device.configuration()).list_objects())
        assert len(os.listdir("/proc/self/task")) > before
        device.close()
        del device
    assert len(os.listdir("/proc/self/task")) <= before

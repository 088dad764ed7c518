"""Faults between a mount and nfs-ganesha: what a program on the mount meets, and that drivers are judged by it, not accused."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storcert.conformance.certify import case_by_id
from storcert.conformance.confirm import decide
from storcert.conformance.facts import Facts
from storcert.conformance.live_agreement import Failing, live_target
from storcert.conformance.live_device import TargetDevice
from storcert.conformance.live_targets import ganesha_mount
from storcert.conformance.live_targets.session import started
from storcert.conformance.registry import Case, Level, cases_for
from storcert.conformance.schedule import Job, fence
from storcert.harness.drivers.nfs import NfsDriver
from storcert.harness.record.fault import Fault, Phase
from storcert.harness.record.live_answer import Agreement
from storcert.harness.record.verdict import Blame, Verdict
from tests.conformance.kit import options
from tests.conformance.live_targets.nfs_mutants import TakesItsEchoForAbsence, TakesItsEchoForAnother

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]
MUTANTS = "tests.conformance.live_targets.nfs_mutants"
LOST = {"kind": "answer_lost", "phase": Phase.AFTER}


@pytest.fixture(scope="module")
def device() -> Iterator[TargetDevice]:
    if lacking := ganesha_mount.missing():
        pytest.skip(lacking)
    with started("live:ganesha") as reached:
        assert reached is not None
        made = TargetDevice(reached, NfsDriver, wired=True)
        made.called_from("host-1")
        yield made
        made.close()


@pytest.fixture
def folder(device: TargetDevice, request: pytest.FixtureRequest) -> Iterator[Path]:
    found = Path(str(device.configuration()["mount"])) / request.node.name
    found.mkdir()
    yield found
    device.heal()


def twice(device: TargetDevice, operation: str) -> list[str]:
    """How the last two calls of that name ended."""
    return [one.answer for one in device.requests if one.operation == operation][-2:]


def test_a_link_whose_answer_is_lost_finds_itself(device: TargetDevice, folder: Path) -> None:
    (folder / "a").write_bytes(b"1")
    device.arm([Fault(operation="LINK", **LOST)])
    with pytest.raises(FileExistsError):
        os.link(folder / "a", folder / "b")
    assert twice(device, "LINK") == ["answer-lost", "NFS3ERR_EXIST"]
    assert (folder / "b").stat().st_nlink == 2 and len(device.fired) == 1


def test_a_removal_whose_answer_is_lost_finds_nothing(device: TargetDevice, folder: Path) -> None:
    (folder / "a").write_bytes(b"1")
    device.arm([Fault(operation="REMOVE", **LOST)])
    with pytest.raises(FileNotFoundError):
        (folder / "a").unlink()
    assert twice(device, "REMOVE") == ["answer-lost", "NFS3ERR_NOENT"] and os.listdir(folder) == []


def test_a_rename_whose_answer_is_lost_finds_nothing(device: TargetDevice, folder: Path) -> None:
    (folder / "a").write_bytes(b"1")
    device.arm([Fault(operation="RENAME", **LOST)])
    with pytest.raises(FileNotFoundError):
        os.rename(folder / "a", folder / "b")
    assert os.listdir(folder) == ["b"]


def test_a_folder_whose_answer_is_lost_finds_itself(device: TargetDevice, folder: Path) -> None:
    device.arm([Fault(operation="MKDIR", **LOST)])
    with pytest.raises(FileExistsError):
        (folder / "a").mkdir()
    assert (folder / "a").is_dir()


def test_an_exclusive_creation_may_be_sent_again(device: TargetDevice, folder: Path) -> None:
    device.arm([Fault(operation="CREATE", **LOST)])
    os.close(os.open(folder / "a", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o640))
    assert twice(device, "CREATE") == ["answer-lost", "ok"]
    assert (folder / "a").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("kind", ["request_lost", "cut", "slow"])
def test_what_was_not_done_is_done_by_the_second_request(device: TargetDevice, folder: Path, kind: str) -> None:
    phase = Phase.DURING if kind == "cut" else Phase.BEFORE
    device.arm([Fault(kind, "WRITE", phase=phase, value=1_000_000 if kind == "slow" else 10)])
    (folder / "a").write_bytes(b"whole" * 1000)
    assert len(device.fired) == 1
    assert (folder / "a").read_bytes() == b"whole" * 1000


def test_a_server_that_restarts_has_forgotten_and_says_so(device: TargetDevice, folder: Path) -> None:
    device.arm([Fault("server_restart", "COMMIT")])
    descriptor = os.open(folder / "a", os.O_CREAT | os.O_WRONLY)
    os.write(descriptor, b"x")
    with pytest.raises(OSError) as caught:
        os.fsync(descriptor)
    assert caught.value.errno == errno.EIO and len(device.fired) == 1
    with pytest.raises(OSError, match="Input/output error"):
        os.close(descriptor)
    device.heal()
    (folder / "b").write_bytes(b"there again")
    assert (folder / "b").read_bytes() == b"there again"


@pytest.mark.parametrize(
    ("kind", "operation", "code"),
    [
        ("full", "WRITE", errno.ENOSPC), ("quota", "WRITE", errno.EDQUOT), ("full_at_commit", "COMMIT", errno.ENOSPC),
        ("read_only", "CREATE", errno.EROFS), ("io_error", "WRITE", errno.EIO),
    ],
)  # fmt: skip
def test_what_the_server_refuses(device: TargetDevice, folder: Path, kind: str, operation: str, code: int) -> None:
    device.arm([Fault(kind, operation)])
    with pytest.raises(OSError) as caught:
        _write_safely(folder / "a")
    assert caught.value.errno == code and len(device.fired) == 1


def _write_safely(path: Path) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY)
    try:
        os.write(descriptor, b"x")
        os.fsync(descriptor)
    finally:
        with contextlib.suppress(OSError):  # it says once more that something is lost
            os.close(descriptor)


def test_a_stale_handle_of_a_folder_is_looked_up_again(device: TargetDevice, folder: Path) -> None:
    (folder / "a").write_bytes(b"1")
    device.arm([Fault("stale", "REMOVE")])
    (folder / "a").unlink()
    assert twice(device, "REMOVE") == ["NFS3ERR_STALE", "ok"]


CASES: list[tuple[Any, str]] = [
    (TakesItsEchoForAnother, "create-small"),
    (TakesItsEchoForAbsence, "delete-small"),
]


def test_the_server_agrees_with_the_simulator() -> None:
    """A server that restarts forgets what it answered, there as in simulation."""
    driver, operation = CASES[0]
    if lacking := ganesha_mount.missing():
        pytest.skip(lacking)
    case = f"C-RETRY/one-fault[{operation} server_restart]"
    told = options(f"{MUTANTS}:{driver.__name__}", device="nfs")
    job = Job.of(told)
    facts = job.calibrate()
    with fence(job.mode):
        outcome = decide(the_case(facts, case), job.subject(), facts, 0)
    assert outcome.result.verdict is Verdict.FAIL, outcome.message
    with live_target("live:ganesha", told, facts) as target:
        answer = target.answer(Failing.of(outcome))
    assert answer.answer is Agreement.REPRODUCED, answer


@pytest.mark.parametrize(("driver", "operation"), [*CASES, (NfsDriver, "create-small"), (NfsDriver, "delete-small")])
def test_a_lost_answer_parts_the_good_from_the_bad(driver: Any, operation: str) -> None:
    if lacking := ganesha_mount.missing():
        pytest.skip(lacking)
    good = driver is NfsDriver
    with started("live:ganesha") as reached:
        job = Job.of(options(f"{driver.__module__}:{driver.__name__}", device="live:ganesha"), reached)
        facts = job.calibrate()
        outcome = decide(the_case(facts, f"C-RETRY/one-fault[{operation} answer_lost]"), job.subject(), facts, 0)
    assert outcome.result.verdict is (Verdict.PASS if good else Verdict.FAIL), outcome.message
    assert outcome.blame is (None if good else Blame.DRIVER)


def the_case(facts: Facts, identity: str) -> Case:
    found = case_by_id(cases_for(facts, Level.STANDARD), identity)
    assert found is not None
    return found

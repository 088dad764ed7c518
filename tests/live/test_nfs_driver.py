"""The path driver on real file systems: a plain directory, and a FUSE mount that stands for the NFS mount of a kernel."""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storcert.conformance.certify import run_certification
from storcert.conformance.driver_source import find_driver
from storcert.conformance.live_targets import daemons
from storcert.conformance.live_targets.daemons import Daemons
from storcert.conformance.options import CertifyOptions, Profile
from storcert.conformance.progress import SilentProgress
from storcert.harness.record.run_record import RunRecord
from storcert.harness.record.verdict import RunVerdict

pytestmark = [pytest.mark.live, pytest.mark.timeout(900)]
FUSE_PROGRAM = Path(daemons.__file__).with_name("passthrough.py")


def certified(configuration: dict[str, Any], profile: Profile) -> RunRecord:
    options = CertifyOptions(
        find_driver("storcert.harness.drivers.nfs:NfsDriver", "live"), device="live", profile=profile,
        configuration=configuration,
    )  # fmt: skip
    return run_certification(options, SilentProgress())


def no_fuse() -> str | None:
    """Why there can be no FUSE mount here."""
    if importlib.util.find_spec("fuse") is None:
        return "fusepy is not installed"
    try:
        importlib.import_module("fuse")
    except OSError as error:
        return f"fusepy finds no libfuse 2: {error}"
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "/dev/fuse cannot be used here"
    if shutil.which("fusermount") is None:
        return "there is no fusermount"
    return None


@pytest.fixture
def fuse_mount(tmp_path: Path) -> Iterator[Path]:
    """A mounted pass-through file system."""
    reason = no_fuse()
    if reason is not None:
        pytest.skip(reason)
    below, above, log = tmp_path / "below", tmp_path / "above", tmp_path / "log"
    below.mkdir()
    above.mkdir()
    running = Daemons(log)
    running.start("fuse", [sys.executable, str(FUSE_PROGRAM), str(below), str(above)])
    try:
        for _ in range(200):
            if os.path.ismount(above):
                break
            time.sleep(0.05)
        else:
            pytest.skip(f"the FUSE mount did not come up: {log.read_text()[-300:]}")
        yield above
    finally:
        subprocess.run(["fusermount", "-u", "-z", str(above)], check=False)
        running.kill_all()


def left(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("profile", [Profile.CORE, Profile.STANDARD])
def test_on_a_plain_directory(tmp_path: Path, profile: Profile) -> None:
    record = certified({"mount": str(tmp_path), "plain_directory": True}, profile)
    assert record.failures == ()
    assert record.verdict is RunVerdict.CONFORMANT, record.reason
    assert left(tmp_path) == ["objects", "pending"], "what a live run wrote it takes away again"


def test_on_a_fuse_mount(fuse_mount: Path) -> None:
    record = certified({"mount": str(fuse_mount)}, Profile.CORE)
    assert record.failures == ()
    assert record.verdict is RunVerdict.CONFORMANT, record.reason
    assert left(fuse_mount) == ["objects", "pending"]


def test_a_directory_that_is_not_mounted_is_no_device(tmp_path: Path) -> None:
    from storcert.conformance.usage import InvalidUsage

    with pytest.raises(InvalidUsage, match="nothing is mounted"):
        certified({"mount": str(tmp_path)}, Profile.CORE)
    assert left(tmp_path) == []

"""Live targets by name: started, used and ended by storcert, which leaves no process and no folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from storcert.conformance.commands import list_things
from storcert.conformance.leak_check import LEAK_CHECK
from storcert.conformance.live_targets import directory
from storcert.conformance.live_targets.session import started
from storcert.conformance.usage import InvalidUsage
from storcert.harness.contract import DataObjectUri
from storcert.harness.drivers.nfs import NfsDriver
from storcert.harness.record.run_record import RunRecord
from storcert.harness.record.verdict import RunVerdict, Verdict
from tests.conformance.kit import certify

NFS = "storcert.harness.drivers.nfs:NfsDriver"
HERE = f"{__name__}"


class LeakyNfs(NfsDriver):
    """Keeps a note of everything it deletes, which nobody ever takes away."""

    def __init__(self, configuration: Mapping[str, Any]) -> None:
        super().__init__(configuration)
        self._notes = Path(str(configuration["mount"]))

    def delete(self, uri: DataObjectUri) -> None:
        super().delete(uri)
        (self._notes / f"deleted-{uri.account}-{uri.object_id}"[:100]).touch()


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made meanwhile."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def leak_row(record: RunRecord) -> Verdict:
    return next(check.verdict for check in record.checks if check.id == LEAK_CHECK)


def test_a_directory_is_made_and_goes_again(scratch: Path) -> None:
    record = certify(NFS, "C-DELETE", device="live:directory")
    assert record.failures == ()
    assert record.verdict is RunVerdict.CONFORMANT, record.reason
    assert (record.device.name, record.device.mode) == ("live:directory", "live")
    assert leak_row(record) is Verdict.PASS
    assert list(scratch.iterdir()) == []


def test_what_is_left_after_everything_was_deleted_is_told(scratch: Path) -> None:
    record = certify(f"{HERE}:LeakyNfs", "C-DELETE", device="live:directory")
    assert record.verdict is RunVerdict.NOT_CONFORMANT, record.reason
    told = [failure for failure in record.failures if failure.check == LEAK_CHECK]
    assert told and "deleted-" in told[0].message and told[0].steps[0].startswith("after C-DELETE/")
    assert list(scratch.iterdir()) == []


def test_a_live_device_that_nobody_can_look_into_has_the_row_too(tmp_path: Path) -> None:
    record = certify(NFS, "C-DELETE", device="live", configuration={"mount": str(tmp_path), "plain_directory": True})
    assert leak_row(record) is Verdict.SKIPPED


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(directory, "missing", lambda: "no directories: install some")
    with pytest.raises(InvalidUsage, match="live:directory cannot be started here: no directories: install some"):
        certify(NFS, "C-DELETE", device="live:directory")
    assert list_things("devices") == 0
    said = capsys.readouterr().out
    assert "live:directory" in said and "missing: no directories: install some" in said


def test_one_that_does_not_come_up_is_no_finding(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: directory.Directory) -> Any:
        raise RuntimeError("no answer")

    monkeypatch.setattr(directory.Directory, "start", fail)
    with pytest.raises(InvalidUsage, match="did not start: no answer"):
        certify(NFS, "C-DELETE", device="live:directory")
    assert list(scratch.iterdir()) == []


def test_variables_are_there_meanwhile_only(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    from storcert.conformance.live_targets import target

    made = directory.Directory.start

    def start(self: directory.Directory) -> target.Reached:
        reached = made(self)
        return target.Reached(reached.target, reached.server, {"AWS_PROFILE": "", "AWS_ACCESS_KEY_ID": "key"})

    monkeypatch.setattr(directory.Directory, "start", start)
    with started("live:directory"):
        assert os.environ["AWS_ACCESS_KEY_ID"] == "key" and "AWS_PROFILE" not in os.environ
    assert os.environ["AWS_PROFILE"] == "mine" and "AWS_ACCESS_KEY_ID" not in os.environ


_PROGRAM = """
import sys
from storcert.conformance.live_targets import moto_server
from storcert.conformance.live_targets.session import started
moto_server._PROGRAM = "import time; time.sleep(600)"
moto_server.answers = lambda port: True
try:
    with started("live:moto"):
        print("up", flush=True)
        sys.stdin.read()
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def _runs(process: str) -> bool:
    """What has died and was not yet asked for by its new parent does not run."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_it(scratch: Path, number: signal.Signals) -> None:
    running = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "TMPDIR": str(scratch)})  # fmt: skip
    assert running.stdout is not None and running.stdout.readline() == "up\n"
    children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
    assert len(children) == 1
    running.send_signal(number)
    said, _ = running.communicate(timeout=60)
    ends_s = time.monotonic() + 10
    while _runs(children[0]):
        assert time.monotonic() < ends_s, "the server outlived the program"
    if number is not signal.SIGKILL:
        assert said == "interrupted\n"
        assert list(scratch.iterdir()) == []

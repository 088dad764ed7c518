"""A run on a real device ends in order when it is asked to, at once when it is asked again, and its workers end with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from storcert.conformance.interrupts import answered

_STUCK = """
import ctypes, sys
from storcert.conformance.live_targets.session import started
with started("live:directory"):
    try:
        print("up", flush=True)
        ctypes.CDLL(None).sleep(60)
        import time; time.sleep(60)
    finally:
        print("tidying", flush=True)
        # As a library in compiled code that waits for a server: Python's own handlers do not come up.
        libc = ctypes.CDLL(None)
        while True:
            libc.sleep(60)
"""
_WITH_WORKERS = """
import multiprocessing, os, sys, time
from concurrent.futures import ProcessPoolExecutor
from storcert.conformance import interrupts
from storcert.conformance.live_targets.session import started
def begin():
    interrupts.end_with_parent()
if __name__ == "__main__":
    with started("live:directory"):
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), begin) as pool:
            print(pool.submit(os.getpid).result(), flush=True)
            pool.submit(time.sleep, 60).result()
"""


def _start(program: str, tmp_path: Path) -> subprocess.Popen[str]:
    file = tmp_path / "program.py"
    file.write_text(program)
    return subprocess.Popen(
        [sys.executable, str(file)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)})  # fmt: skip


def _line(running: subprocess.Popen[str]) -> str:
    assert running.stdout is not None
    return running.stdout.readline().strip()


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(("first", "second"), [("SIGTERM", "SIGTERM"), ("SIGINT", "SIGTERM"), ("SIGTERM", "SIGINT")])
def test_who_asks_twice_is_obeyed_at_once(tmp_path: Path, first: str, second: str) -> None:
    running = _start(_STUCK, tmp_path)
    assert _line(running) == "up"
    running.send_signal(signal.Signals[first])
    assert _line(running) == "tidying"
    running.send_signal(signal.Signals[second])
    _, said = running.communicate(timeout=10)
    assert (running.returncode, "ended at once" in said) == (2, True)


def test_what_a_shell_runs_in_the_background_ends_when_it_is_asked_to(tmp_path: Path) -> None:
    """Ctrl-C is ignored there, which is nobody's answer to a request to end."""
    running = _start("import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n" + _STUCK, tmp_path)
    assert _line(running) == "up"
    running.send_signal(signal.SIGTERM)
    assert _line(running) == "tidying"
    running.send_signal(signal.SIGINT)
    running.send_signal(signal.SIGTERM)
    _, said = running.communicate(timeout=10)
    assert (running.returncode, "ended at once" in said) == (2, True)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_worker_outlives_the_run(tmp_path: Path, number: signal.Signals) -> None:
    running = _start(_WITH_WORKERS, tmp_path)
    worker = int(_line(running))
    running.send_signal(number)
    if number is signal.SIGTERM:
        running.send_signal(signal.SIGINT)  # two of one kind may count as one
    running.communicate(timeout=20)
    ends_s = time.monotonic() + 10
    while _runs(worker):
        assert time.monotonic() < ends_s, "the worker waits for work that nobody can send any more"


def test_handlers_are_there_meanwhile_only() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with answered():
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] != before
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before

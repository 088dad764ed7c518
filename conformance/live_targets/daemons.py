"""Daemons that storcert starts: none outlives it, however it ends. Nothing of a storage system is known here."""

from __future__ import annotations

import atexit
import ctypes
import functools
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def _die_with_parent(number: signal.Signals) -> None:
    # Runs in the child between fork and exec: the kernel kills the daemon even where this process itself is killed.
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number)


class Daemons:
    """Named processes and one log file for what they print. ``kill_all`` at the end, at exit, or when the parent dies."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        atexit.register(self.kill_all)

    def start(
        self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None,
        orphaned: signal.Signals | None = signal.SIGKILL, kept: Sequence[int] = (),
    ) -> None:
        """Start ``command`` in a session of its own, so that the terminal's Ctrl-C reaches this process alone. ``orphaned``:
        what it is sent where this process is killed; one that holds a mount needs the time to take it away, and one that sees
        it by itself needs none. ``kept``: descriptors of this process that it has too."""
        if name in self._running:
            raise ValueError(f"{name} runs already")
        with self._log.open("ab") as output:
            self._running[name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
                env=None if environment is None else dict(environment),
                preexec_fn=functools.partial(_die_with_parent, orphaned) if sys.platform == "linux" and orphaned else None,
                pass_fds=tuple(kept),
            )  # fmt: skip

    def send(self, name: str, number: signal.Signals) -> None:
        """Send a signal: SIGSTOP freezes, SIGCONT thaws."""
        self._running[name].send_signal(number)

    def pid(self, name: str) -> int:
        """Its process id."""
        return self._running[name].pid

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """End one process and wait until it is gone."""
        process = self._running.pop(name)
        for one in (number, signal.SIGCONT):
            process.send_signal(one)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def end(self, name: str, limit_s: float = 10.0) -> None:
        """Wait for one that was told to end, and kill it where it does not."""
        try:
            self._running[name].wait(limit_s)
        except subprocess.TimeoutExpired:
            pass  # killed below
        self.kill(name)

    def kill_all(self) -> None:
        """End everything, the last one first. May be repeated."""
        for name in reversed(list(self._running)):
            self.kill(name)
        atexit.unregister(self.kill_all)

    def names(self) -> list[str]:
        """What was started and not ended."""
        return list(self._running)

    def require_alive(self) -> None:
        """Raise with the end of the log where a daemon has ended by itself."""
        for name, process in self._running.items():
            code = process.poll()
            if code is not None:
                raise RuntimeError(f"{name} ended with {code}: {self.log_tail()}")

    def log_tail(self, size_bytes: int = 2000) -> str:
        """The last words."""
        return self._log.read_text(errors="replace")[-size_bytes:] if self._log.exists() else ""

    def wait_until(self, ready: Callable[[], bool], what: str, limit_s: float = 60.0) -> None:
        """Poll ``ready`` until it is true; raise where a daemon dies meanwhile or the time is over."""
        ends_s = time.monotonic() + limit_s
        while not ready():
            self.require_alive()
            if time.monotonic() > ends_s:
                raise RuntimeError(f"no {what} after {limit_s:g} s: {self.log_tail()}")
            time.sleep(0.05)


def answers(port: int) -> bool:
    """Whether somebody listens on this port of loopback."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def can_listen(port: int) -> bool:
    """Whether a daemon could listen there: nobody does, and no connection of anybody begins there either."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as daemons do
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_block(first: int, needed: Sequence[int], step: int, tries: int = 20) -> int:
    """The first of ``first``, ``first + step``... where ``needed`` (offsets) are all free.

    Choose ``first`` below 32768: from there on the kernel hands ports out to connections."""
    for index in range(tries):
        base = first + index * step
        if all(can_listen(base + offset) for offset in needed):
            return base
    raise RuntimeError(f"no free ports from {first} on")


def missing_programs(names: Sequence[str]) -> list[str]:
    """Which of these programs are not on the search path."""
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    return [name for name in names if not any(os.access(folder / name, os.X_OK) for folder in folders)]

"""Processes of a small zone on loopback: a web server, moto, two agents, a management server. All die with the test."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

READY_S = 30.0


class Process:
    """A process that prints one line with its port when it listens."""

    def __init__(self, module: str, *words: str, environ: Mapping[str, str] | None = None) -> None:
        self._command = [sys.executable, "-m", module, *words]
        self._environ = {**os.environ, **(environ or {})}
        self.port = 0
        self.start()

    def start(self) -> None:
        """Start it, again on the port that it had."""
        words = [*self._command, "--port", str(self.port)]
        self._running = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=self._environ)
        assert self._running.stdout is not None
        line = self._running.stdout.readline()
        assert line.startswith("ready "), f"{words} did not start: {line!r}"
        self.port = int(line.split()[1])

    def kill(self) -> None:
        """SIGKILL: no ``finally`` runs."""
        self._running.send_signal(signal.SIGKILL)
        self._running.wait()


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder, says nothing."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


def web(folder: Path) -> ThreadingHTTPServer:
    """A web server for the files of a folder."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), lambda *a: Quiet(*a, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def ask(management: Process, method: str, timeout_s: float = 120.0, **arguments: Any) -> Any:
    """A call of the management server: its result, or the error it answered with."""
    body = {"method": method, "arguments": arguments}
    answer = httpx.post(f"http://127.0.0.1:{management.port}/call", json=body, timeout=timeout_s).json()
    return answer.get("result", answer.get("error", answer))


def until(condition: Any, limit_s: float = READY_S) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)

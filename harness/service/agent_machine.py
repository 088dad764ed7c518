"""The machine a real agent runs on: its clock, its threads, its chance."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from storcert.harness.service.clock import clock_ns
from storcert.harness.service.journal import tell


class RealMachine:
    """The machine this process runs on. ``journal``: where facts go, a line each. ``transfer_url``: where clients reach the
    agent's doors, as they see it."""

    def __init__(self, name: str, journal: Any = None, transfer_url: str = "") -> None:
        self.name = name
        self.transfer_url = transfer_url
        self.boot = f"{name}/{uuid.uuid4().hex}"
        self._journal = journal

    def clock_ns(self) -> int:
        """Time since the machine was switched on."""
        return clock_ns()

    def sleep_ns(self, duration_ns: int) -> None:
        """Let time pass."""
        time.sleep(duration_ns / 1e9)

    def pace_ns(self, pause_ns: int) -> int:
        """As it is: nobody slows virtual machines down here."""
        return pause_ns

    def spawn(self, label: str, body: Callable[[], None]) -> None:
        """A thread that dies with the process."""
        threading.Thread(target=body, name=label, daemon=True).start()

    def stream(self, name: str) -> random.Random:
        """Real chance: nothing here is ever run again bit for bit."""
        return random.SystemRandom()

    def note(self, sort: str, /, **value: Any) -> None:
        """A line in the journal."""
        tell(self._journal, self.name, sort, value)

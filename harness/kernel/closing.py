"""The end of a world: its abandoned tasks are unwound, with every door closed, so that their memory comes back.

Until then they are kept alive on purpose: a greenlet that loses its last reference has ``GreenletExit`` thrown into it, and
would run its ``finally`` blocks against the real world. A world that is never closed is closed when the interpreter ends.

A task gets ``LocationCrashed`` where it waits, and again from everything simulated that it touches. One that refuses to leave
is left alone for ever, in the graveyard: after so many refusals, or (main thread only) so many ticks of the alarm clock.
"""

from __future__ import annotations

import atexit
import gc
from types import FrameType
from typing import TYPE_CHECKING

import greenlet

from storcert.harness.kernel.alarm_clock import AlarmClock
from storcert.harness.kernel.context import set_running
from storcert.harness.kernel.exceptions import LocationCrashed
from storcert.harness.kernel.task import Task

if TYPE_CHECKING:
    from storcert.harness.kernel.loop import Kernel

_PATIENCE_S = 0.1
_TICK_S = 0.05
_THROWS_MAX = 3

_open_worlds: dict[int, Kernel] = {}
graveyard: list[Task] = []
"""Tasks that refused to die; kept for ever, never resumed."""


def keep(kernel: Kernel) -> None:
    """This world has tasks that have not ended: nothing may collect it."""
    _open_worlds[id(kernel)] = kernel


def let_go(kernel: Kernel) -> None:
    """This world has no suspended task: forgetting it does no harm."""
    _open_worlds.pop(id(kernel), None)


def bury(task: Task) -> None:
    """Never resume and never collect this task."""
    graveyard.append(task)


def close(kernel: Kernel) -> None:
    """What ``Kernel.close`` does. Raises ``RuntimeError`` inside a task or a run."""
    if kernel.sealed:
        return
    hub = greenlet.getcurrent()
    if isinstance(hub, Task) or kernel._looping:
        raise RuntimeError("a kernel is closed from outside: not by a task, not while it runs")
    kernel.sealed = True
    kernel.journal.seal()
    kernel._hub = hub
    kernel._queue.clear()
    kernel._dead_entries = 0
    abandoned = [task for task in kernel._tasks if task]
    if abandoned:
        # A collection here would run finalizers, and other libraries' hooks, as if the dying location's code did it.
        collecting = gc.isenabled()
        gc.disable()
        try:
            _unwind_all(kernel, abandoned)
        finally:
            if collecting:
                gc.enable()
    kernel._tasks.clear()
    let_go(kernel)


def _unwind_all(kernel: Kernel, abandoned: list[Task]) -> None:
    throws = 0

    def tick(_: FrameType | None) -> None:
        nonlocal throws
        task = greenlet.getcurrent()
        if not isinstance(task, Task) or task.kernel is not kernel:
            return
        throws += 1
        if throws <= _THROWS_MAX:
            raise LocationCrashed("this world is over")
        while True:
            kernel._hub.switch()

    interrupt: BaseException | None = None
    with AlarmClock(tick, _PATIENCE_S, _TICK_S):
        while abandoned:
            task = abandoned.pop()  # youngest first, as a process ends its threads' callees before their callers
            throws = 0
            try:
                task.parent = kernel._hub
                task.throw(LocationCrashed("this world is over"))
            except greenlet.error:  # it lives in another thread, which alone could unwind it
                bury(task)
            except LocationCrashed:  # the tick came when the task was over and on its way back here
                pass
            except BaseException as error:  # noqa: BLE001  # an interrupt by the user, raised once all are unwound
                interrupt = error
            set_running(None)
            if task:
                bury(task)
            del task
    if interrupt is not None:
        raise interrupt


@atexit.register
def _close_all() -> None:
    for kernel in list(_open_worlds.values()):
        kernel.close()

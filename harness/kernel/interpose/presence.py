"""Where does the calling code run: the question in front of every replaced function, answered for one thread only.

The simulation runs in one thread. Other threads of the process (a test runner's, a debugger's) may call replaced
functions while that thread is inside a simulated location; they are never at a location themselves.
"""

from __future__ import annotations

from _thread import get_ident
from typing import TYPE_CHECKING, cast

from storcert.harness.kernel import context

if TYPE_CHECKING:
    from storcert.harness.kernel.location import Location
    from storcert.harness.kernel.task import Task

    class LocatedTask(Task):
        """A task that is known to be at a location."""

        location: Location

# Read directly by the hot paths: one list index tells "nobody is at a location" without a call.
running = context._running

_simulation_thread: list[int] = [get_ident()]


def adopt_current_thread() -> None:
    """The calling thread is the one that simulates from now on."""
    _simulation_thread[0] = get_ident()


def task_here() -> LocatedTask | None:
    """The task whose code calls, or ``None`` for the kit, the kernel, the devices and every other thread.

    Raises ``LocationCrashed`` for code of a dead location or of a world that is over: no door opens for it any more.
    """
    task = running[0]
    if task is None or get_ident() != _simulation_thread[0]:
        return None
    location = task.location
    if location is None:  # a task of the kit itself
        return None
    location.require_open()
    return cast("LocatedTask", task)


def location_here() -> Location | None:
    """The location whose code calls, or ``None``; raises as :func:`task_here` does."""
    task = task_here()
    return None if task is None else task.location


def on_simulation_thread() -> bool:
    """Whether the calling thread is the one that simulates."""
    return get_ident() == _simulation_thread[0]

"""Who is running: the one question every interposed function asks first.

``current_task()`` is ``None`` while the kit, the kernel or a device model runs, and the running task while code of a
simulated location runs. Everything virtual (time, randomness, environment, file system) hangs on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storcert.harness.kernel.location import Location
    from storcert.harness.kernel.task import Task

_running: list[Task | None] = [None]


def current_task() -> Task | None:
    """The task whose code runs now, or ``None`` for the kit, the kernel and the devices."""
    return _running[0]


def current_location() -> Location | None:
    """The location whose code runs now, or ``None``."""
    task = _running[0]
    return None if task is None else task.location


def set_running(task: Task | None) -> Task | None:
    """Tell who runs from now on; gives who ran before. For the kernel's switch and :func:`outside` only."""
    before = _running[0]
    _running[0] = task
    return before


@contextmanager
def outside() -> Iterator[None]:
    """Run the body as the kit: no location, real time, real files. For device models and faces called by driver code."""
    before = set_running(None)
    try:
        yield
    finally:
        set_running(before)

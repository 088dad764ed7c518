"""Zero-time loops: a million events at one instant mean that somebody goes round in circles. Finds whom to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storcert.harness.kernel.exceptions import RunawayTask
from storcert.harness.kernel.task import Task

if TYPE_CHECKING:
    from storcert.harness.kernel.loop import Kernel


def blame_someone(kernel: Kernel) -> None:
    """Throw ``RunawayTask`` into the task that would be woken next at this instant. Raises it where no task is to be woken:
    then it is a device or the kit that goes round."""
    message = f"{kernel.events_per_instant_max} events without virtual time passing"
    now = kernel._now
    for _, _, event in sorted(entry for entry in kernel._queue if entry[0] == now and entry[2].callbacks is not None):
        for callback in event.callbacks:
            task = getattr(callback, "__self__", None)
            if isinstance(task, Task) and event in (task._waits_for, task._deadline):
                interrupt(task, RunawayTask(message))
                return
    raise RunawayTask(message)


def interrupt(task: Task, error: BaseException) -> None:
    """Called from the hub: the task goes on with ``error`` raised where it waits."""
    if task:  # it has started
        task.throw(error)
    else:
        task._withdraw()
        task.error = error
        task.kernel._ended(task)

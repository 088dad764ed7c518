"""The end of a world: its abandoned tasks are unwound, with every door closed, so that their memory comes back.

Until then they are kept alive on purpose. A greenlet that loses its last reference has ``GreenletExit`` thrown into it, and
would run its ``finally`` blocks against the real world.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from storcert.harness.kernel import context
from storcert.harness.kernel.exceptions import LocationCrashed

if TYPE_CHECKING:
    from storcert.harness.kernel.loop import Kernel
    from storcert.harness.kernel.task import Task

_open_worlds: dict[int, Kernel] = {}
graveyard: list[Task] = []
"""Tasks that refused to die when their world ended; kept for ever, never resumed."""


def keep(kernel: Kernel) -> None:
    """This world has tasks that have not ended: nothing may collect it."""
    _open_worlds[id(kernel)] = kernel


def let_go(kernel: Kernel) -> None:
    """This world has no suspended task: forgetting it does no harm."""
    _open_worlds.pop(id(kernel), None)


def close(kernel: Kernel) -> None:
    """What ``Kernel.close`` does."""
    if kernel.sealed:
        return
    kernel.sealed = True
    kernel._queue.clear()
    kernel._dead_entries = 0
    for task in list(kernel._tasks):
        if task:
            task.throw(LocationCrashed("this world is over"))
            context.set_running(None)
            if not task.dead:
                graveyard.append(task)
    kernel._tasks.clear()
    let_go(kernel)

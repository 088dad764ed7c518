"""Workers on this machine: threads that each have a process of their own, and wait for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from storcert.scenarios.pool.child import Child, ChildDied
from storcert.scenarios.pool.pool import WorkerLost
from storcert.scenarios.pool.session import Setup, Task

LIVES = 3
"""A task is begun again when its worker dies, so often in all: a machine short of memory kills whom it finds."""


class Processes:
    """So many worker processes."""

    def __init__(self, setup: Setup, workers: int) -> None:
        self.workers = workers
        self._setup = setup
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="storcert-worker")
        self._mine = threading.local()
        self._children: list[Child] = []
        self._closed = False

    def pids(self) -> list[int]:
        """Of the processes that live now."""
        return [child.pid for child in self._children if child.pid]

    def submit(self, task: Task) -> Future[Any]:
        """Have it done by the next process that is free."""
        return self._threads.submit(self._do, task)

    def close(self) -> None:
        """Give up what is under way, too."""
        self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        for child in self._children:
            child.close()
        self._threads.shutdown(wait=True)

    def _do(self, task: Task) -> Any:
        child: Child | None = getattr(self._mine, "child", None)
        if child is None:
            child = self._mine.child = Child()
            self._children.append(child)
        return done_by(child, self._setup, task, lambda: self._closed)


def done_by(child: Child, setup: Setup, task: Task, closed: Callable[[], bool] = lambda: False) -> Any:
    """What comes of a task, in a new process each time one dies. Raises :class:`WorkerLost`."""
    for life in range(LIVES):
        try:
            return child.do(setup, task)
        except ChildDied as death:
            if life == LIVES - 1 or closed():
                raise WorkerLost(f"{death}, {life + 1} times with the same task") from None
    raise AssertionError("a task has at least one life")

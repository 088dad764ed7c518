"""What every pool offers: tasks in, futures out. A worker that is lost costs its task a second beginning, never its result."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any, Protocol

from storcert.scenarios.pool.session import Session, Setup, Task


class WorkerLost(Exception):
    """The worker of a task died, and so did those that took it up again: the task kills whoever does it."""


class PoolLost(Exception):
    """There is no worker any more, and none can be had."""


class Pool(Protocol):
    """Use as a context manager. ``workers``: how many tasks are done at once."""

    @property
    def workers(self) -> int:
        """How many tasks are done at once."""
        ...

    def submit(self, task: Task) -> Future[Any]:
        """Have it done. The future may raise :class:`WorkerLost`, :class:`PoolLost`, and whatever the task itself raised."""
        ...

    def close(self) -> None:
        """Give up what has not begun, and let the workers go."""
        ...


class OwnProcess:
    """No worker but this process: a task is done when it is submitted."""

    workers = 1

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._session = Session()

    def submit(self, task: Task) -> Future[Any]:
        """Do it now."""
        future: Future[Any] = Future()
        try:
            future.set_result(self._session.do(self._setup, task))
        except Exception as error:  # noqa: BLE001  (it is raised where the result is asked for)
            future.set_exception(error)
        return future

    def close(self) -> None:
        """Everything as it was."""
        self._session.close()

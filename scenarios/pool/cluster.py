"""Workers of a Dask cluster, wherever they are. The only module that knows of Dask; imported when a scheduler is named.

Each thread of a Dask worker keeps a process of its own, in which runs are done: the fence of a simulation is the whole
process', and a Dask worker has other things to do in its own. What a lost worker had is done by another, as Dask has it.
"""

from __future__ import annotations

import platform
import threading
from concurrent.futures import Future
from typing import Any, cast

from distributed import Client
from distributed.scheduler import KilledWorker

import storcert
from storcert.scenarios.pool.child import Child
from storcert.scenarios.pool.pool import PoolLost, WorkerLost
from storcert.scenarios.pool.processes import LIVES, done_by
from storcert.scenarios.pool.session import Setup, Task

REACH_S = 5
"""So many seconds a scheduler and its first worker have to be reached."""
_mine = threading.local()


class Cluster:
    """The workers of the scheduler at an address. Raises :class:`PoolLost` where that cannot be reached, has no worker, or has
    one with another storcert: its runs would be other runs."""

    def __init__(self, setup: Setup, address: str) -> None:
        self._setup = setup
        try:
            self._client = Client(address, timeout=REACH_S, set_as_default=False)  # type: ignore[no-untyped-call]
        except (TimeoutError, OSError, ValueError) as error:
            raise PoolLost(f"no Dask scheduler at {address}: {error}") from None
        try:
            self._meet(address)
        except BaseException:
            self._client.close()  # type: ignore[no-untyped-call]
            raise
        self._executor = self._client.get_executor(pure=False, retries=LIVES)  # type: ignore[no-untyped-call]

    @property
    def workers(self) -> int:
        """How many tasks the cluster does at once, now."""
        return sum(self._client.nthreads().values())  # type: ignore[no-untyped-call]

    def submit(self, task: Task) -> Future[Any]:
        """Have it done by whichever worker is free."""
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()

        def done(found: Future[Any]) -> None:
            error = None if found.cancelled() else found.exception()
            if found.cancelled():
                future.set_exception(PoolLost("the scheduler gave the task up"))
            elif isinstance(error, KilledWorker):
                future.set_exception(WorkerLost(f"{error}"))
            elif error is not None:
                future.set_exception(error)
            else:
                future.set_result(found.result())

        self._executor.submit(_do, self._setup, task).add_done_callback(done)
        return future

    def close(self) -> None:
        """Give up what is under way; the cluster stays."""
        self._executor.shutdown(wait=False)
        self._client.close()  # type: ignore[no-untyped-call]

    def _meet(self, address: str) -> None:
        try:
            self._client.wait_for_workers(1, timeout=REACH_S)
        except (TimeoutError, OSError):
            raise PoolLost(f"the Dask scheduler at {address} has no worker") from None
        try:
            # A client that is not asynchronous gives answers, not promises of them.
            found = cast(dict[str, tuple[str, str]], self._client.run(_kit))
        except ImportError as error:
            raise PoolLost(f"a worker of {address} has no storcert: {error}") from None
        mine = _kit()
        for worker, kit in sorted(found.items()):
            if kit[0] != mine[0]:
                raise PoolLost(f"worker {worker} has storcert {kit[0]}, and this is {mine[0]}; their runs are not the same")
            if self._setup.guided and kit[1] != mine[1]:
                raise PoolLost(
                    f"worker {worker} has Python {kit[1]}, and this is {mine[1]}; lines that are reached cannot be compared")


def _kit() -> tuple[str, str]:
    """Of this process: storcert and Python, as far as runs depend on them."""
    return str(storcert.__version__), ".".join(platform.python_version_tuple()[:2])


def _do(setup: Setup, task: Task) -> Any:
    """In a worker."""
    child: Child | None = getattr(_mine, "child", None)
    if child is None:
        child = _mine.child = Child()
    return done_by(child, setup, task)

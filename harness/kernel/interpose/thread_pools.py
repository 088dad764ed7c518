"""``concurrent.futures.ThreadPoolExecutor`` at a location: its workers are threads there, as CPython's of today are.

Which Python runs must not show, so the two methods that differ between them, and the worker's loop, are written out here:
``submit`` starts a worker unless an idle one is waiting or there are as many as allowed; idle is who found nothing to do.
What work is done on whose behalf is the submitter's. ``shutdown``, ``map``, ``wait`` and ``as_completed`` are CPython's own.

Sets of futures are walked through in the order in which the futures were made.
"""

from __future__ import annotations

import concurrent.futures
import concurrent.futures.thread
import queue
import sys
import threading
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from storcert.harness.kernel.interpose.object_order import order_by_making
from storcert.harness.kernel.interpose.presence import running, task_here
from storcert.harness.kernel.interpose.thread_points import point
from storcert.harness.kernel.interpose.threads import numbered

if TYPE_CHECKING:
    from storcert.harness.kernel.interpose.install import Interposition
    from storcert.harness.kernel.interpose.presence import LocatedTask

_INITIALIZER = "_storcert_initializer"


def _here() -> LocatedTask | None:
    return None if running[0] is None else task_here()


class _Work:
    """One call that was submitted. CPython's ``shutdown`` and ``_initializer_failed`` look at ``future``."""

    __slots__ = ("_behalf", "_call", "_scope", "future")

    def __init__(self, submitter: LocatedTask, future: Any, call: tuple[Any, tuple[Any, ...], dict[str, Any]]) -> None:
        self.future = future
        self._call: Any = call
        self._behalf, self._scope = submitter.behalf, submitter.scope

    def run(self, worker: LocatedTask) -> None:
        """Do it in ``worker``, and tell the future."""
        if not self.future.set_running_or_notify_cancel():
            return
        worker.behalf, worker.scope = self._behalf, self._scope
        (function, args, kwargs), self._call = self._call, None
        try:
            result = function(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001  # as CPython: it is raised where the result is asked for
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


def _worker(executor_of: Callable[[], Any], line: Any, initializer: Any, initargs: tuple[Any, ...]) -> None:
    me = _here()
    assert me is not None
    if initializer is not None:
        try:
            initializer(*initargs)
        except BaseException:  # noqa: BLE001  # as CPython: the pool is broken then
            executor = executor_of()
            if executor is not None:
                executor._initializer_failed()
            return
    while True:
        try:
            work = line.get_nowait()
        except queue.Empty:
            executor = executor_of()
            if executor is not None:
                executor._idle_semaphore.release()
            del executor
            work = line.get(block=True)
        if work is not None:
            work.run(me)
            del work
            continue
        executor = executor_of()
        if executor is None or executor._shutdown:
            if executor is not None:
                executor._shutdown = True
            line.put(None)  # the next worker's turn to go
            return
        del executor


def _init(original: Callable[..., None]) -> Callable[..., None]:
    def __init__(
        self: Any, max_workers: int | None = None, thread_name_prefix: str = "", initializer: Any = None,
        initargs: tuple[Any, ...] = (), **more: Any,
    ) -> None:
        if _here() is not None:
            self.__dict__[_INITIALIZER] = (initializer, initargs)
            if max_workers is None:
                max_workers = 8  # as on a machine of four processors, wherever the simulation runs
        original(self, max_workers, thread_name_prefix, initializer, initargs, **more)

    return __init__


def _submit(original: Callable[..., Any]) -> Callable[..., Any]:
    def submit(self: Any, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        task = _here()
        if task is None or _INITIALIZER not in self.__dict__:
            return original(self, fn, *args, **kwargs)
        with self._shutdown_lock:
            if self._broken:
                raise concurrent.futures.thread.BrokenThreadPool(self._broken)
            if self._shutdown:
                raise RuntimeError("cannot schedule new futures after shutdown")
            future: Any = concurrent.futures.Future()
            self._work_queue.put(_Work(task, future, (fn, args, kwargs)))
            _start_worker(self)
        point(task, sys._getframe(1))
        return future

    return submit


def _start_worker(executor: Any) -> None:
    if executor._idle_semaphore.acquire(timeout=0):
        return
    count = len(executor._threads)
    if count >= executor._max_workers:
        return
    line = executor._work_queue

    def lost(_: object) -> None:  # nobody has the executor any more: its workers may go
        line.put(None)

    thread = threading.Thread(
        name=f"{executor._thread_name_prefix}_{count}", target=_worker,
        args=(weakref.ref(executor, lost), line, *executor.__dict__[_INITIALIZER]))
    thread.start()
    executor._threads.add(thread)


def install(interposition: Interposition) -> None:
    """Pools made at a location work there."""
    pool = concurrent.futures.thread.ThreadPoolExecutor
    interposition.replace(pool, "__init__", _init)
    interposition.replace(pool, "submit", _submit)
    interposition.replace(pool, "_counter", numbered("ThreadPoolExecutor", 0))
    order_by_making(interposition, concurrent.futures.Future)

"""``concurrent.futures.ThreadPoolExecutor`` at a location: its workers are threads there, as CPython's of today are.

Which Python runs must not show, so what differs between them is written out here: ``submit`` starts a worker unless one is
idle or there are as many as allowed; idle is who found nothing to do. Each process of each location has its own workers and
its own work, also of a pool that a vendor's module keeps among its globals. Work is done on behalf of whoever submitted it.
``map``, ``wait`` and ``as_completed`` are CPython's own; sets of futures are walked through in the order of their making.
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

from storcert.harness.kernel.exceptions import belongs_to_kit
from storcert.harness.kernel.interpose.object_order import order_by_making
from storcert.harness.kernel.interpose.presence import running, task_here
from storcert.harness.kernel.interpose.process_threads import ProcessThreads, process_of
from storcert.harness.kernel.interpose.thread_points import point
from storcert.harness.kernel.interpose.threads import numbered

if TYPE_CHECKING:
    from storcert.harness.kernel.interpose.install import Interposition
    from storcert.harness.kernel.interpose.presence import LocatedTask

_ASKED = "_storcert_asked"
_POOLS = "_storcert_pools"
_WORKERS = 8  # where nobody says how many: as on a machine of four processors, wherever the simulation runs
_NAME = "ThreadPoolExecutor-"
_BROKEN = "A thread initializer failed, the thread pool is not usable anymore"


def _here() -> LocatedTask | None:
    return None if running[0] is None else task_here()


class _Work:
    """One call that was submitted."""

    __slots__ = ("_behalf", "_call", "_scope", "future")

    def __init__(self, submitter: LocatedTask, call: tuple[Any, tuple[Any, ...], dict[str, Any]]) -> None:
        self.future: Any = concurrent.futures.Future()
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
        except BaseException as error:
            if belongs_to_kit(error):
                raise
            self.future.set_exception(error)  # as CPython: whatever it is, it is raised where the result is asked for
        else:
            self.future.set_result(result)


class _Pool:
    """What one process has of an executor. Holds neither of them: its workers hold it."""

    def __init__(
        self, executor: Any, process: ProcessThreads, name: str, workers_max: int, initializer: Any, initargs: tuple[Any, ...]
    ) -> None:
        self._executor = weakref.ref(executor, self._lost)
        self._process = weakref.ref(process)
        self._name = name
        self._workers_max = workers_max
        self._initializer, self._initargs = initializer, initargs
        self._line: Any = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0
        self._workers: list[threading.Thread] = []
        self._broken = ""
        self._closed = False

    def submit(self, task: LocatedTask, call: tuple[Any, tuple[Any, ...], dict[str, Any]]) -> Any:
        """As ``Executor.submit``."""
        with self._lock:
            if self._broken:
                raise concurrent.futures.thread.BrokenThreadPool(self._broken)
            if self._closed:
                raise RuntimeError("cannot schedule new futures after shutdown")
            work = _Work(task, call)
            self._line.put(work)
            if self._idle:
                self._idle -= 1
            elif len(self._workers) < self._workers_max:
                worker = threading.Thread(name=f"{self._name}_{len(self._workers)}", target=self._work)
                self._workers.append(worker)
                worker.start()
            return work.future

    def _work(self) -> None:
        me = _here()
        assert me is not None
        if self._initializer is not None:
            try:
                self._initializer(*self._initargs)
            except BaseException as error:
                if belongs_to_kit(error):
                    raise
                self._break()
                return
        while True:
            try:
                work = self._line.get_nowait()
            except queue.Empty:
                self._idle += 1
                work = self._line.get()
            if work is None:
                self._line.put(None)  # the next worker's turn to go
                return
            work.run(me)
            del work

    def _break(self) -> None:
        with self._lock:
            self._broken = _BROKEN
            for work in self._drained():
                work.future.set_exception(concurrent.futures.thread.BrokenThreadPool(_BROKEN))

    def _drained(self) -> list[_Work]:
        found = []
        while True:
            try:
                found.append(self._line.get_nowait())
            except queue.Empty:  # not asked for before: a worker may take the last one meanwhile
                return [work for work in found if work is not None]

    def close(self, wait: bool, cancel: bool) -> None:
        """As ``Executor.shutdown``."""
        with self._lock:
            self._closed = True
            for work in self._drained() if cancel else ():
                work.future.cancel()
            self._line.put(None)
        for worker in self._workers if wait else ():
            worker.join()

    def _lost(self, _: object) -> None:
        """Nobody has the executor any more: once the work is done, its workers may go. Only code of their process can tell
        them; where the kit drops it, or the garbage collector, they stay: when that happens says nothing."""
        task = _here()
        if task is not None and process_of(task.location) is self._process():
            self._line.put(None)


def _init(original: Callable[..., None]) -> Callable[..., None]:
    def __init__(
        self: Any, max_workers: int | None = None, thread_name_prefix: str = "", initializer: Any = None,
        initargs: tuple[Any, ...] = (), **more: Any,
    ) -> None:
        original(self, max_workers, thread_name_prefix, initializer, initargs, **more)
        self.__dict__[_ASKED] = (max_workers or _WORKERS, thread_name_prefix, initializer, initargs)

    return __init__


def _pool_of(executor: Any, process: ProcessThreads) -> _Pool:
    pools: weakref.WeakKeyDictionary[ProcessThreads, _Pool] = executor.__dict__.setdefault(
        _POOLS, weakref.WeakKeyDictionary())
    found = pools.get(process)
    if found is None:
        workers_max, prefix, initializer, initargs = executor.__dict__.get(_ASKED) or _asked_before(executor)
        name = prefix or f"{_NAME}{process.next_name(_NAME, 0)}"
        found = pools[process] = _Pool(executor, process, name, workers_max, initializer, initargs)
    return found


def _asked_before(executor: Any) -> tuple[int, str, Any, tuple[Any, ...]]:
    """Of a pool that was made before the installation."""
    prefix = executor._thread_name_prefix
    made = getattr(executor, "_initializer", None), getattr(executor, "_initargs", ())
    return executor._max_workers, "" if prefix.startswith(_NAME) else prefix, *made


def _submit(original: Callable[..., Any]) -> Callable[..., Any]:
    def submit(self: Any, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        task = _here()
        if task is None:
            return original(self, fn, *args, **kwargs)
        future = _pool_of(self, process_of(task.location)).submit(task, (fn, args, kwargs))
        point(task, sys._getframe(1))
        return future

    return submit


def _shutdown(original: Callable[..., None]) -> Callable[..., None]:
    def shutdown(self: Any, wait: bool = True, *, cancel_futures: bool = False) -> None:
        task = _here()
        if task is None:
            return original(self, wait, cancel_futures=cancel_futures)
        _pool_of(self, process_of(task.location)).close(wait, cancel_futures)
        return None

    return shutdown


def install(interposition: Interposition) -> None:
    """Pools work at locations."""
    pool = concurrent.futures.thread.ThreadPoolExecutor
    interposition.replace(pool, "__init__", _init)
    interposition.replace(pool, "submit", _submit)
    interposition.replace(pool, "shutdown", _shutdown)
    interposition.replace(pool, "_counter", numbered("pool", 0))
    order_by_making(interposition, concurrent.futures.Future)

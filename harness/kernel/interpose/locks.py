"""Locks that wait in virtual time: what ``threading.Lock()`` and ``RLock()`` give while installed.

A real lock held by a suspended task would stop the whole process for ever: all tasks share one thread. These locks let
the task that finds one taken wait for a kernel event. ``Condition``, ``Event``, ``Semaphore``, ``Barrier``, ``queue.Queue`` are
built on them and therefore work at a location; ``queue.SimpleQueue`` is replaced by its Python twin there.

Each location, in each of its epochs, sees a state of its own, as the processes of different machines would: a lock in a
module's globals does not couple locations, and a crash does not leave it locked for the next epoch. Outside a location
the lock is the real one, for real threads.

Not caught: locks made before the installation (import the driver inside it), and locks in C. ``threading.local``,
``get_ident`` and ``current_thread`` know threads, not tasks: all tasks of all locations share one value.
"""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any

from storcert.harness.kernel.exceptions import DeadlineExpired
from storcert.harness.kernel.interpose.presence import running, task_here

if TYPE_CHECKING:
    from storcert.harness.kernel.interpose.install import Interposition
    from storcert.harness.kernel.interpose.presence import LocatedTask
    from storcert.harness.kernel.location import Location

_SECOND_NS = 10**9


class _State:
    """One lock as one epoch of one location sees it."""

    __slots__ = ("count", "owner", "waiting")

    def __init__(self) -> None:
        self.owner: LocatedTask | None = None
        self.count = 0
        self.waiting: list[Any] = []


class _States:
    """The states of one lock; an entry exists only while it is held or waited for."""

    __slots__ = ("_by_process",)

    def __init__(self) -> None:
        self._by_process: dict[tuple[Location, int], _State] = {}

    def look(self, task: LocatedTask) -> _State | None:
        return self._by_process.get((task.location, task.location.epoch))

    def get(self, task: LocatedTask) -> _State:
        key = (task.location, task.location.epoch)
        state = self._by_process.get(key)
        if state is None:
            # What crashed epochs and finished worlds held is of no use to anyone.
            for old in [old for old in self._by_process if old[0].epoch != old[1] or old[0].kernel.sealed]:
                del self._by_process[old]
            state = self._by_process[key] = _State()
        return state

    def drop_if_idle(self, task: LocatedTask, state: _State) -> None:
        if state.count == 0 and not state.waiting:
            self._by_process.pop((task.location, task.location.epoch), None)


def _take(states: _States, task: LocatedTask, blocking: bool, timeout: float, reentrant: bool) -> bool:
    """Acquire for ``task``; the arguments are those of ``Lock.acquire``."""
    state = states.get(task)
    if state.count == 0 or (reentrant and state.owner is task):
        state.owner, state.count = task, state.count + 1
        return True
    if not blocking:
        return False
    kernel = task.location.kernel
    deadline_ns = None if timeout == -1 else kernel.now_ns + round(timeout * _SECOND_NS)
    while state.count:
        left_ns = None if deadline_ns is None else deadline_ns - kernel.now_ns
        if left_ns is not None and left_ns <= 0:
            return False
        turn = kernel.event()
        state.waiting.append(turn)
        try:
            kernel.wait(turn, left_ns)
        except DeadlineExpired:
            return False
        finally:
            if turn in state.waiting:
                state.waiting.remove(turn)
    state.owner, state.count = task, 1
    return True


def _give(states: _States, task: LocatedTask, state: _State) -> None:
    state.count -= 1
    if state.count == 0:
        state.owner = None
        if state.waiting:
            state.waiting.pop(0).succeed()
        states.drop_if_idle(task, state)


class LocationLock:
    """``threading.Lock`` while installed."""

    __slots__ = ("__weakref__", "_real", "_states")

    def __init__(self, real: Any) -> None:
        self._real = real
        self._states = _States()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """As ``threading.Lock.acquire``; the timeout is virtual at a location."""
        if running[0] is None or (task := task_here()) is None:
            return bool(self._real.acquire(blocking, timeout))
        if timeout != -1 and (timeout < 0 or not blocking):
            return bool(self._real.acquire(blocking, timeout))  # refuses in its own words
        return _take(self._states, task, blocking, timeout, False)

    def release(self) -> None:
        """As ``threading.Lock.release``."""
        if running[0] is None or (task := task_here()) is None:
            self._real.release()
            return
        state = self._states.look(task)
        if state is None or state.count == 0:
            raise RuntimeError("release unlocked lock")
        _give(self._states, task, state)

    def locked(self) -> bool:
        """As ``threading.Lock.locked``."""
        if running[0] is None or (task := task_here()) is None:
            return bool(self._real.locked())
        state = self._states.look(task)
        return state is not None and state.count > 0

    acquire_lock, release_lock, locked_lock = acquire, release, locked

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()

    def _at_fork_reinit(self) -> None:
        self._real._at_fork_reinit()
        self._states = _States()

    def __repr__(self) -> str:
        return f"<{'locked' if self.locked() else 'unlocked'} {type(self).__name__}>"


class LocationRLock:
    """``threading.RLock`` while installed: at a location it is owned by a task."""

    __slots__ = ("__weakref__", "_real", "_states")

    def __init__(self, real: Any) -> None:
        self._real = real
        self._states = _States()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """As ``threading.RLock.acquire``; the timeout is virtual at a location."""
        if running[0] is None or (task := task_here()) is None:
            return bool(self._real.acquire(blocking, timeout))
        if timeout != -1 and (timeout < 0 or not blocking):
            return bool(self._real.acquire(blocking, timeout))  # refuses in its own words
        return _take(self._states, task, blocking, timeout, True)

    def release(self) -> None:
        """As ``threading.RLock.release``."""
        if running[0] is None or (task := task_here()) is None:
            self._real.release()
            return
        _give(self._states, task, self._owned(task))

    def locked(self) -> bool:
        """As ``threading.RLock.locked`` of Python 3.14."""
        if running[0] is None or (task := task_here()) is None:
            if self._real._is_owned() or not self._real.acquire(False):
                return True
            self._real.release()
            return False
        state = self._states.look(task)
        return state is not None and state.count > 0

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()

    def _owned(self, task: LocatedTask) -> _State:
        state = self._states.look(task)
        if state is None or state.owner is not task:
            raise RuntimeError("cannot release un-acquired lock")
        return state

    # What threading.Condition asks of an RLock.

    def _is_owned(self) -> bool:
        if running[0] is None or (task := task_here()) is None:
            return bool(self._real._is_owned())
        state = self._states.look(task)
        return state is not None and state.owner is task

    def _release_save(self) -> Any:
        if running[0] is None or (task := task_here()) is None:
            return self._real._release_save()
        state = self._owned(task)
        count, state.count = state.count, 1
        _give(self._states, task, state)
        return count

    def _acquire_restore(self, saved: Any) -> None:
        if running[0] is None or (task := task_here()) is None:
            self._real._acquire_restore(saved)
            return
        _take(self._states, task, True, -1, False)
        self._states.get(task).count = saved

    def _recursion_count(self) -> int:
        if running[0] is None or (task := task_here()) is None:
            return int(self._real._recursion_count())
        state = self._states.look(task)
        return state.count if state is not None and state.owner is task else 0

    def _at_fork_reinit(self) -> None:
        self._real._at_fork_reinit()
        self._states = _States()

    def __repr__(self) -> str:
        return f"<{'locked' if self.locked() else 'unlocked'} {type(self).__name__}>"


class _Factory(type):
    """A class that stands for a built-in lock: makes ours, and ``isinstance`` accepts both."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return cls.make(cls.original(*args, **kwargs))  # type: ignore[attr-defined]

    def __instancecheck__(cls, instance: Any) -> bool:
        original = cls.original  # type: ignore[attr-defined]
        return isinstance(instance, cls.make) or (isinstance(original, type) and isinstance(instance, original))  # type: ignore[attr-defined]


def _factory(make: type) -> Any:
    def build(original: Any) -> Any:
        held = original if isinstance(original, type) else staticmethod(original)
        return _Factory(getattr(original, "__name__", make.__name__), (), {"original": held, "make": make})

    return build


def _simple_queue(python_twin: Any) -> Any:
    def choose(original: Any) -> Any:
        class SimpleQueue(metaclass=_QueueFactory):
            """``queue.SimpleQueue`` while installed: the one written in Python at a location, where blocking must be seen."""

        SimpleQueue.original = original  # type: ignore[attr-defined]
        SimpleQueue.twin = python_twin  # type: ignore[attr-defined]
        return SimpleQueue

    return choose


class _QueueFactory(type):
    def __call__(cls) -> Any:
        here = running[0] is not None and task_here() is not None
        return cls.twin() if here else cls.original()  # type: ignore[attr-defined]

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, (cls.twin, cls.original))  # type: ignore[attr-defined]


def install(interposition: Interposition) -> None:
    """Replace the makers of locks. The import system keeps the real ones: it must work whatever a location does."""
    import _thread
    import queue
    import threading
    import types

    bootstrap = sys.modules["_frozen_importlib"]
    pristine = types.ModuleType("_thread")
    pristine.__dict__.update(vars(_thread))
    interposition.put(bootstrap, "_thread", pristine)
    for owner, name, make in (
        (_thread, "allocate_lock", LocationLock), (_thread, "allocate", LocationLock), (_thread, "lock", LocationLock),
        (_thread, "RLock", LocationRLock), (threading, "Lock", LocationLock), (threading, "_CRLock", LocationRLock),
    ):
        interposition.replace(owner, name, _factory(make))
    python_twin = getattr(queue, "_PySimpleQueue", None)
    if python_twin is not None:
        interposition.replace(queue, "SimpleQueue", _simple_queue(python_twin))

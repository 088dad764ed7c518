"""Locks that wait in virtual time: what ``threading.Lock()`` and ``RLock()`` give while installed.

A real lock held by a suspended task would stop the whole process for ever: all tasks share one thread. These locks let
the task that finds one taken wait for a kernel event. ``Condition``, ``Event``, ``Semaphore``, ``Barrier``, ``queue.Queue`` are
built on them and therefore work at a location; ``queue.SimpleQueue`` is replaced by its Python twin there.

Each location, in each of its epochs, sees a state of its own, as the processes of different machines would: a lock in a
module's globals does not couple locations, and a crash does not leave it locked for the next epoch. Outside a location
the lock is the real one, for real threads.

Locks that a module made before the installation and keeps among its globals are exchanged for such ones too. Not caught: those
that stand in an object or a closure (import the driver inside the installation), and locks in C.
"""

from __future__ import annotations

import _thread
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar

import simpy

from storcert.harness.kernel.exceptions import DeadlineExpired
from storcert.harness.kernel.interpose.presence import running, task_here
from storcert.harness.kernel.interpose.process_threads import ProcessThreads, process_of
from storcert.harness.kernel.interpose.thread_points import point

if TYPE_CHECKING:
    from storcert.harness.kernel.interpose.install import Interposition
    from storcert.harness.kernel.interpose.presence import LocatedTask

_SECOND_NS = 10**9
_REAL_LOCK = type(_thread.allocate_lock())
_OF_THE_INTERPRETER = ("_frozen_importlib", "threading", "storcert.")


class _State:
    """One lock as one process sees it. ``count``: how often its owner has it, 0: it is free."""

    __slots__ = ("count", "owner", "waiting")

    def __init__(self) -> None:
        self.owner: LocatedTask | None = None
        self.count = 0
        self.waiting: list[Turn] = []


class Turn(simpy.Event):
    """What a task that found a lock taken waits for."""

    def __init__(self, state: _State, env: Any) -> None:
        super().__init__(env)
        self._state = state

    @property
    def holder(self) -> Any:
        """The task that has the lock now: for "who waits for whom"."""
        return self._state.owner


class _LocationLock:
    """What both kinds share: the real lock, its state in the process that used it last, and in others that still do."""

    __slots__ = ("__weakref__", "_others", "_process", "_real", "_state")
    reentrant: ClassVar[bool] = False

    def __init__(self, real: Any) -> None:
        self._real = real
        self._state = _State()
        self._process: ProcessThreads | None = None
        self._others: dict[ProcessThreads, _State] = {}

    def _state_of(self, process: ProcessThreads) -> _State:
        """The state that ``process`` sees, which is then the one used last."""
        before, state = self._process, self._state
        if before is process:
            return state
        if before is not None and (state.count or state.waiting) and not before.over:
            self._others[before] = state
        # What crashed processes and finished worlds held is of no use to anyone.
        for over in [one for one in self._others if one.over]:
            del self._others[over]
        self._process = process
        self._state = state = self._others.pop(process) if process in self._others else _State()
        return state

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """As ``threading.Lock.acquire``; the timeout is virtual at a location."""
        if running[0] is None or (task := task_here()) is None:
            return bool(self._real.acquire(blocking, timeout))
        if timeout != -1 and (timeout < 0 or not blocking):
            return bool(self._real.acquire(blocking, timeout))  # refuses in its own words
        process = task.location.threads or process_of(task.location)
        state = self._state if self._process is process else self._state_of(process)
        if state.count and self.reentrant and state.owner is task:
            state.count += 1
            return True
        if process.running:
            point(task, sys._getframe(1))
            state = self._state_of(process)
        if state.count == 0:
            state.owner, state.count = task, 1
            return True
        return blocking and self._wait(task, process, timeout)

    __enter__ = acquire

    def _wait(self, task: LocatedTask, process: ProcessThreads, timeout: float) -> bool:
        kernel = task.location.kernel
        deadline_ns = None if timeout == -1 else kernel.now_ns + round(timeout * _SECOND_NS)
        # Looked up again each time: a state that nobody has or waits for is forgotten when another process comes by.
        while (state := self._state_of(process)).count:
            left_ns = None if deadline_ns is None else deadline_ns - kernel.now_ns
            if left_ns is not None and left_ns <= 0:
                return False
            turn = Turn(state, kernel)
            state.waiting.append(turn)
            try:
                kernel.wait(turn, left_ns, reason="lock")
            except DeadlineExpired:
                return False
            finally:
                if turn in state.waiting:
                    state.waiting.remove(turn)
        state.owner, state.count = task, 1
        return True

    def _give(self, task: LocatedTask, process: ProcessThreads, state: _State) -> None:
        state.count -= 1
        if state.count == 0:
            state.owner = None
            if state.waiting:
                state.waiting.pop(0).succeed()
            if process.running:
                caller = sys._getframe(2)
                point(task, caller if caller.f_code is not _LEAVING else caller.f_back or caller)

    def _release_outside(self) -> None:
        try:
            self._real.release()
        except RuntimeError:
            # The kit, or the garbage collector, drops something that a location's code had locked: when it does so says
            # nothing, so nobody there may hear of it.
            if not (self._state.count or self._others):
                raise

    def locked(self) -> bool:
        """As ``threading.Lock.locked``."""
        if running[0] is None or (task := task_here()) is None:
            return self._really_locked()
        return self._state_of(process_of(task.location)).count > 0

    def _really_locked(self) -> bool:
        return bool(self._real.locked())

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()

    def release(self) -> None:
        """As ``threading.Lock.release``."""
        if running[0] is None or (task := task_here()) is None:
            self._release_outside()
            return
        process = task.location.threads or process_of(task.location)
        state = self._state if self._process is process else self._state_of(process)
        if state.count == 0:
            raise RuntimeError("release unlocked lock")
        self._give(task, process, state)

    def _at_fork_reinit(self) -> None:
        self._real._at_fork_reinit()
        self._process, self._state, self._others = None, _State(), {}

    def __repr__(self) -> str:
        return f"<{'locked' if self.locked() else 'unlocked'} {type(self).__name__}>"


_LEAVING = _LocationLock.__exit__.__code__


class LocationLock(_LocationLock):
    """``threading.Lock`` while installed."""

    __slots__ = ()

    acquire_lock, release_lock, locked_lock = _LocationLock.acquire, _LocationLock.release, _LocationLock.locked


class LocationRLock(_LocationLock):
    """``threading.RLock`` while installed: at a location it is owned by a task."""

    __slots__ = ()
    reentrant = True

    def release(self) -> None:
        """As ``threading.RLock.release``."""
        if running[0] is None or (task := task_here()) is None:
            self._release_outside()
            return
        process = task.location.threads or process_of(task.location)
        self._give(task, process, self._owned(task, process))

    def _really_locked(self) -> bool:
        if self._real._is_owned() or not self._real.acquire(False):
            return True
        self._real.release()
        return False

    def _owned(self, task: LocatedTask, process: ProcessThreads) -> _State:
        state = self._state if self._process is process else self._state_of(process)
        if state.count == 0 or state.owner is not task:
            raise RuntimeError("cannot release un-acquired lock")
        return state

    # What threading.Condition asks of an RLock.

    def _is_owned(self) -> bool:
        if running[0] is None or (task := task_here()) is None:
            return bool(self._real._is_owned())
        return self._state_of(process_of(task.location)).owner is task

    def _release_save(self) -> Any:
        if running[0] is None or (task := task_here()) is None:
            return self._real._release_save()
        process = process_of(task.location)
        state = self._owned(task, process)
        count, state.count = state.count, 1
        self._give(task, process, state)
        return count

    def _acquire_restore(self, saved: Any) -> None:
        if running[0] is None or (task := task_here()) is None:
            self._real._acquire_restore(saved)
            return
        self.acquire()
        self._state_of(process_of(task.location)).count = saved

    def _recursion_count(self) -> int:
        if running[0] is None or (task := task_here()) is None:
            return int(self._real._recursion_count())
        state = self._state_of(process_of(task.location))
        return state.count if state.owner is task else 0


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


def _locks_of_modules() -> list[tuple[Any, str, Any]]:
    """Plain locks among the globals of loaded modules: a task that waits for something while it has one would stop all others.
    (Who has a real RLock is the one thread of all tasks, so nobody waits for it.)"""
    return [
        (module, name, value)
        for module_name, module in sorted(sys.modules.items())
        if type(names := getattr(module, "__dict__", None)) is dict and not module_name.startswith(_OF_THE_INTERPRETER)
        for name, value in list(names.items())
        if type(value) is _REAL_LOCK
    ]


def install(interposition: Interposition) -> None:
    """Replace the makers of locks. The import system keeps the real ones: it must work whatever a location does."""
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
    ours: dict[int, LocationLock] = {}
    for module, name, lock in _locks_of_modules():
        interposition.put(module, name, ours.setdefault(id(lock), LocationLock(lock)))
    python_twin = getattr(queue, "_PySimpleQueue", None)
    if python_twin is not None:
        interposition.replace(queue, "SimpleQueue", _simple_queue(python_twin))

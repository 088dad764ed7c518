"""``threading.Thread`` and its kin at a location: each thread that driver code starts is a task of the simulation.

When a thread runs is decided by the kernel, as for every task, and where threads may change places by :mod:`.process_threads`.
A thread belongs to its location, not to the call that started it: it goes on after the call and dies in a crash, without any
``finally``. ``join``, ``is_alive``, ``daemon``, ``current_thread``, ``enumerate``, ``get_ident`` answer as CPython's do; a
daemon thread is one like any other, because a location's process has no end but a crash.

An exception that nobody caught is written into the journal and kept, and goes to ``threading.excepthook`` where code has set
one of its own. ``SystemExit`` ends a thread in silence, as ever. Hooks of ``threading.settrace`` are left alone: whoever
watches the thread that simulates sees its tasks.

Not tasks: threads made in C, and those of ``_thread.start_joinable_thread``; they are refused by name in :mod:`.unsimulated`.
A thread object that was started outside a location stays one of the operating system, wherever it is joined.
"""

from __future__ import annotations

import contextvars
import sys
import threading
from collections.abc import Callable, Mapping
from types import MethodType
from typing import TYPE_CHECKING, Any

from storcert.harness.kernel.exceptions import DeadlineExpired, LocationCrashed, RunawayTask, belongs_to_kit
from storcert.harness.kernel.interpose import blame
from storcert.harness.kernel.interpose.clock import wall_ns
from storcert.harness.kernel.interpose.object_order import order_by_making
from storcert.harness.kernel.interpose.presence import running, task_here
from storcert.harness.kernel.interpose.process_threads import ThreadIdentity, identity_of, process_of
from storcert.harness.kernel.interpose.thread_points import arm, point

if TYPE_CHECKING:
    from storcert.harness.kernel.interpose.install import Interposition
    from storcert.harness.kernel.interpose.presence import LocatedTask
    from storcert.harness.kernel.location import Location
    from storcert.harness.kernel.task import Task

UNCAUGHT = "thread-exception"
"""Kind of the journal's entry for an exception that ended a thread. Its text: the thread's name and the exception's class."""
_SECOND_NS = 10**9
_TASK = "_storcert_task"
_DEFAULT_HOOK = threading.excepthook


class CallerThread(threading.Thread):
    """What ``current_thread()`` gives in code that was called from outside: nobody can start or join it."""

    def __init__(self, name: str, ident: int) -> None:
        super().__init__(name=name, daemon=False)
        self._ident = self._native_id = ident
        self._started.set()  # type: ignore[attr-defined]

    def is_alive(self) -> bool:
        """It always is: the one who asks, or the thread of a process that runs."""
        return True

    def join(self, timeout: float | None = None) -> None:
        """Refused, as for the threads of CPython that Python code did not start."""
        raise RuntimeError("cannot join a dummy thread")


def _here() -> LocatedTask | None:
    return None if running[0] is None else task_here()


def start_task(task: LocatedTask, name: str, thread: Any, body: Callable[[], object]) -> tuple[Task, ThreadIdentity]:
    """A task for a new thread of the location of ``task``, on whose behalf it works."""
    arm()
    location = task.location
    identity = process_of(location).started(thread)
    made = location.kernel.spawn(_guarded, body, name, location=location, name=name)
    # A new thread begins with no context variables, unless (Python 3.14) it was given some.
    given = getattr(thread, "_context", None)
    made.gr_context = given if isinstance(given, contextvars.Context) else contextvars.Context()
    made.thread, made.behalf, made.scope = identity, task.behalf, task.scope
    return made, identity


def _guarded(body: Callable[[], object], name: str) -> None:
    task = _here()
    assert task is not None
    location = task.location
    process_of(location).point(task)  # the system may take its time until a new thread runs
    try:
        body()
    except SystemExit:
        pass
    except BaseException as error:
        if isinstance(error, (LocationCrashed, RunawayTask)) or belongs_to_kit(error):
            raise
        _tell(location, name, error)
        hook = threading.excepthook
        maker = getattr(getattr(hook, "func", hook), "__module__", None) or ""  # pytest's is a partial function
        if hook is not _DEFAULT_HOOK and not blame.is_instrument(maker):
            try:
                hook(threading.ExceptHookArgs([type(error), error, error.__traceback__, task.thread.thread]))
            except Exception as another:  # noqa: BLE001  # as CPython: what a hook raises is told beside the first one
                _tell(location, name, another)


def _tell(location: Location, name: str, error: BaseException) -> None:
    process_of(location).uncaught.append((name, error))
    location.kernel.journal.record(UNCAUGHT, location.name, f"{name}: {type(error).__name__}")


# -- threading.Thread


def _init(original: Callable[..., None]) -> Callable[..., None]:
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        if _here() is not None:
            threading._dangling.discard(self)  # type: ignore[attr-defined]  # what a fork of this process would reset

    return __init__


def _start(original: Callable[[Any], None]) -> Callable[[Any], None]:
    def start(self: Any) -> None:
        task = _here()
        if task is None:
            return original(self)
        if not self._initialized:
            raise RuntimeError("thread.__init__() not called")
        if self._started.is_set():
            raise RuntimeError("threads can only be started once")
        made, identity = start_task(task, self.name, self, lambda: _run(self))
        self.__dict__[_TASK] = made, identity.process
        self._ident = self._native_id = identity.ident
        self._started.set()
        point(task, sys._getframe(1))
        return None

    return start


def _run(thread: Any) -> None:
    try:
        thread.run()
    finally:
        thread._is_stopped = True  # what repr() of older Pythons looks at


def _join(original: Callable[..., None]) -> Callable[..., None]:
    def join(self: Any, timeout: float | None = None) -> None:
        asker = _here()
        joined, process = self.__dict__.get(_TASK, (None, None))
        if asker is None or (joined is None and self._started.is_set()):
            return original(self, timeout)
        if not self._initialized:
            raise RuntimeError("Thread.__init__() not called")
        if joined is None:
            raise RuntimeError("cannot join thread before it is started")
        if joined is asker:
            raise RuntimeError("cannot join current thread")
        point(asker, sys._getframe(1))
        if not joined.ended and process is asker.location.threads:
            timeout_ns = None if timeout is None else round(max(timeout, 0) * _SECOND_NS)
            try:
                asker.location.kernel.wait(joined.ended_event, timeout_ns, reason=f"thread {self.name}")
            except DeadlineExpired:
                pass
        return None

    return join


def _is_alive(original: Callable[[Any], bool]) -> Callable[[Any], bool]:
    def is_alive(self: Any) -> bool:
        task, process = self.__dict__.get(_TASK, (None, None))
        if task is None:
            return original(self)
        asker = _here()
        if asker is None:
            return not task.ended
        wall_ns(asker)  # a loop that asks again and again must let time pass, as one that looks at the clock
        # Found in a module's globals by another process, or by one after a crash: there it never was.
        return not task.ended and process is asker.location.threads

    return is_alive


# -- module functions


def thread_of(task: LocatedTask) -> Any:
    """The ``threading.Thread`` that ``task`` is."""
    identity = identity_of(task)
    if identity.thread is None:
        name = f"Agent-{identity.caller}" if identity.caller else f"Dummy-{process_of(task.location).next_name('Dummy', 1)}"
        identity.thread = CallerThread(name, identity.ident)
    return identity.thread


def _main_thread(task: LocatedTask) -> Any:
    process = process_of(task.location)
    if process.main is None:
        process.main = CallerThread("MainThread", process.ident(1))
    return process.main


def _enumerate(task: LocatedTask) -> list[Any]:
    thread_of(task)
    there = [one.thread.thread for one in task.location.tasks if one.thread is not None]
    return [_main_thread(task), *(one for one in there if one is not None)]


def _ident(task: LocatedTask) -> int:
    return identity_of(task).ident


def _answering(answer: Callable[[LocatedTask], Any]) -> Callable[[Any], Any]:
    """A replacement without arguments: the original outside, ``answer(task)`` at a location."""

    def call(original: Callable[[], Any]) -> Any:
        if running[0] is None or (task := task_here()) is None:
            return original()
        return answer(task)

    return lambda original: MethodType(call, original)


def numbered(counter: str, first: int) -> Callable[[Any], Any]:
    """A replacement of an endless counter that names things: at a location each process counts for itself."""
    return _answering(lambda task: process_of(task.location).next_name(counter, first))


def _start_new_thread(
    original: Callable[..., int], function: Any, args: Any, kwargs: Mapping[str, Any] | None = None, /
) -> int:
    task = _here()
    if task is None:
        return original(function, args) if kwargs is None else original(function, args, kwargs)
    if not callable(function) or not isinstance(args, tuple) or not isinstance(kwargs, (dict, type(None))):
        raise TypeError("start_new_thread() takes a callable, a tuple and, where given, a dict")
    name = getattr(function, "__name__", "thread")
    _, identity = start_task(task, str(name), None, lambda: function(*args, **(kwargs or {})))
    point(task, sys._getframe(1))
    return identity.ident


def install(interposition: Interposition) -> None:
    """Threads that Python code starts become tasks."""
    import _thread

    replace = interposition.replace
    thread = threading.Thread
    replace(thread, "__init__", _init)
    order_by_making(interposition, thread)
    replace(thread, "start", _start)
    replace(thread, "join", _join)
    replace(thread, "is_alive", _is_alive)
    replace(threading, "_counter", numbered("Thread", 1))
    replace(threading, "current_thread", _answering(thread_of))
    replace(threading, "main_thread", _answering(_main_thread))
    replace(threading, "enumerate", _answering(_enumerate))
    replace(threading, "active_count", _answering(lambda task: len(_enumerate(task))))
    for name in ("get_ident", "get_native_id"):
        replace(_thread, name, _answering(_ident))
    for name in ("start_new_thread", "start_new"):
        replace(_thread, name, lambda original: MethodType(_start_new_thread, original))

"""Where threads of a location may change places: around what code does with locks, events, queues and futures.

A thread that is about to take or to wait may be overtaken before it; one that has given, put, set or started something, after
it. Only calls by a driver or a library count, not those that the standard library makes of itself: what it does inside differs
from Python to Python, and a run must not. Between two points code runs on alone, so a race both halves of which lie between
two calls of this kind is not seen.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from storcert.harness.kernel.interpose.blame import kind_of_code
from storcert.harness.kernel.interpose.presence import running, task_here

if TYPE_CHECKING:
    from types import FrameType

    from storcert.harness.kernel.interpose.install import Interposition
    from storcert.harness.kernel.interpose.presence import LocatedTask


def point(task: LocatedTask, caller: FrameType) -> None:
    """Another thread may come first, if there are any and ``caller`` is no code of the standard library."""
    process = task.location.threads
    if process is not None and process.running and kind_of_code(caller.f_code.co_filename) != "library":
        process.point(task)


def before(original: Callable[..., Any]) -> Callable[..., Any]:
    """A replacement of a method before which another thread may come first."""

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if running[0] is not None and (task := task_here()) is not None:
            point(task, sys._getframe(1))
        return original(self, *args, **kwargs)

    return _named(call, original)


def after(original: Callable[..., Any]) -> Callable[..., Any]:
    """A replacement of a method after which another thread may come first."""

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        answer = original(self, *args, **kwargs)
        if running[0] is not None and (task := task_here()) is not None:
            point(task, sys._getframe(1))
        return answer

    return _named(call, original)


def _named(call: Callable[..., Any], original: Callable[..., Any]) -> Callable[..., Any]:
    call.__name__, call.__qualname__, call.__doc__ = original.__name__, original.__qualname__, original.__doc__
    call.__wrapped__ = original  # type: ignore[attr-defined]
    return call


_waiting_to_be_armed: list[Interposition] = []


def install(interposition: Interposition) -> None:
    """Nothing yet: code without threads does not pay for points, see :func:`arm`."""
    _waiting_to_be_armed[:] = [interposition]
    interposition.on_undo(_waiting_to_be_armed.clear)


def arm() -> None:
    """The first thread of this installation is about to start: replace the classes that are written in Python. The locks under
    them have their points themselves."""
    while _waiting_to_be_armed:
        interposition = _waiting_to_be_armed.pop()
        for cls, names, make in _classes():
            for name in names:
                interposition.replace(cls, name, make)


def _classes() -> list[tuple[type, tuple[str, ...], Callable[[Any], Any]]]:
    import queue
    import threading
    from concurrent.futures import Future

    simple: type = queue._PySimpleQueue  # type: ignore[attr-defined]
    return [
        (threading.Condition, ("__enter__", "wait"), before),
        (threading.Condition, ("__exit__", "notify", "notify_all"), after),
        (threading.Event, ("is_set", "wait"), before),
        (threading.Event, ("set", "clear"), after),
        (threading.Semaphore, ("acquire", "__enter__"), before),
        (threading.Semaphore, ("release", "__exit__"), after),
        (threading.BoundedSemaphore, ("release",), after),
        (threading.Barrier, ("wait",), before),
        (queue.Queue, ("get", "get_nowait", "empty", "full", "qsize", "join"), before),
        (queue.Queue, ("put", "put_nowait", "task_done"), after),
        (simple, ("get", "get_nowait", "empty", "qsize"), before),
        (simple, ("put", "put_nowait"), after),
        (Future, ("result", "exception", "done", "running", "cancelled"), before),
        (Future, ("set_result", "set_exception", "cancel"), after),
    ]

"""What cannot be made deterministic: threads in C, processes, sockets, event loops. Recorded as a finding, then refused.

``NotSimulated`` names the deed and what to do instead. Pure questions (``socket.inet_aton``, constants) stay open. Commands
that a simulator stands for are started by :mod:`.commands`; only what nobody stands for is refused here.

Not caught: threads and sockets made in C by extension modules (of threads Python 3.11 tells nobody at all); signals; file
descriptors inherited from outside.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import MethodType
from typing import TYPE_CHECKING, Any, NoReturn

from storcert.harness.kernel.interpose import blame, commands
from storcert.harness.kernel.interpose.presence import location_here, running, task_here

if TYPE_CHECKING:
    from types import FrameType

    from storcert.harness.kernel.interpose.install import Interposition
    from storcert.harness.kernel.location import Location

_ADVICE = {
    "thread": "Threads of Python's threading and concurrent.futures are simulated; those of the operating system, of C "
    "libraries and of event loops are not: one seed gives one interleaving only without them.",
    "socket": "Reach the device through the client library that its simulator answers for, made at the location.",
    "subprocess": "Only commands of a simulated device can be run at a simulated location.",
}


class NotSimulated(RuntimeError):
    """Code at a simulated location asked for something that the simulation cannot give. ``kind`` as in the finding."""

    def __init__(self, message: str, kind: str = "") -> None:
        super().__init__(message)
        self.kind = kind


def refuse(location: Location, kind: str, deed: str, frame: FrameType | None = None) -> NoReturn:
    """Record ``deed`` as a finding of ``kind`` and raise :class:`NotSimulated`."""
    frame = sys._getframe(1) if frame is None else frame
    kind, deed = _asked_for(frame) or (kind, deed)
    blame.report(location, kind, deed, frame)
    raise NotSimulated(f"{deed} cannot be simulated at location {location.name!r}. {_ADVICE[kind]}", kind)


def _asked_for(frame: FrameType | None) -> tuple[str, str] | None:
    """Kind and deed in the driver's words, where the standard library only came upon it (a socket for an event loop).

    Replacing those functions themselves would depend on whether their modules, which are slow to load, are loaded yet.
    """
    found = None
    while frame is not None and blame.kind_of_code(frame.f_code.co_filename) == "library":
        package = str(frame.f_globals.get("__name__")).partition(".")[0]
        if package == "asyncio":
            maker: Any = frame.f_locals.get("self")
            if hasattr(maker, "_closed"):
                maker._closed = True  # so that __del__ of the half-made loop stays quiet
            return "thread", "an asyncio event loop"
        if package == "multiprocessing":
            if getattr(frame.f_locals.get("Process"), "__qualname__", "").startswith("ThreadPool."):
                return "thread", "multiprocessing.pool.ThreadPool"
            found = "subprocess", "multiprocessing.Process.start()"
        frame = frame.f_back
    return found


def _refusing(kind: str, describe: Callable[[tuple[Any, ...], dict[str, Any]], str]) -> Callable[[Any], Any]:
    """A replacement that refuses at a location. Works for functions and, through ``self`` in ``args``, for methods."""

    def make(original: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            if running[0] is None or (location := location_here()) is None:
                return original(*args, **kwargs)
            refuse(location, kind, describe(args, kwargs), sys._getframe(1))

        call.__name__ = call.__qualname__ = getattr(original, "__name__", "call")
        call.__wrapped__ = original  # type: ignore[attr-defined]
        return call

    return make


def _named(name: str, shown: int = 3, skip: int = 0) -> Callable[[tuple[Any, ...], dict[str, Any]], str]:
    def describe(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        return f"{name}({', '.join(show(value) for value in args[skip : skip + shown])})"

    return describe


def show(value: Any) -> str:
    """A value in a message: never an address, which differs from run to run."""
    if isinstance(value, (str, bytes, int, float, bool, type(None))):
        return repr(value)
    if isinstance(value, (list, tuple)):
        inside = ", ".join(show(item) for item in value[:8])
        return f"[{inside}]" if isinstance(value, list) else f"({inside})"
    if callable(value):
        return str(getattr(value, "__qualname__", type(value).__name__))
    return f"<{type(value).__name__}>"


def _popen(original: Callable[..., None]) -> Callable[..., None]:
    signature = commands.signature_of_popen(original)

    def __init__(self: Any, args: Any, *rest: Any, **kwargs: Any) -> None:
        if running[0] is None or (location := location_here()) is None:
            return original(self, args, *rest, **kwargs)
        # So that __del__ of an object that is no process of the system stays quiet.
        self._child_created, self.returncode = False, None
        given = signature.bind(self, args, *rest, **kwargs).arguments if rest else {"args": args, **kwargs}
        if commands.start(self, location, given):
            refuse(location, "subprocess", f"subprocess.Popen({show(args)})", sys._getframe(1))

    return __init__


class _SocketInit:
    """``socket.socket.__init__``: sockets of the operating system are refused, whatever made them."""

    def __new__(cls, original: Callable[..., None]) -> Any:
        def __init__(self: Any, family: int = -1, type: int = -1, proto: int = -1, fileno: Any = None) -> None:
            if running[0] is None or (location := location_here()) is None:
                return original(self, family, type, proto, fileno)
            refuse(location, "socket", "socket.socket()", sys._getframe(1))

        return __init__


def _select(original: Callable[..., Any]) -> Callable[..., Any]:
    """``select`` with nothing to watch is a sleep; with something, it waits for what cannot be simulated."""

    def call(original: Callable[..., Any], r: Any, w: Any, x: Any, timeout: float | None = None, /) -> Any:
        if running[0] is None or (task := task_here()) is None:
            return original(r, w, x, timeout)
        if not (r or w or x) and timeout is not None:
            from storcert.harness.kernel.interpose.clock import duration_ns

            task.location.kernel.sleep_ns(duration_ns(timeout))
            return [], [], []
        refuse(task.location, "socket", "select.select()", sys._getframe(1))

    return MethodType(call, original)


def _threads(interposition: Interposition) -> None:
    import _thread

    # Threads that Python code makes otherwise are tasks: :mod:`.threads`.
    interposition.replace(
        _thread, "start_joinable_thread", _refusing("thread", _named("_thread.start_joinable_thread", 1)))


def _processes(interposition: Interposition) -> None:
    import _posixsubprocess
    import os
    import subprocess

    replace = interposition.replace
    replace(subprocess.Popen, "__init__", _popen)
    for name in (
        "system", "fork", "forkpty", "posix_spawn", "posix_spawnp", "popen", "spawnv", "spawnve", "spawnvp", "spawnvpe",
        "spawnl", "spawnle", "spawnlp", "spawnlpe", "execv", "execve", "execl", "execle", "execlp", "execvp", "execvpe",
    ):
        replace(os, name, _refusing("subprocess", _named(f"os.{name}", 1)))
    for name in ("kill", "killpg"):
        replace(os, name, _refusing("subprocess", _named(f"os.{name}", 2)))
    replace(_posixsubprocess, "fork_exec", _refusing("subprocess", _named("fork_exec", 1)))


def _sockets(interposition: Interposition) -> None:
    import select
    import socket

    replace = interposition.replace
    replace(socket.socket, "__init__", _SocketInit)
    for name, shown in (
        ("create_connection", 1), ("create_server", 1), ("socketpair", 0), ("fromfd", 0), ("getaddrinfo", 2),
        ("gethostbyname", 1),
        ("gethostbyname_ex", 1), ("gethostbyaddr", 1), ("getnameinfo", 1),
    ):
        replace(socket, name, _refusing("socket", _named(f"socket.{name}", shown)))
    replace(select, "select", _select)
    replace(select, "poll", _refusing("socket", _named("select.poll", 0)))


def install(interposition: Interposition) -> None:
    """Shut the doors. The locks, which open in virtual time, are :mod:`.locks`."""
    _threads(interposition)
    _processes(interposition)
    _sockets(interposition)

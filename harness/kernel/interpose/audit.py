"""The net under the fence: one audit hook for the process, which sees what reaches the interpreter past the replacements.

Captured originals that no scan finds, ``io.FileIO``, ``_socket.socket``, ``sqlite3`` and ``ctypes`` opening things in C.
What it sees from code at a location becomes a finding; reading of installed code passes; all else is stopped by raising.
Replacements that call an original on purpose do so as the kit, so the hook does not see them.

A hook cannot be taken out of a process again. While nobody is at a location it returns at once. Not seen, because Python
tells no audit hook: ``stat``, ``access``, ``readlink``, ``lstat`` and other mere looks, SQL that attaches a file to a
database in memory that a hidden original made, and anything C does by itself.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from storcert.harness.kernel.interpose import blame, file_system, native_doors, unsimulated
from storcert.harness.kernel.interpose.namespace import failure, namespace_of
from storcert.harness.kernel.interpose.presence import on_simulation_thread, running

if TYPE_CHECKING:
    from types import FrameType

    from storcert.harness.kernel.interpose.install import Interposition
    from storcert.harness.kernel.location import Location

_Handler = Callable[["Location", str, tuple[Any, ...], "FrameType"], None]

_hooked = [False]
_active = [False]


def _is_path(value: Any) -> bool:
    return isinstance(value, (str, bytes, os.PathLike))


def _touch(location: Location, message: str, path: Any, writes: bool, frame: FrameType) -> None:
    if frame.f_code.co_filename.startswith("<frozen "):
        return  # an import, which also writes what it compiled
    absolute = namespace_of(location).absolute(path)
    if not file_system.may_pass(location, message, absolute, writes, frame):
        raise failure(errno.EROFS if writes else errno.ENOENT, path)


def _open(location: Location, event: str, args: tuple[Any, ...], frame: FrameType) -> None:
    path, mode, flags = args
    if not _is_path(path):
        return
    writes = bool((flags or 0) & (os.O_ACCMODE | os.O_CREAT | os.O_TRUNC)) or any(c in (mode or "") for c in "wax+")
    shown = repr(mode) if mode else file_system._flags_text(flags or 0)
    _touch(location, f"open({file_system.shown_path(path)}, {shown})", path, writes, frame)


def _named(writes: bool, paths: int = 1) -> _Handler:
    def handle(location: Location, event: str, args: tuple[Any, ...], frame: FrameType) -> None:
        given = [value for value in args[:paths] if _is_path(value)]
        if given:
            message = f"{event}({', '.join(file_system.shown_path(path) for path in given)})"
            _touch(location, message, given[-1], writes, frame)

    return handle


def _listing(location: Location, event: str, args: tuple[Any, ...], frame: FrameType) -> None:
    path = "." if args[0] is None else args[0]
    if _is_path(path):
        _touch(location, f"{event}({file_system.shown_path(path)})", path, False, frame)


def _refused(kind: str) -> _Handler:
    def handle(location: Location, event: str, args: tuple[Any, ...], frame: FrameType) -> None:
        shown = [unsimulated.show(value) for value in args if isinstance(value, (str, bytes, int, list, tuple))]
        unsimulated.refuse(location, kind, f"{event}({', '.join(shown[:2])})", frame)

    return handle


def _library(location: Location, event: str, args: tuple[Any, ...], frame: FrameType) -> None:
    name = args[0]
    if name is None or not _is_path(name):
        return
    text = os.fsdecode(name)
    # A bare name is looked up by the system's loader among the system's libraries, as an import is.
    if "/" in text:
        _touch(location, f"ctypes.CDLL({file_system.shown_path(name)})", name, False, frame)


def _database(location: Location, event: str, args: tuple[Any, ...], frame: FrameType) -> None:
    if args[0] != ":memory:" and blame.report(
        location, file_system.KIND, f"sqlite3.connect({file_system.shown_path(args[0])})", frame
    ):
        raise failure(errno.EROFS, args[0] if _is_path(args[0]) else "")


def _extension(location: Location, event: str, args: tuple[Any, ...], frame: FrameType) -> None:
    if _is_path(args[1]):
        _touch(location, f"load_extension({file_system.shown_path(args[1])})", args[1], False, frame)


def _mapping(location: Location, event: str, args: tuple[Any, ...], frame: FrameType) -> None:
    if args[0] != -1 and blame.report(location, file_system.KIND, "mmap.mmap() of a file", frame):
        raise failure(errno.ENODEV)


_HANDLERS: dict[str, _Handler] = {
    "open": _open,
    "os.listdir": _listing,
    "os.scandir": _listing,
    "os.chdir": _named(False),
    "os.getxattr": _named(False),
    "os.listxattr": _named(False),
    "os.rename": _named(True, 2),
    "os.link": _named(True, 2),
    "os.symlink": _named(True, 2),
    **{
        f"os.{name}": _named(True)
        for name in ("mkdir", "rmdir", "remove", "truncate", "chmod", "chown", "utime", "setxattr", "removexattr", "chflags")
    },
    "socket.__new__": _refused("socket"),
    "socket.connect": _refused("socket"),
    "socket.bind": _refused("socket"),
    "socket.sendto": _refused("socket"),
    "socket.sendmsg": _refused("socket"),
    "socket.getnameinfo": _refused("socket"),
    "socket.sethostname": _refused("socket"),
    "socket.getaddrinfo": _refused("socket"),
    "socket.gethostbyname": _refused("socket"),
    "socket.gethostbyaddr": _refused("socket"),
    "subprocess.Popen": _refused("subprocess"),
    **{f"os.{name}": _refused("subprocess") for name in ("system", "exec", "fork", "forkpty", "posix_spawn", "spawn")},
    "pty.spawn": _refused("subprocess"),
    "os.kill": _refused("subprocess"),
    "os.killpg": _refused("subprocess"),
    "signal.pthread_kill": _refused("subprocess"),
    "_thread.start_new_thread": _refused("thread"),
    "_thread.start_joinable_thread": _refused("thread"),
    "ctypes.dlopen": _library,
    "sqlite3.connect": _database,
    "sqlite3.load_extension": _extension,
    "ctypes.dlsym": native_doors.looked_up,
    "syslog.openlog": native_doors.logged,
    "syslog.syslog": native_doors.logged,
    "mmap.__new__": _mapping,
}


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if running[0] is None:
        return
    handler = _HANDLERS.get(event)
    if handler is None or not _active[0] or not on_simulation_thread():
        return
    location = running[0].location
    if location is not None:
        handler(location, event, args, sys._getframe(1))


def install(interposition: Interposition) -> None:
    """Hook in, once per process; switch the hook off again when the installation ends."""
    if not _hooked[0]:
        sys.addaudithook(_hook)
        _hooked[0] = True
    _active[0] = True
    interposition.on_undo(lambda: _active.__setitem__(0, False))

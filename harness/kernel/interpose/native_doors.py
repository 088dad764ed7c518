"""Ways to files that lead through C and that Python still sees: functions looked up with ``ctypes``, SQL that opens a file,
``syslog``. What native code does by itself nothing in Python tells: processes without rights hold that (``--isolate``).
"""

from __future__ import annotations

import errno
import functools
import os
from typing import TYPE_CHECKING, Any

from storcert.harness.kernel.interpose import blame
from storcert.harness.kernel.interpose.namespace import failure

if TYPE_CHECKING:
    from types import FrameType

    from storcert.harness.kernel.location import Location

_FILE_SYSTEM = "file-system"
_PLAIN = (
    "open", "openat", "creat", "fopen", "freopen", "opendir", "scandir", "stat", "lstat", "fstatat", "statx",
    "access", "mkdir", "mkdirat", "mkdtemp", "mkstemp", "tmpfile", "mkfifo", "mknod", "rename", "renameat",
    "renameat2", "link", "linkat", "symlink", "unlink", "unlinkat", "rmdir", "remove", "truncate", "chmod", "chown",
    "chdir", "chroot", "mount", "umount", "umount2", "readlink", "realpath", "statfs", "statvfs", "ftw", "nftw",
    "glob", "syscall", "system", "popen", "dlopen",
)  # fmt: skip
#: Functions of the C library that take a path, or can take one.
FUNCTIONS = frozenset({*_PLAIN, *(f"{name}64" for name in _PLAIN), *(f"__{name}" for name in _PLAIN)})
_SQLITE_ATTACH, _SQLITE_OK, _SQLITE_DENY = 24, 0, 1


def looked_up(location: Location, event: str, args: tuple[Any, ...], frame: FrameType) -> None:
    """``library.open`` of ``ctypes``: what is looked up is about to be called, and then nobody sees with what."""
    if len(args) < 2:
        return
    name = args[1]
    name = name.decode("ascii", "replace") if isinstance(name, bytes) else name
    library = os.path.basename(str(getattr(args[0], "_name", None) or "libc."))
    if not library.startswith(("libc.", "libc-")):
        return  # a vendor's library may well have an ``open`` of its own
    if name in FUNCTIONS and blame.report(location, _FILE_SYSTEM, f"{name}() of the C library, through ctypes", frame):
        raise failure(errno.EROFS)


def logged(location: Location, event: str, args: tuple[Any, ...], frame: FrameType) -> None:
    """``syslog`` writes to a device node of the machine."""
    if blame.report(location, _FILE_SYSTEM, f"{event}() writes to the log of the machine", frame):
        raise failure(errno.EROFS)


def hold_database(location: Location, connection: Any) -> None:
    """A database in memory stays there: SQL that attaches a file is found and refused."""
    connection.set_authorizer(functools.partial(_authorised, location))


def _authorised(location: Location, action: int, name: str | None, *details: Any) -> int:
    if action != _SQLITE_ATTACH or name in ("", ":memory:"):
        return _SQLITE_OK
    found = blame.report(location, _FILE_SYSTEM, f"SQL that attaches a database file, {name!r}")
    return _SQLITE_DENY if found else _SQLITE_OK

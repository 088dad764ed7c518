"""What native code tried: the kernel asks a helper process before each system call of this one that opens or changes a path.

Landlock refuses without a word. So that a driver that gets along with the refusal is told all the same, a seccomp filter with a
user notification (Linux 5.5) stops those calls; the helper, forked before anything was given up, reads the path, lets the call
go on where it is allowed, and refuses it and writes it down where it is not. Landlock stays behind it and decides for itself,
so that a path that is changed between look and call gains nothing. Looks (``stat``, ``access``) are not stopped: imports look
everywhere.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import platform
import select
import socket
import struct
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from typing import NoReturn

_SECCOMP = {"x86_64": 317, "aarch64": 277}
_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_SET_MODE_FILTER, _GET_ACTION_AVAILABLE, _NEW_LISTENER = 1, 2, 8
_ALLOW, _USER_NOTIFICATION = 0x7FFF0000, 0x7FC00000
_CONTINUE = 1
_RECEIVE, _SEND = 0xC0502100, 0xC0182101
_NOTIFICATION, _RESPONSE = struct.Struct("=QIIiIQ6Q"), struct.Struct("=QqiI")
_AT_FDCWD = -100
_PR_SET_NO_NEW_PRIVS, _PR_SET_PTRACER = 38, 0x59616D61
_PATH_BYTES_MAX = 4096

#: Name: (number on x86_64, number on aarch64, which arguments are a path, and before which of them stands its folder).
_CALLS: dict[str, tuple[int | None, int | None, tuple[int, ...], bool]] = {
    "open": (2, None, (0,), False), "creat": (85, None, (0,), False), "openat": (257, 56, (1,), True),
    "openat2": (437, 437, (1,), True), "mkdir": (83, None, (0,), False), "mkdirat": (258, 34, (1,), True),
    "rmdir": (84, None, (0,), False), "unlink": (87, None, (0,), False), "unlinkat": (263, 35, (1,), True),
    "rename": (82, None, (0, 1), False), "renameat": (264, 38, (1, 3), True), "renameat2": (316, 276, (1, 3), True),
    "link": (86, None, (0, 1), False), "linkat": (265, 37, (1, 3), True), "symlink": (88, None, (1,), False),
    "symlinkat": (266, 36, (2,), True), "truncate": (76, 45, (0,), False), "mknod": (133, None, (0,), False),
    "mknodat": (259, 33, (1,), True), "chmod": (90, None, (0,), False), "fchmodat": (268, 53, (1,), True),
    "chown": (92, None, (0,), False), "fchownat": (260, 54, (1,), True), "utimensat": (280, 88, (1,), True),
    "execve": (59, 221, (0,), False), "mount": (165, 40, (1,), False), "umount2": (166, 39, (0,), False),
}  # fmt: skip
_OPENING = {"open": 1, "openat": 2}


class Watch:
    """The helper's end of the line. ``told`` gives what it wrote down since it was asked last."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line

    def told(self) -> list[str]:
        """What was tried and refused, oldest first, each thing once."""
        found: list[str] = []
        while True:
            try:
                found.append(self._line.recv(2 * _PATH_BYTES_MAX).decode("utf-8", "backslashreplace"))
            except OSError:
                return list(dict.fromkeys(found))


def available() -> bool:
    """Whether this kernel, and the container around this process, have such filters, and let one more be installed."""
    if sys.platform != "linux" or platform.machine() not in _SECCOMP:
        return False
    return _tried()


@cache
def _tried() -> bool:
    """Whether a process of its own could install the filter: another listener around it may forbid that."""
    action = ctypes.c_uint32(_USER_NOTIFICATION)
    if _seccomp(_GET_ACTION_AVAILABLE, 0, ctypes.byref(action)):
        return False
    child = os.fork()
    if child == 0:
        code = 1
        try:
            ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            _listener()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def start(readable: Sequence[str], writable: Sequence[str], quiet: Iterable[str]) -> Watch:
    """Watch this process from now on. Below ``quiet`` reading is refused as elsewhere, and not written down.

    Call it while this process has one thread, and before it gives up its rights. Raises ``OSError``.
    """
    mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    helper = os.fork()
    if helper == 0:
        mine.close()
        _serve(its, _Policy(readable, writable, quiet))
    its.close()
    library = ctypes.CDLL(None, use_errno=True)
    library.prctl(_PR_SET_PTRACER, helper, 0, 0, 0)
    if library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no_new_privs")
    listener = _listener()
    socket.send_fds(mine, [b"listener"], [listener])
    os.close(listener)
    mine.setblocking(False)
    return Watch(mine)


def _seccomp(operation: int, flags: int, argument: object) -> int:
    library = ctypes.CDLL(None, use_errno=True)
    number = ctypes.c_long(_SECCOMP[platform.machine()])
    return int(library.syscall(number, ctypes.c_uint(operation), ctypes.c_uint(flags), argument))


class _Filter(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("filter", ctypes.POINTER(_Filter)))


def _numbers() -> dict[int, str]:
    column = 0 if platform.machine() == "x86_64" else 1
    return {number: name for name, call in _CALLS.items() if (number := (call[0], call[1])[column]) is not None}


def _listener() -> int:
    """Install the filter: calls of the table are asked about, all others go on."""
    numbers = sorted(_numbers())
    load, equal, give = 0x20, 0x15, 0x06
    lines = [(load, 0, 0, 4), (equal, 0, len(numbers) + 1, _ARCHITECTURE[platform.machine()]), (load, 0, 0, 0)]
    lines += [(equal, len(numbers) - at, 0, number) for at, number in enumerate(numbers)]
    lines += [(give, 0, 0, _ALLOW), (give, 0, 0, _USER_NOTIFICATION)]
    program = _Program(len(lines), (_Filter * len(lines))(*(_Filter(*line) for line in lines)))
    listener = _seccomp(_SET_MODE_FILTER, _NEW_LISTENER, ctypes.byref(program))
    if listener < 0:
        raise OSError(ctypes.get_errno(), "seccomp filter")
    return listener


class _Policy:
    """Which paths may be read, and changed."""

    def __init__(self, readable: Iterable[str], writable: Iterable[str], quiet: Iterable[str]) -> None:
        self._readable, self._writable, self._quiet = (_prefixes(paths) for paths in (readable, writable, quiet))

    def allows(self, path: str, writes: bool) -> bool:
        """Whether the kernel may go on."""
        return _below(path, self._writable) or (not writes and _below(path, self._readable))

    def is_quiet(self, path: str, writes: bool) -> bool:
        """Whether a refusal is nobody's doing."""
        return not writes and _below(path, self._quiet)


def _prefixes(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({os.path.join(form, "") for path in paths for form in (path, os.path.realpath(path)) if path}))


def _below(path: str, prefixes: tuple[str, ...]) -> bool:
    # What counts is where a link leads. Below /proc it leads elsewhere for the helper than for whom it watches.
    real = path if path.startswith("/proc/") else os.path.realpath(path)
    return os.path.join(real, "").startswith(prefixes)


def _serve(line: socket.socket, policy: _Policy) -> NoReturn:
    """The helper: answer until the watched process is gone."""
    code = 0
    try:
        _, descriptors, _, _ = socket.recv_fds(line, 64, 1)
        _close_all_but(line.fileno(), descriptors[0])
        line.setblocking(False)
        waiting = select.poll()
        waiting.register(descriptors[0], select.POLLIN)
        while all(not event & (select.POLLHUP | select.POLLERR) for _, event in waiting.poll()):
            _answer(descriptors[0], line, policy)
    except (OSError, IndexError):
        code = 1
    finally:
        os._exit(code)


def _close_all_but(*kept: int) -> None:
    """Pipes of the watched process must end with it, not with its helper."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) not in kept:
            try:
                os.close(int(name))
            except OSError:
                pass  # the one that listed them


def _answer(listener: int, line: socket.socket, policy: _Policy) -> None:
    question = bytearray(_NOTIFICATION.size)
    try:
        fcntl.ioctl(listener, _RECEIVE, question)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.EINTR):
            return  # it was killed meanwhile
        raise
    identity, pid, _, number, _, _, *arguments = _NOTIFICATION.unpack(question)
    refused = _judge(pid, _numbers().get(number, ""), arguments, line, policy)
    answer = _RESPONSE.pack(identity, 0, -errno.EACCES if refused else 0, 0 if refused else _CONTINUE)
    try:
        fcntl.ioctl(listener, _SEND, bytearray(answer))
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise


def _judge(pid: int, name: str, arguments: list[int], line: socket.socket, policy: _Policy) -> bool:
    """Whether to refuse; writes down what is refused."""
    if name not in _CALLS:
        return False
    flags = arguments[_OPENING[name]] if name in _OPENING else os.O_RDONLY if name in ("openat2", "execve") else os.O_RDWR
    writes = bool(flags & (os.O_ACCMODE | os.O_CREAT | os.O_TRUNC))
    paths = _paths(pid, name, arguments)
    if paths is None or all(policy.allows(path, writes) for path in paths):
        return False  # what cannot be read is left to Landlock
    if not all(policy.allows(path, writes) or policy.is_quiet(path, writes) for path in paths):
        said = f"{name}({', '.join(repr(path) for path in paths)})" + (" for writing" if writes and name in _OPENING else "")
        try:
            line.send(said.encode("utf-8", "surrogateescape"))
        except OSError:
            pass  # nobody asked for a long time: what was written down first is enough
    return True


def _paths(pid: int, name: str, arguments: list[int]) -> list[str] | None:
    found = []
    for at in _CALLS[name][2]:
        text = _text(pid, arguments[at])
        if text is None:
            return None
        folder = _signed(arguments[at - 1]) if _CALLS[name][3] else _AT_FDCWD
        if not text.startswith("/"):
            link = f"/proc/{pid}/cwd" if folder == _AT_FDCWD else f"/proc/{pid}/fd/{folder}"
            try:
                text = os.path.join(os.readlink(link), text)
            except OSError:
                return None
        found.append(os.path.normpath(text))
    return found


def _signed(value: int) -> int:
    value &= 0xFFFFFFFF
    return value - (1 << 32) if value & 0x80000000 else value


def _text(pid: int, address: int) -> str | None:
    try:
        with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            memory.seek(address)
            # Up to the end of the page, and on: what lies behind the text may not be there to be read.
            read = memory.read(4096 - address % 4096)
            if b"\0" not in read:
                read += memory.read(_PATH_BYTES_MAX)
    except (OSError, ValueError, OverflowError):
        return None
    return os.fsdecode(read.partition(b"\0")[0])

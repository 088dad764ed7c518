"""Landlock, as far as the kit needs it: this process gives up every right to the file system but those named here, for ever.

Linux 5.13 and later, by three system calls, which have no function in the C library. What Landlock holds: opening (to read, to
write, to list), creating, removing, renaming, linking, truncating, executing. What it does not: looks that open nothing
(``stat``, ``access``, ``readlink``), changing owner, mode and times, and descriptors that were open before.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import stat
import sys
from collections.abc import Iterable

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_CREATE_RULESET_VERSION = 1
_RULE_PATH_BENEATH = 1
_PR_SET_NO_NEW_PRIVS = 38
#: On these machines every system call since 2019 has the same number.
_MACHINES = frozenset(
    {"x86_64", "aarch64", "arm64", "armv7l", "armv8l", "i386", "i686", "ppc64le", "ppc64", "s390x", "riscv64"}
)

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
TRUNCATE, IOCTL_DEV = 1 << 14, 1 << 15
_RIGHTS_BY_ABI = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV


class LandlockMissing(Exception):
    """This machine has no Landlock, or a container forbids it; the text says which."""


class _RulesetAttribute(ctypes.Structure):
    _fields_ = (("handled_access_fs", ctypes.c_uint64),)


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def abi() -> int:
    """The version of Landlock that the running kernel offers. Raises :class:`LandlockMissing`."""
    if sys.platform != "linux":
        raise LandlockMissing(f"Landlock is a part of Linux, and this is {sys.platform}")
    if platform.machine() not in _MACHINES:
        raise LandlockMissing(f"nobody has tried Landlock on {platform.machine()}")
    found, error = _call(_CREATE_RULESET, None, 0, _CREATE_RULESET_VERSION)
    if found > 0:
        return found
    reasons = {
        errno.ENOSYS: "this kernel has no Landlock: Linux 5.13 or later is needed, built with it",
        errno.EOPNOTSUPP: "Landlock is in this kernel and switched off: add landlock to its lsm= parameter",
        errno.EPERM: "a container or sandbox around this process forbids the system calls of Landlock",
        errno.EACCES: "a container or sandbox around this process forbids the system calls of Landlock",
    }
    raise LandlockMissing(reasons.get(error, f"the kernel answers {os.strerror(error)}"))


def handled_rights(version: int) -> int:
    """Every right that a kernel of this version can take away."""
    return (1 << _RIGHTS_BY_ABI[min(version, max(_RIGHTS_BY_ABI))]) - 1


def restrict(readable: Iterable[str], writable: Iterable[str] = (), executable: Iterable[str] = ()) -> None:
    """Give up everything but reading below ``readable``, everything below ``writable``, and running programs below
    ``executable``. For this thread and all it starts, and for ever. What does not exist is passed over.

    Raises :class:`LandlockMissing`; nothing was given up then.
    """
    handled = handled_rights(abi())
    ruleset = _checked(_CREATE_RULESET, ctypes.byref(_RulesetAttribute(handled)), ctypes.sizeof(_RulesetAttribute), 0)
    try:
        for paths, rights in (
            (readable, READ_FILE | READ_DIR),
            (writable, handled & ~EXECUTE),
            (executable, READ_FILE | READ_DIR | EXECUTE),
        ):
            for path in paths:
                _allow(ruleset, path, rights & handled)
        _no_new_privileges()
        _checked(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= _OF_FILES
        rule = _PathBeneath(rights, descriptor)
        _checked(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(descriptor)


def _no_new_privileges() -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise LandlockMissing(f"prctl: {os.strerror(ctypes.get_errno())}")


def _checked(number: int, *arguments: object) -> int:
    found, error = _call(number, *arguments)
    if found < 0:
        raise LandlockMissing(f"the kernel answers {os.strerror(error)}")
    return found


def _call(number: int, *arguments: object) -> tuple[int, int]:
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    ctypes.set_errno(0)
    words = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    found = int(library.syscall(ctypes.c_long(number), *words))
    return found, ctypes.get_errno()

"""The exceptions of the ``rbd`` module, version 16.2: classes, tree, texts, and which error number becomes which."""

from __future__ import annotations

import errno as _errno
from typing import Any


class Error(Exception):
    """Everything the binding raises of its own."""


class OSError(Error):
    """``.errno`` is a number, or ``None`` where the binding itself complains."""

    def __init__(self, message: object, errno: int | None = None) -> None:
        super().__init__(message)
        self.errno = errno

    def __str__(self) -> str:
        text = super().__str__()
        return text if self.errno is None else f"[errno {self.errno}] {text}"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.args[0], self.errno))


def _rebuild(cls: type[OSError], message: object, errno: int | None) -> OSError:
    made = cls.__new__(cls, message)
    made.args, made.errno = (message,), errno
    return made


for _cls in (Error, OSError):
    _cls.__module__ = "rbd"


def _named(name: str, text: str) -> type[OSError]:
    def __init__(self: OSError, message: object, errno: int | None = None) -> None:
        OSError.__init__(self, f"{text} ({message})", errno)

    return type(name, (OSError,), {"__init__": __init__, "__module__": "rbd", "__doc__": text})


PermissionError = _named("PermissionError", "RBD permission error")
ImageNotFound = _named("ImageNotFound", "RBD image not found")
ObjectNotFound = _named("ObjectNotFound", "RBD object not found")
IOError = _named("IOError", "RBD I/O error")
NoSpace = _named("NoSpace", "RBD insufficient space available")
ImageExists = _named("ImageExists", "RBD image already exists")
ObjectExists = _named("ObjectExists", "RBD object already exists")
InvalidArgument = _named("InvalidArgument", "RBD invalid argument")
ReadOnlyImage = _named("ReadOnlyImage", "RBD read-only image")
ImageBusy = _named("ImageBusy", "RBD image is busy")
ImageHasSnapshots = _named("ImageHasSnapshots", "RBD image has snapshots")
FunctionNotSupported = _named("FunctionNotSupported", "RBD function not supported")
ArgumentOutOfRange = _named("ArgumentOutOfRange", "RBD arguments out of range")
ConnectionShutdown = _named("ConnectionShutdown", "RBD connection was shutdown")
Timeout = _named("Timeout", "RBD operation timeout")
DiskQuotaExceeded = _named("DiskQuotaExceeded", "RBD disk quota exceeded")
OperationNotSupported = _named("OperationNotSupported", "RBD operation not supported")
OperationCanceled = _named("OperationCanceled", "RBD operation canceled")
IncompleteWriteError = _named("IncompleteWriteError", "RBD incomplete write")
LogicError = _named("LogicError", "RBD logic error")

BY_NUMBER: dict[int, type[OSError]] = {
    _errno.EPERM: PermissionError, _errno.ENOENT: ImageNotFound, _errno.EIO: IOError, _errno.ENOSPC: NoSpace,
    _errno.EEXIST: ImageExists, _errno.EINVAL: InvalidArgument, _errno.EROFS: ReadOnlyImage, _errno.EBUSY: ImageBusy,
    _errno.ENOTEMPTY: ImageHasSnapshots, _errno.ENOSYS: FunctionNotSupported, _errno.EDOM: ArgumentOutOfRange,
    _errno.ESHUTDOWN: ConnectionShutdown, _errno.ETIMEDOUT: Timeout, _errno.EDQUOT: DiskQuotaExceeded,
    _errno.EOPNOTSUPP: OperationNotSupported, _errno.ECANCELED: OperationCanceled,
}


def make_ex(number: int, message: str) -> OSError:
    """The exception of an error number."""
    cls = BY_NUMBER.get(number)
    return OSError(message, errno=number) if cls is None else cls(message, number)

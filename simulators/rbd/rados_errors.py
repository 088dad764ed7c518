"""The exceptions of the ``rados`` module, version 16.2: classes, tree, texts, and which error number becomes which."""

from __future__ import annotations

import errno as _errno
from typing import Any


class Error(Exception):
    """``.errno`` is a number, or ``None`` where the binding itself complains."""

    def __init__(self, message: object, errno: int | None = None) -> None:
        super().__init__(message)
        self.errno = errno

    def __str__(self) -> str:
        text = super().__str__()
        return text if self.errno is None else f"[errno {self.errno}] {text}"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.args[0], self.errno))


def _rebuild(cls: type[Error], message: object, errno: int | None) -> Error:
    made = cls.__new__(cls, message)
    made.args, made.errno = (message,), errno
    return made


class InvalidArgumentError(Error):
    def __init__(self, message: object, errno: int | None = None) -> None:
        super().__init__(f"RADOS invalid argument ({message})", errno)


class ExtendMismatch(Error):
    def __init__(self, message: object, errno: int | None, offset: int) -> None:
        super().__init__(f"object content does not match ({message})", errno)
        self.offset = offset


class OSError(Error):
    pass


def _named(name: str, text: str, base: type[Error] = OSError) -> type[Error]:
    def __init__(self: Error, message: object, errno: int | None = None) -> None:
        base.__init__(self, f"{text} ({message})", errno)

    return type(name, (base,), {"__init__": __init__, "__module__": "rados", "__doc__": text})


InterruptedOrTimeoutError = _named("InterruptedOrTimeoutError", "RADOS interrupted or timeout")
PermissionError = _named("PermissionError", "RADOS permission error")
PermissionDeniedError = _named("PermissionDeniedError", "RADOS permission denied")
ObjectNotFound = _named("ObjectNotFound", "RADOS object not found")
NoData = _named("NoData", "RADOS no data")
ObjectExists = _named("ObjectExists", "RADOS object exists")
ObjectBusy = _named("ObjectBusy", "RADOS object busy")
IOError = _named("IOError", "RADOS I/O error")
NoSpace = _named("NoSpace", "RADOS no space")
NotConnected = _named("NotConnected", "RADOS not connected")
InProgress = _named("InProgress", "RADOS in progress error", Error)
IsConnected = _named("IsConnected", "RADOS is connected error", Error)
ConnectionShutdown = _named("ConnectionShutdown", "RADOS connection was shutdown")
TimedOut = _named("TimedOut", "RADOS timed out")
RadosStateError = _named("RadosStateError", "RADOS rados state", Error)
IoctxStateError = _named("IoctxStateError", "RADOS Ioctx state error", Error)
ObjectStateError = _named("ObjectStateError", "RADOS object state error", Error)
LogicError = _named("LogicError", "RADOS logic error", Error)

BY_NUMBER: dict[int, type[Error]] = {
    _errno.EPERM: PermissionError, _errno.ENOENT: ObjectNotFound, _errno.EIO: IOError, _errno.ENOSPC: NoSpace,
    _errno.EEXIST: ObjectExists, _errno.EBUSY: ObjectBusy, _errno.ENODATA: NoData,
    _errno.EINTR: InterruptedOrTimeoutError, _errno.ETIMEDOUT: TimedOut, _errno.EACCES: PermissionDeniedError,
    _errno.EINPROGRESS: InProgress, _errno.EISCONN: IsConnected, _errno.EINVAL: InvalidArgumentError,
    _errno.ENOTCONN: NotConnected, _errno.ESHUTDOWN: ConnectionShutdown,
}
for _cls in (Error, InvalidArgumentError, ExtendMismatch, OSError):
    _cls.__module__ = "rados"


def make_ex(number: int, message: str) -> Error:
    """The exception of an error number."""
    cls = BY_NUMBER.get(number)
    if cls is not None:
        return cls(message, number)
    return OSError(message, number)

"""Calls on descriptors of the fence: ``os.read`` and its relatives over a :class:`~.namespace.Namespace`.

Positions live in the open file description; the mounted file system only sees offsets.
"""

from __future__ import annotations

import errno
import fcntl
import os
from typing import Any

from storcert.harness.kernel.interpose.namespace import FIRST_DESCRIPTOR, Description, Namespace, failure


def is_ours(value: Any) -> bool:
    """Whether ``value`` is a descriptor of the fence."""
    return isinstance(value, int) and value >= FIRST_DESCRIPTOR


def _for_reading(namespace: Namespace, descriptor: int) -> Description:
    description = namespace.description(descriptor)
    if description.flags & os.O_ACCMODE == os.O_WRONLY:
        raise failure(errno.EBADF)
    return description


def _for_writing(namespace: Namespace, descriptor: int) -> Description:
    description = namespace.description(descriptor)
    if description.flags & os.O_ACCMODE == os.O_RDONLY:
        raise failure(errno.EBADF)
    return description


def read(namespace: Namespace, descriptor: int, size: int, /) -> bytes:
    description = _for_reading(namespace, descriptor)
    data = description.filesystem.pread(description.handle, size, description.position)
    description.position += len(data)
    return data


def write(namespace: Namespace, descriptor: int, data: Any, /) -> int:
    description = _for_writing(namespace, descriptor)
    content = bytes(data)
    if description.flags & os.O_APPEND:
        taken = description.filesystem.pwrite(description.handle, content, -1)
        description.position = description.filesystem.size(description.handle)
        return taken
    taken = description.filesystem.pwrite(description.handle, content, description.position)
    description.position += taken
    return taken


def pread(namespace: Namespace, descriptor: int, size: int, offset: int, /) -> bytes:
    description = _for_reading(namespace, descriptor)
    return description.filesystem.pread(description.handle, size, offset)


def pwrite(namespace: Namespace, descriptor: int, data: Any, offset: int, /) -> int:
    description = _for_writing(namespace, descriptor)
    return description.filesystem.pwrite(description.handle, bytes(data), offset)


def readv(namespace: Namespace, descriptor: int, buffers: Any, /) -> int:
    total = 0
    for buffer in buffers:
        view = memoryview(buffer).cast("B")
        data = read(namespace, descriptor, len(view))
        view[: len(data)] = data
        total += len(data)
        if len(data) < len(view):
            break
    return total


def writev(namespace: Namespace, descriptor: int, buffers: Any, /) -> int:
    return write(namespace, descriptor, b"".join(bytes(buffer) for buffer in buffers))


def lseek(namespace: Namespace, descriptor: int, offset: int, whence: int, /) -> int:
    description = namespace.description(descriptor)
    if whence == os.SEEK_CUR:
        offset += description.position
    elif whence == os.SEEK_END:
        offset += description.filesystem.size(description.handle)
    elif whence != os.SEEK_SET:
        raise failure(errno.EINVAL)
    if offset < 0:
        raise failure(errno.EINVAL)
    description.position = offset
    return offset


def ftruncate(namespace: Namespace, descriptor: int, length: int, /) -> None:
    description = _for_writing(namespace, descriptor)
    if length < 0:
        raise failure(errno.EINVAL)
    description.filesystem.ftruncate(description.handle, length)


def fsync(namespace: Namespace, descriptor: int, /) -> None:
    description = namespace.description(descriptor)
    description.filesystem.fsync(description.handle)


def fstat(namespace: Namespace, descriptor: int, /) -> os.stat_result:
    description = namespace.description(descriptor)
    return description.filesystem.fstat(description.handle)


def control(namespace: Namespace, descriptor: int, name: str, command: int = 0, *_: Any) -> Any:
    """``fcntl`` of flags says what there is and takes what it is told; ``ioctl`` is for devices; all the rest is locks."""
    description = namespace.description(descriptor)
    if name == "ioctl":
        raise failure(errno.ENOTTY)
    if name == "fcntl" and command == fcntl.F_GETFL:
        return description.flags & ~os.O_CLOEXEC
    if name == "fcntl" and command in (fcntl.F_GETFD, fcntl.F_SETFD, fcntl.F_SETFL):
        return fcntl.FD_CLOEXEC if command == fcntl.F_GETFD else 0
    return description.filesystem.lock(description.handle)


def posix_fallocate(namespace: Namespace, descriptor: int, offset: int, length: int, /) -> None:
    description = _for_writing(namespace, descriptor)
    if offset + length > description.filesystem.size(description.handle):
        description.filesystem.ftruncate(description.handle, offset + length)


def not_supported(namespace: Namespace, *_: Any) -> Any:
    """Fast paths between descriptors: callers fall back to reading and writing, as they do on such file systems."""
    raise failure(errno.ENOTSOCK)


def nothing(namespace: Namespace, *_: Any) -> None:
    """Advice, and flags that mean nothing here."""


def false(namespace: Namespace, *_: Any) -> bool:
    return False


CALLS: dict[str, Any] = {
    "read": read, "write": write, "pread": pread, "pwrite": pwrite, "readv": readv, "writev": writev, "lseek": lseek,
    "ftruncate": ftruncate, "fsync": fsync, "fdatasync": fsync, "fstat": fstat, "posix_fallocate": posix_fallocate,
    "posix_fadvise": nothing, "sendfile": not_supported, "copy_file_range": not_supported, "splice": not_supported,
    "isatty": false, "get_inheritable": false, "set_inheritable": nothing, "get_blocking": lambda namespace, *_: True,
    "set_blocking": nothing, "close": Namespace.close, "dup": Namespace.duplicate,
}

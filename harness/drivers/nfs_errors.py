"""What an ``errno`` means for the contract. No file is touched here.

On a network file system three things can be wrong about an error number. A *deferred* one belongs to an earlier write and
comes at ``fsync`` or ``close``, once. An *ambiguous* one (``EIO`` and ``ETIMEDOUT`` of a soft mount, anything unknown) says
nothing about the effect. And a *definite* one may come from a repetition: the first request was done, its answer was lost,
and the second finds the name taken or gone. So names are looked at again after every failed change; see ``nfs_publish``.
"""

from __future__ import annotations

import errno
import os

from storcert.harness.contract import (
    CapacityExceeded,
    DataObjectUri,
    DeviceUnavailable,
    InvalidRequest,
    ObjectInUse,
    Outcome,
    PermissionDenied,
    StorageError,
)

_CLASSES: dict[int, type[StorageError]] = {
    code: error
    for error, codes in {
        CapacityExceeded: (errno.ENOSPC, errno.EDQUOT, errno.EFBIG),
        PermissionDenied: (errno.EACCES, errno.EPERM, errno.EROFS),
        InvalidRequest: (errno.ENAMETOOLONG, errno.EILSEQ),
        ObjectInUse: (errno.EBUSY, errno.ETXTBSY),
    }.items()
    for code in codes
}
# Answers that a server or the kernel gives instead of doing anything.
_DEFINITE = frozenset(
    (
        *_CLASSES, errno.ENOENT, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENOTEMPTY, errno.EINVAL, errno.ESTALE,
        errno.EXDEV, errno.EMLINK, errno.ELOOP, errno.ENOSYS, errno.EOPNOTSUPP, errno.EMFILE, errno.ENFILE, errno.ENODEV,
    )
)


def is_ambiguous(error: OSError) -> bool:
    """Whether what was asked for may have been done, or may still be done."""
    return error.errno not in _DEFINITE


def typed(
    error: OSError, uri: DataObjectUri | None, doing: str, outcome: Outcome = Outcome.NOT_DONE
) -> StorageError:
    """The contract's error for a failed call. Its text names no path: those are the driver's own affair."""
    code = error.errno or 0
    said = error.strerror or os.strerror(code)
    message = f"{doing}: {said} ({errno.errorcode.get(code, code)})"
    return _CLASSES.get(code, DeviceUnavailable)(message, uri, outcome)

"""What an answer of librados or librbd means for the contract: every failure becomes one ``RequestFailed``.

The one question a driver must not get wrong is whether a failed call may have had, or may still have, an effect:

=============  =====================================================  =================================
trouble        seen as                                                effect
=============  =====================================================  =================================
``UNREACHED``  no monitor within the mount timeout                    none
``SILENT``     ETIMEDOUT of a call                                    perhaps already, perhaps later
``CUT_OFF``    ESHUTDOWN: this client is blocklisted                  perhaps: of the steps before
``ODD``        EIO, a short write, any number not known here          perhaps: of the steps before
=============  =====================================================  =================================

A call of librbd is many requests, so even a definite refusal by one of them leaves those before it done. Whoever makes or
removes an image therefore notes it in the directory first (``rbd_directory``). All other troubles are definite answers of
calls that then change nothing. No request is made here.
"""

from __future__ import annotations

import errno
from enum import Enum

from storcert.harness.contract import (
    CapacityExceeded,
    DataObjectUri,
    DeviceUnavailable,
    InvalidRequest,
    ObjectExists,
    ObjectInUse,
    ObjectNotFound,
    Outcome,
    PermissionDenied,
    StorageError,
)


class Trouble(Enum):
    """What went wrong with one call of the client library."""

    UNREACHED = "not reached"
    SILENT = "no answer in time"
    CUT_OFF = "this client is shut out"
    ODD = "unexpected answer"
    NOT_FOUND = "not found"
    NO_POOL = "no such pool"
    TAKEN = "exists already"
    BUSY = "in use"
    NEEDED = "has snapshots"
    GUARDED = "changed meanwhile"
    DENIED = "not permitted"
    FULL = "no room"
    INVALID = "not a legal request"


AMBIGUOUS = frozenset({Trouble.SILENT, Trouble.CUT_OFF, Trouble.ODD})

_BY_ERRNO = {
    errno.ENOENT: Trouble.NOT_FOUND,
    errno.EEXIST: Trouble.TAKEN,
    errno.EBUSY: Trouble.BUSY,
    errno.EROFS: Trouble.BUSY,  # of a handle opened for writing: somebody holds the exclusive lock and keeps it
    errno.ENOTEMPTY: Trouble.NEEDED,
    errno.ECANCELED: Trouble.GUARDED,
    errno.ETIMEDOUT: Trouble.SILENT,
    errno.ESHUTDOWN: Trouble.CUT_OFF,
    errno.EPERM: Trouble.DENIED,
    errno.EACCES: Trouble.DENIED,
    errno.ENOSPC: Trouble.FULL,
    errno.EDQUOT: Trouble.FULL,
    errno.EFBIG: Trouble.FULL,
    errno.EINVAL: Trouble.INVALID,
    errno.EDOM: Trouble.INVALID,
    errno.ENAMETOOLONG: Trouble.INVALID,
}

_TYPES: dict[Trouble, type[StorageError]] = {
    Trouble.NOT_FOUND: ObjectNotFound,
    Trouble.TAKEN: ObjectExists,
    Trouble.BUSY: ObjectInUse,
    Trouble.NEEDED: ObjectInUse,
    Trouble.DENIED: PermissionDenied,
    Trouble.FULL: CapacityExceeded,
    Trouble.INVALID: InvalidRequest,
}


class RequestFailed(Exception):
    """One call failed for good. Never leaves the driver: :meth:`typed` gives the error of the contract.

    ``lost_by``: the client that may have made the header of an image and not know of it."""

    def __init__(self, trouble: Trouble, text: str) -> None:
        super().__init__(text)
        self.trouble = trouble
        self.text = text
        self.lost_by = ""

    @property
    def ambiguous(self) -> bool:
        """Whether the call may have had its effect, or may still have it."""
        return self.trouble in AMBIGUOUS

    def typed(self, uri: DataObjectUri | None, outcome: Outcome) -> StorageError:
        """The contract's error with that outcome."""
        kind = _TYPES.get(self.trouble, DeviceUnavailable)
        retryable = False if self.trouble is Trouble.ODD else None
        return kind(self.text, uri, outcome, retryable)


def classify(error: Exception) -> RequestFailed:
    """What ``error``, one of the client library's, says about the call that raised it."""
    number = getattr(error, "errno", None)
    trouble = _BY_ERRNO.get(number) if isinstance(number, int) else None
    return RequestFailed(trouble or Trouble.ODD, f"{type(error).__name__}: {error}")

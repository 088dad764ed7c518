"""Drivers that reach for files past Python, by a function of the C library: nothing inside Python sees it."""

from __future__ import annotations

import ctypes
import os
from typing import Any

from storcert.harness.drivers.s3 import S3Driver

SCRATCH = b"/var/tmp/storcert-native-scratch"
_LIBRARY = ctypes.CDLL(None, use_errno=True)
#: Looked up now, outside of any location: what is looked up at one is seen by the fence.
_OPEN, _CLOSE = _LIBRARY.open, _LIBRARY.close


def scratch() -> int:
    """A descriptor of a scratch file, or -1."""
    return int(_OPEN(SCRATCH, os.O_WRONLY | os.O_CREAT, 0o600))


class Telling(S3Driver):
    """A scratch file for each description; where there is none, the error of the C library comes out."""

    def describe(self, uri: Any) -> Any:
        descriptor = scratch()
        if descriptor < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), SCRATCH)
        _CLOSE(descriptor)
        return super().describe(uri)


class Hiding(S3Driver):
    """The same, but it gets along without."""

    def describe(self, uri: Any) -> Any:
        descriptor = scratch()
        if descriptor >= 0:
            _CLOSE(descriptor)
        return super().describe(uri)

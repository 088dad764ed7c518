"""What every bundled driver asks of its arguments. Pure checks: no device, no client library."""

from __future__ import annotations

import operator
from typing import Any

from storcert.harness.contract import DataObjectUri, InvalidRequest


def count_of_bytes(name: str, value: Any, uri: DataObjectUri) -> int:
    """``value`` as a number of bytes, at least 0. Raises ``InvalidRequest``."""
    try:
        number = operator.index(value)
    except TypeError:
        raise InvalidRequest(f"{name} is a whole number of bytes, not {type(value).__name__}", uri) from None
    if number < 0:
        raise InvalidRequest(f"{name} must not be negative", uri)
    return int(number)


def bytes_of(data: bytes | bytearray | memoryview) -> memoryview:
    """The bytes of ``data``, whatever its item size, shape or stride."""
    view = memoryview(data)
    if view.nbytes == 0:
        return memoryview(b"")
    return view.cast("B") if view.c_contiguous else memoryview(view.tobytes())

"""What a Range header means: as RFC 9110 and AWS read it, and as radosgw does. Pure."""

from __future__ import annotations

import re

from storcert.simulators.object_store.dialect import Dialect
from storcert.simulators.object_store.errors import Refusal

_RANGE = re.compile(r"bytes=(\d*)-(\d*)$")
_LEADING_NUMBER = re.compile(r"\s*([+-]?\d+)")


def _unsatisfiable(text: str, size_bytes: int) -> Refusal:
    return Refusal("InvalidRange", details={"RangeRequested": text, "ActualObjectSize": str(size_bytes)})


def parse_range(text: str, size_bytes: int) -> tuple[int, int] | None:
    """``(offset, length)`` of a Range header; ``None`` where S3 ignores it (several ranges, another unit, nonsense)."""
    found = _RANGE.match(text)
    if found is None or text == "bytes=-":
        return None
    first, last = found.group(1), found.group(2)
    if first and last and int(last) < int(first):
        return None
    if first:
        offset = int(first)
        end = min(int(last) + 1, size_bytes) if last else size_bytes
    else:
        offset = max(size_bytes - int(last), 0)
        end = size_bytes
        if int(last) == 0:
            offset = size_bytes
    if offset >= size_bytes:
        raise _unsatisfiable(text, size_bytes)
    return offset, end - offset


def refuse_malformed(dialect: Dialect, text: str, size_bytes: int) -> None:
    """Raise for a Range header that can mean no range of any object, where the dialect looks at that first."""
    if dialect["range_malformed_first"] and text.startswith("bytes=") and _is_malformed(text):
        raise _unsatisfiable(text, size_bytes)


def _is_malformed(text: str) -> bool:
    first_text, dash, last_text = text.removeprefix("bytes=").partition("-")
    last = _number(last_text) if last_text else -1
    return not dash or (last_text != "" and last < 0) or (first_text != "" and 0 <= last < _number(first_text))


def read_range(dialect: Dialect, text: str, size_bytes: int) -> tuple[int, int, int] | None:
    """``(offset, length, status)`` of a read with this Range header; ``None`` where the header is ignored."""
    if dialect["range"] == "as in RFC 9110":
        span = parse_range(text, size_bytes)
        return None if span is None else (*span, 206)
    if size_bytes == 0:
        raise _unsatisfiable(text, size_bytes)
    if not text.startswith("bytes="):
        return 0, size_bytes, 200
    first_text, _, last_text = text.removeprefix("bytes=").partition("-")
    last = _number(last_text) if last_text else -1
    first = _number(first_text) if first_text else -last
    if _is_malformed(text) or first >= size_bytes:
        raise _unsatisfiable(text, size_bytes)
    if not first_text:
        last = -1
    if first < 0:
        first, last = max(first + size_bytes, 0), -1
    end = size_bytes if last < 0 else min(last + 1, size_bytes)
    return first, end - first, 206


def _number(text: str) -> int:
    """As C's atoll: what digits it begins with, otherwise 0."""
    found = _LEADING_NUMBER.match(text)
    return int(found.group(1)) if found else 0

"""Durations, sizes and rates as people write them, and as whole numbers. Exact both ways: what is written is read as it was."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

TIMES_NS: Mapping[str, int] = {
    "ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "min": 60 * 10**9, "h": 3600 * 10**9, "d": 86_400 * 10**9,
}
BYTES: Mapping[str, int] = {
    "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
    "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
}
MAX = 1 << 62
_WRITTEN = ("B", "KiB", "MiB", "GiB", "TiB")
_PART = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)")
_RATE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*/\s*(.+?)\s*\Z")
_DURATION_HINT = 'write a number with one of ns, us, ms, s, min, h, d, as in "250 ms" or "1 h 30 min"'
_SIZE_HINT = 'write a number with one of B, KiB, MiB, GiB, TiB, kB, MB, GB, TB, as in "10 GiB"'
_RATE_HINT = 'write how many in which time, as in "20/s" or "3/min"'


def parse_duration(value: Any) -> int:
    """Nanoseconds: of text with units, or of a whole number, which is nanoseconds already. Raises ``ValueError``."""
    return _parse(value, TIMES_NS, "a duration", _DURATION_HINT)


def parse_size(value: Any) -> int:
    """Bytes: of text with units, or of a whole number, which is bytes already. Raises ``ValueError``."""
    return _parse(value, BYTES, "a size", _SIZE_HINT)


def parse_rate(value: Any) -> int:
    """The nanoseconds between two, of ``"20/s"`` or ``"1/250 ms"``. Raises ``ValueError``."""
    found = _RATE.match(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{value!r} is no rate; {_RATE_HINT}")
    count = Fraction(found[1])
    span = found[2] if found[2][0].isdigit() else f"1 {found[2]}"
    every_ns = parse_duration(span)
    if count <= 0 or every_ns <= 0:
        raise ValueError(f"{value!r} is no rate; {_RATE_HINT}")
    return max(1, round(every_ns / count))


def parse_byte_rate(value: Any) -> int:
    """Bytes in a second, of ``"100 MB/s"``. Raises ``ValueError``."""
    if isinstance(value, str) and value.rstrip().endswith("/s"):
        return parse_size(value.rstrip().removesuffix("/s"))
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError(f'{value!r} is no rate of bytes; write it as in "100 MB/s"')


def duration_text(duration_ns: int) -> str:
    """In the largest unit that says it exactly."""
    unit = next(unit for unit in reversed(list(TIMES_NS)) if duration_ns % TIMES_NS[unit] == 0) if duration_ns else "s"
    return f"{duration_ns // TIMES_NS[unit]} {unit}"


def size_text(size_bytes: int) -> str:
    """In the largest binary unit that says it exactly."""
    unit = next(unit for unit in reversed(_WRITTEN) if size_bytes % BYTES[unit] == 0) if size_bytes else "B"
    return f"{size_bytes // BYTES[unit]} {unit}"


def rate_text(every_ns: int) -> str:
    """As so many a second, minute or hour where that is exact, else as one in so long."""
    for unit in ("s", "min", "h"):
        if TIMES_NS[unit] % every_ns == 0:
            return f"{TIMES_NS[unit] // every_ns}/{unit}"
    return f"1/{duration_text(every_ns)}"


def byte_rate_text(bytes_per_s: int) -> str:
    """As a size in a second, in the decimal units that networks are sold in."""
    unit = next(unit for unit in ("TB", "GB", "MB", "kB", "B") if bytes_per_s % BYTES[unit] == 0) if bytes_per_s else "B"
    return f"{bytes_per_s // BYTES[unit]} {unit}/s"


def _parse(value: Any, units: Mapping[str, int], what: str, hint: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        number = Fraction(value)
    elif isinstance(value, str) and value.strip():
        number, at = Fraction(0), 0
        while at < len(value.rstrip()):
            found = _PART.match(value, at)
            if found is None or found[2] not in units:
                raise ValueError(f"{value!r} is not {what}; {hint}")
            number += Fraction(found[1]) * units[found[2]]
            at = found.end()
    else:
        raise ValueError(f"{value!r} is not {what}; {hint}")
    if number.denominator != 1:
        raise ValueError(f"{value!r} is no whole number of {next(iter(units))}")
    if not 0 <= number <= MAX:
        raise ValueError(f"{value!r}: too large, or less than nothing")
    return int(number)


def _schema(pattern: str, example: str, whole: str = "") -> WithJsonSchema:
    text = {"type": "string", "pattern": pattern, "examples": [example]}
    number = {"type": "integer", "minimum": 0, "description": whole}
    return WithJsonSchema({"anyOf": [text, number]} if whole else text)


_UNITS = "|".join(TIMES_NS)
_SIZES = "|".join(BYTES)
_NUMBER = r"[0-9]+(\.[0-9]+)?"

Duration = Annotated[
    int, BeforeValidator(parse_duration), PlainSerializer(duration_text, return_type=str),
    _schema(rf"^( *{_NUMBER} *({_UNITS}))+ *$", "250 ms", "nanoseconds"),
]
Size = Annotated[
    int, BeforeValidator(parse_size), PlainSerializer(size_text, return_type=str),
    _schema(rf"^( *{_NUMBER} *({_SIZES}))+ *$", "10 GiB", "bytes"),
]
Rate = Annotated[
    int, BeforeValidator(parse_rate), PlainSerializer(rate_text, return_type=str),
    _schema(rf"^ *{_NUMBER} */ *({_NUMBER} *)?({_UNITS}) *$", "20/s"),
]
ByteRate = Annotated[
    int, BeforeValidator(parse_byte_rate), PlainSerializer(byte_rate_text, return_type=str),
    _schema(rf"^ *{_NUMBER} *({_SIZES})/s *$", "100 MB/s", "bytes in a second"),
]

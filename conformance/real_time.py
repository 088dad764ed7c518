"""Real time as a person writes it: ``90``, ``60s``, ``10min``."""

from __future__ import annotations

import re

from storcert.conformance.usage import InvalidUsage
from storcert.scenarios.format.units import parse_duration

_SECOND_NS = 10**9
_PLAIN = re.compile(r"\d+(\.\d+)?")


def seconds_of(option: str, text: str | None) -> float | None:
    """Seconds of real time, more than 0; ``None`` for nothing said. Raises :class:`InvalidUsage`, which names ``option``."""
    if text is None:
        return None
    try:
        value_s = float(text) if _PLAIN.fullmatch(text.strip()) else parse_duration(text) / _SECOND_NS
    except ValueError as error:
        raise InvalidUsage(f"{option} {text}: {error}") from None
    if not value_s > 0:
        raise InvalidUsage(f"{option} {text}: real time, more than 0, as in 60s or 10min")
    return value_s

"""How old something may be, as people write it: ``90d``, ``12h``, ``2w``."""

from __future__ import annotations

import re
from datetime import timedelta

from storcert.conformance.usage import InvalidUsage

_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def parse_age(option: str, text: str | None) -> timedelta | None:
    """``None`` for ``None``. Raises :class:`InvalidUsage`."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,6})([hdw])", text.strip())
    if not found or not int(found[1]):
        raise InvalidUsage(f"{option} {text}: hours, days or weeks, as in 12h, 90d, 2w")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})

"""What an operation of the model gives back, and how times are written. No operation lives here."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from dateutil.tz import tzutc  # type: ignore[import-untyped]

from storcert.simulators.object_store.content import Content

_UTC = tzutc()
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(slots=True)
class Reply:
    """``result`` as botocore would parse it, ``headers`` in lower case, ``body`` the stream of a GET.

    ``entries`` and ``moved_bytes`` are what the service time grows with.
    """

    result: dict[str, Any]
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: Content | None = None
    body_bytes: int = 0
    entries: int = 0
    moved_bytes: int = 0


@lru_cache(maxsize=4096)
def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, _UTC)


@lru_cache(maxsize=4096)
def _http_date(seconds: int) -> str:
    moment = _moment(seconds)
    # strftime would follow the process's locale.
    return (
        f"{_DAYS[moment.weekday()]}, {moment.day:02} {_MONTHS[moment.month - 1]} {moment.year:04} "
        f"{moment.hour:02}:{moment.minute:02}:{moment.second:02} GMT"
    )


def moment(time_ns: int) -> datetime:
    """A time of the model as botocore gives it: whole seconds, UTC."""
    return _moment(time_ns // 1_000_000_000)


def http_date(time_ns: int) -> str:
    """The same as an HTTP header."""
    return _http_date(time_ns // 1_000_000_000)

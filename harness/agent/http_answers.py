"""What an HTTP answer means to somebody who wants the bytes of one file: go on, try again, or a typed error. Nothing
is sent here.

URLs may hold secrets (user and password, signatures in the query); ``shown`` is the only form that reaches a message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from storcert.harness.contract import (
    DeviceUnavailable,
    InvalidRequest,
    ObjectNotFound,
    Outcome,
    PermissionDenied,
    StorageError,
)

AGAIN_STATUSES = frozenset((408, 425, 429, 500, 502, 503, 504))
PAUSE_MAX_S = 60.0
_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)$")
# RFC 9110 section 8.8.2.2: a date is a strong validator only if it lies well before the answer that gives it.
_OLD_ENOUGH_S = 60


class TryAgain(Exception):
    """The answer, or its absence, may be different next time. ``pause_s``: what the server asked for."""

    def __init__(self, what: str, pause_s: float | None = None) -> None:
        super().__init__(what)
        self.pause_s = pause_s


@dataclass(frozen=True, slots=True)
class Span:
    """A Content-Range: first byte, first byte after, whole size; ``None`` where the server does not say."""

    first: int | None
    end: int | None
    size_bytes: int | None


def failure(error: Exception) -> TryAgain | None:
    """What httpx raised for one request, as a reason to try again; ``None`` where trying again is of no use."""
    if isinstance(error, (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError)):
        return None
    if isinstance(error, httpx.ConnectError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return None
    if isinstance(error, httpx.TimeoutException):
        return TryAgain("no answer in time")
    if isinstance(error, httpx.ConnectError):
        return TryAgain("no connection")
    return TryAgain("the connection broke")


def hopeless(error: Exception, name: str, uri: object) -> StorageError:
    """The typed error of what :func:`failure` has no hope for."""
    if isinstance(error, httpx.ConnectError):
        return DeviceUnavailable(f"{name}: the server's certificate cannot be trusted", uri, Outcome.NOT_DONE, False)
    return InvalidRequest(f"{name}: no URL that can be downloaded from", uri)


def refusal(status: int, headers: Mapping[str, str], name: str, uri: object, now_s: float) -> Exception | None:
    """What a status other than 200, 206 and 416 means; ``None`` for those. ``now_s``: what this machine takes for the time; a
    moment that the server names is reckoned from what it takes for the time, where it says so."""
    if status in (200, 206, 416):
        return None
    if status in AGAIN_STATUSES:
        there = _moment(headers["date"]) if "date" in headers else None
        now_s = now_s if there is None else there.timestamp()
        return TryAgain(f"the server answered {status}", retry_after_s(headers.get("retry-after"), now_s))
    if status in (404, 410):
        return ObjectNotFound(f"{name}: the server answered {status}", uri)
    if status in (401, 403, 407, 451):
        return PermissionDenied(f"{name}: the server answered {status}", uri)
    if 400 <= status < 500:
        return InvalidRequest(f"{name}: the server answered {status}", uri)
    return DeviceUnavailable(f"{name}: the server answered {status}", uri, Outcome.NOT_DONE, False)


def retry_after_s(value: str | None, now_s: float) -> float | None:
    """Retry-After in seconds, whether it is a number or a date; ``None`` where it says nothing."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    moment = _moment(value)
    return None if moment is None else max(0.0, moment.timestamp() - now_s)


def content_length(headers: Mapping[str, str]) -> int | None:
    """Content-Length, where there is one that is a number."""
    value = headers.get("content-length", "")
    return int(value) if value.isdigit() else None


def content_range(headers: Mapping[str, str]) -> Span | None:
    """Content-Range, where there is one that can be read."""
    found = _CONTENT_RANGE.match(headers.get("content-range", ""))
    if found is None:
        return None
    size = None if found[3] == "*" else int(found[3])
    return Span(None, None, size) if found[1] is None else Span(int(found[1]), int(found[2]) + 1, size)


def validator(headers: Mapping[str, str]) -> str | None:
    """What If-Range may hold: a strong ETag, or a Last-Modified old enough to be strong; ``None`` where there is
    neither."""
    etag = headers.get("etag", "")
    if etag.startswith('"'):
        return etag
    modified, date = _moment(headers.get("last-modified", "")), _moment(headers.get("date", ""))
    if etag or modified is None or date is None or (date - modified).total_seconds() < _OLD_ENOUGH_S:
        return None
    return headers["last-modified"]


def is_coded(headers: Mapping[str, str]) -> bool:
    """Whether the body is something else than the bytes of the file."""
    return headers.get("content-encoding", "identity").strip().lower() not in ("", "identity")


def tells_its_end(headers: Mapping[str, str], http_version: str) -> bool:
    """Whether a body that breaks off can be told from one that is over."""
    chunked = "chunked" in headers.get("transfer-encoding", "").lower()
    return chunked or content_length(headers) is not None or not http_version.startswith("HTTP/1")


def _moment(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError, IndexError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)

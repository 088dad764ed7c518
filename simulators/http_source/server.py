"""The web server: one request in, status, headers and a body out. RFC 9110 as far as downloads and uploads need it; no
client here."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.utils import formatdate, parsedate_to_datetime

from storcert.harness.record.fault import Fault
from storcert.simulators.extents import Extents
from storcert.simulators.http_source.body import Changed, Gzip, Slice
from storcert.simulators.http_source.destination import Destination
from storcert.simulators.http_source.receiving import store
from storcert.simulators.http_source.resource import Content, Host, Resource, error, error_page
from storcert.simulators.network.wire import Answer

_RANGE = re.compile(r"bytes=(\d*)-(\d*)$")
NS_PER_S = 1_000_000_000
SERVICE_NS = 300_000


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What is sent back. ``ends_well``: the end of the body is told in good form, and is not just the end of the
    connection.

    ``body`` holds what is really sent: of a body that is cut, its beginning.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: Content
    ends_well: bool

    def as_answer(self) -> Answer:
        """For the wire."""
        return Answer(self, "ok" if self.status < 400 else str(self.status), self.body.size_bytes, SERVICE_NS)


class WebServer:
    """One host. Faults that strike a request are told to :meth:`prepare` before it is handled."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._struck: Fault | None = None

    def on_fault(self, fault: Fault, operation: str) -> Answer | None:
        """What the wire does not do itself; ``operation``: the method."""
        seconds = str(max(1, fault.value // NS_PER_S))
        match fault.kind:
            case "throttle":
                return _plain(operation, error(429, seconds)).as_answer()
            case "busy":
                return _plain(operation, error(503, seconds)).as_answer()
            case "internal_error":
                return _plain(operation, error(500)).as_answer()
            case "not_found":
                return _plain(operation, error(404)).as_answer()
            case "error_page":
                return _plain(operation, error_page()).as_answer()
            case "insufficient_storage":
                return _plain(operation, error(507)).as_answer()
            case "ranges_ignored" | "other_etag" | "changed" | "stored_short":
                self._struck = fault
            case _:
                pass
        return None

    def handle(
        self, method: str, target: str, headers: Mapping[str, str], now_ns: int, body: Extents | None = None
    ) -> HttpAnswer:
        """Answer, now. ``target``: path and query; ``headers``: names in lower case; ``body``: of the request."""
        struck, self._struck = self._struck, None
        place = self.host.destinations.get(target) or self.host.destinations.get(target.partition("?")[0])
        if place is not None:
            kept_bytes = struck.value if struck is not None and struck.kind == "stored_short" else None
            return self._receive(place, method, headers, now_ns, body or Extents(), kept_bytes)
        pages = self.host.pages.get(target)
        if pages is None:
            pages = self.host.pages.get(target.partition("?")[0])
        if pages is None:
            return _plain(method, error(404), now_ns)
        if struck is not None and struck.kind == "changed":
            pages.resources = tuple(_changed(resource) for resource in pages.resources)
        resource = pages.next()
        if struck is not None and struck.kind == "other_etag":
            resource = replace(resource, etag='"other-node"')
        if struck is not None and struck.kind == "ranges_ignored":
            resource = replace(resource, ranges="ignored")
        if method not in ("GET", "HEAD") or (method == "HEAD" and not resource.head):
            return _plain(method, error(405), now_ns)
        if resource.user and headers.get("authorization") != _basic(resource):
            return _plain(method, error(401), now_ns, ("www-authenticate", 'Basic realm="templates"'))
        return self._serve(method, resource, headers, now_ns)

    def _receive(
        self, place: Destination, method: str, headers: Mapping[str, str], now_ns: int, body: Extents, kept_bytes: int | None
    ) -> HttpAnswer:
        if place.user and headers.get("authorization") != _basic(place):
            return _plain(method, error(401), now_ns, ("www-authenticate", 'Basic realm="exports"'))
        if method in ("GET", "HEAD"):
            if not place.readable:
                return _plain(method, error(403), now_ns)
            if place.stored is None:
                return _plain(method, error(404), now_ns)
            return self._serve(method, Resource(content=place.stored, etag=f'"{place.received}"'), headers, now_ns)
        status = store(place, method, headers, body, kept_bytes)
        if status < 300:
            fields = [("date", _date(now_ns)), ("server", "simulated"), ("etag", f'"{place.received}"')]
            if status != 204:
                fields.append(("content-length", "0"))
            return HttpAnswer(status, tuple(fields), Extents(), True)
        more = ("location", place.moved_to) if status == 307 else ("allow", ", ".join((*place.methods, "GET", "HEAD")))
        return _plain(method, error(status), now_ns, *((more,) if status in (307, 405) else ()))

    def _serve(self, method: str, resource: Resource, headers: Mapping[str, str], now_ns: int) -> HttpAnswer:
        fields = [("date", _date(now_ns)), ("server", "simulated")]
        if resource.location:
            fields.append(("location", resource.location))
        if resource.retry_after:
            fields.append(("retry-after", resource.retry_after))
        if resource.status != 200:
            return _framed(method, resource, resource.status, fields, resource.content)
        if resource.etag:
            fields.append(("etag", resource.etag))
        if resource.modified_ns:
            fields.append(("last-modified", _date(resource.modified_ns)))
        packed = resource.gzip_always or (resource.gzip and "gzip" in headers.get("accept-encoding", ""))
        if packed:
            fields.append(("content-encoding", "gzip"))
            return _framed(method, resource, 200, fields, Gzip(resource.content))
        if resource.ranges in ("yes", "unconditional"):
            fields.append(("accept-ranges", "bytes"))
        asked = headers.get("range")
        unconditional = resource.ranges == "unconditional"
        if method == "GET" and asked and resource.ranges != "ignored" and (unconditional or _still(resource, headers)):
            return self._serve_range(resource, asked, fields)
        return _framed(method, resource, 200, fields, resource.content)

    def _serve_range(self, resource: Resource, asked: str, fields: list[tuple[str, str]]) -> HttpAnswer:
        size = resource.content.size_bytes
        span = byte_range(asked, size)
        if span is None:
            return _framed("GET", resource, 200, fields, resource.content)
        first, end = (0, size) if resource.ranges == "whole" else span
        if first >= end or resource.ranges == "refused":
            fields.append(("content-range", f"bytes */{size}"))
            return _framed("GET", Resource(), 416, fields, Resource().content)
        fields.append(("content-range", f"bytes {first}-{end - 1}/{size}"))
        return _framed("GET", resource, 206, fields, Slice(resource.content, first, end - first))


def byte_range(asked: str, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last; first >= end where nothing can be given; ``None`` for a header to be
    ignored."""
    found = _RANGE.match(asked)
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        return max(0, size - int(found[2])), size
    first = int(found[1])
    if not found[2]:
        return first, size
    if int(found[2]) < first:
        return None
    return first, min(int(found[2]) + 1, size)


def _still(resource: Resource, headers: Mapping[str, str]) -> bool:
    """Whether If-Range holds: the strong comparison, or the exact date."""
    condition = headers.get("if-range")
    if condition is None:
        return True
    if condition.startswith('"'):
        return condition == resource.etag
    try:
        seconds = int(parsedate_to_datetime(condition).timestamp())
    except ValueError:
        return False  # a weak tag never holds
    return bool(resource.modified_ns) and seconds == resource.modified_ns // NS_PER_S


def _framed(
    method: str, resource: Resource, status: int, fields: list[tuple[str, str]], body: Content,
) -> HttpAnswer:
    """Tell the length, the chunks or nothing, and cut what is to be cut."""
    fields.append(("content-type", resource.content_type))
    size = body.size_bytes
    ends_well = True
    if resource.framing == "length":
        declared = size if resource.declared_bytes is None else resource.declared_bytes
        fields.append(("content-length", str(declared)))
        # A client reads as many bytes as were announced, and waits for those that never come.
        ends_well = declared <= size
        size = min(size, declared)
    elif resource.framing == "chunked":
        fields.append(("transfer-encoding", "chunked"))
    else:
        fields.append(("connection", "close"))
    if resource.short_bytes is not None and resource.short_bytes < size:
        size = resource.short_bytes
        if resource.framing == "length" and resource.declared_bytes is None:
            fields[-1] = ("content-length", str(size))
    if resource.cut_after_bytes is not None and resource.cut_after_bytes < size:
        size = resource.cut_after_bytes
        ends_well = resource.framing == "close"
    if method == "HEAD":
        size, ends_well = 0, True
    return HttpAnswer(status, tuple(fields), body if size == body.size_bytes else Slice(body, 0, size), ends_well)


def _plain(method: str, resource: Resource, now_ns: int = 0, *more: tuple[str, str]) -> HttpAnswer:
    fields = [("date", _date(now_ns)), ("server", "simulated"), *more]
    if resource.retry_after:
        fields.append(("retry-after", resource.retry_after))
    return _framed(method, resource, resource.status, fields, resource.content)


def _changed(resource: Resource) -> Resource:
    return replace(
        resource, content=Changed(resource.content), etag=resource.etag and f'{resource.etag[:-1]}-changed"',
        modified_ns=resource.modified_ns and resource.modified_ns + 3_600 * NS_PER_S,
    )


def _basic(resource: Resource | Destination) -> str:
    return "Basic " + base64.b64encode(f"{resource.user}:{resource.password}".encode()).decode()


def _date(now_ns: int) -> str:
    return formatdate(now_ns // NS_PER_S, usegmt=True)

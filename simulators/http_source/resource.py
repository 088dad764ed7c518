"""What a simulated web server has under a URL, as data: contents, and how well or badly it serves them. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

from storcert.simulators.extents import Extents
from storcert.simulators.http_source.destination import Destination

Framing = Literal["length", "chunked", "close"]
Ranges = Literal["yes", "unconditional", "whole", "ignored", "refused"]

_MODIFIED_NS = 1_690_000_000 * 10**9


class Content(Protocol):
    """Bytes that may be far too many to keep."""

    @property
    def size_bytes(self) -> int:
        """How many."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """Those of the range, fewer only at the end."""
        ...


class Endless:
    """A body that never ends."""

    size_bytes = 1 << 62

    def read(self, offset: int, length: int) -> bytes:
        """The letter x, as often as asked for."""
        return b"x" * length


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing a server answers with. Every field is a behaviour seen on real servers; the defaults are a good one's.

    ``content``, ``content_type``. ``etag``: with its quotes, and ``W/`` before them for a weak one; ``""``: none.
    ``modified_ns``: Last-Modified, Unix time; 0: none. ``framing``: how the end of the body is told: by
    Content-Length, by chunks (size unknown), or by the end of the connection. ``ranges``: served;
    served without a look at If-Range; answered with the whole file as status 206 and a Content-Range that says so;
    ignored (the whole file, status 200); or refused with 416 whatever is asked. ``declared_bytes``: a Content-Length
    that is wrong. ``cut_after_bytes``: the connection ends after so many bytes of each body, before its end was told.
    ``short_bytes``: the body ends there with its end told in good form, as a proxy does whose own source broke off.
    ``gzip``: sent compressed to whoever accepts that; ``gzip_always``: to the others too. ``user`` and ``password``:
    basic authentication. ``status``: an error instead; ``retry_after``: that header. ``location``: with a status 3xx,
    where to. ``head``: whether HEAD is answered.
    """

    content: Content = field(default_factory=Extents)
    content_type: str = "application/octet-stream"
    etag: str = '"1"'
    modified_ns: int = _MODIFIED_NS
    framing: Framing = "length"
    ranges: Ranges = "yes"
    declared_bytes: int | None = None
    cut_after_bytes: int | None = None
    short_bytes: int | None = None
    gzip: bool = False
    gzip_always: bool = False
    user: str = ""
    password: str = ""
    status: int = 200
    retry_after: str = ""
    location: str = ""
    head: bool = True


def file(data: bytes, **behaviour: object) -> Resource:
    """A resource with these bytes."""
    return Resource(content=Extents(data), **behaviour)  # type: ignore[arg-type]


def zeros(size_bytes: int, **behaviour: object) -> Resource:
    """A resource of so many zeros, which cost nothing."""
    content = Extents()
    content.truncate(size_bytes)
    return Resource(content=content, **behaviour)  # type: ignore[arg-type]


def pattern(unit: bytes, size_bytes: int, **behaviour: object) -> Resource:
    """A resource of ``unit`` again and again, of which one is kept."""
    content = Extents()
    content.fill(0, size_bytes, unit)
    return Resource(content=content, **behaviour)  # type: ignore[arg-type]


def redirect(location: str, status: int = 302) -> Resource:
    """Look there."""
    return Resource(status=status, location=location, etag="", modified_ns=0)


def error(status: int, retry_after: str = "") -> Resource:
    """A refusal, with a page of HTML."""
    page = f"<!DOCTYPE html><html><body><h1>{status}</h1></body></html>\n".encode()
    return Resource(
        content=Extents(page), content_type="text/html", status=status, retry_after=retry_after, etag="", modified_ns=0)


def error_page() -> Resource:
    """An error that says 200, as captive portals, login pages and careless web applications send it."""
    page = b"<!DOCTYPE html>\n<html><head><title>Sorry</title></head><body>Please log in.</body></html>\n"
    return Resource(content=Extents(page), content_type="text/html; charset=utf-8", etag="", modified_ns=0)


@dataclass(slots=True)
class Host:
    """One name with a port. ``certificate``: what a client that verifies finds, for https. ``bytes_per_s``: how fast
    it sends and takes, 0: as the link allows. ``pages``: what is under each path, served in turn; with ``stay`` the last one is
    served from then on. ``destinations``: under which paths bodies are taken."""

    name: str
    port: int
    certificate: Literal["good", "expired", "self-signed", "other-name"] = "good"
    bytes_per_s: int = 0
    pages: dict[str, Pages] = field(default_factory=dict)
    destinations: dict[str, Destination] = field(default_factory=dict)


@dataclass(slots=True)
class Pages:
    """The resources under one URL and how often they were asked for."""

    resources: tuple[Resource, ...]
    stay: bool = False
    asked: int = 0

    def next(self) -> Resource:
        """The one whose turn it is."""
        turn = min(self.asked, len(self.resources) - 1) if self.stay else self.asked % len(self.resources)
        self.asked += 1
        return self.resources[turn]

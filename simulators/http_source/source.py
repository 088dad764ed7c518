"""The web servers of a world: what is under which URL, and the locations that reach them. Fault model:
``legal_faults``."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from storcert.harness.contract import JsonValue
from storcert.harness.record.fault import Fault
from storcert.simulators.device import CensusEntry, DeviceLimits, FaultKind, Request
from storcert.simulators.http_source.destination import Destination
from storcert.simulators.http_source.httpx_doors import TRANSPORT_SERVICE
from storcert.simulators.http_source.legal_faults import LEGAL_FAULTS
from storcert.simulators.http_source.options import HttpSourceOptions
from storcert.simulators.http_source.resource import Host, Pages, Resource
from storcert.simulators.http_source.served import Answer, listen
from storcert.simulators.http_source.server import WebServer
from storcert.simulators.http_source.to_location import Exchange
from storcert.simulators.http_source.transport import SimulatedTransport
from storcert.simulators.network.faults import FaultPlan
from storcert.simulators.network.wire import Wire

if TYPE_CHECKING:
    import httpx

    from storcert.harness.kernel.location import Location
    from storcert.harness.kernel.loop import Kernel

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Site:
    """A host, what answers there, and the way to it."""

    host: Host
    server: WebServer
    wire: Wire


class HttpSource:
    """A :class:`SimulatedDevice` that is read, and written where it says so. Its hosts share one numbering of requests and one
    fault schedule."""

    name = "http-source"
    legal_faults: tuple[FaultKind, ...] = LEGAL_FAULTS
    limits = DeviceLimits()

    def __init__(self, kernel: Kernel, options: HttpSourceOptions | Mapping[str, Any] | None = None) -> None:
        if not isinstance(options, HttpSourceOptions):
            options = HttpSourceOptions.from_mapping(options)
        self.kernel = kernel
        self.options = options
        self._sites: dict[tuple[str, int], Site] = {}
        self._numbers = itertools.count()
        self._served: dict[str, Location] = {}
        self._exchanges = 0
        self._plan: FaultPlan | None = None

    # -- what is served

    def put(self, url: str, *resources: Resource, stay: bool = False) -> None:
        """Serve these under ``url``, in turn; with ``stay`` the last one from then on. Replaces what was there."""
        if not resources:
            raise ValueError(f"{url}: nothing to serve")
        self.host(url).pages[_target(url)] = Pages(resources, stay)

    def accept(self, url: str, place: Destination | None = None) -> Destination:
        """Take bodies under ``url``, a good server's way unless ``place`` says otherwise. Replaces what was there."""
        made = self.host(url).destinations[_target(url)] = place or Destination()
        return made

    def host(
        self, url: str, *, certificate: Literal["good", "expired", "self-signed", "other-name"] | None = None,
        bytes_per_s: int | None = None,
    ) -> Host:
        """The host of ``url``, made when first named, with what is said of it here."""
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError(f"{url}: no URL of a web server")
        key = (parts.hostname, parts.port or _PORTS[parts.scheme])
        site = self._sites.get(key)
        if site is None:
            site = self._sites[key] = self._build(Host(*key))
        if certificate is not None:
            site.host.certificate = certificate
        if bytes_per_s is not None:
            site.host.bytes_per_s = bytes_per_s
            site.wire.link = self.options.link(bytes_per_s)
        return site.host

    def _build(self, host: Host) -> Site:
        server = WebServer(host)
        wire = Wire(
            self.kernel, host.name, link=self.options.link(), legal_faults=LEGAL_FAULTS, on_fault=server.on_fault)
        wire.log.numbers = self._numbers
        if self._plan is None:
            self._plan = wire.plan
        wire.plan = self._plan
        return Site(host, server, wire)

    def serve_at(self, location: Location, answer: Answer) -> str:
        """Have a location serve HTTP itself, from now until it dies: the beginning of its URLs."""
        name = f"{location.name}.sim"
        self._served[name] = location
        listen(location, answer)
        return f"http://{name}"

    def exchange(self, here: Location, request: httpx.Request) -> Exchange | None:
        """The exchange with a location that serves itself; ``None`` where the host is another one."""
        there = self._served.get(request.url.host)
        if there is None or request.url.port not in (None, 80):
            return None
        self._exchanges += 1
        return Exchange(here, there, request, self._exchanges)

    def site(self, name: str, port: int) -> Site | None:
        """What listens there."""
        return self._sites.get((name, port))

    def knows(self, name: str) -> bool:
        """Whether there is a host of that name, on whatever port."""
        return any(known == name for known, _ in self._sites)

    # -- what the kit sees

    @property
    def requests(self) -> list[Request]:
        """Every request so far, to all hosts."""
        logs = [site.wire.requests for site in self._sites.values()]
        return sorted((request for log in logs for request in log), key=lambda request: request.index)

    @property
    def fired(self) -> list[Fault]:
        """The armed faults that struck."""
        return [] if self._plan is None else self._plan.fired

    def configuration(self) -> dict[str, JsonValue]:
        """Nothing: whoever downloads is told the URL."""
        return {}

    def attach(self, location: Location) -> None:
        """``httpx`` at that location reaches these hosts and no others."""
        location.services[TRANSPORT_SERVICE] = partial(SimulatedTransport, self)

    def census(self) -> tuple[CensusEntry, ...]:
        """What is served, which downloads never change, and what was stored."""
        served = [
            CensusEntry("page", f"{host}:{port}{path}", pages.resources[0].etag, pages.resources[0].content.size_bytes)
            for (host, port), site in self._sites.items()
            for path, pages in site.host.pages.items()
        ]
        stored = [
            CensusEntry("stored", f"{host}:{port}{path}", f'"{place.received}"', place.stored.size_bytes)
            for (host, port), site in self._sites.items()
            for path, place in site.host.destinations.items()
            if place.stored is not None
        ]
        return tuple(sorted((*served, *stored)))

    def destinations(self) -> dict[str, Destination]:
        """Every URL that bodies can be sent to."""
        names = {80: "http://{}", 443: "https://{}"}
        return {
            names.get(port, f"http://{{}}:{port}").format(host) + path: place
            for (host, port), site in sorted(self._sites.items())
            for path, place in sorted(site.host.destinations.items())
        }

    def arm(self, faults: Sequence[Fault]) -> None:
        """Replace the fault schedule."""
        if self._plan is None:
            raise ValueError("no host yet that a fault could strike")
        self._plan.arm(faults)

    def heal(self) -> None:
        """No faults, all hosts up and reached. A file that changed stays changed; slow hosts stay slow."""
        for site in self._sites.values():
            site.wire.heal()


def _target(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

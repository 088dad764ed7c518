"""What the facts of a run say so far: places, devices, objects, placements, pins, grants, jobs. No rule stands here.

Rules read it and each remembers no more than what it alone needs. Everything here is proportional to what is alive, but two
things: of every job that ended, one bit says so (:class:`Numbers`), and of the last thousand, also what they were asked for.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from storcert.harness.checkers.facts import Fact, touched_by
from storcert.harness.contract import Allowance, Capabilities, Policy, constrain

Place: TypeAlias = tuple[str, str]
"""An object and a device."""
ENDED_MAX = 1024
"""Of so many jobs that ended it is still known what they were asked for: a server that has lost one may yet act for it."""
_PAGE_BITS = 10


class Numbers:
    """A set of numbers of jobs: one bit for each, in pages."""

    __slots__ = ("_count", "_pages")

    def __init__(self) -> None:
        self._pages: dict[int, int] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, number: int) -> bool:
        return bool(self._pages.get(number >> _PAGE_BITS, 0) >> (number & (1 << _PAGE_BITS) - 1) & 1)

    def add(self, number: int) -> None:
        """Put it in, if it is not there."""
        if number not in self:
            self._count += 1
            page = number >> _PAGE_BITS
            self._pages[page] = self._pages.get(page, 0) | 1 << (number & (1 << _PAGE_BITS) - 1)

    def discard(self, number: int) -> None:
        """Take it out, if it is there."""
        if number in self:
            self._count -= 1
            self._pages[number >> _PAGE_BITS] ^= 1 << (number & (1 << _PAGE_BITS) - 1)


@dataclass(slots=True, eq=False)
class Placed:
    """A placement that is there. ``job``: whose it is; ``maker``: which job made what is ready; ``time_ns``: when it last
    changed state. ``surveyed``: in which survey its bytes were seen, for L-RECORD."""

    state: str
    job: int | None
    reserved_bytes: int
    time_ns: int
    maker: int | None = None
    surveyed: int = 0


@dataclass(slots=True, eq=False)
class Thing:
    """An object. ``known``: it has a record; ``copies``: how many placements it has."""

    size_bytes: int | None = None
    known: bool = False
    copies: int = 0


@dataclass(slots=True, eq=False)
class Job:
    """What was asked for, and when. ``verified``: a migration's bytes were seen where they were to go."""

    kind: str
    arguments: Mapping[str, Any]
    time_ns: int
    verified: bool = False

    @property
    def name(self) -> str:
        """The object that is to be made, or that the job is about."""
        return str(self.arguments.get("target") or self.arguments.get("uri") or "")


class Known:
    """What the facts say that were given to it."""

    def __init__(self) -> None:
        self.places: dict[str, tuple[str, str, str]] = {}  # kind, zone and cluster of each location
        self.devices: dict[str, tuple[Policy, Allowance]] = {}
        self.objects: dict[str, Thing] = {}
        self.placements: dict[Place, Placed] = {}
        self.reserved_bytes: dict[str, int] = {}  # the sum of what is placed, by device
        self.needed: dict[Place, set[int]] = {}  # the jobs that pin a placement
        self.pins: dict[int, set[Place]] = {}  # the placements that a job pins
        self.grants: dict[str, dict[str, int]] = {}  # by volume and host, since when
        self.unfinished: dict[int, Job] = {}
        self._ended_lately: dict[int, Job] = {}
        self._succeeded = Numbers()
        self._failed = Numbers()
        self._touching: Fact | None = None
        self._touched: list[tuple[str, str, bool]] = []
        self.learning: Mapping[str, Callable[[Fact], None]] = {
            "topology": self._topology, "device": self._device, "object": self._object, "placement": self._placement,
            "resized": self._resized, "pin": self._pin, "unpin": self._unpin, "grant": self._grant, "revoke": self._revoke,
            "job": self._job, "verified": self._verified,
        }

    # -- asked by rules

    def job(self, number: int) -> Job | None:
        """The job, if it is unfinished or among the last that ended."""
        return self.unfinished.get(number) or self._ended_lately.get(number)

    def ending(self, number: int) -> str:
        """How a job ended: ``"succeeded"``, ``"failed"``, or ``""`` where it has not."""
        return "succeeded" if number in self._succeeded else "failed" if number in self._failed else ""

    def ended(self) -> int:
        """How many jobs have ended."""
        return len(self._succeeded) + len(self._failed)

    def needers(self, place: Place, but: int | None) -> set[int]:
        """The jobs that pin a placement, but for one."""
        return self.needed.get(place, set()) - {but}

    def touched(self, command: Fact) -> list[tuple[str, str, bool]]:
        """:func:`touched_by` of a command that was sent, found once for all rules."""
        if self._touching is not command:
            self._touching, self._touched = command, touched_by(command.value)
        return self._touched

    def ready(self) -> Iterator[tuple[Place, Placed]]:
        """Every placement that is ready."""
        return ((place, one) for place, one in self.placements.items() if one.state == "ready")

    # -- learnt from facts

    def _topology(self, fact: Fact) -> None:
        if not self.places:
            self.places = {name: (kind, zone, cluster) for name, kind, zone, cluster in fact.value["places"]}

    def _device(self, fact: Fact) -> None:
        policy = Policy.from_json(fact.value["policy"])
        self.devices[fact.value["name"]] = policy, constrain(Capabilities.from_json(fact.value["capabilities"]), policy)

    def _object(self, fact: Fact) -> None:
        uri = fact.value["uri"]
        thing = self._thing(uri)
        thing.known = fact.value["event"] != "forgotten"
        if thing.known:
            thing.size_bytes = fact.value["size_bytes"]
        else:
            self._forget(uri, thing)

    def _thing(self, uri: str) -> Thing:
        found = self.objects.get(uri)
        if found is None:
            found = self.objects[uri] = Thing()
        return found

    def _forget(self, uri: str, thing: Thing) -> None:
        if not thing.known and not thing.copies:
            del self.objects[uri]

    def _placement(self, fact: Fact) -> None:
        value = fact.value
        uri, device, state = value["uri"], value["device"], value["state"]
        now = self.placements.get((uri, device))
        if state == "absent":
            if now is not None:
                del self.placements[uri, device]
                self.reserved_bytes[device] -= now.reserved_bytes
                thing = self.objects[uri]
                thing.copies -= 1
                self._forget(uri, thing)
            return
        reserved_bytes = value["reserved_bytes"]
        if now is None:
            self._thing(uri).copies += 1
            self.placements[uri, sys.intern(device)] = Placed(sys.intern(state), value["job"], reserved_bytes, fact.time_ns)
            self.reserved_bytes[device] = self.reserved_bytes.get(device, 0) + reserved_bytes
            return
        if now.reserved_bytes != reserved_bytes:
            self.reserved_bytes[device] += reserved_bytes - now.reserved_bytes
            now.reserved_bytes = reserved_bytes
        if state == "ready" and now.job is not None:
            now.maker = now.job
        if now.state != state:  # who takes it over while it is destroyed begins nothing new
            now.state, now.time_ns = sys.intern(state), fact.time_ns
        now.job = value["job"]

    def _resized(self, fact: Fact) -> None:
        now = self.placements.get((fact.value["uri"], fact.value["device"]))
        if now is not None:
            self.reserved_bytes[fact.value["device"]] += fact.value["reserved_bytes"] - now.reserved_bytes
            now.reserved_bytes = fact.value["reserved_bytes"]

    def _pin(self, fact: Fact) -> None:
        job, place = fact.value["job"], (fact.value["uri"], fact.value["device"])
        self.needed.setdefault(place, set()).add(job)
        self.pins.setdefault(job, set()).add(place)

    def _unpin(self, fact: Fact) -> None:
        job = fact.value["job"]
        for place in self.pins.pop(job, ()):
            needers = self.needed[place]
            needers.discard(job)
            if not needers:
                del self.needed[place]

    def _grant(self, fact: Fact) -> None:
        self.grants.setdefault(fact.value["volume"], {})[fact.value["host"]] = fact.time_ns

    def _revoke(self, fact: Fact) -> None:
        hosts = self.grants.get(fact.value["volume"], {})
        hosts.pop(fact.value["host"], None)
        if not hosts:
            self.grants.pop(fact.value["volume"], None)

    def _job(self, fact: Fact) -> None:
        number, event = fact.value["id"], fact.value["event"]
        if event == "begun":
            self.unfinished[number] = Job(fact.value["kind"], fact.value["arguments"], fact.time_ns)
        elif event in ("succeeded", "failed"):
            now, before = (self._succeeded, self._failed) if event == "succeeded" else (self._failed, self._succeeded)
            now.add(number)
            before.discard(number)
            job = self.unfinished.pop(number, None)
            if job is not None:
                self._ended_lately[number] = job
                if len(self._ended_lately) > ENDED_MAX:
                    del self._ended_lately[next(iter(self._ended_lately))]

    def _verified(self, fact: Fact) -> None:
        job = self.job(fact.value["job"])
        if job is not None and job.kind == "migrate":
            goal = job.arguments["uri"], job.arguments["device"]
            job.verified = job.verified or (fact.value["uri"], fact.value["device"]) == goal

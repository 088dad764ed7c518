"""What the catalogue, the agents and the runner have told up to one moment, as it stands then: objects, placements, jobs,
commands, grants. Pure: read from the events of a run, and nothing is simulated."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from storcert.harness.record.event import Event


@dataclass(slots=True)
class Placed:
    """An object on a device. ``job``: whose it is while it changes; times are virtual Unix time."""

    state: str
    purpose: str
    job: int | None
    reserved_bytes: int
    since_ns: int
    pinned_by: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Object:
    """An object with a record. ``origin``: what it was made from."""

    size_bytes: int | None
    origin: str
    since_ns: int


@dataclass(slots=True)
class Command:
    """What a job has asked a location to do, and no answer was heard yet."""

    id: str
    verb: str
    at: str
    asked_by: str
    since_ns: int
    about: str


@dataclass(slots=True)
class Job:
    """``ending``: ``""`` while it is unfinished, then ``succeeded`` or ``failed``."""

    number: int
    kind: str
    about: str
    objects: frozenset[str]
    owner: str
    begun_ns: int
    ending: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)
    ended_ns: int = 0
    commands: dict[str, Command] = field(default_factory=dict)


class Facts:
    """What is known after the facts that were given to it."""

    def __init__(self) -> None:
        self.objects: dict[str, Object] = {}
        self.placements: dict[tuple[str, str], Placed] = {}
        self.jobs: dict[int, Job] = {}
        self.grants: dict[tuple[str, str], int] = {}
        self.attached: dict[tuple[str, str], int] = {}
        self.reserved_bytes: dict[str, int] = {}
        self.capacity_bytes: dict[str, int] = {}
        self.kinds: dict[str, str] = {}
        self.zones: dict[str, str] = {}
        self.phase = ""
        self.disturbed: dict[str, list[str]] = {}
        self._pins: dict[int, set[tuple[str, str]]] = {}
        self._reading: Mapping[str, Callable[[Event, Any], None]] = {
            "topology": self._topology, "device": self._device, "object": self._object, "placement": self._placement,
            "resized": self._resized, "purpose": self._purpose, "capacity": self._capacity, "pin": self._pin,
            "unpin": self._unpin, "job": self._job, "command": self._command, "grant": self._grant, "revoke": self._revoke,
            "attached": self._attach, "detached": self._detach, "phase": self._phase, "fault": self._fault,
            "crash": self._crash,
        }

    def see(self, event: Event) -> None:
        """The next event, whatever it is."""
        read = self._reading.get(event.kind)
        if read is not None:
            read(event, json.loads(event.text) if event.text else {})

    # -- asked

    def unfinished(self) -> list[Job]:
        """Jobs that have not ended, oldest first."""
        return [job for job in self.jobs.values() if not job.ending]

    def about(self, uri: str) -> list[Job]:
        """The jobs that were about an object, oldest first."""
        return [job for job in self.jobs.values() if uri in job.objects]

    def on(self, uri: str) -> dict[str, Placed]:
        """Where an object is placed, by device."""
        return {device: one for (name, device), one in sorted(self.placements.items()) if name == uri}

    # -- read

    def _topology(self, event: Event, value: Any) -> None:
        for name, kind, zone, _ in value["places"]:
            self.kinds[name], self.zones[name] = kind, zone

    def _device(self, event: Event, value: Any) -> None:
        self.capacity_bytes[value["name"]] = value["capacity_bytes"]

    def _object(self, event: Event, value: Any) -> None:
        uri = value["uri"]
        if value["event"] == "forgotten":
            self.objects.pop(uri, None)
            return
        known = self.objects.get(uri)
        since_ns = event.time_ns if known is None else known.since_ns
        self.objects[uri] = Object(value["size_bytes"], value["origin"], since_ns)

    def _placement(self, event: Event, value: Any) -> None:
        place = value["uri"], value["device"]
        if value["state"] == "absent":
            self.placements.pop(place, None)
            return
        known = self.placements.get(place)
        self.placements[place] = Placed(
            value["state"], value["purpose"], value["job"], value["reserved_bytes"], event.time_ns,
            known.pinned_by if known is not None else set())

    def _resized(self, event: Event, value: Any) -> None:
        known = self.placements.get((value["uri"], value["device"]))
        if known is not None:
            known.reserved_bytes = value["reserved_bytes"]

    def _purpose(self, event: Event, value: Any) -> None:
        known = self.placements.get((value["uri"], value["device"]))
        if known is not None:
            known.purpose = value["purpose"]

    def _capacity(self, event: Event, value: Any) -> None:
        self.reserved_bytes[value["device"]] = value["reserved_bytes"]

    def _pin(self, event: Event, value: Any) -> None:
        place = value["uri"], value["device"]
        known = self.placements.get(place)
        if known is not None:
            known.pinned_by.add(value["job"])
            self._pins.setdefault(value["job"], set()).add(place)

    def _unpin(self, event: Event, value: Any) -> None:
        for place in self._pins.pop(value["job"], ()):
            known = self.placements.get(place)
            if known is not None:
                known.pinned_by.discard(value["job"])

    def _job(self, event: Event, value: Any) -> None:
        number = value["id"]
        if value["event"] == "begun":
            said = value["arguments"]
            names = [said[key] for key in ("source", "target", "uri", "volume", "snapshot") if said.get(key)]
            where = f" on {said['device']}" if said.get("device") else ""
            about = f"{' -> '.join(dict.fromkeys(names))}{where}"
            self.jobs[number] = Job(number, value["kind"], about, frozenset(names), value["owner"], event.time_ns)
            return
        job = self.jobs.get(number)
        if job is None:
            return
        if value["event"] == "taken-over":
            job.owner = value["owner"]
            job.commands.clear()  # whoever waited for their answers is gone
        else:
            job.ending, job.result, job.ended_ns = value["event"], value.get("result") or {}, event.time_ns
            job.commands.clear()

    def _command(self, event: Event, value: Any) -> None:
        job = self.jobs.get(value["job"])
        if job is None:
            return
        if value["event"] == "sent":
            names = [value[key] for key in ("source", "target", "uri", "volume", "snapshot") if value.get(key)]
            devices = [value[key] for key in ("source_device", "target_device", "device") if value.get(key)]
            where = f" on {' -> '.join(dict.fromkeys(devices))}" if devices else ""
            about = f"{' -> '.join(dict.fromkeys(names))}{where}".strip()
            job.commands[value["id"]] = Command(
                value["id"], value["verb"], value["at"], event.location, event.time_ns, about)
        else:
            job.commands.pop(value["id"], None)

    def _grant(self, event: Event, value: Any) -> None:
        self.grants[value["volume"], value["host"]] = event.time_ns

    def _revoke(self, event: Event, value: Any) -> None:
        self.grants.pop((value["volume"], value["host"]), None)

    def _attach(self, event: Event, value: Any) -> None:
        self.attached[value["volume"], value["host"]] = event.time_ns

    def _detach(self, event: Event, value: Any) -> None:
        self.attached.pop((value["volume"], value["host"]), None)

    def _crash(self, event: Event, value: Any) -> None:
        for key in [key for key in self.attached if key[1] == event.location]:
            del self.attached[key]

    def _phase(self, event: Event, value: Any) -> None:
        self.phase = value["phase"]

    def _fault(self, event: Event, value: Any) -> None:
        self.disturbed.setdefault(value["device"], []).append(value["kind"])


def facts_until(events: Iterable[Event]) -> Facts:
    """What is known after these events. Raises ``ValueError`` or ``KeyError`` for facts of another kit."""
    facts = Facts()
    for event in events:
        facts.see(event)
    return facts

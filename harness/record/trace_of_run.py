"""Reads a trace out of what is known of a run: the events of its journal, and the devices' logs of requests.

The journal alone gives jobs, commands, crashes and faults whole; of a request it tells only the moment of its effect, so a
request that no log holds is a span without length. Pure: nothing is simulated here, and no format is known.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Protocol

from storcert.harness.record.event import Event
from storcert.harness.record.history import Status
from storcert.harness.record.trace import Mark, PlaceKind, Sort, Span, Trace

CATALOGUE = "catalogue"
_LIFE = frozenset(("crash", "restart", "pause", "resume", "kill"))
_TOLD = frozenset(("attached", "detached", "lost", "swept", "reconcile-failed"))
_UNHEARD = frozenset(("pending", "lost", "answer-lost", "cut", "crashed"))
"""Answers of requests after which the caller does not know what happened."""


class Asked(Protocol):
    """One request of a device's log."""

    @property
    def index(self) -> int:
        """Its number on its wire, from 0."""
        ...

    @property
    def time_ns(self) -> int:
        """When it was sent."""
        ...

    @property
    def ended_ns(self) -> int | None:
        """When its caller knew how it ended."""
        ...

    @property
    def location(self) -> str:
        """Who asked."""
        ...

    @property
    def task(self) -> str:
        """The task there that asked."""
        ...

    @property
    def operation(self) -> str:
        """The device's own name of it."""
        ...

    @property
    def target(self) -> str:
        """What about."""
        ...

    @property
    def sent_bytes(self) -> int:
        """Of its body."""
        ...

    @property
    def received_bytes(self) -> int:
        """Of the answer's body."""
        ...

    @property
    def answer(self) -> str:
        """``ok``, an error code, or what the wire did to it."""
        ...

    @property
    def faults(self) -> tuple[object, ...]:
        """Those that struck it; their text is shown."""
        ...


def trace_of_run(
    events: Iterable[Event], requests: Mapping[str, Iterable[Asked]] | None = None, *, run: str = ""
) -> Trace:
    """The trace of a run. ``requests``: the log of each wire, by its name; wires that are not in it are read from the journal.
    ``run``: its digest, or whatever else names it; ids of spans are made of it. Raises ``ValueError`` for a fact that is no
    JSON object."""
    reading = _Reading(frozenset(requests or ()))
    for event in events:
        reading.see(event)
    for wire, log in sorted((requests or {}).items()):
        reading.log(wire, log)
    return reading.trace(run)


@dataclass(slots=True)
class _Open:
    """A job or command whose end is not known yet."""

    sort: Sort
    key: str
    parent: str
    name: str
    subject: str
    place: str
    caller: str
    start_ns: int
    end_ns: int | None = None
    status: Status = Status.UNKNOWN
    answer: str = "never ended"

    def end(self, time_ns: int, status: Status, answer: str) -> None:
        self.end_ns, self.status, self.answer = time_ns, status, answer

    def span(self) -> Span:
        return Span(
            self.sort, self.key, self.parent, self.name, self.subject, self.place, self.caller, self.start_ns, self.end_ns,
            self.status, self.answer,
        )


class _Reading:
    def __init__(self, logged: frozenset[str]) -> None:
        self._logged = logged
        self._start_ns: int | None = None
        self._end_ns = 0
        self._kinds: dict[str, PlaceKind] = {}
        self._wires: list[str] = []
        self._told: list[_Open] = []
        self._jobs: dict[int, _Open] = {}
        self._at_work: defaultdict[tuple[str, str], list[_Open]] = defaultdict(list)
        self._shifts: defaultdict[int, int] = defaultdict(int)
        self._commands: dict[str, _Open] = {}
        self._of_job: defaultdict[int, list[_Open]] = defaultdict(list)
        self._tasks: dict[str, str] = {}
        self._transactions: dict[int, str] = {}
        self._requests: list[Span] = []
        self._marks: list[Mark] = []

    def see(self, event: Event) -> None:
        if self._start_ns is None:
            self._start_ns = event.time_ns
        self._end_ns = event.time_ns
        match event.kind:
            case "request":
                self._request(event)
            case "job":
                self._job(event, _value(event))
            case "command":
                self._command(event, _value(event))
            case "topology":
                for name, kind, *_ in _value(event)["places"]:
                    self._kinds[name] = PlaceKind(kind)
            case "device":
                self._kinds[_value(event)["name"]] = PlaceKind.DEVICE
            case "fault":
                value = _value(event)
                self._marks.append(Mark(event.time_ns, value["device"], "fault", value["kind"]))
            case kind if kind in _LIFE:
                self._marks.append(Mark(event.time_ns, event.location, kind, event.text))
            case kind if kind in _TOLD:
                value = _value(event)
                about = value.get("uri") or value.get("volume") or value.get("message") or ""
                where = f" on {value['device']}" if "device" in value else ""
                self._marks.append(Mark(event.time_ns, event.location, kind, f"{about}{where}"))

    # -- jobs and commands

    def _job(self, event: Event, value: Mapping[str, Any]) -> None:
        number: int = value["id"]
        if value["event"] == "begun":
            self._begin(number, "", value["kind"], _subject(value["arguments"]), value["owner"], event.time_ns)
            return
        found = self._jobs.pop(number, None)
        if found is None:
            return
        if value["event"] == "taken-over":
            found.end(event.time_ns, Status.UNKNOWN, f"taken over by {value['owner']}")
            for command in self._of_job.pop(number, ()):  # whoever waited for their answers is gone
                if command.end_ns is None:
                    command.end(event.time_ns, Status.UNKNOWN, "nobody heard")
            first = f"job/{number}"
            self._begin(number, first, found.name, found.subject, value["owner"], event.time_ns)
        elif value["event"] == "failed":
            found.end(event.time_ns, Status.FAILED, str(value["result"].get("error", "failed")))
        else:
            found.end(event.time_ns, Status.OK, "ok")
        self._of_job.pop(number, None)

    def _begin(self, number: int, first: str, kind: str, subject: str, owner: str, time_ns: int) -> None:
        self._shifts[number] += 1
        key = f"{first}/{self._shifts[number]}" if first else f"job/{number}"
        server = owner.partition("/")[0]
        job = _Open(Sort.JOB, key, first, kind, subject, server, "", time_ns)
        self._jobs[number] = job
        self._told.append(job)
        at_work = self._at_work[server, kind]
        at_work[:] = [one for one in at_work if one.end_ns is None]
        at_work.append(job)

    def _command(self, event: Event, value: Mapping[str, Any]) -> None:
        if value["event"] == "sent":
            identity = value["id"]
            job = self._jobs.get(value["job"])
            command = _Open(
                Sort.COMMAND, f"command/{identity}", job.key if job else "", value["verb"], _subject(value), value["at"],
                event.location, event.time_ns,
            )
            self._told.append(command)
            self._commands[identity] = command
            self._of_job[value["job"]].append(command)
            self._tasks[f"{command.name} {identity}"] = command.key
            return
        found = self._commands.pop(value["id"], None)
        if found is not None:
            ending = value["ending"]
            status = {"done": Status.OK, "failed": Status.FAILED}.get(ending, Status.UNKNOWN)
            found.end(event.time_ns, status, "ok" if ending == "done" else ending)

    # -- requests

    def _request(self, event: Event) -> None:
        wire, index, rest = event.text.split(" ", 2)
        if wire == CATALOGUE:
            kind, colon, _ = rest.partition(": ")
            working = self._at_work.get((event.location, kind)) if colon else None
            # Facts come before the request that made them: a job that just ended is still who asked.
            busy = [one for one in working or () if one.end_ns is None or one.end_ns == event.time_ns]
            if len(busy) == 1:
                self._transactions[int(index)] = busy[0].key
        if wire in self._logged:
            return
        about, sent, answer = rest.rsplit(" ", 2)
        operation, _, target = (about.rstrip(), "", "") if about.endswith(" ") else about.partition(" ")
        self._wires.append(wire)
        self._requests.append(Span(
            Sort.REQUEST, f"request/{wire}/{index}", self._transactions.get(int(index), "") if wire == CATALOGUE else "",
            operation, target, wire, event.location, event.time_ns, event.time_ns, _status(answer), answer,
            int(sent) if sent.isdigit() else 0,
        ))

    def log(self, wire: str, log: Iterable[Asked]) -> None:
        """Requests of one wire."""
        self._wires.append(wire)
        parents = self._tasks
        prefix = f"request/{wire}/"
        of_catalogue = wire == CATALOGUE
        found = self._requests
        for asked in log:
            parent = self._transactions.get(asked.index, "") if of_catalogue else parents.get(asked.task, "")
            answer = asked.answer
            found.append(Span(
                Sort.REQUEST, f"{prefix}{asked.index}", parent, asked.operation, asked.target, wire, asked.location,
                asked.time_ns, asked.ended_ns, _status(answer), answer, asked.sent_bytes, asked.received_bytes,
                tuple([str(fault) for fault in asked.faults]) if asked.faults else (),
            ))

    # -- all of it

    def trace(self, run: str) -> Trace:
        spans = [one.span() for one in self._told] + self._requests
        spans.sort(key=attrgetter("start_ns"))  # stable: at one moment whoever asks stands before what is asked
        places = dict(self._kinds)
        others = PlaceKind.WEB if PlaceKind.DEVICE in places.values() else PlaceKind.DEVICE
        for wire in self._wires:
            places.setdefault(wire, PlaceKind.CATALOGUE if wire == CATALOGUE else others)
        for span in spans:
            for place in (span.place, span.caller):
                if place and place not in places:
                    places[place] = PlaceKind.OTHER
        for mark in self._marks:
            places.setdefault(mark.place, PlaceKind.OTHER)
        start_ns = self._start_ns or 0
        end_ns = self._end_ns
        if spans:
            start_ns = min(start_ns or spans[0].start_ns, spans[0].start_ns)
            end_ns = max(end_ns, max(span.end_ns or span.start_ns for span in spans))
        return Trace(run, start_ns, end_ns, dict(sorted(places.items())), tuple(spans), tuple(self._marks))


def _value(event: Event) -> Mapping[str, Any]:
    value = json.loads(event.text) if event.text else None
    if not isinstance(value, dict):
        raise ValueError(f"the fact {event.kind!r} is no JSON object: {event.text[:80]!r}")
    return value


def _status(answer: str) -> Status:
    return Status.OK if answer == "ok" else Status.UNKNOWN if answer in _UNHEARD else Status.FAILED


def _subject(value: Mapping[str, Any]) -> str:
    names = [value[key] for key in ("source", "target", "uri", "volume", "snapshot") if value.get(key)]
    devices = [value[key] for key in ("source_device", "target_device", "device") if value.get(key)]
    where = f" on {' -> '.join(dict.fromkeys(devices))}" if devices else ""
    return f"{' -> '.join(dict.fromkeys(names))}{where}".strip()

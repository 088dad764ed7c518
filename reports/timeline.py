"""The journal of a region as a table for people: when, where, what. Text from events; nothing is simulated here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from storcert.harness.record.event import Event

_SECOND_NS = 10**9
_ROUTINE = frozenset(("list", "release"))
"""Jobs of reconciliation that look and, as a rule, change nothing."""
_TOLD = frozenset((
    "crash", "restart", "pause", "resume", "phase", "step", "fault", "attached", "detached", "job", "command", "lost", "swept",
))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a timeline: which event of the journal it tells, counted from 1; when, since the first event; where; what."""

    number: int
    since_ns: int
    where: str
    what: str


def timeline(events: Iterable[Event]) -> str:
    """One line for each step and phase of a scenario, each job that begins or ends, each command, each crash and restart, and
    each volume attached or detached; the rounds in which reconciliation looks around are left out."""
    lines = list(lines_of(events))
    width = max((len(line.where) for line in lines), default=0)
    return "".join(f"{seconds(line.since_ns)}  {line.where.ljust(width)}  {line.what}\n" for line in lines)


def lines_of(events: Iterable[Event]) -> Iterator[Line]:
    """The lines of :func:`timeline`, as values."""
    start_ns: int | None = None
    owners: dict[int, str] = {}
    verbs: dict[str, str] = {}
    for number, event in enumerate(events, 1):
        start_ns = event.time_ns if start_ns is None else start_ns
        if event.kind not in _TOLD:
            continue
        value: Mapping[str, Any] = json.loads(event.text) if event.text.startswith("{") else {}
        where, told = _told(event, value, owners, verbs)
        if told:
            yield Line(number, event.time_ns - start_ns, where, told)


def seconds(duration_ns: int) -> str:
    """To the millisecond, in a column."""
    return f"{duration_ns / _SECOND_NS:10.3f} s"


def _told(event: Event, value: Mapping[str, Any], owners: dict[int, str], verbs: dict[str, str]) -> tuple[str, str]:
    match event.kind:
        case "crash":
            return event.location, "CRASH"
        case "restart" | "pause" | "resume":
            return event.location, f"{event.kind}s"
        case "phase":
            return "", f"-- {value['phase']}"
        case "step":
            return "", f"step {value['name']}: {value['ending'] or value['do']}"
        case "fault":
            return value["device"], f"fault: {value['kind']}"
        case "attached" | "detached":
            return event.location, f"{event.kind} {value['volume']}"
        case "job":
            return _job(value, owners)
        case "command":
            return _command(event.location, value, verbs) if value["job"] in owners else ("", "")
        case "lost" | "swept":
            return event.location, f"{event.kind}: {value['uri']} on {value['device']}"
        case _:
            return "", ""


def _job(value: Mapping[str, Any], owners: dict[int, str]) -> tuple[str, str]:
    number = value["id"]
    if value.get("kind") in _ROUTINE or (value["event"] != "begun" and number not in owners):
        return "", ""
    if value["event"] == "begun":
        owners[number] = value["owner"]
        return value["owner"], f"job {number}: {value['kind']} {_subject(value['arguments'])}"
    if value["event"] == "taken-over":
        owners[number] = value["owner"]
        return value["owner"], f"job {number}: taken over"
    if value["event"] == "failed":
        return owners[number], f"job {number}: FAILED, {value['result']['error']}: {value['result']['message']}"
    return owners[number], f"job {number}: done"


def _subject(arguments: Mapping[str, Any]) -> str:
    names = [arguments[key] for key in ("source", "target", "uri", "snapshot") if arguments.get(key)]
    where = f" on {arguments['device']}" if arguments.get("device") else ""
    return f"{' -> '.join(dict.fromkeys(names))}{where}"


def _command(server: str, value: Mapping[str, Any], verbs: dict[str, str]) -> tuple[str, str]:
    if value["event"] == "sent":
        verbs[value["id"]] = value["verb"]
        what = value.get("target") or value.get("uri") or value.get("volume") or ""
        where = value.get("target_device") or value.get("device") or ""
        return value["at"], f"  {value['verb']} {what}{f' on {where}' if where else ''}   (asked by {server})"
    ending = {"done": "done", "failed": "refused or failed", "unheard": "never answered"}.get(value["ending"], value["ending"])
    return value["at"], f"  {verbs.get(value['id'], '')} {ending}"

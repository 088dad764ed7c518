"""What the checkers of the L- rules share: facts read from the journal of a run, and how a rule says what breaks it.

The catalogue tells what it changed, management servers which commands they sent, agents what they attached, and at the end the
surveyor what bytes are really there and who carried any. Nothing else is looked at. A rule that found nothing to look at says
so: no news is no success.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from storcert.harness.contract import Allowance, Capabilities, Policy, constrain
from storcert.harness.record.event import Event

MAKING = frozenset(("create", "stream", "download", "device-copy", "snapshot", "clone"))
_FACTS = frozenset(
    (
        "topology", "device", "object", "placement", "resized", "purpose", "pin", "unpin", "capacity", "job", "plan", "grant",
        "revoke", "command", "verified", "attached", "detached", "reconciled", "lost", "swept", "fault", "survey", "traffic",
        "delivered", "end", "crash",
    )
)


@dataclass(frozen=True, slots=True)
class Fact:
    """``at``: the location that told it, empty for the catalogue and the kit. ``number``: its place in the journal."""

    number: int
    time_ns: int
    at: str
    sort: str
    value: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Broken:
    """``rule`` is broken: ``text`` says how, ``time_ns`` when."""

    rule: str
    text: str
    time_ns: int


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule came to: ``looked_at`` counts the facts it judged; none means nothing was decided."""

    rule: str
    looked_at: int
    broken: tuple[Broken, ...] = field(default=())


def facts_of(events: Iterable[Event]) -> list[Fact]:
    """The facts in a journal, in order."""
    found = []
    for number, event in enumerate(events):
        if event.kind in _FACTS:
            value = json.loads(event.text) if event.text else {}
            found.append(Fact(number, event.time_ns, event.location, event.kind, value))
    return found


Rule: TypeAlias = Callable[[list[Fact]], Iterator[tuple[int, str] | None]]
"""Yields ``None`` for each thing looked at, and (time, text) for each that breaks the rule."""

RULES: dict[str, Rule] = {}


def rule(identity: str) -> Callable[[Rule], Rule]:
    """Register a checker under the rule it decides."""

    def add(function: Rule) -> Rule:
        RULES[identity] = function
        return function

    return add


def devices_in(facts: list[Fact]) -> dict[str, tuple[Policy, Allowance]]:
    found = {}
    for fact in facts:
        if fact.sort == "device":
            policy = Policy.from_json(fact.value["policy"])
            found[fact.value["name"]] = policy, constrain(Capabilities.from_json(fact.value["capabilities"]), policy)
    return found


def places_in(facts: list[Fact]) -> dict[str, tuple[str, str, str]]:
    """Kind, zone and cluster of each location."""
    for fact in facts:
        if fact.sort == "topology":
            return {name: (kind, zone, cluster) for name, kind, zone, cluster in fact.value["places"]}
    return {}


def sent(facts: list[Fact]) -> Iterator[Fact]:
    return (fact for fact in facts if fact.sort == "command" and fact.value["event"] == "sent")


def touched_by(command: Mapping[str, Any]) -> list[tuple[str, str, bool]]:
    """Device, object and whether the command changes it there."""
    verb = command["verb"]
    if verb == "stream":
        return [
            (command["source_device"], command["source"], False), (command["target_device"], command["target"], True)
        ]
    if "device" not in command:
        return []
    changes = verb in MAKING or verb in ("delete", "revert")
    name = command.get("target") or command.get("uri") or command.get("volume") or ""
    return [(command["device"], name, changes)]

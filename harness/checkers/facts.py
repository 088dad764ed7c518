"""What the checkers of the L- rules share: facts, as the journal of a run tells them, and what a rule came to.

The catalogue tells what it changed, management servers which commands they sent, agents what they attached, the kernel who
crashed, and at the end the surveyor what bytes are really there and who carried any. Nothing else is looked at.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from storcert.harness.record.event import Event

MAKING = frozenset(("create", "stream", "download", "device-copy", "snapshot", "clone", "receive"))


class Fact(NamedTuple):
    """``at``: the location that told it, empty for the catalogue and the kit. A tuple: a long run makes millions."""

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
    """What one rule came to: ``looked_at`` counts the facts it judged; none means nothing was decided. ``more``: how often it
    was broken beyond what ``broken`` holds."""

    rule: str
    looked_at: int
    broken: tuple[Broken, ...] = field(default=())
    more: int = 0


def fact_of(event: Event) -> Fact:
    """The fact in an event of a stored journal. Raises ``ValueError`` for text that is not JSON."""
    return Fact(event.time_ns, event.location, event.kind, json.loads(event.text) if event.text else {})


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

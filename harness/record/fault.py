"""Faults as data: what goes wrong, where, at which request, in which phase. Can be saved, edited, shrunk and replayed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self


class Phase(StrEnum):
    """When a fault strikes, seen from the effect of the request on the device."""

    BEFORE = "before"
    DURING = "during"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of a fault schedule.

    ``kind``: a legal fault of the device, by name, or ``crash`` (the calling location dies). ``operation``: the device's
    own request name (``PutObject``), or ``*``. ``nth``: the first matching request it strikes, counted from 1 since the
    schedule was armed. ``count``: how many matching requests in a row; 0 means every one from then on. ``value``: bytes
    for a cut, nanoseconds for a delay or an outage. ``location``: name of the calling location, or ``*``.
    """

    kind: str
    operation: str = "*"
    nth: int = 1
    phase: Phase = Phase.BEFORE
    count: int = 1
    value: int = 0
    location: str = "*"

    def matches(self, operation: str, location: str) -> bool:
        """Whether a request of this name from this location counts for this fault."""
        return self.operation in ("*", operation) and self.location in ("*", location)

    def strikes(self, ordinal: int) -> bool:
        """Whether the ``ordinal``-th matching request (from 1) is struck."""
        return ordinal >= self.nth and (self.count == 0 or ordinal < self.nth + self.count)

    def to_json(self) -> dict[str, Any]:
        """Only the fields that differ from their defaults, ``kind`` always."""
        value: dict[str, Any] = {"kind": self.kind}
        for name in ("operation", "nth", "phase", "count", "value", "location"):
            item = getattr(self, name)
            if item != _DEFAULTS[name]:
                value[name] = str(item) if name == "phase" else item
        return value

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Inverse of :meth:`to_json`. Raises ``TypeError`` for an unknown field, ``ValueError`` for a bad phase."""
        fields = dict(value)
        if "phase" in fields:
            fields["phase"] = Phase(fields["phase"])
        return cls(**fields)

    def __str__(self) -> str:
        times = "" if self.count == 1 else " and all later ones" if self.count == 0 else f" and {self.count - 1} more"
        amount = f" value={self.value}" if self.value else ""
        who = "" if self.location == "*" else f" from {self.location}"
        return f"{self.kind} {self.phase} {self.operation} #{self.nth}{times}{who}{amount}"


_DEFAULTS: Mapping[str, Any] = {
    "operation": "*", "nth": 1, "phase": Phase.BEFORE, "count": 1, "value": 0, "location": "*",
}

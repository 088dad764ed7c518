"""One entry of a run's journal: what happened, where and when. A value; nothing here knows the kernel."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """``time_ns``: simulated Unix time; ``location``: where (``""`` for the kit and the devices); ``kind``: what sort of
    thing happened, a short word; ``text``: the rest, for people. Nothing that differs between two runs of one seed (an
    address, a wall-clock time, a path of this machine) may stand in it: the digest of the run covers every field."""

    time_ns: int
    location: str
    kind: str
    text: str

    def to_json(self) -> dict[str, Any]:
        """All four fields, by name."""
        return {"time_ns": self.time_ns, "location": self.location, "kind": self.kind, "text": self.text}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Inverse of :meth:`to_json`. Raises ``TypeError`` for an unknown or missing field."""
        return cls(**value)

    def to_bytes(self) -> bytes:
        """The form that digests read: the same on every platform, and no two events share it."""
        return as_bytes(self.time_ns, self.location, self.kind, self.text)


_TIME_AND_LENGTH = struct.Struct("<qI").pack
_LENGTH = struct.Struct("<I").pack


def as_bytes(time_ns: int, location: str, kind: str, text: str) -> bytes:
    """:meth:`Event.to_bytes` of an event that need not be made for it."""
    where = location.encode("utf-8", "surrogatepass")  # a driver may put a lone surrogate into a name
    what = kind.encode("utf-8", "surrogatepass")
    rest = text.encode("utf-8", "surrogatepass")
    return b"".join(
        (_TIME_AND_LENGTH(time_ns, len(where)), where, _LENGTH(len(what)), what, _LENGTH(len(rest)), rest)
    )

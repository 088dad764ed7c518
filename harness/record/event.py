"""One entry of a run's journal: what happened, where and when. A value; nothing here knows the kernel."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Mapping, Sequence
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


def as_bytes(entries: Sequence[tuple[int, str, str, str]]) -> bytes:
    """Events, each as its four fields, in the form that digests read: the same on every platform, and no two sequences share
    it. First how many there are and their times, then how long all other fields are, then those, one after another."""
    times, places, kinds, texts = zip(*entries, strict=True) if entries else ((), (), (), ())
    words = (*places, *kinds, *texts)
    numbers, lengths = array("q", (len(entries), *times)), array("I", map(len, words))
    if sys.byteorder == "big":
        numbers.byteswap()
        lengths.byteswap()
    # A driver may put a lone surrogate into a name.
    return b"".join((numbers.tobytes(), lengths.tobytes(), "".join(words).encode("utf-8", "surrogatepass")))

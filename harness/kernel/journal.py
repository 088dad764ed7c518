"""The journal of a world: what the kit, the devices and the kernel thought worth telling, in the order it happened."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from storcert.harness.record.event import Event, as_bytes


class Journal:
    """Append-only list of :class:`Event`. Everything in it is part of the run's digest."""

    __slots__ = ("_entries", "_hash", "_hashed", "_now_ns", "_sealed")

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._entries: list[tuple[int, str, str, str]] = []  # events are made of them when asked for: most never are
        self._hash = hashlib.blake2b(digest_size=32)
        self._hashed = 0
        self._sealed = False

    def record(self, kind: str, location: str, text: str) -> None:
        """Append an event at the current virtual time, unless sealed. ``location``: a location's name, or ``""``."""
        if not self._sealed:
            self._entries.append((self._now_ns(), location, kind, text))

    def seal(self) -> None:
        """The world is over: what its dying code still does is no part of the run."""
        self._sealed = True

    @property
    def events(self) -> tuple[Event, ...]:
        """All events so far."""
        return tuple(Event(*entry) for entry in self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def digest(self) -> bytes:
        """32 bytes over all events so far. Each event is hashed once, however often this is asked."""
        for entry in self._entries[self._hashed :]:
            self._hash.update(as_bytes(*entry))
        self._hashed = len(self._entries)
        return self._hash.digest()

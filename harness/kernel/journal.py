"""The journal of a world: what the kit, the devices and the kernel thought worth telling, in the order it happened.

Whoever wants to know something at once listens (:meth:`Journal.listen`). What has been told and hashed need not be kept: a
journal with ``keep`` set holds the last events only, and its digest is the same to the byte.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from storcert.harness.record.event import Event, as_bytes

Listener: TypeAlias = Callable[[int, str, str, str, "Mapping[str, Any] | None"], object]
"""Called with time_ns, location, kind, text, and the value the text was made of, where there is one. What it raises comes out
of :meth:`Journal.record`, in the middle of whatever was going on: a listener had better not."""
_BLOCK = 512
"""So many events are hashed at once, and so many more than are to be kept may gather before they are dropped."""


class Journal:
    """Events in the order of recording. Everything ever recorded is part of the run's digest.

    ``keep``: how many of the last events :attr:`events` gives; ``None``: all. Raises ``ValueError`` for less than none.
    """

    __slots__ = (
        "_dropped", "_entries", "_hash", "_hashed", "_limit", "_listeners", "_now_ns", "_of_all", "_sealed", "keep",
    )

    def __init__(self, now_ns: Callable[[], int], keep: int | None = None) -> None:
        if keep is not None and keep < 0:
            raise ValueError(f"a journal keeps all events (None), or so many of the last, not {keep}")
        self.keep = keep
        self._now_ns = now_ns
        self._entries: list[tuple[int, str, str, str]] = []  # events are made of them when asked for: most never are
        self._limit = None if keep is None else keep + _BLOCK
        self._dropped = 0
        self._hash = hashlib.blake2b(digest_size=32)
        self._hashed = 0
        self._listeners: dict[str, list[Listener]] = {}
        self._of_all: list[Listener] = []  # for kinds that nobody listens to by name
        self._sealed = False

    def record(self, kind: str, location: str, text: str, value: Mapping[str, Any] | None = None) -> None:
        """Append an event at the current virtual time, unless sealed. ``location``: a location's name, or ``""``. ``value``:
        what ``text`` is the JSON of, for listeners; nobody may change it afterwards."""
        if self._sealed:
            return
        now_ns = self._now_ns()
        self._entries.append((now_ns, location, kind, text))
        if self._limit is not None and len(self._entries) >= self._limit:
            self._drop()
        for listener in self._listeners.get(kind, self._of_all):
            listener(now_ns, location, kind, text, value)

    def listen(self, kinds: Iterable[str], listener: Listener) -> None:
        """Have ``listener`` called for each event of these kinds from now on, in the order of listening."""
        for kind in kinds:
            self._listeners.setdefault(kind, list(self._of_all)).append(listener)

    def listen_to_all(self, listener: Listener) -> None:
        """Have ``listener`` called for each event from now on; the length of the journal is then its number, from 1."""
        for listeners in (self._of_all, *self._listeners.values()):
            listeners.append(listener)

    def seal(self) -> None:
        """The world is over: what its dying code still does is no part of the run."""
        self._sealed = True

    @property
    def events(self) -> tuple[Event, ...]:
        """All events so far, or the last :attr:`keep` of them."""
        held = self._entries
        if self.keep is not None:
            held = held[max(0, len(held) - self.keep) :]
        return tuple(Event(*entry) for entry in held)

    def __len__(self) -> int:
        """How many events there were, kept or not."""
        return self._dropped + len(self._entries)

    def digest(self) -> bytes:
        """32 bytes over all events so far, independent of when it is asked for."""
        self._hash_blocks()
        rest = self._hash.copy()
        rest.update(as_bytes(self._entries[self._hashed :]))
        return rest.digest()

    def _hash_blocks(self) -> None:
        """What has gathered, in blocks that begin at every so many-th event: one at a time would cost ten times as much."""
        while len(self._entries) - self._hashed >= _BLOCK:
            self._hash.update(as_bytes(self._entries[self._hashed : self._hashed + _BLOCK]))
            self._hashed += _BLOCK

    def _drop(self) -> None:
        self._hash_blocks()
        assert self.keep is not None
        going = min(self._hashed, len(self._entries) - self.keep)
        del self._entries[:going]
        self._dropped += going
        self._hashed -= going

"""The running digest over every event a kernel processed: its time and its order number, in sequence.

The order number names the event (it is unique), so any difference in what was scheduled, when, or in which sequence shows.
Numbers are gathered in an array and hashed in batches, little-endian on every platform.
"""

from __future__ import annotations

import hashlib
import sys
from array import array


class Fingerprint:
    """``note`` is called twice per event, with its time and its order number: it is the bare ``append`` of an array."""

    __slots__ = ("_hash", "_trail", "note")

    def __init__(self) -> None:
        self._trail = array("Q")
        self._hash = hashlib.blake2b(digest_size=32)
        self.note = self._trail.append

    def __len__(self) -> int:
        """How many numbers wait to be hashed."""
        return len(self._trail)

    def forget_last(self) -> None:
        """Take back the last event: it was a marker that only stopped the run."""
        del self._trail[-2:]

    def flush(self) -> None:
        """Hash what has gathered."""
        trail = self._trail
        if sys.byteorder == "big":
            trail = array("Q", trail)
            trail.byteswap()
        self._hash.update(trail)
        del self._trail[:]

    def digest(self) -> bytes:
        """32 bytes over all events so far; independent of when batches were hashed."""
        self.flush()
        return self._hash.digest()

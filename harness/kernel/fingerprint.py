"""The running digest over every event a kernel processed: its time and its order number, in sequence.

The order number names the event (it is unique), so any difference in what was scheduled, when, or in which sequence shows.
Numbers gather in a list and are hashed in batches, as 64-bit little-endian on every platform.
"""

from __future__ import annotations

import hashlib
import sys
from array import array

_FLUSH_AT = 4_096


class Fingerprint:
    """The loop appends two numbers per event to ``trail``, and calls :meth:`flush_if_long` now and then."""

    __slots__ = ("_hash", "trail")

    def __init__(self) -> None:
        self.trail: list[int] = []
        self._hash = hashlib.blake2b(digest_size=32)

    def forget_last(self) -> None:
        """Take back the last event: it was a marker that only stopped the run."""
        del self.trail[-2:]

    def flush_if_long(self) -> None:
        """Hash what has gathered, if it is worth it."""
        if len(self.trail) >= _FLUSH_AT:
            self._flush()

    def _flush(self) -> None:
        numbers = array("Q", self.trail)
        if sys.byteorder == "big":
            numbers.byteswap()
        self._hash.update(numbers)
        self.trail.clear()

    def digest(self) -> bytes:
        """32 bytes over all events so far; independent of when batches were hashed."""
        self._flush()
        return self._hash.digest()

"""Named random streams: one root seed, one independent generator per name.

One more draw in one place never moves what another place draws, so a change to a device does not reshuffle a workload.
"""

from __future__ import annotations

import hashlib
import random


class RandomStreams:
    """The streams of one world. The same name gives the same generator, which goes on where it stopped."""

    __slots__ = ("_seed", "_streams")

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._streams: dict[str, random.Random] = {}

    def stream(self, name: str) -> random.Random:
        """The generator called ``name``: seeded with the SHA-256 of the root seed and the name, made at first use."""
        found = self._streams.get(name)
        if found is None:
            found = self._streams[name] = self.new(name)
        return found

    def new(self, name: str) -> random.Random:
        """A generator as :meth:`stream` gives it for the first time, for somebody who keeps it himself."""
        return random.Random(derive(self._seed, name))


def derive(seed: int, name: str) -> int:
    """A 256-bit seed for ``name`` under ``seed``; the same on every platform and Python."""
    digest = hashlib.sha256(b"%d\0" % seed + name.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest, "little")

"""How long bytes take: latency with a little seeded jitter, bandwidth, and how often packets go astray. Integers
only."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

NS_PER_S = 1_000_000_000
CHANCE_BITS = 20
"""Chances are integers: so many of 2**20."""


def chance(per_million: int) -> int:
    """``per_million`` as so many of 2**20."""
    return (per_million << CHANCE_BITS) // 1_000_000


def happens(per_million: int, stream: Random) -> bool:
    """One draw of something that happens so often."""
    return stream.getrandbits(CHANCE_BITS) < chance(per_million)


@dataclass(frozen=True, slots=True)
class Link:
    """One path between clients and a device, or between two locations.

    ``one_way_ns``: delay of an empty message. ``jitter_percent``: each delay is stretched by up to so much.
    ``up_bytes_per_s`` towards the device, ``down_bytes_per_s`` back. ``window_bytes``: how much of an answer's body is
    on its way before the client reads it.

    ``lost_per_million`` packets never arrive: TCP sends them again, a datagram is gone. ``late_per_million`` messages
    come ``late_ns`` later than they would, so that others overtake them. ``twice_per_million`` datagrams come twice;
    a TCP stream delivers each byte once, whatever its packets do. Between two locations ``up`` is from the first
    named one.
    """

    one_way_ns: int = 200_000
    jitter_percent: int = 10
    up_bytes_per_s: int = 65_000_000
    down_bytes_per_s: int = 300_000_000
    window_bytes: int = 256 * 1024
    lost_per_million: int = 0
    late_per_million: int = 0
    late_ns: int = 5_000_000
    twice_per_million: int = 0

    @property
    def orderly(self) -> bool:
        """Nothing is lost, late or doubled on it."""
        return not (self.lost_per_million or self.late_per_million or self.twice_per_million)

    @property
    def loss_chance(self) -> int:
        """How many of 2**20 packets are lost."""
        return chance(self.lost_per_million)

    def stretched_ns(self, duration_ns: int, stream: Random) -> int:
        """``duration_ns`` with jitter from ``stream``."""
        spread = duration_ns * self.jitter_percent // 100
        # One word of the stream and integer arithmetic: the same number on every machine, and cheaper than randrange.
        return duration_ns + (spread * stream.getrandbits(16) >> 16)

    def up_ns(self, size_bytes: int) -> int:
        """Time ``size_bytes`` take towards the device."""
        return size_bytes * NS_PER_S // self.up_bytes_per_s

    def down_ns(self, size_bytes: int) -> int:
        """Time ``size_bytes`` take back to the client."""
        return size_bytes * NS_PER_S // self.down_bytes_per_s

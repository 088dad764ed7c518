"""How long bytes take: latency with a little seeded jitter, and bandwidth. Integer nanoseconds only."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Link:
    """One path between clients and a device.

    ``one_way_ns``: delay of an empty message. ``jitter_percent``: each delay is stretched by up to so much.
    ``up_bytes_per_s`` towards the device, ``down_bytes_per_s`` back. ``window_bytes``: how much of an answer's body is
    on its way before the client reads it.
    """

    one_way_ns: int = 200_000
    jitter_percent: int = 10
    up_bytes_per_s: int = 65_000_000
    down_bytes_per_s: int = 300_000_000
    window_bytes: int = 256 * 1024

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

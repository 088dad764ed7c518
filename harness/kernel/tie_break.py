"""Which of several events at one instant comes first: the second field of a heap entry.

An order number is 64 bits: four for the priority, sixty for a key that is unique in the heap. First-come keys count up. Seeded
keys carry 24 random bits above a 36-bit counter: the seed decides between events of one instant and one priority, and two
keys are equal only if one event waits in the heap while 2**36 others come and go.

Urgent events (SimPy: a process starts, a process is interrupted) are first-come under every setting: SimPy relies on a
process starting before it is interrupted.
"""

from __future__ import annotations

import itertools
import random
import sys
from array import array
from collections.abc import Iterator
from typing import Literal

from storcert.harness.kernel.random_streams import derive

TieBreak = Literal["seeded", "fifo"]

KEY_BITS = 60
URGENT_BASE = 1 << KEY_BITS
"""Below it: markers that stop a run, before everything else at their instant."""
NORMAL_BASE = 2 << KEY_BITS
PRIORITY_MIN, PRIORITY_MAX = -1, 14

_BLOCK = 256
_COUNTER_BITS = 36
# One number holds a whole block of 64-bit lanes, so that a block of keys is made by a few operations on big integers.
_ONES = sum(1 << 64 * lane for lane in range(_BLOCK))
_LANES = sum(lane << 64 * lane for lane in range(_BLOCK))
_RANDOM_MASK = _ONES * (((1 << KEY_BITS - _COUNTER_BITS) - 1) << _COUNTER_BITS)
_NORMAL = _ONES * NORMAL_BASE


def normal_orders(seed: int, tie_break: TieBreak) -> Iterator[int]:
    """Order numbers of normal events. Raises ``ValueError`` for an unknown ``tie_break``."""
    if tie_break == "fifo":
        return itertools.count(NORMAL_BASE)
    if tie_break == "seeded":
        return itertools.chain.from_iterable(_blocks(seed))
    raise ValueError(f'tie_break must be "seeded" or "fifo", not {tie_break!r}')


def of_priority(normal_order: int, priority: int) -> int:
    """The order number of an event of any priority, from the one it would have had as a normal event."""
    if not PRIORITY_MIN <= priority <= PRIORITY_MAX:
        raise ValueError(f"priority must be {PRIORITY_MIN}..{PRIORITY_MAX}, not {priority}")
    return normal_order + ((priority - 1) << KEY_BITS)


def _blocks(seed: int) -> Iterator[list[int]]:
    draw = random.Random(derive(seed, "kernel/tie-break")).getrandbits
    counter_span = 1 << _COUNTER_BITS
    start = 0
    while True:
        lanes = draw(64 * _BLOCK) & _RANDOM_MASK | (_LANES + start * _ONES) | _NORMAL
        block = array("Q", lanes.to_bytes(8 * _BLOCK, "little"))
        if sys.byteorder == "big":
            block.byteswap()
        yield block.tolist()
        start = (start + _BLOCK) % counter_span

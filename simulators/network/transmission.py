"""What TCP makes of packets that do not arrive: how long it waits, how often it tries, when it gives up. Pure
arithmetic.

Linux: the first retransmission after 200 ms, each later one after twice as long up to 120 s; the connection is given up
after 15 of them, 924.6 s after the first try. A socket whose owner closed it goes on for 8.
[docs.kernel.org/networking/ip-sysctl: tcp_retries2, tcp_orphan_retries; RFC 6298 sections 2 and 5]
"""

from __future__ import annotations

from random import Random

from storcert.simulators.network.link import CHANCE_BITS

RETRANSMIT_FIRST_NS = 200_000_000
RETRANSMIT_LONGEST_NS = 120 * 1_000_000_000
TRIES_MAX = 15
ORPHAN_TRIES_MAX = 8
SEGMENT_BYTES = 1_448
"""Payload of a TCP segment on Ethernet with time stamps."""


def pause_ns(tries: int) -> int:
    """How long TCP waits before it sends again, after ``tries`` retransmissions (0: after the first sending)."""
    return min(RETRANSMIT_FIRST_NS << min(tries, 20), RETRANSMIT_LONGEST_NS)


def held_back_ns(losses: int) -> int | None:
    """The delay of a segment that is lost ``losses`` times in a row; ``None`` where TCP gives up before."""
    if losses > TRIES_MAX:
        return None
    return sum(pause_ns(tries) for tries in range(losses))


GIVEN_UP_AFTER_NS = sum(pause_ns(tries) for tries in range(TRIES_MAX + 1))


def losses_in_a_row(chance: int, stream: Random) -> int:
    """How often one segment is lost before it gets through, where ``chance`` of 2**20 are lost; more than TCP stands
    at most."""
    losses = 0
    while losses <= TRIES_MAX and stream.getrandbits(CHANCE_BITS) < chance:
        losses += 1
    return losses


def loss_delay_ns(size_bytes: int, chance: int, round_trip_ns: int, stream: Random) -> int | None:
    """What losses add to the time a message of ``size_bytes`` takes; ``None`` where the connection is given up.

    Only the last segment waits for the timer: nothing follows it that could tell the receiver of the gap. A loss in
    the middle is repaired a round trip later, and all losses of one window at once, so at most one round trip per ten
    segments is counted.
    """
    delay_ns = held_back_ns(losses_in_a_row(chance, stream))
    if delay_ns is None:
        return None
    inner = size_bytes // SEGMENT_BYTES
    if inner:
        lost, rest = divmod(inner * chance, 1 << CHANCE_BITS)
        if stream.getrandbits(CHANCE_BITS) < rest:
            lost += 1
        delay_ns += min(lost, inner // 10 + 1) * round_trip_ns
    return delay_ns

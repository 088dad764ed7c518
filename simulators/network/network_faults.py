"""What a network can do to one request, as data: may be armed on every wire, and strikes between the calling location
and the device.

A device that wants the kit to try them on every request takes them into its own ``legal_faults``. What they mean, and
what lasting conditions of a network there are besides (``set_link``, ``set_port``, ``partition``), stands in
``topology``.

Not modelled, and why:

- bytes that change on the way: checksums are TCP's and the file formats' affair; a driver sees a connection that breaks.
- names that do not resolve, addresses that move, connections that a NAT forgets: to a client each is a connection that cannot
  be had or falls silent, which partitions and lost requests give already.
- packets too large for a part of the way (MTU): small requests pass and large ones hang; a partition of one direction shows a
  client the same silence.
"""

from __future__ import annotations

from storcert.harness.record.fault import Phase
from storcert.simulators.device import FaultKind

_BEFORE = (Phase.BEFORE,)
_BOTH = (Phase.BEFORE, Phase.AFTER)
_ANY = ("*",)
_TCP = "RFC 9293, RFC 6298; docs.kernel.org/networking/ip-sysctl (tcp_retries2)"
_SHAPES = "Jepsen's partition nemeses; FoundationDB's clogging; " + _TCP

NETWORK_FAULTS: tuple[FaultKind, ...] = (
    FaultKind("partition", _BOTH, _ANY, "ns, 0 until healed", "no packet passes, either way, from now on", _SHAPES),
    FaultKind("partition_to_device", _BOTH, _ANY, "ns, 0 until healed", "no packet passes to the device", _SHAPES),
    FaultKind("partition_from_device", _BOTH, _ANY, "ns, 0 until healed", "no packet passes from the device", _SHAPES),
    FaultKind("packet_loss", _BOTH, _ANY, "times in a row; over 15 TCP gives up", "a packet is lost so often", _TCP),
    FaultKind("reorder", _BEFORE, _ANY, "ns", "requests of other connections overtake this one",
              "RFC 9293: order is kept within one connection only"),
)

DATAGRAM_FAULTS: tuple[FaultKind, ...] = (
    FaultKind("duplicate", _BEFORE, _ANY, "ns", "the datagram comes twice, the second time so much later",
              "RFC 768: UDP does not guard against duplicates; RFC 1813 section 4.1 on retransmitted calls"),
)


def faults_of(transport: str) -> tuple[FaultKind, ...]:
    """What may happen on a transport. TCP delivers each byte once: nothing comes twice there."""
    return NETWORK_FAULTS + DATAGRAM_FAULTS if transport == "datagram" else NETWORK_FAULTS

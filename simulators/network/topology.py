"""The network of a world: who is connected how, who is cut off from whom, and the one way everything takes to get
across.

Every wire of a world belongs to its network, and so do messages between locations. Endpoints are named as locations
and devices are; a name nobody spoke of has the default link, no ports and no partition, and costs nothing: a zone of
a thousand hosts is a thousand names. While nothing but defaults is set, ``plain`` says so and wires do not ask at all.

Fault model. What a network does, and no more:

- **partition**, two-way or one-way, per pair, or all of one endpoint. No packet passes in the shut direction. TCP
  holds what was sent back and sends it again (``transmission``): it arrives late when the partition ends in time,
  also if the client has given up meanwhile, and never where it does not. Datagrams are gone. Connections are taken as
  established before (the worse case: a request can have its effect with no way back for the answer); where a client
  says how long it waits for a connection, a new one is meant, and it fails without effect if either direction is shut.
- **loss** (``Link.lost_per_million``): a delay for TCP, and the end of the connection after 15 retransmissions; the
  end of a datagram.
- **reordering** (``Link.late_per_million``): messages of different connections overtake each other; one TCP
  connection never does.
- **duplication** (``Link.twice_per_million``): of datagrams only.
- **congestion**: flows through one :class:`Port` share it, max-min fair (``flows``).
- bytes that arrive are the bytes that were sent: checksums are TCP's and the file formats' business, not modelled.

Sources: docs.kernel.org/networking/ip-sysctl; RFC 9293 (TCP delivers each byte once and in order), RFC 768 (UDP:
duplicates and order not guarded), RFC 6298; Jepsen's nemeses and FoundationDB's clogging for the shapes of partitions.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from storcert.simulators.network.flows import FlowTable, Port
from storcert.simulators.network.ledger import Ledger, of_messages, of_requests, of_sums
from storcert.simulators.network.link import NS_PER_S, Link, happens
from storcert.simulators.network.partitions import Partitions
from storcert.simulators.network.transmission import (
    GIVEN_UP_AFTER_NS,
    ORPHAN_TRIES_MAX,
    TRIES_MAX,
    loss_delay_ns,
    pause_ns,
)

if TYPE_CHECKING:
    from random import Random

    from storcert.harness.kernel.loop import Kernel
    from storcert.simulators.network.messages import Messages
    from storcert.simulators.network.wire import Wire

_SINGLE = "network"


class Network:
    """Made by :func:`network_of`, once per kernel. ``default``: the link of pairs nobody spoke of. ``keep``: how many of the
    last messages, and requests of each wire, are kept; ``None`` for all."""

    def __init__(self, kernel: Kernel, keep: int | None = None) -> None:
        self.kernel = kernel
        self.keep = keep
        self.default = Link()
        self.plain = True
        self.flows = FlowTable(kernel)
        self.wires: list[Wire] = []
        self._partitions = Partitions()
        self._links: dict[tuple[str, str], Link] = {}
        self._ports: dict[str, tuple[Port | None, Port | None]] = {}
        self._stream: Random = kernel.stream("network")
        self._messages: Messages | None = None

    # -- what it consists of

    def set_link(self, one: str, other: str, link: Link) -> None:
        """Connect the two so, in both directions; ``up`` is from ``one`` to ``other``."""
        self._links[one, other] = link
        self._note_changes()

    def link(self, source: str, destination: str, default: Link | None = None) -> tuple[Link, bool]:
        """The link of a pair, and whether ``source`` is at its lower end; ``default`` where none was set."""
        found = self._links.get((source, destination))
        if found is not None:
            return found, True
        found = self._links.get((destination, source))
        if found is not None:
            return found, False
        return default or self.default, True

    def set_port(self, name: str, *, out_bytes_per_s: int = 0, in_bytes_per_s: int = 0) -> None:
        """All that ``name`` sends, or receives, shares so much; 0: no limit of its own."""
        self._ports[name] = (
            Port(f"{name} out", out_bytes_per_s) if out_bytes_per_s else None,
            Port(f"{name} in", in_bytes_per_s) if in_bytes_per_s else None,
        )
        self._note_changes()

    def ports(self, source: str, destination: str) -> tuple[Port, ...]:
        """The shared ports between two endpoints."""
        nothing = (None, None)
        between = (self._ports.get(source, nothing)[0], self._ports.get(destination, nothing)[1])
        return tuple(port for port in between if port is not None)

    @property
    def messages(self) -> Messages:
        """Messages between locations."""
        if self._messages is None:
            from storcert.simulators.network.messages import Messages

            self._messages = Messages(self)
        return self._messages

    def join(self, wire: Wire) -> None:
        """A device's wire belongs to this network."""
        self.wires.append(wire)
        self._note_changes()

    # -- partitions

    def partition(self, one: str | Iterable[str], other: str | Iterable[str]) -> None:
        """Nothing passes between the two, or between any two of two groups, either way."""
        for first in _names(one):
            for second in _names(other):
                self._partitions.shut(first, second)
                self._partitions.shut(second, first)
        self._note_changes()

    def partition_one_way(self, source: str | Iterable[str], destination: str | Iterable[str]) -> None:
        """Nothing passes from ``source`` to ``destination``; the way back is open."""
        for first in _names(source):
            for second in _names(destination):
                self._partitions.shut(first, second)
        self._note_changes()

    def isolate(self, name: str) -> None:
        """Nothing passes from or to ``name``."""
        self._partitions.isolate(name)
        self._note_changes()

    def heal(self, one: str | None = None, other: str | None = None) -> None:
        """Everything passes again: between the two, from and to the one, or everywhere."""
        if one is None:
            self._partitions.clear()
        elif other is None:
            self._partitions.rejoin(one)
        else:
            self._partitions.open(one, other)
            self._partitions.open(other, one)
        self._note_changes()

    def blocks(self, source: str, destination: str) -> bool:
        """Whether no packet passes from ``source`` to ``destination``."""
        return self._partitions.blocks(source, destination)

    def joined(self, one: str, other: str) -> bool:
        """Whether a connection can be opened between the two: that takes both directions."""
        return not (self.blocks(one, other) or self.blocks(other, one))

    def _note_changes(self) -> None:
        disorderly = any(not wire.link.orderly for wire in self.wires)
        self.plain = not (self._partitions or self._links or self._ports or disorderly)
        self.flows.change()

    # -- getting across

    def carry(
        self, source: str, destination: str, size_bytes: int, bytes_per_s: int, done: Callable[[], None],
        wanted: Callable[[], bool] | None = None,
    ) -> Callable[[], int] | None:
        """Let ``size_bytes`` leave ``source``: at most so fast, sharing the ports on their way. ``done`` is called
        when the last has left.

        Where ports are shared, gives a function that says how much is left, to see whether anything moves.
        """
        ports = self.ports(source, destination)
        if not ports or not size_bytes:
            duration_ns = size_bytes * NS_PER_S // bytes_per_s
            if duration_ns:
                self.kernel.after(duration_ns, done)
            else:
                done()
            return None
        flow = self.flows.start(
            size_bytes, ports, bytes_per_s, done, held_up=lambda: self.blocks(source, destination), wanted=wanted)

        def left() -> int:
            self.flows.change()
            return flow.left

        return left

    def arrive(
        self, source: str, destination: str, link: Link, size_bytes: int, delay_ns: int, then: Callable[[], None], *,
        given_up: Callable[[], None], orphaned: Callable[[], bool], lives: Callable[[], bool],
    ) -> None:
        """What left ``source`` arrives after ``delay_ns`` and what losses and partitions make of it: ``then`` or
        ``given_up`` is called.

        ``orphaned``: whether the sender closed its end meanwhile; TCP then tries less often. ``lives``: whether the
        machine that sent it still does; nobody else would send it again.
        """
        stream = self._stream
        if link.lost_per_million:
            more_ns = loss_delay_ns(size_bytes, link.loss_chance, 2 * link.one_way_ns, stream)
            if more_ns is None:
                self.kernel.after(GIVEN_UP_AFTER_NS, given_up)
                return
            delay_ns += more_ns
        if link.late_per_million and happens(link.late_per_million, stream):
            delay_ns += link.late_ns
        self.kernel.after(delay_ns, _Arrival(self, source, destination, then, given_up, orphaned, lives).attempt)

    def datagram(self, source: str, destination: str, link: Link, delay_ns: int) -> tuple[int, ...]:
        """The delays of the copies of one datagram that get away: one, two or none. Whether the way is open when they
        come, the receiver asks."""
        if self.blocks(source, destination):
            return ()
        stream = self._stream
        delays: list[int] = []
        for _ in range(2 if link.twice_per_million and happens(link.twice_per_million, stream) else 1):
            if link.lost_per_million and happens(link.lost_per_million, stream):
                continue
            late_ns = link.late_ns if link.late_per_million and happens(link.late_per_million, stream) else 0
            delays.append(delay_ns + late_ns)
        return tuple(delays)

    # -- who carried what

    def ledger(self) -> Ledger:
        """Every object byte that passed so far, over all wires and messages; only who carried how many where not all of them
        are kept."""
        messages = self._messages
        if self.keep is not None:
            sums = [of_sums(wire.name, wire.log.sums) for wire in self.wires]
            sums += [of_sums(peer, one) for peer, one in sorted((messages.sums if messages is not None else {}).items())]
            return Ledger(tuple(itertools.chain.from_iterable(sums)), named=False)
        entries = [entry for wire in self.wires for entry in of_requests(wire.name, wire.requests)]
        if messages is not None:
            entries += of_messages(messages.log)
        return Ledger(tuple(entries))


class _Arrival:
    """What is on its way: it tries to get through until it does, or is given up. Closures that know each other would leave
    every message to the garbage collector."""

    __slots__ = ("_destination", "_given_up", "_lives", "_network", "_orphaned", "_source", "_then", "_tries")

    def __init__(
        self, network: Network, source: str, destination: str, then: Callable[[], None], given_up: Callable[[], None],
        orphaned: Callable[[], bool], lives: Callable[[], bool],
    ) -> None:
        self._network = network
        self._source = source
        self._destination = destination
        self._then = then
        self._given_up = given_up
        self._orphaned = orphaned
        self._lives = lives
        self._tries = 0

    def attempt(self) -> None:
        """At the destination, if the way is open."""
        network = self._network
        if not network.blocks(self._source, self._destination):
            self._then()
        elif self._tries >= (ORPHAN_TRIES_MAX if self._orphaned() else TRIES_MAX):
            self._given_up()
        else:
            network.kernel.after(pause_ns(self._tries), self._again)

    def _again(self) -> None:
        self._tries += 1
        if self._lives():
            self.attempt()
        else:
            self._given_up()


def network_of(kernel: Kernel, keep: int | None = None) -> Network:
    """The network of a world. Who asks first says how much of its logs is to be kept."""
    found: Network | None = kernel.singles.get(_SINGLE)
    if found is None:
        found = kernel.singles[_SINGLE] = Network(kernel, keep)
    return found


def _names(given: str | Iterable[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


"""Messages from location to location: reliable and in order as over one TCP connection per pair, or single datagrams.

What a message means is its users' affair. A location that is dead when a message arrives refuses it, as the machine
would that came up again without the connection; what a restarted location had not read yet is gone with its former
life.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from storcert.harness.kernel.exceptions import DeadlineExpired
from storcert.simulators.network.link import NS_PER_S

if TYPE_CHECKING:
    from simpy.events import Event

    from storcert.harness.kernel.location import Location
    from storcert.simulators.network.topology import Network

_SLACK = 256
"""So many more messages than are to be kept may gather before the oldest are dropped."""
Outcome = Literal["pending", "delivered", "refused", "lost"]


@dataclass(slots=True, eq=False)
class Sending:
    """One message under way or at its end. ``objects``: which object bytes are in it, by name; the ledger reads that.
    ``port``: which of the mailboxes of its destination it is for.

    ``outcome``: ``"refused"`` where nobody lived at the destination, ``"lost"`` where the network gave up. A sender
    does not learn it by itself: who needs to know asks for an answer.
    """

    source: str
    destination: str
    payload: Any
    size_bytes: int
    objects: tuple[tuple[str, int], ...] = ()
    outcome: Outcome = "pending"
    port: str = ""


@dataclass(slots=True)
class _Connection:
    """One direction of one pair: numbers for the order in which messages are handed over."""

    lives: tuple[int, int]
    sent: int = 0
    handed_over: int = 0
    arrived: dict[int, Sending | None] = field(default_factory=dict)


class Mailbox:
    """What has arrived at one location and was not read yet."""

    __slots__ = ("_epoch", "_letters", "_location", "_waiting")

    def __init__(self, location: Location) -> None:
        self._location = location
        self._epoch = location.epoch
        self._letters: deque[Sending] = deque()
        self._waiting: deque[Event] = deque()

    def __len__(self) -> int:
        self._forget_former_life()
        return len(self._letters)

    def receive(self, timeout_ns: int | None = None) -> Sending | None:
        """Inside a task there: the oldest message, waited for; ``None`` after ``timeout_ns``."""
        self._forget_former_life()
        while not self._letters:
            event = self._location.kernel.event()
            self._waiting.append(event)
            try:
                self._location.kernel.wait(event, timeout_ns, reason="message")
            except DeadlineExpired:
                if event in self._waiting:
                    self._waiting.remove(event)
                    return None
                # A letter came at the very instant at which patience ended, and was meant for this reader.
        return self._letters.popleft()

    def put(self, sending: Sending) -> None:
        """Called from the loop when a message arrived at a living location."""
        self._forget_former_life()
        self._letters.append(sending)
        if self._waiting:
            self._waiting.popleft().succeed()

    def _forget_former_life(self) -> None:
        if self._epoch != self._location.epoch:
            self._epoch = self._location.epoch
            self._letters.clear()
            self._waiting.clear()


class Messages:
    """All messages of a network. ``log``: every one, in the order of sending.

    Where the network does not keep all, ``log`` holds the last ones, and ``sums`` the object bytes that each location sent and
    received, by peer and location."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._mailboxes: dict[tuple[str, str], Mailbox] = {}
        self._listeners: dict[tuple[str, str], tuple[int, Callable[[Sending], None]]] = {}
        self._connections: dict[tuple[str, str], _Connection] = {}
        self.log: list[Sending] = []
        self.sums: dict[str, dict[str, list[int]]] = {}
        self._keep = network.keep

    def mailbox(self, location: Location, port: str = "") -> Mailbox:
        """The mailbox of a location, one for each port."""
        found = self._mailboxes.get((location.name, port))
        if found is None:
            found = self._mailboxes[location.name, port] = Mailbox(location)
        return found

    def listen(self, location: Location, port: str, hear: Callable[[Sending], None]) -> None:
        """Have ``hear`` called from the loop with what arrives at that port, as long as this life of the location lasts."""
        self._listeners[location.name, port] = location.epoch, hear

    def drop_mailbox(self, location: Location, port: str) -> None:
        """Nobody will read there again."""
        self._mailboxes.pop((location.name, port), None)

    def send(
        self, source: Location, destination: Location, payload: Any, size_bytes: int = 0, *,
        objects: tuple[tuple[str, int], ...] = (), port: str = "",
    ) -> Sending:
        """Reliable and in order: held back by losses and partitions, given up after the time TCP takes for that. Does
        not wait."""
        source.require_open()
        sending = Sending(source.name, destination.name, payload, size_bytes, objects, port=port)
        self._write_down(sending)
        network = self._network
        link, upwards = network.link(source.name, destination.name)
        connection = self._connection(source, destination)
        number, connection.sent = connection.sent, connection.sent + 1
        epoch, epoch_there = source.epoch, destination.epoch
        delay_ns = link.stretched_ns(link.one_way_ns, network.kernel.stream("network/messages"))

        def sender_lives() -> bool:
            return source.alive and source.epoch == epoch

        def left() -> None:
            network.arrive(
                source.name, destination.name, link, size_bytes, delay_ns, lambda: there(True),
                given_up=lambda: there(False), orphaned=lambda: False, lives=sender_lives,
            )

        def there(arrived: bool) -> None:
            connection.arrived[number] = sending if arrived else None
            if not arrived:
                sending.outcome = "lost"
            elif destination.epoch != epoch_there:
                connection.arrived[number] = None
                sending.outcome = "refused"
            self._hand_over(connection, destination)

        rate = link.up_bytes_per_s if upwards else link.down_bytes_per_s
        if network.plain:  # nothing shares the way or gets lost on it: whether it is open still then, is seen at its end
            delay_ns += size_bytes * NS_PER_S // rate
            left()
        else:
            network.carry(source.name, destination.name, size_bytes, rate, left, sender_lives)
        return sending

    def send_datagram(self, source: Location, destination: Location, payload: Any, size_bytes: int = 0) -> Sending:
        """One datagram, at most as large as UDP's: may be lost, come twice, or overtake others. Does not wait."""
        source.require_open()
        if size_bytes > 65_507:
            raise ValueError(f"a datagram holds at most 65507 bytes, not {size_bytes}")
        sending = Sending(source.name, destination.name, payload, size_bytes)
        self._write_down(sending)
        network = self._network
        link, upwards = network.link(source.name, destination.name)
        delay_ns = link.stretched_ns(link.one_way_ns, network.kernel.stream("network/messages"))
        delay_ns += link.up_ns(size_bytes) if upwards else link.down_ns(size_bytes)
        copies = network.datagram(source.name, destination.name, link, delay_ns)
        if not copies:
            sending.outcome = "lost"

        def there() -> None:
            if not network.blocks(source.name, destination.name):
                self._deliver(sending, destination)
            elif sending.outcome == "pending":
                sending.outcome = "lost"

        for copy_delay_ns in copies:
            network.kernel.after(copy_delay_ns, there)
        return sending

    def _write_down(self, sending: Sending) -> None:
        self.log.append(sending)
        if self._keep is None:
            return
        if sending.objects:
            self._count(sending.source, sending.destination, 0, sending)
        if len(self.log) >= self._keep + _SLACK:
            del self.log[: len(self.log) - self._keep]

    def _count(self, location: str, peer: str, way: int, sending: Sending) -> None:
        sums = self.sums.setdefault(peer, {}).setdefault(location, [0, 0])
        sums[way] += sum(size_bytes for _, size_bytes in sending.objects)

    def _connection(self, source: Location, destination: Location) -> _Connection:
        # A machine that was restarted opens a new connection, and needs one to be opened to it.
        lives = (source.epoch, destination.epoch)
        found = self._connections.get((source.name, destination.name))
        if found is None or found.lives != lives:
            found = self._connections[source.name, destination.name] = _Connection(lives)
        return found

    def _hand_over(self, connection: _Connection, destination: Location) -> None:
        while connection.handed_over in connection.arrived:
            sending = connection.arrived.pop(connection.handed_over)
            connection.handed_over += 1
            if sending is not None:
                self._deliver(sending, destination)

    def _deliver(self, sending: Sending, destination: Location) -> None:
        if not destination.alive:
            sending.outcome = "refused"
            return
        epoch, hear = self._listeners.get((destination.name, sending.port), (-1, None))
        if hear is not None and epoch != destination.epoch:
            sending.outcome = "refused"
            return
        sending.outcome = "delivered"
        if self._keep is not None and sending.objects:
            self._count(sending.destination, sending.source, 1, sending)
        if hear is not None:
            hear(sending)
            return
        self.mailbox(destination, sending.port).put(sending)

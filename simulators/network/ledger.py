"""Who carried which object bytes: sums over request logs and message logs. Pure functions; nothing is counted while a
world runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storcert.simulators.device import Request

if TYPE_CHECKING:
    from storcert.simulators.network.messages import Sending


def traffic(requests: Iterable[Request]) -> dict[str, tuple[int, int]]:
    """Body bytes sent and received, by location."""
    sums: dict[str, tuple[int, int]] = {}
    for request in requests:
        sent, received = sums.get(request.location, (0, 0))
        sums[request.location] = (sent + request.sent_bytes, received + request.received_bytes)
    return sums


@dataclass(frozen=True, slots=True, order=True)
class Carried:
    """Bytes of one object that passed one location: to or from ``peer`` (a device, or another location), in one
    ``operation``.

    ``name``: what the peer calls the object (the target of the request). Sent and received are seen from ``location``.
    """

    location: str
    peer: str
    operation: str
    name: str
    sent_bytes: int
    received_bytes: int

    @property
    def total_bytes(self) -> int:
        """Both directions."""
        return self.sent_bytes + self.received_bytes


@dataclass(frozen=True, slots=True)
class Ledger:
    """Every object byte that passed, in the order of sending per peer. Requests that moved none do not stand in it.

    ``named``: false where the requests were not kept. Then there is one entry for each location and peer, without operation
    and name, and to ask for bytes of one object raises ``ValueError``."""

    entries: tuple[Carried, ...]
    named: bool = True

    def at(self, location: str) -> tuple[Carried, ...]:
        """What that location sent and received."""
        return tuple(entry for entry in self.entries if entry.location == location)

    def bytes_seen(self, location: str, name: str | Callable[[str], bool] | None = None) -> int:
        """Object bytes seen at that location: of one object, of those whose names pass a test, or of all."""
        wanted = self._wanted(name)
        return sum(entry.total_bytes for entry in self.entries if entry.location == location and wanted(entry.name))

    def carriers(self, name: str | Callable[[str], bool] | None = None) -> dict[str, int]:
        """The locations that saw bytes of it, sorted, and how many."""
        wanted = self._wanted(name)
        sums: dict[str, int] = {}
        for entry in self.entries:
            if wanted(entry.name):
                sums[entry.location] = sums.get(entry.location, 0) + entry.total_bytes
        return dict(sorted(sums.items()))

    def _wanted(self, name: str | Callable[[str], bool] | None) -> Callable[[str], bool]:
        if name is None:
            return lambda _: True
        if not self.named:
            raise ValueError("which objects the bytes belonged to is not known: this world does not keep its requests")
        return name if callable(name) else name.__eq__

    def sums(self) -> tuple[Carried, ...]:
        """One entry per location, peer, operation and name, sorted."""
        found: dict[tuple[str, str, str, str], tuple[int, int]] = {}
        for entry in self.entries:
            key = (entry.location, entry.peer, entry.operation, entry.name)
            sent, received = found.get(key, (0, 0))
            found[key] = (sent + entry.sent_bytes, received + entry.received_bytes)
        return tuple(Carried(*key, *both) for key, both in sorted(found.items()))


def of_requests(device: str, requests: Iterable[Request]) -> list[Carried]:
    """The requests of one device that moved object bytes."""
    return [
        Carried(request.location, device, request.operation, request.target, request.sent_bytes, request.received_bytes)
        for request in requests
        if request.sent_bytes or request.received_bytes
    ]


def of_messages(sendings: Iterable[Sending]) -> list[Carried]:
    """The object bytes that messages between locations held: sent by one, received by the other once it arrived."""
    found: list[Carried] = []
    for sending in sendings:
        for name, size_bytes in sending.objects:
            found.append(Carried(sending.source, sending.destination, "message", name, size_bytes, 0))
            if sending.outcome == "delivered":
                found.append(Carried(sending.destination, sending.source, "message", name, 0, size_bytes))
    return found


def of_sums(peer: str, sums: Mapping[str, Sequence[int]]) -> list[Carried]:
    """The object bytes that locations sent to and received from a peer, where only these sums are known."""
    return [
        Carried(location, peer, "", "", sent_bytes, received_bytes)
        for location, (sent_bytes, received_bytes) in sorted(sums.items())
        if sent_bytes or received_bytes
    ]

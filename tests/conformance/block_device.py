"""An ideal block device for the tests of the kit: volumes, snapshots and clones on one server, and its client library.

It has no habits of any product. Every request is one atomic step; a request that comes later than its sender waited for
is refused, so nothing happens late, and one that comes again under its name gets the answer it had, whoever did what since.
What a vendor's driver can get wrong is planted in the driver, not here. Options turn
on the two ways a correct device may go about dependants (``strict``) and about unflushed writes (``volatile``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from storcert.harness.contract import JsonValue
from storcert.harness.kernel.context import current_location
from storcert.harness.record.fault import Fault
from storcert.simulators.device import CensusEntry, DeviceLimits, FaultKind, Request
from storcert.simulators.extents import Extents
from storcert.simulators.network.wire import TRANSPORT_FAULTS, Answer, Wire

if TYPE_CHECKING:
    from storcert.harness.kernel.location import Location
    from storcert.harness.kernel.loop import Kernel

PART_BYTES = 1 << 16
PATIENCE_NS = 10 * 10**9
SERVICE = "block"


@dataclass(frozen=True, slots=True)
class BlockOptions:
    """``strict``: what others were made from cannot go, and a revert past later snapshots is refused. ``volatile``: writes
    that were not flushed are lost with the power. ``server``: its address."""

    strict: bool = False
    volatile: bool = False
    page_size: int = 1000
    server: str = "block.sim"

    @classmethod
    def from_mapping(cls, options: Mapping[str, Any] | None) -> BlockOptions:
        """From a configuration table."""
        known = {one.name for one in fields(cls)}
        strange = sorted(set(options or {}) - known)
        if strange:
            raise ValueError(f"block has no option {strange[0]!r}")
        return cls(**(options or {}))


@dataclass(slots=True)
class Thing:
    """A volume, snapshot or other object. ``born``: number of its making; ``made_from``: that of what it is a snapshot or
    a clone of; ``durable``: what a power loss leaves."""

    data: Extents
    owner: str
    born: int
    made_from: int = 0
    durable: Extents | None = None


@dataclass(slots=True)
class Server:
    """The device's state. Every method is one request: it gives an answer code and a value. A write and a flush say since
    which ``boot`` the device has had power: a write of an earlier one than the flush is lost."""

    options: BlockOptions
    things: dict[str, Thing] = field(default_factory=dict)
    parts: dict[str, tuple[str, Extents]] = field(default_factory=dict)
    counter: int = 0
    boot: int = 0
    answered: dict[str, tuple[str, Any]] = field(default_factory=dict)

    def once(self, request: str, operation: str, arguments: Sequence[Any]) -> tuple[str, Any]:
        """Do it, or say again what was said of the request of that name; ``""``: one that has none."""
        if request in self.answered:
            return self.answered[request]
        answer: tuple[str, Any] = getattr(self, operation)(*arguments)
        if request:
            self.answered[request] = answer
        return answer

    def look(self, name: str) -> tuple[str, Any]:
        thing = self.things.get(name)
        return ("ok", (thing.data.size_bytes, thing.owner, thing.born)) if thing else ("missing", None)

    def names(self) -> tuple[str, Any]:
        return "ok", tuple(sorted(self.things))

    def _add(self, name: str, data: Extents, owner: str, made_from: int = 0) -> tuple[str, Any]:
        if name in self.things:
            return "exists", self.things[name].owner
        self.counter += 1
        self.things[name] = Thing(data, owner, self.counter, made_from, data.copy() if self.options.volatile else None)
        return "ok", None

    def make(self, name: str, size: int, owner: str) -> tuple[str, Any]:
        data = Extents()
        data.truncate(size)
        return self._add(name, data, owner)

    def part(self, upload: str, name: str, offset: int, data: bytes) -> tuple[str, Any]:
        self.parts.setdefault(upload, (name, Extents()))[1].write(offset, data)
        return "ok", None

    def discard(self, upload: str) -> tuple[str, Any]:
        self.parts.pop(upload, None)
        return "ok", None

    def publish(self, upload: str, name: str, owner: str, size: int) -> tuple[str, Any]:
        held = self.parts.get(upload, (name, Extents()))[1]
        if name in self.things:
            return "exists", self.things[name].owner
        if held.size_bytes != size:
            return "gone", None
        self._forget_parts(name)
        return self._add(name, held, owner)

    def _forget_parts(self, name: str) -> None:
        for upload in [one for one, (target, _) in self.parts.items() if target == name]:
            del self.parts[upload]

    def copy(self, source: str, target: str, owner: str) -> tuple[str, Any]:
        found = self.things.get(source)
        return self._add(target, found.data.copy(), owner) if found else ("missing", None)

    def derive(self, source: str, target: str, owner: str) -> tuple[str, Any]:
        """A snapshot of a volume, or a clone of a snapshot."""
        found = self.things.get(source)
        return self._add(target, found.data.copy(), owner, found.born) if found else ("missing", None)

    def revert(self, volume: str, snapshot: str) -> tuple[str, Any]:
        kept, old = self.things.get(volume), self.things.get(snapshot)
        if kept is None or old is None:
            return "missing", None
        if old.made_from != kept.born:
            return "foreign", None
        later = [one for one in self.things.values() if one.made_from == kept.born and one.born > old.born]
        if self.options.strict and later:
            return "in-use", None
        kept.data = old.data.copy()
        kept.durable = kept.data.copy() if self.options.volatile else None
        return "ok", None

    def remove(self, name: str) -> tuple[str, Any]:
        thing = self.things.get(name)
        self._forget_parts(name)
        if thing and self.options.strict and any(one.made_from == thing.born for one in self.things.values()):
            return "in-use", None
        self.things.pop(name, None)
        return "ok", None

    def read(self, name: str, born: int, offset: int, length: int) -> tuple[str, Any]:
        thing = self.things.get(name)
        return ("ok", thing.data.read(offset, length)) if thing and thing.born == born else ("gone", None)

    def write(self, name: str, born: int, offset: int, data: bytes) -> tuple[str, Any]:
        thing = self.things.get(name)
        if thing is None or thing.born != born:
            return "gone", None
        thing.data.write(offset, data)
        return "ok", self.boot

    def flush(self, name: str, born: int) -> tuple[str, Any]:
        thing = self.things.get(name)
        if thing is None or thing.born != born:
            return "gone", None
        thing.durable = thing.data.copy() if self.options.volatile else None
        return "ok", self.boot

    def lose_power(self) -> None:
        self.boot += 1
        for thing in self.things.values():
            if thing.durable is not None:
                thing.data = thing.durable.copy()


class BlockDevice:
    """A :class:`SimulatedDevice`."""

    name = "block"
    legal_faults: tuple[FaultKind, ...] = TRANSPORT_FAULTS
    limits = DeviceLimits(part_size_bytes=PART_BYTES)

    def __init__(self, kernel: Kernel, options: BlockOptions | Mapping[str, Any] | None = None) -> None:
        self.kernel = kernel
        self.options = options if isinstance(options, BlockOptions) else BlockOptions.from_mapping(options)
        self.server = Server(self.options)
        self.wire = Wire(kernel, self.options.server, on_fault=self._on_fault)

    @property
    def requests(self) -> list[Request]:
        return self.wire.requests

    @property
    def fired(self) -> list[Fault]:
        return self.wire.plan.fired

    def configuration(self) -> dict[str, JsonValue]:
        return {"server": self.options.server}

    def attach(self, location: Location) -> None:
        location.services[f"{SERVICE}/{self.options.server}"] = self.ask

    def census(self) -> tuple[CensusEntry, ...]:
        held = [CensusEntry("object", name, "", thing.data.size_bytes) for name, thing in self.server.things.items()]
        parts = [CensusEntry("part", upload, name, data.size_bytes) for upload, (name, data) in self.server.parts.items()]
        return tuple(sorted(held + parts))

    def arm(self, faults: Sequence[Fault]) -> None:
        self.wire.plan.arm(faults)

    def heal(self) -> None:
        self.wire.heal()

    def _on_fault(self, fault: Fault, operation: str) -> None:
        if fault.kind == "power_loss":
            self.server.lose_power()

    def ask(self, operation: str, *arguments: Any, request: str = "") -> tuple[str, Any]:
        """One request. Raises a ``WireError``."""
        deadline_ns = self.kernel.now_ns + PATIENCE_NS

        def effect() -> Answer:
            if self.kernel.now_ns > deadline_ns:
                return Answer(("late", None), "late")
            code, value = self.server.once(request, operation, arguments)
            return Answer((code, value), code, len(value) if isinstance(value, bytes) else 0)

        sent = sum(len(one) for one in arguments if isinstance(one, bytes))
        delivery = self.wire.call(operation, str(arguments[0]) if arguments else "", effect, sent_bytes=sent,
                                  read_timeout_ns=PATIENCE_NS)  # fmt: skip
        found: tuple[str, Any] = delivery.answer.result
        return found


def connect(server: str) -> Callable[..., tuple[str, Any]]:
    """The client library: what a driver asks its questions with, where it runs."""
    location = current_location()
    if location is None:
        raise RuntimeError("there is no block device outside a simulated location")
    found: Callable[..., tuple[str, Any]] = location.services[f"{SERVICE}/{server}"]
    return found

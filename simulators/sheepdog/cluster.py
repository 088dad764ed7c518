"""The simulated Sheepdog cluster as a device: sheep, wire, dog and faults put together. Fault model: ``legal_faults``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from storcert.harness.contract import JsonValue
from storcert.harness.kernel.interpose.commands import SERVICE
from storcert.harness.record.fault import Fault
from storcert.simulators.device import CensusEntry, DeviceLimits, FaultKind, Request
from storcert.simulators.network.wire import DEFAULT_OUTAGE_NS, Answer, Wire
from storcert.simulators.sheepdog.census import census, lost_objects
from storcert.simulators.sheepdog.dog import CLUSTERS_SERVICE, Dog
from storcert.simulators.sheepdog.legal_faults import LEGAL_FAULTS, STALL_NS
from storcert.simulators.sheepdog.options import SheepdogOptions
from storcert.simulators.sheepdog.requests import Thaw
from storcert.simulators.sheepdog.sheep import Sheep
from storcert.simulators.sheepdog.vdis import NAME_BYTES_MAX

if TYPE_CHECKING:
    from storcert.harness.kernel.location import Location
    from storcert.harness.kernel.loop import Kernel


class SheepdogCluster:
    """A :class:`SimulatedDevice`. ``options``: a :class:`SheepdogOptions`, or the table it is made from."""

    legal_faults: tuple[FaultKind, ...] = LEGAL_FAULTS

    def __init__(self, kernel: Kernel, options: SheepdogOptions | Mapping[str, Any] | None = None) -> None:
        if not isinstance(options, SheepdogOptions):
            options = SheepdogOptions.from_mapping(options)
        self.options = options
        self.name = options.name
        self.limits = DeviceLimits(
            part_size_bytes=1 << options.block_size_shift, page_size=options.page_size, name_bytes_max=NAME_BYTES_MAX)
        self.sheep = Sheep(options, lambda: kernel.now_ns)
        self.wire = Wire(kernel, self.name, link=options.link(), legal_faults=LEGAL_FAULTS, on_fault=self._on_fault)
        self.sheep.on_node_death = lambda: self.wire.take_down(DEFAULT_OUTAGE_NS)
        self._thaw = Thaw(kernel)
        self._dog = Dog(self.wire, self.sheep, self._thaw)
        self._kernel = kernel

    # -- what the kit sees

    @property
    def requests(self) -> list[Request]:
        """Every request so far."""
        return self.wire.requests

    @property
    def fired(self) -> list[Fault]:
        """The armed faults that struck."""
        return self.wire.plan.fired

    def configuration(self) -> dict[str, JsonValue]:
        """A driver's default configuration."""
        return {"address": self.options.address, "port": self.options.port}

    def attach(self, location: Location) -> None:
        """``dog`` is installed at that location and reaches this cluster. It needs no credentials."""
        clusters = location.services.setdefault(CLUSTERS_SERVICE, {})
        clusters[self.options.address, self.options.port] = self._dog
        location.services[SERVICE + "dog"] = self._dog

    def census(self) -> tuple[CensusEntry, ...]:
        """All it holds that somebody could take away."""
        return census(self.sheep, came_late=any(fault.kind == "slow" for fault in self.fired))

    def lost_objects(self) -> list[tuple[int, int]]:
        """Data objects that no inode names: nobody can free them. Not in the census."""
        return lost_objects(self.sheep)

    def arm(self, faults: Sequence[Fault]) -> None:
        """Replace the fault schedule."""
        self.wire.plan.arm(faults)

    def heal(self) -> None:
        """No faults, all nodes back and awake, space free. Locks and leftovers stay."""
        self.wire.heal()
        sheep = self.sheep
        sheep.full = sheep.torn = sheep.frozen = False
        sheep.stall_ns = 0
        sheep.flock.rejoin(self._kernel.now_ns // 10**9)
        self._thaw.happen()

    def _on_fault(self, fault: Fault, operation: str) -> Answer | None:
        sheep = self.sheep
        if fault.kind == "node_loss":
            sheep.flock.lose_node(self._kernel.now_ns // 10**9)
            sheep.stall_ns += STALL_NS
        elif fault.kind == "frozen":
            sheep.frozen = True
        elif fault.kind == "waiting":
            sheep.flock.waiting_for_nodes = True
        elif fault.kind == "halted":
            sheep.flock.no_quorum = True
        elif fault.kind == "full":
            sheep.full = True
        elif fault.kind == "torn_inodes":
            sheep.torn = True
        elif fault.kind == "lock_left":
            for vid in sheep.vdis.numbers() if sheep.flock.use_locks else ():
                sheep.locks.setdefault(vid, f"IPv4 ip:{self.options.address} port:{self.options.port}")
        return None

"""The simulated RBD cluster as a device: model, wire, faces and faults put together. Fault model: ``legal_faults``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from storcert.harness.contract import JsonValue
from storcert.harness.record.fault import Fault
from storcert.simulators.device import CensusEntry, DeviceLimits, FaultKind, Request
from storcert.simulators.network.wire import Answer, Wire
from storcert.simulators.rbd.census import census
from storcert.simulators.rbd.client import Client, Gate
from storcert.simulators.rbd.legal_faults import LEGAL_FAULTS
from storcert.simulators.rbd.librbd_images import NAME_BYTES_MAX
from storcert.simulators.rbd.model import Cluster, Instance
from storcert.simulators.rbd.options import RbdOptions
from storcert.simulators.rbd.rados_face import CLUSTER_SERVICE

if TYPE_CHECKING:
    from storcert.harness.kernel.location import Location
    from storcert.harness.kernel.loop import Kernel


class RbdCluster:
    """A :class:`SimulatedDevice`. ``options``: an :class:`RbdOptions`, or the table it is made from."""

    legal_faults: tuple[FaultKind, ...] = LEGAL_FAULTS
    mon_host = "[v2:10.0.0.1:3300,v1:10.0.0.1:6789]"

    def __init__(self, kernel: Kernel, options: RbdOptions | Mapping[str, Any] | None = None) -> None:
        if not isinstance(options, RbdOptions):
            options = RbdOptions.from_mapping(options)
        self.options = options
        self.name = options.name
        self.kernel = kernel
        self.limits = DeviceLimits(1 << options.order, options.page_size, name_bytes_max=NAME_BYTES_MAX)
        self.model = Cluster(kernel.stream(f"{self.name}/ids"), lambda: kernel.now_ns)
        self.wire = Wire(kernel, self.name, link=options.link(), legal_faults=LEGAL_FAULTS, on_fault=self._on_fault)
        self.instances: dict[str, list[Instance]] = {}
        self._gate = Gate(self.wire)
        self.model.omap_page = options.page_size
        self.model.create_pool(options.pool).applications["rbd"] = {}

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
        return {"conf": self.options.conf, "user": self.options.user, "pool": self.options.pool}

    def attach(self, location: Location) -> None:
        """``import rados, rbd`` at that location reach this cluster."""
        location.services.setdefault(CLUSTER_SERVICE, {})[self.options.conf] = self

    def census(self) -> tuple[CensusEntry, ...]:
        """All it holds."""
        return census(self.model)

    def arm(self, faults: Sequence[Fault]) -> None:
        """Replace the fault schedule."""
        self.wire.plan.arm(faults)

    def heal(self) -> None:
        """No faults, daemons up, space free. What stopped daemons had received is done now."""
        self.wire.heal()
        model = self.model
        model.full = model.frozen = model.monitor_gone = False
        self._gate.open()

    # -- for the faces

    def new_client(self, location: Location, name: str) -> Client:
        """A client that wants to connect from there."""
        model = self.model
        number = model.next_client
        model.next_client += 1
        instance = Instance(number, name, f"10.0.0.2:0/{model.ids.getrandbits(32)}", location)
        self.instances.setdefault(instance.address, []).append(instance)
        return Client(self.wire, model, self._gate, location, instance)

    def client_defaults(self) -> tuple[tuple[str, str], ...]:
        """What the configuration file says."""
        options = self.options
        return (
            ("mon_host", self.mon_host),
            ("rbd_default_clone_format", options.clone_format),
            ("rbd_default_order", str(options.order)),
            ("rbd_cache", "true" if options.cache else "false"),
        )

    def _on_fault(self, fault: Fault, operation: str) -> Answer | None:
        """What the wire does not do itself. The effect that follows in the same instant asks ``striking``."""
        match fault.kind:
            case "frozen":
                self.model.frozen = True
            case "monitor_gone":
                self.model.monitor_gone = True
            case "full":
                self.model.full = True
            case "blocklisted" | "dead_watcher":
                self.model.striking = fault.kind
            case _:
                pass
        return None

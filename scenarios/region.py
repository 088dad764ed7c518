"""A region in virtual time, built in a few lines: zones, hosts, storage VMs, management servers, devices; then things happen.

    with Region(seed=7) as region:
        region.zone("z1", hosts=2)
        region.device("images", "object-store", role="image", scope_id="z1")
        region.device("volumes", "rbd", scope_id="z1")
        region.call(lambda control: control.create_volume(uri, 1 << 30, zone="z1"))

Nothing runs outside :meth:`Region.call`, :meth:`Region.start` with :meth:`Region.finish`, and :meth:`Region.advance`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from storcert.harness.checkers.control_plane import Finding
from storcert.harness.contract import (
    DeviceUnavailable,
    InvalidRequest,
    Policy,
    Role,
    Scope,
    SnapshotStorageDevice,
    StorageDevice,
)
from storcert.harness.kernel import Kernel, Location, Task
from storcert.harness.kernel.interpose import installed
from storcert.harness.kernel.tie_break import TieBreak
from storcert.harness.logical.control_plane import ControlPlane
from storcert.harness.logical.engine import BEAT_NS, SECOND_NS
from storcert.harness.logical.ports import CatalogueLost
from storcert.harness.logical.providers import Provider, Providers
from storcert.harness.logical.topology import LocationKind, Place, Topology
from storcert.harness.record.fault import Fault
from storcert.scenarios.judging import Judging
from storcert.scenarios.leavings import Attached, Makings, leavings, with_leavings
from storcert.scenarios.surroundings import Catalogue, Guests, SimulatedServer, note, run_agent
from storcert.scenarios.survey import survey, survey_web
from storcert.simulators.device import SimulatedDevice
from storcert.simulators.http_source import HttpSource
from storcert.simulators.network.topology import Network, network_of
from storcert.simulators.registry import SIMULATED, make_device

MINUTE_NS = 60 * SECOND_NS
CALL_LIMIT_NS = 24 * 60 * MINUTE_NS
RESTART_NS = 5 * SECOND_NS
RECONCILE_NS = 30 * SECOND_NS
CAPACITY_BYTES = 1 << 44
REST_NS = 5 * MINUTE_NS
HAND = "hand"
CLIENT = "client"


@dataclass(slots=True)
class _Attached:
    """A device of the region: what travels, and the simulated one behind it."""

    device: StorageDevice
    simulated: SimulatedDevice
    capacity_bytes: int
    provider: str
    make_new: Callable[[Kernel], SimulatedDevice]


@dataclass(slots=True)
class Server:
    """A management server as it runs now: another one after each restart."""

    location: Location
    control: ControlPlane | None = None
    epochs: list[int] = field(default_factory=list)


class Region:
    """``web``: the web servers that every storage VM, host and client reaches.

    ``reconcile_ns``: how often each management server reconciles, 0 for never by itself. ``restart_ns``: how long a crashed
    location stays down, ``None`` for ever. ``tie_break``: of events at one instant, as the kernel has it.

    The rules look on while it runs, unless ``judged`` is false: :meth:`findings`. They need nothing to be kept, so a region
    that runs for long keeps only the last ``keep`` events of the journal, requests of each wire and messages; the digest of
    the run is the same. Raises ``ValueError`` for less than none."""

    def __init__(
        self, seed: int = 0, *, management_servers: int = 1, reconcile_ns: int = RECONCILE_NS,
        restart_ns: int | None = RESTART_NS, providers: tuple[Provider, ...] = (), keep: int | Literal["all"] = "all",
        judged: bool = True, tie_break: TieBreak = "seeded",
    ) -> None:
        kept = None if keep == "all" else keep
        self.kernel = Kernel(seed, keep_events=kept, tie_break=tie_break)
        self.network: Network = network_of(self.kernel, keep=kept)
        self._judging = Judging(self.kernel.journal) if judged else None
        self._makings = Makings(self.kernel.journal) if judged else None
        self.catalogue = Catalogue(self.kernel)
        self.reconcile_ns = reconcile_ns
        self.restart_ns = restart_ns
        self._providers = providers
        self._places: list[Place] = [
            Place(f"ms-{number}", LocationKind.MANAGEMENT) for number in range(1, management_servers + 1)
        ]
        self._devices: dict[str, _Attached] = {}
        self._servers: dict[str, Server] = {}
        self._topology: Topology | None = None
        self.web = HttpSource(self.kernel)
        self._guests = Guests()
        self._stack = ExitStack()
        self._entered = False
        self._resting = False
        self._at_rounds: set[str] = set()  # servers that are in the middle of a round of reconciliation

    # -- building

    def zone(self, name: str, *, hosts: int = 1, clusters: int = 1, storage_vms: int = 1) -> None:
        """A zone with ``hosts`` hosts in each of its clusters. They are called ``<zone>-h1``, ``<zone>-ssvm1`` and so on;
        clusters ``<zone>-c1``."""
        self._not_begun()
        for number in range(1, storage_vms + 1):
            self._places.append(Place(f"{name}-ssvm{number}", LocationKind.STORAGE_VM, name))
        for number in range(clusters * hosts):
            cluster = f"{name}-c{number // hosts + 1}"
            self._places.append(Place(f"{name}-h{number + 1}", LocationKind.HOST, name, cluster))

    def device(
        self, name: str, kind: str, *, role: Role | str = Role.PRIMARY, scope: Scope | str = Scope.ZONE, scope_id: str = "",
        capacity_bytes: int = CAPACITY_BYTES, provider: str = "direct", driver: str = "",
        options: Mapping[str, Any] | None = None, policy: Mapping[str, Any] | None = None,
        configuration: Mapping[str, Any] | None = None,
    ) -> SimulatedDevice:
        """A simulated device of that kind, attached with role and scope; ``driver``: the bundled one by default; ``options`` of
        the simulator; ``policy``: more of the policy; ``configuration``: more of the driver's."""
        self._not_begun()
        if name in self._devices:
            raise InvalidRequest(f"two devices are called {name!r}")
        said = {**SIMULATED[kind].apart(name, len(self._devices)), **(options or {})}
        simulated = make_device(kind, self.kernel, said)
        made = StorageDevice(
            name, driver or SIMULATED[kind].driver, {**simulated.configuration(), **(configuration or {})},
            Policy(role=Role(role), scope=Scope(scope), scope_id=scope_id, **(policy or {})),
        )
        self._devices[name] = _Attached(
            made, simulated, capacity_bytes, provider, lambda kernel: make_device(kind, kernel, said))
        return simulated

    def _not_begun(self) -> None:
        if self._topology is not None:
            raise InvalidRequest("the region has begun to run; build it first")

    # -- running

    def __enter__(self) -> Self:
        if not self._entered:
            self._entered = True
            self._stack.enter_context(self.kernel)
            self._stack.enter_context(installed())
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    @property
    def topology(self) -> Topology:
        """Where everything is; the region begins to run when it is first asked for."""
        if self._topology is None:
            self._topology = Topology(tuple(self._places))
            self._begin(self._topology)
        return self._topology

    def _begin(self, topology: Topology) -> None:
        note(self.kernel, "", "topology", {
            "places": [[place.name, str(place.kind), place.zone, place.cluster] for place in topology.places]})
        for place in topology.places:
            location = self.kernel.location(place.name)
            for attached in self._devices.values():
                if topology.reaches(place.name, attached.device.policy):
                    attached.simulated.attach(location)
            if place.moves_bytes:
                self.web.attach(location)
            else:
                self._servers[place.name] = Server(location)
            self._boot(location)
        self.call(self._add_devices)

    def _add_devices(self, control: ControlPlane) -> None:
        """Attach every device: its capabilities are asked of its driver, where bytes move."""
        for attached in self._devices.values():
            place = self.topology.executors(attached.device.policy).pick({}, ())
            if place is None:
                raise InvalidRequest(f"no location reaches device {attached.device.name!r}")
            capabilities = control.capabilities(attached.device, place.name)
            device = attached.device
            if capabilities.snapshots:
                device = SnapshotStorageDevice(device.name, device.driver, device.configuration, device.policy)
            control.add_device(device, capabilities, attached.capacity_bytes, attached.provider)

    def _boot(self, location: Location) -> None:
        """Start what runs at a location, and again some time after it died."""
        epoch = location.epoch
        server = self._servers.get(location.name)
        if server is not None:
            self._at_rounds.discard(location.name)
            surroundings = SimulatedServer(location, self.catalogue)
            control = ControlPlane(surroundings, self.topology, Providers(self._providers))
            server.control = control
            main = self.kernel.spawn(lambda: self._serve(control), location=location, name="management server")
        else:
            main = self.kernel.spawn(lambda: run_agent(location, self.web, self._guests), location=location, name="agent")

        def died(_: Any) -> None:
            if self.restart_ns is not None and not self.kernel.sealed and main.crashed and location.epoch == epoch:
                self.kernel.after(self.restart_ns, again)

        def again() -> None:
            if not location.alive and location.epoch == epoch:
                location.restart()
                self._boot(location)

        assert main.ended_event.callbacks is not None
        main.ended_event.callbacks.append(died)

    def _serve(self, control: ControlPlane) -> None:
        """Live until the location dies; reconcile now and then, each server at its own time."""
        if self.reconcile_ns:
            control.surroundings.spawn("reconcile", lambda: self._reconcile(control, self.reconcile_ns))
        while True:
            # A catalogue that is away is not the end of a server: it tries again, as it would outside.
            with suppress(CatalogueLost):
                control.engine.beat()
            self.kernel.sleep_ns(BEAT_NS)

    def _reconcile(self, control: ControlPlane, pause_ns: int) -> None:
        stream = self.kernel.stream(f"reconcile/{control.surroundings.name}")
        while True:
            self.kernel.sleep_ns(pause_ns // 2 + stream.randrange(pause_ns))
            if self._resting:
                continue
            self._at_rounds.add(control.surroundings.name)
            with suppress(DeviceUnavailable):
                control.reconcile(paced=True)
            self._at_rounds.discard(control.surroundings.name)

    # -- things that happen

    def server(self, name: str = "ms-1") -> ControlPlane:
        """The control plane of a management server, as it runs now."""
        _ = self.topology
        control = self._servers[name].control
        assert control is not None
        return control

    def start(self, body: Callable[[ControlPlane], Any], at: str = "ms-1", label: str = "request") -> Task:
        """Begin something at a management server; :meth:`finish` runs it."""
        control = self.server(at)
        return self.kernel.spawn(lambda: body(control), location=self.kernel.location(at), name=label)

    def finish(self, *tasks: Task, limit_ns: int = CALL_LIMIT_NS) -> None:
        """Run until these have ended or died. Raises ``TimeoutError`` where they do not."""
        if not self.kernel.run_until_done(*tasks, limit_ns=limit_ns):
            raise TimeoutError(f"not ended after {limit_ns // MINUTE_NS} virtual minutes: {tasks}")

    def call(self, body: Callable[[ControlPlane], Any], at: str = "ms-1") -> Any:
        """Do something at a management server and give what came of it. Raises what it raised; ``None`` where it died."""
        _ = self.topology
        task = self.start(body, at)
        self.finish(task)
        if task.crashed:
            return None
        if task.error is not None:
            raise task.error
        return task.result

    def visit(self, body: Callable[[], Any], name: str = CLIENT) -> Task:
        """Begin something at the machine of a client, who has httpx and reaches web servers and the agents' doors, and no
        device; :meth:`finish` runs it."""
        _ = self.topology
        location = self.kernel.location(name)
        self.web.attach(location)
        return self.kernel.spawn(body, location=location, name="client")

    def advance(self, duration_ns: int) -> None:
        """Let virtual time pass."""
        _ = self.topology
        self.kernel.run_for(duration_ns)

    def crash(self, name: str) -> None:
        """A location dies now; it comes back by itself."""
        self.kernel.location(name).crash()

    def arm(self, device: str, *faults: Fault) -> None:
        """Put faults on a device; the journal knows of it, because bytes may then come late."""
        self.simulated(device).arm(faults)
        self.disturbed(device, *(fault.kind for fault in faults))

    def by_hand(self, device: str, act: Callable[[Any], Any]) -> Any:
        """Do something to a device past the control plane, with a driver of its own, as an operator with a shell might."""
        task = self.start_by_hand(device, act)
        self.finish(task)
        if task.error is not None:
            raise task.error
        return task.result

    def start_by_hand(self, device: str, act: Callable[[Any], Any]) -> Task:
        """Begin something by hand; :meth:`finish` runs it."""
        attached = self._devices[device]
        location = self.kernel.location(HAND)
        attached.simulated.attach(location)
        self.disturbed(device, "somebody's hand")
        return self.kernel.spawn(lambda: act(attached.device.make_driver()), location=location, name="by hand")

    def disturbed(self, device: str, *kinds: str) -> None:
        """Tell the journal that something else than a crash happened to a device."""
        for kind in kinds:
            note(self.kernel, "", "fault", {"device": device, "kind": kind})

    @property
    def devices(self) -> tuple[str, ...]:
        """The names of the devices, in the order in which they were added."""
        return tuple(self._devices)

    def simulated(self, name: str) -> SimulatedDevice:
        """The simulated device of that name."""
        return self._devices[name].simulated

    def settle(self, rounds_max: int = 20) -> None:
        """Heal everything, let what is under way end, reconcile until nothing is left to mend, and tell the journal what bytes
        are where and who carried any. Raises ``TimeoutError`` where it does not come to rest; what is where is told all the
        same. Virtual machines that write go on for a minute and then have little to do: they are under way for ever."""
        self.heal()
        counted: list[Mapping[str, int]] = []
        for _ in range(rounds_max):
            self.advance(MINUTE_NS)
            self._guests.pause_ns = REST_NS
            self.advance(19 * MINUTE_NS)
            self._guests.pause_ns = 0
            counted = [self.call(lambda control: control.reconcile(), at=name) for name in sorted(self._servers)]
            if not any(any(one.values()) for one in counted) and not self._unfinished():
                break
        else:
            self._take_stock()
            raise TimeoutError(f"not at rest after {rounds_max} rounds of reconciliation: {counted}")
        for name in sorted(self._servers):
            self.call(lambda control: control.reconcile(), at=name)
        # A server reconciles by itself, too: the end comes when none is in the middle of it, and none begins meanwhile.
        self._resting = True
        for _ in range(20 * MINUTE_NS // SECOND_NS):
            if not self._unfinished() and not self._at_rounds:
                break
            self.advance(SECOND_NS)
        self._take_stock()
        self._resting = False

    def _take_stock(self) -> None:
        """Tell the journal what bytes are where and who carried any; and that this is the end."""
        survey(self.kernel, self.topology, [(one.device, one.simulated) for _, one in sorted(self._devices.items())])
        survey_web(self.kernel, self.web)
        for name, moved in self.network.ledger().carriers().items():
            note(self.kernel, "", "traffic", {"location": name, "bytes": moved})
        for place in self.topology.of_kind(LocationKind.MANAGEMENT):
            note(self.kernel, "", "traffic", {
                "location": place.name, "bytes": self.network.ledger().bytes_seen(place.name)})
        note(self.kernel, "", "end", {})

    def findings(self) -> list[Finding]:
        """What every rule came to so far, by id; what can be told only at rest, as of the last :meth:`settle`. Raises
        ``CheckerFailed``, and ``RuntimeError`` where the region is not judged."""
        if self._judging is None:
            raise RuntimeError("this region is not judged")
        return self._judging.findings()

    def findings_when_used_up(self) -> list[Finding]:
        """As :meth:`findings`, with what nobody owns on the devices: to find that, the region is used up. At rest only."""
        self.restart_ns = None
        assert self._makings is not None
        attached = [Attached(one.device, one.simulated, one.make_new) for _, one in sorted(self._devices.items())]
        return with_leavings(self.findings(), leavings(self.kernel, attached, self._makings))

    def _unfinished(self) -> bool:
        return bool(self.catalogue.repository.transact(lambda session: session.running_jobs()))

    def heal(self) -> None:
        """No faults any more anywhere: devices, web servers, network, locations and their clocks."""
        self.network.heal()
        self.catalogue.wire.heal()
        self.web.heal()
        for attached in self._devices.values():
            attached.simulated.heal()
        for location in self.kernel.locations.values():
            location.set_clock(0)
            if not location.alive:
                location.restart()
                self._boot(location)

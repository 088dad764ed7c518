"""What each step that is not asked of the control plane does to the world: crashes, partitions, outages, faults."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

from storcert.harness.contract import DataObjectUri
from storcert.harness.record.fault import Fault
from storcert.scenarios.format import steps
from storcert.scenarios.format.faults import Strike
from storcert.scenarios.format.references import CATALOGUE, WEB
from storcert.scenarios.region import Region
from storcert.simulators.network.faults import FaultPlan
from storcert.simulators.network.wire import Wire


class Happenings:
    """Of one run. ``devices``: by name; everything else that has requests is the catalogue or a web server."""

    def __init__(self, region: Region, devices: Sequence[str]) -> None:
        self.region = region
        self.devices = tuple(devices)
        self.armed: list[tuple[Strike, FaultPlan, Fault, int]] = []

    def wire(self, place: str) -> Wire:
        """The wire of a device, of the catalogue, or of the web servers."""
        name = self.region.catalogue.wire.name if place == CATALOGUE else place
        if place == WEB:
            known = {self.region.catalogue.wire.name, *self.devices}
            return next(wire for wire in self.region.network.wires if wire.name not in known)
        return next(wire for wire in self.region.network.wires if wire.name == name)

    def arm(self, strike: Strike) -> None:
        """Arm a fault beside those that are armed. Raises ``ValueError`` where the place has no such fault."""
        plan, fault = self.wire(strike.place).plan, strike.armed()
        plan.add([fault])
        if fault.kind != "crash":  # a crash leaves nothing late on its way
            self.region.disturbed(strike.place, fault.kind)
        self.armed.append((strike, plan, fault, self.region.kernel.now_ns))

    def heal(self, place: str) -> None:
        """No faults any more there."""
        if place in self.devices:
            self.region.simulated(place).heal()
        elif place == WEB:  # each host has a wire of its own
            self.region.web.heal()
        else:
            self.wire(place).heal()

    def do(self, step: steps.Event) -> None:
        """Inside a task. Raises the contract's errors, of what is done by hand."""
        match step:
            case steps.Crash():
                self.region.crash(step.place)
            case steps.Pause():
                self._pause(step)
            case steps.Clock():
                self._set_clock(step)
            case steps.Partition():
                self._part(step)
            case steps.Outage():
                self.region.disturbed(step.of, "outage")
                self.wire(step.of).take_down(step.lasts_ns)
            case steps.Inject():
                self.arm(step)
            case steps.Heal():
                self.region.heal()
            case steps.ByHand():
                self._by_hand(step)
            case steps.Wait():
                self.region.kernel.sleep_ns(step.lasts_ns)

    def _later(self, duration_ns: int, act: Callable[[], None]) -> None:
        kernel = self.region.kernel
        kernel.after(duration_ns, lambda: None if kernel.sealed else act())

    def _pause(self, step: steps.Pause) -> None:
        location = self.region.kernel.location(step.place)
        epoch = location.epoch
        location.pause()
        self._later(step.lasts_ns, lambda: location.resume() if location.epoch == epoch else None)

    def _set_clock(self, step: steps.Clock) -> None:
        location = self.region.kernel.location(step.place)
        ahead_ns = step.ahead_ns - step.behind_ns
        location.set_clock(ahead_ns)
        if step.lasts_ns:
            # Whoever set it anew meanwhile has the last word.
            self._later(step.lasts_ns, lambda: location.set_clock(0) if location.clock_ahead_ns == ahead_ns else None)

    def _part(self, step: steps.Partition) -> None:
        network = self.region.network
        everybody = sorted({*(place.name for place in self.region.topology.places), *(wire.name for wire in network.wires)})
        others = step.other or tuple(name for name in everybody if name not in step.one)
        locations = {place.name for place in self.region.topology.places}
        for name in sorted({*step.one, *others} - locations):
            self.region.disturbed(name, "partition")
        cut = network.partition_one_way if step.one_way else network.partition
        cut(step.one, others)

        def join() -> None:
            for one, other in product(step.one, others):
                network.heal(one, other)

        if step.lasts_ns:
            self._later(step.lasts_ns, join)

    def _by_hand(self, step: steps.ByHand) -> None:
        uri = DataObjectUri.parse(step.object)
        task = self.region.start_by_hand(
            step.device,
            lambda driver: driver.create(uri, step.size_bytes) if step.act == "create" else driver.delete(uri))
        self.region.kernel.join(task)

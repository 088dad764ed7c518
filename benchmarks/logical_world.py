"""The region that ``benchmarks/logical.py`` works with, and what its clients ask for. Nothing is measured here."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

from storcert.harness.contract import DataObjectUri, ObjectKind
from storcert.harness.logical.control_plane import ControlPlane
from storcert.scenarios.region import Region

SECOND_NS = 10**9
VOLUME_BYTES = 4096
KEPT_EVENTS = 1000
PRIMARY = ("rbd", "nfs", "object-store")
ABLE_TO_ATTACH, ABLE_TO_REVERT = ("rbd", "nfs"), ("rbd",)
MIX: Mapping[str, int] = {
    "create": 24, "from template": 20, "snapshot": 10, "backup": 6, "revert": 4, "attach": 8, "migrate": 4, "delete": 24,
}
"""How often each is asked for, in percent. ``attach`` is two operations: a machine writes for a while, and comes off again;
``revert`` is three, with the snapshot that is taken and deleted."""


@dataclass(slots=True)
class Held:
    """A volume as the clients know it."""

    uri: DataObjectUri
    zone: str
    device: str
    snapshots: list[DataObjectUri] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Size:
    """Of a region. ``objects``: how many it holds while it is worked with."""

    zones: int
    hosts: int
    devices: int
    objects: int

    def __str__(self) -> str:
        return f"{self.zones} zones, {self.hosts} hosts, {self.devices} devices, {self.objects} objects"


class World:
    """A region and what its clients know of it. Each operation is a method; it gives how many operations it was."""

    def __init__(self, size: Size, seed: int, *, judged: bool = True) -> None:
        self.size = size
        self.region = Region(seed, management_servers=2, keep=KEPT_EVENTS, judged=judged)
        self.chance = Random(seed)
        self.zones = [f"z{number:02}" for number in range(1, size.zones + 1)]
        self.kinds: dict[str, str] = {}
        self.primaries: dict[str, list[str]] = {zone: [] for zone in self.zones}
        self.templates: dict[str, DataObjectUri] = {}
        self.volumes: list[Held] = []
        self.objects = 0
        self.done: Counter[str] = Counter()
        self._made = 0
        self.region.__enter__()
        for zone in self.zones:
            self.region.zone(zone, clusters=2, hosts=max(1, size.hosts // size.zones // 2))
        for number in range(size.devices):
            zone, turn = self.zones[number % size.zones], number // size.zones
            self._device(zone, turn, "object-store" if turn == 0 else PRIMARY[(turn - 1) % len(PRIMARY)])

    def _device(self, zone: str, turn: int, kind: str) -> None:
        name = f"{zone}-{'images' if turn == 0 else f'volumes-{turn}'}"
        self.region.device(name, kind, role="image" if turn == 0 else "primary", scope_id=zone)
        self.kinds[name] = kind
        if turn:
            self.primaries[zone].append(name)

    def begin(self) -> None:
        """A template in every zone."""
        for zone in self.zones:
            made = DataObjectUri(ObjectKind.VOLUME, "1", f"origin-{zone}")
            self.templates[zone] = DataObjectUri(ObjectKind.TEMPLATE, "1", f"base-{zone}")
            self.region.call(partial(self._begin_zone, zone, made))
        self.objects = 2 * len(self.zones)

    def _begin_zone(self, zone: str, made: DataObjectUri, control: ControlPlane) -> None:
        control.create_volume(made, VOLUME_BYTES, zone=zone)
        control.create_from(self.templates[zone], made, zone=zone)

    # -- what clients ask for

    def act(self, control: ControlPlane, name: str) -> None:
        """One of the mix, with an object that nobody else is at work on."""
        counted = getattr(self, name.replace(" ", "_"))(control)
        self.done[name] += counted

    def _uri(self, kind: ObjectKind) -> DataObjectUri:
        self._made += 1
        return DataObjectUri(kind, str(self._made % 100), f"{self._made:07}")

    def _take(self, kinds: tuple[str, ...] = PRIMARY, *, snapshots: bool | None = None) -> Held | None:
        """A volume on a device of those kinds, with snapshots or without; nobody else gets it meanwhile."""
        for _ in range(200):
            if not self.volumes:
                break
            place = self.chance.randrange(len(self.volumes))
            found = self.volumes[place]
            if self.kinds[found.device] in kinds and (snapshots is None or bool(found.snapshots) is snapshots):
                self.volumes[place] = self.volumes[-1]
                self.volumes.pop()
                return found
        return None

    def create(self, control: ControlPlane) -> int:
        zone, uri = self.chance.choice(self.zones), self._uri(ObjectKind.VOLUME)
        self.objects += 1
        self.volumes.append(Held(uri, zone, control.create_volume(uri, VOLUME_BYTES, zone=zone)["device"]))
        return 1

    def from_template(self, control: ControlPlane) -> int:
        zone, uri = self.chance.choice(self.zones), self._uri(ObjectKind.VOLUME)
        self.objects += 1
        self.volumes.append(Held(uri, zone, control.create_from(uri, self.templates[zone], zone=zone)["device"]))
        return 1

    def backup(self, control: ControlPlane) -> int:
        return self.snapshot(control, away=True)

    def snapshot(self, control: ControlPlane, *, away: bool = False) -> int:
        held = self._take()
        if held is None:
            return self.create(control)
        uri = self._uri(ObjectKind.SNAPSHOT)
        self.objects += 1
        control.take_snapshot(held.uri, uri, f"{held.zone}-images" if away else "")
        held.snapshots.append(uri)
        self.volumes.append(held)
        return 1

    def revert(self, control: ControlPlane) -> int:
        held = self._take(ABLE_TO_REVERT, snapshots=False)
        if held is None:
            return self.create(control)
        uri = self._uri(ObjectKind.SNAPSHOT)
        control.take_snapshot(held.uri, uri)
        control.revert(held.uri, uri)
        control.delete(uri)
        self.volumes.append(held)
        return 3

    def attach(self, control: ControlPlane) -> int:
        held = self._take(ABLE_TO_ATTACH)
        if held is None:
            return self.create(control)
        hosts = max(1, self.size.hosts // self.size.zones // 2) * 2
        host = f"{held.zone}-h{self.chance.randrange(hosts) + 1}"
        control.attach(held.uri, host, {"pause_ns": 50_000_000})
        control.surroundings.sleep_ns(200_000_000)
        control.detach(held.uri, host)
        self.volumes.append(held)
        return 2

    def migrate(self, control: ControlPlane) -> int:
        held = self._take(snapshots=False)
        if held is None:
            return self.create(control)
        goal = self.chance.choice([name for name in self.primaries[held.zone] if name != held.device] or [held.device])
        control.migrate(held.uri, goal)
        held.device = goal
        self.volumes.append(held)
        return 1

    def delete(self, control: ControlPlane) -> int:
        held = self._take()
        if held is None:
            return self.create(control)
        control.delete(held.uri, dependants=True)
        self.objects -= 1 + len(held.snapshots)
        return 1

    # -- clients

    def fill(self, clients: int = 20) -> None:
        """Volumes until there are as many objects as there are to be."""
        self._work(clients, lambda control: self.create(control) if self.objects < self.size.objects else None, 0)

    def run(self, operations: int, clients: int, think_ns: int) -> None:
        """So many operations of the mix, by clients that pause for ``think_ns`` on average after each."""
        names, weights = list(MIX), list(MIX.values())
        goal = self.done.total() + operations

        def one(control: ControlPlane) -> int | None:
            if self.done.total() >= goal:
                return None
            name = self.chance.choices(names, weights)[0]
            if self.objects >= self.size.objects and name in ("create", "from template", "snapshot", "backup"):
                name = "delete"
            elif self.objects < self.size.objects * 0.98 and name == "delete":
                name = "create"
            self.act(control, name)
            return 1

        self._work(clients, one, think_ns)

    def _work(self, clients: int, one: Callable[[ControlPlane], int | None], think_ns: int) -> None:
        def client(control: ControlPlane) -> None:
            while one(control) is not None:
                if think_ns:
                    control.surroundings.sleep_ns(self.chance.randrange(2 * think_ns))

        tasks = [self.region.start(client, at=f"ms-{1 + number % 2}", label=f"client {number}") for number in range(clients)]
        self.region.finish(*tasks, limit_ns=10**9 * SECOND_NS)
        for task in tasks:
            if task.error is not None:
                raise task.error

    # -- the end

    def judge(self) -> dict[str, Any]:
        """Settle, and what every rule came to."""
        start = time.process_time()
        self.region.settle()
        findings = self.region.findings()
        ledger = self.region.network.ledger()
        return {
            "settle_s": time.process_time() - start,
            "rules": {one.rule: {"looked_at": one.looked_at, "broken": [each.text for each in one.broken]} for one in findings},
            "bytes_at_management": sum(ledger.bytes_seen(f"ms-{number}") for number in (1, 2)),
            "bytes_elsewhere": sum(ledger.carriers().values()),
            "digest": self.region.kernel.digest(),
        }

    def close(self) -> None:
        """The region is over."""
        self.region.__exit__(None, None, None)

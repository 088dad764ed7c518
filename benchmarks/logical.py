"""What an operation of the control plane costs in a simulated region, everything included, and whether a large region costs
more. Prints tables and JSON.

    python benchmarks/logical.py [--objects N ...] [--full] [--profile OPERATION] [--json FILE]

First: CPU microseconds per operation where a region holds few and many objects, and how much it grows; one client, the median
of the rounds. Second: 20 clients that ask for one operation a second each, in simulated seconds per CPU second. Third: a long
run of a large region by clients that do not pause. Counted are kernel, network, catalogue, agents, drivers, device models and
every rule of the control plane, which looks on all the time. At the end of a run the region is settled: what every rule came to
is shown, and how many object bytes a management server saw. The aims: an operation costs at most 1.3 times as much with 100,000
objects as with 1,000; ``--full`` (ten zones, 1,000 hosts, 40 devices, 100,000 objects, 1,000,000 operations) takes at most 30
minutes and 2 GB on one core. No test asserts on a time.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import json
import os
import platform
import pstats
import resource
import statistics
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

from storcert.conformance.devices import prepare
from storcert.harness.contract import DataObjectUri, ObjectKind
from storcert.harness.logical.control_plane import ControlPlane
from storcert.scenarios.region import Region

SECOND_NS = 10**9
VOLUME_BYTES = 4096
KEPT_EVENTS = 1000
PRIMARY = ("rbd", "nfs", "object-store")
ABLE_TO_ATTACH, ABLE_TO_REVERT = ("rbd", "nfs"), ("rbd",)
AIM_GROWTH, AIM_US, AIM_MB = 1.3, 1800, 2048
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

    def __init__(self, size: Size, seed: int) -> None:
        self.size = size
        self.region = Region(seed, management_servers=2, keep=KEPT_EVENTS)
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


def quiet() -> None:
    gc.collect()
    gc.freeze()


def peak_mb() -> float:
    """Of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def costs(objects: int, rounds: int, per_round: int, seed: int, profile: str = "") -> dict[str, float]:
    """CPU microseconds per operation by name, in a region of so many objects."""
    world = World(Size(4, 40, 16, objects), seed)
    world.begin()
    start = time.process_time()
    world.fill()
    found = {"fill": 1e6 * (time.process_time() - start) / objects}
    world.size = Size(4, 40, 16, 1 << 60)
    world.run(4 * per_round, 1, 0)
    times: dict[str, list[float]] = {name: [] for name in MIX}
    quiet()
    profiler = cProfile.Profile()
    for _ in range(rounds):
        for name in MIX:
            before = world.done.total()

            def some(control: ControlPlane, name: str = name) -> None:
                for _ in range(per_round):
                    world.act(control, name)

            if name == profile:
                profiler.enable()
            start = time.process_time()
            world.region.call(some)
            seconds = time.process_time() - start
            profiler.disable()
            times[name].append(1e6 * seconds / (world.done.total() - before))
    found |= {name: statistics.median(some) for name, some in times.items()}
    found["mix"] = sum(found[name] * share for name, share in MIX.items()) / sum(MIX.values())
    if profile:
        pstats.Stats(profiler).sort_stats("tottime").print_stats(50)
    world.close()
    return found


def table_of_costs(sizes: list[int], rounds: int, per_round: int, seed: int) -> dict[str, dict[str, float]]:
    """Measure and print the first table."""
    columns = {size: costs(size, rounds, per_round, seed) for size in sizes}
    print(f"{'CPU us per operation':22}" + "".join(f"{size:>12,}" for size in sizes) + f"{'growth':>10}{'aim':>10}")
    rows: dict[str, dict[str, float]] = {}
    for name in columns[sizes[0]]:
        values = [columns[size][name] for size in sizes]
        growth = values[-1] / values[0]
        rows[name] = {**{str(size): value for size, value in zip(sizes, values, strict=True)}, "growth": growth}
        reached = "" if name == "fill" or len(sizes) == 1 else "reached" if growth <= AIM_GROWTH else "missed"
        print(f"{name:22}" + "".join(f"{value:12.0f}" for value in values) + f"{growth:10.2f}{reached:>10}")
    return rows


def long_run(size: Size, operations: int, clients: int, think_ns: int, seed: int) -> dict[str, Any]:
    """Build, fill, work, settle, judge."""
    start = time.process_time()
    world = World(size, seed)
    world.begin()
    built = time.process_time()
    world.fill()
    filled = time.process_time()
    began_ns, filled_objects = world.region.kernel.now_ns, world.objects
    quiet()
    world.run(max(0, operations - filled_objects), clients, think_ns)
    ran = time.process_time()
    simulated_s = (world.region.kernel.now_ns - began_ns) / 1e9
    done, before_end_mb = world.done.total() + filled_objects, peak_mb()
    result = {
        "region": str(size), "build_s": built - start, "fill_s": filled - built, "run_s": ran - filled,
        "operations": done, "clients": clients, "think_s": think_ns / 1e9, "simulated_s": simulated_s,
        "us_per_operation": 1e6 * (ran - start) / done, "simulated_s_per_cpu_s": simulated_s / (ran - filled),
        "peak_mb_while_running": before_end_mb, "by_name": dict(sorted(world.done.items())), **world.judge(),
        "peak_mb": peak_mb(),
    }
    world.close()
    result["total_s"] = time.process_time() - start
    return result


def show(title: str, run: Mapping[str, Any]) -> None:
    """Print a run."""
    print(f"\n{title}: {run['region']}; {run['clients']} clients, {run['think_s']:g} s between operations")
    print(f"  built in {run['build_s']:.1f} s, filled in {run['fill_s']:.1f} s, {run['operations']} operations in all")
    print(f"  {run['us_per_operation']:.0f} us per operation; {run['simulated_s']:.0f} simulated seconds, "
          f"{run['simulated_s_per_cpu_s']:.0f} per CPU second")
    print(f"  settled, read back and judged in {run['settle_s']:.1f} s; everything {run['total_s']:.0f} CPU s, "
          f"peak {run['peak_mb']:.0f} MB ({run['peak_mb_while_running']:.0f} before the end)")
    print(f"  object bytes at management servers: {run['bytes_at_management']}; elsewhere: {run['bytes_elsewhere']}")
    for rule, finding in run["rules"].items():
        print(f"  {rule:12} looked at {finding['looked_at']:>9}  {finding['broken'][:3] or 'holds'}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--per-round", type=int, default=60)
    parser.add_argument("--seconds", type=int, default=300, help="how long 20 clients work, simulated")
    parser.add_argument("--operations", type=int, default=20_000, help="of the long run")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--full", action="store_true", help="100,000 objects, and the long run with a million operations")
    parser.add_argument("--only", choices=["costs", "clients", "long"], help="one of the three")
    parser.add_argument("--profile", choices=list(MIX), help="show where the time of one operation goes instead")
    parser.add_argument("--json", default="")
    given = parser.parse_args()
    for kind in PRIMARY:
        prepare(kind)
    if given.profile:
        costs(given.objects[0], given.rounds, given.per_round, given.seed, given.profile)
        return
    result: dict[str, Any] = {"python": platform.python_version(), "load": os.getloadavg()[0]}
    if given.only in (None, "costs"):
        sizes = [1_000, 10_000, 100_000] if given.full else given.objects
        result["costs"] = table_of_costs(sizes, given.rounds, given.per_round, given.seed)
    if given.only in (None, "clients"):
        size = Size(4, 40, 16, 2_000)
        result["clients"] = long_run(size, 2_000 + 20 * given.seconds, 20, SECOND_NS, given.seed)
        show("20 clients, one operation a second each", result["clients"])
    if given.only in (None, "long"):
        size = Size(10, 1_000, 40, 100_000) if given.full else Size(10, 100, 40, 2_000)
        result["long"] = long_run(size, 1_000_000 if given.full else given.operations, 100, 0, given.seed)
        show("a long run", result["long"])
        ran = result["long"]
        reached = ran["us_per_operation"] <= AIM_US and ran["peak_mb"] <= AIM_MB
        print(f"  aim ({AIM_US} us per operation, {AIM_MB} MB): {'reached' if reached else 'missed'}")
    if given.json:
        with open(given.json, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=2)
            file.write("\n")


if __name__ == "__main__":
    main()

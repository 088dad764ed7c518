"""Short stories of a region, each told to its end and judged. Every one holds all rules on a control plane without defects.

Each is a generator of regions that are at rest: what breaks is looked for after each, so a story that needs many tellings
(every crash point) ends early where something broke. Imports of the region stand inside: the modules may be loaded anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from storcert.harness.checkers.control_plane import Broken, judge
from storcert.harness.contract import ObjectKind
from storcert.harness.record.event import Event
from tests.mutants.control_plane import clock_stories, transfer_stories
from tests.mutants.control_plane.zones import MINUTE_NS, S2, SECOND_NS, A, B, N, S, T, at_rest, quietly, uri, zone

Story = Callable[[], Iterator[tuple[Event, ...]]]


def plain() -> Iterator[tuple[Event, ...]]:
    region = zone()
    for _ in range(2):
        quietly(region, lambda c: c.create_volume(A, 4096, device="volumes"))
        quietly(region, lambda c: c.create_from(T, A, zone="z1"))
        quietly(region, lambda c: c.create_from(N, T, device="beside"))
        quietly(region, lambda c: c.create_from(B, A, device="volumes"))
        quietly(region, lambda c: c.take_snapshot(A, S))
        quietly(region, lambda c: c.take_snapshot(A, S2, "images"))
        quietly(region, lambda c: c.migrate(B, "beside"))
        quietly(region, lambda c: c.reconcile())
    quietly(region, lambda c: c.delete(N))
    quietly(region, lambda c: c.delete(A, dependants=True))
    yield at_rest(region)


def crashes(act: Callable[[Any], Any]) -> Story:
    """Every crash point of one operation."""

    def build() -> Any:
        region = zone()
        region.call(lambda c: c.create_volume(A, 4096, device="volumes"))
        region.call(lambda c: c.create_from(T, A, zone="z1"))
        return region

    def story() -> Iterator[tuple[Event, ...]]:
        from storcert.harness.record.fault import Fault
        from storcert.scenarios.crash_points import crash_points

        for point in crash_points(build, act):
            region = build()
            wire = next(wire for wire in region.network.wires if wire.name == point.wire)
            wire.plan.arm([Fault("crash", "*", point.nth, point.phase)])
            quietly(region, act)
            yield at_rest(region)

    return story


def race() -> Iterator[tuple[Event, ...]]:
    """Several ask for one object at once; somebody deletes the source meanwhile."""
    region = zone()
    region.call(lambda c: c.create_volume(A, 300_000, device="volumes"))
    region.call(lambda c: c.create_from(T, A, zone="z1"))
    tasks = [region.start(lambda c: c.create_from(N, T, device="beside"), at=f"ms-{1 + n % 2}") for n in range(4)]
    tasks += [region.start(lambda c: c.create_from(B, T, device="volumes"), at="ms-2")]
    region.advance(4_000_000)
    tasks.append(region.start(lambda c: c.delete(T), at="ms-2"))
    region.advance(2_000_000)
    tasks.append(region.start(lambda c: c.delete(A)))
    region.finish(*tasks)
    yield at_rest(region)


def moved_while_read() -> Iterator[tuple[Event, ...]]:
    """Somebody reads slowly what is moved, and it is moved once more when that is over."""
    region = zone("nfs")
    region.network.set_port("images", in_bytes_per_s=1_000_000)
    region.call(lambda c: c.create_volume(A, 2 << 20, device="volumes"))
    reader = region.start(lambda c: c.create_from(T, A, device="images"), at="ms-2")
    region.advance(20_000_000)
    quietly(region, lambda c: c.migrate(A, "beside"))
    region.finish(reader)
    quietly(region, lambda c: c.migrate(A, "beside"))
    yield at_rest(region)


def attached() -> Iterator[tuple[Event, ...]]:
    """A virtual machine writes; others want to delete, move and attach the volume; the host dies."""
    region = zone("nfs")
    region.call(lambda c: c.create_volume(A, 1 << 20, device="volumes"))
    region.call(lambda c: c.create_volume(B, 1 << 20, device="volumes"))
    quietly(region, lambda c: c.attach(A, "z1-h1", {"pause_ns": 10_000_000}))
    quietly(region, lambda c: c.attach(B, "z1-h2", {"pause_ns": 10_000_000}))
    for act in (
        lambda c: c.delete(A), lambda c: c.migrate(A, "beside"), lambda c: c.attach(A, "z1-h2"),
        lambda c: c.take_snapshot(A, S), lambda c: c.create_from(N, A, device="beside"),
    ):
        quietly(region, act)
    quietly(region, lambda c: c.detach(A, "z1-h1"))
    quietly(region, lambda c: c.migrate(A, "beside"))
    region.advance(SECOND_NS)
    region.crash("z1-h2")
    region.advance(20 * MINUTE_NS)
    quietly(region, lambda c: c.delete(B))
    yield at_rest(region)


def attached_at_the_end() -> Iterator[tuple[Event, ...]]:
    """A virtual machine has its volume open when everything else is at rest."""
    region = zone("nfs")
    region.call(lambda c: c.create_volume(A, 1 << 20, device="volumes"))
    region.call(lambda c: c.attach(A, "z1-h1"))
    yield at_rest(region)


def attach_fails() -> Iterator[tuple[Event, ...]]:
    """The device is away when a host wants to open a volume."""
    region = zone("nfs")
    region.call(lambda c: c.create_volume(A, 1 << 20, device="volumes"))
    region.disturbed("volumes", "somebody's hand")
    region.simulated("volumes").wire.take_down(3 * 3600 * SECOND_NS)
    quietly(region, lambda c: c.attach(A, "z1-h1", {}))
    region.advance(4 * 3600 * SECOND_NS)
    yield at_rest(region)


def staging() -> Iterator[tuple[Event, ...]]:
    """Two zones share a staging device; what is staged is looked at for eviction while somebody copies from it."""
    from storcert.harness.logical import reconcile
    from storcert.scenarios.region import Region

    region = Region(3, reconcile_ns=0)
    region.__enter__()
    for name in ("z1", "z2"):
        region.zone(name)
        region.device(f"images-{name}", "object-store", role="image", scope_id=name)
    region.device("stage", "object-store", role="staging", scope="region")
    region.device("volumes", "object-store", scope_id="z1")
    region.call(lambda c: c.create_volume(A, 8_000_000, zone="z1"))
    region.call(lambda c: c.create_from(T, A, zone="z1"))
    task = region.start(lambda c: c.copy(T, "images-z2"))
    for _ in range(12):
        region.advance(40_000_000)
        tried = region.start(lambda c: reconcile.evict(c.engine, 0))
        region.finish(tried)
    region.finish(task)
    region.advance(25 * 3600 * SECOND_NS)
    region.call(lambda c: c.reconcile())
    yield at_rest(region)


def deleted_everywhere() -> Iterator[tuple[Event, ...]]:
    """A template on several devices is deleted."""
    region = zone()
    region.call(lambda c: c.create_volume(A, 10, device="volumes"))
    region.call(lambda c: c.create_from(T, A, device="images"))
    region.call(lambda c: c.copy(T, "beside"))
    quietly(region, lambda c: c.delete(T))
    yield at_rest(region)


def two_zones() -> Iterator[tuple[Event, ...]]:
    """Nothing shared between two zones: what is asked from one cannot be done with the other's devices."""
    from storcert.scenarios.region import Region

    region = Region(3, reconcile_ns=0)
    region.__enter__()
    for name in ("z1", "z2"):
        region.zone(name, hosts=1, clusters=2)
        region.device(f"images-{name}", "object-store", role="image", scope_id=name)
        region.device(f"volumes-{name}", "object-store", scope="cluster", scope_id=f"{name}-c1")
    region.device("local", "nfs", scope="host", scope_id="z1-h1")
    region.call(lambda c: c.create_volume(A, 4096, device="volumes-z1"))
    quietly(region, lambda c: c.create_from(T, A, device="images-z1"))
    quietly(region, lambda c: c.copy(T, "images-z2"))
    quietly(region, lambda c: c.create_from(N, A, device="volumes-z2"))
    quietly(region, lambda c: c.create_volume(B, 1 << 20, device="local"))
    quietly(region, lambda c: c.attach(B, "z1-h2", {}))
    quietly(region, lambda c: c.attach(B, "z1-h1", {}))
    quietly(region, lambda c: c.detach(B, "z1-h1"))
    quietly(region, lambda c: c.take_snapshot(B, S))
    quietly(region, lambda c: c.revert(B, S))
    quietly(region, lambda c: c.create_from(uri("c"), B, device="local"))
    yield at_rest(region)


def policies() -> Iterator[tuple[Event, ...]]:
    """Devices that can more than they may."""
    from storcert.scenarios.region import Region

    region = Region(3, reconcile_ns=0)
    region.__enter__()
    region.zone("z1", hosts=1)
    region.device("volumes", "object-store", scope_id="z1", policy={"kinds": [ObjectKind.VOLUME]})
    region.device("frozen", "object-store", scope_id="z1", policy={"read_only": True})
    region.device("small", "object-store", scope_id="z1", policy={"max_object_size_bytes": 100, "quota_bytes": 1000})
    region.device("images", "object-store", role="image", scope_id="z1", policy={"kinds": [ObjectKind.TEMPLATE]})
    region.call(lambda c: c.create_volume(A, 4096, device="volumes"))
    for act in (
        lambda c: c.take_snapshot(A, S), lambda c: c.create_volume(N, 10, device="frozen"),
        lambda c: c.create_volume(N, 4096, device="small"), lambda c: c.create_from(N, A, device="frozen"),
        lambda c: c.take_snapshot(A, S, "images"), lambda c: c.attach(A, "z1-h1"), lambda c: c.revert(A, S),
        lambda c: c.create_from(T, A, device="images"), lambda c: c.migrate(A, "frozen"),
    ):
        quietly(region, act)
    yield at_rest(region)


def away() -> Iterator[tuple[Event, ...]]:
    """A device is away for hours in the middle of a copy, and again in the middle of a delete."""
    region = zone()
    region.call(lambda c: c.create_volume(A, 3_000_000, device="volumes"))
    region.disturbed("beside", "power_loss")
    task = region.start(lambda c: c.create_from(N, A, device="beside"))
    region.advance(10_000_000)
    region.simulated("beside").wire.take_down(2 * 3600 * SECOND_NS)
    region.finish(task)
    region.advance(3 * 3600 * SECOND_NS)
    region.call(lambda c: c.create_volume(B, 10, device="beside"))
    region.simulated("beside").wire.take_down(2 * 3600 * SECOND_NS)
    quietly(region, lambda c: c.delete(B))
    yield at_rest(region)


def full() -> Iterator[tuple[Event, ...]]:
    """The device is full although the catalogue thinks that there is room."""
    from storcert.harness.record.fault import Fault

    region = zone()
    region.call(lambda c: c.create_volume(A, 50_000, device="volumes"))
    region.arm("beside", Fault("full", "*", 1))
    quietly(region, lambda c: c.create_from(N, A, device="beside"))
    quietly(region, lambda c: c.create_volume(B, 10, device="beside"))
    quietly(region, lambda c: c.migrate(A, "beside"))
    yield at_rest(region)


def leftovers() -> Iterator[tuple[Event, ...]]:
    """Bytes lie under the name of an object that is to be made, on a device that is also to be found wanting."""
    region = zone()
    region.call(lambda c: c.create_volume(A, 4096, device="volumes"))
    region.by_hand("volumes", lambda driver: driver.create(N, 4096))
    region.by_hand("volumes", lambda driver: driver.create(B, 4096))
    quietly(region, lambda c: c.create_from(N, A, device="volumes"))
    quietly(region, lambda c: c.create_volume(uri("c"), 10, device="volumes"))
    region.by_hand("volumes", lambda driver: driver.delete(uri("c")))
    yield at_rest(region)


def slow_server() -> Iterator[tuple[Event, ...]]:
    """A server stands still for an hour in the middle of a job; another goes on; then the first wakes up."""
    region = zone()
    region.call(lambda c: c.create_volume(A, 3_000_000, device="volumes"))
    for turn in range(20):
        name = uri(f"n{turn}")
        task = region.start(lambda c, name=name: c.create_volume(name, 10, device="beside"))
        region.advance(300_000 * (turn + 1))
        region.kernel.location("ms-1").pause()
        region.advance(2 * 3600 * SECOND_NS)
        region.kernel.location("ms-1").resume()
        region.finish(task)
    yield at_rest(region)


def staged_volume() -> Iterator[tuple[Event, ...]]:
    """A volume is backed up over a staging device, and written to afterwards."""
    from storcert.scenarios.region import Region

    region = Region(3, reconcile_ns=0)
    region.__enter__()
    for name in ("z1", "z2"):
        region.zone(name)
        region.device(f"images-{name}", "object-store", role="image", scope_id=name)
    region.device("stage", "object-store", role="staging", scope="region")
    region.device("volumes", "nfs", scope_id="z1")
    region.call(lambda c: c.create_volume(A, 1 << 20, zone="z1"))
    region.call(lambda c: c.take_snapshot(A, S, "images-z2"))
    region.call(lambda c: c.attach(A, "z1-h1", {"pause_ns": 10_000_000}))
    region.advance(SECOND_NS)
    region.call(lambda c: c.detach(A, "z1-h1"))
    yield at_rest(region)


def cut_off() -> Iterator[tuple[Event, ...]]:
    """Answers of the storage VM do not come back, and later the storage VM is dead."""
    region = zone(restart_ns=None)
    region.call(lambda c: c.create_volume(A, 3_000_000, device="volumes"))
    task = region.start(lambda c: c.create_from(N, A, device="beside"))
    region.advance(15_000_000)
    region.network.partition_one_way("z1-ssvm1", "ms-1")
    region.advance(10 * MINUTE_NS)
    region.network.heal()
    region.finish(task)
    task = region.start(lambda c: c.migrate(A, "beside"))
    region.advance(15_000_000)
    region.crash("z1-ssvm1")
    region.finish(task)
    yield at_rest(region)


STORIES: dict[str, Story] = {
    "plain": plain,
    "race": race,
    "moved-while-read": moved_while_read,
    "attached": attached,
    "attached-at-the-end": attached_at_the_end,
    "attach-fails": attach_fails,
    "staging": staging,
    "deleted-everywhere": deleted_everywhere,
    "two-zones": two_zones,
    "policies": policies,
    "away": away,
    "full": full,
    "leftovers": leftovers,
    "slow-server": slow_server,
    "cut-off": cut_off,
    "staged-volume": staged_volume,
    "wrong-clock": clock_stories.wrong_clock,
    "exports": transfer_stories.exports,
    "links": transfer_stories.links,
    "uploads": transfer_stories.uploads,
    "seeding": transfer_stories.seeding,
    "unknown-sizes": transfer_stories.unknown_sizes,
    "crash-create": crashes(lambda c: c.create_volume(N, 8192, zone="z1")),
    "crash-copy": crashes(lambda c: c.create_from(N, T, zone="z1")),
    "crash-migrate": crashes(lambda c: c.migrate(A, "beside")),
    "crash-delete": crashes(lambda c: c.delete(A)),
}


#: Stories that a scenario of the catalogue tells: what nobody owns on a device is found when its world is used up.
BY_SCENARIOS = {
    "residue": "residue-nobody-lists", "fenced": "fenced-host-was-alive", "cleared": "cleared-in-the-last-turn"}


def broken(name: str) -> Iterator[Broken]:
    """Everything that breaks a rule in that story, as it comes."""
    if name in BY_SCENARIOS:
        from storcert.scenarios.catalogue import scenario
        from storcert.scenarios.runner.play import play

        for finding in play(scenario(BY_SCENARIOS[name]), 1, keep=0).findings:
            yield from finding.broken
        return
    for events in STORIES[name]():
        for finding in judge(events):
            yield from finding.broken

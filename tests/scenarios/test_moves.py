"""What is only in one place stays in one place, whoever comes in between: migrations, deletes, staged copies, maintenance."""

from __future__ import annotations

import pytest

from storcert.harness.contract import DeviceUnavailable, ObjectInUse
from storcert.harness.logical.records import DeviceState
from storcert.harness.logical.states import State
from storcert.harness.record.fault import Fault, Phase
from storcert.scenarios.region import Region
from tests.scenarios.regions import broken, one_zone, snapshot, template, volume

MILLISECOND_NS = 10**6


def ready(region: Region, name: str) -> list[str]:
    placed = region.call(lambda c: c.surroundings.transact("look", lambda session: session.placements(name)))
    return [one.device for one in placed if one.state is State.READY]


def test_a_volume_whose_source_is_needed_when_its_copy_is_ready_stays_where_it_was() -> None:
    with one_zone("nfs") as region:
        region.network.set_port("images", in_bytes_per_s=1_000_000)  # the reader takes longer than the migration
        region.call(lambda c: c.create_volume(volume("a"), 4 << 20, device="volumes"))
        reader = region.start(lambda c: c.create_from(template(), volume("a"), device="images"), at="ms-2")
        region.advance(20 * MILLISECOND_NS)
        with pytest.raises(ObjectInUse):
            region.call(lambda c: c.migrate(volume("a"), "beside"))
        assert ready(region, "/volume/1/a") == ["volumes"], "never in two places"
        region.finish(reader)
        region.call(lambda c: c.migrate(volume("a"), "beside"))
        assert ready(region, "/volume/1/a") == ["beside"]
        assert broken(region) == []


def test_two_servers_delete_the_same_object() -> None:
    with one_zone("rbd") as region:
        region.call(lambda c: c.create_volume(volume("a"), 4096, device="volumes"))
        region.call(lambda c: c.take_snapshot(volume("a"), snapshot()))
        tasks = [
            region.start(lambda c: c.delete(snapshot()), at="ms-2"),
            region.start(lambda c: c.delete(volume("a"), dependants=True), at="ms-1"),
        ]
        region.finish(*tasks)
        assert [task.error for task in tasks] == [None, None]
        assert ready(region, "/volume/1/a") == ready(region, "/snapshot/1/s") == []
        assert broken(region) == []


def test_a_staged_copy_that_nobody_uses_makes_room_for_the_next() -> None:
    region = Region(1)
    region.zone("z1")
    region.zone("z2")
    region.device("stage", "object-store", role="staging", scope="region", capacity_bytes=3 << 20)
    region.device("one", "nfs", role="image", scope_id="z1")
    region.device("two", "nfs", role="image", scope_id="z2")
    region.device("volumes", "rbd", scope_id="z1")
    with region:
        region.call(lambda c: c.create_volume(volume("a"), 2 << 20, device="volumes"))
        for name in ("t", "u", "v"):
            region.call(lambda c, name=name: c.create_from(template(name), volume("a"), device="one"))
            region.call(lambda c, name=name: c.copy(template(name), "two"))
        assert ready(region, "/template/1/v") == ["one", "stage", "two"]
        assert ready(region, "/template/1/t") == ["one", "two"]
        assert broken(region) == []


def test_nothing_new_on_a_device_in_maintenance_even_by_name() -> None:
    with one_zone("nfs") as region:
        region.call(lambda c: c.create_volume(volume("a"), 4096, device="volumes"))
        region.call(lambda c: c.set_device_state("volumes", DeviceState.MAINTENANCE))
        with pytest.raises(DeviceUnavailable, match="in maintenance"):
            region.call(lambda c: c.create_volume(volume("b"), 4096, device="volumes"))
        region.call(lambda c: c.create_from(template(), volume("a"), device="images"))
        region.call(lambda c: c.migrate(volume("a"), "beside"))
        assert broken(region) == []


def test_a_server_dies_while_it_takes_away_what_was_only_wanted_in_between() -> None:
    with one_zone("rbd") as region:
        region.call(lambda c: c.create_volume(volume("a"), 4096, device="volumes"))
        region.call(lambda c: c.attach(volume("a"), "z1-h1"))
        region.catalogue.wire.plan.arm([Fault("crash", "copy: begin removal", 1, Phase.AFTER)])
        region.call(lambda c: c.create_from(template(), volume("a"), device="images"), at="ms-2")
        assert region.catalogue.wire.plan.fired
        assert broken(region) == []
        assert ready(region, "/template/1/t") == ["images"]

"""What is not done twice: the ledger of bytes tells, after whatever broke in the middle."""

from __future__ import annotations

from typing import Any

import pytest

from storcert.harness.contract import DeviceUnavailable, StorageError
from storcert.scenarios.crash_points import crash_points, outcomes
from storcert.scenarios.region import Region
from tests.scenarios.regions import broken, one_zone, template, volume

SECOND_NS = 10**9
SIZE = 30_000_000


def moved(region: Region, device: str) -> int:
    """Object bytes that went to or from a device, but those of the surveyor."""
    ledger = region.network.ledger()
    return sum(one.total_bytes for one in ledger.entries if one.peer == device and one.location != "surveyor")


def answer(task: Any) -> Any:
    if task.error is not None:
        raise task.error
    return task.result


@pytest.mark.parametrize("kind", ["object-store", "nfs", "rbd"])
def test_a_source_that_goes_away_in_the_middle_is_read_on_where_it_stopped(kind: str) -> None:
    with one_zone(kind, other="object-store") as region:
        region.call(lambda c: c.create_volume(volume("a"), SIZE, device="volumes"))
        region.network.set_port("volumes", out_bytes_per_s=3_000_000)
        before = moved(region, "volumes")
        task = region.start(lambda c: c.migrate(volume("a"), "beside"))
        region.advance(5 * SECOND_NS)
        region.disturbed("volumes", "power_loss")
        region.simulated("volumes").wire.take_down(8 * SECOND_NS)  # type: ignore[attr-defined]
        region.finish(task)
        assert answer(task)["way"] == "stream"
        assert SIZE <= moved(region, "volumes") - before < SIZE * 1.25, "what was read before is not read again"
        assert broken(region) == []


def test_an_export_and_a_link_read_on_too() -> None:
    import httpx

    with one_zone() as region:
        region.call(lambda c: c.create_volume(volume("a"), SIZE, device="volumes"))
        region.network.set_port("volumes", out_bytes_per_s=3_000_000)
        place = region.web.accept("http://exports.sim/a")
        made = region.call(lambda c: c.link(volume("a")))
        for begin in (
            lambda: region.start(lambda c: c.export(volume("a"), "http://exports.sim/a")),
            lambda: region.visit(lambda: len(httpx.get(made["url"], timeout=100).content)),
        ):
            task = begin()
            before = moved(region, "volumes")
            region.advance(5 * SECOND_NS)
            region.disturbed("volumes", "power_loss")
            region.simulated("volumes").wire.take_down(8 * SECOND_NS)  # type: ignore[attr-defined]
            region.finish(task)
            assert answer(task) in ({"size_bytes": SIZE}, SIZE)
            assert moved(region, "volumes") - before < SIZE * 1.25
        assert place.received == 1
        region.call(lambda c: c.unlink(made["link"]))
        assert broken(region) == []


def test_a_source_that_stays_away_fails_the_copy_and_leaves_nothing() -> None:
    with one_zone() as region:
        region.call(lambda c: c.create_volume(volume("a"), SIZE, device="volumes"))
        region.network.set_port("volumes", out_bytes_per_s=3_000_000)
        task = region.start(lambda c: c.create_from(volume("n"), volume("a"), device="beside"))
        region.advance(5 * SECOND_NS)
        region.disturbed("volumes", "power_loss")
        region.simulated("volumes").wire.take_down(3 * 3600 * SECOND_NS)  # type: ignore[attr-defined]
        region.finish(task)
        assert isinstance(task.error, DeviceUnavailable)
        region.advance(4 * 3600 * SECOND_NS)
        assert broken(region) == []


# -- legs that are done are not done again


def two_zones(**more: Any) -> Region:
    """Images in two zones that share a staging device; a template in the first."""
    region = Region(3, management_servers=2, reconcile_ns=60 * SECOND_NS, **more)
    region.__enter__()
    for zone in ("z1", "z2"):
        region.zone(zone)
        region.device(f"images-{zone}", "object-store", role="image", scope_id=zone)
    region.device("stage", "object-store", role="staging", scope="region")
    region.device("volumes", "object-store", scope_id="z1")
    region.call(lambda c: c.create_volume(volume("a"), SIZE, device="volumes"))
    region.call(lambda c: c.create_from(template(), volume("a"), device="images-z1"))
    return region


def second_leg(region: Region) -> bool:
    """Whether the first leg is done and the second moves bytes."""
    return bool(region.simulated("stage").census()) and region.call(
        lambda c: c.progress("/template/1/t@images-z2"), at="ms-2")["legs_done"] == 1


def until_second_leg(region: Region) -> None:
    for _ in range(400):
        if second_leg(region):
            return
        region.advance(100_000_000)
    raise AssertionError("the second leg never began")


@pytest.mark.parametrize("victims", [["z2-ssvm1"], ["ms-1"], ["ms-1", "z2-ssvm1"], ["ms-1", "z1-ssvm1", "z2-ssvm1", "z2-h1"]])
def test_whoever_dies_in_the_second_leg_the_first_is_not_repeated(victims: list[str]) -> None:
    with two_zones() as region:
        region.network.set_port("images-z2", in_bytes_per_s=3_000_000)
        before = moved(region, "images-z1")
        task = region.start(lambda c: c.copy(template(), "images-z2"))
        until_second_leg(region)
        region.advance(SECOND_NS)
        for name in victims:
            region.crash(name)
        region.finish(task)
        for _ in range(60):
            region.advance(30 * SECOND_NS)
        assert [entry.name for entry in region.simulated("images-z2").census()] != []
        assert SIZE <= moved(region, "images-z1") - before < SIZE * 1.1, "the first leg was done once"
        assert broken(region) == []


def test_what_a_failed_copy_has_staged_is_where_the_next_one_begins() -> None:
    with two_zones() as region:
        region.network.set_port("images-z2", in_bytes_per_s=3_000_000)
        task = region.start(lambda c: c.copy(template(), "images-z2"))
        until_second_leg(region)
        before = moved(region, "images-z1")
        region.disturbed("images-z2", "power_loss")
        region.simulated("images-z2").wire.take_down(3600 * SECOND_NS)  # type: ignore[attr-defined]
        region.finish(task)
        assert isinstance(task.error, StorageError)
        region.advance(3600 * SECOND_NS)
        assert region.call(lambda c: c.copy(template(), "images-z2"))["way"] == "stream"
        assert moved(region, "images-z1") == before, "its bytes came from the staged copy"
        assert broken(region) == []


# -- many zones


def ten_zones(size_bytes: int = 1_000_000) -> Region:
    region = Region(3, management_servers=2, reconcile_ns=60 * SECOND_NS)
    region.__enter__()
    for number in range(10):
        region.zone(f"z{number}")
        region.device(f"images-{number}", "object-store", role="image", scope_id=f"z{number}")
        region.device(f"more-{number}", "object-store", role="image", scope_id=f"z{number}")
    region.device("everywhere", "object-store", role="staging", scope="region")
    region.call(lambda c: c.create_volume(volume("a"), size_bytes, device="images-0"))
    region.call(lambda c: c.create_from(template(), volume("a"), device="images-0"))
    return region


ZONES = [f"z{number}" for number in range(10)]


def copies(region: Region) -> int:
    return sum(
        entry.name.endswith("/template/1/t")
        for number in range(10) for name in ("images", "more") for entry in region.simulated(f"{name}-{number}").census()
    )


def test_a_seeding_whose_server_dies_goes_on_with_the_zones_that_are_not_done() -> None:
    with ten_zones() as region:
        for number in range(5, 10):
            for name in ("images", "more"):
                region.network.set_port(f"{name}-{number}", in_bytes_per_s=100_000)
        task = region.start(lambda c: c.seed(template(), ZONES))
        region.advance(4 * SECOND_NS)
        done = copies(region)
        assert 1 < done < 10
        told = region.call(lambda c: c.progress(f"seed /template/1/t to {','.join(ZONES)}"), at="ms-2")
        assert (told["kind"], told["legs"], told["legs_done"]) == ("seed", 10, done)
        region.crash("ms-1")
        region.advance(600 * SECOND_NS)
        assert task.crashed and copies(region) == 10, "another server went on"
        devices = [f"{name}-{number}" for number in range(1, 10) for name in ("images", "more")]
        written = {name: moved(region, name) for name in devices}
        found = region.call(lambda c: c.seed(template(), ZONES), at="ms-2")
        assert sorted(found) == ZONES and not any(isinstance(one, StorageError) for one in found.values())
        assert copies(region) == 10, "one copy in each zone"
        assert all(moved(region, name) == count for name, count in written.items()), "nothing is moved twice"
        assert broken(region) == []


def test_a_seeding_that_is_asked_for_again_joins_what_is_under_way() -> None:
    with ten_zones() as region:
        for number in range(10):
            for name in ("images", "more"):
                region.network.set_port(f"{name}-{number}", in_bytes_per_s=300_000)
        first = region.start(lambda c: c.seed(template(), ZONES))
        region.advance(2 * SECOND_NS)
        second = region.start(lambda c: c.seed(template(), ZONES), at="ms-2")
        third = region.start(lambda c: c.seed(template(), ZONES[:5]), at="ms-2")
        region.finish(first, second, third)
        assert answer(first) == answer(second) and copies(region) == 10
        assert {zone: one["device"] for zone, one in answer(third).items()} == {
            zone: answer(first)[zone]["device"] for zone in ZONES[:5]}
        assert broken(region) == []


def test_a_zone_that_cannot_be_seeded_does_not_keep_the_others() -> None:
    with ten_zones() as region:
        found = region.call(lambda c: c.seed(template(), ["z1", "z99", "z2"]))
        assert sorted(found) == ["z1", "z2", "z99"] and isinstance(found["z99"], StorageError)
        assert found["z1"]["device"] in ("images-1", "more-1")
        assert broken(region) == []


def test_a_seeding_is_cancelled_with_all_that_belongs_to_it() -> None:
    with ten_zones(20_000_000) as region:
        for number in range(1, 10):
            for name in ("images", "more"):
                region.network.set_port(f"{name}-{number}", in_bytes_per_s=300_000)
        task = region.start(lambda c: c.seed(template(), ZONES))
        region.advance(5 * SECOND_NS)
        region.call(lambda c: c.cancel(f"seed /template/1/t to {','.join(ZONES)}"), at="ms-2")
        region.finish(task)
        found = answer(task)
        assert isinstance(found["z5"], StorageError) and "cancelled" in found["z5"].message
        assert broken(region) == []


def small_zones() -> Region:
    """Two zones, a staging device between them, and a template in the first."""
    region = Region(3, management_servers=2, reconcile_ns=300 * SECOND_NS)
    region.__enter__()
    for number in range(2):
        region.zone(f"z{number}")
        region.device(f"images-{number}", "object-store", role="image", scope_id=f"z{number}")
    region.device("everywhere", "object-store", role="staging", scope="region")
    region.call(lambda c: c.create_volume(volume("a"), 4096, device="images-0"))
    region.call(lambda c: c.create_from(template(), volume("a"), device="images-0"))
    return region


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_crash_of_a_seeding_breaks_a_rule() -> None:
    def act(control: Any) -> Any:
        return control.seed(template(), ["z0", "z1"])

    points = crash_points(small_zones, act)
    assert len(points) >= 30
    for outcome in outcomes(small_zones, act, points):
        assert outcome.struck and outcome.broken == [], outcome.point

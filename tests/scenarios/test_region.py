"""The control plane at work in a simulated region: every operation, repeated, refused, and judged by every rule."""

from __future__ import annotations

from typing import Any

import pytest

from storcert.harness.checkers.control_plane import judge
from storcert.harness.contract import (
    CapacityExceeded,
    DeviceUnavailable,
    InvalidRequest,
    ObjectExists,
    ObjectInUse,
    ObjectNotFound,
    StorageError,
    Unsupported,
)
from storcert.harness.logical.reconcile import list_device
from storcert.harness.logical.records import DeviceState
from storcert.scenarios.region import Region
from storcert.simulators.network.link import Link
from tests.scenarios.regions import broken, one_zone, snapshot, template, volume


def _held(region: Region, device: str) -> list[str]:
    return sorted(entry.name.removeprefix("storcert") for entry in region.simulated(device).census())


def _commands(region: Region, said: str) -> list[str]:
    """The commands sent that say so."""
    events = region.kernel.journal.events
    return [event.text for event in events if event.kind == "command" and '"sent"' in event.text and said in event.text]


def test_objects_are_made_copied_and_deleted_all_by_the_same_code() -> None:
    with one_zone() as region:
        made = region.call(lambda c: c.create_volume(volume("a"), 4096, zone="z1"))
        assert made == {"uri": "/volume/1/a", "device": "volumes", "size_bytes": 4096}
        assert region.call(lambda c: c.create_from(volume("b"), volume("a"), zone="z1"))["way"] == "device-copy"
        assert region.call(lambda c: c.create_from(template(), volume("a"), zone="z1"))["way"] == "stream"
        assert region.call(lambda c: c.create_from(volume("c"), template(), device="beside"))["way"] == "stream"
        assert region.call(lambda c: c.migrate(volume("a"), "beside"))["way"] == "stream"
        assert (_held(region, "volumes"), _held(region, "beside")) == (["/volume/1/b"], ["/volume/1/a", "/volume/1/c"])
        for name in "abc":
            region.call(lambda c, name=name: c.delete(volume(name)))
        region.call(lambda c: c.delete(template()))
        assert broken(region) == []
        assert _held(region, "volumes") == _held(region, "beside") == _held(region, "images") == []


def test_what_is_done_already_is_a_success() -> None:
    with one_zone() as region:
        for _ in range(2):
            assert region.call(lambda c: c.create_volume(volume("a"), 10, zone="z1"))["device"] == "volumes"
        for _ in range(2):
            assert region.call(lambda c: c.create_from(volume("b"), volume("a"), zone="z1"))["device"] == "volumes"
        for _ in range(2):
            assert region.call(lambda c: c.create_from(template(), volume("a"), zone="z1"))["device"] == "images"
        for _ in range(2):
            assert region.call(lambda c: c.copy(template(), "beside"))["device"] == "beside"
        for _ in range(2):
            region.call(lambda c: c.migrate(volume("a"), "beside"))
        for _ in range(2):
            region.call(lambda c: c.delete(volume("a")))
        assert broken(region) == []


REFUSED: dict[str, tuple[type[StorageError], Any]] = {
    "another-size": (ObjectExists, lambda c: c.create_volume(volume("a"), 11, zone="z1")),
    "unknown-source": (ObjectNotFound, lambda c: c.create_from(volume("n"), volume("nobody"), zone="z1")),
    "from-itself": (ObjectExists, lambda c: c.create_from(volume("a"), volume("a"), zone="z1")),
    "wrong-kind": (InvalidRequest, lambda c: c.create_volume(template(), 10, zone="z1")),
    "unknown-zone": (Unsupported, lambda c: c.create_volume(volume("n"), 10, zone="z9")),
    "unknown-device": (InvalidRequest, lambda c: c.create_volume(volume("n"), 10, device="none")),
    "too-large": (CapacityExceeded, lambda c: c.create_volume(volume("n"), 1 << 45, zone="z1")),
    "snapshot-elsewhere-is-a-volume": (InvalidRequest, lambda c: c.take_snapshot(volume("a"), volume("n"))),
    "volume-twice": (InvalidRequest, lambda c: c.copy(volume("a"), "beside")),
    "not-attachable": (Unsupported, lambda c: c.attach(volume("a"), "z1-h1")),
    "attached-to-a-storage-vm": (InvalidRequest, lambda c: c.attach(volume("a"), "z1-ssvm1")),
    "reverted-to-nothing": (ObjectNotFound, lambda c: c.revert(volume("a"), snapshot())),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_what_cannot_be_is_refused_and_changes_nothing(case: str) -> None:
    error, act = REFUSED[case]
    with one_zone() as region:
        region.call(lambda c: c.create_volume(volume("a"), 10, device="volumes"))
        with pytest.raises(error):
            region.call(act)
        assert _held(region, "volumes") == ["/volume/1/a"] and _held(region, "beside") == []
        assert broken(region) == []


def test_a_snapshot_of_a_volume_at_rest_may_be_a_copy() -> None:
    with one_zone() as region:
        region.call(lambda c: c.create_volume(volume("a"), 10, device="volumes"))
        assert region.call(lambda c: c.take_snapshot(volume("a"), snapshot()))["way"] == "device-copy"
        assert region.call(lambda c: c.take_snapshot(volume("a"), snapshot("s2"), "images"))["way"] == "stream"
        with pytest.raises(ObjectInUse, match="is on the same device"):
            region.call(lambda c: c.migrate(volume("a"), "beside"))
        region.call(lambda c: c.delete(volume("a"), dependants=True))
        assert _held(region, "volumes") == _held(region, "images") == []
        assert broken(region) == []


def test_a_device_in_maintenance_takes_nothing_new() -> None:
    with one_zone() as region:
        region.call(lambda c: c.set_device_state("volumes", DeviceState.MAINTENANCE))
        assert region.call(lambda c: c.create_volume(volume("a"), 10, zone="z1"))["device"] == "beside"


def test_a_catalogue_that_is_away_is_told_in_the_contracts_words_and_stops_no_server() -> None:
    with one_zone() as region:
        region.call(lambda c: c.create_volume(volume("a"), 10, device="volumes"))
        region.disturbed("catalogue", "outage")
        region.catalogue.wire.take_down(60 * 10**9)
        with pytest.raises(DeviceUnavailable, match="the catalogue did not answer"):
            region.call(lambda c: c.migrate(volume("a"), "beside"))
        region.advance(1200 * 10**9)
        beats = [e for e in region.kernel.journal.events if e.kind == "request" and " beat " in e.text]
        assert max(e.time_ns for e in beats) > region.kernel.now_ns - 30 * 10**9
        assert region.call(lambda c: c.migrate(volume("a"), "beside"))["device"] == "beside"
        assert broken(region) == []


def test_many_ask_for_one_object_and_one_is_made() -> None:
    with one_zone() as region:
        region.call(lambda c: c.create_volume(volume("a"), 100_000, device="volumes"))
        tasks = [
            region.start(lambda c: c.create_from(volume("n"), volume("a"), device="beside"), at=f"ms-{1 + number % 2}")
            for number in range(6)
        ]
        region.finish(*tasks)
        assert [task.error for task in tasks] == [None] * 6
        assert len(_commands(region, '"verb":"stream"')) == 1
        assert broken(region) == []


def test_a_template_is_seeded_to_ten_zones_through_what_they_share() -> None:
    with Region(3, reconcile_ns=0) as region:
        for number in range(10):
            region.zone(f"z{number}")
            region.device(f"images-{number}", "object-store", role="image", scope_id=f"z{number}")
        region.device("everywhere", "object-store", role="staging", scope="region")
        region.device("volumes", "object-store", scope_id="z0")
        region.call(lambda c: c.create_volume(volume("a"), 50_000, zone="z0"))
        region.call(lambda c: c.create_from(template(), volume("a"), zone="z0"))
        found = region.call(lambda c: c.seed(template(), [f"z{number}" for number in range(10)]))
        assert {zone: result["device"] for zone, result in found.items()} == {f"z{n}": f"images-{n}" for n in range(10)}
        assert len(_commands(region, '"target_device":"everywhere"')) == 1
        assert broken(region) == []


def test_staged_copies_go_when_nobody_used_them_for_long() -> None:
    with Region(3, reconcile_ns=0) as region:
        for zone in ("z1", "z2"):
            region.zone(zone)
            region.device(f"images-{zone}", "object-store", role="image", scope_id=zone)
        region.device("stage", "object-store", role="staging", scope="region")
        region.device("volumes", "object-store", scope_id="z1")
        region.call(lambda c: c.create_volume(volume("a"), 5, zone="z1"))
        region.call(lambda c: c.create_from(template(), volume("a"), zone="z1"))
        region.call(lambda c: c.copy(template(), "images-z2"))
        assert _held(region, "stage") == ["/template/1/t"]
        assert region.call(lambda c: c.reconcile())["evicted"] == 0
        region.advance(25 * 3600 * 10**9)
        assert region.call(lambda c: c.reconcile())["evicted"] == 1
        assert _held(region, "stage") == [] and broken(region) == []


def test_a_long_copy_is_cancelled_and_leaves_nothing() -> None:
    with one_zone() as region:
        region.call(lambda c: c.create_volume(volume("a"), 30_000_000, device="volumes"))
        region.network.set_port("beside", in_bytes_per_s=100_000)
        task = region.start(lambda c: c.migrate(volume("a"), "beside"))
        region.advance(40 * 10**9)
        assert not task.done
        region.call(lambda c: c.cancel(str(volume("a"))))
        region.advance(60 * 10**9)
        assert task.done and isinstance(task.error, StorageError) and "cancelled" in task.error.message
        assert (_held(region, "volumes"), _held(region, "beside")) == (["/volume/1/a"], [])
        assert broken(region) == []


def test_a_server_that_dies_is_succeeded_by_another() -> None:
    with one_zone(restart_ns=None) as region:
        region.call(lambda c: c.create_volume(volume("a"), 3_000_000, device="volumes"))
        task = region.start(lambda c: c.migrate(volume("a"), "beside"), at="ms-1")
        region.advance(20_000_000)
        region.crash("ms-1")
        region.advance(3600 * 10**9)
        assert task.crashed and (_held(region, "volumes"), _held(region, "beside")) == ([], ["/volume/1/a"])
        assert any('"taken-over"' in event.text for event in region.kernel.journal.events)
        assert broken(region) == []


def test_a_storage_vm_that_dies_is_replaced_by_a_host() -> None:
    with one_zone(restart_ns=None) as region:
        region.call(lambda c: c.create_volume(volume("a"), 3_000_000, device="volumes"))
        task = region.start(lambda c: c.create_from(volume("n"), volume("a"), device="beside"))
        region.advance(20_000_000)
        region.crash("z1-ssvm1")
        region.finish(task)
        assert task.error is None
        assert _commands(region, '"at":"z1-h1"')
        assert broken(region) == []


def test_bytes_without_a_record_are_swept_and_records_without_bytes_are_told() -> None:
    with one_zone() as region:
        region.call(lambda c: c.create_volume(volume("a"), 10, device="volumes"))
        region.by_hand("volumes", lambda driver: driver.create(volume("orphan"), 10))
        region.by_hand("volumes", lambda driver: driver.delete(volume("a")))
        mended = region.call(lambda c: c.reconcile())
        assert (mended["swept"], mended["lost"]) == (1, 1)
        assert _held(region, "volumes") == []
        assert region.call(lambda c: c.reconcile()) == dict.fromkeys(mended, 0)
        assert broken(region) == []


def test_one_seed_is_one_run_and_another_seed_another() -> None:
    def digest(seed: int) -> str:
        with one_zone(seed=seed) as region:
            region.call(lambda c: c.create_volume(volume("a"), 4096, zone="z1"))
            region.call(lambda c: c.create_from(template(), volume("a"), zone="z1"))
            region.settle()
            return region.kernel.digest()

    assert digest(1) == digest(1) != digest(2)


def test_a_run_in_which_nothing_happened_decides_nothing() -> None:
    assert {finding.looked_at for finding in judge(())} == {0}


def test_what_does_not_come_to_rest_is_looked_at_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    with one_zone() as region:
        region.call(lambda c: c.create_volume(volume("a"), 10, zone="z1"))
        monkeypatch.setattr(Region, "_unfinished", lambda region: True)
        with pytest.raises(TimeoutError, match="not at rest after 1 rounds"):
            region.settle(1)
        assert [one for finding in region.findings() for one in finding.broken] == []
        assert next(one for one in region.findings() if one.rule == "L-RECORD").looked_at


@pytest.mark.parametrize("seed", range(2))
def test_nobody_begins_a_round_while_stock_is_taken(seed: int) -> None:
    """Reading what is on a slow device takes many rounds' time: a job that began meanwhile would be one that never ended."""
    with Region(seed, management_servers=2, reconcile_ns=2 * 10**9) as region:
        region.zone("z1")
        region.device("volumes", "nfs", scope_id="z1")
        region.network.set_link("surveyor", "volumes", Link(down_bytes_per_s=200_000))
        region.network.set_link("z1-ssvm1", "volumes", Link(one_way_ns=2_000_000_000))
        region.call(lambda c: c.create_volume(volume("a"), 4 << 20, device="volumes"))
        region.settle()
        assert [one.text for finding in region.findings() for one in finding.broken] == []
        before = region.kernel.now_ns
        region.advance(10**10)
        rounds = [event for event in region.kernel.journal.events if event.kind == "reconciled" and event.time_ns > before]
        assert rounds, "they go on afterwards"


def test_what_was_listed_and_went_with_its_record_is_nobodys_bytes() -> None:
    """Between a listing and the look at the records an object may come to its end: nothing of it is swept."""
    ended: list[str] = []

    def reconcile(control: Any) -> Any:
        def slowly(work: Any) -> Any:
            found = list_device(work)
            if not ended and work.arguments["device"] == "volumes":
                control.delete(volume("a"))
                ended.append("volume/a")
            return found

        control.engine.handlers["list"] = slowly
        return control.reconcile()

    with one_zone("nfs") as region:
        region.call(lambda c: c.create_volume(volume("a"), 4096, device="volumes"))
        assert region.call(reconcile)["swept"] == 0 and ended
        assert broken(region) == []


def test_virtual_machines_rest_while_a_region_settles_and_are_stopped_at_once() -> None:
    with one_zone("rbd") as region:
        region.call(lambda c: c.create_volume(volume("a"), 65536, device="volumes"))
        region.call(lambda c: c.attach(volume("a"), "z1-h1", {"pause_ns": 10**9}))
        wire = next(one for one in region.network.wires if one.name == "volumes")
        before = len(wire.requests)
        region.settle()
        written = sum(one.operation == "write" for one in wire.requests[before:])
        assert 55 <= written <= 75  # a minute at its own pace, and every five minutes from then on
        began_ns = region.kernel.now_ns
        region.call(lambda c: c.detach(volume("a"), "z1-h1"))
        assert region.kernel.now_ns - began_ns < 10**9
        assert broken(region) == []


def _asked_in_a_quarter_of_an_hour() -> int:
    """How often a job asks about its commands to a device that nobody reaches."""
    with one_zone("rbd") as region:
        region.call(lambda c: c.create_volume(volume("a"), 4096, device="volumes"))
        region.network.partition("volumes", ["z1-ssvm1", "z1-h1", "z1-h2"])
        asked = region.start(lambda c: c.create_volume(volume("b"), 4096, device="volumes"))
        region.advance(15 * 60 * 10**9)
        region.heal()
        region.finish(asked)
        return sum(one.operation == "create: find out" for one in region.catalogue.wire.requests)


def test_a_command_that_takes_long_is_asked_about_ever_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    found = _asked_in_a_quarter_of_an_hour()
    monkeypatch.setattr("storcert.harness.logical.work._POLL_SHARE", 1 << 60)
    assert 20 < found < _asked_in_a_quarter_of_an_hour() * 0.8

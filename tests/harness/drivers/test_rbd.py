"""The RBD driver on a simulated cluster: what other objects keep alive, what a dead process leaves, what trouble looks like."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from storcert.harness.contract import (
    CapacityExceeded,
    DataObjectUri,
    DeviceUnavailable,
    InvalidRequest,
    ObjectExists,
    ObjectInUse,
    ObjectNotFound,
    Outcome,
    StorageError,
)
from storcert.harness.drivers import rbd as rbd_module
from storcert.harness.drivers.rbd import RbdDriver
from storcert.harness.record.fault import Phase
from tests.harness.drivers.rbd_world import DriverWorld, S, T, V, W, each, patch, read, simulated_modules, write

TIB = 1 << 40


@pytest.fixture
def world() -> Iterator[DriverWorld]:
    with simulated_modules():
        made = DriverWorld()
        yield made
        made.kernel.close()


def _delete_within(driver: Any, uri: DataObjectUri, seconds: float) -> None:
    effort = rbd_module.Effort
    rbd_module.Effort = lambda: effort(seconds=seconds)  # type: ignore[assignment,misc]
    try:
        driver.delete(uri)
    finally:
        rbd_module.Effort = effort  # type: ignore[misc]


# -- configuration


@pytest.mark.parametrize(
    ("configuration", "words"),
    [
        ({}, "needs the configuration key pool"),
        ({"pool": ""}, "needs the configuration key pool"),
        ({"pool": "p", "image": "x"}, "no configuration key image; it has conf, max_object_size_bytes, pool, user"),
        ({"pool": 1}, "pool of rbd must be str, not int"),
        ({"pool": "p", "max_object_size_bytes": True}, "must be int, not bool"),
        ({"pool": "p", "max_object_size_bytes": 65 * TIB}, "from 0 to 64 TiB"),
        ([], "is a mapping"),
    ],
)
def test_a_wrong_configuration_is_named_by_its_key(configuration: Any, words: str) -> None:
    with simulated_modules(), pytest.raises(InvalidRequest, match=words):
        RbdDriver(configuration)


def test_missing_modules_are_said_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rados", None)
    with pytest.raises(InvalidRequest, match="install the packages python3-rados and python3-rbd"):
        RbdDriver({"pool": "p"})


def test_a_small_limit_is_kept_and_declared(world: DriverWorld) -> None:
    def body(_: Any) -> None:
        driver = RbdDriver({**world.device.configuration(), "max_object_size_bytes": 10})
        assert driver.capabilities().max_object_size_bytes == 10
        with pytest.raises(CapacityExceeded):
            driver.create(V, 11)
        with pytest.raises(CapacityExceeded):
            write(driver, V, bytes(11))
        driver.create(V, 10)

    world.run(body)


# -- what needs what


def test_a_terabyte_is_made_and_removed_as_fast_as_a_byte(world: DriverWorld) -> None:
    world.run(lambda driver: driver.create(W, 1))
    one = len(world.operations())
    world.run(lambda driver: driver.create(V, TIB))
    assert len(world.operations()) == 2 * one
    assert world.took_s(lambda driver: driver.delete(V)) < 1
    assert world.run(lambda driver: list(driver.list_objects())) == [W]


def test_terabytes_are_removed_in_slices_and_the_next_call_goes_on(world: DriverWorld) -> None:
    def fill(driver: Any) -> None:
        driver.create(V, 2 * TIB)
        patch(driver, V, 2 * TIB - 5, b"x" * 5)

    world.run(fill)
    world.arm("slow", "set_size", count=0, value=19 * 10**9)
    before = world.kernel.now_ns
    with pytest.raises(DeviceUnavailable) as raised:
        world.run(lambda driver: _delete_within(driver, V, 40.0))
    assert raised.value.outcome is Outcome.UNKNOWN
    assert world.kernel.now_ns - before < 120 * 10**9
    world.device.heal()
    first = len(world.operations())
    world.run(lambda driver: driver.delete(V))
    assert world.operations()[first:].count("set_size") < 7
    assert world.holds() == []


def test_a_volume_goes_and_comes_and_its_old_snapshot_stays_what_it_was(world: DriverWorld) -> None:
    def body(driver: Any) -> None:
        write(driver, V, b"old")
        driver.take_snapshot(V, S)
        driver.delete(V)
        write(driver, V, b"new volume")
        with pytest.raises(InvalidRequest):
            driver.revert(V, S)
        assert (read(driver, V), read(driver, S)) == (b"new volume", b"old")
        assert sorted(map(str, driver.list_objects())) == [str(S), str(V)]
        each(driver, "delete", S, V)

    world.run(body)
    assert world.holds() == []


def test_an_image_without_a_name_goes_with_the_last_that_needs_it(world: DriverWorld) -> None:
    def body(driver: Any) -> None:
        write(driver, V, bytes(range(256)) * 64)
        driver.take_snapshot(V, S)
        driver.clone(S, W)
        driver.take_snapshot(W, T)
        each(driver, "delete", V, S, W)
        assert read(driver, T) == bytes(range(256)) * 64
        assert len([entry for entry in world.holds() if entry.startswith("image")]) == 2
        driver.delete(T)

    world.run(body)
    assert world.holds() == []


def test_copies_of_copies_need_no_flattening_to_outlive_each_other(world: DriverWorld) -> None:
    names = [DataObjectUri.parse(f"/volume/1/{number}") for number in range(6)]

    def body(driver: Any) -> None:
        write(driver, names[0], b"x" * 5000)
        for source, copy in itertools.pairwise(names):
            driver.copy(source, copy)
            driver.delete(source)
        assert read(driver, names[-1]) == b"x" * 5000
        driver.delete(names[-1])

    world.run(body)
    assert world.holds() == []


def test_an_empty_volume_is_copied_snapshot_and_cloned_though_librbd_cannot_clone_it(world: DriverWorld) -> None:
    def body(driver: Any) -> None:
        driver.create(V, 0)
        driver.copy(V, W)
        driver.take_snapshot(V, S)
        driver.delete(W)
        driver.clone(S, W)
        assert [read(driver, uri) for uri in (V, W, S)] == [b"", b"", b""]
        each(driver, "delete", V, S, W)

    world.run(body)
    assert world.holds() == []


# -- processes that die


@pytest.mark.parametrize("operation", ["object_write", "dir_add_image", "id_create", "header_create"])
@pytest.mark.parametrize("phase", [Phase.BEFORE, Phase.AFTER])
def test_whatever_a_process_died_in_the_middle_of_goes_with_delete(
    world: DriverWorld, operation: str, phase: Phase
) -> None:
    world.run(lambda driver: write(driver, W, b"source"))
    world.crash_at(operation, phase=phase)
    world.run(lambda driver: driver.copy(W, V))
    world.run(lambda driver: each(driver, "delete", V, W), world.there)
    assert world.holds() == []


def test_a_dead_watcher_is_waited_for_no_longer_than_the_cluster_does(world: DriverWorld) -> None:
    world.run(lambda driver: driver.create(V, 5000))
    world.crash_at("write")
    world.run(lambda driver: patch(driver, V, 0, b"x"))
    took_s = world.took_s(lambda driver: driver.delete(V), world.there)
    assert 25 < took_s < 45
    assert world.holds() == []


def test_a_live_handle_keeps_its_volume(world: DriverWorld) -> None:
    def hold(driver: Any) -> bytes:
        driver.create(V, 5000)
        with driver.open_volume(V) as volume:
            world.kernel.sleep_ns(300 * 10**9)
            volume.pwrite(0, b"still mine")
            return bytes(volume.pread(0, 10))

    holder = world.start(hold)
    with pytest.raises(ObjectInUse) as raised:
        world.run(lambda driver: (world.kernel.sleep_ns(10**9), driver.delete(V)), world.there)
    assert raised.value.outcome is Outcome.NOT_DONE
    world.finish(holder)
    assert holder.result == b"still mine"
    assert world.run(lambda driver: read(driver, V)[:10], world.there) == b"still mine"


def test_a_key_taken_before_its_image_was_made_leaves_no_image(world: DriverWorld) -> None:
    """A commit that was faster clears the name while a copy to it is still on its way."""
    world.run(lambda driver: write(driver, W, b"source"))
    slow = world.start(lambda driver: driver.copy(W, V))
    fast = world.start(lambda driver: (world.kernel.sleep_ns(8_000_000), write(driver, V, b"fast")), world.there)
    world.finish(slow, fast)
    assert isinstance(slow.error, ObjectExists)
    assert fast.error is None
    assert world.run(lambda driver: read(driver, V)) == b"fast"
    world.run(lambda driver: each(driver, "delete", V, W))
    assert world.holds() == []


# -- trouble


def test_a_header_that_librbd_lost_is_found(world: DriverWorld) -> None:
    world.run(lambda driver: driver.create(W, 10))
    world.arm("answer_lost", "header_create", phase=Phase.AFTER)
    with pytest.raises(DeviceUnavailable) as raised:
        world.run(lambda driver: driver.create(V, 10))
    assert raised.value.outcome is Outcome.NOT_DONE
    world.run(lambda driver: driver.delete(W))
    assert world.holds() == []


def test_an_answer_that_came_too_late_is_asked_for(world: DriverWorld) -> None:
    world.run(lambda driver: driver.create(W, 10))
    world.arm("answer_lost", "object_write", 2, Phase.AFTER)
    world.run(lambda driver: driver.create(V, 10))
    assert world.run(lambda driver: driver.describe(V).size_bytes) == 10


def test_a_client_that_was_shut_out_comes_back_as_another(world: DriverWorld) -> None:
    def body(driver: Any) -> None:
        driver.create(V, 5000)
        volume = driver.open_volume(V)
        volume.pwrite(0, b"first")
        volume.flush()
        world.arm("blocklisted", "write")
        with pytest.raises(DeviceUnavailable):
            volume.pwrite(0, b"other")
            volume.flush()
        world.device.heal()
        patch(driver, V, 5, b" second")
        assert read(driver, V)[:12] == b"first second"

    world.run(body)


def test_a_full_pool_says_so_and_can_be_cleared(world: DriverWorld) -> None:
    def body(driver: Any) -> None:
        write(driver, V, b"x" * 5000)
        world.arm("full", count=0)
        for call in (
            lambda: driver.create(W, 10), lambda: write(driver, W, b"y"), lambda: driver.copy(V, W),
        ):  # fmt: skip
            with pytest.raises(CapacityExceeded) as raised:
                call()
            assert raised.value.outcome is Outcome.NOT_DONE
        driver.delete(V)

    world.run(body)
    assert world.holds() == []


@pytest.mark.parametrize("kind", ["frozen", "monitor_gone"])
def test_a_cluster_that_stays_away_is_given_up_on(world: DriverWorld, kind: str) -> None:
    world.run(lambda driver: write(driver, V, b"x" * 5000))
    world.arm(kind, count=0)
    calls = (
        lambda driver: driver.create(W, 10), lambda driver: driver.delete(V), lambda driver: driver.copy(V, W),
        lambda driver: driver.take_snapshot(V, S), lambda driver: read(driver, V), lambda driver: driver.describe(V),
    )  # fmt: skip
    for call in calls:
        before = world.kernel.now_ns
        try:
            world.run(call)
        except StorageError as error:
            assert isinstance(error, DeviceUnavailable)
        assert world.kernel.now_ns - before < 15 * 60 * 10**9
    world.device.heal()
    world.wait(60)
    world.run(lambda driver: each(driver, "delete", V, W, S))
    assert world.holds() == []


def test_an_absent_pool_is_no_absent_object(world: DriverWorld) -> None:
    def body(_: Any) -> None:
        driver = RbdDriver({**world.device.configuration(), "pool": "other"})
        for call in (lambda: driver.describe(V), lambda: driver.delete(V), lambda: list(driver.list_objects())):
            with pytest.raises(DeviceUnavailable, match="pool 'other' does not exist"):
                call()

    world.run(body)


def test_a_reader_of_a_removed_snapshot_gets_no_zeros(world: DriverWorld) -> None:
    def body(driver: Any) -> None:
        write(driver, V, b"x" * (3 << 20))
        driver.take_snapshot(V, S)
        with driver.open_input(S) as stream:
            assert stream.read(5) == b"xxxxx"
            driver.delete(S)
            with pytest.raises(ObjectNotFound):
                while piece := stream.read(1 << 20):
                    assert set(piece) == {ord("x")}

    world.run(body)

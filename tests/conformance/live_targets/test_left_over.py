"""What a check leaves on a real device: nobody else is accused of it, and a volume left open does not stay for ever."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from storcert.conformance import live_device
from storcert.conformance.bench import Bench
from storcert.conformance.live import LiveDevice
from storcert.conformance.live_device import TargetDevice
from storcert.conformance.live_targets import places
from storcert.conformance.live_targets.session import started
from storcert.conformance.live_targets.target import Reached
from storcert.conformance.live_targets.targets import TARGETS
from storcert.harness.contract import DataObjectUri, DeviceUnavailable, ObjectInUse
from storcert.harness.drivers.nfs import NfsDriver
from tests.conformance.drivers import MemoryDriver
from tests.conformance.kit import facts_of, subject

NAME = "live:directory"


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> Iterator[Reached]:
    """A directory as a target where places are dear, so that all worlds share one."""
    kind = replace(TARGETS[NAME], many_places=False)
    one = {NAME: kind}
    monkeypatch.setattr(places, "TARGETS", one)
    monkeypatch.setattr(live_device, "TARGETS", one)
    monkeypatch.setattr(live_device, "SETTLE_S", 0.0)
    with started(NAME) as found:
        assert found is not None
        yield found


def test_worlds_share_a_place_until_something_is_left_in_it(reached: Reached) -> None:
    first = TargetDevice(reached, NfsDriver, wired=False)
    mount = Path(str(first.configuration()["mount"]))
    assert first.left(frozenset()) == []
    first.close()
    second = TargetDevice(reached, NfsDriver, wired=False)
    assert second.configuration()["mount"] == str(mount)
    (mount / "left").touch()
    assert [one.name for one in second.left(frozenset())] == ["left"]
    second.close()
    third = TargetDevice(reached, NfsDriver, wired=False)
    assert third.configuration()["mount"] != str(mount) and third.census() == ()
    third.close()


def test_markers_of_the_driver_are_not_left_over(reached: Reached) -> None:
    first = TargetDevice(reached, NfsDriver, wired=False)
    mount = Path(str(first.configuration()["mount"]))
    (mount / "marker").mkdir()
    assert first.left(frozenset({("directory", "marker")})) == []
    first.close()
    assert TargetDevice(reached, NfsDriver, wired=False).configuration()["mount"] == str(mount)


class _Handle:
    """Knows itself, as clients in compiled code often do: only the collector takes it away."""

    def __init__(self) -> None:
        self.me = self


class HeldVolumes(MemoryDriver):
    """Deletes no volume that somebody has open."""

    open: ClassVar[weakref.WeakSet[Any]] = weakref.WeakSet()

    def open_volume(self, uri: DataObjectUri) -> Any:
        handle = _Handle()
        self.open.add(handle)
        return handle

    def delete(self, uri: DataObjectUri) -> None:
        if len(self.open):
            raise ObjectInUse("it is open", uri)
        super().delete(uri)


def test_a_volume_that_a_check_left_open_goes_with_the_check() -> None:
    facts = replace(facts_of(MemoryDriver), mode="live")
    bench = Bench(subject(HeldVolumes), facts, 0, "a-case")
    bench.client().create(bench.uri(), 10)
    bench.client().open_volume(bench.uri())
    with pytest.raises(ObjectInUse):
        bench.client().delete(bench.uri())
    bench.close()
    reader = Bench(subject(HeldVolumes), facts, 0, "another")
    assert reader.client().list() == []
    reader.close()


class UnderAFault(MemoryDriver):
    """Reaches its device only while no fault is on the way there."""

    faults: ClassVar[list[str]] = []

    def delete(self, uri: DataObjectUri) -> None:
        if self.faults:
            raise DeviceUnavailable("refused", uri)
        super().delete(uri)


def test_a_fault_that_lasted_is_over_before_what_the_check_left_is_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LiveDevice, "heal", lambda _: UnderAFault.faults.clear())
    facts = replace(facts_of(MemoryDriver), mode="live")
    bench = Bench(subject(UnderAFault), facts, 0, "a-case")
    bench.client().create(bench.uri(), 10)
    UnderAFault.faults.append("throttle")
    with pytest.raises(DeviceUnavailable):
        bench.client().delete(bench.uri())
    bench.close()
    reader = Bench(subject(UnderAFault), facts, 0, "another")
    assert reader.client().list() == []
    reader.close()

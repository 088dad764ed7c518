"""Plans: the way, the legs, the locations; explicit, total, and never through a place that does not reach both ends."""

from __future__ import annotations

from random import Random

import pytest

from storcert.harness.contract import Capabilities, DataObjectUri, ObjectKind, StorageError, Unsupported
from storcert.harness.logical.motion import Plan, Planner, Wish
from storcert.harness.logical.providers import Providers
from storcert.harness.logical.records import DeviceRecord
from tests.harness.logical.devices import SNAPPY, record, two_zones

VOLUME, OTHER = DataObjectUri(ObjectKind.VOLUME, "1", "v"), DataObjectUri(ObjectKind.VOLUME, "1", "w")
SNAPSHOT, BETWEEN = DataObjectUri(ObjectKind.SNAPSHOT, "1", "s"), DataObjectUri(ObjectKind.SNAPSHOT, "1", "job-1")
TEMPLATE = DataObjectUri(ObjectKind.TEMPLATE, "1", "t")


def _plan(
    source: DataObjectUri, sources: list[DeviceRecord], target: DataObjectUri, device: DeviceRecord, *,
    live: bool = False, others: tuple[DeviceRecord, ...] = (), avoid: tuple[str, ...] = (),
) -> Plan:
    planner = Planner(two_zones(), Providers(), (*sources, device, *others), {}, avoid)
    return planner.plan(Wish(source, tuple(sources), target, device, 4096, BETWEEN, live))


def _told(plan: Plan) -> list[str]:
    return [f"{leg.verb} {leg.source_device}>{leg.target_device} at {leg.location}" for leg in plan.legs]


def test_the_device_itself_does_what_it_can() -> None:
    one = record("p", capabilities=SNAPPY)
    assert _told(_plan(VOLUME, [one], SNAPSHOT, one)) == ["snapshot p>p at z1-ssvm1"]
    assert _told(_plan(SNAPSHOT, [one], OTHER, one)) == ["clone p>p at z1-ssvm1"]
    assert _told(_plan(VOLUME, [one], OTHER, one)) == ["device-copy p>p at z1-ssvm1"]
    without_copy = record("p", capabilities=Capabilities(snapshots=True, clone=True))
    plan = _plan(VOLUME, [without_copy], OTHER, without_copy)
    assert (plan.way, _told(plan)) == ("snapshot-clone", ["snapshot p>p at z1-ssvm1", "clone p>p at z1-ssvm1"])
    assert (plan.legs[0].target, plan.legs[1].source) == (str(BETWEEN), str(BETWEEN))


def test_bytes_are_streamed_where_one_location_reaches_both_ends() -> None:
    plan = _plan(TEMPLATE, [record("i", role="image")], VOLUME, record("p", "cluster", "z1-c1"))
    assert _told(plan) == ["stream i>p at z1-h1"]


def test_they_are_staged_where_none_does() -> None:
    far, near = record("far", "zone", "z2", role="image"), record("near")
    stage = record("stage", "region", "", role="staging")
    plan = _plan(TEMPLATE, [far], VOLUME, near, others=(stage,))
    assert (plan.way, _told(plan)) == ("staged", ["stream far>stage at z2-ssvm1", "stream stage>near at z1-ssvm1"])
    assert plan.legs[0].target == str(TEMPLATE)
    with pytest.raises(Unsupported, match="no way leads from far to near"):
        _plan(TEMPLATE, [far], VOLUME, near)
    full_of_rules = record("stage", "region", "", role="staging", kinds=frozenset({ObjectKind.ISO}))
    with pytest.raises(Unsupported):
        _plan(TEMPLATE, [far], VOLUME, near, others=(full_of_rules,))


def test_a_volume_somebody_writes_to_is_only_copied_at_one_moment() -> None:
    snappy, away = record("p", capabilities=SNAPPY), record("b", role="image")
    plan = _plan(VOLUME, [snappy], SNAPSHOT, away, live=True)
    assert (plan.way, _told(plan)) == ("snapshot-stream", ["snapshot p>p at z1-ssvm1", "stream p>b at z1-ssvm1"])
    assert plan.legs[0].target == str(SNAPSHOT)
    with pytest.raises(Unsupported):
        _plan(VOLUME, [record("plain")], SNAPSHOT, away, live=True)
    assert _told(_plan(VOLUME, [record("plain")], SNAPSHOT, away)) == ["stream plain>b at z1-ssvm1"]


def test_policy_narrows_the_ways() -> None:
    read_only = record("p", capabilities=SNAPPY, read_only=True)
    with pytest.raises(StorageError):
        _plan(VOLUME, [read_only], SNAPSHOT, read_only)
    old = record("p", capabilities=SNAPPY, provider="default")
    assert _told(_plan(VOLUME, [old], OTHER, old)) == ["stream p>p at z1-ssvm1"]


def test_a_location_that_did_not_answer_is_avoided_where_there_is_another() -> None:
    one, two = record("i", role="image"), record("p")
    assert _told(_plan(TEMPLATE, [one], VOLUME, two, avoid=("z1-ssvm1",))) == ["stream i>p at z1-h1"]
    everybody = ("z1-ssvm1", "z1-h1", "z1-h2")
    assert _told(_plan(TEMPLATE, [one], VOLUME, two, avoid=everybody)) == ["stream i>p at z1-h1"]


def test_a_plan_survives_the_journal() -> None:
    plan = _plan(TEMPLATE, [record("i", role="image")], VOLUME, record("p"))
    assert Plan.from_json(plan.to_json()) == plan


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_devices_changes_nothing(seed: int) -> None:
    sources = [record(name, role="image") for name in "abc"]
    stages = [record(f"s{name}", "region", "", role="staging") for name in "abc"]
    chance = Random(seed)
    chance.shuffle(sources)
    chance.shuffle(stages)
    assert _told(_plan(TEMPLATE, sources, VOLUME, record("p"), others=tuple(stages))) == ["stream a>p at z1-ssvm1"]
    far = [record(one.name, "zone", "z2", role="image") for one in sources]
    plan = _plan(TEMPLATE, far, VOLUME, record("p"), others=tuple(stages))
    assert _told(plan)[0] == "stream a>sa at z2-ssvm1"

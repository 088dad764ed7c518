"""Parts of scenarios, and scenarios with less: what comes out could always have been read from a file."""

from __future__ import annotations

from storcert.scenarios.format.legality import illegal
from storcert.scenarios.format.read import loads
from storcert.scenarios.format.references import unresolved
from storcert.scenarios.format.scenario import Scenario
from storcert.scenarios.format.write import dumps
from storcert.scenarios.runner.resolve import resolve
from storcert.scenarios.shrink.parts import Part, parts, told, without
from storcert.scenarios.shrink.smaller import smaller
from tests.scenarios.explore.worlds import LARGE

FIXED = resolve(LARGE, 1)


def readable(scenario: Scenario) -> bool:
    return not [*unresolved(scenario), *illegal(scenario)] and loads(dumps(scenario)) == scenario


def test_without_any_part_it_is_a_scenario_or_nothing() -> None:
    for scenario in (LARGE, FIXED):
        for part in parts(scenario):
            found = without(scenario, {part})
            assert found is not None and found != scenario and readable(found), told(scenario, part)


def test_what_refers_to_a_part_goes_with_it() -> None:
    found = without(LARGE, {Part("device", 1)})
    assert found is not None
    assert [device.name for device in found.device] == ["images", "far"]
    assert found.prepare == () and found.fault == () and found.workload[0].devices == ("far",)
    assert [link.between for link in found.link] == [("ms-1", "far")]
    assert [step.do for step in found.step] == ["create", "crash", "delete"]
    other = without(LARGE, {Part("zone", 1)})
    assert other is not None and [device.name for device in other.device] == ["images", "vols"]
    assert [step.do for step in other.step] == ["crash", "partition", "delete"] and other.step[0].after is None


def test_the_last_zone_and_the_last_device_cannot_go() -> None:
    assert without(LARGE, {Part("zone", 0), Part("zone", 1)}) is None
    assert without(LARGE, {Part("device", number) for number in range(3)}) is None


def test_operations_of_a_mix_are_parts() -> None:
    found = without(LARGE, {Part("workload", 0, "delete")})
    assert found is not None and dict(found.workload[0].mix) == {"create": 3}
    both = without(LARGE, {Part("workload", 0, "delete"), Part("workload", 0, "create")})
    assert both is not None and both.workload == ()


def test_parts_in_words() -> None:
    words = [told(LARGE, part) for part in parts(LARGE)]
    assert {
        "device 2: vols (nfs)", "step 1: create volume/b on far", "step 3: partition vols z1-h1, z2-h1", "zone 2: z2",
        "fault 1: slow before * #1 value=1000000000 at vols", "workload 1, operation delete", "link 1: z1-h1 - vols",
    } <= set(words)
    assert len(set(words)) == len(words)


def test_every_smaller_scenario_can_be_read_and_smaller_ends() -> None:
    for scenario in (LARGE, FIXED):
        found = list(smaller(scenario))
        assert len(found) > 20 and all(readable(one) for one in found)
    one, rounds = FIXED, 0
    while (less := next(smaller(one), None)) is not None:
        one, rounds = less, rounds + 1
        assert rounds < 500
    assert one.region.management_servers == 1 and one.phases.faulty_ns == 0 and one.zone[0].hosts == 1
    assert {step.at_ns for step in one.step} == {None}

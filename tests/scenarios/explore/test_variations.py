"""Variations: each is a scenario that could stand in a file; one number is one variation; every point of a space is visited."""

from __future__ import annotations

from collections import Counter

import pytest

from storcert.scenarios.explore.loosen import loosened
from storcert.scenarios.explore.normal import Normal
from storcert.scenarios.explore.space import Space
from storcert.scenarios.explore.swarm import Swarm
from storcert.scenarios.explore.terrain import Terrain
from storcert.scenarios.format.legality import illegal, legal_faults
from storcert.scenarios.format.read import loads
from storcert.scenarios.format.references import unresolved
from storcert.scenarios.format.scenario import Scenario
from storcert.scenarios.format.write import dumps
from storcert.scenarios.runner.resolve import resolve
from tests.scenarios.explore.worlds import LARGE, ONE_DEVICE, SMALL, TERRAIN


def readable(scenario: Scenario) -> bool:
    return not [*unresolved(scenario), *illegal(scenario)] and loads(dumps(scenario)) == scenario


def test_every_variation_can_be_written_and_read() -> None:
    swarm = Swarm(loosened(LARGE), TERRAIN, 1)
    drawn = [swarm.draw(number) for number in range(1, 150)]
    assert [number for number, trial in enumerate(drawn, 1) if not readable(trial.scenario)] == []


def test_a_number_is_a_variation() -> None:
    one, same, other = (Swarm(loosened(LARGE), TERRAIN, seed) for seed in (1, 1, 2))
    parents = [(3, one.draw(3).scenario), (5, one.draw(5).scenario)]
    assert [one.draw(n, parents) for n in range(1, 20)] == [same.draw(n, parents) for n in range(1, 20)]
    assert [one.draw(n) for n in range(1, 20)] != [other.draw(n) for n in range(1, 20)]
    assert {one.draw(n, parents).parent for n in range(1, 40)} == {-1, 3, 5}


def test_variations_differ_in_everything_there_is() -> None:
    swarm = Swarm(loosened(LARGE), TERRAIN, 1)
    drawn = [swarm.draw(number) for number in range(1, 300)]
    happenings = Counter(type(step).__name__ for trial in drawn for step in trial.scenario.step)
    assert set(happenings) >= {"Crash", "Pause", "Partition", "Outage", "Clock", "Create"}
    places = Counter(fault.place for trial in drawn for fault in trial.scenario.fault)
    assert set(places) == {"catalogue", "images", "vols", "web"}
    assert len({len(trial.scenario.fault) for trial in drawn}) > 4
    assert len({trial.scenario.phases.faulty_ns for trial in drawn}) > 2
    assert len({trial.scenario.link for trial in drawn}) > 20
    assert len({tuple(trial.scenario.workload[0].mix) for trial in drawn}) == 3
    assert len({trial.seed for trial in drawn}) == len(drawn)


def test_of_a_loosened_scenario_only_rules_are_expected() -> None:
    found = loosened(resolve(LARGE, 1))
    steps = (*found.prepare, *found.step, *found.afterwards)
    assert {getattr(step, "expect", ("any",)) for step in steps} == {("any",)}
    assert any(hasattr(step, "expect") for step in steps)
    assert found.class_ == "own" and found.expect.decided == () and readable(found)


def test_a_space_has_every_legal_fault_at_every_request() -> None:
    space = Space(loosened(SMALL), 1, Terrain({"vols": {"WRITE": 2}}, 1))
    expected = {
        (fault.name, phase.value) for fault in legal_faults("nfs").values() for phase in fault.phases
        if fault.operations == ("*",) or "WRITE" in fault.operations
    }
    assert {(cell.fault, cell.phase) for cell in space.cells} == expected
    trials = [space.trial(number) for number in range(len(space))]
    assert all(trial.seed == 1 and len(trial.scenario.fault) == 1 for trial in trials)
    assert len({trial.scenario.fault for trial in trials}) == len(space)
    crashes = {(one.nth[0], one.phase) for trial in trials for one in trial.scenario.fault if one.fault == "crash"}
    assert crashes == {(nth, phase) for nth in (1, 2) for phase in ("before", "during", "after")}
    assert all(readable(trial.scenario) for trial in trials)


def test_every_cell_is_visited_before_any_is_visited_again() -> None:
    space = Space(loosened(SMALL), 1, ONE_DEVICE)
    first = [space.cell(number) for number in range(len(space.cells))]
    assert sorted(first) == space.cells


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("/volume/1/a-3 on vols was a record without bytes", "<volume> on <nfs> was a record without bytes"),
        ("volume/a is at z1-h2, job 17 asked ms-2", "<volume> is at <host>, job # asked <server>"),
        ("z1-ssvm1: sha256:00ff00ff00ff00ff differs", "<storage VM>: sha#:# differs"),
        ("the volsx are no device", "the volsx are no device"),
    ],
)
def test_what_differs_from_run_to_run_is_no_part_of_a_key(text: str, key: str) -> None:
    assert Normal(LARGE).key(text) == key

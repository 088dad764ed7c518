"""The schedule of a scenario: who comes first where that is free; decided by the seed, replayed, made smaller."""

from __future__ import annotations

from typing import Any

import pytest

from storcert.scenarios.explore.loosen import loosened
from storcert.scenarios.explore.run import Survey
from storcert.scenarios.explore.swarm import Swarm
from storcert.scenarios.format.read import ScenarioError, loads
from storcert.scenarios.format.scenario import Scenario
from storcert.scenarios.format.schedule import Schedule
from storcert.scenarios.format.write import dumps
from storcert.scenarios.replay import Case, again
from storcert.scenarios.replay_change import choices, without
from storcert.scenarios.replay_compare import compare
from storcert.scenarios.runner.play import play
from storcert.scenarios.runner.resolve import resolve
from storcert.scenarios.shrink.parts import Part, parts, told
from storcert.scenarios.shrink.shrink import shrunk
from tests.scenarios.explore.worlds import LARGE, SMALL

TWO = loads("""\
title = "Two volumes at once"
zone = [{ name = "z1" }]
device = [{ name = "vols", kind = "nfs" }]
step = [
  { do = "create", object = "volume/a", size = "4 KiB", device = "vols", background = true },
  { do = "create", object = "volume/b", size = "4 KiB", device = "vols" },
]
""", name="two")


def scheduled(scenario: Scenario = TWO, **said: Any) -> Scenario:
    return scenario.model_copy(update={"schedule": Schedule(**said)})


def test_the_seed_chooses_who_falls_behind() -> None:
    drawn = scheduled(lag="1 ms", falls=(7,), falls_drawn=3, turns=500)
    found = resolve(drawn, 1)
    assert found == resolve(drawn, 1) == resolve(found, 2) and found != resolve(drawn, 2)
    assert found.schedule.falls_drawn == 0 and len(found.schedule.falls) == 4 and 7 in found.schedule.falls
    assert list(found.schedule.falls) == sorted(found.schedule.falls) and max(found.schedule.falls) <= 500
    assert loads(dumps(found)) == found and loads(dumps(drawn)) == drawn


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ('ties = "random"', "ties"),
        ("falls = [0]", "falls"),
        ("falls_drawn = 65", "falls_drawn"),
        ('lag = "soon"', "lag"),
        ("depth = 3", "has no key 'depth'"),
    ],
)
def test_what_cannot_be_is_refused(said: str, complaint: str) -> None:
    with pytest.raises(ScenarioError, match=complaint):
        loads(dumps(TWO) + f"schedule = {{ {said} }}\n")


def test_a_schedule_is_another_run_and_the_same_each_time() -> None:
    runs = {
        name: play(scenario, 1).digest for name, scenario in (
            ("none", TWO), ("ties", scheduled(ties="first-come")), ("lag", scheduled(lag="1 ms")),
            ("falls", scheduled(lag="1 ms", falls=(3, 20))))
    }
    assert len(set(runs.values())) == 4
    assert play(scheduled(lag="1 ms", falls=(3, 20)), 1).digest == runs["falls"]
    assert play(scheduled(falls=(3, 20)), 1).digest == runs["none"], "without a lag there is nothing to fall behind"


def test_turns_are_counted_and_counting_changes_nothing() -> None:
    surveyed = Survey(TWO, 1).do(None)
    assert surveyed.terrain.turns > 20
    lagging = Survey(scheduled(lag="1 ms"), 1).do(None)
    assert lagging.terrain.turns > 20 and surveyed == Survey(TWO, 1).do(None)


def test_an_exploration_draws_schedules() -> None:
    terrain = Survey(loosened(SMALL), 1).do(None).terrain
    swarm = Swarm(loosened(SMALL), terrain, 1)
    drawn = [swarm.draw(number).scenario.schedule for number in range(1, 100)]
    assert 30 < sum(one.lag_ns > 0 for one in drawn) < 70 and len({one.lag_ns for one in drawn}) == 6
    assert {len(one.falls) for one in drawn} >= {0, 1, 2, 3}
    assert all(1 <= turn <= terrain.turns for one in drawn for turn in one.falls)


def test_what_of_a_schedule_is_needed_is_kept_and_proven() -> None:
    def needs(scenario: Scenario, seed: int) -> bool:
        return scenario.schedule.lag_ns >= 1_500_000 and 40 in scenario.schedule.falls

    broad = scheduled(LARGE.model_copy(update={"workload": ()}), ties="first-come", lag="50 ms", falls=(3, 40, 77))
    assert [one for one in parts(broad) if one.key == "schedule"] == [Part("schedule", number) for number in range(4)]
    found = shrunk(broad, 1, needs)
    assert found.scenario.schedule == Schedule(lag=found.scenario.schedule.lag_ns, falls=(40,))
    assert 1_500_000 <= found.scenario.schedule.lag_ns < 4_000_000
    assert [one for one in found.necessary if one.startswith("schedule")] == [
        told(found.scenario, Part("schedule", 0)), "schedule: who goes on at turn 40 falls behind"]


def test_what_if_without_it() -> None:
    lagging = scheduled(lag="1 ms", falls=(3, 20))
    assert "schedule" in choices(lagging) and "schedule" not in choices(TWO)
    case = Case(lagging, 1)
    found = compare(again(case), again(Case(without(lagging, 1, ["schedule"]), 1)))
    assert found.common >= 5 and not found.same

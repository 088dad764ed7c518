"""What the seed decides: the same each time, different for others, and nothing is left to decide afterwards."""

from __future__ import annotations

from collections import Counter

from storcert.scenarios.format.read import loads
from storcert.scenarios.format.write import dumps
from storcert.scenarios.runner.resolve import resolve
from tests.scenarios.format.files import EVERYTHING, SMALL


def test_resolving_again_changes_nothing() -> None:
    scenario = loads(EVERYTHING)
    fixed = resolve(scenario, 5)
    assert resolve(fixed, 5) == resolve(fixed, 6) == fixed != scenario
    assert loads(dumps(fixed)) == fixed


def test_what_the_seed_decides() -> None:
    scenario = loads(EVERYTHING)
    assert resolve(scenario, 1) == resolve(scenario, 1)
    found = [resolve(scenario, seed) for seed in range(40)]
    taking_part = [one for one in found if any(fault.fault == "slow" for fault in one.fault)]
    assert 8 <= len(taking_part) <= 32
    assert len({fault.nth for one in taking_part for fault in one.fault if fault.fault == "slow"}) >= 6
    cuts = Counter(sum(fault.fault == "cut" for fault in one.fault) for one in found)
    assert max(cuts) == 64  # as many strikes as there may be, of so many requests
    deeds = [step for one in found for step in one.step if (step.name or "").startswith("monkey-")]
    assert {step.do for step in deeds} == {"pause", "partition"}
    assert all(step.at_ns is not None and 0 < step.at_ns < 60 * 10**9 for step in deeds)


def test_one_more_fault_changes_no_other() -> None:
    scenario = loads(EVERYTHING)
    more = scenario.model_copy(update={"fault": (*scenario.fault, scenario.fault[0])})
    for seed in range(5):
        assert resolve(more, seed).step == resolve(scenario, seed).step


def test_a_scenario_without_chances_is_as_it_is() -> None:
    assert resolve(loads(SMALL), 3) == loads(SMALL)

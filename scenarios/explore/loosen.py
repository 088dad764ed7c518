"""A scenario of which only the rules are asked: with more faults than it was written for, its steps may end in any way."""

from __future__ import annotations

from collections.abc import Sequence

from storcert.scenarios.format import steps
from storcert.scenarios.format.scenario import Expectation, Scenario


def loosened(scenario: Scenario) -> Scenario:
    """The same happenings, nothing expected but rules. Its defect is planted by whoever runs it, not by the scenario."""
    faults = tuple(fault.model_copy(update={"must_strike": False}) for fault in scenario.fault)
    parts = {part: tuple(_steps(getattr(scenario, part))) for part in ("prepare", "step", "afterwards")}
    expect = Expectation(rules=scenario.expect.rules, decided=())
    return scenario.model_copy(update={
        "class_": "own", "defect": None, "fault": faults, "expect": expect, "source": (), **parts})


def _steps(taken: Sequence[steps.Step]) -> list[steps.Step]:
    found: list[steps.Step] = []
    for step in taken:
        if isinstance(step, steps.Asked):
            found.append(step.model_copy(update={"expect": ("any",)}))
        elif isinstance(step, steps.Inject):
            found.append(step.model_copy(update={"must_strike": False}))
        else:
            found.append(step)
    return found

"""What a scenario says that can be, and that nobody can have meant: told to whoever runs it, and no error."""

from __future__ import annotations

from collections.abc import Iterator

from storcert.scenarios.format.scenario import Scenario


def doubts(scenario: Scenario) -> Iterator[str]:
    """Each in a sentence, with what to write instead."""
    phases = scenario.phases
    lasting = {"warm-up": phases.warm_up_ns, "faulty": phases.faulty_ns, "healed": phases.healed_ns}
    disturbed = bool(scenario.fault or scenario.nemesis or scenario.step)
    for number, one in enumerate(scenario.workload, 1):
        first = next(phase for phase in lasting if phase in one.phases)
        if one.count is None or len(set(one.phases)) == 1 or any(lasting[phase] for phase in one.phases):
            continue
        if first == "warm-up" and disturbed:
            yield (
                f"workload {number} ({one.name}) will be through in the warm-up, before anything goes wrong, since none of its "
                'phases has a duration: say phases = ["faulty"] in it, or how long a phase lasts, as in '
                'phases = { faulty = "5 min" }')

"""What the clients of a scenario's workloads asked for in one run, as steps at the times when they asked: then each can be left
out by itself. Another run than the one with clients, which chose by what they got; whether it fails as well is tried."""

from __future__ import annotations

from collections.abc import Sequence

from storcert.scenarios.explore.terrain import Asked
from storcert.scenarios.format.scenario import Scenario
from storcert.scenarios.format.steps import Step

STEPS_MAX = 2_000
_PARTS = {"warm-up": "prepare", "faulty": "step", "healed": "afterwards"}


def unrolled(scenario: Scenario, asked: Sequence[Asked]) -> Scenario | None:
    """Without workloads, with steps instead; ``None`` where there are none, or too many."""
    if not scenario.workload or not asked or len(asked) > STEPS_MAX:
        return None
    found: dict[str, list[Step]] = {part: list(getattr(scenario, part)) for part in _PARTS.values()}
    for one in asked:
        # What comes before anything goes wrong is done in order; what comes later, when it was asked.
        at_ns = None if one.phase == "warm-up" else one.at_ns
        said = {"at_ns": at_ns, "server": one.server, "expect": ("any",)}
        found[_PARTS[one.phase]].append(one.step.model_copy(update=said))
    changed = {part: tuple(steps) for part, steps in found.items()}
    return scenario.model_copy(update={"workload": (), **changed})

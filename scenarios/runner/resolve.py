"""What the seed decides, decided: a scenario with ranges, chances and a nemesis becomes one in which everything stands fixed.

Pure. A run is always one of the resolved scenario, and resolving a resolved scenario changes nothing: so what went wrong in a
run of a broad scenario can be written down, and made smaller, as a scenario of its own.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import TypeVar

from storcert.harness.kernel.random_streams import derive
from storcert.scenarios.format.faults import Fault, Strike
from storcert.scenarios.format.load import Nemesis
from storcert.scenarios.format.scenario import Scenario
from storcert.scenarios.format.schedule import Schedule
from storcert.scenarios.format.steps import Inject, Step

STRIKES_MAX = 64
"""A fault by chance strikes no more often in one run: each strike is one more fault in the resolved scenario."""
REQUESTS_MAX = 20_000
"""And none of the requests after so many."""
T = TypeVar("T", bound=Strike)


def resolve(scenario: Scenario, seed: int) -> Scenario:
    """The scenario as the seed has it."""
    faults = tuple(
        one for number, fault in enumerate(scenario.fault) for one in _fault(fault, _stream(seed, f"fault/{number}")))
    parts = {}
    for part in ("prepare", "step", "afterwards"):
        steps: tuple[Step, ...] = getattr(scenario, part)
        parts[part] = tuple(_step(step, _stream(seed, f"{part}/{number}")) for number, step in enumerate(steps))
    for nemesis in scenario.nemesis:
        stream = _stream(seed, f"nemesis/{nemesis.name}")
        parts["step"] += tuple(_deeds(nemesis, scenario.phases.faulty_ns, stream))
    schedule = _schedule(scenario.schedule, _stream(seed, "schedule"))
    return scenario.model_copy(update={"fault": faults, "nemesis": (), "schedule": schedule, **parts})


def _stream(seed: int, name: str) -> random.Random:
    return random.Random(derive(seed, f"scenario/{name}"))


def _fault(fault: Fault, stream: random.Random) -> Iterator[Fault]:
    """The fault as often as it is in this run: not at all, once, or once for each strike by chance."""
    if fault.chance < 1 and not _happens(fault.chance, stream):
        return
    start_ns = stream.randint(*fault.start_ns)
    fixed = fault.model_copy(update={"chance": 1.0, "start_ns": (start_ns, start_ns)})
    if fault.chance_per_request is None:
        yield _counted(fixed, stream)
        return
    # One draw for each request that there might be, and no logarithm, which is not the same number on every machine.
    struck = [number for number in range(1, REQUESTS_MAX + 1) if _happens(fault.chance_per_request, stream)]
    for number in struck[:STRIKES_MAX]:
        yield fixed.model_copy(
            update={"chance_per_request": None, "nth": (number, number), "count": 1, "must_strike": False})


def _schedule(schedule: Schedule, stream: random.Random) -> Schedule:
    """With every turn at which somebody falls behind."""
    if not schedule.falls_drawn:
        return schedule
    drawn = stream.sample(range(1, schedule.turns + 1), min(schedule.falls_drawn, schedule.turns))
    falls = tuple(sorted({*schedule.falls, *drawn}))
    return schedule.model_copy(update={"falls": falls, "falls_drawn": 0})


def _step(step: Step, stream: random.Random) -> Step:
    return _counted(step, stream) if isinstance(step, Inject) else step


def _counted(fault: T, stream: random.Random) -> T:
    nth = stream.randint(*fault.nth)
    return fault.model_copy(update={"nth": (nth, nth)})


def _happens(chance: float, stream: random.Random) -> bool:
    return stream.getrandbits(32) < int(chance * (1 << 32))


def _deeds(nemesis: Nemesis, lasts_ns: int, stream: random.Random) -> Iterator[Step]:
    """The steps of a nemesis, each at its time."""
    if nemesis.chance < 1 and not _happens(nemesis.chance, stream):
        return
    at_ns, number = 0, 0
    while not nemesis.count or number < nemesis.count:
        at_ns += nemesis.every_ns // 2 + stream.randrange(nemesis.every_ns)
        if at_ns >= lasts_ns:
            return
        number += 1
        deed = _step(stream.choice(nemesis.means), stream)
        yield deed.model_copy(update={"at_ns": at_ns, "name": f"{nemesis.name}-{number}"})

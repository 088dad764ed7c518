"""One scenario, a little smaller in one of its values: fewer hosts, shorter phases, smaller objects, earlier faults. Pure.

Each is tried by whoever calls; what is tried first is the smallest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from storcert.scenarios.format.scenario import Scenario
from storcert.scenarios.format.steps import Asked
from storcert.scenarios.shrink.parts import repaired

SMALLEST_BYTES = 4096
"""No object is made smaller than a block: some devices have nothing smaller."""
_SMALL = 64
_SHORTEST_LAG_NS = 1_000
_SECOND_NS = 10**9
_STEPS = ("prepare", "step", "afterwards")
# Values that are numbers, with the least each may be; what is not here is tried as it usually is (its default) or not at all.
_NUMBERS = {
    "zone": {"hosts": 1, "clusters": 1, "storage_vms": 1},
    "workload": {"count": 1, "clients": 1, "contend": 0, "think_ns": 0},
    "fault": {"value": 0, "lasts_ns": 0},
    "web": {"size_bytes": 0},
}
_USUAL = {
    "device": ("simulator", "policy", "capacity_bytes", "provider"),
    "workload": ("every_ns", "objects_max", "zones", "devices", "urls", "write_every_ns"),
    "link": ("jitter_percent", "lost_per_million", "late_per_million", "twice_per_million", "late_ns", "one_way_ns",
             "up_bytes_per_s", "down_bytes_per_s"),
    "fault": ("count", "location"),
    "web": ("bytes_per_s", "framing", "ranges", "declared_bytes", "cut_after_bytes", "short_bytes", "pattern"),
}
_STEP_USUAL = ("delay_ns", "background", "server", "at_ns", "after", "dependants", "one_way", "count", "location")
_STEP_NUMBERS = {
    "size_bytes": SMALLEST_BYTES, "lasts_ns": 1, "value": 0, "at_ns": 0, "delay_ns": 0, "ahead_ns": _SECOND_NS,
    "behind_ns": _SECOND_NS,
}


def smaller(scenario: Scenario) -> Iterator[Scenario]:
    """Every one, in a fixed order; only such as could have been read from a file."""
    for found in _all(scenario):
        mended = repaired(found)
        if mended is not None and mended != scenario:
            yield mended


def _all(scenario: Scenario) -> Iterator[Scenario]:
    yield from _in_order(scenario)
    yield from _schedule(scenario)
    yield from _region(scenario)
    for name in ("warm_up_ns", "faulty_ns", "healed_ns"):
        for value in _less(getattr(scenario.phases, name), 0):
            yield scenario.model_copy(update={"phases": scenario.phases.model_copy(update={name: value})})
    for key in ("zone", "device", "workload", "fault", "link", "web"):
        for number, item in enumerate(getattr(scenario, key)):
            for name in _USUAL.get(key, ()):
                yield from _usual(scenario, key, number, item, name)
            for name, least in _NUMBERS.get(key, {}).items():
                for value in _less(getattr(item, name), least):
                    yield _with(scenario, key, number, {name: value})
            if key == "fault":
                yield from _fault(scenario, number, item)
            if key == "workload":
                yield from _workload(scenario, number, item)
    for key in _STEPS:
        for number, item in enumerate(getattr(scenario, key)):
            yield from _step(scenario, key, number, item)


def _in_order(scenario: Scenario) -> Iterator[Scenario]:
    """Steps at times of their own, one after another instead."""
    for key in _STEPS:
        items = getattr(scenario, key)
        if any(step.at_ns is not None for step in items):
            begun = sorted(range(len(items)), key=lambda number: (items[number].at_ns or 0, number))
            plain = tuple(items[number].model_copy(update={"at_ns": None}) for number in begun)
            yield scenario.model_copy(update={key: plain})
            beside = tuple(
                step.model_copy(update={"at_ns": None, "background": isinstance(step, Asked)})
                for step in (items[number] for number in begun))
            yield scenario.model_copy(update={key: beside})


def _region(scenario: Scenario) -> Iterator[Scenario]:
    region = scenario.region
    for servers in _less(region.management_servers, 1):
        yield scenario.model_copy(update={"region": region.model_copy(update={"management_servers": servers})})
    for name in ("reconcile_every_ns", "restart_after_ns"):
        usual = type(region).model_fields[name].default
        if getattr(region, name) != usual:
            yield scenario.model_copy(update={"region": region.model_copy(update={name: usual})})


def _schedule(scenario: Scenario) -> Iterator[Scenario]:
    """As usual, nobody falls behind, one fewer does, earlier, and a shorter lag."""
    schedule = scenario.schedule
    changes: list[dict[str, Any]] = []
    if schedule.ties != "seeded":
        changes.append({"ties": "seeded"})
    if schedule.lag_ns:
        changes.append({"lag_ns": 0, "falls": ()})
        changes.extend({"falls": schedule.falls[:at] + schedule.falls[at + 1 :]} for at in range(len(schedule.falls)))
        changes.extend({"lag_ns": value} for value in _less(schedule.lag_ns, _SHORTEST_LAG_NS))
    elif schedule.falls:
        changes.append({"falls": ()})
    for change in changes:
        yield scenario.model_copy(update={"schedule": schedule.model_copy(update=change)})


def _fault(scenario: Scenario, number: int, item: Any) -> Iterator[Scenario]:
    for start_ns in _less(item.start_ns[0], 0):
        yield _with(scenario, "fault", number, {"start_ns": (start_ns, start_ns)})
    for nth in _less(item.nth[0], 1):
        yield _with(scenario, "fault", number, {"nth": (nth, nth)})


def _workload(scenario: Scenario, number: int, item: Any) -> Iterator[Scenario]:
    if len(item.sizes) > 1 or item.sizes[0] > SMALLEST_BYTES:
        yield _with(scenario, "workload", number, {"sizes": (SMALLEST_BYTES,)})
    for size_bytes in item.sizes if len(item.sizes) > 1 else ():
        yield _with(scenario, "workload", number, {"sizes": (size_bytes,)})
    if any(weight != 1 for weight in item.mix.values()):
        yield _with(scenario, "workload", number, {"mix": dict.fromkeys(item.mix, 1)})


def _step(scenario: Scenario, key: str, number: int, item: Any) -> Iterator[Scenario]:
    fields = type(item).model_fields
    for name in _STEP_USUAL:
        if name in fields:
            yield from _usual(scenario, key, number, item, name)
    if "nth" in fields:
        for nth in _less(item.nth[0], 1):
            yield _with(scenario, key, number, {"nth": (nth, nth)})
    for name, least in _STEP_NUMBERS.items():
        value = getattr(item, name, None) if name in fields else None
        if value is not None:
            for less in _less(value, least):
                yield _with(scenario, key, number, {name: less})
    if item.name and not any(one.after == item.name for one in getattr(scenario, key)):
        yield _with(scenario, key, number, {"name": None})


def _usual(scenario: Scenario, key: str, number: int, item: Any, name: str) -> Iterator[Scenario]:
    field = type(item).model_fields[name]
    if field.is_required():
        return
    usual = field.get_default(call_default_factory=True)
    if getattr(item, name) != usual:
        yield _with(scenario, key, number, {name: usual})


def _with(scenario: Scenario, key: str, number: int, values: dict[str, Any]) -> Scenario:
    items = list(getattr(scenario, key))
    items[number] = items[number].model_copy(update=values)
    return scenario.model_copy(update={key: tuple(items)})


def _less(value: int | None, least: int) -> Iterator[int]:
    """The least, half of it, a rounder one; of a small number also one less."""
    if value is None or value <= least:
        return
    seen = {value}
    for found in (least, least + (value - least) // 2, _round(value), value - 1 if value <= _SMALL else value):
        if found not in seen and found >= least:
            seen.add(found)
            yield found


def _round(value: int) -> int:
    """With one digit only that is not nothing: easier to read."""
    unit: int = 10 ** (len(str(value)) - 1)
    return value // unit * unit

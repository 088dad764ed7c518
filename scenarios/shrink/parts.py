"""The parts of a scenario, and the scenario without some of them. Pure.

What refers to a part that goes, goes with it: a step at a device that is gone, a link to a host that is gone. What comes out is
a scenario that could have been read from a file, or nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from storcert.scenarios.format import steps
from storcert.scenarios.format.base import object_text
from storcert.scenarios.format.legality import illegal
from storcert.scenarios.format.references import unresolved
from storcert.scenarios.format.scenario import Scenario
from storcert.scenarios.format.units import duration_text

LISTS = ("nemesis", "fault", "workload", "afterwards", "step", "prepare", "link", "port", "web", "device", "zone")
"""Lists whose items are parts, in the order in which it is tried to do without them."""
SCHEDULE = "schedule"
_STEPS = ("prepare", "step", "afterwards")
_REPAIRS_MAX = 1_000


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """An item of a list of the scenario; ``inner``: of a workload, one operation of its mix. Of key ``schedule``: its lag, with
    all that falls behind, or of these the ``number``-th, counted from 1."""

    key: str
    number: int
    inner: str = ""


def parts(scenario: Scenario) -> list[Part]:
    """All of them."""
    found = [Part(key, number) for key in LISTS for number in range(len(getattr(scenario, key)))]
    for number, one in enumerate(scenario.workload):
        if len(one.mix) > 1:
            found.extend(Part("workload", number, name) for name in one.mix)
    if scenario.schedule.lag_ns:
        found.extend(Part(SCHEDULE, number) for number in range(len(scenario.schedule.falls) + 1))
    return found


def without(scenario: Scenario, gone: Collection[Part]) -> Scenario | None:
    """The scenario without these parts and what refers to them; ``None`` where nothing that could be run is left."""
    changed: dict[str, Any] = {}
    for key in LISTS:
        items = []
        for number, item in enumerate(getattr(scenario, key)):
            if Part(key, number) in gone:
                continue
            mix = {name: weight for name, weight in item.mix.items() if Part(key, number, name) not in gone} \
                if key == "workload" else None
            if mix is not None and mix != item.mix:
                if not mix:
                    continue
                item = item.model_copy(update={"mix": mix})
            items.append(item)
        if len(items) != len(getattr(scenario, key)) or any(
            new is not old for new, old in zip(items, getattr(scenario, key), strict=False)
        ):
            changed[key] = tuple(items)
    if any(part.key == SCHEDULE for part in gone):
        schedule = scenario.schedule
        kept = tuple(turn for number, turn in enumerate(schedule.falls, 1) if Part(SCHEDULE, number) not in gone)
        less = {"lag_ns": 0, "falls": ()} if Part(SCHEDULE, 0) in gone else {"falls": kept}
        changed[SCHEDULE] = schedule.model_copy(update=less)
    return repaired(scenario.model_copy(update=changed))


def repaired(scenario: Scenario) -> Scenario | None:
    """The scenario without what speaks of things it does not have; ``None`` where it cannot be run at all."""
    for _ in range(_REPAIRS_MAX):
        if not scenario.zone or not scenario.device:
            return None
        complaint = next(unresolved(scenario), None)
        if complaint is None:
            return None if next(illegal(scenario), None) else scenario
        mended = _mended(scenario, complaint[0])
        if mended is None:
            return None
        scenario = mended
    return None


def _mended(scenario: Scenario, path: tuple[str | int, ...]) -> Scenario | None:
    """Without the item that a complaint is about, or only without what that item says too much."""
    if len(path) < 2 or path[0] not in LISTS or not isinstance(path[1], int):
        return None
    key, number = str(path[0]), path[1]
    items = list(getattr(scenario, key))
    item = _trimmed(items[number], path[2:])
    items[number : number + 1] = [] if item is None else [item]
    return scenario.model_copy(update={key: tuple(items)})


def _trimmed(item: Any, path: tuple[str | int, ...]) -> Any:
    """The item without the name that is not there, where it can do without; else ``None``."""
    if path[:1] == ("after",):
        return item.model_copy(update={"after": None})
    if len(path) >= 2 and path[0] in ("one", "other", "devices", "zones", "urls", "on", "means") and isinstance(path[1], int):
        left = tuple(one for number, one in enumerate(getattr(item, str(path[0]))) if number != path[1])
        # An empty list of others means everybody, of devices every one: another scenario, not a smaller one.
        return item.model_copy(update={path[0]: left}) if left else None
    if path[:1] == ("location",):
        return None
    return None


def told(scenario: Scenario, part: Part) -> str:
    """A part in words: ``step 2: delete volume/a``."""
    if part.key == SCHEDULE:
        schedule = scenario.schedule
        return f"schedule: who goes on at turn {schedule.falls[part.number - 1]} falls behind" if part.number else \
            f"schedule: lag {duration_text(schedule.lag_ns)}"
    item = getattr(scenario, part.key)[part.number]
    here = f"{part.key} {part.number + 1}"
    if part.inner:
        return f"{here}, operation {part.inner}"
    what = _what(part.key, item)
    return f"{here}: {what}" if what else here


def _what(key: str, item: Any) -> str:
    if key == "fault":
        return f"{item.armed()} at {item.place}"
    if key in _STEPS:
        return " ".join((item.do, *_objects(item)))
    if key == "link":
        return " - ".join(item.between)
    if key == "port":
        return str(item.of)
    if key == "web":
        return str(item.url)
    if key == "device":
        return f"{item.name} ({item.kind})"
    return str(item.name)


def _objects(step: Any) -> Iterator[str]:
    if isinstance(step, steps.Inject):
        yield f"{step.armed()} at {step.place}"
        return
    said: Mapping[str, Any] = {name: getattr(step, name, None) for name in _TOLD}
    for name, value in said.items():
        if isinstance(value, tuple):
            yield ", ".join(value)
        elif value:
            text = object_text(str(value)) if str(value).startswith("/") else str(value)
            yield f"on {text}" if name == "device" else text


_TOLD = ("object", "volume", "snapshot", "source", "device", "place", "of", "one", "other", "host", "url")

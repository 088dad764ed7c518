"""What if: a scenario without one of its faults, or with a value changed. Pure: a scenario becomes another.

What is left out is not cut out. A fault is armed as before and never strikes (where it lasts for a time, the place is healed
after it all the same), a step is a step in which nothing happens: so the changed run is the recorded one, event for event, up
to the moment where what was left out would have shown. (Cut out, it would shift which of two events at one instant comes first
from the beginning on, and the first difference would mean nothing.)
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from storcert.scenarios.format.faults import Strike
from storcert.scenarios.format.read import Wrong, checked
from storcert.scenarios.format.references import PARTS
from storcert.scenarios.format.scenario import Scenario
from storcert.scenarios.format.schedule import Schedule
from storcert.scenarios.format.steps import Inject, Step, Wait
from storcert.scenarios.runner.resolve import resolve
from storcert.scenarios.runner.script import label

T = TypeVar("T", bound=Strike)
NEVER = 1 << 40
"""The number of a request that no run comes to."""


class NoSuchChange(Exception):
    """There is nothing of that name, or the value cannot be. One line."""


def changed(scenario: Scenario, changes: Sequence[str]) -> Scenario:
    """With each ``KEY=VALUE`` put in. ``KEY``: a path as in the file, with dots; of a list the number, from 1, or the name:
    ``step.move.at``, ``fault.1.nth``, ``device.vols.kind``. ``VALUE``: as in the file, quotes of text may be left out; empty:
    as if the file did not say it. Raises :class:`NoSuchChange`."""
    if not changes:
        return scenario
    value = scenario.to_json()
    for change in changes:
        key, equals, text = change.partition("=")
        if not equals or not key.strip():
            raise NoSuchChange(f"{change!r} changes nothing: write KEY=VALUE, as in step.1.delay='2 s' or fault.1.nth=3")
        _put(value, [part.strip() for part in key.strip().split(".")], text.strip(), change)
    try:
        return checked(value)
    except Wrong as wrong:
        raise NoSuchChange(f"{' and '.join(changes)}: {wrong.complaints[0][1]}") from None


def patient(scenario: Scenario) -> Scenario:
    """The same, and a fault that strikes nothing is no failure: in a changed run some may have nothing left to strike."""
    parts: dict[str, Any] = {"fault": tuple(fault.model_copy(update={"must_strike": False}) for fault in scenario.fault)}
    for part in PARTS:
        parts[part] = tuple(
            step.model_copy(update={"must_strike": False}) if isinstance(step, Inject) else step
            for step in getattr(scenario, part))
    return scenario.model_copy(update=parts)


def _put(value: Any, path: Sequence[str], text: str, change: str) -> None:
    *way, last = path
    for at, part in enumerate(way):
        if isinstance(value, dict) and part not in value:
            value[part] = {}
        value = value[_place(value, part, change, ".".join(way[:at]))]
    key = _place(value, last, change, ".".join(way))
    if text:
        value[key] = _value(text)
    elif isinstance(value, list):
        del value[key]
    else:
        value.pop(key, None)


def _place(value: Any, part: str, change: str, path: str) -> Any:
    if isinstance(value, dict):
        return part
    if not isinstance(value, list):
        raise NoSuchChange(f"{change}: {path} has no parts")
    if part.isdecimal() and 1 <= int(part) <= len(value):
        return int(part) - 1
    for number, one in enumerate(value):
        if isinstance(one, dict) and part in (one.get("name"), one.get("url"), f"{path}-{number + 1}-{one.get('do')}"):
            return number
    names = [one["name"] for one in value if isinstance(one, dict) and one.get("name")]
    raise NoSuchChange(f"{change}: {path} has no {part!r}; it has 1 to {len(value)}{': ' if names else ''}{', '.join(names)}")


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


# -- without


def without(scenario: Scenario, seed: int, names: Sequence[str]) -> Scenario:
    """Without these. A name: ``fault-2`` (the second of the file), a fault's kind or ``kind@place`` where there is one such
    only, the name of a step or nemesis, or what the result calls a step (``step-2-crash``). With ``seed`` decided.

    Raises :class:`NoSuchChange`."""
    if not names:
        return scenario
    asked, later = scenario, []
    for name in names:
        if name == "schedule":
            # Whoever would have lagged goes on at once; ties, which begin long before, stay.
            scenario = scenario.model_copy(update={"schedule": Schedule(ties=scenario.schedule.ties)})
            continue
        fault, step = _fault_called(scenario, name), _step_called(scenario, name)
        if fault is not None:
            faults = list(scenario.fault)
            faults[fault] = _harmless(faults[fault])
            scenario = scenario.model_copy(update={"fault": tuple(faults)})
        elif step is not None:
            scenario = _without_step(scenario, *step)
        else:
            later.append(name)
    scenario = resolve(scenario, seed)
    for name in later:
        deeds = [
            number for number, step in enumerate(scenario.step)
            if step.name and (step.name == name or step.name.rpartition("-")[0] == name)
        ]
        if not deeds:
            drawn = [step.name for step in scenario.step[len(asked.step) :] if step.name]
            raise NoSuchChange(_unknown([*choices(asked), *drawn], name))
        for number in deeds:
            scenario = _without_step(scenario, "step", number)
    return scenario


def choices(scenario: Scenario) -> Iterator[str]:
    """What can be left out, by the names it can be called."""
    for number, fault in enumerate(scenario.fault, 1):
        yield f"fault-{number} ({fault.fault}@{fault.place})"
    for nemesis in scenario.nemesis:
        yield nemesis.name
    if scenario.schedule.lag_ns:
        yield "schedule"
    for part in PARTS:
        for number, step in enumerate(getattr(scenario, part)):
            yield label(part, number, step)


def _unknown(known: Sequence[str], name: str) -> str:
    close = difflib.get_close_matches(name, [one.partition(" ")[0] for one in known], 1)
    hint = f", did you mean {close[0]}?" if close else f"; there are {', '.join(known[:20]) or 'no faults and no steps'}"
    return f"nothing in it is called {name!r}{hint}"


def _fault_called(scenario: Scenario, name: str) -> int | None:
    for number in range(len(scenario.fault)):
        if name == f"fault-{number + 1}":
            return number
    alike = [
        number for number, fault in enumerate(scenario.fault) if name in (fault.fault, f"{fault.fault}@{fault.place}")]
    if len(alike) > 1:
        raise NoSuchChange(f"{name!r} is {' or '.join(f'fault-{number + 1}' for number in alike)}; say which")
    return alike[0] if alike else None


def _step_called(scenario: Scenario, name: str) -> tuple[str, int] | None:
    for part in PARTS:
        for number, step in enumerate(getattr(scenario, part)):
            if name in (step.name, label(part, number, step)):
                return part, number
    return None


def _without_step(scenario: Scenario, part: str, number: int) -> Scenario:
    steps: list[Step] = list(getattr(scenario, part))
    step = steps[number]
    if isinstance(step, Inject):
        steps[number] = _harmless(step)
    else:
        steps[number] = Wait(
            do="wait", name=label(part, number, step), at=step.at_ns, after=step.after, delay=step.delay_ns,
            background=step.background, lasts=0)
    return scenario.model_copy(update={part: tuple(steps)})


def _harmless(fault: T) -> T:
    """Armed, and counted; it never comes to a request that it strikes."""
    return fault.model_copy(update={"nth": (NEVER, NEVER), "count": 1, "chance_per_request": None, "must_strike": False})

"""The same scenario on other devices. Pure: a scenario becomes another, and what could not be taken over is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from storcert.scenarios.format import steps
from storcert.scenarios.format.faults import Strike
from storcert.scenarios.format.legality import objection
from storcert.scenarios.format.scenario import Scenario
from storcert.scenarios.format.world import Device

T = TypeVar("T", bound=Strike)
ALL = "*"


@dataclass(frozen=True, slots=True)
class Substitution:
    """Every device that ``what`` means (its name, its kind, its role, or ``*``) becomes one of kind ``kind``."""

    what: str
    kind: str

    def means(self, device: Device) -> bool:
        """Whether it is about that device."""
        return self.what in (ALL, device.name, device.kind, device.role)


@dataclass(frozen=True, slots=True)
class Substituted:
    """``scenario``: on the other devices; ``left_out``: what of it those do not have, in words."""

    scenario: Scenario
    left_out: tuple[str, ...]
    changed: bool


def substitute(scenario: Scenario, substitutions: Sequence[Substitution]) -> Substituted:
    """The scenario with other kinds of devices. Of several substitutions that mean one device the last counts. A device that
    changes gets the driver of its new kind and loses its own options. A fault its new kind does not have is left out;
    a fault of certain requests strikes any request there, since requests are called differently on each kind."""
    kinds: dict[str, str] = {}
    devices = []
    for device in scenario.device:
        kind: str = device.kind
        for one in substitutions:
            kind = one.kind if one.means(device) else kind
        if kind != device.kind:
            kinds[device.name] = kind
            device = device.model_copy(update={"kind": kind, "driver": "", "simulator": {}, "configuration": {}})
        devices.append(device)
    if not kinds:
        return Substituted(scenario, (), False)
    told: list[str] = []
    faults = tuple(_adapted(scenario.fault, kinds, told))
    parts = {part: _steps(getattr(scenario, part), kinds, told) for part in ("prepare", "step", "afterwards")}
    nemeses = []
    for nemesis in scenario.nemesis:
        means = _steps(nemesis.means, kinds, told)
        if means:
            nemeses.append(nemesis.model_copy(update={"means": means}))
    changed = scenario.model_copy(update={"device": tuple(devices), "fault": faults, "nemesis": tuple(nemeses), **parts})
    return Substituted(changed, tuple(told), True)


def _steps(taken: Sequence[steps.Step], kinds: dict[str, str], told: list[str]) -> tuple[steps.Step, ...]:
    """Without the faults that cannot be; a step that waited for one of those waits for nothing."""
    found: list[steps.Step] = []
    gone: set[str] = set()
    for step in taken:
        if isinstance(step, steps.Inject):
            kept = _adapted([step], kinds, told)
            if not kept and step.name:
                gone.add(step.name)
            found.extend(kept)
        else:
            found.append(step)
    return tuple(step.model_copy(update={"after": None}) if step.after in gone else step for step in found)


def _adapted(faults: Sequence[T], kinds: dict[str, str], told: list[str]) -> list[T]:
    found: list[T] = []
    for fault in faults:
        kind = kinds.get(fault.place)
        if kind is None:
            found.append(fault)
            continue
        changed = fault.model_copy(update={"operation": "*"})
        if objection(changed, kind):
            told.append(f"left out: {fault.fault} at {fault.place}, which {kind} does not have {fault.phase} a request")
            continue
        if fault.operation != "*":
            told.append(f"{fault.fault} at {fault.place} strikes any request, since {kind} has no {fault.operation}")
        found.append(changed)
    return found

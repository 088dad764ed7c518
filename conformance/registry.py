"""The requirements: every check, the rule it belongs to, and the cases it has for what the kit knows of the device.

A check is a function of a :class:`Bench` (and of one value, where it has cases). Its first docstring line says what it
requires. One check with one value is one requirement-level case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TypeAlias

from storcert.conformance.facts import SHOWN_LIVE, Facts

NOT_LIVE = "a live device cannot show this"
Values: TypeAlias = Callable[[Facts], Iterable[Any]]


class Level(IntEnum):
    """How deep a run goes; each profile contains the one before it."""

    CORE = 1
    STANDARD = 2
    DEEP = 3


@dataclass(frozen=True, slots=True)
class Check:
    """``values``: per profile, the values that give a case each; empty where the check has one case without a value.
    ``needs``: names of capabilities that must be declared. ``simulation``: needs faults, crashes or a census. ``live``: words
    of :data:`~storcert.conformance.facts.SHOWN_LIVE`; where a live device shows all of them, such a check runs there too."""

    rule: str
    name: str
    function: Callable[..., None]
    profile: Level
    values: tuple[tuple[Level, Values], ...]
    needs: tuple[str, ...]
    simulation: bool
    live: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """``C-CREATE/repeat-changes-nothing``."""
        return f"{self.rule}/{self.name}"

    @property
    def description(self) -> str:
        """First line of the function's docstring."""
        return (self.function.__doc__ or "").strip().splitlines()[0]

    def missing(self, facts: Facts) -> str:
        """Why the check does not apply to this driver or device, or ``""``."""
        for name in self.needs:
            if not getattr(facts.capabilities, name):
                return f"capability {name} is not declared"
        if self.simulation and facts.mode == "in_process":
            return "the driver makes no request to the simulated device"
        if self.simulation and facts.mode != "simulated":
            return self._not_shown(facts)
        return ""

    def _not_shown(self, facts: Facts) -> str:
        lacking = [word for word in self.live if word not in facts.shows]
        if lacking and facts.shows:
            return f"{SHOWN_LIVE[lacking[0]]} cannot be had on this one: {NOT_LIVE}"
        return NOT_LIVE if lacking or not self.live else ""


@dataclass(frozen=True, slots=True)
class Case:
    """One check with one value."""

    check: Check
    label: str
    value: Any = None

    @property
    def id(self) -> str:
        """``C-CREATE/zero-bytes[4096]``."""
        return f"{self.check.id}[{self.label}]" if self.label else self.check.id

    def run(self, bench: Any) -> None:
        """Run the check; it raises what it found."""
        if self.label:
            self.check.function(bench, self.value)
        else:
            self.check.function(bench)


CHECKS: dict[str, Check] = {}


def check(
    rule: str,
    *,
    profile: Level = Level.CORE,
    core: Values | None = None,
    standard: Values | None = None,
    deep: Values | None = None,
    needs: Sequence[str] = (),
    simulation: bool = False,
    live: Sequence[str] = (),
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function as a check. ``core``, ``standard`` and ``deep`` give its values; without any it has one case."""

    def add(function: Callable[..., None]) -> Callable[..., None]:
        given = ((Level.CORE, core), (Level.STANDARD, standard), (Level.DEEP, deep))
        values = tuple((level, one) for level, one in given if one is not None)
        name = function.__name__.strip("_").replace("_", "-")
        made = Check(rule, name, function, profile, values, tuple(needs), simulation, tuple(live))
        if made.id in CHECKS:
            raise ValueError(f"two checks are called {made.id}")
        if not function.__doc__:
            raise ValueError(f"{made.id} does not say what it requires")
        CHECKS[made.id] = made
        return function

    return add


def cases_for(facts: Facts, profile: Level) -> list[Case]:
    """Every case of the profile, in an order that does not depend on import order."""
    found: dict[str, Case] = {}
    for identity in sorted(CHECKS):
        one = CHECKS[identity]
        if one.profile > profile:
            continue
        if not one.values:
            found[one.id] = Case(one, "")
        for level, values in one.values:
            if level <= profile:
                for value in values(facts):
                    case = Case(one, str(value), value)
                    found.setdefault(case.id, case)
    return list(found.values())

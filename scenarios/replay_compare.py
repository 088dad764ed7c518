"""Two runs held against each other: up to which event they are the same, and what came of each. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from storcert.harness.record.event import Event
from storcert.scenarios.result import Played, ScenarioResult


@dataclass(frozen=True, slots=True)
class Change:
    """Something that came out differently: whether a rule holds, how a step ended, how often a fault struck."""

    what: str
    recorded: str
    changed: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """``common``: so many events at the beginning are the same; then comes ``recorded`` in the one run and ``changed`` in the
    other, ``None`` where that one is over. Both ``None``: the runs are the same, event for event."""

    common: int
    recorded: Event | None
    changed: Event | None
    changes: tuple[Change, ...]

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return self.recorded is None and self.changed is None


def compare(recorded: ScenarioResult, changed: ScenarioResult) -> Comparison:
    """Both with all their events."""
    one, other = recorded.shown.events, changed.shown.events
    common = same_until(one, other)
    return Comparison(
        common, one[common] if common < len(one) else None, other[common] if common < len(other) else None,
        tuple(_changes(recorded, changed)),
    )


def same_until(one: Sequence[Event], other: Sequence[Event]) -> int:
    """How many events at the beginning are the same."""
    for number, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return number
    return min(len(one), len(other))


def _changes(recorded: ScenarioResult, changed: ScenarioResult) -> list[Change]:
    found = _differing("", *(_rules(one.shown) for one in (recorded, changed)))
    found += _differing("step ", *(_endings(one.shown) for one in (recorded, changed)))
    found += _differing("fault ", *(_strikes(one.shown) for one in (recorded, changed)))
    found += _differing("", *({"expectations": "; ".join(one.problems) or "met"} for one in (recorded, changed)))
    return found


def _differing(kind: str, recorded: Mapping[str, str], changed: Mapping[str, str]) -> list[Change]:
    names = dict.fromkeys([*recorded, *changed])
    return [
        Change(f"{kind}{name}", recorded.get(name, "-"), changed.get(name, "-"))
        for name in names
        if recorded.get(name) != changed.get(name)
    ]


def _rules(played: Played) -> dict[str, str]:
    return {
        finding.rule: "broken" if finding.broken else "holds" if finding.looked_at else "nothing to look at"
        for finding in played.findings
    }


def _endings(played: Played) -> dict[str, str]:
    return {step.name: step.ending for step in played.steps}


def _strikes(played: Played) -> dict[str, str]:
    found: dict[str, int] = {}
    for fault in played.faults:
        name = f"{fault.text.partition(' #')[0]} at {fault.place}"
        found[name] = found.get(name, 0) + fault.strikes
    return {name: "never struck" if not count else f"struck {count}" for name, count in found.items()}

"""Which faults a scenario's places can have, with the amounts worth trying: the material of every variation. Data only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from storcert.harness.record.fault import Phase
from storcert.scenarios.explore.terrain import Terrain
from storcert.scenarios.format.faults import Fault
from storcert.scenarios.format.legality import legal_faults
from storcert.scenarios.format.references import CATALOGUE, WEB
from storcert.scenarios.format.scenario import Scenario
from storcert.simulators.device import FaultKind

SECOND_NS = 10**9
_AMOUNTS: Mapping[str, tuple[int, ...]] = {
    # Shorter than a client waits, and longer than every client does.
    "ns": (2 * SECOND_NS, 120 * SECOND_NS),
    "ns, 0 until healed": (40 * SECOND_NS, 0),
    "bytes": (0, 1000),
    "0 silence, 1 reset": (0, 1),
    # TCP hides a few in a row, and gives up after fifteen.
    "times in a row; over 15 TCP gives up": (3, 16),
}


@dataclass(frozen=True, slots=True, order=True)
class Kind:
    """One way in which a request at a place can go wrong. ``operations``: those requests the scenario makes there that it can
    strike."""

    place: str
    fault: str
    phases: tuple[Phase, ...]
    amounts: tuple[int, ...]
    operations: tuple[str, ...]


def kind_of_place(scenario: Scenario, place: str) -> str:
    """The kind of device; ``catalogue`` and ``web`` are their own."""
    if place in (CATALOGUE, WEB):
        return place
    return next(device.kind for device in scenario.device if device.name == place)


def kinds(scenario: Scenario, terrain: Terrain) -> Iterator[Kind]:
    """Every legal fault of every place of which the scenario asks anything."""
    for place, counts in terrain.requests.items():
        for legal in legal_faults(kind_of_place(scenario, place)).values():
            operations = tuple(name for name in counts if _strikes(legal, name))
            if operations:
                yield Kind(place, legal.name, legal.phases, _AMOUNTS.get(legal.value_unit, (0,)), operations)


def _strikes(legal: FaultKind, operation: str) -> bool:
    return "*" in legal.operations or operation in legal.operations


def fault(
    place: str, name: str, operation: str, nth: int, phase: Phase, value: int = 0, count: int = 1, start_ns: int = 0,
    lasts_ns: int = 0,
) -> Fault:
    """As the schedule of a scenario has it; it need not strike."""
    return Fault(
        place=place, fault=name, operation=operation, nth=(nth, nth), phase=phase.value, value=value, count=count,
        start=(start_ns, start_ns), lasts=lasts_ns, must_strike=False,
    )

"""Every single fault and every crash point around a scenario: counted, put in an order, and each a scenario.

The order visits every cell of the matrix once before any cell a second time: whoever stops early has seen something of
everything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from storcert.harness.record.fault import Phase
from storcert.scenarios.explore.faults import fault, kinds
from storcert.scenarios.explore.terrain import Terrain
from storcert.scenarios.explore.trial import Cell, Trial
from storcert.scenarios.format.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Point:
    """One fault at one request: the ``nth`` of its cell's operation."""

    cell: Cell
    nth: int
    value: int


class Space:
    """Around a scenario in which everything stands fixed. A crash is a fault like any other: whoever asks dies."""

    def __init__(self, scenario: Scenario, seed: int, terrain: Terrain) -> None:
        self.scenario = scenario
        self.seed = seed
        self.points = sorted(_points(scenario, terrain), key=lambda found: found[0])
        self.cells = sorted({point.cell for _, point in self.points})

    def __len__(self) -> int:
        return len(self.points)

    def trial(self, number: int) -> Trial:
        """The run of one point."""
        point = self.points[number][1]
        cell = point.cell
        one = fault(cell.place, cell.fault, cell.operation, point.nth, Phase(cell.phase), point.value)
        return Trial(self.scenario.model_copy(update={"fault": (*self.scenario.fault, one)}), self.seed)

    def cell(self, number: int) -> Cell:
        """Where the fault of that run is."""
        return self.points[number][1].cell


def _points(scenario: Scenario, terrain: Terrain) -> Iterator[tuple[tuple[int, int], Point]]:
    """With its place in the order: of each cell the first amounts and requests first."""
    cells = 0
    for kind in kinds(scenario, terrain):
        for operation in kind.operations:
            requests = terrain.requests[kind.place][operation]
            for phase in kind.phases:
                cells += 1
                turns = ((nth, value) for nth in range(1, requests + 1) for value in kind.amounts)
                for turn, (nth, value) in enumerate(turns):
                    yield (turn, cells), Point(Cell(kind.place, operation, kind.fault, phase.value), nth, value)

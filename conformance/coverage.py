"""What a case tried in the space of faults, while it runs and as the record has it. Counting only: nothing is judged here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from storcert.harness.record.coverage import CellOutcome, Coverage, CoverageCell, OperationCoverage, PairCoverage
from storcert.harness.record.fault import Fault

Schedule: TypeAlias = tuple[Fault, ...]
_Cell: TypeAlias = tuple[int, str, str, str]


@dataclass(slots=True)
class Counted:
    """As :class:`CoverageCell` has it."""

    points: int = 0
    trials: int = 0
    reached: int = 0
    survived: int = 0
    failed: int = 0

    @property
    def numbers(self) -> tuple[int, int, int, int, int]:
        """All of them in order."""
        return self.points, self.trials, self.reached, self.survived, self.failed

    @property
    def outcome(self) -> CellOutcome:
        """What is known of the cell."""
        if self.failed:
            return CellOutcome.FAILED
        if not self.trials:
            return CellOutcome.NOT_TRIED
        return CellOutcome.SURVIVED if self.reached else CellOutcome.NOT_REACHED


def step_of(requests: Sequence[str], fault: Fault) -> int:
    """Number, from 1, of the request that ``fault`` is to strike first, among those an operation makes."""
    if fault.operation == "*":
        return fault.nth
    places = [number for number, name in enumerate(requests, 1) if name == fault.operation]
    return places[fault.nth - 1] if fault.nth <= len(places) else len(requests) + fault.nth - len(places)


@dataclass(slots=True)
class Tried:
    """What one case tries on one operation. ``requests``: those of the healthy run. ``crashing``: it is the check of every
    crash point; ``later``: crash points beyond the healthy run's; ``complete``: a crash after the last struck nothing.
    ``drawn``: its pairs are a sample."""

    operation: str
    requests: tuple[str, ...]
    crashing: bool = False
    drawn: bool = False
    later: int = 0
    complete: bool = False
    cells: dict[_Cell, Counted] = field(default_factory=dict)
    pairs: dict[tuple[str, str], Counted] = field(default_factory=dict)

    def _counts(self, schedule: Schedule) -> Counted:
        if len(schedule) == 2:
            return self.pairs.setdefault((schedule[0].kind, schedule[1].kind), Counted())
        fault = schedule[0]
        step = step_of(self.requests, fault)
        request = self.requests[step - 1] if step <= len(self.requests) else fault.operation
        return self.cells.setdefault((step, request, fault.kind, str(fault.phase)), Counted())

    def plan(self, schedules: Iterable[Schedule]) -> None:
        """These are going to be tried."""
        for schedule in schedules:
            self._counts(schedule).points += 1

    def note(self, schedule: Schedule, reached: bool, failed: bool) -> None:
        """One was tried: whether all of it struck, and whether a rule broke."""
        counts = self._counts(schedule)
        counts.trials += 1
        counts.reached += reached
        counts.failed += failed
        counts.survived += reached and not failed

    def told(self) -> Coverage:
        """As the record has it."""
        crashes = sum(counts.reached for key, counts in self.cells.items() if key[2] == "crash")
        operation = OperationCoverage(
            self.operation, self.requests, 2 * len(self.requests), crashes, self.later, self.complete
        ) if self.crashing else OperationCoverage(self.operation, self.requests, 0, 0, 0, False)  # fmt: skip
        cells = (
            CoverageCell(self.operation, step, request, fault, phase, *counts.numbers, counts.outcome)
            for (step, request, fault, phase), counts in self.cells.items()
        )
        pairs = (
            PairCoverage(self.operation, first, second, *counts.numbers[1:], self.drawn)
            for (first, second), counts in self.pairs.items()
        )
        return Coverage((operation,), tuple(sorted(cells, key=_place_of_cell)), tuple(sorted(pairs, key=_place_of_pair)))


def merged(cases: Iterable[Coverage]) -> Coverage | None:
    """What all cases tried, put together; ``None`` where none tried a fault."""
    known = list(cases)
    if not known:
        return None
    operations: dict[str, OperationCoverage] = {}
    for operation in (operation for one in known for operation in one.operations):
        if operation.crash_points or operation.operation not in operations:
            operations[operation.operation] = operation
    return Coverage(
        tuple(operations[name] for name in sorted(operations)),
        tuple(sorted((cell for one in known for cell in one.cells), key=_place_of_cell)),
        tuple(sorted((pair for one in known for pair in one.pairs), key=_place_of_pair)),
    )


def _place_of_cell(cell: CoverageCell) -> tuple[str, int, str, str]:
    return cell.operation, cell.step, cell.fault, cell.phase


def _place_of_pair(pair: PairCoverage) -> tuple[str, str, str]:
    return pair.operation, pair.first, pair.second

"""Coverage as matrices: operations down, faults across; how often each was reached, survived and failed. Rows of words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from storcert.harness.record.coverage import Coverage, CoverageCell
from storcert.harness.record.exploration import MatrixCell
from storcert.harness.record.run_record import RunRecord


@dataclass(frozen=True, slots=True)
class Cell:
    """``kind``: ``pass``, ``fail``, ``unreached`` (tried, and never struck), ``untried`` or ``none`` (does not exist);
    ``text``: short; ``title``: in words."""

    kind: str
    text: str
    title: str


@dataclass(frozen=True, slots=True)
class Matrix:
    """``rows``: name and one cell per column."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


@dataclass(slots=True)
class _Sum:
    trials: int = 0
    reached: int = 0
    survived: int = 0
    failed: int = 0

    def add(self, cell: CoverageCell | MatrixCell) -> None:
        self.trials += cell.trials
        self.reached += cell.reached
        self.survived += cell.survived
        self.failed += cell.failed


_NONE = Cell("none", "", "no such fault here")


def matrices(record: RunRecord) -> tuple[Matrix, ...]:
    """What was covered: by place for an exploration, by operation for a certification; nothing where no record tells of it."""
    if record.coverage is not None:
        return _of_certification(record.coverage)
    if record.exploration is None:
        return ()
    by_place: dict[str, dict[tuple[str, str], _Sum]] = {}
    for cell in record.exploration.matrix:
        cells = by_place.setdefault(cell.place, {})
        cells.setdefault((cell.operation, _column(cell)), _Sum()).add(cell)
    return tuple(matrix(f"at {place}", cells) for place, cells in by_place.items())


def _of_certification(coverage: Coverage) -> tuple[Matrix, ...]:
    """All operations first, then each by its requests."""
    whole: dict[tuple[str, str], _Sum] = {}
    steps: dict[str, dict[tuple[str, str], _Sum]] = {}
    for cell in coverage.cells:
        whole.setdefault((cell.operation, _column(cell)), _Sum()).add(cell)
        of_operation = steps.setdefault(cell.operation, {})
        of_operation.setdefault((f"{cell.step} {cell.request}", _column(cell)), _Sum()).add(cell)
    shown = [matrix("every operation", dict(sorted(whole.items(), key=lambda item: item[0][0])))] if whole else []
    for one in coverage.operations:
        cells = steps.get(one.operation)
        if cells:
            complete = "and no other" if one.complete else "there may be more"
            told = f"{one.operation}: crashed at {one.crashes} of {one.crash_points + one.later_requests} points, {complete}"
            shown.append(matrix(told, dict(sorted(cells.items(), key=lambda item: _number(item[0][0])))))
    return tuple(shown)


def _column(cell: CoverageCell | MatrixCell) -> str:
    return f"{cell.fault} {cell.phase}".strip()


def _number(row: str) -> int:
    return int(row.partition(" ")[0])


def matrix(title: str, cells: dict[tuple[str, str], _Sum]) -> Matrix:
    """``cells``: by row and column; rows in the order in which they are to stand, columns by name, crashes first."""
    columns = tuple(sorted({column for _, column in cells}, key=lambda one: (not one.startswith("crash"), one)))
    names = dict.fromkeys(row for row, _ in cells)
    return Matrix(title, columns, tuple((name, tuple(_cells(name, columns, cells))) for name in names))


def _cells(name: str, columns: Iterable[str], cells: dict[tuple[str, str], _Sum]) -> Iterable[Cell]:
    for column in columns:
        found = cells.get((name, column))
        if found is None:
            yield _NONE
            continue
        told = f"{name}, {column}: reached {found.reached:,}, survived {found.survived:,}, failed {found.failed:,}"
        if found.failed:
            yield Cell("fail", f"{found.failed:,}", told)
        elif found.reached:
            yield Cell("pass", f"{found.reached:,}", told)
        elif found.trials:
            yield Cell("unreached", "0", told)
        else:
            yield Cell("untried", "-", f"{name}, {column}: not tried")

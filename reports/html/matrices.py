"""Coverage as matrices: operations down, faults across; how often each was reached, survived and failed. Rows of words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from storcert.harness.record.run_record import RunRecord


@dataclass(frozen=True, slots=True)
class Cell:
    """``kind``: ``pass``, ``fail``, ``unreached`` or ``none`` (does not exist); ``text``: short; ``title``: in words."""

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
    points: int = 0
    reached: int = 0
    survived: int = 0
    failed: int = 0


_NONE = Cell("none", "", "no such fault here")


def matrices(record: RunRecord) -> tuple[Matrix, ...]:
    """What was covered, by place for an exploration; nothing where the record tells of none."""
    if record.exploration is None:
        return ()
    by_place: dict[str, dict[tuple[str, str], _Sum]] = {}
    for cell in record.exploration.matrix:
        found = by_place.setdefault(cell.place, {}).setdefault((cell.operation, f"{cell.fault} {cell.phase}".strip()), _Sum())
        found.points += cell.points
        found.reached += cell.reached
        found.survived += cell.survived
        found.failed += cell.failed
    return tuple(matrix(f"at {place}", cells) for place, cells in by_place.items())


def matrix(title: str, cells: dict[tuple[str, str], _Sum]) -> Matrix:
    """``cells``: by row and column, in the order in which they are to stand."""
    columns = tuple(dict.fromkeys(column for _, column in cells))
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
        else:
            yield Cell("unreached", "0", told)

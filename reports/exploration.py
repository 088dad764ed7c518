"""What reports say of an exploration: how large the space was, what of it was seen, which findings there are and what is left
of each. Rows of words; how they are set is the renderers' affair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from storcert.harness.record.exploration import Discovery, Exploration, MatrixCell
from storcert.harness.record.run_record import RunRecord
from storcert.reports.text import count, one_line

KIND = "exploration"
SHOWN = 30


@dataclass(frozen=True, slots=True)
class Row:
    """One fault at one place, over all operations and phases: how many of its ``cells`` were ``seen``, in how many runs it
    struck, and how many of those kept every rule or did not."""

    place: str
    fault: str
    cells: int
    seen: int
    reached: int
    survived: int
    failed: int


def subject(record: RunRecord) -> str:
    """``what, 500 runs on nfs (simulated)``."""
    told = record.exploration
    runs = count(told.trials, "run") if told is not None else "no run"
    name = one_line(told.scenario) if told is not None else ""
    return f"{name or 'a scenario'}, {runs} on {one_line(record.device.name)} ({one_line(record.device.mode)})"


def lines(told: Exploration) -> Iterator[str]:
    """The size of the space and what was covered, in sentences."""
    planned = f" of {told.planned:,}" if told.planned >= 0 else ""
    how = "every single fault and crash" if told.mode == "exhaustive" else "variations drawn at random"
    yield f"{how}: {told.trials:,}{planned} runs, {told.operations:,} operations"
    yield (
        f"the space: {told.cells:,} cells of operation, fault and phase, {told.points:,} single faults and crashes; "
        f"{told.cells_reached:,} cells reached"
    )
    if told.guided:
        yield f"led by lines: {told.lines:,} reached, {count(told.parents, 'variation')} reached new ones"
    elif told.mode != "exhaustive":
        yield "not led by lines"


def rows(matrix: Sequence[MatrixCell]) -> list[Row]:
    """The matrix by place and fault; those that failed first, then those never reached, so that what matters is not cut off."""
    found: dict[tuple[str, str], list[int]] = {}
    for cell in matrix:
        counts = found.setdefault((cell.place, cell.fault), [0, 0, 0, 0, 0])
        for number, value in enumerate((1, int(cell.reached > 0), cell.reached, cell.survived, cell.failed)):
            counts[number] += value
    table = [Row(*key, *counts) for key, counts in found.items()]
    return sorted(table, key=lambda row: (-row.failed, row.seen == row.cells, row.place, row.fault))


def matrix_text(told: Exploration) -> str:
    """The whole matrix, a line for each cell."""
    head = ("place", "operation", "fault", "phase", "points", "runs", "reached", "survived", "failed")
    table = [head, *(
        (cell.place, one_line(cell.operation), cell.fault, cell.phase, *(
            f"{value:,}" for value in (cell.points, cell.trials, cell.reached, cell.survived, cell.failed)))
        for cell in told.matrix
    )]
    widths = [max(len(row[number]) for row in table) for number in range(len(head))]
    return "".join(
        "  ".join(
            word.ljust(width) if number < 4 else word.rjust(width)
            for number, (word, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip() + "\n"
        for row in table
    )


def proof(one: Discovery) -> Iterator[str]:
    """What is known of a finding's parts."""
    if one.runs:
        yield f"made smaller in {count(one.runs, 'run')}{f'; {one.cut_short}' if one.cut_short else ''}"
    elif one.cut_short:
        yield one.cut_short
    for part in one.necessary:
        yield f"necessary: {one_line(part)}"
    for part in one.unproven:
        yield f"not shown to be necessary: {one_line(part)}"

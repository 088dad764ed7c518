"""What reports say of the space of faults: which operation was struck where, by what, and what came of it.

Rows of words; how they are set is the renderers' affair."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from storcert.harness.record.coverage import CellOutcome, Coverage, CoverageCell
from storcert.harness.record.run_record import RunRecord
from storcert.reports.text import count, one_line

CRASH = "crash"
LEGEND = "cells of step and phase: a number alone survived; x: failed; o: never struck; -: not tried"
MARKS = (
    (CellOutcome.SURVIVED, ""), (CellOutcome.FAILED, "x"), (CellOutcome.NOT_REACHED, "o"), (CellOutcome.NOT_TRIED, "-"),
)  # fmt: skip
WORDS = {
    CellOutcome.SURVIVED: "survived", CellOutcome.FAILED: "failed",
    CellOutcome.NOT_REACHED: "never struck", CellOutcome.NOT_TRIED: "not tried",
}  # fmt: skip
CELL_HEAD = ("operation", "step", "request", "fault", "phase", "points", "trials", "reached", "survived", "failed", "outcome")


@dataclass(slots=True)
class Tally:
    """How many cells ended in each way."""

    counts: dict[CellOutcome, int] = field(default_factory=dict)

    def add(self, outcome: CellOutcome) -> None:
        """One more."""
        self.counts[outcome] = self.counts.get(outcome, 0) + 1

    def __str__(self) -> str:
        return " ".join(f"{self.counts[outcome]:,}{mark}" for outcome, mark in MARKS if self.counts.get(outcome))


def tallies(cells: Iterable[CoverageCell]) -> Tally:
    """All of them."""
    tally = Tally()
    for cell in cells:
        tally.add(cell.outcome)
    return tally


def lines(told: Coverage) -> Iterator[str]:
    """The size of the space and what was covered, in sentences."""
    crashed = [one for one in told.operations if one.crash_points]
    if crashed:
        points, reached = sum(one.crash_points for one in crashed), sum(one.crashes for one in crashed)
        sure = sum(one.complete for one in crashed)
        yield (
            f"{count(len(crashed), 'operation')} with {count(sum(len(one.requests) for one in crashed), 'request')}: "
            f"{reached:,} of {points:,} crash points reached; that there are no more is shown for {sure:,} of {len(crashed):,}"
        )
        for one in crashed:
            if one.later_requests:
                beyond = count(one.later_requests, "crash point")
                yield f"{one_line(one.operation)} went on: {beyond} beyond those of a healthy run"
    found = tallies(told.cells).counts
    said = ", ".join(f"{found[outcome]:,} {word}" for outcome, word in WORDS.items() if found.get(outcome)) or "none"
    yield f"{count(len(told.cells), 'cell')} of operation, step, fault and phase: {said}"
    if told.pairs:
        drawn = sum(pair.trials for pair in told.pairs if pair.drawn)
        reached, failed = sum(pair.reached for pair in told.pairs), sum(pair.failed for pair in told.pairs)
        trials = sum(pair.trials for pair in told.pairs)
        chosen = f", {drawn:,} of them drawn by the seed" if drawn else ""
        yield f"{count(trials, 'pair')} of faults{chosen}: in {reached:,} both struck, {failed:,} failed"


def faults(cells: Iterable[CoverageCell]) -> list[str]:
    """The columns: the crash, then the faults by name."""
    return sorted({cell.fault for cell in cells}, key=lambda name: (name != CRASH, name))


def rows(cells: Sequence[CoverageCell]) -> list[tuple[str, ...]]:
    """A row for each operation, its variants together: its name, and under each fault how its cells ended."""
    columns = faults(cells)
    found: dict[tuple[str, str], Tally] = {}
    for cell in cells:
        found.setdefault((_verb(cell.operation), cell.fault), Tally()).add(cell.outcome)
    verbs = sorted({verb for verb, _ in found})
    return [(one_line(verb), *(str(found.get((verb, fault), "")) for fault in columns)) for verb in verbs]


def _verb(operation: str) -> str:
    return operation.partition("-")[0]


def blocks(head: Sequence[str], table: Sequence[Sequence[str]], width: int) -> Iterator[tuple[list[str], list[list[str]]]]:
    """The table cut so that each piece fits into ``width`` characters; the first column is repeated, and a heading of several
    words (``answer_lost``) takes a line for each. A column in which nothing stands is left out of no piece."""
    names = [name.replace("_", "\n") for name in head]
    widths = [
        max([*(len(word) for word in name.split("\n")), *(len(row[number]) for row in table)]) + 2
        for number, name in enumerate(names)
    ]
    start = 1
    while start < len(names):
        end = start + 1
        while end < len(names) and widths[0] + sum(widths[start : end + 1]) <= width:
            end += 1
        yield [names[0], *names[start:end]], [[row[0], *row[start:end]] for row in table]
        start = end


def render(record: RunRecord) -> str:
    """Every cell and every pair of the record, a line for each."""
    return text(record.coverage) if record.coverage is not None else "no fault was tried\n"


def text(told: Coverage) -> str:
    """Every cell and every pair, a line for each."""
    cells: list[tuple[str, ...]] = [CELL_HEAD]
    for cell in told.cells:
        numbers = (cell.points, cell.trials, cell.reached, cell.survived, cell.failed)
        place = (one_line(cell.operation), f"{cell.step}", one_line(cell.request), one_line(cell.fault), one_line(cell.phase))
        cells.append((*place, *(f"{number:,}" for number in numbers), str(cell.outcome)))
    pairs: list[tuple[str, ...]] = [("operation", "first", "second", "trials", "reached", "survived", "failed")]
    for pair in told.pairs:
        names = (one_line(pair.operation), one_line(pair.first), one_line(pair.second))
        pairs.append((*names, *(f"{number:,}" for number in (pair.trials, pair.reached, pair.survived, pair.failed))))
    return _aligned(cells) + ("\n" + _aligned(pairs) if told.pairs else "")


def _aligned(table: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[number]) for row in table) for number in range(len(table[0]))]
    return "".join(
        "  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip() + "\n" for row in table
    )

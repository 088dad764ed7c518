"""What an exploration has come to, put together in the order of numbers, so that who ran what does not show."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from storcert.harness.record.verdict import Verdict
from storcert.scenarios.explore.lines import merged
from storcert.scenarios.explore.trial import Break, Cell, Trial, TrialResult
from storcert.scenarios.format.scenario import Scenario

PARENTS_MAX = 256


@dataclass(frozen=True, slots=True)
class Found:
    """A rule that broke in some way: first in trial ``number``, whose run has that digest, and in ``runs`` trials in all."""

    first: Break
    number: int
    trial: Trial
    runs: int
    digest: str = ""


@dataclass(frozen=True, slots=True)
class CellCount:
    """One cell of the matrix: trials in which its fault was there, struck (``reached``), and of those that kept every rule
    (``survived``) or did not (``failed``)."""

    cell: Cell
    trials: int
    reached: int
    survived: int
    failed: int


@dataclass(slots=True)
class Outcome:
    """Grows by :meth:`add`, in the order of numbers. ``parents``: trials that reached lines nobody had reached before."""

    trials: int = 0
    operations: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    lines: dict[str, int] = field(default_factory=dict)
    parents: list[tuple[int, Scenario]] = field(default_factory=list)
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    _found: dict[tuple[str, str], Found] = field(default_factory=dict)
    _cells: dict[Cell, list[int]] = field(default_factory=dict)

    def add(self, number: int, trial: Trial, result: TrialResult) -> None:
        """One more trial."""
        self.trials += 1
        self.operations += result.operations
        self.verdicts[result.verdict] += 1
        self.rules.update(result.rules)
        if result.verdict is Verdict.ERROR:
            self.errors[result.error] += 1
        for broken in result.breaks:
            known = self._found.get((broken.rule, broken.key))
            self._found[broken.rule, broken.key] = (
                Found(broken, number, trial, 1, result.digest) if known is None else replace(known, runs=known.runs + 1))
        for cell, strikes in result.struck:
            counts = self._cells.setdefault(cell, [0, 0, 0, 0])
            counts[0] += 1
            if strikes:
                counts[1] += 1
                counts[3 if result.verdict is Verdict.FAIL else 2] += 1
        if merged(self.lines, result.lines) and len(self.parents) < PARENTS_MAX:
            self.parents.append((number, trial.scenario))

    @property
    def found(self) -> list[Found]:
        """In the order in which they were found."""
        return sorted(self._found.values(), key=lambda one: (one.number, one.first.rule, one.first.key))

    @property
    def line_count(self) -> int:
        """Lines of the program under test that were reached."""
        return sum(bits.bit_count() for bits in self.lines.values())

    def cells(self) -> list[CellCount]:
        """The matrix as far as it was seen."""
        return [CellCount(cell, *counts) for cell, counts in sorted(self._cells.items())]

    @property
    def cells_reached(self) -> int:
        """How many cells have been reached."""
        return sum(counts[1] > 0 for counts in self._cells.values())

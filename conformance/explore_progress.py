"""Progress of an exploration, on standard error: a live line on a terminal, a plain line now and then elsewhere. Real time is
read here on purpose; nothing that is found depends on it."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Self, TextIO

from storcert.scenarios.explore.outcome import Outcome

INTERVAL_S = 10.0


class ExploreProgress:
    """A context. ``total``: how many trials there will be, ``None`` where nobody knows; ``cells``: of the matrix."""

    def __init__(self, stream: TextIO | None = None, interval_s: float = INTERVAL_S) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._interval_s = interval_s
        self._total: int | None = None
        self._cells = 0
        self._begun_s = self._last_s = time.monotonic()
        self._before = 0
        self._findings = 0
        self._status: Any = None

    def __enter__(self) -> Self:
        if self._stream.isatty():
            from rich.console import Console

            self._status = Console(file=self._stream).status("exploring")
            self._status.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._status is not None:
            self._status.stop()

    def started(self, total: int | None, cells: int, points: int, done_before: int, guided: str) -> None:
        """What there is to explore; ``done_before``: trials of an earlier call; ``guided``: whether lines lead the search."""
        self._total, self._cells, self._before = total, cells, done_before
        self._begun_s = self._last_s = time.monotonic()
        self.say(f"{cells:,} cells of operation, fault and phase; {points:,} single faults and crashes; {guided}")
        if done_before:
            self.say(f"{done_before:,} runs are done already")

    def told(self, outcome: Outcome) -> None:
        """Something has ended."""
        found = outcome.found
        for one in found[self._findings :]:
            self.say(f"found: {one.first.rule}: {one.first.text[:160]} (run {one.number})")
        self._findings = max(self._findings, len(found))
        now_s = time.monotonic()
        line = self._line(outcome, now_s - self._begun_s)
        if self._status is not None:
            self._status.update(line)
        elif now_s - self._last_s >= self._interval_s:
            self._last_s = now_s
            self.say(line)

    def say(self, text: str) -> None:
        """A line that stays."""
        try:
            if self._status is not None:
                self._status.console.print(f"storcert: {text}", markup=False, highlight=False)
            else:
                print(f"storcert: {text}", file=self._stream, flush=True)
        except (OSError, ValueError):
            # Nobody reads progress any more; the search goes on.
            pass

    def _line(self, outcome: Outcome, passed_s: float) -> str:
        new = max(0, outcome.trials - self._before)
        rate = f", {60 * new / passed_s:,.0f} a minute" if passed_s > 1 else ""
        total = f" of {self._total:,}" if self._total is not None else ""
        lines = f", {outcome.line_count:,} lines" if outcome.lines else ""
        return (
            f"{outcome.trials:,}{total} runs{rate}, {outcome.cells_reached:,} of {self._cells:,} cells{lines}, "
            f"{len(outcome.found)} findings"
        )

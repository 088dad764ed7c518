"""Progress of a run, on standard error: a bar on a terminal, a plain line now and then elsewhere.

The kit calls three methods; nothing it decides depends on them. Real time is read here on purpose: progress is for the
person waiting.
"""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Protocol, Self, TextIO


class Progress(Protocol):
    """What a run tells whoever watches."""

    def started(self, total: int) -> None:
        """``total`` cases will be decided."""

    def advanced(self, rule: str, verdict: str, count: int = 1) -> None:
        """``count`` cases of ``rule`` came to ``verdict``."""

    def finished(self) -> None:
        """No more will come. Idempotent."""


class SilentProgress:
    """Says nothing; for tests and for callers that are no command line."""

    def started(self, total: int) -> None:
        """Nothing."""

    def advanced(self, rule: str, verdict: str, count: int = 1) -> None:
        """Nothing."""

    def finished(self) -> None:
        """Nothing."""


class PlainProgress:
    """One line at the start, one every ``interval_s`` seconds, and one for each failing rule."""

    def __init__(self, stream: TextIO | None = None, interval_s: float = 10.0) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._interval_s = interval_s
        self._total = 0
        self._done = 0
        self._failed = 0
        self._failed_rules: set[str] = set()
        self._last_s = 0.0

    def started(self, total: int) -> None:
        """Says how many."""
        self._total = total
        self._last_s = time.monotonic()
        self._say(f"{total} cases")

    def advanced(self, rule: str, verdict: str, count: int = 1) -> None:
        """Counts, and says something where there is something to say."""
        self._done += count
        if verdict == "fail":
            self._failed += count
            if rule not in self._failed_rules:
                self._failed_rules.add(rule)
                self._say(f"{rule} fails")
        now_s = time.monotonic()
        if now_s - self._last_s >= self._interval_s:
            self._last_s = now_s
            self._say(f"{self._done} of {self._total} cases, {self._failed} failed")

    def finished(self) -> None:
        """Nothing: the report follows."""

    def _say(self, text: str) -> None:
        try:
            print(f"storcert: {text}", file=self._stream, flush=True)
        except (OSError, ValueError):
            # Nobody reads progress any more; the run goes on.
            pass


class BarProgress:
    """A bar with the rule at hand, the count and the time, gone when the run is over."""

    def __init__(self, stream: TextIO | None = None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        console = Console(file=stream if stream is not None else sys.stderr)
        self._bar = Bar(
            TextColumn("{task.description}", table_column=None),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[failed]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._task: Any = None
        self._failed = 0

    def started(self, total: int) -> None:
        """Shows the bar."""
        self._bar.start()
        self._task = self._bar.add_task("certifying".ljust(12), total=total, failed="")

    def advanced(self, rule: str, verdict: str, count: int = 1) -> None:
        """Moves it."""
        if verdict == "fail":
            self._failed += count
        if self._task is not None:
            failed = f"{self._failed} failed" if self._failed else ""
            self._bar.update(self._task, advance=count, description=rule.ljust(12), failed=failed)

    def finished(self) -> None:
        """Takes it away."""
        self._bar.stop()


class Shown:
    """A context that always finishes the progress, whatever the run raises."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def __enter__(self) -> Progress:
        return self._progress

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.finished()

    @classmethod
    def on(cls, stream: TextIO | None = None) -> Self:
        """A bar where ``stream`` (standard error) is a terminal, plain lines elsewhere."""
        chosen = stream if stream is not None else sys.stderr
        return cls(BarProgress(chosen) if chosen.isatty() else PlainProgress(chosen))

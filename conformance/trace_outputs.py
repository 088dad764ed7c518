"""Where the trace of a run is written, and in which formats. What a trace is stands in ``harness.record.trace``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import storcert
from storcert.conformance import secrets
from storcert.conformance.options import check_file
from storcert.conformance.usage import InvalidUsage
from storcert.reports.chrome_trace import chrome_trace
from storcert.reports.otlp_trace import otlp_trace
from storcert.reports.sequence_diagram import first_failure_ns, sequence_diagram
from storcert.scenarios.result import Played


@dataclass(frozen=True, slots=True)
class TraceOutputs:
    """Files, by format; ``None`` where one is not wanted. Of one run alone: a trace of several would be none."""

    trace: Path | None = None
    otlp: Path | None = None
    mermaid: Path | None = None

    @property
    def wanted(self) -> bool:
        """Whether anything is to be written."""
        return any(path is not None for _, path in self._named())

    def _named(self) -> list[tuple[str, Path | None]]:
        return [("--trace", self.trace), ("--otlp", self.otlp), ("--mermaid", self.mermaid)]

    def check(self) -> None:
        """Raises :class:`InvalidUsage` for what cannot be written, now rather than after the run."""
        for option, path in self._named():
            if path is not None:
                check_file(option, path)

    def refuse_several(self, runs: int) -> None:
        """Raises :class:`InvalidUsage` where a trace is wanted of anything but one run."""
        if runs != 1:
            for option, path in self._named():
                if path is not None:
                    raise InvalidUsage(f"{option} {path}: these are {runs:,} runs; name one scenario, --seed and one device")

    def also_in(self, folder: Path, name: str) -> TraceOutputs:
        """With all formats; those that nobody named a file for, in that folder."""
        return replace(
            self, trace=self.trace or folder / f"{name}.trace.json", otlp=self.otlp or folder / f"{name}.otlp.jsonl",
            mermaid=self.mermaid or folder / f"{name}.mmd",
        )

    def write(self, played: Played) -> None:
        """Every file that is wanted. Raises :class:`InvalidUsage` for the first that cannot be written."""
        trace = played.trace
        if trace is None:
            return
        broken_ns = [one.time_ns for finding in played.findings for one in finding.broken if one.time_ns]
        failed_ns = first_failure_ns(trace)
        moments_ns = broken_ns if failed_ns is None else [*broken_ns, failed_ns]
        makers: list[tuple[Path | None, Callable[[], Iterable[str]]]] = [
            (self.trace, lambda: chrome_trace(trace)),
            (self.otlp, lambda: otlp_trace(trace, storcert.__version__)),
            (self.mermaid, lambda: [sequence_diagram(trace, min(moments_ns, default=None))]),
        ]
        for path, make in makers:
            if path is None:
                continue
            try:
                with path.open("w", encoding="utf-8") as file:
                    file.writelines(map(secrets.scrubbed, make()))
            except OSError as error:
                raise InvalidUsage(f"{path}: cannot be written: {error.strerror or error}") from None

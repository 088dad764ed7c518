"""Writes the event stream of a run while the run goes, line by line, so that whoever reads it never waits for the end.

What an event is stands in :mod:`storcert.reports.ndjson`. The time of an event is real time, and only here: no record has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from storcert.conformance import secrets
from storcert.conformance.formats import ARTEFACTS
from storcert.conformance.options import Outputs
from storcert.conformance.usage import InvalidUsage
from storcert.harness.record.run_record import CheckFailure, CheckResult, RunRecord
from storcert.harness.record.verdict import Verdict
from storcert.reports import ndjson


class EventStream:
    """A context; with no files it does nothing. Raises :class:`InvalidUsage` for a file that cannot be written."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._files: list[TextIO] = []
        self._told: set[str] = set()
        self._stack = ExitStack()

    @classmethod
    def of(cls, outputs: Outputs) -> tuple[Self, Outputs]:
        """The stream that was asked for, and the outputs that are left to write at the end."""
        paths = [] if outputs.ndjson is None else [outputs.ndjson]
        if outputs.out is not None:
            paths.append(outputs.out / ARTEFACTS["ndjson"])
        return cls(paths), replace(outputs, streamed=True)

    def __enter__(self) -> Self:
        for path in self._paths:
            try:
                self._files.append(self._stack.enter_context(path.open("w", encoding="utf-8")))
            except OSError as error:
                self._stack.close()
                raise InvalidUsage(f"{path}: cannot be written: {error.strerror or error}") from None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    def started(self, record: RunRecord) -> None:
        """``record``: any record of this run; only who and what is read of it."""
        self._write(ndjson.started(record, _now()))

    def case_ended(self, check: CheckResult, failures: Sequence[CheckFailure] = ()) -> None:
        """One check as it will stand in the record."""
        self._told.add(check.id)
        self._write(ndjson.case_ended(check, tuple(failures), _now()))

    def scenario_ended(self, scenario: str, variant: str, seed: int, verdict: Verdict) -> None:
        """One run of one scenario."""
        self._write(ndjson.ScenarioEnded(scenario, variant, seed, verdict, _now()))

    def ended(self, record: RunRecord) -> None:
        """What was not told yet, and the end."""
        for check in record.checks:
            if check.id not in self._told:
                failures = [failure for failure in record.failures if failure.check == check.id]
                self.case_ended(check, failures if check.verdict is Verdict.FAIL else ())
        self._write(ndjson.ended(record, _now()))

    def _write(self, event: ndjson.Event) -> None:
        text = ndjson.line(secrets.scrubbed_value(event)) if self._files else ""
        for path, file in zip(self._paths, self._files, strict=True):
            try:
                file.write(text)
                file.flush()
            except OSError as error:
                raise InvalidUsage(f"{path}: cannot be written: {error.strerror or error}") from None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""Planted bugs of drivers that use threads: rows of ``rows/threads.toml``, edits of correct drivers in ``tests/conformance``;
running the kit against one until the rule that must catch it does."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from storcert.conformance.driver_source import find_driver
from storcert.conformance.facts import Facts
from storcert.conformance.options import CertifyOptions
from storcert.conformance.registry import Case, Level, cases_for
from storcert.conformance.runner import CaseOutcome, run_case
from storcert.conformance.schedule import Job, fence
from storcert.conformance.subject import Subject
from storcert.harness.record.verdict import Verdict

DRIVERS = {"managed_driver": "ManagedTransferDriver", "pooled_driver": "PooledDriver"}
FOLDER = Path(__file__).resolve().parents[1] / "conformance"


@dataclass(frozen=True, slots=True)
class Row:
    """``rule`` must catch it, in words that contain ``says``, in a case whose id begins with ``check``."""

    id: str
    file: str
    check: str
    rule: str
    sentence: str
    edit: tuple[tuple[str, str], ...]
    says: str = ""


@dataclass(frozen=True, slots=True)
class ThreadKill:
    """``case``: the one that caught it, or empty; ``examples``: how many were run until then; ``others``: what else."""

    case: str
    examples: int
    others: tuple[str, ...] = ()


def rows() -> list[Row]:
    """All of them."""
    text = (Path(__file__).parent / "rows" / "threads.toml").read_text(encoding="utf-8")
    return [
        Row(**{**row, "edit": tuple((one["old"], one["new"]) for one in row["edit"])}) for row in tomllib.loads(text)["mutant"]
    ]


@contextmanager
def loaded(file: str, edits: tuple[tuple[str, str], ...], folder: Path, seed: int) -> Iterator[tuple[Subject, Facts]]:
    """The driver of that file, edited, as ``certify`` loads it."""
    text = (FOLDER / f"{file}.py").read_text(encoding="utf-8")
    for old, new in edits:
        assert text.count(old) == 1, f"{file}.py has {text.count(old)} times: {old!r}"
        text = text.replace(old, new)
    (folder / f"edited_{file}.py").write_text(text, encoding="utf-8")
    path = list(sys.path)
    try:
        options = CertifyOptions(find_driver(f"{folder / f'edited_{file}.py'}:{DRIVERS[file]}"), seed=seed)
        job = Job.of(options)
        yield job.subject(), job.calibrate()
    finally:
        sys.path[:] = path
        sys.modules.pop(f"edited_{file}", None)


def run(cases: list[Case], subject: Subject, facts: Facts, seed: int) -> Iterator[CaseOutcome]:
    """What comes of these cases, one after another."""
    with fence("simulated"):
        for case in cases:
            yield run_case(case, subject, facts, seed)


def kill_threaded(row: Row, folder: Path, seed: int = 0) -> ThreadKill:
    """Run cases until one fails for the right reason."""
    examples, others = 0, []
    with loaded(row.file, row.edit, folder, seed) as (subject, facts):
        core = {case.id for case in cases_for(facts, Level.CORE)}
        cases = [case for case in cases_for(facts, Level.STANDARD) if case.id.startswith(row.check)]
        for outcome in run(sorted(cases, key=lambda case: case.id not in core), subject, facts, seed):
            result = outcome.result
            examples += result.examples
            if result.verdict is Verdict.FAIL and result.rule == row.rule and row.says in outcome.message:
                return ThreadKill(result.id, examples, tuple(others))
            if result.verdict not in (Verdict.PASS, Verdict.SKIPPED):
                others.append(f"{result.verdict} {result.rule} {result.id}: {outcome.message}")
    return ThreadKill("", examples, tuple(others))

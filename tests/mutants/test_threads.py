"""Drivers that use threads: planted bugs are caught by the rule they break, and those without them pass whatever the seed."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

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
#: Few cases of a run have objects that are large enough to need threads; these have, each in many worlds.
CASES = ("C-WRITE/", "C-ABORT/", "C-RETRY/", "C-ERRORS/", "C-BUDGET/", "C-READ/", "C-DURABLE/")
MORE = int(os.environ.get("STORCERT_SEEDS", "0"))
SEEDS = range(MORE or 3)


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


def _rows() -> list[Row]:
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


def _run(cases: list[Case], subject: Subject, facts: Facts, seed: int) -> Iterator[CaseOutcome]:
    with fence("simulated"):
        for case in cases:
            yield run_case(case, subject, facts, seed)


@pytest.mark.mutants
@pytest.mark.parametrize("row", _rows(), ids=lambda row: row.id)
def test_is_caught_by_its_rule(row: Row, tmp_path: Path) -> None:
    others = []
    with loaded(row.file, row.edit, tmp_path, 0) as (subject, facts):
        core = {case.id for case in cases_for(facts, Level.CORE)}
        cases = [case for case in cases_for(facts, Level.STANDARD) if case.id.startswith(row.check)]
        for outcome in _run(sorted(cases, key=lambda case: case.id not in core), subject, facts, 0):
            result = outcome.result
            if result.verdict is Verdict.FAIL and result.rule == row.rule and row.says in outcome.message:
                return
            if result.verdict not in (Verdict.PASS, Verdict.SKIPPED):
                others.append(f"{result.verdict} {result.rule} {result.id}: {outcome.message}")
    raise AssertionError(f"{row.id} survives: {row.sentence}\n" + "\n".join(others))


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("file", DRIVERS)
def test_a_correct_driver_passes(file: str, seed: int, tmp_path: Path) -> None:
    with loaded(file, (), tmp_path, seed) as (subject, facts):
        cases = [case for case in cases_for(facts, Level.CORE) if case.id.startswith(CASES)]
        for outcome in _run(cases, subject, facts, seed):
            assert outcome.result.verdict in (Verdict.PASS, Verdict.SKIPPED), (outcome.result.id, outcome.message)

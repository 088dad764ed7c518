"""Drivers that use threads: planted bugs are caught by the rule they break, and those without them pass whatever the seed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from storcert.conformance.registry import Level, cases_for
from storcert.harness.record.verdict import Verdict
from tests.mutants.seeds import mutant_seeds
from tests.mutants.threaded import DRIVERS, Row, kill_threaded, loaded, rows, run

#: Few cases of a run have objects that are large enough to need threads; these have, each in many worlds.
CASES = ("C-WRITE/", "C-ABORT/", "C-RETRY/", "C-ERRORS/", "C-BUDGET/", "C-READ/", "C-DURABLE/")
MORE = int(os.environ.get("STORCERT_SEEDS", "0"))
SEEDS = range(MORE or 3)


@pytest.mark.mutants
@pytest.mark.parametrize("seed", mutant_seeds())
@pytest.mark.parametrize("row", rows(), ids=lambda row: row.id)
def test_is_caught_by_its_rule(row: Row, seed: int, tmp_path: Path) -> None:
    found = kill_threaded(row, tmp_path, seed)
    assert found.case, f"{row.id} survives: {row.sentence}\n" + "\n".join(found.others)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("file", DRIVERS)
def test_a_correct_driver_passes(file: str, seed: int, tmp_path: Path) -> None:
    with loaded(file, (), tmp_path, seed) as (subject, facts):
        cases = [case for case in cases_for(facts, Level.CORE) if case.id.startswith(CASES)]
        for outcome in run(cases, subject, facts, seed):
            assert outcome.result.verdict in (Verdict.PASS, Verdict.SKIPPED), (outcome.result.id, outcome.message)

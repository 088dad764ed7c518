"""A random sample of a verdict is run again: the same where it was true, a refusal of its own where it was not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from storcert.conformance import cli, verify_command
from storcert.conformance.certify import run_certification
from storcert.conformance.options import Profile, certify_options
from storcert.conformance.progress import SilentProgress
from storcert.conformance.rerun import sample
from storcert.conformance.verify_command import VerifyOptions
from storcert.harness.record.codec import encode
from storcert.harness.record.run_record import RunRecord, summarise_rules
from storcert.harness.record.verdict import Verdict
from storcert.harness.record.verification import Answer, Question, Refusal
from tests.conformance.verdict.signing import key_pair


@pytest.fixture(scope="module")
def record() -> RunRecord:
    options = certify_options("fsspec", profile="core", rules=("C-DESCRIBE", "C-ONCE"), seed=3, workers=1)
    return run_certification(options, SilentProgress())


def _asked(folder: Path, record: RunRecord, **options: Any) -> Question:
    private, public = key_pair(folder)
    (folder / "run.json").write_text(encode(record))
    verdict = folder / "v.json"
    assert cli.run(["sign", str(folder / "run.json"), "--key", str(private), "--verdict", str(verdict)]) == 0
    asked = VerifyOptions((public,), profile=Profile.CORE, **options)
    _, found = verify_command.examine(verdict, asked, None, datetime.now(UTC))
    return next(one for one in found.questions if one.name == "rerun")


def test_what_was_true_is_true_again_failures_too(tmp_path: Path, record: RunRecord) -> None:
    decided = record.counts.passed + record.counts.failed
    assert record.counts.failed
    found = _asked(tmp_path, record, rerun=10_000)
    assert (found.answer, found.reason) == (Answer.OK, None), found.message
    assert found.message.startswith(f"{decided} checks of {decided} run again: ")


def test_a_sample_is_another_one_each_time_unless_it_is_asked_for(tmp_path: Path, record: RunRecord) -> None:
    names = [f"C-READ/a[{number}]" for number in range(50)]
    assert len({tuple(sample(names, 5, None)) for _ in range(20)}) > 1
    assert sample(names, 5, 7) == sample(list(reversed(names)), 5, 7)
    assert len({tuple(sample(names, 5, seed)) for seed in range(20)}) > 1
    assert sorted(sample(names, 10_000, None)) == sorted(names)
    assert sample(["C-NOFS/whole-run", "C-WRITE/a[x]:C-NOFS", "C-WRITE/a:C-NOFS", "C-NAMES/odd[a:b]"], 9, None) == [
        "C-NAMES/odd[a:b]"]
    assert _asked(tmp_path, record, rerun=3, sample_seed=5).message.startswith("3 checks of ")


def test_a_verdict_that_was_made_up_is_found_out(tmp_path: Path, record: RunRecord) -> None:
    checks = tuple(
        replace(check, verdict=Verdict.PASS) if check.verdict is Verdict.FAIL else check for check in record.checks)
    rules = summarise_rules(checks, ())
    counts = replace(record.counts, passed=record.counts.passed + record.counts.failed, failed=0)
    made_up = replace(record, checks=checks, rules=rules, counts=counts)
    found = _asked(tmp_path, made_up, rerun=10_000)
    assert (found.answer, found.reason) == (Answer.FAILED, Refusal.RERUN_DIFFERS)
    assert "is fail, the verdict says pass" in found.message


def test_what_cannot_be_run_again_is_refused_and_not_passed_over(tmp_path: Path, record: RunRecord) -> None:
    gone = replace(record, driver=replace(record.driver, reference="not-installed"))
    found = _asked(tmp_path, gone, rerun=1)
    assert (found.answer, found.reason) == (Answer.FAILED, Refusal.RERUN_IMPOSSIBLE)
    assert "no driver 'not-installed' is installed" in found.message
    other = tuple(replace(check, id=f"C-ONCE/odd[{number}]") for number, check in enumerate(record.checks))
    found = _asked(tmp_path, replace(record, checks=other, rules=()), rerun=1)
    assert (found.answer, found.reason) == (Answer.FAILED, Refusal.RERUN_IMPOSSIBLE)
    nothing = replace(record, checks=(), rules=(), counts=type(record.counts)())
    assert _asked(tmp_path, nothing, rerun=1).reason is Refusal.RERUN_IMPOSSIBLE

"""Frozen requirement sets: what is in one, what breaks one, and what a check that came later is worth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import storcert.conformance.requirements  # noqa: F401  (fills the registry)
from storcert.conformance import cli, freeze, frozen
from storcert.conformance.certify import record_of
from storcert.conformance.frozen import RequirementSet, frozen_set, path_of
from storcert.conformance.registry import CHECKS, Case, Check, Level
from storcert.conformance.runner import CaseOutcome
from storcert.conformance.undecided import kit_identity
from storcert.conformance.violation import require
from storcert.harness.contract import CONTRACT_VERSION
from storcert.harness.record.codec import behaviour, decode, encode
from storcert.harness.record.run_record import Environment, RunRecord
from storcert.harness.record.verdict import RunVerdict, Verdict
from storcert.reports import junit, terminal
from tests.conformance.kit import facts_of, options, run_check


def test_no_frozen_check_is_gone_or_says_something_else() -> None:
    found = frozen_set()
    assert found is not None, f"contract {CONTRACT_VERSION} is not frozen: python -m storcert.conformance.freeze"
    broken = found.broken_by(RequirementSet.registered())
    assert broken == [], "a frozen check changes with the version of the contract only: see storcert.conformance.freeze"
    assert found.contract == CONTRACT_VERSION


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Requirement sets of a test's own, none at first."""
    monkeypatch.setattr(frozen, "FOLDER", tmp_path)
    monkeypatch.setattr(freeze, "FOLDER", tmp_path)
    frozen_set.cache_clear()
    yield tmp_path
    monkeypatch.undo()
    frozen_set.cache_clear()


def holds(b: Any) -> None:
    """Holds."""
    b.client().create(b.uri(), 1)


def breaks(b: Any) -> None:
    """Does not hold."""
    b.client().create(b.uri(), 1)
    require(False, "it does not hold")


class TestASet:
    def test_it_goes_through_its_text(self) -> None:
        mine = RequirementSet.registered()
        assert RequirementSet.from_text(mine.to_text()) == mine
        assert len(mine.requirements) == len(CHECKS) > 200

    def test_nobody_edits_it_unseen(self) -> None:
        text = RequirementSet.registered().to_text()
        with pytest.raises(ValueError, match="was changed by hand"):
            RequirementSet.from_text(text.replace('"core"', '"deep"', 1))

    def test_what_breaks_it(self) -> None:
        mine = RequirementSet.registered()
        first, second, *_ = sorted(mine.requirements)
        now = dict(mine.requirements)
        del now[first]
        now[second] = replace(now[second], text="Something else.", needs=("digest",))
        lines = mine.broken_by(RequirementSet(1, now))
        assert lines[0] == f"{first} is gone"
        assert lines[1].startswith(f"{second} was ") and "and is 'Something else.' (core, needs digest)" in lines[1]
        assert mine.broken_by(mine) == []
        assert RequirementSet(1, now).broken_by(mine) != []


@pytest.mark.usefixtures("folder")
class TestFreezing:
    def test_once_and_never_again(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert frozen_set() is None
        before = kit_identity().requirements_digest
        assert freeze.main([]) == 0
        assert path_of(CONTRACT_VERSION).is_file()
        assert kit_identity().requirements_digest == before
        assert freeze.main([]) == 1
        assert "already" in capsys.readouterr().out

    def test_what_came_later_changes_no_digest(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        freeze.main([])
        before = kit_identity().requirements_digest
        made = Check("C-LIST", "later", breaks, Level.CORE, (), (), False)
        monkeypatch.setitem(CHECKS, made.id, made)
        assert kit_identity().requirements_digest == before
        assert not frozen.is_scored("C-LIST/later") and frozen.is_scored("C-READ/after-close")
        assert freeze.main([]) == 4
        assert "C-LIST/later is new: it runs, and is not scored" in capsys.readouterr().err
        assert cli.run(["list", "rules"]) == 0
        told = capsys.readouterr().out
        assert next(line for line in told.splitlines() if ", 1 not scored)" in line).startswith("C-LIST")
        assert cli.run(["explain", "C-LIST/later"]) == 0
        assert "Does not hold. (not scored in this version" in " ".join(capsys.readouterr().out.split())
        assert freeze.main(["--again"]) == 0
        assert frozen.is_scored("C-LIST/later")


@pytest.mark.usefixtures("folder")
class TestScoring:
    def record(self, *functions: Callable[[Any], None]) -> RunRecord:
        """Of a kit in which everything but ``later`` is frozen."""
        made = [outcome_of(function, name) for name, function in zip(("after-close", "later"), functions, strict=False)]
        return record_of(options("s3", "C-READ"), facts_of(), made, Environment(), left_out="not run here")

    def test_a_later_check_is_shown_and_does_not_count(self) -> None:
        open_one = self.record(holds, breaks)
        assert open_one.verdict is RunVerdict.NOT_CONFORMANT
        freeze.main([])
        record = self.record(holds, breaks)
        assert record.verdict is RunVerdict.CONFORMANT
        assert (record.counts.failed, record.failures) == (0, ())
        assert record.counts.total == len(record.checks)
        assert record.not_scored is not None
        (check,) = record.not_scored.checks
        (failure,) = record.not_scored.failures
        assert (check.id, check.verdict, check.scored) == ("C-READ/later", Verdict.FAIL, False)
        assert failure.token and failure.steps
        assert decode(encode(record)) == record
        assert '"scored": false' in encode(record) and "token" not in str(behaviour(record)["not_scored"])
        told = terminal.render(record)
        assert "Not scored: 1 check that came after contract 1 was frozen, 1 fails" in told
        assert "C-READ/later  it does not hold" in told
        assert "C-READ/later" not in junit.render(record)

    def test_it_makes_nothing_better_either(self) -> None:
        freeze.main([])
        record = self.record(breaks, holds)
        assert (record.verdict, record.counts.failed) == (RunVerdict.NOT_CONFORMANT, 1)
        only_later = record_of(options("s3", "C-READ"), facts_of(), [outcome_of(holds, "later")], Environment())
        assert only_later.verdict is RunVerdict.UNDECIDED
        assert only_later.counts.decided == 0

    def test_its_events_are_in_the_digest(self) -> None:
        freeze.main([])
        assert self.record(holds, holds).digest != self.record(holds, breaks).digest


def outcome_of(function: Callable[[Any], None], name: str) -> CaseOutcome:
    outcome = run_check(function)
    case = Case(Check("C-READ", name, function, Level.CORE, (), (), False), "")
    return replace(outcome, result=replace(outcome.result, id=case.id))

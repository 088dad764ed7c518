"""Who runs a case must not matter; an end that comes early loses nothing and hides nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from storcert.conformance import schedule
from storcert.conformance.certify import run_certification
from storcert.conformance.confirm import decide
from storcert.conformance.progress import SilentProgress
from storcert.conformance.registry import Level, cases_for
from storcert.conformance.runner import CaseOutcome
from storcert.conformance.schedule import Job, run_cases
from storcert.harness.record.codec import behaviour
from storcert.harness.record.run_record import RunRecord
from storcert.harness.record.verdict import RunVerdict, Verdict
from tests.conformance.kit import S3, facts_of, options

ASKED = options(S3, "C-WRITE", seed=3)
CASES = [case for case in cases_for(facts_of(), Level.CORE) if case.check.rule == "C-WRITE"]


class Watching(SilentProgress):
    """Counts, and may do something after a number of cases."""

    def __init__(self, after: int = -1, act: Any = None) -> None:
        self.after, self.act = after, act
        self.total = self.seen = 0

    def started(self, total: int) -> None:
        self.total = total

    def advanced(self, rule: str, verdict: str, count: int = 1) -> None:
        self.seen += count
        if self.seen == self.after:
            self.act()


def interrupt() -> None:
    raise KeyboardInterrupt


def run(watching: Watching, workers: int = 1, budget_s: float | None = None) -> tuple[list[CaseOutcome], bool]:
    return run_cases(Job.of(ASKED), facts_of(), CASES, workers, budget_s, watching)


def record_of(workers: int) -> RunRecord:
    return run_certification(replace(ASKED, workers=workers), SilentProgress())


def test_one_worker_and_two_give_the_same_record() -> None:
    one, two = record_of(1), record_of(2)
    assert one.digest == two.digest
    assert behaviour(one) == behaviour(two)
    assert (one.environment.workers, two.environment.workers) == (1, 2)


def test_outcomes_come_in_the_order_of_the_cases_and_each_is_told() -> None:
    watching = Watching()
    outcomes, interrupted = run(watching)
    assert [outcome.result.id for outcome in outcomes] == [case.id for case in CASES]
    assert (watching.seen, interrupted) == (len(CASES), False)
    assert {outcome.result.verdict for outcome in outcomes} == {Verdict.PASS}


class TestInterrupt:
    @pytest.mark.parametrize("workers", [1, 2])
    def test_what_was_decided_stays(self, workers: int) -> None:
        outcomes, interrupted = run(Watching(5, interrupt), workers)
        assert interrupted
        assert [outcome.result.id for outcome in outcomes] == [case.id for case in CASES]
        verdicts = [outcome.result.verdict for outcome in outcomes]
        assert verdicts.count(Verdict.PASS) == 5
        assert verdicts.count(Verdict.UNKNOWN) == len(CASES) - 5
        reasons = {outcome.result.reason for outcome in outcomes if outcome.result.verdict is Verdict.UNKNOWN}
        assert reasons == {"interrupted before it ran"}

    def test_the_record_says_so_and_the_exit_code_is_2(self) -> None:
        record = run_certification(ASKED, Watching(5, interrupt))
        assert (record.interrupted, record.verdict, record.exit_code()) == (True, RunVerdict.UNDECIDED, 2)
        assert record.counts.passed >= 5
        assert record.reason == "interrupted; what was decided until then is here"

    def test_a_case_that_is_interrupted_itself(self, monkeypatch: pytest.MonkeyPatch) -> None:
        seen: list[str] = []

        def third_time(case: Any, *arguments: Any, **more: Any) -> CaseOutcome:
            seen.append(case.id)
            if len(seen) == 3:
                raise KeyboardInterrupt
            return decide(case, *arguments, **more)

        monkeypatch.setattr(schedule, "decide", third_time)
        outcomes, interrupted = run(Watching())
        assert interrupted
        assert sum(outcome.result.verdict is Verdict.PASS for outcome in outcomes) == 2


class TestBudget:
    @pytest.fixture
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> list[float]:
        now = [100.0]
        monkeypatch.setattr("storcert.conformance.schedule.time.monotonic", lambda: now[0])
        return now

    def test_what_did_not_run_is_unknown_and_generated_cases_are_disabled(self, clock: list[float]) -> None:
        watching = Watching(5, lambda: clock.__setitem__(0, 111.0))
        outcomes, interrupted = run(watching, budget_s=10)
        assert not interrupted
        assert watching.seen == 5
        late = [outcome.result for outcome in outcomes if outcome.result.verdict is not Verdict.PASS]
        assert len(late) == len(CASES) - 5
        assert {result.reason for result in late} == {"the budget of 10 s was over"}
        for result in late:
            generated = "programs-hold" in result.id
            assert result.verdict is (Verdict.DISABLED if generated else Verdict.UNKNOWN)

    def test_directed_cases_come_first(self, clock: list[float]) -> None:
        directed = sum(case.check.name != "programs-hold" for case in CASES)
        watching = Watching(directed, lambda: clock.__setitem__(0, 111.0))
        outcomes, _ = run(watching, budget_s=10)
        assert {outcome.result.verdict for outcome in outcomes if "programs-hold" not in outcome.result.id} == {Verdict.PASS}

    def test_enough_of_it_changes_nothing(self, clock: list[float]) -> None:
        outcomes, _ = run(Watching(), budget_s=10)
        assert {outcome.result.verdict for outcome in outcomes} == {Verdict.PASS}


def test_batches_lose_no_case_and_end_one_by_one() -> None:
    identities = [str(number) for number in range(1105)]
    batches = schedule.batches_of(identities, 2)
    assert [one for batch in batches for one in batch] == identities
    assert len(batches[0]) == schedule.BATCH
    assert {len(batch) for batch in batches[-16:]} == {1}
    assert schedule.batches_of([], 2) == []


def test_a_worker_is_two_processes_where_drivers_wait_in_real_time() -> None:
    devices = ("object-store", "live", "live:directory", "live:radosgw", "live:moto")
    assert [schedule.processes_for(2, one) for one in devices] == [2, 2, 2, 4, 4]
    assert schedule.processes_for(1, "live:radosgw") == 1

"""Every crash point, counted by crashing until nothing is struck; what breaks and what else was tried; the record's cells."""

from __future__ import annotations

from typing import Any

from storcert.conformance.coverage import Tried, merged, step_of
from storcert.conformance.operations import DELETES, REPETITION
from storcert.conformance.trials import try_each
from storcert.harness.contract import DeviceUnavailable, PermissionDenied
from storcert.harness.drivers.s3 import S3Driver
from storcert.harness.drivers.s3_bucket import Effort
from storcert.harness.record.coverage import CellOutcome
from storcert.harness.record.fault import Fault, Phase
from storcert.harness.record.verdict import Verdict
from tests.conformance.drivers import MemoryDriver
from tests.conformance.kit import S3, Hopeful, bench_of, certify, facts_of, run_id

LOST, THROTTLED = Fault("request_lost", "PutObject", 1, Phase.BEFORE, 0), Fault("throttle", "HeadObject", 1, Phase.BEFORE)


class Restless(S3Driver):
    """Looks once more each time that it is asked."""

    asked = 0

    def describe(self, uri: Any) -> Any:
        type(self).asked += 1
        if type(self).asked > 1:
            super().describe(uri)
        return super().describe(uri)


class Leaving(S3Driver):
    """Deletes the object and nothing that lies beside it."""

    def delete(self, uri: Any) -> None:
        if self._bucket.head(Effort(), self._bucket.key(uri)) is not None:
            super().delete(uri)


class Endless(S3Driver):
    """Never gives up."""

    def create(self, uri: Any, size: int) -> None:
        while True:
            try:
                return super().create(uri, size)
            except DeviceUnavailable:
                pass


def test_each_request_of_an_operation_is_a_crash_point_twice_and_there_is_no_other() -> None:
    found = run_id("C-RETRY/crash-at-every-step[write-small]").coverage
    assert found is not None
    (told,) = found.operations
    assert told.requests == ("HeadObject", "PutObject", "ListMultipartUploads")
    assert (told.crash_points, told.crashes, told.later_requests, told.complete) == (6, 6, 0, True)


def test_a_driver_that_makes_more_requests_than_in_its_healthy_run_is_followed_to_the_end() -> None:
    facts_of(Restless)
    Restless.asked = 0
    outcome = run_id("C-RETRY/crash-at-every-step[describe]", Restless)
    found = outcome.coverage
    assert outcome.result.verdict is Verdict.PASS and found is not None
    (told,) = found.operations
    assert told.requests == ("HeadObject",) and told.complete
    assert told.later_requests == 2, "before and after the effect of the request that the healthy run did not have"
    assert [cell.step for cell in found.cells] == [1, 1, 2, 2]


def test_what_else_breaks_is_told_and_the_first_is_shown() -> None:
    outcome = run_id("C-RETRY/one-fault[create-small request_lost]", Hopeful)
    found = outcome.coverage
    assert outcome.result.verdict is Verdict.FAIL and found is not None
    ends = {cell.request: cell.outcome for cell in found.cells}
    assert ends["HeadObject"] is CellOutcome.FAILED and ends["ListMultipartUploads"] is CellOutcome.SURVIVED
    assert all(cell.trials == cell.points == cell.reached for cell in found.cells)
    assert f"fault: {outcome.example}" in outcome.result.steps and "HeadObject" in outcome.example


def test_where_a_call_does_not_end_the_rest_is_not_tried() -> None:
    outcome = run_id("C-RETRY/one-fault[create-small throttle]", Endless)
    assert (outcome.result.verdict, outcome.result.rule) == (Verdict.FAIL, "C-BUDGET")
    found = outcome.coverage
    assert found is not None
    assert {cell.outcome for cell in found.cells} == {CellOutcome.FAILED, CellOutcome.NOT_TRIED}


def test_a_fault_that_never_struck_is_not_one_that_was_survived() -> None:
    tried = Tried("describe", ("HeadObject",))
    with bench_of() as b:
        try_each(b, "describe", [(LOST,), (THROTTLED,), (THROTTLED, LOST)], tried)
    found = tried.told()
    assert [(cell.fault, cell.outcome) for cell in found.cells] == [
        ("throttle", CellOutcome.SURVIVED), ("request_lost", CellOutcome.NOT_REACHED),
    ]  # fmt: skip
    (pair,) = found.pairs
    assert (pair.first, pair.second, pair.trials, pair.reached, pair.failed) == ("throttle", "request_lost", 1, 0, 0)


def test_the_step_is_the_place_among_the_requests_of_the_operation() -> None:
    requests = ("Head", "Put", "Head")
    assert [step_of(requests, Fault("f", "Head", nth)) for nth in (1, 2, 3)] == [1, 3, 4]
    assert step_of(requests, Fault("f", "*", 7)) == 7 and step_of(requests, Fault("f", "Get", 1)) == 4


def test_the_record_has_what_was_tried_and_only_where_something_was() -> None:
    told = certify(S3, "C-RETRY").coverage
    assert told is not None and all(one.complete for one in told.operations)
    assert {cell.outcome for cell in told.cells} == {CellOutcome.SURVIVED}
    assert certify(S3, "C-CREATE").coverage is None
    assert run_id("C-RETRY/one-fault[create-small throttle]", MemoryDriver).coverage is None


def test_what_cases_tried_is_put_together() -> None:
    one, other = Tried("read", ("GetObject",)), Tried("read", ("GetObject",), crashing=True)
    one.plan([(THROTTLED,)])
    other.plan([(LOST,)])
    both = merged([one.told(), other.told(), one.told()])
    assert both is not None and len(both.cells) == 3
    assert [told.crash_points for told in both.operations] == [2]
    assert merged([]) is None


def test_a_replay_tries_the_one_example() -> None:
    outcome = run_id("C-RETRY/crash-at-every-step[write-small]", wanted="crash after PutObject #1 from host-1")
    assert outcome.result.examples == 1 and outcome.result.verdict is Verdict.PASS


class Forgetful(S3Driver):
    """Gives up an upload without looking whether it could be removed."""

    def create(self, uri: Any, size: int) -> None:
        try:
            super().create(uri, size)
        except PermissionDenied as error:
            raise PermissionDenied(error.message, uri, "not_done") from error


def test_pairs_strike_what_the_driver_does_about_the_first_fault() -> None:
    outcome = run_id("C-RETRY/fault-then-crash[write-small answer_lost]")
    found = outcome.coverage
    assert outcome.result.verdict is Verdict.PASS and found is not None
    (pair,) = found.pairs
    assert (pair.first, pair.second, pair.drawn) == ("answer_lost", "crash", False)
    assert pair.trials == pair.reached == pair.survived == outcome.result.examples > 10


def test_a_failure_says_which_of_two_faults_it_needs_and_what_it_does_not() -> None:
    outcome = run_id("C-RETRY/fault-in-the-clean-up[create-parts expired_credentials]", Forgetful)
    assert outcome.result.verdict is Verdict.FAIL and "left behind upload" in outcome.message
    assert outcome.proof is not None
    first, second = outcome.example.split(", then ")
    assert outcome.proof.necessary == (first, second)
    assert outcome.proof.unneeded == (REPETITION, DELETES)
    assert f"fault: {second}" in outcome.result.steps, "what is shown is the failure itself, not a run of the proof"
    again = run_id("C-RETRY/fault-in-the-clean-up[create-parts expired_credentials]", Forgetful, wanted=outcome.example)
    assert (again.message, again.example_digest, again.proof) == (outcome.message, outcome.example_digest, outcome.proof)


def test_what_the_deletes_alone_bring_to_light_needs_them() -> None:
    outcome = run_id("C-RETRY/one-fault[create-small request_lost]", Hopeful)
    assert outcome.proof is not None and outcome.proof.necessary == (outcome.example,)
    leaving = run_id("C-RETRY/crash-at-every-step[abort-parts]", Leaving)
    assert leaving.result.verdict is Verdict.FAIL and leaving.proof is not None
    assert DELETES in leaving.proof.necessary and REPETITION in leaving.proof.unneeded


def test_two_faults_are_drawn_by_the_seed() -> None:
    one, same, other = (run_id("C-RETRY/two-faults[write-small 8]", seed=seed) for seed in (1, 1, 2))
    assert one.coverage == same.coverage != other.coverage
    assert one.coverage is not None and all(pair.drawn for pair in one.coverage.pairs)
    assert sum(pair.trials for pair in one.coverage.pairs) == 8


def test_a_second_location_dies_in_the_repetition_and_a_third_one_ends_it() -> None:
    outcome = run_id("C-RETRY/crash-in-the-repetition[write-small 6]")
    assert outcome.result.verdict is Verdict.PASS and outcome.coverage is not None
    (pair,) = outcome.coverage.pairs
    assert (pair.first, pair.second, pair.trials, pair.reached) == ("crash", "crash", 6, 6)

"""What is judged after a fault: a true answer, no state in between, convergence, nothing left; and the faults themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from storcert.conformance.bench import HOST, SSVM, Bench
from storcert.conformance.content import content
from storcert.conformance.fault_space import crash_points, single_faults
from storcert.conformance.operations import (
    LARGE,
    MORE,
    SMALL,
    TARGET,
    healthy_requests,
    judge,
    names,
    prepare,
    scenario,
)
from storcert.conformance.violation import Violation
from storcert.harness.contract import Capabilities, DeviceUnavailable, ObjectExists, ObjectNotFound, StorageError
from storcert.harness.drivers.s3 import S3Driver
from storcert.harness.record.fault import Fault, Phase
from storcert.harness.record.verdict import Verdict
from storcert.simulators.device import FaultKind
from tests.conformance.drivers import MemoryDriver
from tests.conformance.kit import Hopeful, bench_of, facts_of, run_id

DATA = content("scenario", 4097)
UNKNOWN, NOT_DONE = DeviceUnavailable("lost"), DeviceUnavailable("lost", None, "not_done")


def nothing(b: Bench) -> None:
    """Nothing happens on the device."""


def done(b: Bench) -> None:
    b.client(SSVM).write(b.uri(TARGET), DATA)


def half(b: Bench) -> None:
    b.client(SSVM).write(b.uri(TARGET), DATA[:2000])


def gone(b: Bench) -> None:
    b.client(SSVM).delete(b.uri(TARGET))


def upload(b: Bench) -> None:
    bucket = b.client(SSVM).driver.target._bucket
    key = bucket.key(b.uri("other"))
    b.client(SSVM).do("leave an upload", lambda: bucket._client.create_multipart_upload(Bucket=bucket.name, Key=key))


def without_uploads(b: Bench) -> None:
    bucket = b.client(SSVM).driver.target._bucket

    def take_away() -> None:
        for one in bucket._client.list_multipart_uploads(Bucket=bucket.name)["Uploads"]:
            bucket._client.abort_multipart_upload(Bucket=bucket.name, Key=one["Key"], UploadId=one["UploadId"])

    b.client(SSVM).do("take uploads away", take_away)


def judged(name: str, happens: Callable[[Bench], None], says: StorageError | Any, driver: type = S3Driver) -> None:
    """The operation says ``says`` when ``happens`` is what really came of it."""

    def answer() -> Any:
        if isinstance(says, StorageError):
            raise says
        return says

    with bench_of(driver, facts=facts_of()) as b:
        one = scenario(b.facts, name)
        prepare(b, one)
        before = b.census()
        happens(b)
        judge(b, one, b.attempt(lambda: b.client(HOST).later.do("the call", answer)), before)


class TestJudge:
    @pytest.mark.parametrize(
        ("name", "happens", "says"),
        [
            ("write-small", done, None), ("write-small", done, UNKNOWN), ("write-small", nothing, UNKNOWN),
            ("write-small", nothing, NOT_DONE), ("delete-small", gone, None), ("delete-small", nothing, NOT_DONE),
            ("delete-small", gone, UNKNOWN), ("read", nothing, DATA), ("read", nothing, NOT_DONE),
            ("write-taken", nothing, ObjectExists("taken")), ("abort-small", nothing, None), ("abort-small", nothing, UNKNOWN),
            ("delete-absent", nothing, None), ("create-again", nothing, None), ("copy-small", nothing, NOT_DONE),
        ],
    )  # fmt: skip
    def test_true_answers(self, name: str, happens: Callable[[Bench], None], says: Any) -> None:
        judged(name, happens, says)

    @pytest.mark.parametrize(("name", "whose"), [("beaten-small", "its own"), ("write-taken", "another's")])
    def test_a_refused_commit_takes_away_what_its_own_stream_had_sent_and_nothing_else(self, name: str, whose: str) -> None:
        def refused() -> None:
            raise ObjectExists("taken")

        with bench_of(S3Driver, facts=facts_of()) as b:
            one = scenario(b.facts, name)
            prepare(b, one)
            upload(b)
            before = b.census()
            without_uploads(b)
            attempt = b.attempt(lambda: b.client(HOST).later.do("the call", refused))
            if whose == "its own":
                judge(b, one, attempt, before)
            else:
                with pytest.raises(Violation, match="and lost upload"):
                    judge(b, one, attempt, before)

    @pytest.mark.parametrize(
        ("name", "happens", "says", "rule", "words"),
        [
            ("write-small", nothing, None, "C-COMMIT", "reported success and it is not done"),
            ("delete-small", nothing, None, "C-DELETE", "reported success and it is not done"),
            ("write-small", done, NOT_DONE, "C-ERRORS", "(not_done), and it is done"),
            ("delete-small", gone, NOT_DONE, "C-ERRORS", "(not_done), and it is done"),
            ("write-small", half, UNKNOWN, "C-COMMIT", "only 2000 bytes instead of 4097"),
            ("write-small", half, None, "C-COMMIT", "only 2000 bytes instead of 4097"),
            ("read", gone, NOT_DONE, "C-READ", "/volume/1/target is gone"),
            ("delete-absent", half, UNKNOWN, "C-DELETE", "/volume/1/target is there"),
            ("write-small", nothing, ObjectExists("taken"), "C-ERRORS", "which is not true: taken"),
            ("read", nothing, ObjectNotFound("none"), "C-ERRORS", "which is not true: none"),
            ("write-taken", nothing, None, "C-ONCE", "succeeded; ObjectExists was due"),
            ("read", nothing, DATA[:-1], "C-READ", "read under a fault: only 4096 bytes instead of 4097"),
            ("list", nothing, [], "C-LIST", "list under a fault gave 0 names"),
            ("write-small", upload, UNKNOWN, "C-RETRY", "left behind on the device: upload"),
            ("write-small", upload, NOT_DONE, "C-RETRY", "left behind upload"),
            ("delete-absent", upload, NOT_DONE, "C-RETRY", "left behind upload"),
        ],
    )
    def test_untrue_ones(self, name: str, happens: Callable[[Bench], None], says: Any, rule: str, words: str) -> None:
        with pytest.raises(Violation) as raised:
            judged(name, happens, says)
        assert words in raised.value.message
        assert raised.value.rule == rule

    def test_repeating_must_converge(self) -> None:
        class Confused(S3Driver):
            def open_output(self, uri: Any, size: Any = None) -> Any:
                raise DeviceUnavailable("a lock of an earlier try is in the way", uri, "not_done")

        with pytest.raises(Violation, match="repeated from another location after it was not done") as raised:
            judged("write-small", nothing, UNKNOWN, Confused)
        assert raised.value.rule == "C-RETRY"


class TestScenarios:
    @pytest.mark.parametrize("name", names(facts_of(), (*SMALL, *MORE, *LARGE)))
    def test_each_is_as_it_says_on_a_healthy_device(self, name: str) -> None:
        with bench_of() as b:
            one = scenario(b.facts, name)
            assert healthy_requests(b, one) or one.discards
            prepared = {key: value for key, value in one.before.items() if value is not None}
            b.fresh(**b.options_for(one.page_size))
            prepare(b, one)
            before = b.census()
            attempt = b.attempt(lambda: one.call(b, b.client(HOST).later))
            assert attempt.error_name == one.refusal
            judge(b, one, attempt, before)
            assert set(prepared) <= set(one.names)

    def test_what_is_not_declared_is_left_out(self) -> None:
        from dataclasses import replace

        bare = replace(facts_of(), capabilities=Capabilities())
        assert "copy-small" in names(facts_of(), SMALL) and "list" in names(facts_of(), SMALL)
        assert not [name for name in names(bare, (*SMALL, *MORE, *LARGE)) if name.startswith(("copy", "list", "read-range"))]
        with pytest.raises(ValueError, match="no scenario is called 'fly'"):
            scenario(facts_of(), "fly")

    def test_an_operation_that_fails_without_any_fault_breaks_its_own_rule(self) -> None:
        class Down(S3Driver):
            def describe(self, uri: Any) -> Any:
                raise DeviceUnavailable("down", uri, "not_done")

        with bench_of(Down, facts=facts_of()) as b, pytest.raises(Violation, match="on a healthy device") as raised:
            healthy_requests(b, scenario(b.facts, "describe"))
        assert raised.value.rule == "C-DESCRIBE"


def test_a_lie_is_found_by_the_check_and_told_with_its_fault() -> None:
    outcome = run_id("C-RETRY/one-fault[create-small request_lost]", Hopeful)
    assert (outcome.result.verdict, outcome.result.rule) == (Verdict.FAIL, "C-CREATE")
    assert "reported success and it is not done" in outcome.message
    assert outcome.example.startswith("request_lost ")
    assert f"fault: {outcome.example}" in outcome.result.steps
    again = run_id("C-RETRY/one-fault[create-small request_lost]", Hopeful, wanted=outcome.example)
    assert (again.message, again.example_digest) == (outcome.message, outcome.example_digest)


def test_a_driver_in_this_process_shows_no_fault() -> None:
    outcome = run_id("C-RETRY/one-fault[create-small throttle]", MemoryDriver)
    assert outcome.result.verdict is Verdict.SKIPPED


class TestFaultSpace:
    REQUESTS = ("Head", "Put", "Head")

    @staticmethod
    def _kind(operations: tuple[str, ...] = ("*",), unit: str = "", phases: tuple[Phase, ...] = (Phase.BEFORE,)) -> FaultKind:
        return FaultKind("f", phases, operations, unit, "", "")

    def test_every_request_once_and_for_ever(self) -> None:
        found = list(single_faults(self.REQUESTS, self._kind()))
        assert [(fault.operation, fault.nth, fault.count) for fault in found] == [
            ("Head", 1, 1), ("Head", 1, 0), ("Put", 1, 1), ("Put", 1, 0), ("Head", 2, 1), ("Head", 2, 0),
        ]  # fmt: skip

    def test_only_where_it_can_strike_in_every_phase_with_every_amount(self) -> None:
        kind = self._kind(("Put",), "bytes", (Phase.DURING, Phase.AFTER))
        found = list(single_faults(self.REQUESTS, kind, counts=(1,)))
        assert {fault.operation for fault in found} == {"Put"}
        assert {(fault.phase, fault.value) for fault in found} == {
            (phase, value) for phase in (Phase.DURING, Phase.AFTER) for value in (0, 1000)
        }
        assert all(fault.value >= 10**9 for fault in single_faults(("Put",), self._kind(unit="ns")))

    def test_crash_points_are_before_and_after_each_request_of_one_location(self) -> None:
        found = list(crash_points(self.REQUESTS, HOST))
        assert len(found) == 2 * len(self.REQUESTS)
        assert found[-1] == Fault("crash", "Head", 2, Phase.AFTER, location=HOST)
        assert len(set(found)) == len(found)

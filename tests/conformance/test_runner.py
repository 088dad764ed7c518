"""How a case ends, and nothing else, decides its verdict; trouble of the kit is never the driver's failure."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from storcert.conformance.bench import LocationDied
from storcert.conformance.runner import source_of
from storcert.conformance.violation import NotApplicable, Undecided, Violation, require
from storcert.conformance.world import KitTrouble
from storcert.harness.contract import DataObjectUri, DeviceUnavailable, ObjectNotFound
from storcert.harness.drivers.s3 import S3Driver
from storcert.harness.record.run_record import SourceLine
from storcert.harness.record.verdict import Verdict
from storcert.simulators.device import NotModelled
from tests.conformance.drivers import MemoryDriver
from tests.conformance.kit import driver_file, facts_of, run_check, run_id, subject


def raising(error: BaseException) -> Any:
    def body(b: Any) -> None:
        b.client().list()
        raise error

    return body


class TestVerdicts:
    def test_a_check_that_returns_passed(self) -> None:
        outcome = run_check(lambda b: b.client().list())
        assert (outcome.result.verdict, outcome.result.reason, outcome.result.steps) == (Verdict.PASS, "", ())
        assert (outcome.message, outcome.example, outcome.program, outcome.source) == ("", "", None, None)
        assert outcome.digest.startswith("sha256:") and outcome.example_digest.startswith("sha256:")

    @pytest.mark.parametrize(
        ("error", "verdict", "message"),
        [
            (Violation("wrong"), Verdict.FAIL, "wrong"),
            (NotApplicable("not declared"), Verdict.SKIPPED, "not declared"),
            (Undecided("beyond"), Verdict.UNKNOWN, "beyond"),
            (KitTrouble("ListParts"), Verdict.ERROR, "KitTrouble: ListParts"),
            (NotModelled("ListParts"), Verdict.ERROR, "NotModelled: ListParts"),
            (LocationDied("read"), Verdict.ERROR, "the kit lost a location: read"),
            (KeyError("x"), Verdict.ERROR, "KeyError: 'x'"),
            (AssertionError("x"), Verdict.ERROR, "AssertionError: x"),
            (RecursionError("x"), Verdict.ERROR, "RecursionError: x"),
        ],
    )
    def test_each_way_to_end(self, error: Exception, verdict: Verdict, message: str) -> None:
        outcome = run_check(raising(error))
        assert (outcome.result.verdict, outcome.result.reason, outcome.message) == (verdict, message, message)
        assert outcome.result.rule == "C-READ"
        assert bool(outcome.result.steps) is (verdict is not Verdict.SKIPPED)

    def test_an_error_of_the_kit_keeps_its_traceback(self) -> None:
        outcome = run_check(raising(KeyError("x")))
        assert "Traceback" in outcome.trace and 'raise error' in outcome.trace
        assert run_check(raising(Violation("wrong"))).trace == ""

    def test_an_interrupt_goes_through(self) -> None:
        with pytest.raises(KeyboardInterrupt):
            run_check(raising(KeyboardInterrupt()))

    def test_a_typed_error_where_success_was_due_is_a_failure(self) -> None:
        outcome = run_check(lambda b: b.client().describe(b.uri("gone")))
        assert outcome.result.verdict is Verdict.FAIL
        step = "host-1: describe /volume/1/gone -> ObjectNotFound (not_done)"
        assert outcome.message == f"{step}, where success was due: no such object"

    def test_another_rule_may_be_the_broken_one(self) -> None:
        outcome = run_check(lambda b: require(False, "late", "C-BUDGET"))
        assert (outcome.result.rule, outcome.result.id) == ("C-BUDGET", "C-READ/by-hand")

    def test_what_does_not_apply_runs_nothing(self) -> None:
        outcome = run_check(raising(KeyError("never")), MemoryDriver, simulation=True)
        assert (outcome.result.verdict, outcome.digest) == (Verdict.SKIPPED, "")
        assert outcome.result.reason == "the driver makes no request to the simulated device"

    def test_trouble_while_the_world_is_closed_is_the_kits(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def close(self: Any) -> str:
            raise ValueError("heap")

        monkeypatch.setattr("storcert.conformance.world.World.close", close)
        outcome = run_check(lambda b: b.client())
        assert (outcome.result.verdict, outcome.message) == (Verdict.ERROR, "ValueError: heap")


class Asks(S3Driver):
    """``describe`` does whatever ``does`` is."""

    does: Any = None

    def describe(self, uri: DataObjectUri) -> Any:
        type(self).does(self)
        return super().describe(uri)


def asks(function: Any) -> type[Asks]:
    return type("Asks", (Asks,), {"does": staticmethod(function)})


def describing(function: Any) -> Any:
    """One ``describe`` of a driver that does something odd then; what is odd is not what facts are learned from."""
    return run_check(lambda b: b.client().describe(b.uri()), asks(function), "C-DESCRIBE", facts=facts_of())


def fail(error: BaseException) -> Any:
    def body(driver: Any) -> None:
        raise error

    return body


class TestWhatComesOutOfADriver:
    @pytest.mark.parametrize("error", [KeyError("Body"), OSError(5, "gone"), AssertionError("x"), StopIteration()])
    def test_a_foreign_error_breaks_c_errors(self, error: Exception) -> None:
        outcome = describing(fail(error))
        assert (outcome.result.verdict, outcome.result.rule) == (Verdict.FAIL, "C-ERRORS")
        assert f"describe /volume/1/a let a foreign error out: {type(error).__name__}" in outcome.message

    @pytest.mark.parametrize("error", [SystemExit(0), SystemExit("bye"), type("Odd", (BaseException,), {})()])
    def test_leaving_the_program_is_a_foreign_error_and_ends_nothing(self, error: BaseException) -> None:
        outcome = describing(fail(error))
        assert (outcome.result.verdict, outcome.result.rule) == (Verdict.FAIL, "C-ERRORS")
        assert f"let a foreign error out: {type(error).__name__}" in outcome.message

    def test_an_interrupt_in_driver_code_is_the_persons(self) -> None:
        with pytest.raises(KeyboardInterrupt):
            describing(fail(KeyboardInterrupt()))

    def test_what_is_not_modelled_is_an_error_of_the_kit(self) -> None:
        outcome = describing(lambda driver: driver._bucket._client.get_bucket_acl(Bucket="storcert"))
        assert outcome.result.verdict is Verdict.ERROR
        assert "get_bucket_acl" in outcome.message

    def test_not_even_when_the_driver_makes_a_typed_error_of_it(self) -> None:
        def swallow(driver: Any) -> None:
            try:
                driver._bucket._client.get_bucket_acl(Bucket="storcert")
            except Exception as error:
                raise DeviceUnavailable("no", None, "not_done") from error

        assert describing(swallow).result.verdict is Verdict.ERROR

    def test_sockets_are_undecided(self) -> None:
        outcome = describing(lambda driver: socket.socket())
        assert outcome.result.verdict is Verdict.UNKNOWN
        assert "not simulated" in outcome.message

    def test_not_even_when_the_driver_swallows_the_refusal(self) -> None:
        def swallow(driver: Any) -> None:
            try:
                socket.socket()
            except RuntimeError:
                pass

        assert describing(swallow).result.verdict is Verdict.UNKNOWN

    def test_a_scratch_file_that_cannot_be_made_breaks_c_nofs_and_not_its_shadow(self) -> None:
        outcome = describing(lambda driver: Path("/var/tmp/scratch").write_bytes(b"x"))
        assert (outcome.result.verdict, outcome.result.rule) == (Verdict.FAIL, "C-NOFS")
        assert [finding.kind for finding in outcome.findings] == ["file-system"]


class TestWhatIsRecorded:
    def test_same_seed_same_digest_other_seed_another(self) -> None:
        one, two, three = (run_id("C-WRITE/in-pieces[odd]", seed=seed) for seed in (1, 1, 2))
        assert one.digest == two.digest != three.digest
        assert one.example_digest == two.example_digest

    def test_examples_are_counted_and_the_failing_one_is_named(self) -> None:
        def body(b: Any) -> None:
            for size in b.examples((1, 2, 3)):
                b.client().write(b.uri(), bytes(size))
                require(size < 2, "too large")

        outcome = run_check(body)
        assert (outcome.example, outcome.result.examples) == ("2", 2)
        assert outcome.result.steps == ("host-1: write /volume/1/a 2 bytes -> ok",)
        again = run_check(body, wanted="2", keep_journal=True)
        assert (again.result.examples, again.example_digest) == (1, outcome.example_digest)
        assert len(again.journal) > 0
        assert run_check(body, wanted="1").result.verdict is Verdict.PASS

    def test_steps_are_cut_where_they_would_fill_the_record(self) -> None:
        def body(b: Any) -> None:
            for _ in range(70):
                b.client().list()
            require(False, "wrong")

        assert len(run_check(body).result.steps) == 60

    def test_the_line_of_the_driver_that_did_it(self, tmp_path: Path) -> None:
        from storcert.conformance.driver_source import find_driver

        reference = driver_file(tmp_path, "def describe(self, uri):\n    raise KeyError(uri)", "blamed")
        driver = find_driver(reference).load()
        outcome = run_check(lambda b: b.client().describe(b.uri()), driver)
        assert outcome.source == SourceLine("blamed.py", 8)
        assert source_of(None, subject(driver)) is None
        assert source_of(ObjectNotFound("x"), subject(driver)) is None

"""A failure is seen twice before it is the driver's, and what is not seen twice is told apart: driver, machine, nobody."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest

from storcert.conformance import confirm, frozen
from storcert.conformance.blame import blame_of
from storcert.conformance.certify import record_of
from storcert.conformance.confirm import NONDETERMINISTIC, Parted, decide, part
from storcert.conformance.registry import Case, Check, Level
from storcert.conformance.runner import CaseOutcome
from storcert.conformance.violation import Undecided, require
from storcert.conformance.world import KitTrouble
from storcert.harness.contract import DeviceUnavailable, ObjectNotFound
from storcert.harness.drivers.s3 import S3Driver
from storcert.harness.kernel.interpose import installed
from storcert.harness.record.event import Event
from storcert.harness.record.run_record import CheckResult, Environment, RunRecord
from storcert.harness.record.verdict import Blame, RunVerdict, Verdict
from storcert.reports import junit, terminal
from tests.conformance.drivers import MemoryDriver
from tests.conformance.kit import facts_of, options, subject
from tests.conformance.nondeterministic_drivers import Asking, Counting, InNoOrder, SecondTime

RULE = "C-DESCRIBE"


@pytest.fixture(autouse=True)
def open_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks made by hand count, as they do before a version of the contract is frozen."""
    monkeypatch.setattr(frozen, "frozen_set", lambda *_: None)


def described(b: Any) -> None:
    """Sizes are as written."""
    for name in "ab":
        b.client().create(b.uri(name), 10)
        size = b.client().describe(b.uri(name)).size_bytes
        require(size == 10, f"{name} has {size} bytes")


def decided(driver: type = S3Driver, function: Callable[[Any], None] = described) -> CaseOutcome:
    made = Case(Check(RULE, "by-hand", function, Level.CORE, (), (), False), "")
    with installed():
        return decide(made, subject(driver), facts_of(), 1)


@pytest.fixture
def third_is_wrong(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two calls of the first run are number 2 and 3, those of the second 4 and 5."""
    monkeypatch.setattr(boto3, "count_of_a_test", itertools.count(2), raising=False)
    yield


@pytest.mark.usefixtures("third_is_wrong")
class TestNondeterministic:
    def test_other_answers_of_the_same_requests(self) -> None:
        outcome = decided(Counting)
        assert (outcome.result.verdict, outcome.result.rule, outcome.blame) == (Verdict.FAIL, "C-STATELESS", Blame.DRIVER)
        assert "two answers: first C-DESCRIBE: b has 11 bytes; again: it held (every request and" in outcome.message
        (finding,) = outcome.findings
        assert (finding.kind, finding.message) == (NONDETERMINISTIC, outcome.message)

    def test_other_requests_are_shown(self) -> None:
        outcome = decided(Asking)
        assert (outcome.result.verdict, outcome.result.rule, outcome.blame) == (Verdict.FAIL, "C-STATELESS", Blame.DRIVER)
        assert "the driver asked for something else: host-1 object-store" in outcome.message
        assert outcome.message.endswith(" 8 DeleteObject storcert/volume/1/b 0, and then nothing more)")

    def test_the_record_and_the_reports_say_so(self) -> None:
        record = recorded(decided(Counting))
        assert record.verdict is RunVerdict.NOT_CONFORMANT
        (failure,) = record.failures
        assert (failure.check, failure.blame) == ("C-DESCRIBE/by-hand:C-STATELESS", Blame.DRIVER)
        assert "C-DESCRIBE/by-hand:C-STATELESS  blame: driver" in terminal.render(record)
        assert "nondeterministic" in terminal.render(record)
        assert "\nblame: driver\n" in junit.render(record)


class TestTheSameAgain:
    @pytest.mark.parametrize("driver", [SecondTime, InNoOrder])
    def test_it_stays_what_it_was(self, driver: type) -> None:
        function = described if driver is SecondTime else listed
        outcome = decided(driver, function)
        assert (outcome.result.verdict, outcome.result.rule, outcome.blame) == (Verdict.FAIL, RULE, Blame.DRIVER)
        assert outcome.findings == () and outcome.journal == ()

    def test_a_pass_is_run_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        runs = []

        def counted(*arguments: Any, **more: Any) -> CaseOutcome:
            runs.append(arguments)
            return run_case(*arguments, **more)

        run_case = confirm.run_case
        monkeypatch.setattr(confirm, "run_case", counted)
        assert decided().result.verdict is Verdict.PASS
        assert len(runs) == 1
        assert decided(SecondTime).result.verdict is Verdict.FAIL
        assert len(runs) == 3
        assert runs[1][1].driver_class is SecondTime and runs[2][1].driver_class is not SecondTime


def listed(b: Any) -> None:
    """All names are listed."""
    for number in range(9):
        b.client().create(b.uri(f"n{number}"), 10)
    require(len(b.client().list()) == 9, f"{len(b.client().list())} of 9 names are listed")


REQUESTS = [Event(1, "host-1", "request", "s 0 Head a 0 ok"), Event(2, "host-1", "request", "s 1 Get a 0 ok")]


def outcome(verdict: Verdict, rule: str = RULE, said: str = "m", events: Any = (), blame: Blame | None = None) -> CaseOutcome:
    return CaseOutcome(CheckResult(f"{RULE}/x", rule, "", verdict, said), said, journal=tuple(events), blame=blame)


def scripted(monkeypatch: pytest.MonkeyPatch, *outcomes: CaseOutcome, mode: str = "simulated") -> CaseOutcome:
    """What comes of these outcomes of two runs of a case."""
    left = list(outcomes)
    monkeypatch.setattr(confirm, "run_case", lambda *arguments, **more: left.pop(0))
    case = Case(Check(RULE, "x", described, Level.CORE, (), (), False), "")
    return decide(case, subject(MemoryDriver), replace(facts_of(), mode=mode), 1)


class TestTwoAnswers:
    def test_other_answers_from_the_device_decide_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        answered = [REQUESTS[0], replace(REQUESTS[1], text="s 1 Get a 0 NoSuchKey")]
        first = outcome(Verdict.FAIL, events=REQUESTS, blame=Blame.DRIVER)
        found = scripted(monkeypatch, first, outcome(Verdict.PASS, events=answered))
        assert (found.result.verdict, found.result.rule, found.blame) == (Verdict.UNKNOWN, RULE, Blame.INCONCLUSIVE)
        assert "the same request was answered otherwise: host-1 s 1 Get a 0: ok, and then NoSuchKey" in found.message
        assert [one.kind for one in found.findings] == [NONDETERMINISTIC]
        assert recorded(found).verdict is RunVerdict.UNDECIDED

    def test_a_busy_machine_is_no_endless_call(self, monkeypatch: pytest.MonkeyPatch) -> None:
        first = outcome(Verdict.FAIL, "C-BUDGET", events=REQUESTS[:1], blame=Blame.DRIVER)
        found = scripted(monkeypatch, first, outcome(Verdict.PASS, events=REQUESTS))
        assert (found.result.verdict, found.result.rule, found.blame) == (Verdict.UNKNOWN, RULE, Blame.ENVIRONMENT)

    def test_another_rule_is_another_answer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        first = outcome(Verdict.FAIL, events=REQUESTS, blame=Blame.DRIVER)
        found = scripted(monkeypatch, first, outcome(Verdict.FAIL, "C-READ", "short", events=REQUESTS))
        assert (found.result.verdict, found.result.rule) == (Verdict.FAIL, "C-STATELESS")
        assert "again: fail: short" in found.message

    @pytest.mark.parametrize(
        ("again", "where"),
        [
            (REQUESTS, Parted.NOWHERE),
            ([*REQUESTS, REQUESTS[0]], Parted.NOWHERE),
            (REQUESTS[:1], Parted.ASKED),
            ([replace(one, time_ns=9) for one in REQUESTS], Parted.NOWHERE),
            ([replace(REQUESTS[0], text="s 0 Head b 0 ok")], Parted.ASKED),
            ([replace(REQUESTS[0], location="ssvm-1")], Parted.ASKED),
            ([replace(REQUESTS[0], text="s 0 Head a 0 lost")], Parted.ANSWERED),
        ],
    )
    def test_where_journals_part(self, again: list[Event], where: Parted) -> None:
        assert part(REQUESTS, again)[0] is where


class TestLive:
    @pytest.mark.parametrize(
        ("first", "again", "answers", "verdict", "blame"),
        [
            (Blame.DRIVER, Verdict.FAIL, False, Verdict.FAIL, Blame.DRIVER),
            (Blame.DRIVER, Verdict.PASS, False, Verdict.FAIL, Blame.INCONCLUSIVE),
            (Blame.ENVIRONMENT, Verdict.PASS, True, Verdict.UNKNOWN, Blame.ENVIRONMENT),
            (Blame.ENVIRONMENT, Verdict.FAIL, False, Verdict.UNKNOWN, Blame.ENVIRONMENT),
            (Blame.ENVIRONMENT, Verdict.FAIL, True, Verdict.FAIL, Blame.DRIVER),
        ],
    )
    def test_who_it_was(
        self, monkeypatch: pytest.MonkeyPatch, first: Blame, again: Verdict, answers: bool, verdict: Verdict, blame: Blame
    ) -> None:
        monkeypatch.setattr(confirm, "_answers", lambda *_: answers)
        found = scripted(monkeypatch, outcome(Verdict.FAIL, blame=first), outcome(again), mode="live")
        assert (found.result.verdict, found.blame) == (verdict, blame)

    @pytest.mark.parametrize("gone_after", [0, 1])
    def test_a_device_that_is_gone_is_nobodys_finding(self, monkeypatch: pytest.MonkeyPatch, gone_after: int) -> None:
        """Whatever a check made of it. Gone before the second run, that one does not take place; after it, it says nothing."""
        said = iter([None] * gone_after + ["nobody listens"])
        monkeypatch.setattr(confirm, "_gone", lambda *_: next(said))
        monkeypatch.setattr(confirm, "COMES_BACK_NS", 0)
        found = scripted(
            monkeypatch, outcome(Verdict.FAIL, blame=Blame.DRIVER), *[outcome(Verdict.FAIL)] * gone_after, mode="live"
        )
        assert (found.result.verdict, found.blame) == (Verdict.UNKNOWN, Blame.ENVIRONMENT)
        assert found.result.reason == "the device went away: nobody listens"

    def test_a_device_that_comes_back_is_waited_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        said, slept = iter(["nobody listens", "nobody listens", None, None]), list[int]()
        monkeypatch.setattr(confirm, "_gone", lambda *_: next(said))
        monkeypatch.setattr("storcert.conformance.live.LiveClock.sleep_ns", slept.append)
        found = scripted(monkeypatch, outcome(Verdict.FAIL, blame=Blame.DRIVER), outcome(Verdict.FAIL), mode="live")
        assert (found.result.verdict, found.blame) == (Verdict.FAIL, Blame.DRIVER)
        assert slept == [confirm.LOOKS_AGAIN_NS] * 2

    @pytest.mark.parametrize(("error", "there"), [(None, True), (DeviceUnavailable("gone"), False), (KeyError(1), False)])
    def test_whether_it_answers(self, error: Exception | None, there: bool) -> None:
        class Asked(MemoryDriver):
            def describe(self, uri: Any) -> Any:
                if error is not None:
                    raise error
                return super().describe(uri)

        assert confirm._answers(subject(Asked, device="live"), replace(facts_of(), mode="live"), 1) is there


class TestFirstGuess:
    def test_nobody_for_what_is_well(self) -> None:
        assert blame_of(Verdict.PASS, None, "simulated") is blame_of(Verdict.SKIPPED, None, "live") is None

    @pytest.mark.parametrize(
        ("verdict", "error", "mode", "blame"),
        [
            (Verdict.FAIL, ObjectNotFound("x"), "simulated", Blame.DRIVER),
            (Verdict.FAIL, DeviceUnavailable("x"), "simulated", Blame.DRIVER),
            (Verdict.FAIL, DeviceUnavailable("x"), "live", Blame.ENVIRONMENT),
            (Verdict.FAIL, ObjectNotFound("x"), "live", Blame.DRIVER),
            (Verdict.UNKNOWN, Undecided("x"), "simulated", Blame.INCONCLUSIVE),
            (Verdict.ERROR, KeyError("x"), "simulated", Blame.KIT),
            (Verdict.ERROR, KitTrouble("not modelled"), "simulated", Blame.DEVICE),
            (Verdict.ERROR, MemoryError(), "simulated", Blame.ENVIRONMENT),
            (Verdict.ERROR, OSError(28, "no space"), "simulated", Blame.ENVIRONMENT),
            (Verdict.ERROR, OSError(2, "no such file"), "simulated", Blame.KIT),
        ],
    )
    def test_by_what_was_raised(self, verdict: Verdict, error: Exception, mode: str, blame: Blame) -> None:
        assert blame_of(verdict, error, mode) is blame

    def test_a_crash_inside_a_device_model(self) -> None:
        from storcert.simulators.registry import options_class

        with pytest.raises(Exception) as caught:
            options_class("no such device")
        assert blame_of(Verdict.ERROR, caught.value, "simulated") is Blame.DEVICE

    def test_errors_say_whose_they_are(self) -> None:
        def crash(b: Any) -> None:
            """Breaks."""
            raise KeyError("heap")

        record = recorded(decided(function=crash))
        assert record.verdict is RunVerdict.ERROR
        assert "(blame: kit)" in terminal.render(record)
        assert ">blame: kit" in junit.render(record)


def recorded(outcome: CaseOutcome) -> RunRecord:
    return record_of(options(), facts_of(), [outcome], Environment())

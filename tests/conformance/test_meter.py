"""C-BUDGET is kept for every call of every driver: too long, too often, or never coming back."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from storcert.conformance import world
from storcert.conformance.generated import FoundByGeneration, hold, stream_of
from storcert.conformance.meter import Metered
from storcert.conformance.strategies import FOCUSES, programs
from storcert.conformance.violation import Violation
from storcert.harness.contract import Capabilities, DataObjectUri, DeviceUnavailable, ObjectNotFound
from storcert.harness.drivers.s3 import S3Driver
from storcert.harness.record.fault import Fault
from storcert.harness.record.verdict import Verdict
from tests.conformance.drivers import MemoryDriver, MemoryInput, MemoryOutput
from tests.conformance.kit import bench_of, facts_of, run_check

MINUTE_S = 60.0


class Slow(MemoryDriver):
    """Every call, of streams too, takes some minutes of virtual time."""

    minutes = 0.0

    def describe(self, uri: DataObjectUri) -> Any:
        time.sleep(self.minutes * MINUTE_S)
        return super().describe(uri)

    def list_objects(self) -> Any:
        for uri in super().list_objects():
            time.sleep(self.minutes * MINUTE_S)
            yield uri

    def open_input(self, *arguments: Any) -> Any:  # type: ignore[override]
        stream = super().open_input(*arguments)
        stream.read = self._slowly(stream.read)  # type: ignore[method-assign]
        return stream

    def _slowly(self, real: Any) -> Any:
        def call(*arguments: Any) -> Any:
            time.sleep(self.minutes * MINUTE_S)
            return real(*arguments)

        return call


def slow(minutes: float) -> type[Slow]:
    found = type("Slow", (Slow,), {"minutes": minutes})
    return found


FACTS = facts_of(MemoryDriver)


class TestTime:
    @pytest.mark.parametrize("call", ["describe", "list", "read"])
    def test_16_virtual_minutes_are_too_long_for_any_call(self, call: str) -> None:
        started_s = time.perf_counter()
        with bench_of(slow(16), facts=FACTS) as bench:
            uri = bench.uri()
            bench.client().create(uri, 1)
            with pytest.raises(Violation, match="took 16 virtual minutes; 15 are allowed") as raised:
                getattr(bench.client(), call)(*([] if call == "list" else [uri]))
        assert raised.value.rule == "C-BUDGET"
        assert time.perf_counter() - started_s < 5

    def test_a_transfer_of_many_calls_may_take_longer_than_one_call(self) -> None:
        with bench_of(slow(14), facts=FACTS) as bench:
            uri = bench.uri()
            bench.client().write(uri, bytes(3))
            assert bench.client().read(uri, sizes=(1,)) == bytes(3)
            bench.client().create(bench.uri("b"), 0)
            assert len(bench.client().list()) == 2

    def test_a_call_that_sleeps_for_ever_is_stuck(self) -> None:
        with bench_of(slow(1e6), facts=FACTS) as bench, pytest.raises(Violation, match="did not end") as raised:
            bench.client().describe(bench.uri())
        assert raised.value.rule == "C-BUDGET"


class Stubborn(S3Driver):
    """Tries again for ever, politely or not."""

    pause_s = 0.0

    def describe(self, uri: DataObjectUri) -> Any:
        while True:
            try:
                return super().describe(uri)
            except DeviceUnavailable:
                time.sleep(self.pause_s)


class TestRetries:
    def test_an_endless_retry_loop_is_stuck(self) -> None:
        stubborn = type("Stubborn", (Stubborn,), {"pause_s": 60.0})

        def body(b: Any) -> None:
            uri = b.uri()
            b.client().create(uri, 1)
            b.arm(Fault("throttle", count=0))
            b.client().describe(uri)

        outcome = run_check(body, stubborn, "C-DESCRIBE")
        assert (outcome.result.verdict, outcome.result.rule) == (Verdict.FAIL, "C-BUDGET")
        assert "15 are allowed for a call" in outcome.message

    def test_requests_of_each_call_are_counted(self) -> None:
        with bench_of() as bench:
            uri = bench.uri()
            bench.client().write(uri, b"abc")
            bench.client().read(uri)
            assert bench.meter.requests["open_output"] == 1
            assert bench.meter.requests["commit"] >= 1
            assert bench.meter.requests["write"] == 0
            assert sum(bench.meter.requests.values()) <= len(bench.world.device.requests)
            bench.arm(Fault("throttle", count=2))
            assert bench.meter.requests == {}
            bench.client().describe(uri)
            assert bench.meter.requests == {"describe": 3}


class AsksForEver(S3Driver):
    """Asks a device that answers at once, again and again: no time limit sees that in the time of a person."""

    def describe(self, uri: DataObjectUri) -> Any:
        while True:
            try:
                return super().describe(uri)
            except ObjectNotFound:
                pass


class AsksInTheBackground(S3Driver):
    """Has a thread that never ends."""

    def create(self, uri: DataObjectUri, size: int) -> Any:
        threading.Thread(target=AsksForEver({**self.given}).describe, args=(uri,), daemon=True).start()

    def __init__(self, configuration: Any) -> None:
        super().__init__(configuration)
        self.given = configuration


class TestRequestsWithoutEnd:
    @pytest.fixture(autouse=True)
    def few(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(world, "REQUESTS_MAX", 500)
        monkeypatch.setattr(world, "LOOK_IDLE_NS", 5 * 10**9)

    def test_they_are_cut_while_the_call_is_under_way(self) -> None:
        outcome = run_check(lambda b: b.client().describe(b.uri()), AsksForEver, "C-DESCRIBE", facts=facts_of())
        assert (outcome.result.verdict, outcome.result.rule) == (Verdict.FAIL, "C-BUDGET")
        assert "requests, and no end of them" in outcome.message and "describe /volume/1/a did not end" in outcome.message

    def test_so_are_those_of_a_thread_that_outlives_its_call(self) -> None:
        def body(b: Any) -> None:
            b.client().create(b.uri(), 1)
            b.heal()

        outcome = run_check(body, AsksInTheBackground, "C-CREATE", facts=facts_of())
        assert (outcome.result.verdict, outcome.result.rule) == (Verdict.FAIL, "C-BUDGET")
        assert "what goes on in the background did not end" in outcome.message

    def test_a_program_that_shows_it_is_not_made_smaller(self) -> None:
        with bench_of(AsksForEver, facts=facts_of()) as bench:
            with pytest.raises(FoundByGeneration) as raised:
                hold(bench, "C-DESCRIBE", programs(bench.facts, FOCUSES["C-DESCRIBE"]), stream_of("some"), 40)
            assert raised.value.shrinking.cut_short and not raised.value.shrinking.executions
            assert bench.examples_run == bench.depth.programs < 5

    def test_looking_leaves_no_trace_in_the_digest(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def digest() -> str:
            with bench_of() as bench:
                bench.client().write(bench.uri(), bytes(100))
                bench.heal()
                found: str = bench.world.kernel.digest()
                return found

        often = digest()
        monkeypatch.setattr(world, "LOOK_NS", 1_000_000)
        assert digest() == often


class Spinning(MemoryDriver):
    """Never comes back, and lets no virtual time pass."""

    def describe(self, uri: DataObjectUri) -> Any:
        while True:
            pass


class SpinsAndCannotDelete(Spinning):
    def delete(self, uri: DataObjectUri) -> None:
        while True:
            pass


class TestLoopsWithoutTime:
    @pytest.fixture(autouse=True)
    def short(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(world, "WALL_LIMIT_S", 0.3)

    def test_the_watchdog_of_real_time_sees_it(self) -> None:
        outcome = run_check(lambda b: b.client().describe(b.uri()), Spinning, "C-DESCRIBE", facts=FACTS)
        assert (outcome.result.verdict, outcome.result.rule) == (Verdict.FAIL, "C-BUDGET")
        assert "never came back and made no request meanwhile" in outcome.message

    def test_a_driver_that_cannot_be_tidied_up_after_keeps_its_failure(self) -> None:
        outcome = run_check(lambda b: b.client().describe(b.uri()), SpinsAndCannotDelete, "C-DESCRIBE", facts=FACTS)
        assert (outcome.result.verdict, outcome.result.rule) == (Verdict.FAIL, "C-BUDGET"), outcome.trace


class Odd:
    """A stream-like thing with everything a Metered must pass on."""

    value = 5

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *error: Any) -> str:
        return f"left by {error[0]}"

    def open_input(self) -> Any:
        return MemoryInput(b"abc")

    def open_output(self) -> Any:
        return None

    def list_objects(self) -> Any:
        return [1]

    def capabilities(self) -> Any:
        return Capabilities()


class TestPassingOn:
    def test_everything_is_as_it_was(self) -> None:
        with bench_of(MemoryDriver) as bench:
            metered = Metered(Odd(), bench.meter)
            assert metered.value == 5
            assert metered.capabilities() == Capabilities()
            assert isinstance(metered.open_input(), Metered)
            assert metered.open_output() is None
            assert metered.list_objects() == [1]
            with pytest.raises(AttributeError):
                _ = metered.nothing
            assert metered.__enter__() is metered
            assert metered.__exit__(None, None, None) == "left by None"
            assert set(bench.meter.requests) == {"capabilities", "open_input", "open_output", "list_objects", "enter", "exit"}

    def test_a_with_block_that_enters_something_else(self) -> None:
        class Other(MemoryOutput):
            def __enter__(self) -> Any:
                return MemoryInput(b"x")

        with bench_of(MemoryDriver) as bench:
            with Metered(Other({}, bench.uri(), None), bench.meter) as entered:
                assert entered.read() == b"x"


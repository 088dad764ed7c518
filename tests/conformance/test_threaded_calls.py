"""Calls of a driver that uses threads: how they end, what is told of them, and how often they are tried."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from storcert.conformance import world
from storcert.conformance.runner import SCHEDULES, CaseOutcome
from storcert.harness.drivers.s3 import S3Driver
from storcert.harness.record.verdict import Verdict
from tests.conformance.kit import facts_of, run_check


def listing(function: Any, **more: Any) -> CaseOutcome:
    """One ``list`` of a driver that does something of its own first; what that is facts are not learned from."""

    class Asked(S3Driver):
        def list_objects(self) -> Any:
            function(self)
            return super().list_objects()

    return run_check(lambda b: b.client().list(), Asked, "C-LIST", facts=facts_of(), **more)


def test_a_thread_that_dies_is_told_in_the_step() -> None:
    def die(driver: Any) -> None:
        thread = threading.Thread(target=lambda: 1 // 0, name="worker")
        thread.start()
        thread.join()
        raise KeyError("what the thread was to find")

    outcome = listing(die)
    assert any("thread worker ended by ZeroDivisionError" in step for step in outcome.result.steps)
    assert (outcome.result.verdict, outcome.result.rule) == (Verdict.FAIL, "C-ERRORS")


def test_a_deadlock_is_told_with_who_waits_for_whom() -> None:
    def deadlock(driver: Any) -> None:
        locks = threading.Lock(), threading.Lock()

        def take(one: Any, other: Any) -> None:
            with one:
                time.sleep(1)
                with other:
                    pass

        thread = threading.Thread(target=take, args=locks[::-1], name="worker")
        thread.start()
        take(*locks)

    outcome = listing(deadlock)
    assert (outcome.result.verdict, outcome.result.rule) == (Verdict.FAIL, "C-BUDGET")
    assert "15 are allowed for a call; deadlock: 'list" in outcome.message
    assert "'worker' waits at test_threaded_calls.py:" in outcome.message


def test_a_thread_without_end_breaks_c_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "WALL_LIMIT_S", 0.3)

    def spin(driver: Any) -> None:
        def burn() -> None:
            while True:
                pass

        thread = threading.Thread(target=burn)
        thread.start()
        thread.join()

    outcome = listing(spin)
    assert (outcome.result.verdict, outcome.result.rule) == (Verdict.FAIL, "C-BUDGET")


def test_a_driver_with_threads_is_tried_under_more_schedules() -> None:
    def threaded(driver: Any) -> None:
        thread = threading.Thread(target=lambda: None)
        thread.start()
        thread.join()

    plain, outcome = listing(lambda driver: None), listing(threaded)
    assert (plain.result.examples, outcome.result.examples) == (1, SCHEDULES)


def test_the_schedule_that_failed_is_replayed_alone() -> None:
    met: list[int] = []

    def third_time(driver: Any) -> None:
        thread = threading.Thread(target=met.append, args=(1,))
        thread.start()
        thread.join()
        if len(met) == 3:
            raise KeyError("now")

    outcome = listing(third_time)
    assert outcome.example.endswith("@schedule-2") and outcome.result.verdict is Verdict.FAIL
    met[:] = [1, 1]
    again = listing(third_time, wanted=outcome.example)
    assert again.example_digest == outcome.example_digest and len(met) == 3

"""Tasks that would never end are stopped, by real time or by the number of events at one instant."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from storcert.harness.kernel import Kernel, RunawayTask, closing, current_task

needs_timer = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no interval timers here")


def spin() -> None:
    """Computes for ever, in a frame of its own: CPython may raise at the jump of a ``while`` loop, just outside its ``try``."""
    while True:
        for _ in range(1_000):
            pass


@needs_timer
def test_a_task_that_computes_for_ever_is_stopped(kernel: Kernel) -> None:
    def burns() -> None:
        kernel.sleep_ns(10)
        while True:
            pass

    task, other = kernel.spawn(burns), kernel.spawn(kernel.sleep_ns, 100)
    assert kernel.run_until_done(task, other, wall_limit_s=0.05)
    assert isinstance(task.error, RunawayTask) and "0.05 s of real time" in str(task.error)
    assert (other.error, kernel.now_ns, current_task()) == (None, 100, None)


@needs_timer
def test_one_that_swallows_exceptions_is_parked(kernel: Kernel) -> None:
    def burns() -> None:
        while True:
            try:
                spin()
            except BaseException:  # noqa: BLE001
                pass

    task, other = kernel.spawn(burns), kernel.spawn(kernel.sleep_ns, 100)
    assert kernel.run_until_done(task, other, wall_limit_s=0.05)
    assert isinstance(task.error, RunawayTask) and task.done and other.done
    assert closing.graveyard[-1] is task and current_task() is None


@needs_timer
def test_virtual_time_that_passes_is_no_runaway(kernel: Kernel) -> None:
    def works() -> int:
        for _ in range(20_000):
            kernel.sleep_ns(1)
        return kernel.now_ns

    task = kernel.spawn(works)
    assert kernel.run_until_done(task, wall_limit_s=0.005)
    assert task.result == 20_000


@needs_timer
def test_whoever_used_the_timer_before_gets_it_back(kernel: Kernel) -> None:
    def mine(*_: Any) -> None: ...

    handler_before = signal.signal(signal.SIGALRM, mine)
    timer_before = signal.setitimer(signal.ITIMER_REAL, 100, 7)
    try:
        assert kernel.run_until_done(kernel.spawn(kernel.sleep_ns, 1), wall_limit_s=1)
        assert signal.getsignal(signal.SIGALRM) is mine
        left_s, every_s = signal.getitimer(signal.ITIMER_REAL)
        assert 90 < left_s <= 100 and every_s == 7
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer_before)
        signal.signal(signal.SIGALRM, handler_before)


def test_a_zero_time_loop_is_stopped_by_the_number_of_events() -> None:
    with Kernel(events_per_instant_max=10_000) as kernel:
        spins = 0

        def spinner() -> None:
            nonlocal spins
            while True:
                kernel.sleep_ns(0)
                spins += 1

        task, other = kernel.spawn(spinner), kernel.spawn(kernel.sleep_ns, 100)
        assert kernel.run_until_done(task, other)
        assert isinstance(task.error, RunawayTask) and 9_000 < spins < 20_000
        assert other.error is None and kernel.now_ns - 100 == 1_700_000_000 * 10**9


def test_a_zero_time_loop_over_events_is_stopped_too() -> None:
    with Kernel(events_per_instant_max=10_000) as kernel:

        def spinner() -> None:
            while True:
                kernel.wait(kernel.event().succeed(), 5)

        task = kernel.spawn(spinner)
        assert kernel.run_until_done(task)
        assert isinstance(task.error, RunawayTask)
        kernel.run()
        assert kernel.now_ns == 1_700_000_000 * 10**9  # its deadlines went with it


def test_many_events_at_one_instant_are_allowed_up_to_the_limit() -> None:
    with Kernel(events_per_instant_max=50_000) as kernel:

        def body() -> None:
            for _ in range(400):
                kernel.sleep_ns(0)

        tasks = [kernel.spawn(body) for _ in range(100)]
        assert kernel.run_until_done(*tasks)
        assert all(task.error is None for task in tasks)


def test_one_that_comes_to_its_senses_goes_on_in_time() -> None:
    with Kernel(start_ns=0, events_per_instant_max=10_000) as kernel:

        def body() -> int:
            try:
                while True:
                    kernel.sleep_ns(0)
            except RunawayTask:
                kernel.sleep_ns(100)  # the interrupted sleep does not cut this one short
                return kernel.now_ns

        task = kernel.spawn(body)
        assert kernel.run_until_done(task)
        assert (task.result, task.error) == (100, None)

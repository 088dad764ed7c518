"""Deadlines: they happen, or are called off without a trace."""

from __future__ import annotations

import pytest

from storcert.harness.kernel import Kernel


def test_it_happens_once_at_its_time(kernel: Kernel) -> None:
    log: list[int] = []
    deadline = kernel.after(30, lambda: log.append(kernel.now_ns))
    assert (deadline.pending, deadline.time_ns) == (True, 30)
    kernel.run()
    assert (log, deadline.pending) == ([30], False)
    deadline.cancel()
    kernel.run()
    assert log == [30]


def test_a_cancelled_one_takes_no_time(kernel: Kernel) -> None:
    log: list[int] = []
    kernel.after(10, lambda: log.append(kernel.now_ns))
    late = kernel.after(1_000, lambda: log.append(-1))
    late.cancel()
    late.cancel()
    kernel.run()
    assert (log, kernel.now_ns) == ([10], 10)


@pytest.mark.parametrize("live", [0, 100, 3_000])
def test_the_heap_stays_within_twice_the_live_entries(kernel: Kernel, live: int) -> None:
    fired: list[int] = []
    for number in range(live):
        kernel.after(10_000 + number, lambda number=number: fired.append(number))  # type: ignore[misc]
    peak = 0
    for number in range(20_000):
        kernel.after(50_000 + number, lambda: fired.append(-1)).cancel()
        peak = max(peak, len(kernel._queue))
    assert peak <= 2 * live + 1_024
    kernel.run()
    assert fired == list(range(live))


def test_calls_that_are_answered_leave_no_dead_timers(kernel: Kernel) -> None:
    peak = 0

    def client() -> None:
        nonlocal peak
        for _ in range(100):
            kernel.wait(kernel.timeout(1), 1_000_000)
            peak = max(peak, len(kernel._queue))

    tasks = [kernel.spawn(client) for _ in range(50)]
    assert kernel.run_until_done(*tasks)
    assert peak <= 2 * 100 + 1_024
    assert kernel.now_ns == 100


def test_limits_of_runs_that_ended_early_do_not_collide(kernel: Kernel) -> None:
    for _ in range(5):  # each leaves a cancelled marker at the same instant
        assert kernel.run_until_done(kernel.spawn(lambda: None), limit_ns=100)
    kernel.run_for(100)
    assert kernel.now_ns == 100

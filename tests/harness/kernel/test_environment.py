"""The SimPy side: same total order as SimPy, integer time, failures that stay themselves, run() and step()."""

from __future__ import annotations

import random
from collections.abc import Generator
from typing import Any

import pytest
import simpy
from simpy.core import EmptySchedule

from storcert.harness.kernel import Kernel, RunawayTask

Processing = Generator[Any, Any, Any]


def mixed_workload(env: Any, seed: int) -> list[tuple[Any, ...]]:
    """Resources, stores, conditions, joins and interrupts, with many ties; gives an ordered log of what happened when."""
    log: list[tuple[Any, ...]] = []
    draw = random.Random(seed)
    resource = simpy.PreemptiveResource(env, capacity=2)
    store: simpy.Store = simpy.Store(env, capacity=3)
    processes: list[Any] = []

    def user(name: int) -> Processing:
        for turn in range(6):
            try:
                with resource.request(priority=draw.randrange(3)) as request:
                    got = yield request | env.timeout(draw.randrange(4))
                    log.append((env.now, "asked", name, turn, request in got))
                    yield env.timeout(draw.randrange(3))
            except simpy.Interrupt as interrupt:
                log.append((env.now, "interrupted", name, str(type(interrupt.cause))))

    def producer(name: int) -> Processing:
        for item in range(8):
            yield env.timeout(draw.randrange(2))
            yield store.put((name, item))
            log.append((env.now, "put", name, item))

    def consumer(name: int) -> Processing:
        for _ in range(8):
            item = yield store.get()
            log.append((env.now, "got", name, item))
            yield env.all_of([env.timeout(draw.randrange(2)), env.timeout(1)])

    def disturber() -> Processing:
        for _ in range(10):
            yield env.timeout(2)
            alive = [process for process in processes[:4] if process.is_alive]
            if alive:
                draw.choice(alive).interrupt("now")

    def joiner() -> Processing:
        yield env.all_of(processes)
        log.append((env.now, "all over"))

    processes += [env.process(user(number)) for number in range(4)]
    for number in range(3):
        processes += [env.process(producer(number)), env.process(consumer(number))]
    env.process(disturber())
    env.process(joiner())
    env.run()
    return log


@pytest.mark.parametrize("seed", range(20))
def test_first_come_is_the_total_order_of_simpy(seed: int) -> None:
    expected = mixed_workload(simpy.Environment(), seed)
    assert len(expected) > 60
    assert mixed_workload(Kernel(seed, tie_break="fifo", start_ns=0), seed) == expected


def order_of_ties(kernel: Kernel) -> list[int]:
    order: list[int] = []
    for number in range(20):
        kernel.after(10, lambda number=number: order.append(number))  # type: ignore[misc]
    kernel.run()
    return order


def test_the_seed_breaks_ties() -> None:
    orders = [order_of_ties(Kernel(seed)) for seed in range(5)]
    assert all(sorted(order) == list(range(20)) for order in orders)
    assert len({tuple(order) for order in orders}) == 5
    assert orders[3] == order_of_ties(Kernel(3))
    assert order_of_ties(Kernel(3, tie_break="fifo")) == list(range(20))


def test_a_process_starts_before_it_is_interrupted_under_every_seed() -> None:
    for seed in range(30):
        kernel = Kernel(seed)
        log: list[str] = []

        def body(kernel: Kernel = kernel, log: list[str] = log) -> Processing:
            log.append("started")
            try:
                yield kernel.timeout(5)
            except simpy.Interrupt:
                log.append("interrupted")

        process = kernel.process(body())
        process.interrupt()
        kernel.run()
        assert log == ["started", "interrupted"]


def test_priorities_come_before_ties(kernel: Kernel) -> None:
    order: list[int] = []
    for priority in [3, 1, 0, 2, -1] * 4:
        event = kernel.event()
        event._ok, event._value = True, priority
        event.callbacks.append(lambda event: order.append(event.value))
        kernel.schedule(event, priority)
    kernel.run()
    assert order == [-1] * 4 + [0] * 4 + [1] * 4 + [2] * 4 + [3] * 4
    with pytest.raises(ValueError, match=r"priority must be -1\.\.14, not 15"):
        kernel.schedule(kernel.event(), 15)


@pytest.mark.parametrize("bad", [1.0, "1", None, True])
def test_only_whole_nanoseconds(kernel: Kernel, bad: Any) -> None:
    event = kernel.event()
    for call in (
        lambda: kernel.timeout(bad),
        lambda: simpy.Timeout(kernel, float(bad == "1")),
        lambda: kernel.schedule(event, delay=bad),
        lambda: kernel.after(bad, lambda: None),
        lambda: kernel.run_for(bad),
    ):
        with pytest.raises(TypeError, match="whole nanoseconds"):
            call()
    assert kernel.peek() == float("inf")


def test_nothing_happens_in_the_past(kernel: Kernel) -> None:
    for call in (kernel.timeout, kernel.run_for, lambda delay: kernel.after(delay, lambda: None)):
        with pytest.raises(ValueError, match="in the past"):
            call(-1)
    kernel.run_for(10)
    with pytest.raises(ValueError, match="greater than the current"):
        kernel.run(until=10)


class Picky(Exception):
    """Cannot be rebuilt from its args."""

    def __init__(self, code: int, *, detail: str) -> None:
        super().__init__("picky")
        self.code = code
        self.detail = detail


def test_an_unhandled_failure_comes_out_as_itself(kernel: Kernel) -> None:
    error = Picky(3, detail="disk")

    def fails() -> Processing:
        yield kernel.timeout(1)
        raise error

    kernel.process(fails())
    with pytest.raises(Picky) as caught:
        kernel.run()
    assert caught.value is error
    kernel.event().fail(error)
    with pytest.raises(Picky) as caught:
        kernel.step()
    assert caught.value is error


def test_a_process_gets_the_failure_itself(kernel: Kernel) -> None:
    error = Picky(3, detail="disk")
    event = kernel.event()

    def waits() -> Processing:
        try:
            yield event
        except Picky as caught:
            return caught
        return None

    process = kernel.process(waits())
    event.fail(error)
    assert kernel.run(until=process) is error


def test_a_process_that_yields_no_event_is_told_so(kernel: Kernel) -> None:
    def confused() -> Processing:
        yield 3

    kernel.process(confused())
    with pytest.raises(RuntimeError, match="process confused yielded 3, which is no event"):
        kernel.run()


def test_run_until_a_time_an_event_or_the_end(kernel: Kernel) -> None:
    log: list[int] = []

    def ticker() -> Processing:
        for _ in range(5):
            yield kernel.timeout(10)
            log.append(kernel.now)

    process = kernel.process(ticker())
    kernel.run(until=20)
    assert (kernel.now, kernel.now_ns, log) == (20, 20, [10])  # the end comes before what else happens at that time
    kernel.run_for(5)
    assert (kernel.now, log) == (25, [10, 20])
    assert kernel.run(until=kernel.timeout(5, "value")) == "value"
    kernel.run(until=process)
    assert (kernel.now, log) == (50, [10, 20, 30, 40, 50])
    assert kernel.run(until=process) is None
    assert kernel.run() is None
    with pytest.raises(RuntimeError, match="nothing is left to happen"):
        kernel.run(until=kernel.event())


def test_who_waits_for_the_event_that_ended_the_run_still_hears_of_it(kernel: Kernel) -> None:
    event = kernel.timeout(10)
    heard: list[int] = []
    kernel.timeout(1).callbacks.append(lambda _: event.callbacks.append(lambda _: heard.append(kernel.now)))
    kernel.run(until=event)
    assert heard == []
    kernel.run_for(1)
    assert heard == [10]


def test_step_and_peek(kernel: Kernel) -> None:
    kernel.after(5, lambda: None).cancel()
    kernel.timeout(10)
    assert kernel.peek() == 10
    kernel.step()
    assert kernel.now == 10
    with pytest.raises(EmptySchedule):
        kernel.step()


def test_an_index_error_of_a_callback_is_not_taken_for_the_end(kernel: Kernel) -> None:
    kernel.after(1, lambda: [].pop())
    with pytest.raises(IndexError):
        kernel.run()


def test_a_kernel_runs_once_at_a_time(kernel: Kernel) -> None:
    kernel.after(1, kernel.run)
    with pytest.raises(RuntimeError, match="already running"):
        kernel.run()


def test_a_device_that_goes_round_in_circles_ends_the_run() -> None:
    kernel = Kernel(events_per_instant_max=10_000)

    def again() -> None:
        kernel.after(0, again)

    again()
    with pytest.raises(RunawayTask, match="10000 events without virtual time passing"):
        kernel.run()

"""Tasks: ordinary blocking code in virtual time."""

from __future__ import annotations

import contextvars
import gc
import weakref
from collections.abc import Generator, Iterator
from typing import Any

import greenlet
import pytest
import simpy

from storcert.harness.kernel import (
    DeadlineExpired,
    Kernel,
    KitAbort,
    TaskCrashed,
    current_location,
    current_task,
    outside,
)

Processing = Generator[Any, Any, Any]


def test_sleeping_lets_virtual_time_pass(kernel: Kernel) -> None:
    log: list[tuple[str, int]] = []

    def sleeper(name: str, step_ns: int) -> str:
        for _ in range(3):
            kernel.sleep_ns(step_ns)
            log.append((name, kernel.now_ns))
        return name

    tasks = [kernel.spawn(sleeper, "a", 10), kernel.spawn(sleeper, "b", 25)]
    assert log == []  # nothing runs before the loop does
    assert kernel.run_until_done(*tasks)
    assert log == [("a", 10), ("a", 20), ("b", 25), ("a", 30), ("b", 50), ("b", 75)]
    assert [(task.done, task.crashed, task.result, task.error) for task in tasks] == [
        (True, False, "a", None),
        (True, False, "b", None),
    ]


def test_the_same_seed_gives_the_same_interleaving_and_others_give_others() -> None:
    def interleaving(seed: int) -> tuple[int, ...]:
        kernel = Kernel(seed)
        log: list[int] = []

        def body(number: int) -> None:
            for _ in range(3):
                kernel.sleep_ns(10)
                log.append(number)

        for number in range(5):
            kernel.spawn(body, number)
        kernel.run()
        return tuple(log)

    assert interleaving(1) == interleaving(1)
    assert len({interleaving(seed) for seed in range(10)}) == 10


def run(kernel: Kernel, function: Any, *args: Any) -> Any:
    """The result of a task, or its error raised."""
    task = kernel.spawn(function, *args)
    assert kernel.run_until_done(task)
    if task.error is not None:
        raise task.error
    return task.result


def test_wait_gives_the_value(kernel: Kernel) -> None:
    assert run(kernel, lambda: kernel.wait(kernel.timeout(10, "value"))) == "value"
    event = kernel.event().succeed("early")
    kernel.run()
    assert event.processed
    assert run(kernel, lambda: kernel.wait(event, 5)) == "early"


def test_wait_raises_the_failure_itself_in_every_waiter(kernel: Kernel) -> None:
    error = ConnectionError("gone")
    event = kernel.event()
    tasks = [kernel.spawn(kernel.wait, event) for _ in range(3)]
    kernel.after(5, lambda: event.fail(error))
    assert kernel.run_until_done(*tasks)
    assert [task.error for task in tasks] == [error] * 3
    late = kernel.spawn(kernel.wait, event)
    assert kernel.run_until_done(late)
    assert late.error is error


def test_wait_with_a_deadline_that_is_kept(kernel: Kernel) -> None:
    def body() -> Any:
        value = kernel.wait(kernel.timeout(10, "value"), 50)
        kernel.sleep_ns(100)  # nothing comes at 50
        return value, kernel.now_ns

    assert run(kernel, body) == ("value", 110)


def test_wait_with_a_deadline_that_expires(kernel: Kernel) -> None:
    event = kernel.event()

    def body() -> Any:
        with pytest.raises(DeadlineExpired) as expired:
            kernel.wait(event, 50)
        first = (kernel.now_ns, expired.value.timeout_ns)
        kernel.after(10, lambda: event.succeed("late"))
        kernel.sleep_ns(100)  # the late answer does not cut the sleep short
        return first, kernel.now_ns, kernel.wait(event)

    kernel.after(55, lambda: listeners.append(list(event.callbacks or ())))
    listeners: list[list[object]] = []

    assert run(kernel, body) == ((50, 50), 150, "late")
    assert listeners == [[]]


def test_a_failure_after_the_deadline_is_nobodys(kernel: Kernel) -> None:
    event = kernel.event()
    task = kernel.spawn(kernel.wait, event, 10)
    assert kernel.run_until_done(task)
    assert isinstance(task.error, DeadlineExpired)
    event.fail(ValueError("late"))
    with pytest.raises(ValueError, match="late"):  # nobody listens any more, so it is not lost
        kernel.run()


@pytest.mark.parametrize(("timeout_ns", "kind"), [(1.5, TypeError), (-1, ValueError)])
def test_bad_durations_are_refused_in_the_task(kernel: Kernel, timeout_ns: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        run(kernel, kernel.wait, kernel.event(), timeout_ns)
    with pytest.raises(kind):
        run(kernel, kernel.sleep_ns, timeout_ns)


def test_only_tasks_wait(kernel: Kernel) -> None:
    for call in (lambda: kernel.sleep_ns(1), lambda: kernel.wait(kernel.event())):
        with pytest.raises(RuntimeError, match="only a task can wait"):
            call()
    with Kernel() as other, pytest.raises(RuntimeError, match="belongs to another kernel"):
        run(kernel, other.sleep_ns, 1)
    with pytest.raises(RuntimeError, match="cannot run a kernel"):
        run(kernel, kernel.run)


def test_waits_nest_in_ordinary_calls_generators_and_callbacks(kernel: Kernel) -> None:
    def chunks() -> Iterator[int]:
        for number in range(3):
            kernel.sleep_ns(10)
            yield number

    def key(number: int) -> int:
        kernel.sleep_ns(1)
        return -number

    assert run(kernel, lambda: (sorted(chunks(), key=key), kernel.now_ns)) == ([2, 1, 0], 33)


def test_simpy_resources_are_used_by_tasks(kernel: Kernel) -> None:
    resource = simpy.Resource(kernel, capacity=1)
    log: list[int] = []

    def user() -> None:
        with resource.request() as request:
            kernel.wait(request)
            kernel.sleep_ns(10)
            log.append(kernel.now_ns)

    assert kernel.run_until_done(*[kernel.spawn(user) for _ in range(3)])
    assert log == [10, 20, 30]


def test_joining(kernel: Kernel) -> None:
    def child(fails: bool) -> str:
        kernel.sleep_ns(10)
        if fails:
            raise OSError("child")
        return "child"

    def parent() -> Any:
        good, bad = kernel.spawn(child, False), kernel.spawn(child, True)
        woken_with = kernel.wait(good.ended_event)
        kernel.wait(bad.ended_event)  # joining by the event raises nothing: the error stays where it is
        with pytest.raises(OSError, match="child"):
            kernel.join(bad)
        return woken_with is good, kernel.join(good), kernel.now_ns

    assert run(kernel, parent) == (True, "child", 10)


def test_the_event_of_a_task_that_has_ended_has_happened(kernel: Kernel) -> None:
    task = kernel.spawn(lambda: 7)
    kernel.run()
    assert task.ended_event.callbacks is None and task.ended_event.value is task
    assert run(kernel, lambda: kernel.wait(task.ended_event)) is task


def test_an_ended_task_that_nobody_waited_for_needs_no_garbage_collector(kernel: Kernel) -> None:
    gc.disable()
    try:
        gone = weakref.ref(kernel.spawn(kernel.sleep_ns, 5))
        kernel.run()
        assert gone() is None
    finally:
        gc.enable()


def test_joining_a_crashed_task(kernel: Kernel) -> None:
    host = kernel.location("host")
    child = kernel.spawn(kernel.sleep_ns, 100, location=host)
    kernel.after(10, host.crash)
    with pytest.raises(TaskCrashed):
        run(kernel, kernel.join, child)
    assert kernel.now_ns == 10


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(3), GeneratorExit(), BaseException("odd")])
def test_errors_are_kept_and_do_not_stop_the_world(kernel: Kernel, error: BaseException) -> None:
    def fails() -> None:
        kernel.sleep_ns(5)
        raise error

    task, other = kernel.spawn(fails), kernel.spawn(kernel.sleep_ns, 10)
    assert kernel.run_until_done(task, other)
    assert task.done and task.error is error and other.error is None


class Enough(KitAbort):
    pass


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Enough(), pytest.fail.Exception("no")])
def test_exceptions_of_the_kit_leave_the_run(kernel: Kernel, error: BaseException) -> None:
    def fails() -> None:
        kernel.sleep_ns(5)
        raise error

    task = kernel.spawn(fails)
    with pytest.raises(type(error)) as caught:
        kernel.run_until_done(task)
    assert caught.value is error
    assert task.done and task.error is error and current_task() is None


def test_current_task_is_right_at_every_moment(kernel: Kernel) -> None:
    host = kernel.location("host")
    event = kernel.event()
    seen: list[Any] = []

    def see() -> None:
        task = current_task()
        seen.append((task.name if task else None, current_location()))

    def process() -> Processing:
        for _ in range(5):
            yield kernel.timeout(2)
            see()

    def body() -> None:
        see()
        kernel.sleep_ns(3)
        kernel.wait(kernel.timeout(0))
        see()
        with outside():
            see()
            kernel.sleep_ns(3)
            see()
            with pytest.raises(DeadlineExpired):
                kernel.wait(event, 3)
            see()
        see()

    kernel.process(process())
    kernel.after(4, see)
    task = kernel.spawn(body, location=host, name="t")
    other = kernel.spawn(body, name="u")
    assert kernel.run_until_done(task, other)
    assert current_task() is None
    assert seen.count(("t", host)) == seen.count(("u", None)) == 3
    assert seen.count((None, None)) == len(seen) - 6 == 4 + 1 + 2 * 3  # process and callback, and twice the outside block


def test_run_until_done_stops_at_the_limit_or_when_nothing_is_left(kernel: Kernel) -> None:
    task = kernel.spawn(kernel.sleep_ns, 100)
    assert not kernel.run_until_done(task, limit_ns=40)
    assert (kernel.now_ns, task.done) == (40, False)
    assert kernel.run_until_done(task, limit_ns=60) is False  # the limit comes before what happens at that instant
    assert kernel.run_until_done(task, limit_ns=1)
    assert kernel.now_ns == 100
    assert kernel.run_until_done(task)
    stuck = kernel.spawn(kernel.wait, kernel.event())
    assert not kernel.run_until_done(stuck, limit_ns=10) and kernel.now_ns == 110
    assert not kernel.run_until_done(stuck)
    assert kernel.tasks == (stuck,)


def test_run_until_done_stops_as_soon_as_they_are(kernel: Kernel) -> None:
    task = kernel.spawn(kernel.sleep_ns, 10)
    rest = kernel.spawn(kernel.sleep_ns, 500)
    assert kernel.run_until_done(task, limit_ns=1_000)
    assert (kernel.now_ns, rest.ended) == (10, False)


def test_who_waits_for_what_is_said_in_words(kernel: Kernel) -> None:
    task = kernel.spawn(kernel.sleep_ns, 10, name="t")
    assert repr(task) == "<task t: start>"
    kernel.run_for(5)
    assert (task.waiting_for, repr(task)) == ("sleep", "<task t: sleep>")
    other = kernel.spawn(lambda: kernel.wait(kernel.event(), reason="lock of volume 3"), name="u")
    kernel.run()
    assert (repr(task), other.waiting_for) == ("<task t: done>", "lock of volume 3")


def test_a_task_sees_the_context_variables_of_who_spawned_it(kernel: Kernel) -> None:
    token = flavour.set("outer")
    try:
        task = kernel.spawn(lambda: (flavour.get(), flavour.set("inner")))
        assert kernel.run_until_done(task)
        assert task.result[0] == flavour.get() == "outer"
    finally:
        flavour.reset(token)


flavour: contextvars.ContextVar[str] = contextvars.ContextVar("flavour", default="none")


def test_the_garbage_collector_does_not_run_finalizers_in_the_middle(kernel: Kernel) -> None:
    task = kernel.spawn(gc.isenabled)
    assert gc.isenabled()
    assert kernel.run_until_done(task)
    assert task.result is False and gc.isenabled()


def test_whoever_runs_the_kernel_is_its_hub(kernel: Kernel) -> None:
    task = kernel.spawn(kernel.sleep_ns, 10)
    kernel.run_for(5)
    log: list[str] = []

    def runs() -> None:
        log.append(str(kernel.run_until_done(task)))

    greenlet.greenlet(runs).switch()
    assert log == ["True"] and task.done

"""Locations: crash, pause, restart, and late wake-ups that change nothing."""

from __future__ import annotations

import datetime
import itertools
import time
from typing import Any

import pytest

from storcert.harness.kernel import DeadlineExpired, Kernel, Location, current_task
from storcert.harness.kernel.interpose import installed


@pytest.fixture
def host(kernel: Kernel) -> Location:
    return kernel.location("host", environ={"A": "1"})


def test_what_a_location_is(kernel: Kernel, host: Location) -> None:
    assert kernel.location("host") is host
    assert (host.hostname, host.environ, host.alive, host.paused, host.epoch) == ("host", {"A": "1"}, True, False, 0)
    other = kernel.location("other", hostname="kvm-2")
    assert other.hostname == "kvm-2" and other.pid != host.pid
    assert (other.services, other.filesystem, other.findings) == ({}, None, [])


def test_a_crash_from_outside_runs_no_finally(kernel: Kernel, host: Location) -> None:
    log: list[str] = []

    def body() -> None:
        try:
            kernel.sleep_ns(100)
            log.append("went on")
        except BaseException:
            log.append("except")
            raise
        finally:
            log.append("finally")

    sleeping, unstarted = kernel.spawn(body, location=host), None
    kernel.run_for(10)
    unstarted = kernel.spawn(body, location=host)
    elsewhere = kernel.spawn(kernel.sleep_ns, 200)
    host.crash()
    host.crash()
    assert kernel.run_until_done(sleeping, unstarted, elsewhere)
    assert log == []
    assert (sleeping.crashed, sleeping.done, unstarted.crashed, elsewhere.done) == (True, False, True, True)
    assert not host.alive and host.tasks == ()
    assert [event.kind for event in kernel.journal.events] == ["crash"]


def test_a_crash_from_inside_never_returns(kernel: Kernel, host: Location) -> None:
    log: list[str] = []

    def body() -> None:
        try:
            kernel.sleep_ns(10)
            host.crash()
            log.append("returned")
        finally:
            log.append("finally")

    task = kernel.spawn(body, location=host)
    assert kernel.run_until_done(task)
    kernel.run_for(1_000)
    assert (log, task.crashed, task.error, current_task()) == ([], True, None, None)


def test_a_crash_by_another_task_of_the_same_event(kernel: Kernel, host: Location) -> None:
    """Both wait for one event; whoever is woken first crashes the other, whose wake-up is already under way."""
    event = kernel.event()
    log: list[str] = []

    def killer() -> None:
        kernel.wait(event)
        host.crash()

    def victim() -> None:
        kernel.wait(event)
        log.append("woken")

    kernel_task, task = kernel.spawn(killer), None
    kernel.run_for(1)
    task = kernel.spawn(victim, location=host)
    kernel.run_for(1)
    event.succeed()
    assert kernel.run_until_done(kernel_task, task)
    assert (task.crashed, log) == (True, [])


def test_late_wake_ups_of_the_dead_change_nothing(kernel: Kernel, host: Location) -> None:
    answer = kernel.event()
    log: list[str] = []

    def client() -> None:
        log.append(kernel.wait(answer, 500))

    task = kernel.spawn(client, location=host)
    kernel.after(10, host.crash)
    kernel.after(20, host.restart)
    kernel.after(30, lambda: answer.succeed("late"))
    kernel.run()
    assert (log, task.crashed, kernel.now_ns) == ([], True, 30)  # not even its deadline is left


def test_one_killed_process_leaves_the_others_alone(kernel: Kernel, host: Location) -> None:
    log: list[str] = []

    def body(name: str) -> None:
        try:
            kernel.sleep_ns(100)
            log.append(name)
        finally:
            log.append(f"{name} ends")

    victim, other = kernel.spawn(body, "victim", location=host), kernel.spawn(body, "other", location=host)
    kernel.run_for(10)
    host.kill(victim)
    host.kill(victim)
    assert kernel.run_until_done(victim, other)
    assert (log, victim.crashed, other.done, host.alive) == (["other", "other ends"], True, True, True)
    host.kill(other)
    assert not other.crashed


def test_a_process_killed_while_its_machine_is_paused(kernel: Kernel, host: Location) -> None:
    log: list[int] = []
    victim = kernel.spawn(lambda: (kernel.sleep_ns(5), log.append(1)), location=host)
    kernel.run_for(1)
    host.pause()
    kernel.run_for(10)
    host.kill(victim)
    host.resume()
    kernel.run_for(10)
    assert log == [] and victim.crashed


def test_a_restart_is_a_new_process(kernel: Kernel, host: Location) -> None:
    task = kernel.spawn(kernel.sleep_ns, 100, location=host)
    first = (host.pid, [host.stream("x").random() for _ in range(3)])
    kernel.run_for(10)
    host.crash()
    assert kernel.spawn(kernel.sleep_ns, 1, location=host).crashed  # nobody is there
    host.restart()
    assert (host.alive, host.epoch, task.crashed) == (True, 1, True)
    assert host.pid != first[0] and [host.stream("x").random() for _ in range(3)] != first[1]
    again = kernel.spawn(kernel.sleep_ns, 5, location=host)
    assert kernel.run_until_done(again) and again.done


def test_a_restart_from_inside_never_returns(kernel: Kernel, host: Location) -> None:
    log: list[str] = []

    def body() -> None:
        host.restart()
        log.append("returned")

    task = kernel.spawn(body, location=host)
    assert kernel.run_until_done(task)
    assert (task.crashed, host.alive, host.epoch, log) == (True, True, 1, [])


def test_a_pause_holds_wake_ups_back_and_resume_delivers_them_in_order(kernel: Kernel, host: Location) -> None:
    log: list[tuple[Any, ...]] = []
    failing = kernel.event()

    def sleeper(name: str, duration_ns: int) -> None:
        kernel.sleep_ns(duration_ns)
        log.append((name, kernel.now_ns))

    def waiter() -> None:
        try:
            kernel.wait(failing, 1_000)
        except OSError:
            log.append(("failed", kernel.now_ns))

    def expiring() -> None:
        try:
            kernel.wait(kernel.timeout(60), 35)
        except DeadlineExpired:
            log.append(("expired", kernel.now_ns))

    tasks = [kernel.spawn(sleeper, f"s{ns}", ns, location=host) for ns in (50, 30, 10, 300)]
    tasks += [kernel.spawn(waiter, location=host), kernel.spawn(expiring, location=host)]
    kernel.after(20, host.pause)
    kernel.after(40, lambda: failing.fail(OSError("cut")))
    kernel.after(100, host.resume)
    kernel.run_for(70)
    assert log == [("s10", 10)] and host.paused
    started_late = kernel.spawn(sleeper, "new", 1, location=host)
    assert kernel.run_until_done(*tasks, started_late)
    assert log == [
        ("s10", 10), ("s30", 100), ("expired", 100), ("failed", 100), ("s50", 100), ("new", 101), ("s300", 300)
    ]
    assert [event.kind for event in kernel.journal.events] == ["pause", "resume"]


def test_a_pause_from_inside_returns_at_resume(kernel: Kernel, host: Location) -> None:
    def body() -> int:
        host.pause()
        return kernel.now_ns

    task = kernel.spawn(body, location=host)
    kernel.run_for(10)
    assert (host.paused, task.ended, task.waiting_for) == (True, False, "resume")
    host.resume()
    host.resume()
    assert kernel.run_until_done(task) and task.result == 10


def test_who_wakes_may_pause_or_crash_the_rest(kernel: Kernel, host: Location) -> None:
    log: list[int] = []

    def body(number: int) -> None:
        kernel.sleep_ns(10)
        log.append(number)
        if len(log) == 2:
            host.pause()

    tasks = [kernel.spawn(body, number, location=host) for number in range(4)]
    kernel.run_for(1)
    host.pause()
    kernel.run_for(20)
    host.resume()
    kernel.run_for(1)
    assert len(log) == 2 and host.paused
    host.crash()
    assert kernel.run_until_done(*tasks)
    assert [task.done for task in tasks].count(True) == 1  # the second paused itself, and died of the crash
    assert len(log) == 2


def test_a_crash_while_paused(kernel: Kernel, host: Location) -> None:
    log: list[int] = []

    def body() -> None:
        kernel.sleep_ns(10)
        log.append(kernel.now_ns)

    task = kernel.spawn(body, location=host)
    kernel.run_for(1)
    host.pause()
    kernel.run_for(20)
    host.crash()
    host.resume()
    host.restart()
    kernel.run_for(20)
    assert task.crashed and not host.paused
    host.pause()
    host.resume()
    kernel.run_for(20)
    assert log == []  # what was held back for the dead is gone


def test_a_deadline_held_back_stops_listening(kernel: Kernel, host: Location) -> None:
    event = kernel.event()
    task = kernel.spawn(kernel.wait, event, 10, location=host)
    kernel.run_for(1)
    host.pause()
    kernel.run_for(20)
    assert event.callbacks == []
    host.resume()
    assert kernel.run_until_done(task) and isinstance(task.error, DeadlineExpired)


def test_streams_of_locations_are_independent(kernel: Kernel, host: Location) -> None:
    other = kernel.location("other")
    assert host.stream("x").random() != other.stream("x").random()
    assert host.stream("x") is host.stream("x")


def test_a_clock_that_is_wrong_shows_another_time_of_day_and_nothing_else(kernel: Kernel, host: Location) -> None:
    with installed():
        def read() -> tuple[int, float, int, int]:
            return time.time_ns(), datetime.datetime.now(datetime.UTC).timestamp(), time.monotonic_ns(), kernel.now_ns

        def look() -> list[tuple[int, float, int, int]]:
            seen = [read()]
            for ahead_ns in (3_600 * 10**9, -10**9, 0):
                host.set_clock(ahead_ns)
                kernel.sleep_ns(10**9)
                seen.append(read())
            return seen

        task = kernel.spawn(look, location=host)
        other = kernel.spawn(lambda: time.time_ns(), location=kernel.location("other"))
        assert kernel.run_until_done(task, other)
    assert task.error is None and other.result == task.result[0][3]
    ahead = [wall_ns - now_ns for wall_ns, _, _, now_ns in task.result]
    assert ahead == [0, 3_600 * 10**9, -10**9, 0]
    assert all(abs(seconds - wall_ns / 1e9) < 1e-3 for wall_ns, seconds, _, _ in task.result)
    steady = [monotonic_ns for _, _, monotonic_ns, _ in task.result]
    assert [later - earlier for earlier, later in itertools.pairwise(steady)] == [10**9] * 3
    assert [event.text for event in kernel.journal.events] == ["+3600000000000 ns", "-1000000000 ns", "right"]


def test_a_wrong_clock_stays_wrong_over_a_restart(kernel: Kernel, host: Location) -> None:
    host.set_clock(-kernel.now_ns - 5)
    host.crash()
    host.restart()
    assert host.clock_ahead_ns < 0 and host.wall_ns == 0

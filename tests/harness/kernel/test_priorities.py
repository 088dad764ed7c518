"""Priorities of tasks: who overtakes whom, what falls behind, and that a lag is nothing but a lag."""

from __future__ import annotations

import pytest

from storcert.harness.kernel import DeadlineExpired, Kernel, Location, Priorities

LAG_NS = 1_000_000
FIRST_NS, SECOND_NS = 5_000_000, 5_300_000
"""Without a lag whoever sleeps until the first moment is always before the other."""


def order(seed: int, priorities: Priorities | None) -> str:
    with Kernel(seed) as kernel:
        kernel.priorities = priorities
        host, log = kernel.location("host"), []

        def body(name: str, until_ns: int) -> None:
            kernel.sleep_ns(until_ns)
            log.append(name)

        if priorities is not None:
            priorities.begin()
        tasks = [kernel.spawn(body, *one, location=host, name=one[0]) for one in (("a", FIRST_NS), ("b", SECOND_NS))]
        assert kernel.run_until_done(*tasks)
        return "".join(log)


def test_near_ties_are_decided_by_priority() -> None:
    assert {order(seed, None) for seed in range(30)} == {"ab"}
    assert {order(seed, Priorities(seed)) for seed in range(30)} == {"ab"}
    found = [order(seed, Priorities(seed, LAG_NS)) for seed in range(60)]
    assert set(found) == {"ab", "ba"} and found == [order(seed, Priorities(seed, LAG_NS)) for seed in range(60)]


def test_whoever_falls_behind_is_behind_everybody() -> None:
    with Kernel(1) as kernel:
        host = kernel.location("host")
        kernel.priorities = priorities = Priorities(1, LAG_NS, falls=[3])
        ends: dict[str, list[int]] = {}

        def body(name: str) -> None:
            for _ in range(5):
                before_ns = kernel.now_ns
                kernel.sleep_ns(10 * LAG_NS)
                ends.setdefault(name, []).append(kernel.now_ns - before_ns - 10 * LAG_NS)

        priorities.begin()
        tasks = [kernel.spawn(body, name, location=host, name=name) for name in "ab"]
        assert kernel.run_until_done(*tasks)
    assert priorities.turns == 12
    lags = sorted(ends.values(), key=max)
    assert len(set(lags[0])) == 1 and lags[0][0] < LAG_NS  # a priority is for the whole of a task
    assert len(set(lags[1])) == 1 and LAG_NS <= lags[1][0] < 2 * LAG_NS


def test_the_first_to_come_wins_as_it_would_have() -> None:
    with Kernel(3) as kernel:
        host = kernel.location("host")
        kernel.priorities = Priorities(3, LAG_NS, falls=[1, 2])
        event = kernel.event()

        def late() -> str:
            with pytest.raises(DeadlineExpired):
                kernel.wait(event, 100)
            return "expired"

        def early() -> str:
            kernel.wait(event, 200)
            return "happened"

        tasks = [kernel.spawn(late, location=host), kernel.spawn(early, location=host)]
        kernel.run_for(50)
        kernel.priorities.begin()
        kernel.after(100, event.succeed)
        assert kernel.run_until_done(*tasks)
        assert [task.result for task in tasks] == ["expired", "happened"]


def test_a_failure_comes_late_and_is_raised_where_it_is_waited_for() -> None:
    with Kernel(3) as kernel:
        host = kernel.location("host")
        kernel.priorities = Priorities(3, LAG_NS)
        event = kernel.event()
        kernel.priorities.begin()
        task = kernel.spawn(kernel.wait, event, location=host)
        kernel.run_for(2 * LAG_NS)
        event.fail(OSError("lost"))
        assert kernel.run_until_done(task)
        assert isinstance(task.error, OSError)


@pytest.mark.parametrize("deed", ["crash", "pause", "kill", "close"])
def test_who_lags_can_die_and_stand_still(deed: str) -> None:
    kernel = Kernel(2)
    host: Location = kernel.location("host")
    kernel.priorities = Priorities(2, LAG_NS, falls=range(1, 9))
    log: list[int] = []

    def body() -> None:
        kernel.sleep_ns(10)
        log.append(kernel.now_ns)

    task = kernel.spawn(body, location=host)
    kernel.run_for(5)
    kernel.priorities.begin()
    kernel.run_for(100)  # woken, and lagging
    if deed == "crash":
        host.crash()
    elif deed == "kill":
        host.kill(task)
    elif deed == "pause":
        host.pause()
        kernel.run_for(10 * LAG_NS)
        assert log == []
        host.resume()
    if deed != "close":
        kernel.run()
        assert len(log) == (deed == "pause") and task.ended
    kernel.close()
    assert len(log) == (deed == "pause")


def test_nobody_lags_outside_of_locations_or_when_it_is_over() -> None:
    with Kernel(2) as kernel:
        kernel.priorities = Priorities(2, LAG_NS, falls=[1])
        kernel.priorities.begin()
        outside = kernel.spawn(kernel.sleep_ns, 10)
        start_ns = kernel.now_ns
        assert kernel.run_until_done(outside) and kernel.now_ns == start_ns + 10
        kernel.priorities.end()
        inside = kernel.spawn(kernel.sleep_ns, 10, location=kernel.location("host"))
        assert kernel.run_until_done(inside) and kernel.now_ns == start_ns + 20 and kernel.priorities.turns == 0

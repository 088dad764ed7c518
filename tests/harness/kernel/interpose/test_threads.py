"""Threads of driver code are tasks of its location: they start, end, wait, fail and die as CPython's do, in virtual time."""

from __future__ import annotations

import _thread
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from storcert.harness.kernel.interpose.process_threads import process_of

SECOND_NS = 10**9


def test_threads_run_at_once_and_are_joined(world: Any) -> None:
    def act() -> tuple[list[int], float]:
        ended: list[int] = []

        def work(number: int) -> None:
            time.sleep(number)
            ended.append(number)

        threads = [threading.Thread(target=work, args=(number,)) for number in (3, 1, 2)]
        start = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return ended, time.monotonic() - start

    ended, took_s = world.run(act)
    assert ended == [1, 2, 3] and 3 <= took_s < 4


def test_join_waits_no_longer_than_it_may(world: Any) -> None:
    def act() -> list[bool]:
        thread = threading.Thread(target=time.sleep, args=(10,))
        answers = [thread.is_alive()]
        thread.start()
        thread.join(1)
        answers.append(thread.is_alive())
        thread.join(-5)
        answers.append(thread.is_alive())
        thread.join()
        return [*answers, thread.is_alive()]

    assert world.run(act) == [False, True, True, False]


@pytest.mark.parametrize(
    ("misuse", "words"),
    [
        (lambda thread: thread.join(), "cannot join thread before it is started"),
        (lambda thread: (thread.start(), thread.start()), "threads can only be started once"),
        (lambda thread: (thread.start(), setattr(thread, "daemon", True)), "cannot set daemon status of active thread"),
        (lambda thread: threading.current_thread().join(), "cannot join"),
    ],
    ids=["join-first", "twice", "daemon-late", "itself"],
)
def test_misuse_is_refused_in_cpython_s_words(world: Any, misuse: Callable[[Any], Any], words: str) -> None:
    with pytest.raises(RuntimeError, match=words):
        world.run(lambda: misuse(threading.Thread(target=time.sleep, args=(1,))))


def test_a_thread_cannot_join_itself(world: Any) -> None:
    def act() -> str:
        said: list[str] = []

        def work() -> None:
            try:
                threading.current_thread().join()
            except RuntimeError as error:
                said.append(str(error))

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        return said[0]

    assert world.run(act) == "cannot join current thread"


def test_who_is_who(world: Any) -> None:
    def act() -> dict[str, Any]:
        seen: dict[str, Any] = {}

        def work() -> None:
            here = threading.current_thread()
            seen.update(name=here.name, same=here is thread, ident=threading.get_ident() == here.ident, daemon=here.daemon)
            seen["native"] = threading.get_native_id() == here.native_id
            seen["main"] = threading.main_thread() is here
            seen["all"] = [one.name for one in threading.enumerate()]
            seen["count"] = threading.active_count()

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        seen["left"] = [one.name for one in threading.enumerate()]
        seen["idents"] = len({threading.main_thread().ident, threading.get_ident(), thread.ident})
        seen["caller is itself"] = threading.current_thread() is threading.current_thread()
        return seen

    assert world.run(act) == {
        "name": "Thread-1 (work)", "same": True, "ident": True, "daemon": False, "native": True, "main": False,
        "all": ["MainThread", "Agent-1", "Thread-1 (work)"], "count": 3, "left": ["MainThread", "Agent-1"], "idents": 3,
        "caller is itself": True,
    }


def test_the_test_runner_s_threads_are_not_there_and_the_driver_s_not_here(world: Any) -> None:
    go = threading.Event()
    outside = threading.Thread(target=go.wait, name="outside")
    outside.start()

    def act() -> list[str]:
        threading.Thread(target=time.sleep, args=(100,), name="inside").start()
        time.sleep(1)
        return [one.name for one in threading.enumerate()]

    assert "outside" not in world.run(act)
    assert "inside" not in [one.name for one in threading.enumerate()]
    go.set()
    outside.join()


def test_a_crash_ends_threads_without_finally(world: Any) -> None:
    ran: list[str] = []

    def work() -> None:
        try:
            time.sleep(100)
        finally:
            ran.append("finally")

    def act() -> None:
        for _ in range(3):
            threading.Thread(target=work).start()

    world.run(act)
    assert len(world.here.tasks) == 3
    world.here.crash()
    assert world.here.tasks == ()
    world.kernel.run_for(1000 * SECOND_NS)
    assert ran == []
    world.here.restart()
    world.kernel.run_for(1000 * SECOND_NS)
    assert ran == []
    assert world.run(lambda: [one.name for one in threading.enumerate()]) == ["MainThread", "Agent-1"]


def test_a_thread_can_crash_its_location(world: Any) -> None:
    after: list[int] = []

    def act() -> None:
        thread = threading.Thread(target=world.here.crash)
        thread.start()
        thread.join()
        after.append(1)

    task = world.spawn(act)
    world.kernel.run_for(SECOND_NS)
    assert task.crashed and not after


def test_a_thread_outlives_the_call_that_started_it(world: Any) -> None:
    ended: list[float] = []

    def work() -> None:
        time.sleep(60)
        ended.append(time.monotonic())

    world.run(lambda: threading.Thread(target=work, daemon=True).start())
    assert ended == [] and [task.name for task in world.here.tasks] == ["Thread-1 (work)"]
    world.kernel.run_for(61 * SECOND_NS)
    assert len(ended) == 1 and world.here.tasks == ()


def test_an_exception_nobody_caught_is_recorded_and_told_to_the_hook(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, str]] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: told.append((args.exc_type.__name__, args.thread.name)))

    def fail() -> None:
        raise KeyError("part")

    def act() -> None:
        for thread in (threading.Thread(target=fail), threading.Thread(target=_thread.exit)):
            thread.start()
            thread.join()

    world.run(act)
    entries = [(event.location, event.text) for event in world.kernel.journal.events if event.kind == "thread-exception"]
    assert entries == [("host1", "Thread-1 (fail): KeyError")]
    assert told == [("KeyError", "Thread-1 (fail)")]
    assert [(name, type(error)) for name, error in process_of(world.here).uncaught] == [("Thread-1 (fail)", KeyError)]


def test_what_a_hook_raises_is_not_lost_either(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def hook(_: Any) -> None:
        raise ValueError

    monkeypatch.setattr(threading, "excepthook", hook)
    world.run(lambda: threading.Thread(target=lambda: 1 // 0, name="t").start())
    world.kernel.run_for(SECOND_NS)
    texts = [event.text for event in world.kernel.journal.events if event.kind == "thread-exception"]
    assert texts == ["t: ZeroDivisionError", "t: ValueError"]


def test_an_interrupt_by_the_user_leaves_the_run(world: Any) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    def act() -> None:
        thread = threading.Thread(target=interrupt)
        thread.start()
        thread.join()

    with pytest.raises(KeyboardInterrupt):
        world.run(act)


def test_start_new_thread_and_its_dummy(world: Any) -> None:
    def act() -> tuple[bool, str]:
        done: queue.SimpleQueue[tuple[int, str]] = queue.SimpleQueue()

        def work(word: str, *, again: str) -> None:
            done.put((_thread.get_ident(), threading.current_thread().name + word + again))

        ident = _thread.start_new_thread(work, ("-a",), {"again": "-b"})
        found = done.get()
        return found[0] == ident, found[1]

    assert world.run(act) == (True, "Dummy-1-a-b")
    with pytest.raises(TypeError):
        world.run(lambda: _thread.start_new_thread(1, ()))  # type: ignore[arg-type]


def test_subclasses_and_timers(world: Any) -> None:
    class Counting(threading.Thread):
        total = 0

        def run(self) -> None:
            for _ in range(5):
                time.sleep(1)
                self.total += 1

    def act() -> tuple[int, list[str], bool]:
        said: list[str] = []
        counting = Counting()
        late, never = threading.Timer(3, said.append, ["late"]), threading.Timer(4, said.append, ["never"])
        for thread in (counting, late, never):
            thread.start()
        never.cancel()
        counting.join()
        return counting.total, said, late.is_alive()

    assert world.run(act) == (5, ["late"], False)


def test_all_of_threading_and_queue_between_threads(world: Any) -> None:
    def act() -> tuple[list[Any], float]:
        line: queue.Queue[int | None] = queue.Queue(2)
        ordered: queue.PriorityQueue[int] = queue.PriorityQueue()
        stack: queue.LifoQueue[int] = queue.LifoQueue()
        barrier, room, gate = threading.Barrier(3), threading.BoundedSemaphore(2), threading.Event()
        got: list[Any] = []

        def produce() -> None:
            for number in range(6):
                line.put(number)
            line.put(None)

        def consume() -> None:
            while (number := line.get()) is not None:
                with room:
                    time.sleep(0.5)
                    ordered.put(-number)
                    stack.put(number)
            gate.set()
            barrier.wait()

        threads = [threading.Thread(target=one) for one in (produce, consume, lambda: (gate.wait(), barrier.wait()))]
        for thread in threads:
            thread.start()
        barrier.wait()
        for thread in threads:
            thread.join()
        got += [[ordered.get() for _ in range(6)], [stack.get() for _ in range(6)], barrier.n_waiting, gate.is_set()]
        return got, time.monotonic()

    got, _ = world.run(act)
    assert got == [[-5, -4, -3, -2, -1, 0], [5, 4, 3, 2, 1, 0], 0, True]


@pytest.mark.parametrize("wait", ["is_alive", "acquire", "empty", "clock"])
def test_a_thread_that_polls_lets_time_pass(world: Any, wait: str) -> None:
    """As on a machine, where others go on meanwhile; and it does not go round for ever at one instant."""

    def act() -> float:
        lock = threading.Lock()
        line: queue.Queue[int] = queue.Queue()
        lock.acquire()

        def work() -> None:
            time.sleep(2)
            lock.release()
            line.put(1)

        thread = threading.Thread(target=work)
        thread.start()
        start = time.monotonic()
        while (
            thread.is_alive() if wait == "is_alive"
            else not lock.acquire(blocking=False) if wait == "acquire"
            else line.empty() if wait == "empty"
            else time.monotonic() < start + 2
        ):
            pass
        return time.monotonic() - start

    assert 2 <= world.run(act) < 200


def test_thread_locals(world: Any) -> None:
    module = world.module("""
        import threading

        class Mine(threading.local):
            shared = "class"

            def __init__(self, first):
                self.first = first
                self.seen = []

            @property
            def twice(self):
                return self.first * 2

        mine = Mine("a")
        plain = threading.local()
        plain.x = "outside"

        def act():
            told = [mine.first, mine.twice, mine.shared, hasattr(plain, "x")]
            plain.x = 1
            mine.seen.append(1)

            def work():
                told.append((mine.first, mine.seen, hasattr(plain, "x"), sorted(mine.__dict__)))
                mine.first = "b"

            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
            told.append((mine.first, mine.seen, plain.x, mine.twice))
            del plain.x
            told.append(hasattr(plain, "x"))
            return told
    """)
    there = world.kernel.location("host2")
    assert world.run(module.act) == [
        "a", "aa", "class", False, ("a", [], False, ["first", "seen"]), ("a", [1], 1, "aa"), False,
    ]
    assert world.run(lambda: (module.mine.seen, module.mine.first), location=there) == ([], "a")
    assert world.run(lambda: module.mine.seen) == [1]  # calls one after another are one thread of the agent
    assert (module.mine.seen, module.plain.x) == ([], "outside")
    world.here.crash()
    world.here.restart()
    assert world.run(lambda: module.mine.seen) == []


def test_calls_at_the_same_time_are_different_threads(world: Any) -> None:
    def act() -> int:
        ident = threading.get_ident()
        time.sleep(1)
        assert ident == threading.get_ident()
        return ident

    tasks = [world.spawn(act) for _ in range(3)]
    world.kernel.run_until_done(*tasks)
    assert len({task.result for task in tasks}) == 3
    assert world.run(act) in {task.result for task in tasks}


def test_outside_a_location_threads_are_those_of_the_system(world: Any) -> None:
    seen: list[Any] = []
    thread = threading.Thread(target=lambda: seen.append(threading.get_ident()))
    thread.start()
    thread.join()
    assert seen != [threading.get_ident()] and not thread.is_alive()
    assert threading.current_thread() is threading.main_thread()
    assert hash(thread) == object.__hash__(thread)

"""Threads of the system, processes and sockets are refused in words; locks and queues wait in virtual time."""

from __future__ import annotations

import _thread
import queue
import sys
import threading
import time
from typing import Any

import pytest

from storcert.harness.kernel.interpose import NotSimulated

#: As a module in C holds it: no scan looks into a list, and nothing is replaced yet.
HIDDEN = [_thread.start_new_thread]
SOURCE = """
import _thread, asyncio, concurrent.futures, http.client, multiprocessing, os, select, socket, subprocess, threading
import urllib.request, _socket
"""
DEEDS = [
    ("concurrent.futures.ProcessPoolExecutor().submit(print)", "subprocess"),
    ("multiprocessing.Process(target=print).start()", "subprocess"),
    ("asyncio.run(asyncio.sleep(0))", "thread"),
    ("subprocess.run(['ls', '-l'])", "subprocess"),
    ("subprocess.check_output('ls', shell=True)", "subprocess"),
    ("os.system('ls')", "subprocess"),
    ("os.popen('ls')", "subprocess"),
    ("os.fork()", "subprocess"),
    ("os.posix_spawn('/bin/ls', ['ls'], {})", "subprocess"),
    ("os.execv('/bin/ls', ['ls'])", "subprocess"),
    ("os.kill(1, 9)", "subprocess"),
    ("socket.socket()", "socket"),
    ("_socket.socket()", "socket"),
    ("socket.create_connection(('localhost', 1))", "socket"),
    ("socket.getaddrinfo('localhost', 1)", "socket"),
    ("socket.gethostbyname('localhost')", "socket"),
    ("socket.socketpair()", "socket"),
    ("http.client.HTTPConnection('localhost').request('GET', '/')", "socket"),
    ("urllib.request.urlopen('http://localhost/')", "socket"),
    ("select.select([0], [], [], 0)", "socket"),
]


@pytest.mark.filterwarnings("ignore:coroutine")
@pytest.mark.parametrize("deed, kind", DEEDS, ids=[deed for deed, _ in DEEDS])
def test_refused_with_a_finding(world: Any, deed: str, kind: str) -> None:
    module = world.module(f"{SOURCE}\ndef act():\n    return {deed}\n")
    with pytest.raises(NotSimulated) as caught:
        world.run(module.act)
    (finding,) = [one for one in world.here.findings if one.kind == kind]
    assert (finding.file.rsplit("/", 1)[-1], finding.line) == ("vendor_driver.py", 6)
    assert "0x" not in finding.message
    assert caught.value.kind == kind
    assert "host1" in str(caught.value)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="Python 3.11 tells nobody of threads that are started in C")
def test_a_thread_that_no_replacement_sees_is_refused(world: Any) -> None:
    with pytest.raises(NotSimulated, match="start_new_thread"):
        world.run(lambda: HIDDEN[0](print, ()))
    assert [one.kind for one in world.here.findings] == ["thread"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the pool's finalizer, in a world that is over
def test_what_cannot_be_a_thread_of_the_simulation_is_named(world: Any) -> None:
    module = world.module("""
        import asyncio, multiprocessing.pool, threading

        def pool():
            return multiprocessing.pool.ThreadPool(1).apply_async(int)

        def loop_in_a_thread():
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever).start()
    """)
    world.run(module.pool)
    world.kernel.run_for(10**9)
    with pytest.raises(NotSimulated):
        world.run(module.loop_in_a_thread)
    named = [(one.kind, one.message) for one in world.here.findings]
    assert named == [("thread", "multiprocessing.pool.ThreadPool"), ("thread", "an asyncio event loop")]


def test_outside_a_location_all_of_it_works(world: Any) -> None:
    import socket
    import subprocess
    import sys

    seen: list[int] = []
    thread = threading.Thread(target=seen.append, args=(1,))
    thread.start()
    thread.join()
    assert seen == [1]
    for end in socket.socketpair():
        end.close()
    assert subprocess.run([sys.executable, "-c", "pass"], check=True).returncode == 0


def test_waiting_takes_virtual_time(world: Any) -> None:
    def act() -> list[Any]:
        start = time.monotonic()
        answers: list[Any] = [threading.Event().wait(3)]
        with pytest.raises(queue.Empty):
            queue.Queue().get(timeout=2)
        with pytest.raises(queue.Empty):
            queue.SimpleQueue().get(timeout=1)
        condition = threading.Condition()
        with condition:
            answers.append(condition.wait(4))
        lock = threading.Lock()
        answers += [lock.acquire(), lock.acquire(False), lock.acquire(timeout=5), lock.locked()]
        lock.release()
        answers.append(threading.BoundedSemaphore(1).acquire(timeout=1))
        import select

        select.select([], [], [], 0.5)
        answers.append(time.monotonic() - start)
        return answers

    assert world.run(act) == [False, False, True, False, False, True, True, 15.5]


@pytest.mark.parametrize("make", [threading.Lock, threading.RLock], ids=["Lock", "RLock"])
def test_a_lock_held_across_a_wait_does_not_hang_the_process(world: Any, make: Any) -> None:
    module = world.module("import threading\nlock, rlock = threading.Lock(), threading.RLock()")
    lock = module.lock if make is threading.Lock else module.rlock
    order: list[tuple[str, float]] = []

    def work(name: str) -> None:
        with lock:
            time.sleep(1)
            order.append((name, time.time() - 1_700_000_000))

    tasks = [world.spawn(work, name) for name in "abc"]
    there = world.spawn(work, "elsewhere", location=world.kernel.location("host2"))
    assert world.kernel.run_until_done(*tasks, there)
    assert sorted(at for name, at in order if name != "elsewhere") == [1, 2, 3]
    assert ("elsewhere", 1) in order  # another machine, another process, another lock
    assert lock.acquire(False)  # and outside it is the real one, free all along
    lock.release()


def test_a_crash_does_not_keep_a_lock(world: Any) -> None:
    module = world.module("import threading\nlock = threading.Lock()")

    def hold() -> None:
        module.lock.acquire()
        time.sleep(100)

    world.spawn(hold)
    world.kernel.run_for(10**9)
    world.here.crash()
    world.here.restart()
    assert world.run(module.lock.acquire, False) is True


def test_reentrant_lock_and_condition_between_tasks(world: Any) -> None:
    def act() -> list[Any]:
        condition = threading.Condition()  # over an RLock
        items: list[int] = []

        def consume() -> list[int]:
            with condition, condition:
                while len(items) < 3:
                    condition.wait()
                return list(items)

        def produce() -> None:
            for item in range(3):
                time.sleep(1)
                with condition:
                    items.append(item)
                    condition.notify_all()

        tasks = [world.spawn(function) for function in (consume, produce)]
        for task in tasks:
            world.kernel.join(task)
        return [tasks[0].result, time.time()]

    assert world.run(act) == [[0, 1, 2], 1_700_000_003]


def test_a_queue_between_tasks(world: Any) -> None:
    line: Any = None

    def produce() -> None:
        for item in range(5):
            line.put(item)

    def consume() -> list[int]:
        return [line.get(timeout=10) for _ in range(5)]

    def make() -> None:
        nonlocal line
        line = queue.Queue(maxsize=1)

    world.run(make)
    consumer, producer = world.spawn(consume), world.spawn(produce)
    assert world.kernel.run_until_done(consumer, producer)
    assert consumer.result == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("misuse", ["release", "timeout", "nonblocking"])
def test_lock_misuse_is_refused_as_by_the_real_one(world: Any, misuse: str) -> None:
    def act() -> None:
        lock = threading.Lock()
        if misuse == "release":
            lock.release()
        elif misuse == "timeout":
            lock.acquire(timeout=-2)
        else:
            lock.acquire(False, 1)

    expected = RuntimeError if misuse == "release" else ValueError
    with pytest.raises(expected) as there:
        world.run(act)
    with pytest.raises(expected) as here:
        act()
    assert str(there.value) == str(here.value)


def test_locks_made_while_installed_serve_real_threads(world: Any) -> None:
    line: queue.Queue[int] = queue.Queue()

    def produce() -> None:
        for item in range(3):
            line.put(item)

    thread = threading.Thread(target=produce)
    thread.start()
    assert [line.get(timeout=5) for _ in range(3)] == [0, 1, 2]
    thread.join()
    assert isinstance(threading.RLock(), type(threading.RLock()))

"""Pools of threads, futures and what walks through sets of them: the same in every run and on every Python."""

from __future__ import annotations

import concurrent.futures
import gc
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from storcert.harness.kernel.loop import Kernel

SECOND_NS = 10**9


def test_a_pool_works_at_once_and_in_order(world: Any) -> None:
    def act() -> tuple[list[int], list[int], float, int]:
        start = time.monotonic()
        with ThreadPoolExecutor(3) as pool:
            futures = [pool.submit(lambda number: (time.sleep(1), number)[1], number) for number in range(6)]
            squares = list(pool.map(lambda number: number * number, range(5)))
        return [one.result() for one in futures], squares, time.monotonic() - start, threading.active_count()

    numbers, squares, took_s, left = world.run(act)
    assert numbers == list(range(6)) and squares == [0, 1, 4, 9, 16]
    assert 2 <= took_s < 3 and left == 2


def test_as_completed_and_wait(world: Any) -> None:
    def act() -> tuple[list[int], int, int]:
        pool = ThreadPoolExecutor(4)
        futures = [pool.submit(lambda number: (time.sleep(number), number)[1], number) for number in (4, 2, 3, 1)]
        first = concurrent.futures.wait(futures, timeout=2.5)
        order = [one.result() for one in concurrent.futures.as_completed(futures[:1] + futures[2:])]
        return order, len(first.done), len(first.not_done)

    order, done, not_done = world.run(act)
    assert sorted(order[:1]) == [1] and order[1:] == [3, 4]
    assert (done, not_done) == (2, 2)


def test_what_a_call_raises_comes_out_of_its_future(world: Any) -> None:
    def act() -> list[str]:
        pool = ThreadPoolExecutor(1)
        futures = [pool.submit(int, "x"), pool.submit(int, "7"), pool.submit(time.sleep, 5), pool.submit(int, "8")]
        said = [type(futures[0].exception()).__name__, str(futures[1].result())]
        with pytest.raises(concurrent.futures.TimeoutError):
            futures[2].result(timeout=1)
        said.append(str(futures[3].cancel()))
        pool.shutdown()
        with pytest.raises(RuntimeError, match="cannot schedule new futures after shutdown"):
            pool.submit(int)
        return said

    assert world.run(act) == ["ValueError", "7", "True"]
    assert [event.kind for event in world.kernel.journal.events] == []


def test_what_is_cancelled_may_be_taken_by_a_worker_meanwhile(world: Any) -> None:
    """Found by certifying a correct driver with many seeds."""

    def act() -> int:
        pool = ThreadPoolExecutor(2)
        futures = [pool.submit(time.sleep, 0) for _ in range(4)]
        pool.shutdown(cancel_futures=True)
        return sum(one.cancelled() or one.result() is None for one in futures)

    for seed in range(60):
        with Kernel(seed) as kernel:
            task = kernel.spawn(act, location=kernel.location("host1"))
            assert kernel.run_until_done(task)
            assert task.error is None and task.result == 4, seed


def test_workers_begin_with_their_initializer_or_the_pool_is_broken(world: Any) -> None:
    def act() -> list[Any]:
        local = threading.local()
        pool = ThreadPoolExecutor(2, "mine", lambda word: setattr(local, "word", word), ("hello",))
        seen: list[Any] = [pool.submit(lambda: (local.word, threading.current_thread().name)).result()]
        broken = ThreadPoolExecutor(1, initializer=lambda: 1 // 0)
        with pytest.raises(concurrent.futures.thread.BrokenThreadPool):
            broken.submit(int).result()
        return seen

    assert world.run(act) == [("hello", "mine_0")]


def test_workers_of_a_pool_that_nobody_has_any_more_go(world: Any) -> None:
    def act() -> int:
        ThreadPoolExecutor(2).submit(time.sleep, 1).result()
        time.sleep(1)
        return threading.active_count()

    assert world.run(act) == 2
    assert world.here.tasks == ()


def test_a_pool_that_the_kit_drops_says_nothing(world: Any, capsys: pytest.CaptureFixture[str]) -> None:
    pools = [world.run(lambda: ThreadPoolExecutor(2))]
    world.run(lambda: pools[0].submit(int).result())
    pools.clear()
    gc.collect()
    assert capsys.readouterr().err == ""
    world.kernel.run_for(SECOND_NS)


def test_a_crash_ends_a_pool(world: Any) -> None:
    ran: list[int] = []

    def act() -> None:
        pool = ThreadPoolExecutor(2)
        for number in range(5):
            pool.submit(lambda number: (time.sleep(1), ran.append(number)), number)
        time.sleep(1.5)
        world.here.crash()

    world.spawn(act)
    world.kernel.run_for(100 * SECOND_NS)
    assert sorted(ran) == [0, 1] and world.here.tasks == ()


def test_a_pool_outside_is_the_real_one(world: Any) -> None:
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda number: number + 1, range(3))) == [1, 2, 3]
        assert pool.submit(threading.get_ident).result() != threading.get_ident()


def test_work_is_done_on_behalf_of_whoever_submitted_it(world: Any) -> None:
    from storcert.harness.kernel import current_task

    def act() -> list[str]:
        pool = ThreadPoolExecutor(1)

        def ask() -> str:
            return pool.submit(lambda: current_task().behalf).result()  # type: ignore[union-attr]

        first = world.kernel.spawn(ask, location=world.here, name="first")
        world.kernel.join(first)
        second = world.kernel.spawn(ask, location=world.here, name="second")
        return [first.result, world.kernel.join(second)]

    assert world.run(act) == ["first", "second"]


PROGRAM = '''
import concurrent.futures, hashlib, queue, threading, time
from concurrent.futures import ThreadPoolExecutor
from storcert.harness.kernel.interpose import installed
from storcert.harness.kernel.loop import Kernel

def act():
    said, lock = [], threading.Lock()
    line = queue.Queue(2)
    def work(number):
        time.sleep(0.001 * (number % 3))
        with lock:
            said.append(number)
        line.put(number)
        return number
    with ThreadPoolExecutor(4) as pool:
        futures = {pool.submit(work, number) for number in range(12)}
        taken = [line.get() for _ in futures]
        done, _ = concurrent.futures.wait(futures)
        said += [one.result() for one in done]
        said += [one.result() for one in concurrent.futures.as_completed(futures)]
    threads = {threading.Thread(target=work, args=(number,)) for number in range(5)}
    for thread in threads:
        thread.start()
    taken += [line.get() for _ in threads]
    for thread in threads:
        thread.join()
    return said, taken, [thread.name for thread in threads]

whole = hashlib.sha256()
for seed in range(8):
    with installed(), Kernel(seed) as kernel:
        task = kernel.spawn(act, location=kernel.location("host1"))
        assert kernel.run_until_done(task) and task.error is None, task.error
        whole.update(str(task.result).encode())
print(whole.hexdigest())
'''
#: Of what all runs gave, on every Python: another one only where ties or the points of threads change on purpose.
DIGEST = "9c2cdaab43abe31416fa28382124b7789454b4583ede03454a4454eb324f5f06"


def test_every_process_hash_seed_and_python_gives_the_same_run(tmp_path: Path) -> None:
    found = set()
    program = tmp_path / "program.py"  # a file, because text without one counts as the standard library's
    program.write_text(PROGRAM, encoding="utf-8")
    for hash_seed in ("0", "1", "random"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        ran = subprocess.run([sys.executable, str(program)], env=environment, capture_output=True, text=True, check=True)
        found.add(ran.stdout.strip())
    assert found == {DIGEST}


def test_a_pool_among_a_module_s_globals_has_workers_in_each_process(bare_world: Any) -> None:
    from storcert.harness.kernel.interpose import installed

    module = bare_world.module("""
        import threading, time
        from concurrent.futures import ThreadPoolExecutor

        pool = ThreadPoolExecutor(2, thread_name_prefix="global")
        background = None

        def act():
            futures = [pool.submit(lambda: (time.sleep(1), threading.current_thread().name)[1]) for _ in range(4)]
            return sorted(one.result() for one in futures)

        def once():
            global background
            alive = background is not None and background.is_alive()
            if not alive:
                background = threading.Thread(target=time.sleep, args=(1000,))
                background.start()
            return alive
    """, "pool_module")
    expected = ["global_0", "global_0", "global_1", "global_1"]
    with installed():
        there = bare_world.kernel.location("host2")
        assert bare_world.run(module.act) == expected
        assert bare_world.run(module.act, location=there) == expected
        assert [bare_world.run(module.once) for _ in range(2)] == [False, True]
        bare_world.here.crash()
        bare_world.here.restart()
        assert bare_world.run(module.act) == expected
        assert [bare_world.run(module.once) for _ in range(2)] == [False, True]
        assert bare_world.run(module.once, location=there) is False
    assert module.pool.submit(int, "7").result() == 7

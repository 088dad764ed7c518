"""How threads of a location take turns: by the seed, and the same again; and who waits for whom when nobody goes on."""

from __future__ import annotations

import _thread
import time
from collections.abc import Callable
from typing import Any

from storcert.harness.kernel.loop import Kernel
from storcert.harness.kernel.waits import explain


def test_schedules_differ_from_seed_to_seed_and_are_the_same_again(world: Any) -> None:
    module = world.module("""
        import threading

        def act():
            order, lock = [], threading.Lock()

            def work(name):
                for step in range(4):
                    with lock:
                        order.append(name + str(step))

            threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            return " ".join(order)
    """)

    def run(seed: int) -> tuple[str, str]:
        with Kernel(seed) as kernel:
            task = kernel.spawn(module.act, location=kernel.location("host1"))
            kernel.run_until_done(task)
            return task.result, kernel.digest()

    first = [run(seed) for seed in range(20)]
    assert len({order for order, _ in first}) > 10
    assert first == [run(seed) for seed in range(20)]


def test_threads_without_a_crowd_cost_no_event(world: Any) -> None:
    module = world.module("""
        import threading

        def act():
            lock = threading.Lock()
            for _ in range(100):
                with lock:
                    pass
    """)
    before = world.run(lambda: None)
    seen = len(world.kernel.journal)
    task = world.spawn(module.act)
    world.kernel.step()
    assert task.done and before is None and len(world.kernel.journal) == seen


def test_who_waits_for_whom(world: Any) -> None:
    module = world.module("""
        import threading, time

        def act():
            first, second = threading.Lock(), threading.Lock()

            def work():
                with second:
                    time.sleep(1)
                    with first:
                        pass

            thread = threading.Thread(target=work, name="worker")
            thread.start()
            with first:
                time.sleep(2)
                with second:
                    pass

        def told():
            threading.Event().wait()

        def joined():
            thread = threading.Thread(target=told, name="worker")
            thread.start()
            thread.join()
    """)

    def stuck(function: Callable[[], None]) -> str:
        with Kernel(1) as kernel:
            task = kernel.spawn(function, location=kernel.location("host1"), name="call")
            assert not kernel.run_until_done(task)
            return explain(task, kernel.tasks, lambda frame: None)

    assert stuck(module.act) == "deadlock: 'call' waits for a lock that 'worker' has, 'worker' waits for a lock that 'call' has"
    assert stuck(module.told) == "'call' waits for being told by another thread"
    assert stuck(module.joined) == "'call' waits for the end of 'worker', 'worker' waits for being told by another thread"


def test_a_lock_that_a_module_made_earlier_does_not_stop_the_process(bare_world: Any) -> None:
    from storcert.harness.kernel.interpose import installed

    module = bare_world.module("import threading\nlock = threading.Lock()\nreal = lock\n", "made_earlier")

    def work() -> float:
        with module.lock:
            time.sleep(1)
        return time.time() - 1_700_000_000

    with installed():
        tasks = [bare_world.spawn(work) for _ in range(3)]
        assert bare_world.kernel.run_until_done(*tasks)
    assert sorted(task.result for task in tasks) == [1, 2, 3]
    assert module.lock is module.real and type(module.lock) is type(_thread.allocate_lock())

"""The end of a world: memory comes back, nobody acts, nobody hangs it."""

from __future__ import annotations

import gc
import subprocess
import sys
import textwrap
import weakref
from typing import Any

import pytest

from storcert.harness.kernel import Kernel, LocationCrashed, WorldClosed, closing, current_task


class Ballast:
    """Something to be freed."""

    def __init__(self) -> None:
        self.data = bytearray(1_000_000)


def test_abandoned_tasks_are_unwound_with_every_door_closed() -> None:
    kernel = Kernel()
    host, other = kernel.location("host"), kernel.location("other")
    log: list[Any] = []

    def tries(call: Any) -> None:
        try:
            call()
        except LocationCrashed:
            log.append("refused")

    def body() -> None:
        ballast = Ballast()
        held.append(weakref.ref(ballast))
        try:
            kernel.sleep_ns(100)
        finally:
            log.append(current_task() is task)
            for call in (
                lambda: kernel.sleep_ns(1),
                lambda: kernel.wait(kernel.event()),
                lambda: kernel.spawn(print),
                lambda: kernel.location("new"),
                host.require_open,
                host.restart,
                other.crash,
                other.pause,
            ):
                tries(call)
            kernel.journal.record("late", "host", "words of the dead")

    held: list[weakref.ref[Ballast]] = []
    task = kernel.spawn(body, location=host)
    kernel.run_for(10)
    host.crash()
    kernel.run_for(10)
    assert log == [] and held[0]() is not None
    digest = kernel.digest()
    kernel.close()
    kernel.close()
    assert log == [True] + ["refused"] * 8
    assert kernel.digest() == digest and [event.kind for event in kernel.journal.events] == ["crash"]
    assert held[0]() is None
    assert task.crashed and task.dead and not task.done and task.error is None
    assert current_task() is None


def test_tasks_that_only_wait_are_unwound_too() -> None:
    log: list[str] = []
    with Kernel() as kernel:

        def body() -> None:
            try:
                kernel.wait(kernel.event())
            finally:
                log.append("unwound")

        task = kernel.spawn(body)
        kernel.spawn(body)  # not started, so nothing to unwind
        kernel.step()
        kernel.step()
        never = kernel.spawn(body)
    assert log == ["unwound"] * 2
    assert not task.done and not never.done


def test_a_closed_kernel_says_so_but_keeps_its_digest() -> None:
    kernel = Kernel()
    host = kernel.location("host")
    kernel.journal.record("x", "", "y")
    kernel.run_until_done(kernel.spawn(kernel.sleep_ns, 5))
    before = kernel.digest()
    kernel.close()
    assert kernel.digest() == before
    for call in (kernel.run, lambda: kernel.spawn(print), lambda: kernel.after(1, print), host.restart):
        with pytest.raises(WorldClosed):
            call()


def test_no_finally_runs_through_garbage_collection_while_the_world_lives() -> None:
    log: list[str] = []

    def abandon() -> int:
        kernel = Kernel()
        host = kernel.location("host")

        def body() -> None:
            try:
                kernel.sleep_ns(100)
            finally:
                log.append("finally")

        kernel.spawn(body, location=host)
        kernel.run_for(10)
        host.crash()
        return id(kernel)

    identity = abandon()
    gc.collect()
    assert log == []
    closing._open_worlds[identity].close()
    assert log == ["finally"]


def test_worlds_without_suspended_tasks_need_no_close() -> None:
    before = len(closing._open_worlds)
    kernel = Kernel()
    kernel.run_until_done(kernel.spawn(kernel.sleep_ns, 5))
    assert len(closing._open_worlds) == before


def test_a_task_that_swallows_every_refusal_is_buried() -> None:
    kernel = Kernel()
    host = kernel.location("host")
    tries = 0

    def stubborn() -> None:
        nonlocal tries
        while True:
            try:
                kernel.sleep_ns(10)
            except BaseException:  # noqa: BLE001
                tries += 1

    task = kernel.spawn(stubborn, location=host)
    kernel.run_for(100)
    host.crash()
    kernel.close()
    assert 0 < tries <= 101 and closing.graveyard[-1] is task and current_task() is None


def spin() -> None:
    """Computes for ever, in a frame of its own: CPython may raise at the jump of a ``while`` loop, just outside its ``try``."""
    while True:
        for _ in range(1_000):
            pass


def test_a_task_that_computes_instead_of_dying_is_buried() -> None:
    kernel = Kernel()

    def stubborn() -> None:
        while True:
            try:
                kernel.wait(kernel.event())
            except BaseException:  # noqa: BLE001
                while True:
                    try:
                        spin()
                    except BaseException:  # noqa: BLE001
                        pass

    def polite() -> None:
        try:
            kernel.wait(kernel.event())
        finally:
            log.append("unwound")

    log: list[str] = []
    tasks = [kernel.spawn(polite), kernel.spawn(stubborn), kernel.spawn(polite)]
    kernel.run_for(100)
    kernel.close()
    assert closing.graveyard[-1] is tasks[1] and log == ["unwound"] * 2 and current_task() is None


def test_a_tick_that_comes_when_the_task_is_over_does_not_leave_close(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel()
    kernel.spawn(lambda: kernel.sleep_ns(100))
    kernel.run_for(1)

    def late(_: Any) -> None:
        raise LocationCrashed("this world is over")

    monkeypatch.setattr(kernel, "_ended", late)
    kernel.close()


def test_neither_a_task_nor_a_run_closes_its_kernel() -> None:
    with Kernel() as kernel:
        task = kernel.spawn(kernel.close)
        assert kernel.run_until_done(task)
        assert isinstance(task.error, RuntimeError)
        kernel.after(1, kernel.close)
        with pytest.raises(RuntimeError, match="closed from outside"):
            kernel.run()


def resident_bytes() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4_096


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_thousand_worlds_with_crashed_tasks_do_not_grow() -> None:
    def world() -> None:
        with Kernel() as kernel:
            host = kernel.location("host")

            def body() -> None:
                ballast = bytearray(b"x") * 1_000_000
                kernel.sleep_ns(10 * len(ballast))

            kernel.spawn(body, location=host)
            kernel.run_for(10)
            host.crash()

    for _ in range(20):
        world()
    before = resident_bytes()
    for _ in range(1_000):
        world()
    assert resident_bytes() - before < 50_000_000


def test_the_interpreter_ends_with_open_worlds_and_stubborn_tasks() -> None:
    program = """
        from storcert.harness.kernel import Kernel, current_task
        kernel = Kernel()
        def polite():
            try:
                kernel.sleep_ns(100)
            finally:
                print("unwound as", current_task().name)
        def stubborn():
            while True:
                try:
                    kernel.sleep_ns(100)
                except BaseException:
                    pass
        def spin():
            while True:
                for _ in range(1_000):
                    pass
        def computing():
            while True:
                try:
                    kernel.sleep_ns(100)
                except BaseException:
                    while True:
                        try:
                            spin()
                        except BaseException:
                            pass
        for body in (polite, stubborn, computing):
            kernel.spawn(body)
        kernel.run_for(10)
        print("end")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "end\nunwound as polite\n", "")

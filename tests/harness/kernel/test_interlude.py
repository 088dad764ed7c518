"""Looking at a world in the middle of a run: every task waits meanwhile, and the run is the same to the bit."""

from __future__ import annotations

import pytest

from storcert.harness.kernel import Kernel


def busy(kernel: Kernel) -> None:
    """Three tasks that let time pass, meet at the same instants, and tell the journal."""
    stream = kernel.stream("busy")

    def body(name: str) -> None:
        for _ in range(40):
            kernel.sleep_ns(stream.randrange(3))
            kernel.journal.record("step", name, f"{kernel.now_ns}")

    for name in ("a", "b", "c"):
        kernel.spawn(body, name, location=kernel.location(name), name=name)


def test_the_run_is_the_same_however_often_it_is_looked_at() -> None:
    with Kernel(3) as kernel:
        busy(kernel)
        kernel.run()
        wanted = kernel.digest()
    looks: list[tuple[int, int, str]] = []
    with Kernel(3) as kernel:
        busy(kernel)

        def look() -> None:
            waiting = {task.waiting_for for task in kernel.tasks}
            assert waiting <= {"sleep", "start"}, "somebody runs while somebody looks"
            looks.append((kernel.now_ns, len(kernel.journal), kernel.digest()))

        kernel.journal.listen_to_all(lambda *_: kernel.interlude(look))
        kernel.run()
        assert kernel.digest() == wanted
    assert len(looks) == 120
    assert len({digest for *_, digest in looks}) == 120, "the digest is that of what had happened by then"


def test_it_comes_before_anything_else_at_its_instant() -> None:
    order: list[str] = []
    with Kernel(1) as kernel:
        kernel.after(5, lambda: (order.append("first"), kernel.interlude(lambda: order.append("look"))))
        for number in range(20):
            kernel.after(5, lambda number=number: order.append(f"other {number}"))
        kernel.run()
    assert order.index("look") == order.index("first") + 1
    assert len(order) == 22


def test_what_it_raises_ends_the_run() -> None:
    class Enough(Exception):
        pass

    def enough() -> None:
        raise Enough

    with Kernel(1) as kernel:
        task = kernel.spawn(lambda: kernel.sleep_ns(10))
        kernel.after(3, lambda: kernel.interlude(enough))
        with pytest.raises(Enough):
            kernel.run_until_done(task)
        assert not task.ended


def test_who_listens_to_all_hears_every_event_once_and_can_count() -> None:
    with Kernel(1) as kernel:
        heard: list[tuple[int, str]] = []
        named: list[str] = []
        kernel.journal.record("before", "", "")
        kernel.journal.listen(["x"], lambda _time, _location, kind, *_: named.append(kind))
        kernel.journal.listen_to_all(lambda _time, _location, kind, *_: heard.append((len(kernel.journal), kind)))
        kernel.journal.listen(["y"], lambda _time, _location, kind, *_: named.append(kind))
        for kind in ("x", "y", "z"):
            kernel.journal.record(kind, "", "")
    assert heard == [(2, "x"), (3, "y"), (4, "z")]
    assert named == ["x", "y"]


def test_what_a_task_awaits_can_be_seen_and_is_the_same_while_it_is_paused() -> None:
    with Kernel(1) as kernel:
        event = kernel.event()
        here = kernel.location("here")
        task = kernel.spawn(lambda: kernel.wait(event), location=here)
        kernel.run_for(1)
        assert task.awaited is event
        here.pause()
        assert task.awaited is event
        here.resume()
        event.succeed()
        kernel.run()
        assert task.done

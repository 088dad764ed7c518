"""What stays at the cluster when a client never heard the answer: watches that nobody renews, a lock of its own, an old id."""

from __future__ import annotations

from typing import Any

from storcert.harness.record.fault import Fault, Phase
from tests.simulators.rbd.conftest import SECOND_NS, RbdWorld, Session

CONF = {"rados_osd_op_timeout": "20"}


def test_a_watch_of_an_open_that_timed_out_lapses(world: RbdWorld) -> None:
    def program(s: Session) -> Any:
        s.images.create(s.io, "a", 1000)
        world.arm(Fault("answer_lost", "open", 1, Phase.AFTER))
        assert s.refused(lambda: s.image()) == ("Timeout", 110)
        with s.image(read_only=True) as image:
            assert len(list(image.watchers_list())) == 1
            world.kernel.sleep_ns(31 * SECOND_NS)
            return list(image.watchers_list())

    assert world.run(program, **CONF) == []


def test_a_lock_that_could_not_be_given_back_is_taken_over_by_its_own_client(world: RbdWorld) -> None:
    def program(s: Session) -> Any:
        s.images.create(s.io, "a", 1000)
        image = s.image()
        image.write(b"old", 0)
        image.flush()
        world.arm(Fault("request_lost", "close", 1, Phase.BEFORE))
        image.close()
        with s.image() as again:
            again.write(b"new", 0)
            again.flush()
            return bytes(again.read(0, 3))

    assert world.run(program, None, 120 * SECOND_NS, **CONF) == b"new"


def test_two_clients_that_take_snapshots_at_once_both_get_one(world: RbdWorld) -> None:
    def make(s: Session) -> None:
        s.images.create(s.io, "a", 1000)
        with s.image() as image:
            image.write(b"x", 0)

    def take(name: str) -> Any:
        def program(s: Session) -> None:
            with s.image() as image:
                image.create_snap(name)

        return program

    world.run(make)
    from storcert.harness.kernel.interpose.install import installed

    with installed():
        tasks = [world.spawn(take(f"s{number}"), world.there if number % 2 else world.here) for number in range(6)]
        world.kernel.run_until_done(*tasks)
    assert [task.error for task in tasks] == [None] * 6

    def names(s: Session) -> list[str]:
        with s.image(read_only=True) as image:
            return sorted(one["name"] for one in image.list_snaps())

    assert world.run(names) == [f"s{number}" for number in range(6)]


def test_what_was_given_up_as_too_slow_comes_before_what_is_sent_next(world: RbdWorld) -> None:
    def program(s: Session) -> Any:
        world.arm(Fault("slow", "dir_add_image", 1, Phase.BEFORE, 1, 120 * SECOND_NS))
        assert s.refused(lambda: s.images.create(s.io, "a", 1000)) == ("Timeout", 110)
        if "a" in s.images.list(s.io):
            s.images.remove(s.io, "a")
        world.kernel.sleep_ns(200 * SECOND_NS)
        return s.images.list(s.io)

    assert world.run(program, **CONF) == []
    assert world.kinds() == []

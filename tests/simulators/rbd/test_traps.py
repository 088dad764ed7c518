"""What real Ceph does and nobody expects: each was measured, and drivers must survive it."""

from __future__ import annotations

from typing import Any

from storcert.harness.record.fault import Fault, Phase
from tests.simulators.rbd.conftest import MIB, SECOND_NS, RbdWorld, Session


def _image(s: Session, size: int = 10 * MIB, **arguments: Any) -> None:
    s.images.create(s.io, "a", size, **arguments)


def test_a_write_across_the_end_is_clipped(world: RbdWorld) -> None:
    def program(s: Session) -> Any:
        _image(s, 8192)
        image = s.image()
        assert s.refused(lambda: image.write(b"x" * 8192, 4096)) == ("IncompleteWriteError", None)
        assert s.refused(lambda: image.write(b"x", 8192)) == ("InvalidArgument", 22)
        assert len(image.read(4096, 8192)) == 4096
        assert s.refused(lambda: image.read(8192, 1)) == ("InvalidArgument", 22)
        image.close()

    world.run(program)


def test_a_removed_snapshot_reads_as_zeros_once(world: RbdWorld) -> None:
    def program(s: Session) -> Any:
        _image(s)
        image = s.image()
        image.write(b"abc", 0)
        image.create_snap("s")
        reader = s.image(snapshot="s", read_only=True)
        image.remove_snap("s")
        assert reader.read(0, 3) == b"\0\0\0"
        assert s.refused(lambda: reader.read(0, 3)) == ("ImageNotFound", 2)
        image.close()

    world.run(program)


def test_a_small_discard_is_ignored_and_zeroes_are_not(world: RbdWorld) -> None:
    def program(s: Session) -> Any:
        _image(s)
        with s.image() as image:
            image.write(b"x" * 131072, 0)
            image.discard(0, 65535)
            assert image.read(0, 1) == b"x"
            image.write_zeroes(0, 65535)
            assert image.read(0, 65536) == bytes(65535) + b"x"
            image.discard(65536, 65536)
            assert image.read(65535, 65537) == b"x" + bytes(65536)

    world.run(program)


def test_a_write_returns_before_the_cluster_has_it_and_dies_with_the_location(world: RbdWorld) -> None:
    def program(s: Session) -> Any:
        _image(s)
        image = s.image()
        image.write(b"first", 0)
        image.flush()
        image.write(b"never", 0)
        world.here.crash()

    assert world.run(program) == "crashed"
    assert world.run(lambda s: s.image(read_only=True).read(0, 5), world.there) == b"first"


def test_only_a_flush_reports_that_a_write_failed(world: RbdWorld) -> None:
    def program(s: Session) -> Any:
        _image(s)
        image = s.image()
        image.write(b"x", 0)
        image.flush()
        world.arm(Fault("frozen", "write"))
        assert image.write(b"y", 0) == 1
        assert s.refused(image.flush) == ("Timeout", 110)
        world.device.heal()
        # A timeout is no proof of failure: what the stopped daemons had received was done when they went on.
        assert image.read(0, 1) == b"y"

    world.run(program, rados_osd_op_timeout="5")


def test_a_dead_holder_keeps_others_waiting_for_thirty_seconds(world: RbdWorld) -> None:
    def holder(s: Session) -> Any:
        _image(s)
        image = s.image()
        image.write(b"x", 0)
        image.flush()
        world.here.crash()

    def other(s: Session) -> Any:
        before_ns = world.kernel.now_ns
        assert s.image().read(0, 1) == b"x"
        s.images.remove(s.io, "a")
        return world.kernel.now_ns - before_ns

    world.run(holder)
    assert 29 * SECOND_NS < world.run(other, world.there) < 33 * SECOND_NS
    assert world.kinds() == []


def test_a_live_holder_gives_the_lock_away_and_keeps_it_once_asked_for_by_name(world: RbdWorld) -> None:
    def program(s: Session) -> Any:
        _image(s)
        one, two = s.image(), s.image()
        one.write(b"1", 0)
        two.write(b"2", 1)
        assert (one.is_exclusive_lock_owner(), two.is_exclusive_lock_owner()) == (False, True)
        one.lock_acquire(s.rbd.RBD_LOCK_MODE_EXCLUSIVE)
        assert s.refused(lambda: two.write(b"3", 2)) == ("ReadOnlyImage", 30)
        assert one.read(0, 3) == b"12\0"

    world.run(program)


def test_an_unfinished_removal_is_still_listed_and_its_name_can_be_taken(world: RbdWorld) -> None:
    def program(s: Session) -> Any:
        _image(s)
        with s.image() as image:
            image.write(b"x", 0)
        world.arm(Fault("crash", "trim"))
        s.images.remove(s.io, "a")

    def after(s: Session) -> Any:
        assert s.images.list(s.io) == ["a"]
        assert s.refused(s.image) == ("ImageNotFound", 2)
        assert list(s.images.trash_list(s.io)) == []
        _image(s)
        assert s.images.list(s.io) == ["a", "a"]
        s.images.remove(s.io, "a")
        s.images.remove(s.io, "a")
        assert s.refused(lambda: s.images.remove(s.io, "a")) == ("ImageNotFound", 2)
        return s.images.list(s.io)

    assert world.run(program) == "crashed"
    assert world.kinds() == ["dead-watch storcert/a client.4100", "trash storcert/a removing"]
    assert world.run(after, world.there) == []


def test_renaming_onto_a_name_whose_id_is_gone_half_happens_and_says_that_all_is_well(world: RbdWorld) -> None:
    def program(s: Session) -> Any:
        s.images.create(s.io, "b", 4096)
        s.images.create(s.io, "c", 4096)
        s.io.remove_object("rbd_id.b")
        s.images.rename(s.io, "c", "b")
        assert s.image("b", read_only=True).id() == s.image("c", read_only=True).id()
        return s.images.list(s.io)

    assert world.run(program) == ["b", "c"]


def test_a_copy_of_a_live_image_is_not_of_one_moment(world: RbdWorld) -> None:
    def copier(s: Session) -> Any:
        s.images.create(s.io, "a", 48 * MIB)
        with s.image() as image:
            for number in range(12):
                image.write(b"old", number * 4 * MIB)
            image.flush()
            ready.succeed()
            image.copy(s.io, "copy")
        with s.image("copy", read_only=True) as made:
            return [made.read(number * 4 * MIB, 3) for number in (0, 11)]

    def writer(s: Session) -> Any:
        world.kernel.wait(ready)
        with s.image() as image:
            while "copy_read" not in world.operations():
                world.kernel.sleep_ns(SECOND_NS // 1000)
            for number in (0, 11):
                image.write(b"new", number * 4 * MIB)
            image.flush()

    from storcert.harness.kernel.interpose.install import installed

    ready = world.kernel.event()
    with installed():
        copying = world.spawn(copier)
        writing = world.spawn(writer, world.there)
        world.kernel.run_until_done(copying, writing)
    assert (copying.error, writing.error) == (None, None)
    assert copying.result == [b"old", b"new"]


def test_without_a_timeout_a_silent_cluster_is_waited_for_for_ever(world: RbdWorld) -> None:
    def program(s: Session) -> Any:
        world.arm(Fault("request_lost", "dir_add_image"))
        _image(s)

    from storcert.harness.kernel.interpose.install import installed

    with installed():
        task = world.spawn(program)
        assert not world.kernel.run_until_done(task, limit_ns=86_400 * SECOND_NS)
    assert not task.done


def test_an_answer_that_was_lost_leaves_the_image_there(world: RbdWorld) -> None:
    def program(s: Session) -> Any:
        world.arm(Fault("answer_lost", "header_create", phase=Phase.AFTER))
        assert s.refused(lambda: _image(s)) == ("Timeout", 110)
        return s.images.list(s.io)

    world.run(program, rados_osd_op_timeout="5")
    assert all("half" not in kind for kind in world.kinds())

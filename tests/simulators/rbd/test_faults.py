"""Legal faults through the faces: what the client sees, what the cluster holds, what the log says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from storcert.harness.kernel.interpose.install import installed
from storcert.harness.record.fault import Fault, Phase
from storcert.simulators.rbd.legal_faults import LEGAL_FAULTS, MONITOR, WATCHED, WRITES
from tests.simulators.rbd.conftest import MIB, SECOND_NS, RbdWorld, Session

A = Phase.AFTER
CONF = {"rados_osd_op_timeout": "30", "rados_mon_op_timeout": "30", "client_mount_timeout": "30"}

#: On creating an image: the fault, what is seen, and whether an image can be opened once all is over.
CREATE_FAULTS: list[tuple[Fault, tuple[str, int] | None, bool]] = [
    (Fault("request_lost", "header_create"), ("Timeout", 110), False),
    (Fault("answer_lost", "header_create", phase=A, value=1), None, True),
    (Fault("slow", "header_create", value=2 * SECOND_NS), None, True),
    (Fault("server_restart", "header_create", value=5 * SECOND_NS), None, True),
    (Fault("server_restart", "header_create", value=120 * SECOND_NS), ("Timeout", 110), False),
    (Fault("power_loss", "header_create"), None, True),
    (Fault("blocklisted", "header_create"), ("ConnectionShutdown", 108), False),
    (Fault("full", "header_create"), ("Timeout", 110), False),
]


@pytest.mark.parametrize(("fault", "seen", "there"), CREATE_FAULTS, ids=lambda value: str(value))
def test_a_create_that_is_struck(world: RbdWorld, fault: Fault, seen: Any, there: bool) -> None:
    world.arm(fault)
    assert world.run(lambda s: s.refused(lambda: s.images.create(s.io, "a", MIB)), **CONF) == seen
    assert world.device.fired == [fault]
    world.device.heal()
    opened = world.run(lambda s: s.refused(lambda: s.image(read_only=True)), world.there, **CONF)
    assert (opened is None) is there


def test_a_request_that_was_sent_again_is_done_once(world: RbdWorld) -> None:
    world.arm(Fault("answer_lost", "object_write", phase=A, value=1))
    world.run(lambda s: s.io.append("o", b"x"))
    assert world.operations().count("object_write") == 2
    assert world.run(lambda s: s.io.read("o")) == b"x"


def test_a_slow_request_takes_effect_after_the_client_gave_up(world: RbdWorld) -> None:
    world.arm(Fault("slow", "object_write", value=120 * SECOND_NS))
    refused = world.run(lambda s: s.refused(lambda: s.io.write_full("o", b"x")), **CONF)
    assert refused == ("TimedOut", 110)
    assert world.kinds() == []
    world.kernel.run_for(120 * SECOND_NS)
    assert world.kinds() == ["object storcert/o"]


def test_stopped_daemons_do_later_what_they_had_received(world: RbdWorld) -> None:
    world.arm(Fault("frozen", "object_write"))

    def program(s: Session) -> Any:
        return [
            s.refused(lambda: s.io.write_full("o", b"x")), s.refused(lambda: s.io.read("o")),
            s.refused(lambda: s.image(read_only=True)),
        ]

    assert world.run(program, **CONF) == [("TimedOut", 110), ("TimedOut", 110), ("Timeout", 110)]
    assert world.kinds() == []
    world.device.heal()
    assert world.kinds() == ["object storcert/o"]


def test_whoever_waits_for_stopped_daemons_goes_on_with_them(world: RbdWorld) -> None:
    world.arm(Fault("frozen", "object_write"))
    with installed():
        task = world.spawn(lambda s: s.io.write_full("o", b"x"))
        assert not world.kernel.run_until_done(task, limit_ns=3600 * SECOND_NS)
        world.device.heal()
        assert world.kernel.run_until_done(task, limit_ns=SECOND_NS)
    assert task.error is None
    assert world.operations().count("object_write") == 1


def test_without_a_monitor_reads_and_writes_go_on_and_snapshots_do_not(world: RbdWorld) -> None:
    def program(s: Session) -> Any:
        s.images.create(s.io, "a", MIB)
        image = s.image()
        world.arm(Fault("monitor_gone", "snap_allocate"))
        assert s.refused(lambda: image.create_snap("s")) == ("Timeout", 110)
        image.write(b"x", 0)
        image.flush()
        assert image.read(0, 1) == b"x"
        assert s.refused(lambda: Session(**CONF)) == ("TimedOut", 110)

    world.run(program, **CONF)


def test_a_blocklisted_client_is_shut_out_until_it_connects_anew(world: RbdWorld) -> None:
    def program(s: Session) -> Any:
        s.images.create(s.io, "a", MIB)
        image = s.image()
        world.arm(Fault("blocklisted", "lock_acquire"))
        shut_out = ("ConnectionShutdown", 108)
        assert s.refused(lambda: image.write(b"x", 0)) == shut_out
        assert s.refused(lambda: image.read(0, 1)) == shut_out
        assert s.refused(lambda: s.image()) == shut_out
        image.close()
        again = Session(**CONF)
        with again.image() as opened:
            assert opened.write(b"x", 0) == 1

    world.run(program, **CONF)


def test_a_full_pool_lets_reads_through_and_keeps_writers_waiting(world: RbdWorld) -> None:
    def program(s: Session) -> Any:
        s.images.create(s.io, "a", MIB)
        with s.image() as image:
            image.write(b"x", 0)
            image.flush()
            world.arm(Fault("full", "write"))
            assert image.write(b"y", 0) == 1
            assert s.refused(image.flush) == ("Timeout", 110)
            assert image.read(0, 1) == b"x"
            world.device.heal()
            image.write(b"z", 0)
            image.flush()
            assert image.read(0, 1) == b"z"

    world.run(program, **CONF)


def test_a_watcher_that_died_just_now_holds_up_a_removal_for_thirty_seconds(world: RbdWorld) -> None:
    def program(s: Session) -> Any:
        s.images.create(s.io, "a", MIB)
        before_ns = world.kernel.now_ns
        s.images.remove(s.io, "a")
        return world.kernel.now_ns - before_ns

    world.arm(Fault("dead_watcher", "remove_validate"))
    assert 29 * SECOND_NS < world.run(program) < 33 * SECOND_NS
    assert world.kinds() == []


CRASHES: list[tuple[str, Callable[[Session], Any]]] = [
    ("create", lambda s: s.images.create(s.io, "b", MIB)),
    ("remove", lambda s: s.images.remove(s.io, "a")),
    ("rename", lambda s: s.images.rename(s.io, "a", "b")),
    ("clone", lambda s: s.images.clone(s.io, "p", "s", s.io, "b")),
    ("trash", lambda s: s.images.trash_move(s.io, "a")),
]


@pytest.mark.parametrize(("name", "call"), CRASHES, ids=[name for name, _ in CRASHES])
def test_whoever_dies_between_two_requests_leaves_what_the_next_can_remove(
    make_world: Callable[..., RbdWorld], name: str, call: Callable[[Session], Any],
) -> None:
    def prepare(s: Session) -> None:
        for image in ("a", "p"):
            s.images.create(s.io, image, MIB)
            with s.image(image) as opened:
                opened.write(b"x", 0)
        with s.image("p") as opened:
            opened.create_snap("s")

    def clear(s: Session) -> Any:
        for entry in s.images.trash_list(s.io):
            s.images.trash_remove(s.io, entry["id"], True)
        for image in ("b", "a"):
            while image in s.images.list(s.io):
                s.images.remove(s.io, image)
            # A rename that stopped half way leaves an id the directory does not know: a removal takes it and finds nothing.
            with pytest.raises(s.rbd.ImageNotFound):
                s.images.remove(s.io, image)
        with s.image("p") as opened:
            for snap in opened.list_snaps():
                opened.remove_snap_by_id(snap["id"])
        s.images.remove(s.io, "p")

    place, phases = 0, set()
    while True:
        world = make_world()
        world.run(prepare, world.there, rbd_default_clone_format="2")
        before = len(world.operations())
        world.arm(Fault("crash", nth=place // 2 + 2, phase=(Phase.BEFORE, A)[place % 2], location="here"))
        if world.run(call, rbd_default_clone_format="2") != "crashed":
            break
        phases.add(world.operations()[-1])
        assert len(world.operations()) > before
        world.device.heal()
        world.kernel.run_for(60 * SECOND_NS)
        world.run(clear, world.there, rbd_default_clone_format="2")
        assert world.kinds() == [], (name, place, sorted(phases))
        place += 1
    assert len(phases) >= 3


def test_faults_are_moderate_and_each_names_its_source() -> None:
    kinds = {kind.name: kind for kind in LEGAL_FAULTS}
    assert set(kinds) == {
        "request_lost", "answer_lost", "slow", "server_restart", "power_loss", "crash", "frozen", "monitor_gone",
        "blocklisted", "full", "dead_watcher",
    }
    assert all(kind.source and kind.description for kind in LEGAL_FAULTS)
    assert (kinds["monitor_gone"].operations, kinds["full"].operations, kinds["dead_watcher"].operations) == (
        MONITOR, WRITES, WATCHED)


def test_an_unlawful_fault_is_refused(world: RbdWorld) -> None:
    with pytest.raises(ValueError, match="no legal fault"):
        world.arm(Fault("throttle"))
    with pytest.raises(ValueError, match="cannot strike"):
        world.arm(Fault("full", "read"))

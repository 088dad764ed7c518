"""A full pool: who waits, who is refused, and what goes on all the same. As measured with a quota and a manager."""

from __future__ import annotations

from typing import Any

from storcert.harness.record.fault import Fault, Phase
from tests.simulators.rbd.conftest import MIB, RbdWorld, Session

CONF = {"rados_osd_op_timeout": "8", "rbd_default_clone_format": "2"}


def fill(world: RbdWorld) -> None:
    world.arm(Fault("full", "*", 1, Phase.BEFORE, 0))


def test_without_asking_writes_and_removals_wait(world: RbdWorld) -> None:
    def program(s: Session) -> Any:
        s.images.create(s.io, "a", 10 * MIB)
        fill(world)
        return s.refused(lambda: s.images.remove(s.io, "a")), s.images.list(s.io)

    assert world.run(program, **CONF) == (("Timeout", 110), ["a"])


def test_full_try_is_refused_what_needs_room_and_removes(world: RbdWorld) -> None:
    def program(s: Session) -> Any:
        for name in "ab":
            s.images.create(s.io, name, 10 * MIB)
        s.io.set_osdmap_full_try()
        fill(world)
        assert s.refused(lambda: s.images.create(s.io, "c", MIB)) == ("DiskQuotaExceeded", 122)
        with s.image() as image:
            image.create_snap("s")
            image.write(b"x", 0)
            assert s.refused(image.flush) == ("DiskQuotaExceeded", 122)
        assert s.refused(lambda: s.images.clone(s.io, "a", "s", s.io, "c")) == ("ImageNotFound", 2)
        with s.rados.WriteOpCtx() as op:
            op.new(0)
            s.io.set_omap(op, ("key",), (b"value",))
            s.io.operate_write_op(op, "plain")
        s.images.remove(s.io, "b")
        return s.images.list(s.io)

    assert world.run(program, **CONF) == ["a"]

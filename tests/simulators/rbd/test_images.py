"""Images on a healthy cluster: what can be done with them, and what is refused with which exception and number."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from tests.simulators.rbd.conftest import MIB, RbdWorld, Session


def test_a_life_of_an_image(world: RbdWorld) -> None:
    def program(s: Session) -> Any:
        s.images.create(s.io, "a", 10 * MIB)
        with s.image() as image:
            assert image.write(b"abc", 5 * MIB) == 3
            image.flush()
            image.create_snap("s")
            image.write(b"xyz", 5 * MIB)
            assert image.read(5 * MIB, 4) == b"xyz\0"
            image.set_snap("s")
            assert image.read(5 * MIB, 4) == b"abc\0"
            image.set_snap(None)
            image.rollback_to_snap("s")
            assert image.read(5 * MIB, 3) == b"abc"
            assert s.refused(lambda: s.images.remove(s.io, "a")) == ("ImageHasSnapshots", 39)
            image.remove_snap("s")
        s.images.rename(s.io, "a", "b")
        assert s.images.list(s.io) == ["b"]
        s.images.remove(s.io, "b")
        return s.images.list(s.io)

    assert world.run(program) == []
    assert world.kinds() == []


def test_a_clone_of_format_2_keeps_its_snapshot_alive_out_of_sight(world: RbdWorld) -> None:
    def program(s: Session) -> Any:
        s.images.create(s.io, "a", 10 * MIB)
        with s.image() as image:
            image.write(b"abc", 0)
            image.create_snap("s")
            s.images.clone(s.io, "a", "s", s.io, "c")
            image.remove_snap("s")
            snaps = [(one["namespace"], one.get("trash")) for one in image.list_snaps()]
            assert snaps == [(2, {"original_name": "s"})]
            assert not image.snap_exists("s")
            (trashed,) = (one["id"] for one in image.list_snaps())
            assert s.refused(lambda: image.remove_snap_by_id(trashed)) == ("ImageBusy", 16)
        with s.image("c") as clone:
            assert clone.features() == 317
            assert clone.read(0, 3) == b"abc"
            clone.flatten()
            assert clone.read(0, 3) == b"abc"
            assert s.refused(clone.parent_info) == ("ImageNotFound", 2)
        return [list(s.image(name).list_snaps()) for name in ("a", "c")]

    assert world.run(program, rbd_default_clone_format="2") == [[], []]


def test_an_image_without_bytes_cannot_be_cloned(world: RbdWorld) -> None:
    def program(s: Session) -> Any:
        s.images.create(s.io, "a", 0)
        with s.image() as image:
            image.create_snap("s")
        return s.refused(lambda: s.images.clone(s.io, "a", "s", s.io, "c")), s.images.list(s.io)

    assert world.run(program, rbd_default_clone_format="2") == (("InvalidArgument", 22), ["a"])


def test_the_modules_say_where_they_can_be_used() -> None:
    with pytest.raises(RuntimeError, match="simulated location"):
        importlib.import_module("rados").Rados()

"""Omaps past what one request gives, and the lists librbd keeps in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.simulators.rbd.conftest import MIB, RbdWorld, Session


def test_one_read_gives_a_page_however_much_is_asked_for(make_world: Callable[..., RbdWorld]) -> None:
    def program(s: Session) -> Any:
        keys = tuple(f"k{number:02}" for number in range(7))
        with s.rados.WriteOpCtx() as op:
            s.io.set_omap(op, keys, tuple(b"v" for _ in keys))
            s.io.operate_write_op(op, "plain")
        pages, after = [], ""
        while True:
            with s.rados.ReadOpCtx() as op:
                answer, _ = s.io.get_omap_vals(op, after, "k", 500)
                s.io.operate_read_op(op, "plain")
                page = [key for key, _ in answer]
            pages.append(len(page))
            if not page:
                return pages
            after = page[-1]

    assert make_world(page_size=3).run(program) == [3, 3, 1, 0]


def test_an_operation_that_makes_the_object_may_guard_and_clear_keys_of_it(world: RbdWorld) -> None:
    def write(s: Session, *, new: bool) -> Any:
        def run() -> None:
            with s.rados.WriteOpCtx() as op:
                if new:
                    op.new(0)
                op.omap_cmp("key", "")
                s.io.remove_omap_keys(op, ("other",))
                s.io.set_omap(op, ("key",), (b"value",))
                s.io.operate_write_op(op, "plain")

        return s.refused(run)

    def program(s: Session) -> Any:
        return [write(s, new=new) for new in (False, True, True)]

    assert world.run(program) == [("ObjectNotFound", 2), None, ("OSError", 125)]


def test_librbds_lists_can_be_asked_for_an_id(world: RbdWorld) -> None:
    def program(s: Session) -> Any:
        s.images.create(s.io, "a", MIB)
        with s.image() as image:
            wanted = f"id_{image.id()}"
        found = []
        for register in ("rbd_directory",):
            with s.rados.ReadOpCtx() as op:
                answer, _ = s.io.get_omap_vals_by_keys(op, (wanted, "id_0"))
                s.io.operate_read_op(op, register)
                found.append([key for key, _ in answer])
        return found == [[wanted]]

    assert world.run(program)


def test_a_value_of_no_bytes_is_read_as_none(world: RbdWorld) -> None:
    """Measured: the binding cannot tell it from a value that was not asked for."""

    def program(s: Session) -> Any:
        with s.rados.WriteOpCtx() as op:
            s.io.set_omap(op, ("empty", "full"), (b"", b"x"))
            s.io.operate_write_op(op, "plain")
        with s.rados.ReadOpCtx() as op:
            found, _ = s.io.get_omap_vals(op, "", "", 10)
            s.io.operate_read_op(op, "plain")
            return list(found)

    assert world.run(program) == [("empty", None), ("full", b"x")]

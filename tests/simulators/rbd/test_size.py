"""What is not there costs nothing: an image of a terabyte, its snapshots, clones and copies, and many small objects."""

from __future__ import annotations

import time
import tracemalloc
from typing import Any

from storcert.simulators.rbd import osd
from tests.simulators.rbd.conftest import RbdWorld, Session

TIB = 1 << 40


def test_a_terabyte_that_holds_little_is_little_work(world: RbdWorld) -> None:
    def program(s: Session) -> Any:
        s.images.create(s.io, "a", TIB)
        with s.image() as image:
            image.write(b"end", TIB - 3)
            image.create_snap("s")
            image.protect_snap("s")
            s.images.clone(s.io, "a", "s", s.io, "b")
            image.copy(s.io, "c")
            image.rollback_to_snap("s")
            image.resize(TIB // 2)
        with s.image("b") as clone:
            clone.discard(0, 1 << 30)
            clone.flatten()
        for name in ("b", "c"):
            with s.image(name, read_only=True) as image:
                assert image.read(TIB - 4, 4) == b"\0end"
            s.images.remove(s.io, name)

    began = time.process_time()
    world.run(program)
    assert time.process_time() - began < 2
    assert sum(entry.size_bytes for entry in world.device.census() if entry.kind == "image") == 0


def test_a_small_object_takes_little_memory(world: RbdWorld) -> None:
    pool, many = world.device.model.pools["storcert"], 20_000
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(many):
            osd.change(pool, f"object-{number:09}", [lambda changed, _: changed.replace(b"x" * 16)], number)
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert taken / many < 400

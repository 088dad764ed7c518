"""An image that nobody holds any more is closed at once, as the real binding does it, whatever was refused before."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest

from storcert.harness.record.fault import Fault
from tests.simulators.rbd.conftest import MIB, RbdWorld, Session

TIMEOUT = {"rados_osd_op_timeout": "3"}


def silence(s: Session) -> None:
    """A request that is lost on the way."""
    s.io.write_full("lost", b"x")


REFUSED: dict[str, Callable[[Session], Any]] = {
    "an object": lambda s: s.io.read("nothing"),
    "an image": lambda s: s.images.remove(s.io, "nothing"),
    "opening one": lambda s: s.image("nothing"),
    "nothing, by silence": silence,
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_refusal_keeps_no_frame_of_its_caller(world: RbdWorld, what: str) -> None:
    world.arm(Fault("request_lost", "object_write"))

    def refused_and_dropped(s: Session) -> None:
        handle = s.image()
        s.refused(lambda: REFUSED[what](s))
        handle.write(b"x", 0)

    def program(s: Session) -> Any:
        s.images.create(s.io, "a", MIB)
        gc.disable()
        try:
            refused_and_dropped(s)
            return s.refused(lambda: s.images.remove(s.io, "a"))
        finally:
            gc.enable()

    assert world.run(program, **TIMEOUT) is None

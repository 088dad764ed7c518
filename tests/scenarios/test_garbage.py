"""What an operation leaves to the garbage collector: next to nothing, or a region that runs for long stands still again and
again to have everything it holds looked through."""

from __future__ import annotations

import gc

import pytest

from storcert.harness.logical.control_plane import ControlPlane
from tests.scenarios.regions import one_zone, template, volume

OPERATIONS = 30
PER_OPERATION_MAX = 25


def some(control: ControlPlane) -> None:
    for number in range(OPERATIONS // 3):
        control.create_from(volume(f"n{number}"), template(), device="volumes")
        control.migrate(volume(f"n{number}"), "beside")
        control.delete(volume(f"n{number}"))


@pytest.mark.parametrize("kind", ["nfs", "object-store", "rbd"])
def test_an_operation_leaves_next_to_nothing(kind: str) -> None:
    with one_zone(kind) as region:
        region.call(lambda c: c.create_volume(volume("a"), 4096, device="volumes"))
        region.call(lambda c: c.create_from(template(), volume("a"), zone="z1"))
        gc.collect()
        gc.disable()
        try:
            region.call(some)
            left = gc.collect()
        finally:
            gc.enable()
    assert left / OPERATIONS <= PER_OPERATION_MAX

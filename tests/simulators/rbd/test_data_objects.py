"""What the data objects of an image keep for its snapshots."""

from __future__ import annotations

from storcert.simulators.extents import Extents
from storcert.simulators.rbd.data_objects import ImageData


def put(data: ImageData, contents: bytes, snaps: tuple[int, ...]) -> None:
    one = data.changing(0, snaps)
    one.head = Extents()
    one.head.write(0, contents)


def test_nothing_is_kept_for_a_snapshot_whose_id_was_given_back_while_the_image_still_names_it() -> None:
    data = ImageData()
    put(data, b"before", ())
    data.forget(5)
    put(data, b"after", (5,))
    assert data.objects[0].clones is None
    data.unnamed(5)
    data.remove(0, ())
    assert data.objects == {}


def test_what_others_hold_is_kept_all_the_same() -> None:
    data = ImageData()
    put(data, b"before", ())
    data.forget(5)
    put(data, b"after", (4, 5))
    data.remove(0, (4, 5))
    kept = data.at(0, 4)
    assert kept is not None
    assert kept.read(0, 6) == b"before"
    data.forget(4)
    assert data.objects == {}

"""Reading and writing an image where its data is: objects, snapshots, parents, copy-up. Effects of requests, at one instant.

Neighbouring data objects of one call are one request, where librbd sends one per object: their effects are not torn apart by
a crash here. A write to an object a clone does not have yet copies the whole object from the parent first.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator

from storcert.simulators.extents import Extents
from storcert.simulators.rbd.data_objects import ImageData
from storcert.simulators.rbd.model import Cluster, Header, Parent, Pool
from storcert.simulators.rbd.refusal import Refusal


def pieces(order: int, offset: int, length: int) -> Iterator[tuple[int, int, int]]:
    """Object number, place in the object and length, for each object a range touches."""
    object_bytes = 1 << order
    end = offset + length
    while offset < end:
        number, within = offset >> order, offset & (object_bytes - 1)
        amount = min(object_bytes - within, end - offset)
        yield number, within, amount
        offset += amount


class Source:
    """Where to read: one image at one moment. ``parent``: as it was at that moment."""

    __slots__ = ("cluster", "data", "order", "parent", "snap_id")

    def __init__(
        self, cluster: Cluster, pool: Pool, image_id: str, order: int, snap_id: int | None, parent: Parent | None,
    ) -> None:
        self.cluster = cluster
        self.data: ImageData | None = pool.data.get(image_id)
        self.order = order
        self.snap_id = snap_id
        self.parent = parent

    def above(self) -> tuple[Source, int] | None:
        """The parent's snapshot, and how far it reaches."""
        parent = self.parent
        if parent is None or not parent.overlap_bytes:
            return None
        pool = self.cluster.pools_by_id.get(parent.pool_id)
        header = None if pool is None else pool.headers.get(parent.image_id)
        if pool is None or header is None:
            raise Refusal(errno.ENOENT)
        snap = header.state.numbered(parent.snap_id)
        grand = None if snap is None else snap.parent
        source = Source(self.cluster, pool, parent.image_id, header.state.order, parent.snap_id, grand)
        return source, parent.overlap_bytes

    def contents(self, number: int) -> Extents | None:
        """One object of this image itself."""
        return None if self.data is None else self.data.at(number, self.snap_id)

    def read(self, offset: int, length: int) -> bytes:
        """The bytes of a range; zeros where nothing is."""
        found: list[bytes] = []
        above: tuple[Source, int] | None = None
        asked = False
        for number, within, amount in pieces(self.order, offset, length):
            contents = self.contents(number)
            if contents is not None:
                found.append(contents.read(within, amount).ljust(amount, b"\0"))
                continue
            if not asked:
                above, asked = self.above(), True
            start = (number << self.order) + within
            if above is None or start >= above[1]:
                found.append(bytes(amount))
            else:
                found.append(above[0].read(start, min(amount, above[1] - start)).ljust(amount, b"\0"))
        return found[0] if len(found) == 1 else b"".join(found)

    def numbers(self) -> set[int]:
        """Objects that can hold anything, here or above: few, however large the image is."""
        found = set() if self.data is None else set(self.data.objects)
        above = self.above()
        if above is not None:
            source, overlap = above
            for number in source.numbers():
                start = number << source.order
                if start < overlap:
                    last = min(start + (1 << source.order), overlap) - 1
                    found.update(range(start >> self.order, (last >> self.order) + 1))
        return found

    def piece(self, number: int) -> Extents:
        """A whole object, as sparse as it is kept; shorter where it ends early."""
        contents = self.contents(number)
        if contents is not None:
            return contents.copy()
        above = self.above()
        start, length = number << self.order, 1 << self.order
        if above is None or start >= above[1]:
            return Extents()
        source, overlap = above
        if source.order != self.order:
            return Extents(source.read(start, min(length, overlap - start)))
        found = source.piece(number)
        if found.size_bytes > overlap - start:
            found.truncate(overlap - start)
        return found

    def holds(self, offset: int, length: int, *, something: bool = False) -> bool:
        """Whether an object touched by the range exists, here or above; ``something``: and is not empty."""
        above: tuple[Source, int] | None = None
        asked = False
        for number, within, amount in pieces(self.order, offset, length):
            contents = self.contents(number)
            if contents is not None and (contents.size_bytes or not something):
                return True
            if contents is not None:
                continue
            if not asked:
                above, asked = self.above(), True
            start = (number << self.order) + within
            if above is not None and start < above[1] and above[0].holds(start, min(amount, above[1] - start)):
                return True
        return False


def data_of(pool: Pool, image_id: str) -> ImageData:
    """The data objects of an image, made where there are none."""
    found = pool.data.get(image_id)
    if found is None:
        found = pool.data[image_id] = ImageData()
    return found


def source_now(cluster: Cluster, pool: Pool, header: Header) -> Source:
    """The image as it is."""
    return Source(cluster, pool, header.image_id, header.state.order, None, header.state.parent)


def copy_up(cluster: Cluster, pool: Pool, header: Header, number: int) -> bool:
    """The clone gets an object of its own, with what the parent has there; gives whether there was anything to get.

    The copy stands for all the clone's snapshots too: they read the same bytes from the parent until now.
    """
    data = pool.data.get(header.image_id)
    if data is not None and number in data.objects:
        return False
    source = source_now(cluster, pool, header)
    above = source.above()
    order = header.state.order
    start = number << order
    if above is None or start >= above[1] or not above[0].holds(start, min(1 << order, above[1] - start)):
        return False
    contents = source.piece(number)
    data_of(pool, header.image_id).changing(number, ()).head = contents
    return True


def write(cluster: Cluster, pool: Pool, header: Header, offset: int, payload: bytes) -> None:
    """Put bytes into the image."""
    state = header.state
    snaps = state.snap_ids
    data = data_of(pool, header.image_id)
    at = 0
    for number, within, amount in pieces(state.order, offset, len(payload)):
        if state.parent is not None and number not in data.objects and amount < 1 << state.order:
            copy_up(cluster, pool, header, number)
        one = data.changing(number, snaps)
        if one.head is None:
            one.head = Extents()
        one.head.write(within, payload if amount == len(payload) else payload[at : at + amount])
        at += amount
    header.modified_ns = cluster.now()


def put_piece(pool: Pool, header: Header, number: int, contents: Extents) -> None:
    """A whole object becomes these contents, cut where the image ends."""
    state = header.state
    room = min(1 << state.order, state.size_bytes - (number << state.order))
    if contents.size_bytes > room:
        contents.truncate(room)
    data_of(pool, header.image_id).changing(number, state.snap_ids).head = contents


def zero(cluster: Cluster, pool: Pool, header: Header, offset: int, length: int, granularity_bytes: int | None) -> None:
    """Zeros in a range. With a granularity it is a discard: parts of an object that are no multiple of it are left alone, and
    nothing is made of nothing."""
    state = header.state
    object_bytes = 1 << state.order
    discard = granularity_bytes is not None
    grain = min(granularity_bytes or 1, object_bytes)
    for number, within, amount in _zeroed(cluster, pool, header, offset, length):
        start = -(-within // grain) * grain
        end = (within + amount) // grain * grain
        if start < end:
            zero_object(cluster, pool, header, number, start, end, discard)


def _zeroed(cluster: Cluster, pool: Pool, header: Header, offset: int, length: int) -> list[tuple[int, int, int]]:
    """The pieces of a range that can hold anything: a terabyte of nothing costs nothing."""
    state = header.state
    parent = state.parent
    overlap = 0 if parent is None else parent.overlap_bytes
    data = pool.data.get(header.image_id)
    first, last = offset >> state.order, (offset + length - 1) >> state.order
    if data is None and not overlap:
        return []
    if last - first > 4096:
        numbers = {number for number in source_now(cluster, pool, header).numbers() if first <= number <= last}
        found: list[tuple[int, int, int]] = []
        for number in sorted(numbers):
            start = max(offset, number << state.order)
            end = min(offset + length, (number + 1) << state.order)
            found += pieces(state.order, start, end - start)
        return found
    return list(pieces(state.order, offset, length))


def zero_object(
    cluster: Cluster, pool: Pool, header: Header, number: int, start: int, end: int, discard: bool,
) -> None:
    """Zeros in one object. A whole one is deleted, unless the parent would show through."""
    state = header.state
    data = data_of(pool, header.image_id)
    whole = start == 0 and end == 1 << state.order
    parent = state.parent
    covered = parent is not None and number << state.order < parent.overlap_bytes
    if number not in data.objects:
        if not covered:
            return
        if not whole:
            copy_up(cluster, pool, header, number)
            if discard and number not in data.objects:
                return
    if whole and not covered:
        data.remove(number, state.snap_ids)
        return
    one = data.changing(number, state.snap_ids)
    if whole:
        one.head = Extents()
    elif one.head is None:
        one.head = Extents()
        one.head.truncate(end)  # zeros that hide the parent, written out
    elif end >= one.head.size_bytes:
        one.head.truncate(min(start, one.head.size_bytes))
    else:
        one.head.zero(start, end - start)


def trim(cluster: Cluster, pool: Pool, header: Header, size_bytes: int, limit: int) -> bool:
    """Delete up to ``limit`` objects beyond a size, last ones first, and cut the one the end is in, which a clone must have of
    its own for that; whether any are left."""
    state = header.state
    within = size_bytes & ((1 << state.order) - 1)
    if within and state.parent is not None:
        copy_up(cluster, pool, header, size_bytes >> state.order)
    data = pool.data.get(header.image_id)
    if data is None:
        return False
    first = -(-size_bytes >> state.order)
    doomed = [number for number in sorted(data.objects, reverse=True) if number >= first and data.at(number, None) is not None]
    for number in doomed[:limit]:
        data.remove(number, state.snap_ids)
    if len(doomed) > limit:
        return True
    if within:
        number = size_bytes >> state.order
        one = data.objects.get(number)
        if one is not None and one.head is not None and one.head.size_bytes > within:
            data.changing(number, state.snap_ids)
            one.head.truncate(within)
    return False


def roll_back(pool: Pool, header: Header, snap_id: int, after: int, limit: int) -> int | None:
    """Up to ``limit`` objects numbered above ``after`` become what they were; gives the last one done, ``None`` at the end."""
    data = pool.data.get(header.image_id)
    if data is None:
        return None
    numbers = [number for number in sorted(data.objects) if number > after]
    for number in numbers[:limit]:
        then = data.at(number, snap_id)
        if then is data.at(number, None):
            continue
        if then is None:
            data.remove(number, header.state.snap_ids)
        else:
            data.changing(number, header.state.snap_ids).head = then.copy()
    return numbers[limit - 1] if len(numbers) > limit else None

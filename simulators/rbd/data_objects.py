"""The data objects of one image: contents of 2^order bytes each, kept once per snapshot that still needs them.

As RADOS does it: before the first write after a snapshot, the object is cloned for the snapshots it has not been cloned for
since. Nothing of librbd here (no sizes, no parents): numbers, bytes and snapshot ids only.
"""

from __future__ import annotations

from bisect import bisect_left

from storcert.simulators.extents import Extents


class DataObject:
    """``head``: contents now, ``None`` where there is none. ``seq``: the newest snapshot it was cloned for. ``clones``: by
    ascending newest snapshot, the snapshots each still serves and its contents; ``None`` as long as there is none."""

    __slots__ = ("clones", "head", "seq")

    def __init__(self) -> None:
        self.head: Extents | None = None
        self.seq = 0
        self.clones: tuple[tuple[int, tuple[int, ...], Extents], ...] | None = None

    def at(self, snap_id: int | None) -> Extents | None:
        """Contents at a snapshot, or now."""
        if snap_id is None or snap_id > self.seq:
            return self.head
        clones = self.clones or ()
        place = bisect_left(clones, snap_id, key=_newest)
        if place < len(clones) and snap_id in clones[place][1]:
            return clones[place][2]
        return None

    def changing(self, snaps: tuple[int, ...]) -> None:
        """``head`` is about to change while ``snaps`` exist (ascending): keep it for those that have no clone yet."""
        if not snaps or snaps[-1] <= self.seq:
            return
        if self.head is not None:
            served = tuple(snap for snap in snaps if snap > self.seq)
            self.clones = (*(self.clones or ()), (served[-1], served, self.head.copy()))
        self.seq = snaps[-1]

    def forget(self, snap_id: int) -> None:
        """The snapshot is gone: a clone that serves no other goes too."""
        if self.clones:
            kept = tuple(
                (newest, left, contents)
                for newest, served, contents in self.clones
                if (left := tuple(snap for snap in served if snap != snap_id))
            )
            self.clones = kept or None

    @property
    def empty(self) -> bool:
        """Neither contents nor clones."""
        return self.head is None and not self.clones


def _newest(clone: tuple[int, tuple[int, ...], Extents]) -> int:
    return clone[0]


class ImageData:
    """All data objects under one prefix, by number. ``released``: snapshots whose ids were given back while the image still
    names them. A write that does so, too, keeps nothing for them: nobody would ever trim it. [Ceph's OSDs drop such ids from
    the snap context of a write: PrimaryLogPG::filter_snapc]"""

    __slots__ = ("objects", "released")

    def __init__(self) -> None:
        self.objects: dict[int, DataObject] = {}
        self.released: frozenset[int] = frozenset()

    def at(self, number: int, snap_id: int | None) -> Extents | None:
        """Contents of one object at a snapshot, or now; ``None`` where it does not exist."""
        found = self.objects.get(number)
        return None if found is None else found.at(snap_id)

    def changing(self, number: int, snaps: tuple[int, ...]) -> DataObject:
        """The object, made where it is missing, its contents kept for ``snaps``."""
        found = self.objects.get(number)
        if found is None:
            found = self.objects[number] = DataObject()
        found.changing(self._there(snaps))
        return found

    def remove(self, number: int, snaps: tuple[int, ...]) -> None:
        """Delete an object now; snapshots keep what they hold."""
        found = self.objects.get(number)
        if found is not None:
            found.changing(self._there(snaps))
            found.head = None
            if found.empty:
                del self.objects[number]

    def forget(self, snap_id: int) -> None:
        """A snapshot's id was given back. The image may still name it, until :meth:`unnamed`."""
        self.released |= {snap_id}
        for number, found in list(self.objects.items()):
            if found.clones:
                found.forget(snap_id)
                if found.empty:
                    del self.objects[number]

    def unnamed(self, snap_id: int) -> None:
        """The image does not name that snapshot any more."""
        self.released -= {snap_id}

    def _there(self, snaps: tuple[int, ...]) -> tuple[int, ...]:
        released = self.released
        return tuple(snap for snap in snaps if snap not in released) if released else snaps

    def numbers(self, snap_id: int | None) -> list[int]:
        """Which objects exist at a snapshot, or now, ascending."""
        return sorted(number for number, found in self.objects.items() if found.at(snap_id) is not None)

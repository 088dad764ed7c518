"""Data objects and who still needs them: generational reference counting. Inodes and names are :mod:`.vdis`.

Source: doc/object-reclaim.txt and sheep's ledger code. Each inode holds, per data object, the id of the VDI that owns it
and a reference: its generation, and how often it was copied into a clone or a new working VDI. Giving a reference of
generation ``g`` copied ``c`` times back takes one from place ``g`` of the object's ledger and adds ``c`` to place ``g + 1``;
an object whose ledger is all zeros is free. A reference of generation 0 that was never copied needs no ledger.

A count that was raised for a clone that never came (a node died between the two inode writes) is never given back: the
object stays for ever. So does one that dog wrote and was killed before it entered it into the inode.
"""

from __future__ import annotations

from storcert.simulators.extents import Extents

Reference = tuple[int, int]
"""Generation, and number of copies made of this reference."""

FRESH: Reference = (0, 0)
_VID_SHIFT = 32


class DataObject:
    """``content``: at most one object's worth of bytes. ``ledger``: outstanding references by generation; ``None`` stands for
    the one that its owner has."""

    __slots__ = ("content", "ledger")

    def __init__(self, content: Extents) -> None:
        self.content = content
        self.ledger: dict[int, int] | None = None


class DataObjects:
    """All data objects of the cluster, by object id."""

    def __init__(self) -> None:
        self._held: dict[int, DataObject] = {}

    def __len__(self) -> int:
        return len(self._held)

    def ids(self) -> list[tuple[int, int]]:
        """Owner and index of each, sorted."""
        return [(oid >> _VID_SHIFT, oid & ((1 << _VID_SHIFT) - 1)) for oid in sorted(self._held)]

    def get(self, vid: int, index: int) -> DataObject | None:
        """The object ``index`` owned by VDI ``vid``."""
        return self._held.get(vid << _VID_SHIFT | index)

    def create(self, vid: int, index: int, content: Extents) -> DataObject:
        """A new one; one that is there is replaced, ledger included."""
        made = self._held[vid << _VID_SHIFT | index] = DataObject(content)
        return made

    def give_back(self, vid: int, index: int, reference: Reference) -> None:
        """One user of the object is gone."""
        oid = vid << _VID_SHIFT | index
        found = self._held.get(oid)
        if found is None:
            return
        generation, copies = reference
        if reference != FRESH:
            ledger = found.ledger if found.ledger is not None else {0: 1}
            for place, change in ((generation, -1), (generation + 1, copies)):
                left = ledger.get(place, 0) + change
                if left:
                    ledger[place] = left
                else:
                    ledger.pop(place, None)
            found.ledger = ledger
            if ledger:
                return
        del self._held[oid]

    @property
    def allocated_bytes(self) -> int:
        """Bytes that are really stored."""
        return sum(one.content.allocated_bytes for one in self._held.values())

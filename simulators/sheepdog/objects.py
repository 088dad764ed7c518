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
_PLAIN_BYTES_MAX = 8192


class DataObjects:
    """All data objects of the cluster, by object id: up to 4 MiB of bytes each, the rest zeros.

    Written once from the start, as most are, an object is kept as those bytes; only what is written again becomes extents.
    """

    def __init__(self) -> None:
        self._held: dict[int, bytes | Extents] = {}
        self._ledgers: dict[int, dict[int, int]] = {}

    def __len__(self) -> int:
        return len(self._held)

    def ids(self) -> list[tuple[int, int]]:
        """Owner and index of each, sorted."""
        return [(oid >> _VID_SHIFT, oid & ((1 << _VID_SHIFT) - 1)) for oid in sorted(self._held)]

    def exists(self, vid: int, index: int) -> bool:
        """Whether there is an object ``index`` owned by VDI ``vid``."""
        return vid << _VID_SHIFT | index in self._held

    def read(self, vid: int, index: int, offset: int, length: int) -> bytes:
        """Bytes of one that exists, zeros where nothing was written."""
        held = self._held[vid << _VID_SHIFT | index]
        data = held[offset : offset + length] if isinstance(held, bytes) else held.read(offset, length)
        return data if len(data) == length else data + bytes(length - len(data))

    def write(self, vid: int, index: int, offset: int, data: bytes) -> None:
        """Overwrite part of one that exists."""
        oid = vid << _VID_SHIFT | index
        held = self._held[oid]
        if isinstance(held, bytes):
            if offset == 0 and len(data) >= len(held):
                self._held[oid] = _kept(data)
                return
            held = self._held[oid] = Extents(held)
        if offset > held.size_bytes:
            held.truncate(offset)
        held.write(offset, data)

    def create(self, vid: int, index: int, base: int, offset: int, data: bytes) -> None:
        """A new one, with the bytes of the same index of VDI ``base`` if that is not 0; one that is there is replaced."""
        oid = vid << _VID_SHIFT | index
        self._ledgers.pop(oid, None)
        if not base and not offset:
            self._held[oid] = _kept(data)
            return
        held = self._held[base << _VID_SHIFT | index] if base else b""
        self._held[oid] = held if isinstance(held, bytes) else held.copy()
        self.write(vid, index, offset, data)

    def give_back(self, vid: int, index: int, reference: Reference) -> None:
        """One user of the object is gone."""
        oid = vid << _VID_SHIFT | index
        if oid not in self._held:
            return
        generation, copies = reference
        if reference != FRESH:
            ledger = self._ledgers.setdefault(oid, {0: 1})
            for place, change in ((generation, -1), (generation + 1, copies)):
                left = ledger.get(place, 0) + change
                if left:
                    ledger[place] = left
                else:
                    ledger.pop(place, None)
            if ledger:
                return
        self._ledgers.pop(oid, None)
        del self._held[oid]

    @property
    def allocated_bytes(self) -> int:
        """Bytes that are really stored."""
        return sum(len(one) if isinstance(one, bytes) else one.allocated_bytes for one in self._held.values())


def _kept(data: bytes) -> bytes | Extents:
    """As plain bytes where that is the smaller form: a large pattern, or zeros, are smaller as extents."""
    return data if len(data) < _PLAIN_BYTES_MAX else Extents(data)

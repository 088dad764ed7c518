"""Names, numbers and inodes of VDIs: where a name is looked for, and what an inode holds. No requests and no data here.

Source: sheep/vdi.c. A VDI's number (24 bits) is the FNV-1a hash of its name, or the next one that is free. Numbers are
never used again: the inode of a deleted VDI stays as a tombstone without a name, so that looking for the names behind it
goes on. A lookup therefore walks from the first free number down to the hash and takes the first inode of that name, which
is the newest. A snapshot is an old inode of the name with the time it was taken; the working VDI is the newest without.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sortedcontainers import SortedList

from storcert.simulators.sheepdog.objects import FRESH, Reference
from storcert.simulators.sheepdog.results import Refused, Result

NAME_BYTES_MAX = 255
TAG_BYTES_MAX = 255
NUMBERS = 1 << 24
_FNV_START, _FNV_PRIME, _MASK_64 = 0xCBF29CE484222325, 0x100000001B3, (1 << 64) - 1


@lru_cache(maxsize=1 << 14)
def hash_of(name: bytes) -> int:
    """The number that a VDI of that name would like to have."""
    value = _FNV_START
    for byte in name:
        value = (value ^ byte) * _FNV_PRIME & _MASK_64
    return value % NUMBERS


def cut(name: bytes) -> bytes:
    """What is left of a name or tag in the 256 bytes, with the NUL, that there are for it."""
    return name[:NAME_BYTES_MAX]


class Inode:
    """One VDI: working, or a snapshot (``snapped_s`` set).

    Which VDI owns the data object at each index, and how this inode refers to it: most VDIs of most clusters are small, so
    that of an inode with its one object at index 0 is kept without a table.
    """

    __slots__ = (
        "_owners", "_references", "created_s", "name", "parent", "size_bytes", "snap_id", "snapped_s", "tag", "vid",
    )

    def __init__(self, name: bytes, vid: int, size_bytes: int, snap_id: int, parent: int, created_s: int) -> None:
        self.name = name
        self.tag = b""
        self.vid = vid
        self.size_bytes = size_bytes
        self.snap_id = snap_id
        self.parent = parent
        self.created_s = created_s
        self.snapped_s = 0
        self._owners: dict[int, int] | int = 0
        self._references: dict[int, Reference] | Reference = FRESH

    @property
    def owners(self) -> dict[int, int]:
        """The owner at each index that has a data object. Not to be changed."""
        owners = self._owners
        if type(owners) is int:
            return {0: owners} if owners else {}
        return owners  # type: ignore[return-value]

    @property
    def is_empty(self) -> bool:
        """Whether it has no data object at all."""
        return not self._owners

    def owner(self, index: int) -> int:
        """The VDI whose data object stands at ``index``; 0 where there is none."""
        return self.owners.get(index, 0)

    def reference(self, index: int) -> Reference:
        """How this inode holds the object at ``index``."""
        return self._references.get(index, FRESH) if isinstance(self._references, dict) else self._references

    def enter(self, index: int, vid: int) -> tuple[int, Reference]:
        """Write the owner at ``index`` (0: none); gives what stood there. The reference becomes a fresh one."""
        owners = dict(self.owners) if type(self._owners) is int else self.owners
        references = {one: self.reference(one) for one in owners} if type(self._owners) is int else self._table()
        before = owners.pop(index, 0), references.pop(index, FRESH)
        if vid:
            owners[index] = vid
        self._keep(owners, references)
        return before

    def hand_on(self) -> None:
        """Each reference was copied once more."""
        owners = self.owners
        if owners:
            handed = ((index, self.reference(index)) for index in owners)
            self._keep(owners, {index: (generation, copies + 1) for index, (generation, copies) in handed})

    def inherit(self, base: Inode) -> None:
        """Share every data object of ``base``, one generation later."""
        owners = base.owners
        if owners:
            self._keep(dict(owners), {index: (base.reference(index)[0] + 1, 0) for index in owners})

    def _table(self) -> dict[int, Reference]:
        return self._references if isinstance(self._references, dict) else {}

    def _keep(self, owners: dict[int, int], references: dict[int, Reference]) -> None:
        if not owners:
            self._owners, self._references = 0, FRESH
        elif len(owners) == 1 and 0 in owners:
            self._owners = owners[0]
            self._references = _one_reference(*references.get(0, FRESH))
        else:
            self._owners, self._references = owners, references


@lru_cache(maxsize=1 << 10)
def _one_reference(generation: int, copies: int) -> Reference:
    """One tuple for all inodes that refer in the same way."""
    return generation, copies


class Vdis:
    """All inodes by number. The number of a deleted one stays taken, for ever. ``unlisted``: numbers that the sheep believe
    deleted although they are not. ``tombstones``: how many deleted ones still take a number."""

    def __init__(self, numbers: int = NUMBERS) -> None:
        self._numbers = numbers
        self.inodes: dict[int, Inode] = {}
        self._ordered: Any = SortedList()
        self.unlisted: set[int] = set()
        self._buried = bytearray()  # one bit for each number, once there is a tombstone
        self.tombstones = 0

    def numbers(self) -> list[int]:
        """The numbers of all that is not deleted, ascending."""
        return list(self._ordered)

    def enter(self, inode: Inode) -> None:
        """A new one."""
        self.inodes[inode.vid] = inode
        self._ordered.add(inode.vid)

    def bury(self, vid: int) -> None:
        """The inode becomes a tombstone."""
        del self.inodes[vid]
        self._ordered.remove(vid)
        self.unlisted.discard(vid)
        self._buried = self._buried or bytearray(self._numbers // 8 + 1)
        self._buried[vid >> 3] |= 1 << (vid & 7)
        self.tombstones += 1

    @property
    def never_used(self) -> bool:
        """Whether no VDI was ever made."""
        return not self.inodes and not self.tombstones

    def _range(self, name: bytes) -> tuple[list[int], int]:
        """The taken numbers where ``name`` may be, and the free one after them. Raises ``FULL_VDI``."""
        taken = []
        vid = hash_of(name) % self._numbers or 1
        inodes, buried = self.inodes, self._buried
        while vid in inodes or (buried and buried[vid >> 3] >> (vid & 7) & 1):
            taken.append(vid)
            vid = (vid + 1) % self._numbers or 1
            if vid == taken[0]:
                raise Refused(Result.FULL_VDI)
        return taken, vid

    def lookup(self, name: bytes, snap_id: int = 0, tag: bytes = b"") -> Inode:
        """The working VDI, or with an id or a tag that snapshot. Raises ``NO_VDI``, or ``NO_TAG`` where only it is missing."""
        working_seen = False
        taken, _ = self._range(name)
        for vid in reversed(taken):
            inode = self.inodes.get(vid)
            if inode is None or inode.name != name:
                continue
            if snap_id or tag:
                if not inode.snapped_s:
                    working_seen = True
                elif (inode.tag and inode.tag == tag) or snap_id == inode.snap_id:
                    return inode
            elif inode.snapped_s:
                break  # the newest of that name is a snapshot: its working VDI was deleted
            else:
                return inode
        raise Refused(Result.NO_TAG if working_seen else Result.NO_VDI)

    def place_for(self, name: bytes, *, again: bool) -> tuple[int, int]:
        """Number and snapshot id of the next inode of ``name``. ``again``: its working VDI must be there, else must not."""
        taken, free = self._range(name)
        newest = next(
            (one for vid in reversed(taken) if (one := self.inodes.get(vid)) is not None and one.name == name), None)
        working = newest is not None and not newest.snapped_s
        if again and not working:
            raise Refused(Result.NO_VDI)
        if working and not again:
            raise Refused(Result.VDI_EXIST)
        return free, 1 if newest is None else newest.snap_id + 1

"""What the sheep do with one request: the cluster's side. Nothing is known here of ``dog``, its words or its exit statuses.

Each method is one request, done at one instant; :meth:`Sheep.answer` gives its result or the refusal to the wire. Where a
real sheep writes two objects one after the other (the base and the new inode of a clone or snapshot), a node that dies
between them leaves the first one written: ``torn`` makes the next such request end there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from storcert.simulators.network.wire import Answer
from storcert.simulators.sheepdog.attributes import Attributes
from storcert.simulators.sheepdog.flock import Flock
from storcert.simulators.sheepdog.objects import DataObjects
from storcert.simulators.sheepdog.options import SheepdogOptions
from storcert.simulators.sheepdog.results import Refused, Result
from storcert.simulators.sheepdog.timing import service_ns
from storcert.simulators.sheepdog.vdis import Inode, Vdis

_NS_PER_S = 10**9


class NodeDied(Exception):
    """The sheep that worked on the request died in the middle of it: no answer."""


@dataclass(slots=True)
class View:
    """An inode as a client has read it; it does not follow later changes. ``owners``: of the indexes that were asked for.
    ``line``: what ``dog vdi list -r`` makes of it, once it has."""

    vid: int
    name: bytes
    tag: bytes
    size_bytes: int
    snap_id: int
    parent: int
    snapped: bool
    created_s: int
    own: int
    shared: int
    owners: dict[int, int]
    line: bytes = b""


@dataclass(slots=True)
class ObjectWrite:
    """One data object of a write. ``create``: it does not exist yet; ``base``, if not 0, then owns the object it copies."""

    vid: int
    index: int
    offset: int
    data: bytes
    create: bool
    base: int


class Sheep:
    """The cluster. ``full``: no room for new objects. ``frozen``: the node that dog talks to is stopped."""

    def __init__(self, options: SheepdogOptions, now_ns: Callable[[], int]) -> None:
        self.options = options
        self.now_ns = now_ns
        self.vdis = Vdis()
        self.objects = DataObjects()
        self.attributes = Attributes()
        self.flock = Flock(options, now_ns() // _NS_PER_S)
        self.locks: dict[int, str] = {}
        self._views: dict[int, View] = {}
        self.full = False
        self.frozen = False
        self.torn = False
        self.stall_ns = 0
        self.on_node_death: Callable[[], None] = lambda: None

    @property
    def object_bytes(self) -> int:
        """Size of a whole data object."""
        return 1 << self.flock.block_size_shift

    def answer(self, operation: str, act: Callable[[], Any], *, forced: bool = False, body: bool = False) -> Answer:
        """Do it now, or say why not. ``forced``: also where the cluster serves nothing else."""
        if self.frozen:
            return Answer(Result.FROZEN, Result.FROZEN)
        stall_ns, self.stall_ns = self.stall_ns, 0
        result: Any
        code, body_bytes = Result.SUCCESS, 0
        try:
            if not forced:
                self.flock.require_serving()
            result = act()
            if body:
                body_bytes = len(result)
        except Refused as refused:
            result, code = refused, refused.result
        except NodeDied:
            self.on_node_death()
            return Answer(None, "died")
        return Answer(result, code, body_bytes, service_ns(operation) + stall_ns)

    # Reading

    def look_up(self, name: bytes, snap_id: int, tag: bytes, indexes: range | None) -> View:
        """GET_VDI_INFO, and the inode read. ``indexes``: whose owners are wanted; ``None``: of all."""
        return _view(self.vdis.lookup(name, snap_id, tag), indexes)

    def numbers(self) -> list[int]:
        """READ_VDIS and READ_DEL_VDIS: the numbers of what a listing will look at."""
        unlisted = self.vdis.unlisted
        if not unlisted:
            return self.vdis.numbers()
        return [vid for vid in self.vdis.numbers() if vid not in unlisted]

    def inodes(self, vids: Iterable[int]) -> list[View]:
        """The inodes of those numbers as they are now, without those that were deleted meanwhile."""
        inodes, views = self.vdis.inodes, self._views
        return [views.get(vid) or self._viewed(vid) for vid in vids if vid in inodes]

    def _viewed(self, vid: int) -> View:
        """An inode as listings show it, kept until it changes: there may be very many, and each listing shows them all."""
        view = self._views[vid] = _view(self.vdis.inodes[vid], range(0))
        return view

    def read_objects(self, wanted: Sequence[tuple[int, int, int, int]]) -> bytes:
        """READ_OBJ: (owner, index, offset, length) each; owner 0 is a hole. Raises ``NO_OBJ``."""
        found = []
        for vid, index, offset, length in wanted:
            if not vid:
                found.append(bytes(length))
                continue
            if not self.objects.exists(vid, index):
                raise Refused(Result.NO_OBJ)
            found.append(self.objects.read(vid, index, offset, length))
        return found[0] if len(found) == 1 else b"".join(found)

    # Writing

    def write_objects(self, writes: Sequence[ObjectWrite]) -> None:
        """WRITE_OBJ, CREATE_AND_WRITE_OBJ: one after the other; what was written before a refusal stays written."""
        for one in writes:
            self._require_writable()
            inode = self.vdis.inodes.get(one.vid)
            if inode is not None and inode.snapped_s:
                raise Refused(Result.READONLY)
            if not one.create:
                if not self.objects.exists(one.vid, one.index):
                    raise Refused(Result.NO_OBJ)
                self.objects.write(one.vid, one.index, one.offset, one.data)
                continue
            if self.full:
                raise Refused(Result.NO_SPACE)
            base = one.base if len(one.data) < self.object_bytes else 0
            if base and not self.objects.exists(base, one.index):
                raise Refused(Result.NO_OBJ)
            self.objects.create(one.vid, one.index, base, one.offset, one.data)

    def write_owners(self, vid: int, entries: Iterable[tuple[int, int]]) -> None:
        """WRITE_OBJ of part of an inode: (index, owner) each. Objects that lose their last user are freed."""
        self._require_writable()
        inode = self.vdis.inodes.get(vid)
        if inode is None:
            return  # a tombstone: the bytes are written and nobody ever looks at them
        self._views.pop(vid, None)
        for index, owner in entries:
            before, reference = inode.enter(index, owner)
            if before and before != owner:
                self.objects.give_back(before, index, reference)

    def write_tag(self, vid: int, tag: bytes) -> None:
        """WRITE_OBJ of the tag in an inode."""
        self._require_writable()
        inode = self.vdis.inodes.get(vid)
        if inode is not None:
            inode.tag = tag
            self._views.pop(vid, None)

    def write_header(self, seen: View, size_bytes: int) -> None:
        """WRITE_OBJ of a whole inode header, as it was ``seen`` but for the size: a snapshot taken since is undone."""
        self._require_writable()
        inode = self.vdis.inodes.get(seen.vid)
        if inode is not None:
            inode.size_bytes, inode.tag = size_bytes, seen.tag
            self._views.pop(seen.vid, None)
            if not seen.snapped:
                inode.snapped_s = 0

    def new_vdi(self, name: bytes, size_bytes: int, base: int, *, snapshot: bool) -> int:
        """NEW_VDI: a fresh VDI, a clone of ``base``, or ``base`` made a snapshot with a new working VDI. Gives the number."""
        torn, self.torn = self.torn, False
        vid, snap_id = self.vdis.place_for(name, again=snapshot)
        made = Inode(name, vid, size_bytes, snap_id, base, self.now_ns() // _NS_PER_S)
        origin = None
        if base:
            origin = self.vdis.inodes.get(base)
            if self.flock.halted:
                raise Refused(Result.BASE_VDI_WRITE)
            if snapshot:
                working = self.vdis.lookup(name)
                working.snapped_s = made.created_s
                self._views.pop(working.vid, None)
            if origin is not None:
                origin.hand_on()
        if torn:
            raise NodeDied
        if self.full or self.flock.halted:
            raise Refused(Result.VDI_WRITE)
        if origin is not None:
            made.inherit(origin)
        self.vdis.enter(made)
        return vid

    def delete(self, name: bytes, snap_id: int, tag: bytes) -> None:
        """DEL_VDI: the second half of a deletion. A VDI that has data objects again, or cannot be written, stays; it is
        marked as deleted all the same, and no listing shows it any more."""
        inode = self.vdis.lookup(name, snap_id, tag)
        if not inode.is_empty or self.flock.halted:
            self.vdis.unlisted.add(inode.vid)
            return
        self.locks.pop(inode.vid, None)
        self._views.pop(inode.vid, None)
        self.vdis.bury(inode.vid)

    def release(self, vid: int) -> None:
        """RELEASE_VDI: from whatever node, as often as one likes."""
        self.locks.pop(vid, None)

    def lock(self, name: bytes, owner: str) -> None:
        """LOCK_VDI: what another client (QEMU) does. Raises ``VDI_LOCKED``; without ``-l`` every lock succeeds and none is
        kept. The lock is the node's, so it outlives the client."""
        inode = self.vdis.lookup(name)
        if self.flock.use_locks:
            if inode.vid in self.locks:
                raise Refused(Result.VDI_LOCKED)
            self.locks[inode.vid] = owner

    def format(self, **flags: Any) -> None:
        """MAKE_FS: everything that was there is gone."""
        self.vdis, self.objects, self.attributes, self.locks = Vdis(), DataObjects(), Attributes(), {}
        self._views.clear()
        self.flock.format(self.now_ns() // _NS_PER_S, **flags)

    # Parts

    def _require_writable(self) -> None:
        if self.flock.halted:
            raise Refused(Result.HALT)


def _view(inode: Inode, indexes: range | None) -> View:
    blocks, vid = inode.owners, inode.vid
    own = shared = 0
    owners: dict[int, int] = {}
    if blocks:
        own = sum(owner == vid for owner in blocks.values()) if indexes is None or not indexes else 0
        shared = len(blocks) - own
        if indexes is None:
            owners = dict(blocks)
        elif len(indexes) < len(blocks):
            owners = {index: blocks[index] for index in indexes if index in blocks}
        else:
            owners = {index: owner for index, owner in blocks.items() if index in indexes}
    return View(
        vid, inode.name, inode.tag, inode.size_bytes, inode.snap_id, inode.parent, bool(inode.snapped_s), inode.created_s,
        own, shared, owners,
    )

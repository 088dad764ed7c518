"""From a path to an inode: the name cache, revalidation, symbolic links. As the Linux client does [fs/nfs/dir.c].

Every component is looked up in the cache first. A name is believed while its directory is unchanged as far as the directory's
attributes, themselves believed for a while, tell. Opening is stricter (close-to-open): the attributes of what is opened are
fetched in any case, so opening a *directory* shows its newest names, and opening a file its newest size and bytes. With
``fresh`` nothing is believed: that is the second try after STALE [fs/namei.c: retry_estale].
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

from storcert.simulators.nfs.client_rpc import Rpc, errno_of, failure
from storcert.simulators.nfs.client_state import Dentry, Inode
from storcert.simulators.nfs.protocol import (
    Access,
    AccessArguments,
    Attributes,
    FileType,
    Handle,
    NameArguments,
    NfsStatus,
    ObjectArguments,
    Procedure,
)

if TYPE_CHECKING:
    from storcert.harness.kernel.location import Location
    from storcert.simulators.nfs.export import NfsExport

_LINKS_MAX = 40
RESTING_MAX = 512
"""So many files that nobody has open are remembered, with their pages: Linux drops the oldest when it wants memory."""
ABSENT_MAX = 4096
"""Of a directory no more names that are not there are remembered: Linux drops them when it wants memory [fs/dcache.c]."""


class Lookup:
    """The name cache of one mount in one life of its location."""

    def __init__(self, export: NfsExport, location: Location) -> None:
        self.options = export.options
        self.rpc = Rpc(export, location)
        self.kernel = location.kernel
        self._root_handle = export.root
        self._root: Inode | None = None
        self._inodes: dict[Handle, Inode] = {}
        self._asks = 0
        self._resting: dict[Dentry, None] = {}

    @property
    def now_ns(self) -> int:
        """Virtual time."""
        return self.kernel.now_ns

    # -- attributes

    def root(self) -> Inode:
        """The root of the export."""
        if self._root is None:
            result = self.rpc.do(Procedure.GETATTR, ObjectArguments(self._root_handle))
            self._root = self.inode(self._root_handle, result.attributes)
        return self._root

    def inode(self, handle: Handle, attributes: Attributes) -> Inode:
        """The inode of a handle, told what the server says of it now."""
        found = self._inodes.get(handle)
        if found is None or found.stale:
            found = self._inodes[handle] = Inode(handle, attributes, self.options, self.now_ns)
        else:
            found.learn(attributes, self.options, self.now_ns)
        return found

    def evict(self, inode: Inode) -> None:
        """Its last name is gone: nobody will come by it again but those who have it open."""
        self._inodes.pop(inode.handle, None)

    def rest(self, dentry: Dentry) -> None:
        """Nobody has a file open through this name any more. Those that rest the longest are forgotten."""
        self._resting.pop(dentry, None)
        self._resting[dentry] = None
        if len(self._resting) > RESTING_MAX:
            oldest = next(iter(self._resting))
            del self._resting[oldest]
            self._drop(oldest)

    def _drop(self, dentry: Dentry) -> None:
        inode = dentry.inode
        if dentry.opens or inode is None or inode.is_directory:
            return
        if inode.cache is not None and (inode.cache.owed or inode.cache.error):
            return
        if dentry.directory.names.get(dentry.name) is dentry:
            del dentry.directory.names[dentry.name]
        if self._inodes.get(inode.handle) is inode:
            self.evict(inode)

    def fetch(self, inode: Inode) -> None:
        """Ask the server for the attributes, whatever is believed."""
        if inode.stale:
            raise failure(errno.ESTALE)
        try:
            result = self.rpc.do(Procedure.GETATTR, ObjectArguments(inode.handle))
        except OSError as error:
            self.note(inode, error)
            raise
        inode.learn(result.attributes, self.options, self.now_ns)

    def revalidate(self, inode: Inode) -> None:
        """Ask only where the attributes are not believed any more."""
        if inode.stale or self.now_ns >= inode.expires_ns:
            self.fetch(inode)

    def note(self, inode: Inode, error: OSError) -> None:
        """What an error tells about an inode: a stale file stays so, a stale directory is asked again."""
        if error.errno == errno.ESTALE:
            if inode.is_directory:
                inode.generation += 1
                inode.listing = None
                inode.expire()
            else:
                inode.stale = True

    def doubt(self, directory: Inode, name: bytes, error: OSError) -> None:
        """A change of a name failed: it may have been done all the same. Files open through the name stay so."""
        self.note(directory, error)
        known = directory.names.get(name)
        if known is not None:
            known.generation = -1
        directory.expire()

    def changed(self, directory: Inode, wcc: Any) -> None:
        """A change of ours in a directory was answered."""
        directory.learn_own(wcc, self.options, self.now_ns)

    def require(self, inode: Inode, wanted: Access) -> None:
        """Whether the server would let us: asked once per inode and wish, while mode and owner stay."""
        allowed = inode.access.get(int(wanted))
        if allowed is None:
            try:
                result = self.rpc.do(Procedure.ACCESS, AccessArguments(inode.handle, int(wanted)))
            except OSError as error:
                self.note(inode, error)
                raise
            inode.learn(result.attributes, self.options, self.now_ns)
            allowed = inode.access[int(wanted)] = result.access
        if allowed & wanted != wanted:
            raise failure(errno.EACCES)

    # -- names

    def lookup(self, directory: Inode, name: bytes, *, fresh: bool = False, creating: bool = False) -> Dentry:
        """What a name in a directory stands for; ``creating``: a name that is not there may be believed absent."""
        if not directory.is_directory:
            raise failure(errno.ENOTDIR)
        if len(name) > self.options.name_max_bytes:
            raise failure(errno.ENAMETOOLONG)
        self.revalidate(directory)
        known = directory.names.get(name)
        if known is not None and not fresh:
            if creating and known.inode is None and known.generation >= 0:
                return known
            if known.current and (known.inode is None or not known.inode.stale):
                return known
        return self._ask(directory, name)

    def _ask(self, directory: Inode, name: bytes) -> Dentry:
        self._asks += 1
        reply = self.rpc.ask(Procedure.LOOKUP, NameArguments(directory.handle, name))
        status, result = reply.status, reply.result
        if status not in (NfsStatus.NFS3_OK, NfsStatus.NFS3ERR_NOENT):
            error = failure(errno_of(status))
            self.note(directory, error)
            raise error
        directory.learn(result.directory_attributes, self.options, self.now_ns)
        found = None
        if status is NfsStatus.NFS3_OK:
            attributes = result.attributes
            if attributes is None:
                attributes = self.rpc.do(Procedure.GETATTR, ObjectArguments(result.handle)).attributes
            found = self.inode(result.handle, attributes)
        return self.know(directory, name, found)

    def know(self, directory: Inode, name: bytes, inode: Inode | None) -> Dentry:
        """The name is true now. A name that means the same file as before keeps what is open through it."""
        known = directory.names.get(name)
        if known is not None and known.inode is inode:
            known.generation = directory.generation
            return known
        made = directory.names[name] = Dentry(directory, name, inode)
        if inode is None:
            directory.absent += 1
            if directory.absent > ABSENT_MAX:
                directory.forget_absent()
        return made

    def made(self, directory: Inode, name: bytes, result: Any) -> Dentry:
        """A CREATE, MKDIR, SYMLINK or MKNOD was answered."""
        self.changed(directory, result.directory)
        if result.handle is None or result.attributes is None:
            return self._ask(directory, name)
        return self.know(directory, name, self.inode(result.handle, result.attributes))

    # -- paths

    def parent(self, path: str, *, fresh: bool = False) -> tuple[Inode, bytes]:
        """The directory of the last component, and that component."""
        above, _, name = path.rstrip("/").rpartition("/")
        if not name:
            raise failure(errno.EEXIST)
        return self.walk(above or "/", fresh=fresh).inode_or_raise(), os.fsencode(name)

    def walk(self, path: str, *, follow: bool = True, fresh: bool = False, opening: bool = False) -> Place:
        """Where ``path`` leads. ``opening``: its last component is being opened."""
        names = [name for name in path.split("/") if name]
        place = Place(None, self.root())
        if fresh:
            self.fetch(place.inode_or_raise())
        links, asks = 0, self._asks
        while names:
            directory = place.inode_or_raise()
            name = names.pop(0)
            asks = self._asks
            dentry = self.lookup(directory, os.fsencode(name), fresh=fresh)
            inode = dentry.inode
            if inode is not None and inode.attributes.type is FileType.LNK and (names or follow):
                links += 1
                if links > _LINKS_MAX:
                    raise failure(errno.ELOOP)
                rest, place = self._link_target(place, inode)
                names[:0] = rest
                continue
            place = Place(dentry, inode, place)
        if opening and (place.dentry is None or self._asks == asks):
            self._reopen(place)
        return place

    def _link_target(self, place: Place, inode: Inode) -> tuple[list[str], Place]:
        """The components behind a symbolic link and where they begin."""
        target = os.fsdecode(self.target(inode))
        if target.startswith("/"):
            mount = self.options.mount
            if target != mount and not target.startswith(f"{mount}/"):
                raise failure(errno.ENOENT)  # nothing but the mount is there
            target = target[len(mount) :]
            while place.above is not None:
                place = place.above
        names: list[str] = []
        for name in target.split("/"):
            if name == "..":
                if names:
                    names.pop()
                elif place.above is not None:
                    place = place.above
            elif name and name != ".":
                names.append(name)
        return names, place

    def target(self, inode: Inode) -> bytes:
        """Where a symbolic link points."""
        self.revalidate(inode)
        if inode.target is None:
            inode.target = self.rpc.do(Procedure.READLINK, ObjectArguments(inode.handle)).target
        return inode.target or b""

    def _reopen(self, place: Place) -> None:
        """Close-to-open: what was known before is asked for again; what was just looked up need not be."""
        inode, dentry = place.inode, place.dentry
        if inode is None or inode.attributes.type not in (FileType.REG, FileType.DIR):
            return
        try:
            self.fetch(inode)
        except OSError as error:
            if error.errno != errno.ESTALE or dentry is None:
                raise
            # The file that this name meant is gone: what does it mean now?
            place.dentry = self._ask(dentry.directory, dentry.name)
            place.inode = place.dentry.inode


class Place:
    """The end of a walk: the name and what it stands for; ``above``: the place of its directory."""

    __slots__ = ("above", "dentry", "inode")

    def __init__(self, dentry: Dentry | None, inode: Inode | None, above: Place | None = None) -> None:
        self.dentry = dentry
        self.inode = inode
        self.above = above

    def inode_or_raise(self) -> Inode:
        """What is there; ``ENOENT`` where nothing is."""
        if self.inode is None:
            raise failure(errno.ENOENT)
        return self.inode

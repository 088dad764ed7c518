"""What an NFS client remembers: inodes with their attributes, names, open files. Bookkeeping only, no requests.

The attribute cache is Linux' [fs/nfs/inode.c, nfs(5)]: attributes are believed for ``acregmin`` (files) or ``acdirmin``
(directories), twice as long each time they are found unchanged, up to ``acregmax`` and ``acdirmax``. Weak cache consistency:
where the answer to a change of ours shows the attributes before it, and they are those we knew, nobody else was at work and
nothing need be forgotten. A name in the cache, also one that is known not to exist, is believed as long as its directory has
not been seen to change; that is what :attr:`Inode.generation` counts.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from storcert.simulators.nfs.page_cache import PageCache
from storcert.simulators.nfs.protocol import Attributes, FileType, Handle, WccData

if TYPE_CHECKING:
    from simpy.events import Event

    from storcert.simulators.nfs.options import NfsOptions

SECOND_NS = 10**9
BLOCK_BYTES = 4096
#: The device number of every NFS mount here: never that of the bare root, because ``os.path.ismount`` compares them.
DEVICE = 45
_FORMATS = {
    FileType.REG: stat.S_IFREG, FileType.DIR: stat.S_IFDIR, FileType.BLK: stat.S_IFBLK, FileType.CHR: stat.S_IFCHR,
    FileType.LNK: stat.S_IFLNK, FileType.SOCK: stat.S_IFSOCK, FileType.FIFO: stat.S_IFIFO,
}  # fmt: skip


class Inode:
    """One file or directory. ``size_bytes``: as this client sees it, its own unsent writes included. ``expires_ns``: until
    when ``attributes`` are believed. ``stale``: the server said that the handle means nothing. ``listing``: the names of a
    directory as READDIR gave them. ``absent``: at most so many of ``names`` are known not to exist.
    ``access``: what ACCESS answered, while mode and owner stay."""

    __slots__ = (
        "absent", "access", "attributes", "cache", "expires_ns", "generation", "handle", "listing", "names", "size_bytes",
        "stale", "target", "turn", "validity_ns",
    )  # fmt: skip

    def __init__(self, handle: Handle, attributes: Attributes, options: NfsOptions, now_ns: int) -> None:
        self.handle = handle
        self.attributes = attributes
        self.size_bytes = attributes.size_bytes
        self.generation = 0
        self.stale = False
        self.names: dict[bytes, Dentry] = {}
        self.absent = 0
        self.listing: list[bytes] | None = None
        self.cache: PageCache | None = None
        self.target: bytes | None = None
        self.access: dict[int, int] = {}
        self.turn: list[Event] | None = None
        self.validity_ns = self._range(options)[0]
        self.expires_ns = now_ns + self.validity_ns

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return self.attributes.type is FileType.DIR

    def _range(self, options: NfsOptions) -> tuple[int, int]:
        if self.is_directory:
            return options.acdirmin_ns, options.acdirmax_ns
        return options.acregmin_ns, options.acregmax_ns

    def pages(self) -> PageCache:
        """Its page cache, made when first needed."""
        if self.cache is None:
            self.cache = PageCache()
        return self.cache

    def forget_absent(self) -> None:
        """Names that are not there are asked for again."""
        self.names = {name: one for name, one in self.names.items() if one.inode is not None or one.opens}
        self.absent = 0

    def expire(self) -> None:
        """The attributes are not believed any more."""
        self.expires_ns = 0

    def learn(self, attributes: Attributes | None, options: NfsOptions, now_ns: int) -> None:
        """Attributes as the server has them now. Where they differ, somebody else changed the object."""
        if attributes is None:
            return
        old = self.attributes
        low_ns, high_ns = self._range(options)
        changed = (
            attributes.mtime_ns != old.mtime_ns
            or attributes.ctime_ns != old.ctime_ns
            or attributes.size_bytes != old.size_bytes
        )
        if changed:
            self.validity_ns = low_ns
            if self.is_directory:
                self.generation += 1
                self.listing = None
            elif attributes.mtime_ns != old.mtime_ns or attributes.size_bytes != old.size_bytes:
                self.target = None
                if self.cache is not None:
                    self.cache.forget_clean()
        elif now_ns >= self.expires_ns:
            self.validity_ns = min(2 * self.validity_ns, high_ns)
        self._take(attributes, now_ns)

    def learn_own(self, wcc: WccData, options: NfsOptions, now_ns: int) -> None:
        """Attributes after a change that this client asked for."""
        before, after, old = wcc.before, wcc.after, self.attributes
        if after is None:
            self.expire()
            return
        undisturbed = (
            before is not None
            and before.mtime_ns == old.mtime_ns
            and before.ctime_ns == old.ctime_ns
            and before.size_bytes == old.size_bytes
        )
        if not undisturbed:
            self.learn(after, options, now_ns)
            return
        self.listing = None
        self._take(after, now_ns)

    def _take(self, attributes: Attributes, now_ns: int) -> None:
        old = self.attributes
        if (attributes.mode, attributes.uid, attributes.gid) != (old.mode, old.uid, old.gid):
            self.access.clear()
        self.attributes = attributes
        self.expires_ns = now_ns + self.validity_ns
        self.size_bytes = attributes.size_bytes
        if self.cache is not None and self.cache.owed:
            self.size_bytes = max(self.size_bytes, self.cache.end)

    def stat_result(self) -> os.stat_result:
        """What ``stat`` says."""
        found = self.attributes
        access_ns, modify_ns, change_ns = found.atime_ns, found.mtime_ns, found.ctime_ns
        return os.stat_result(
            (
                _FORMATS[found.type] | found.mode, found.fileid, DEVICE, found.nlink, found.uid, found.gid, self.size_bytes,
                access_ns // SECOND_NS, modify_ns // SECOND_NS, change_ns // SECOND_NS,
            ),
            {
                "st_atime": access_ns / SECOND_NS, "st_mtime": modify_ns / SECOND_NS, "st_ctime": change_ns / SECOND_NS,
                "st_atime_ns": access_ns, "st_mtime_ns": modify_ns, "st_ctime_ns": change_ns,
                "st_blksize": BLOCK_BYTES, "st_blocks": -(-found.used_bytes // 512), "st_rdev": 0,
            },
        )  # fmt: skip


class Dentry:
    """One name in a directory. ``inode``: ``None`` for a name that is known not to exist. ``generation``: of the directory,
    when the name was last true. ``opens``: files open through this name here; ``silly``: it was given up while open."""

    __slots__ = ("directory", "generation", "inode", "name", "opens", "silly")

    def __init__(self, directory: Inode, name: bytes, inode: Inode | None) -> None:
        self.directory = directory
        self.name = name
        self.inode = inode
        self.generation = directory.generation
        self.opens = 0
        self.silly = False

    @property
    def current(self) -> bool:
        """Whether its directory has not been seen to change since."""
        return self.generation == self.directory.generation


class OpenFile:
    """One open file description. ``errors_seen``: how many errors of the page cache it was told."""

    __slots__ = ("dentry", "errors_seen", "flags", "inode")

    def __init__(self, inode: Inode, dentry: Dentry | None, flags: int) -> None:
        self.inode = inode
        self.dentry = dentry
        self.flags = flags
        self.errors_seen = 0 if inode.cache is None else inode.cache.errors

    @property
    def writes(self) -> bool:
        """Whether it was opened for writing."""
        return self.flags & os.O_ACCMODE != os.O_RDONLY

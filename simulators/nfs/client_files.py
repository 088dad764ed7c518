"""Open files of an NFS client: open, read, write, sync, close. Requests go through :mod:`.client_lookup`'s connection.

Close-to-open consistency [nfs(5)]: ``open`` fetches the attributes and drops cached bytes of a file that changed; ``close``
sends everything and says what went wrong. In between a reader may see old bytes, for as long as attributes are believed.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from storcert.simulators.device import NotModelled
from storcert.simulators.nfs.client_lookup import Lookup
from storcert.simulators.nfs.client_rpc import failure
from storcert.simulators.nfs.client_state import Dentry, Inode, OpenFile
from storcert.simulators.nfs.client_writeback import Writeback
from storcert.simulators.nfs.page_cache import PAGE_BYTES
from storcert.simulators.nfs.protocol import (
    SERVER_TIME,
    Access,
    CreateArguments,
    CreateMode,
    FileType,
    NameArguments,
    Procedure,
    ReadArguments,
    SetattrArguments,
    SetAttributes,
)

if TYPE_CHECKING:
    from random import Random

READ_AHEAD_BYTES = 128 * 1024
#: So often one read may find that what it had just fetched is old already, because others write all the time.
FILLS_MAX = 16
_O_TMPFILE = getattr(os, "O_TMPFILE", 0)
_O_DIRECT = getattr(os, "O_DIRECT", 0)


class Files:
    """File descriptions of one mount in one life of its location."""

    def __init__(self, lookup: Lookup, writeback: Writeback, random: Random) -> None:
        self._lookup = lookup
        self._rpc = lookup.rpc
        self._options = lookup.options
        self._writeback = writeback
        self._random = random
        self._forgotten: list[Dentry] = []

    # -- open and close

    def open(self, path: str, flags: int, mode: int, *, fresh: bool) -> OpenFile:
        """An open file or directory."""
        if _O_DIRECT and flags & _O_DIRECT:
            raise NotModelled("O_DIRECT on an NFS mount is not modelled")
        if _O_TMPFILE and flags & _O_TMPFILE == _O_TMPFILE:
            raise failure(errno.EOPNOTSUPP)
        dentry, inode, created = self._find(path, flags, mode, fresh)
        kind = inode.attributes.type
        if kind is FileType.LNK:
            raise failure(errno.ELOOP)
        writing = flags & os.O_ACCMODE != os.O_RDONLY
        if inode.is_directory:
            if writing or flags & os.O_CREAT:
                raise failure(errno.EISDIR)
        elif flags & os.O_DIRECTORY:
            raise failure(errno.ENOTDIR)
        elif kind is not FileType.REG:
            raise NotModelled(f"opening a {kind.name} on an NFS mount is not modelled")
        elif not created:
            self._lookup.require(inode, _wanted(flags))
        file = OpenFile(inode, dentry, flags)
        if dentry is not None:
            dentry.opens += 1
        try:
            if flags & os.O_TRUNC and not created and not inode.is_directory and inode.size_bytes:
                self.resize(inode, 0)
        except OSError:
            if dentry is not None:
                self.let_go(dentry)
            raise
        return file

    def _find(self, path: str, flags: int, mode: int, fresh: bool) -> tuple[Dentry | None, Inode, bool]:
        """The name, what it stands for, and whether this very call made it."""
        follow = not flags & (os.O_NOFOLLOW | (os.O_EXCL if flags & os.O_CREAT else 0))
        if not flags & os.O_CREAT:
            place = self._lookup.walk(path, follow=follow, fresh=fresh, opening=True)
            return place.dentry, place.inode_or_raise(), False
        if path == "/" or path.endswith("/"):
            raise failure(errno.EISDIR)
        directory, name = self._lookup.parent(path, fresh=fresh)
        if not flags & os.O_EXCL:
            known = self._lookup.lookup(directory, name, fresh=fresh, creating=True)
            if known.inode is not None:
                place = self._lookup.walk(path, follow=follow, fresh=fresh, opening=True)
                if place.inode is not None:
                    return place.dentry, place.inode, False
                if known.inode is not None and known.inode.attributes.type is FileType.LNK:
                    raise NotModelled("creating a file behind a dangling symbolic link on an NFS mount is not modelled")
        else:
            self.require_free(directory, name)
        made = self._create(directory, name, flags, mode)
        if made.inode is None:
            raise failure(errno.ENOENT)
        return made, made.inode, True

    def require_free(self, directory: Inode, name: bytes) -> None:
        """A name that is believed to exist is refused without asking; otherwise the server decides."""
        if len(name) > self._options.name_max_bytes:
            raise failure(errno.ENAMETOOLONG)
        self._lookup.revalidate(directory)
        known = directory.names.get(name)
        if known is not None and known.inode is not None and known.current and not known.inode.stale:
            raise failure(errno.EEXIST)

    def _create(self, directory: Inode, name: bytes, flags: int, mode: int) -> Dentry:
        try:
            if flags & os.O_EXCL:
                return self._create_exclusively(directory, name, mode)
            new = SetAttributes(mode=mode, size_bytes=0 if flags & os.O_TRUNC else None)
            result = self._rpc.do(Procedure.CREATE, CreateArguments(directory.handle, name, CreateMode.UNCHECKED, new))
        except OSError as error:
            self._lookup.doubt(directory, name, error)
            raise
        return self._lookup.made(directory, name, result)

    def _create_exclusively(self, directory: Inode, name: bytes, mode: int) -> Dentry:
        """EXCLUSIVE with a verifier, so that a request sent twice makes one file; then the mode, and the times that held it."""
        verifier = self._random.getrandbits(64).to_bytes(8, "big")
        arguments = CreateArguments(directory.handle, name, CreateMode.EXCLUSIVE, verifier=verifier)
        made = self._lookup.made(directory, name, self._rpc.do(Procedure.CREATE, arguments))
        if made.inode is not None:
            self.set_attributes(made.inode, SetAttributes(mode=mode, atime_ns=SERVER_TIME, mtime_ns=SERVER_TIME))
        return made

    def release(self, file: OpenFile) -> None:
        """The last descriptor is closed: send what is owed, say what went wrong, take away a name given up while open."""
        try:
            if file.writes and not file.inode.is_directory:
                self._writeback.flush(file.inode, commit=True)
                self._tell(file)
        finally:
            if file.dentry is not None:
                self.let_go(file.dentry)

    def let_go(self, dentry: Dentry) -> None:
        """One less holds the name open; the last one removes a name that was given up."""
        dentry.opens -= 1
        if dentry.opens == 0:
            if dentry.silly:
                self._bury(dentry)
            else:
                self._lookup.rest(dentry)

    def _bury(self, dentry: Dentry) -> None:
        directory = dentry.directory
        directory.names.pop(dentry.name, None)
        try:
            result = self._rpc.do(Procedure.REMOVE, NameArguments(directory.handle, dentry.name))
            self._lookup.changed(directory, result.wcc)
        except OSError:
            directory.expire()  # nobody is told: Linux does this behind the application's back
            self.disown(dentry.name)

    def own(self, silly: bytes) -> None:
        """This client will remove that name when it is closed."""
        self._rpc.owners[silly] = self._rpc.life

    def disown(self, silly: bytes) -> None:
        """It could not, or does not know whether it has it: nobody will."""
        self._rpc.owners[silly] = None

    def forget(self, file: OpenFile) -> None:
        """A file that nobody closed: Python does so when it collects it, at no particular moment, so nothing is sent now."""
        dentry = file.dentry
        if dentry is not None:
            dentry.opens -= 1
            if dentry.opens == 0 and dentry.silly:
                self._forgotten.append(dentry)

    def bury_forgotten(self) -> None:
        """What was given up while open, and is not open any more, goes with the next request that anybody makes."""
        while self._forgotten:
            self._bury(self._forgotten.pop(0))

    # -- bytes

    def pread(self, file: OpenFile, size: int, offset: int) -> bytes:
        """At most ``size`` bytes from ``offset``."""
        inode = file.inode
        if inode.is_directory:
            raise failure(errno.EISDIR)
        self._lookup.revalidate(inode)
        end = min(offset + size, inode.size_bytes)
        if offset >= end:
            return b""
        cache, pieces, fills = inode.pages(), [], 0
        # As Linux does, page after page: what a READ says of the file may make all that is known of it old.
        while offset < min(end, inode.size_bytes) and fills < FILLS_MAX:
            missing = cache.missing(offset, end)
            stop = min(missing[0][0] if missing else end, inode.size_bytes)
            if stop > offset:
                pieces.append(cache.read(offset, stop))
                offset, fills = stop, 0
            else:
                self._fill(inode, *missing[0])
                fills += 1
        return b"".join(pieces)

    def _fill(self, inode: Inode, start: int, stop: int) -> None:
        """Read a missing range, by whole pages and a little ahead, as far as the file goes."""
        cache = inode.pages()
        start -= start % PAGE_BYTES
        ahead = max(stop, start + READ_AHEAD_BYTES)
        for first, last in cache.missing(start, min(ahead + -ahead % PAGE_BYTES, inode.size_bytes)):
            at = first
            while at < last:
                count = min(last - at, self._options.rsize_bytes)
                try:
                    result = self._rpc.do(Procedure.READ, ReadArguments(inode.handle, at, count))
                except OSError as error:
                    self._lookup.note(inode, error)
                    raise
                inode.learn(result.attributes, self._options, self._lookup.now_ns)
                cache.put(at, result.data, dirty=False)
                at += len(result.data)
                if not result.data or result.eof:
                    if at < last and result.attributes is not None and result.attributes.size_bytes >= last:
                        cache.put(at, bytes(last - at), dirty=False)
                    break

    def pwrite(self, file: OpenFile, data: bytes, offset: int) -> int:
        """Into the page cache; sent when there is much of it, or when somebody asks."""
        inode = file.inode
        if offset < 0:
            self._lookup.revalidate(inode)
            offset = inode.size_bytes
        if offset + len(data) > self._options.file_max_bytes:
            raise failure(errno.EFBIG)
        inode.pages().put(offset, data, dirty=True)
        inode.size_bytes = max(inode.size_bytes, offset + len(data))
        if file.flags & os.O_DSYNC:
            self.fsync(file)
        else:
            self._writeback.balance(inode)
        return len(data)

    def fsync(self, file: OpenFile) -> None:
        """Everything of the file is safe on the server, or the error that kept it from being so, once."""
        if not file.inode.is_directory:  # changes of directories are synchronous
            self._writeback.flush(file.inode, commit=True)
            self._tell(file)

    def _tell(self, file: OpenFile) -> None:
        cache = file.inode.cache
        if cache is not None and cache.errors > file.errors_seen:
            file.errors_seen = cache.errors
            raise failure(cache.error)

    # -- attributes

    def fstat(self, file: OpenFile) -> os.stat_result:
        """As :meth:`status`."""
        return self.status(file.inode)

    def status(self, inode: Inode) -> os.stat_result:
        """Attributes, dirty pages sent before: only the server's clock makes modification times."""
        if inode.cache is not None and inode.cache.dirty:
            self._writeback.flush(inode, commit=False)
        self._lookup.revalidate(inode)
        return inode.stat_result()

    def size(self, file: OpenFile) -> int:
        """Where the file ends."""
        self._lookup.revalidate(file.inode)
        return file.inode.size_bytes

    def resize(self, inode: Inode, length: int) -> None:
        """Cut, or grow with zeros; what is dirty goes first."""
        if length > self._options.file_max_bytes:
            raise failure(errno.EFBIG)
        self._writeback.flush(inode, commit=False)
        self.set_attributes(inode, SetAttributes(size_bytes=length))
        if inode.cache is not None:
            inode.cache.cut(length)
        inode.size_bytes = length

    def set_attributes(self, inode: Inode, new: SetAttributes) -> None:
        """SETATTR."""
        try:
            result = self._rpc.do(Procedure.SETATTR, SetattrArguments(inode.handle, new))
        except OSError as error:
            self._lookup.note(inode, error)
            raise
        inode.learn_own(result.wcc, self._options, self._lookup.now_ns)


def _wanted(flags: int) -> Access:
    access = flags & os.O_ACCMODE
    wanted = Access(0)
    if access != os.O_WRONLY:
        wanted |= Access.READ
    if access != os.O_RDONLY:
        wanted |= Access.MODIFY
    return wanted

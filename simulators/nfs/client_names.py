"""Changes of names on an NFS client: make, remove, rename, link; and what directories hold. As Linux does [fs/nfs/dir.c].

A name that is removed, or replaced by a rename, while it is open *here* is renamed to ``.nfs`` and a number instead (silly
rename, [fs/nfs/unlink.c]), and removed when it is closed for the last time. Other clients are not asked: what they have open
becomes stale. If this client dies meanwhile, the ``.nfs`` name stays.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import Any

from storcert.simulators.nfs.client_files import Files
from storcert.simulators.nfs.client_lookup import Lookup
from storcert.simulators.nfs.client_rpc import failure
from storcert.simulators.nfs.client_state import Dentry, Inode
from storcert.simulators.nfs.client_writeback import Writeback
from storcert.simulators.nfs.protocol import (
    SERVER_TIME,
    Access,
    FileType,
    LinkArguments,
    MkdirArguments,
    MknodArguments,
    NameArguments,
    ObjectArguments,
    Procedure,
    ReaddirArguments,
    RenameArguments,
    SetAttributes,
    SymlinkArguments,
)

_EBADCOOKIE = 523
_LISTINGS_MAX = 3
_BLOCK_BYTES = 4096
_TYPES = {stat.S_IFIFO: FileType.FIFO, stat.S_IFSOCK: FileType.SOCK, stat.S_IFBLK: FileType.BLK, stat.S_IFCHR: FileType.CHR}


class Names:
    """The names of one mount in one life of its location."""

    def __init__(self, lookup: Lookup, files: Files, writeback: Writeback) -> None:
        self._lookup = lookup
        self._rpc = lookup.rpc
        self._files = files
        self._writeback = writeback
        self._silly = 0

    def _change(self, directory: Inode, name: bytes, procedure: Procedure, arguments: Any) -> Any:
        """One change of a name in a directory; after an error nothing is believed of that name."""
        try:
            return self._rpc.do(procedure, arguments)
        except OSError as error:
            self._lookup.doubt(directory, name, error)
            raise

    def _free(self, path: str, fresh: bool) -> tuple[Inode, bytes]:
        """Directory and name for something new. A name believed to exist is refused here; else the server decides."""
        directory, name = self._lookup.parent(path, fresh=fresh)
        self._files.require_free(directory, name)
        return directory, name

    def _entry(self, path: str, fresh: bool) -> Dentry:
        """The name ``path`` ends with, itself and not what a symbolic link of that name means."""
        directory, name = self._lookup.parent(path, fresh=fresh)
        dentry = self._lookup.lookup(directory, name, fresh=fresh)
        if dentry.inode is None:
            raise failure(errno.ENOENT)
        return dentry

    # -- make

    def mkdir(self, path: str, mode: int, *, fresh: bool) -> None:
        """MKDIR."""
        directory, name = self._free(path, fresh)
        arguments = MkdirArguments(directory.handle, name, SetAttributes(mode=mode))
        self._lookup.made(directory, name, self._change(directory, name, Procedure.MKDIR, arguments))

    def symlink(self, target: str, path: str, *, fresh: bool) -> None:
        """SYMLINK."""
        directory, name = self._free(path, fresh)
        arguments = SymlinkArguments(directory.handle, name, os.fsencode(target))
        self._lookup.made(directory, name, self._change(directory, name, Procedure.SYMLINK, arguments))

    def mknod(self, path: str, mode: int, device: int, *, fresh: bool) -> None:
        """MKNOD; a regular file is a guarded CREATE."""
        directory, name = self._free(path, fresh)
        kind = _TYPES.get(stat.S_IFMT(mode))
        if kind is None:
            self._files.release(self._files.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode & 0o7777, fresh=fresh))
            return
        new = SetAttributes(mode=mode & 0o7777)
        arguments = MknodArguments(directory.handle, name, kind, new, (os.major(device), os.minor(device)))
        self._lookup.made(directory, name, self._change(directory, name, Procedure.MKNOD, arguments))

    def link(self, source: str, destination: str, follow: bool, *, fresh: bool) -> None:
        """LINK; dirty pages go first."""
        inode = self._lookup.walk(source, follow=follow, fresh=fresh).inode_or_raise()
        directory, name = self._free(destination, fresh)
        if inode.is_directory:
            raise failure(errno.EPERM)
        self._writeback.flush(inode, commit=False)
        try:
            result = self._change(directory, name, Procedure.LINK, LinkArguments(inode.handle, directory.handle, name))
        except OSError as error:
            if error.errno == errno.ESTALE:
                inode.expire()
            raise
        self._lookup.changed(directory, result.directory)
        inode.learn(result.attributes, self._lookup.options, self._lookup.now_ns)
        self._lookup.know(directory, name, inode)

    # -- remove

    def rmdir(self, path: str, *, fresh: bool) -> None:
        """RMDIR."""
        dentry = self._entry(path, fresh)
        if dentry.inode is not None and not dentry.inode.is_directory:
            raise failure(errno.ENOTDIR)
        self._remove(dentry, Procedure.RMDIR)

    def unlink(self, path: str, *, fresh: bool) -> None:
        """REMOVE, or a silly rename of what is open here."""
        dentry = self._entry(path, fresh)
        inode = dentry.inode
        if inode is not None and inode.is_directory:
            raise failure(errno.EISDIR)
        if dentry.opens:
            self._give_up(dentry)
            return
        self._remove(dentry, Procedure.REMOVE)
        if inode is not None:
            inode.expire()  # it may have other names, and one link less
            if inode.attributes.nlink <= 1:
                self._lookup.evict(inode)

    def _remove(self, dentry: Dentry, procedure: Procedure) -> None:
        directory, name = dentry.directory, dentry.name
        result = self._change(directory, name, procedure, NameArguments(directory.handle, name))
        self._lookup.changed(directory, result.wcc)
        self._lookup.know(directory, name, None)

    def _give_up(self, dentry: Dentry) -> None:
        """Silly rename."""
        inode, directory = dentry.inode, dentry.directory
        if dentry.silly or inode is None:
            raise failure(errno.EBUSY)
        while True:
            self._silly += 1
            silly = f".nfs{inode.attributes.fileid:016x}{self._silly:08x}".encode()
            if self._lookup.lookup(directory, silly).inode is None:
                break
        arguments = RenameArguments(directory.handle, dentry.name, directory.handle, silly)
        dentry.opens += 1  # whoever has it open may close it meanwhile
        self._files.own(silly)
        try:
            result = self._change(directory, dentry.name, Procedure.RENAME, arguments)
            dentry.silly = True
            self._moved(dentry, directory, silly, result)
        except OSError:
            self._files.disown(silly)
            raise
        finally:
            self._files.let_go(dentry)

    # -- rename

    def rename(self, source: str, destination: str, *, fresh: bool) -> None:
        """RENAME; a target that is open here is given up first."""
        dentry = self._entry(source, fresh)
        directory, name = self._lookup.parent(destination, fresh=fresh)
        target = self._lookup.lookup(directory, name, fresh=fresh)
        if target.inode is not None and target.inode is not dentry.inode and target.opens and not target.inode.is_directory:
            self._give_up(target)
        if dentry.inode is not None:
            self._writeback.flush(dentry.inode, commit=False)
        arguments = RenameArguments(dentry.directory.handle, dentry.name, directory.handle, name)
        try:
            result = self._change(dentry.directory, dentry.name, Procedure.RENAME, arguments)
        except OSError as error:
            self._lookup.doubt(directory, name, error)
            raise
        if target.inode is dentry.inode:
            dentry.directory.expire()  # two names of one file: RENAME does nothing
            return
        self._moved(dentry, directory, name, result)

    def _moved(self, dentry: Dentry, directory: Inode, name: bytes, result: Any) -> None:
        """The name is another one now; what is open through it stays so."""
        source, old = dentry.directory, dentry.name
        self._lookup.changed(source, result.from_directory)
        if directory is not source:
            self._lookup.changed(directory, result.to_directory)
        self._lookup.know(source, old, None)
        dentry.directory, dentry.name, dentry.generation = directory, name, directory.generation
        directory.names[name] = dentry
        if dentry.inode is not None:
            dentry.inode.expire()

    # -- look

    def listdir(self, path: str, *, fresh: bool) -> list[str]:
        """The names in a directory, which is opened for it."""
        directory = self._lookup.walk(path, fresh=fresh, opening=True).inode_or_raise()
        return self.entries(directory)

    def entries(self, directory: Inode) -> list[str]:
        """The names in an open directory: as cached while it has not been seen to change."""
        if not directory.is_directory:
            raise failure(errno.ENOTDIR)
        for attempt in range(_LISTINGS_MAX):
            if directory.listing is not None:
                break
            try:
                directory.listing = self._read_directory(directory)
            except OSError as error:
                self._lookup.note(directory, error)
                if error.errno != _EBADCOOKIE or attempt == _LISTINGS_MAX - 1:
                    raise
        return [os.fsdecode(name) for name in directory.listing or ()]

    def _read_directory(self, directory: Inode) -> list[bytes]:
        names: list[bytes] = []
        cookie, verifier = 0, bytes(8)
        while True:
            result = self._rpc.do(Procedure.READDIR, ReaddirArguments(directory.handle, cookie, verifier))
            directory.learn(result.directory_attributes, self._lookup.options, self._lookup.now_ns)
            for entry in result.entries:
                cookie = entry.cookie
                if entry.name not in (b".", b".."):
                    names.append(entry.name)
            if result.eof or not result.entries:
                return names
            verifier = result.cookie_verifier

    def stat(self, path: str, follow: bool, *, fresh: bool) -> os.stat_result:
        """GETATTR, if the attributes are not believed any more."""
        return self._files.status(self._lookup.walk(path, follow=follow, fresh=fresh).inode_or_raise())

    def readlink(self, path: str, *, fresh: bool) -> str:
        """READLINK, cached."""
        inode = self._lookup.walk(path, follow=False, fresh=fresh).inode_or_raise()
        if inode.attributes.type is not FileType.LNK:
            raise failure(errno.EINVAL)
        return os.fsdecode(self._lookup.target(inode))

    def access(self, path: str, mode: int, *, fresh: bool) -> bool:
        """ACCESS."""
        inode = self._lookup.walk(path, fresh=fresh).inode_or_raise()
        wanted = Access(0)
        if mode & os.R_OK:
            wanted |= Access.READ
        if mode & os.W_OK:
            wanted |= Access.MODIFY | Access.EXTEND
        if mode & os.X_OK:
            wanted |= Access.LOOKUP if inode.is_directory else Access.EXECUTE
        if wanted:
            self._lookup.require(inode, wanted)
        return True

    def statvfs(self, path: str, *, fresh: bool) -> os.statvfs_result:
        """FSSTAT."""
        inode = self._lookup.walk(path, fresh=fresh).inode_or_raise()
        found = self._rpc.do(Procedure.FSSTAT, ObjectArguments(inode.handle))
        return os.statvfs_result(
            (
                _BLOCK_BYTES, _BLOCK_BYTES, found.total_bytes // _BLOCK_BYTES, found.free_bytes // _BLOCK_BYTES,
                found.available_bytes // _BLOCK_BYTES, found.total_files, found.free_files, found.available_files, 0,
                self._lookup.options.name_max_bytes,
            )
        )

    # -- attributes

    def set_attributes(self, path: str, new: SetAttributes, follow: bool, *, fresh: bool) -> None:
        """SETATTR; dirty pages go first."""
        inode = self._lookup.walk(path, follow=follow, fresh=fresh).inode_or_raise()
        self._writeback.flush(inode, commit=False)
        self._files.set_attributes(inode, new)

    def truncate(self, path: str, length: int, *, fresh: bool) -> None:
        """SETATTR of the size."""
        inode = self._lookup.walk(path, fresh=fresh).inode_or_raise()
        if inode.is_directory:
            raise failure(errno.EISDIR)
        self._files.resize(inode, length)

    def utime(self, path: str, times_ns: tuple[int, int], follow: bool, *, fresh: bool) -> None:
        """SETATTR of the times; the present moment is the server's."""
        now_ns = self._lookup.now_ns
        access_ns, modify_ns = (SERVER_TIME if time_ns == now_ns else time_ns for time_ns in times_ns)
        self.set_attributes(path, SetAttributes(atime_ns=access_ns, mtime_ns=modify_ns), follow, fresh=fresh)

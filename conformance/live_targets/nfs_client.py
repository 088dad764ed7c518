"""A mount of an NFS version 3 export through FUSE, where the kernel has no NFS client or nobody may use it.

    python nfs_client.py NFS_PORT MOUNT_PORT EXPORT MOUNT_POINT

One connection, one call at a time, sent again where it breaks (``nfs_rpc``). No cache but the kernel's of FUSE and the
handles of folders: every name is looked up, every byte is the server's. Writes are unstable and committed at fsync and close,
as an NFS client does. A server that forgot some of them in between (its verifier is another one) is ``EIO``. What is unlinked
while it is open is hidden by FUSE until it is closed. Runs until it is unmounted or killed. Needs fusepy and libfuse 2.
"""

from __future__ import annotations

import errno
import importlib
import itertools
import os
import stat
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from storcert.conformance.live_targets.nfs_rpc import NfsRpc
from storcert.conformance.live_targets.onc_rpc import mount
from storcert.simulators.nfs.client_rpc import errno_of
from storcert.simulators.nfs.protocol import (
    SERVER_TIME,
    VERIFIER_BYTES,
    Attributes,
    CommitArguments,
    CreateArguments,
    CreateMode,
    FileType,
    FsstatResult,
    Handle,
    LinkArguments,
    MadeResult,
    MkdirArguments,
    NameArguments,
    NfsStatus,
    ObjectArguments,
    Procedure,
    ReadArguments,
    ReaddirArguments,
    ReaddirResult,
    RenameArguments,
    SetattrArguments,
    SetAttributes,
    Verifier,
    WriteArguments,
)

fuse: Any = importlib.import_module("fuse")
T = TypeVar("T")

PIECE_BYTES = 64 * 1024
LATER_S, LATER_TRIES = 0.2, 50  # ten seconds of JUKEBOX
_TYPES = {
    FileType.REG: stat.S_IFREG, FileType.DIR: stat.S_IFDIR, FileType.LNK: stat.S_IFLNK, FileType.BLK: stat.S_IFBLK,
    FileType.CHR: stat.S_IFCHR, FileType.SOCK: stat.S_IFSOCK, FileType.FIFO: stat.S_IFIFO,
}  # fmt: skip


@dataclass(slots=True)
class _Open:
    """``verifier``: what the server said with the writes that are not committed yet, ``None`` where there are none. ``lost``:
    some were not kept. A process that is forked flushes what it inherited, so that must be told to whoever asks later, too."""

    handle: Handle
    verifier: Verifier | None = None
    lost: bool = False


class NfsClient(fuse.Operations):  # type: ignore[misc]
    """Every call of FUSE as calls of NFS on the export whose root that is."""

    def __init__(self, port: int, root: Handle) -> None:
        self._rpc = NfsRpc(port)
        self._root = root
        self._folders: dict[str, Handle] = {}
        self._numbers = itertools.count(1)
        self._open: dict[int, _Open] = {}

    def _ask(self, procedure: Procedure, arguments: Any) -> Any:
        for _ in range(LATER_TRIES):
            reply = self._rpc.ask(procedure, arguments)
            if reply.status is NfsStatus.NFS3_OK:
                return reply.result
            if reply.status is not NfsStatus.NFS3ERR_JUKEBOX:
                raise fuse.FuseOSError(errno_of(reply.status))
            time.sleep(LATER_S)
        raise fuse.FuseOSError(errno.EIO)

    def _twice(self, call: Callable[[], T]) -> T:
        """A call by path, once more from the root on where a handle was stale, as the kernel does it (path_lookupat)."""
        try:
            return call()
        except OSError as error:
            if error.errno != errno.ESTALE:
                raise
            self._folders.clear()
            return call()

    def _at(self, path: str) -> Handle:
        """The handle of what is there now: its name is always asked for, the folders above it are known."""
        folder, _, name = path.rstrip("/").rpartition("/")
        if not name:
            return self._root
        found: Handle = self._ask(Procedure.LOOKUP, NameArguments(self._folder(folder), os.fsencode(name))).handle
        return found

    def _folder(self, path: str) -> Handle:
        known = self._folders.get(path)
        if known is None:
            known = self._folders[path] = self._at(path)
        return known

    def _place(self, path: str) -> tuple[Handle, bytes]:
        """The folder and the name in it."""
        folder, _, name = path.rpartition("/")
        return self._folder(folder), os.fsencode(name)

    def _set(self, path: str, new: SetAttributes) -> None:
        self._twice(lambda: self._ask(Procedure.SETATTR, SetattrArguments(self._at(path), new)))

    def _opened(self, handle: Handle) -> int:
        number = next(self._numbers)
        self._open[number] = _Open(handle)
        return number

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        known = self._open.get(fh) if fh is not None else None
        found = self._attributes(known.handle) if known is not None else self._twice(lambda: self._attributes(self._at(path)))
        return {
            "st_mode": _TYPES[found.type] | found.mode, "st_nlink": found.nlink, "st_uid": found.uid, "st_gid": found.gid,
            "st_size": found.size_bytes, "st_blocks": -(-found.used_bytes // 512), "st_ino": found.fileid,
            "st_atime": found.atime_ns / 1e9, "st_mtime": found.mtime_ns / 1e9, "st_ctime": found.ctime_ns / 1e9,
        }  # fmt: skip

    def _attributes(self, handle: Handle) -> Attributes:
        found: Attributes = self._ask(Procedure.GETATTR, ObjectArguments(handle)).attributes
        return found

    def readdir(self, path: str, fh: int) -> list[str]:
        return self._twice(lambda: self._names(self._at(path)))

    def _names(self, handle: Handle) -> list[str]:
        names, seen = [".", ".."], ReaddirResult(cookie_verifier=ReaddirArguments(b"").cookie_verifier)
        cookie = 0
        while not seen.eof:
            seen = self._ask(Procedure.READDIR, ReaddirArguments(handle, cookie, seen.cookie_verifier))
            names += [name for entry in seen.entries if (name := os.fsdecode(entry.name)) not in (".", "..")]
            if seen.entries:
                cookie = seen.entries[-1].cookie
        return names

    def statfs(self, path: str) -> dict[str, Any]:
        found: FsstatResult = self._ask(Procedure.FSSTAT, ObjectArguments(self._root))
        blocks = {"f_blocks": found.total_bytes, "f_bfree": found.free_bytes, "f_bavail": found.available_bytes}
        files = {"f_files": found.total_files, "f_ffree": found.free_files, "f_favail": found.available_files}
        return {**{name: value // 4096 for name, value in blocks.items()}, **files, "f_bsize": 4096, "f_frsize": 4096,
                "f_namemax": 255}  # fmt: skip

    def open(self, path: str, flags: int) -> int:
        return self._opened(self._twice(lambda: self._at(path)))

    def create(self, path: str, mode: int, fi: Any = None, flags: int = 0) -> int:
        make = self._create_exclusively if flags & os.O_EXCL else self._create
        return self._opened(self._twice(lambda: make(path, stat.S_IMODE(mode))))

    def _create(self, path: str, mode: int) -> Handle:
        folder, name = self._place(path)
        asked = CreateArguments(folder, name, CreateMode.UNCHECKED, SetAttributes(mode=mode))
        return self._made(path, self._ask(Procedure.CREATE, asked))

    def _create_exclusively(self, path: str, mode: int) -> Handle:
        """With a verifier, so that a request sent twice makes one file; then the mode, and the times that held it."""
        folder, name = self._place(path)
        asked = CreateArguments(folder, name, CreateMode.EXCLUSIVE, verifier=os.urandom(VERIFIER_BYTES))
        handle = self._made(path, self._ask(Procedure.CREATE, asked))
        new = SetAttributes(mode=mode, atime_ns=SERVER_TIME, mtime_ns=SERVER_TIME)
        self._ask(Procedure.SETATTR, SetattrArguments(handle, new))
        return handle

    def _made(self, path: str, made: MadeResult) -> Handle:
        return made.handle if made.handle is not None else self._at(path)

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        pieces, at, end = [], offset, offset + size
        while at < end:
            found = self._ask(Procedure.READ, ReadArguments(self._open[fh].handle, at, min(PIECE_BYTES, end - at)))
            pieces.append(found.data)
            at += len(found.data)
            if found.eof or not found.data:
                break
        return b"".join(pieces)

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        written, file = 0, self._open[fh]
        while written < len(data):
            piece = data[written : written + PIECE_BYTES]
            found = self._ask(Procedure.WRITE, WriteArguments(file.handle, offset + written, piece))
            if not found.count or file.verifier not in (None, found.verifier):
                file.lost = True
                raise fuse.FuseOSError(errno.EIO)
            file.verifier = found.verifier
            written += found.count
        return written

    def fsync(self, path: str, datasync: int, fh: int) -> None:
        file = self._open[fh]
        if file.verifier is not None:
            said, before, file.verifier, file.lost = file.verifier, file.lost, None, True
            if self._ask(Procedure.COMMIT, CommitArguments(file.handle)).verifier == said:
                file.lost = before
        if file.lost:
            raise fuse.FuseOSError(errno.EIO)

    def flush(self, path: str, fh: int) -> None:
        self.fsync(path, 0, fh)

    def fsyncdir(self, path: str, datasync: int, fh: int) -> None:
        """Names are safe when the server has answered (RFC 1813, 4.8)."""

    def release(self, path: str, fh: int) -> None:
        self._open.pop(fh, None)

    def truncate(self, path: str, length: int, fh: int | None = None) -> None:
        known, new = self._open.get(fh) if fh is not None else None, SetAttributes(size_bytes=length)
        if known is None:
            self._set(path, new)
        else:
            self._ask(Procedure.SETATTR, SetattrArguments(known.handle, new))

    def chmod(self, path: str, mode: int) -> None:
        self._set(path, SetAttributes(mode=stat.S_IMODE(mode)))

    def chown(self, path: str, uid: int, gid: int) -> None:
        unchanged = (-1, 0xFFFFFFFF)
        self._set(path, SetAttributes(uid=None if uid in unchanged else uid, gid=None if gid in unchanged else gid))

    def utimens(self, path: str, times: tuple[float, float] | None = None) -> None:
        atime_ns, mtime_ns = (SERVER_TIME, SERVER_TIME) if times is None else (int(times[0] * 1e9), int(times[1] * 1e9))
        self._set(path, SetAttributes(atime_ns=atime_ns, mtime_ns=mtime_ns))

    def mkdir(self, path: str, mode: int) -> None:
        new = SetAttributes(mode=stat.S_IMODE(mode))
        self._twice(lambda: self._ask(Procedure.MKDIR, MkdirArguments(*self._place(path), new)))

    def rmdir(self, path: str) -> None:
        self._twice(lambda: self._ask(Procedure.RMDIR, NameArguments(*self._place(path))))
        self._folders.clear()

    def unlink(self, path: str) -> None:
        self._twice(lambda: self._ask(Procedure.REMOVE, NameArguments(*self._place(path))))

    def rename(self, old: str, new: str) -> None:
        self._twice(lambda: self._ask(Procedure.RENAME, RenameArguments(*self._place(old), *self._place(new))))
        self._folders.clear()

    def link(self, target: str, source: str) -> None:
        self._twice(lambda: self._ask(Procedure.LINK, LinkArguments(self._at(source), *self._place(target))))


class Mount(fuse.FUSE):  # type: ignore[misc]
    """A create tells with which flags, which fusepy keeps for itself."""

    def create(self, path: bytes, mode: int, fip: Any) -> int:
        opened = fip.contents
        opened.fh = self.operations.create(path.decode(self.encoding, "surrogateescape"), mode, flags=opened.flags)
        return 0


if __name__ == "__main__":
    nfs_port, mount_port, export, mount_point = sys.argv[1:5]
    client = NfsClient(int(nfs_port), mount(int(mount_port), export))
    Mount(client, mount_point, foreground=True, nothreads=True, use_ino=True, big_writes=True)

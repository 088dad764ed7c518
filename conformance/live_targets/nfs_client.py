"""A mount of an NFS version 3 export through FUSE, where the kernel has no NFS client or nobody may use it.

    python nfs_client.py NFS_PORT MOUNT_PORT EXPORT MOUNT_POINT

One connection, one call at a time. No cache but the kernel's of FUSE: every path is looked up, every byte is the server's.
Writes are unstable and committed at fsync and close, as an NFS client does. A server that forgot some of them in between (its
verifier is another one) is ``EIO``, and so is a server that does not answer, as on a soft mount. What is unlinked while it is
open is hidden by FUSE until it is closed. Runs until it is unmounted or killed. Needs fusepy and libfuse 2.
"""

from __future__ import annotations

import errno
import importlib
import itertools
import os
import stat
import sys
import time
from dataclasses import dataclass
from typing import Any

from storcert.conformance.live_targets.onc_rpc import Connection, mount
from storcert.simulators.nfs.client_rpc import errno_of
from storcert.simulators.nfs.protocol import (
    SERVER_TIME,
    Attributes,
    CommitArguments,
    CreateArguments,
    CreateMode,
    FileType,
    FsstatResult,
    Handle,
    LinkArguments,
    MkdirArguments,
    NameArguments,
    NfsStatus,
    ObjectArguments,
    Procedure,
    ReadArguments,
    ReaddirArguments,
    ReaddirResult,
    RenameArguments,
    Reply,
    SetattrArguments,
    SetAttributes,
    Verifier,
    WriteArguments,
)

fuse: Any = importlib.import_module("fuse")

PIECE_BYTES = 64 * 1024
TIMEOUT_S = 30.0
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
        self._port = port
        self._root = root
        self._connection: Connection | None = None
        self._numbers = itertools.count(1)
        self._open: dict[int, _Open] = {}

    def _ask(self, procedure: Procedure, arguments: Any) -> Any:
        for _ in range(LATER_TRIES):
            reply = self._reply(procedure, arguments)
            if reply.status is NfsStatus.NFS3_OK:
                return reply.result
            if reply.status is not NfsStatus.NFS3ERR_JUKEBOX:
                raise fuse.FuseOSError(errno_of(reply.status))
            time.sleep(LATER_S)
        raise fuse.FuseOSError(errno.EIO)

    def _reply(self, procedure: Procedure, arguments: Any) -> Reply:
        try:
            if self._connection is None:
                self._connection = Connection(self._port, timeout_s=TIMEOUT_S)
            return self._connection.call(procedure, arguments, uid=os.geteuid(), gid=os.getegid())
        except OSError as error:
            lost, self._connection = self._connection, None
            if lost is not None:
                lost.close()
            raise fuse.FuseOSError(errno.EIO) from error

    def _at(self, path: str) -> Handle:
        handle = self._root
        for name in path.split("/"):
            if name:
                handle = self._ask(Procedure.LOOKUP, NameArguments(handle, os.fsencode(name))).handle
        return handle

    def _place(self, path: str) -> tuple[Handle, bytes]:
        """The folder and the name in it."""
        folder, _, name = path.rpartition("/")
        return self._at(folder), os.fsencode(name)

    def _set(self, path: str, new: SetAttributes) -> None:
        self._ask(Procedure.SETATTR, SetattrArguments(self._at(path), new))

    def _opened(self, handle: Handle) -> int:
        number = next(self._numbers)
        self._open[number] = _Open(handle)
        return number

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        known = self._open.get(fh) if fh is not None else None
        handle = known.handle if known is not None else self._at(path)
        found: Attributes = self._ask(Procedure.GETATTR, ObjectArguments(handle)).attributes
        return {
            "st_mode": _TYPES[found.type] | found.mode, "st_nlink": found.nlink, "st_uid": found.uid, "st_gid": found.gid,
            "st_size": found.size_bytes, "st_blocks": -(-found.used_bytes // 512), "st_ino": found.fileid,
            "st_atime": found.atime_ns / 1e9, "st_mtime": found.mtime_ns / 1e9, "st_ctime": found.ctime_ns / 1e9,
        }  # fmt: skip

    def readdir(self, path: str, fh: int) -> list[str]:
        handle, names, seen = self._at(path), [".", ".."], ReaddirResult(cookie_verifier=ReaddirArguments(b"").cookie_verifier)
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
        return self._opened(self._at(path))

    def create(self, path: str, mode: int, fi: Any = None) -> int:
        folder, name = self._place(path)
        new = SetAttributes(mode=stat.S_IMODE(mode))
        made = self._ask(Procedure.CREATE, CreateArguments(folder, name, CreateMode.GUARDED, new))
        return self._opened(made.handle if made.handle is not None else self._at(path))

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
        known = self._open.get(fh) if fh is not None else None
        handle = known.handle if known is not None else self._at(path)
        self._ask(Procedure.SETATTR, SetattrArguments(handle, SetAttributes(size_bytes=length)))

    def chmod(self, path: str, mode: int) -> None:
        self._set(path, SetAttributes(mode=stat.S_IMODE(mode)))

    def chown(self, path: str, uid: int, gid: int) -> None:
        unchanged = (-1, 0xFFFFFFFF)
        self._set(path, SetAttributes(uid=None if uid in unchanged else uid, gid=None if gid in unchanged else gid))

    def utimens(self, path: str, times: tuple[float, float] | None = None) -> None:
        atime_ns, mtime_ns = (SERVER_TIME, SERVER_TIME) if times is None else (int(times[0] * 1e9), int(times[1] * 1e9))
        self._set(path, SetAttributes(atime_ns=atime_ns, mtime_ns=mtime_ns))

    def mkdir(self, path: str, mode: int) -> None:
        self._ask(Procedure.MKDIR, MkdirArguments(*self._place(path), SetAttributes(mode=stat.S_IMODE(mode))))

    def rmdir(self, path: str) -> None:
        self._ask(Procedure.RMDIR, NameArguments(*self._place(path)))

    def unlink(self, path: str) -> None:
        self._ask(Procedure.REMOVE, NameArguments(*self._place(path)))

    def rename(self, old: str, new: str) -> None:
        self._ask(Procedure.RENAME, RenameArguments(*self._place(old), *self._place(new)))

    def link(self, target: str, source: str) -> None:
        self._ask(Procedure.LINK, LinkArguments(self._at(source), *self._place(target)))


if __name__ == "__main__":
    nfs_port, mount_port, export, mount_point = sys.argv[1:5]
    client = NfsClient(int(nfs_port), mount(int(mount_port), export))
    fuse.FUSE(client, mount_point, foreground=True, nothreads=True, use_ino=True)

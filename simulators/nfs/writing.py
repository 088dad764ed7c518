"""The procedures that change an object in place: SETATTR, WRITE, COMMIT. Sizes, rights, and what is safe when."""

from __future__ import annotations

from storcert.simulators.nfs.attributes import SERVER_TIME, UNCHANGED, SetAttributes, WccData
from storcert.simulators.nfs.content import BLOCK_BYTES, kept, truncated, used_by, written
from storcert.simulators.nfs.filesystem import Caller, FileSystem
from storcert.simulators.nfs.permissions import WRITE, require_owner_or
from storcert.simulators.nfs.protocol import (
    CommitArguments,
    CommitResult,
    SetattrArguments,
    WccResult,
    WriteArguments,
    WriteResult,
)
from storcert.simulators.nfs.refusal import Refusal
from storcert.simulators.nfs.status import NfsStatus, Stable
from storcert.simulators.nfs.tree import Directory, File, Inode, Symlink

_SET_UID, _SET_GID = 0o4000, 0o2000
_SET_ID = _SET_UID | _SET_GID
_GROUP_EXECUTE = 0o010


def setattr_(fs: FileSystem, caller: Caller, arguments: SetattrArguments) -> WccResult:
    """SETATTR: all of it or nothing."""
    fs.require_writable(arguments.object)
    inode = fs.tree.resolve(arguments.object)
    before = inode.before()
    if arguments.guard_ctime_ns is not None and arguments.guard_ctime_ns != inode.ctime_ns:
        raise Refusal(NfsStatus.NFS3ERR_NOT_SYNC)
    new = arguments.new
    if caller.now_ns < fs.grace_until_ns:
        raise Refusal(NfsStatus.NFS3ERR_JUKEBOX)
    if new.size_bytes is not None and not isinstance(inode, File):
        raise Refusal(NfsStatus.NFS3ERR_BADTYPE)
    _check_rights(inode, caller, new)
    if new.size_bytes is not None and isinstance(inode, File):
        resize(fs, caller, inode, new.size_bytes)
    set_attributes(fs, caller, inode, new)
    return WccResult(WccData(before, inode.attributes()))


def _check_rights(inode: Inode, caller: Caller, new: SetAttributes) -> None:
    owner = caller.uid in (0, inode.uid)
    if caller.uid != 0 and new.uid is not None and (not owner or new.uid != inode.uid):
        raise Refusal(NfsStatus.NFS3ERR_PERM)
    if caller.uid != 0 and new.gid is not None and (not owner or new.gid not in (inode.gid, caller.gid)):
        raise Refusal(NfsStatus.NFS3ERR_PERM)
    if new.mode is not None and not owner:
        raise Refusal(NfsStatus.NFS3ERR_PERM)
    times = [time for time in (new.atime_ns, new.mtime_ns) if time is not None]
    if any(time != SERVER_TIME for time in times) and not owner:
        raise Refusal(NfsStatus.NFS3ERR_PERM)
    if times or new.size_bytes is not None:
        require_owner_or(inode, caller, WRITE)


def set_attributes(fs: FileSystem, caller: Caller, inode: Inode, new: SetAttributes) -> None:
    """All but the size, without asking who may; in the order of a server that has a system call for each."""
    now_ns = caller.now_ns
    if new.mode is not None and not isinstance(inode, Symlink):
        mode = new.mode
        if caller.uid != 0 and caller.gid != inode.gid:
            mode &= ~_SET_GID
        fs.tree.set_rights(inode, mode)
    if new.uid is not None or new.gid is not None:
        fs.tree.set_rights(inode, None, new.uid, new.gid)
        if not isinstance(inode, Directory):
            drop_set_ids(fs, inode)
    if new.atime_ns is not None:
        inode.atime_ns = now_ns if new.atime_ns == SERVER_TIME else new.atime_ns
    if new.mtime_ns is not None:
        inode.mtime_ns = now_ns if new.mtime_ns == SERVER_TIME else new.mtime_ns
    if new != UNCHANGED:
        inode.ctime_ns = now_ns


def drop_set_ids(fs: FileSystem, inode: Inode) -> None:
    """A change of owner or of contents takes set-user-id and, where the group may execute, set-group-id."""
    if inode.mode & _SET_ID:
        fs.tree.set_rights(inode, inode.mode & ~_SET_UID & ~(_SET_GID if inode.mode & _GROUP_EXECUTE else 0))


def resize(fs: FileSystem, caller: Caller, file: File, size_bytes: int) -> None:
    """Cut or grow with zeros, safe at once: also what a restart would leave."""
    if size_bytes > fs.options.file_max_bytes:
        raise Refusal(NfsStatus.NFS3ERR_FBIG)
    used = file.used_bytes
    safe = fs.safe_content(file)
    if safe is not None:
        fs.set_safe_content(file, truncated(safe, size_bytes))
    file.content = truncated(file.content, size_bytes)
    fs.tree.used_bytes += file.used_bytes - used
    file.mtime_ns = file.ctime_ns = caller.now_ns


def write(fs: FileSystem, caller: Caller, arguments: WriteArguments) -> WriteResult:
    """WRITE."""
    fs.require_writable(arguments.file)
    inode = fs.tree.resolve(arguments.file)
    require_owner_or(inode, caller, WRITE)
    file = fs.file(inode)
    before = file.before()
    data, offset = arguments.data, arguments.offset
    if data and offset + len(data) > fs.options.file_max_bytes:
        raise Refusal(NfsStatus.NFS3ERR_FBIG)
    stable = arguments.stable is not Stable.UNSTABLE or not fs.options.unstable_writes
    if data:
        _put(fs, file, offset, data, stable)
        file.mtime_ns = file.ctime_ns = caller.now_ns
        if caller.uid != 0:
            drop_set_ids(fs, file)
    committed = Stable.FILE_SYNC if stable else Stable.UNSTABLE
    return WriteResult(WccData(before, file.attributes()), len(data), committed, fs.verifier)


def _put(fs: FileSystem, file: File, offset: int, data: bytes, stable: bool) -> None:
    tree = fs.tree
    used = file.used_bytes
    if fs.commit_full and stable:
        raise Refusal(NfsStatus.NFS3ERR_NOSPC)
    if fs.full or fs.quota_full or fs.free_bytes < len(data) + BLOCK_BYTES:
        _require_room(fs, file, offset, data)
    if stable:
        safe = fs.safe_content(file)
        if safe is not None:
            fs.set_safe_content(file, written(safe, offset, data))
    else:
        fs.note_unstable(file)
    file.content = written(file.content, offset, data)
    tree.used_bytes += file.used_bytes - used


def _require_room(fs: FileSystem, file: File, offset: int, data: bytes) -> None:
    """Space may not suffice: look closely, on a copy."""
    more = used_by(written(kept(file.content), offset, data)) - file.used_bytes
    if offset + len(data) > -(-file.size_bytes // BLOCK_BYTES) * BLOCK_BYTES:
        # A block behind the last one is a new one, however few bytes the file has in all.
        more = max(more, BLOCK_BYTES)
    if more > 0:
        fs.require_space(fs.tree.used_bytes + more)


def commit(fs: FileSystem, caller: Caller, arguments: CommitArguments) -> CommitResult:
    """COMMIT: of the whole file, whatever the range. Where space is found missing only now, what was unstable is gone."""
    fs.require_writable(arguments.file)
    file = fs.file(fs.tree.resolve(arguments.file))
    before = file.before()
    if fs.commit_full and fs.safe_content(file) is not None:
        fs.drop_unstable(file)
        raise Refusal(NfsStatus.NFS3ERR_NOSPC)
    fs.commit(file)
    return CommitResult(WccData(before, file.attributes()), fs.verifier)

"""The state of the export that operations work on: the tree, what is not yet safe, the space, what faults switched on.

Unstable data: a WRITE that asks for nothing better lives in the server's memory until COMMIT. The safe version of each such
file is kept beside it; a restart puts the safe version back and changes the write verifier.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from storcert.simulators.nfs.attributes import VERIFIER_BYTES, Handle, Verifier
from storcert.simulators.nfs.content import Content, kept
from storcert.simulators.nfs.options import NfsOptions
from storcert.simulators.nfs.refusal import Refusal
from storcert.simulators.nfs.status import NfsStatus
from storcert.simulators.nfs.tree import Directory, File, Inode, Tree

NOBODY = 65534


@dataclass(slots=True)
class Caller:
    """Who calls, after squashing, and when."""

    uid: int
    gid: int
    now_ns: int


class FileSystem:
    """``full``, ``commit_full``, ``quota_full``, ``read_only``, ``root_squash``: switched by options and faults.

    ``verifier``: of WRITE and COMMIT, another one after each restart. ``grace_until_ns``: end of the grace period.
    """

    def __init__(self, options: NfsOptions, stream: Random, now_ns: int) -> None:
        self.options = options
        self.tree = Tree(options.case_sensitive, now_ns)
        self.full = self.commit_full = self.quota_full = False
        self.read_only = options.read_only
        self.root_squash = options.root_squash
        self.grace_until_ns = 0
        self._stream = stream
        self.verifier: Verifier = stream.randbytes(VERIFIER_BYTES)
        # What each file with unstable data is without them, by number.
        self._safe: dict[int, Content] = {}
        # The last directory that was listed, how often it had changed then, and its names in order of cookies.
        self.listing: tuple[Directory | None, int, list[tuple[int, bytes]]] = (None, 0, [])

    # -- who and where

    def caller(self, uid: int, gid: int, now_ns: int) -> Caller:
        """With root squash root is nobody."""
        if self.root_squash and uid == 0:
            return Caller(NOBODY, NOBODY, now_ns)
        return Caller(uid, gid, now_ns)

    def directory(self, handle: Handle) -> Directory:
        """The directory of that handle; refuses anything else."""
        found = self.tree.resolve(handle)
        if not isinstance(found, Directory):
            raise Refusal(NfsStatus.NFS3ERR_NOTDIR)
        return found

    def file(self, inode: Inode) -> File:
        """``inode`` itself, a regular file; ISDIR for a directory, INVAL for everything else."""
        if isinstance(inode, File):
            return inode
        raise Refusal(NfsStatus.NFS3ERR_ISDIR if isinstance(inode, Directory) else NfsStatus.NFS3ERR_INVAL)

    def require_writable(self, handle: Handle) -> None:
        """Refuses a handle that no export has, and every other one on a read-only export, stale or not."""
        self.tree.check(handle)
        if self.read_only:
            raise Refusal(NfsStatus.NFS3ERR_ROFS)

    # -- space

    @property
    def free_bytes(self) -> int:
        """What is left of capacity and quota."""
        if self.full or self.quota_full:
            return 0
        limit = self.options.capacity_bytes
        if self.options.quota_bytes:
            limit = min(limit, self.options.quota_bytes)
        return max(0, limit - self.tree.used_bytes)

    def require_space(self, used_bytes: int) -> None:
        """Refuses what would make the export larger than it may be; ``used_bytes`` is what it would hold then."""
        if self.full or used_bytes > self.options.capacity_bytes:
            raise Refusal(NfsStatus.NFS3ERR_NOSPC)
        if self.quota_full or (self.options.quota_bytes and used_bytes > self.options.quota_bytes):
            raise Refusal(NfsStatus.NFS3ERR_DQUOT)

    # -- unstable data

    def note_unstable(self, file: File) -> None:
        """``file`` is about to be changed in memory only: remember how it is safe."""
        if file.fileid not in self._safe:
            self._safe[file.fileid] = kept(file.content)

    def safe_content(self, file: File) -> Content | None:
        """What a restart would leave of ``file``, or ``None`` if all of it is safe."""
        return self._safe.get(file.fileid)

    def set_safe_content(self, file: File, content: Content) -> None:
        """What a restart would leave from now on."""
        self._safe[file.fileid] = content

    def commit(self, file: File) -> None:
        """All of ``file`` is safe now."""
        self._safe.pop(file.fileid, None)

    def drop_unstable(self, file: File) -> None:
        """What was in memory only is gone."""
        safe = self._safe.pop(file.fileid, None)
        if safe is not None:
            self.tree.used_bytes -= file.used_bytes
            file.content = safe
            self.tree.used_bytes += file.used_bytes

    def release(self, inode: Inode) -> None:
        """The last name of ``inode`` is gone."""
        self._safe.pop(inode.fileid, None)
        self.tree.release(inode)

    def restart(self, now_ns: int) -> None:
        """The server dies and comes back: memory is lost, the verifier is another one, a grace period begins."""
        for fileid in sorted(self._safe):
            inode = self.tree.inode(fileid)
            assert isinstance(inode, File)
            self.drop_unstable(inode)
        self._safe.clear()
        self.verifier = self._stream.randbytes(VERIFIER_BYTES)
        self.grace_until_ns = now_ns + self.options.grace_ns

    def heal(self) -> None:
        """Space free, rights as configured, no grace period."""
        self.full = self.commit_full = self.quota_full = False
        self.read_only = self.options.read_only
        self.root_squash = self.options.root_squash
        self.grace_until_ns = 0

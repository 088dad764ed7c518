"""A mounted file system on pyfakefs: its tree of inodes, its path walking and its errors, driven by simulated time.

Only ``FakeFilesystem`` is used; pyfakefs' own replacement of modules is not. Contents are kept as ``bytearray``, so that a
write does not copy the file. The user is root. No latency, no faults, no caches: the NFS simulator brings those.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pyfakefs import helpers
from pyfakefs.fake_file import FakeDirectory, FakeFile
from pyfakefs.fake_filesystem import FakeFilesystem

from storcert.harness.kernel import context
from storcert.harness.kernel.interpose.namespace import failure

if TYPE_CHECKING:
    from storcert.harness.kernel.loop import Kernel

_SECOND_NS = 10**9
_BLOCK_BYTES = 4096
_FIRST_DEVICE = 100  # never the device of the bare root: os.path.ismount compares them
_TOTAL_BYTES = 1 << 40


class FakeMount:
    """One mount of a pyfakefs file system. Several mounts may share it."""

    def __init__(self, kernel: Kernel, filesystem: FakeFilesystem | None = None, *, read_only: bool = False) -> None:
        self._kernel = kernel
        self.read_only = read_only
        with self._quietly():
            tree = FakeFilesystem(path_separator="/", total_size=_TOTAL_BYTES) if filesystem is None else filesystem
            if filesystem is None:
                tree.chmod("/", 0o777)
        tree.shuffle_listdir_results = False
        tree.umask = 0  # the caller's umask was applied before
        self.filesystem: FakeFilesystem = tree

    @contextmanager
    def _quietly(self, *, writes: bool = False) -> Iterator[None]:
        """Run pyfakefs as the kit, as root, at the simulated time."""
        if writes and self.read_only:
            raise failure(errno.EROFS)
        now = self._kernel.now_ns / _SECOND_NS
        before = helpers.now, helpers.USER_ID, helpers.GROUP_ID
        helpers.now, helpers.USER_ID, helpers.GROUP_ID = (lambda: now), 0, 0
        try:
            with context.outside():
                yield
        finally:
            helpers.now, helpers.USER_ID, helpers.GROUP_ID = before

    # -- open files

    def open(self, path: str, flags: int, mode: int) -> Any:
        writing = flags & os.O_ACCMODE != os.O_RDONLY
        with self._quietly(writes=writing or bool(flags & (os.O_CREAT | os.O_TRUNC))):
            filesystem = self.filesystem
            if flags & os.O_NOFOLLOW and filesystem.islink(path):
                raise failure(errno.ELOOP)
            if flags & os.O_TMPFILE == os.O_TMPFILE:
                raise failure(errno.EOPNOTSUPP)
            if flags & os.O_CREAT and flags & os.O_EXCL and filesystem.exists(path, check_link=True):
                raise failure(errno.EEXIST)
            if not filesystem.exists(path) and flags & os.O_CREAT:
                if path.endswith("/"):
                    raise failure(errno.EISDIR)
                return filesystem.create_file_internally(path, stat.S_IFREG | mode, b"", create_missing_dirs=False)
            file = filesystem.resolve(path)
            if isinstance(file, FakeDirectory):
                if writing or flags & os.O_CREAT:
                    raise failure(errno.EISDIR)
            elif flags & os.O_DIRECTORY:
                raise failure(errno.ENOTDIR)
            elif flags & os.O_TRUNC and file.st_size:
                self._resize(file, 0)
            return file

    def release(self, handle: Any) -> None:
        """Nothing to do: an unlinked inode lives as long as somebody holds it."""

    def forget(self, handle: Any) -> None:
        """As :meth:`release`."""

    def size(self, handle: Any) -> int:
        return int(handle.st_size)

    def entries(self, handle: Any) -> list[str]:
        if not isinstance(handle, FakeDirectory):
            raise failure(errno.ENOTDIR)
        return sorted(handle.entries)

    def lock(self, handle: Any) -> None:
        raise failure(errno.ENOLCK)

    def pread(self, handle: Any, size: int, offset: int) -> bytes:
        if isinstance(handle, FakeDirectory):
            raise failure(errno.EISDIR)
        return bytes(memoryview(handle.byte_contents or b"")[offset : offset + size])

    def pwrite(self, handle: Any, data: bytes, offset: int) -> int:
        with self._quietly(writes=True):
            if offset < 0:
                offset = handle.st_size
            if offset + len(data) > handle.st_size:
                self._resize(handle, offset + len(data))
            contents = self._bytes_of(handle)
            contents[offset : offset + len(data)] = data
            self._touched(handle)
        return len(data)

    def fstat(self, handle: Any) -> os.stat_result:
        return _stat_result(handle.stat_result)

    def ftruncate(self, handle: Any, length: int) -> None:
        with self._quietly(writes=True):
            self._resize(handle, length)

    def fsync(self, handle: Any) -> None:
        """Nothing is ever lost here."""

    def _bytes_of(self, file: FakeFile) -> bytearray:
        contents: Any = file._byte_contents
        if type(contents) is not bytearray:
            contents = file._byte_contents = bytearray(contents or b"")  # type: ignore[assignment]
        return contents  # type: ignore[no-any-return]

    def _resize(self, file: FakeFile, length: int) -> None:
        contents = self._bytes_of(file)
        self.filesystem.change_disk_usage(length - len(contents), file.name, file.st_dev)
        if length < len(contents):
            del contents[length:]
        else:
            contents.extend(bytes(length - len(contents)))
        file.st_size = length
        self._touched(file)

    def _touched(self, file: FakeFile) -> None:
        file.st_mtime = file.st_ctime = self._kernel.now_ns / _SECOND_NS

    # -- names

    def stat(self, path: str, follow_symlinks: bool) -> os.stat_result:
        with self._quietly():
            return _stat_result(self.filesystem.stat(path, follow_symlinks=follow_symlinks))

    def listdir(self, path: str) -> list[str]:
        with self._quietly():
            return sorted(self.filesystem.listdir(path))

    def mkdir(self, path: str, mode: int) -> None:
        with self._quietly(writes=True):
            self.filesystem.makedir(path, mode)

    def rmdir(self, path: str) -> None:
        with self._quietly(writes=True):
            self.filesystem.rmdir(path)

    def unlink(self, path: str) -> None:
        with self._quietly(writes=True):
            self.filesystem.remove(path)

    def rename(self, source: str, destination: str) -> None:
        with self._quietly(writes=True):
            self.filesystem.rename(source, destination, force_replace=True)

    def link(self, source: str, destination: str, follow_symlinks: bool) -> None:
        with self._quietly(writes=True):
            self.filesystem.link(source, destination, follow_symlinks=follow_symlinks)

    def symlink(self, target: str, path: str) -> None:
        with self._quietly(writes=True):
            self.filesystem.create_symlink(path, target, create_missing_dirs=False)

    def readlink(self, path: str) -> str:
        with self._quietly():
            return str(self.filesystem.readlink(path))

    def chmod(self, path: str, mode: int, follow_symlinks: bool) -> None:
        with self._quietly(writes=True):
            self.filesystem.chmod(path, mode, follow_symlinks=follow_symlinks)

    def chown(self, path: str, uid: int, gid: int, follow_symlinks: bool) -> None:
        with self._quietly(writes=True):
            file = self.filesystem.resolve(path) if follow_symlinks else self.filesystem.lresolve(path)
            if uid != -1:
                file.st_uid = uid
            if gid != -1:
                file.st_gid = gid

    def utime(self, path: str, times_ns: tuple[int, int], follow_symlinks: bool) -> None:
        with self._quietly(writes=True):
            self.filesystem.utime(path, ns=times_ns, follow_symlinks=follow_symlinks)

    def truncate(self, path: str, length: int) -> None:
        with self._quietly(writes=True):
            file = self.filesystem.resolve(path)
            if isinstance(file, FakeDirectory):
                raise failure(errno.EISDIR)
            self._resize(file, length)

    def mknod(self, path: str, mode: int, device: int) -> None:
        with self._quietly(writes=True):
            if self.filesystem.exists(path, check_link=True):
                raise failure(errno.EEXIST)
            self.filesystem.create_file_internally(path, mode, b"", create_missing_dirs=False)

    def access(self, path: str, mode: int) -> bool:
        try:
            self.stat(path, True)
        except OSError:
            return False
        return not (self.read_only and mode & os.W_OK)

    def statvfs(self, path: str) -> os.statvfs_result:
        self.stat(path, True)
        with self._quietly():
            total, _, free = self.filesystem.get_disk_usage(path)
        blocks, left = total // _BLOCK_BYTES, free // _BLOCK_BYTES
        return os.statvfs_result((_BLOCK_BYTES, _BLOCK_BYTES, blocks, left, left, 1 << 20, 1 << 20, 1 << 20, 0, 255))


def _stat_result(found: Any) -> os.stat_result:
    """pyfakefs' answer as the real type, which drivers may unpack and compare."""
    size_bytes = found.st_size or 0
    access_ns, change_ns, modify_ns = found.st_atime_ns, found.st_ctime_ns, found.st_mtime_ns
    return os.stat_result(
        (
            found.st_mode, found.st_ino, found.st_dev + _FIRST_DEVICE, found.st_nlink,
            found.st_uid or 0, found.st_gid or 0, size_bytes,
            access_ns // _SECOND_NS, modify_ns // _SECOND_NS, change_ns // _SECOND_NS,
        ),
        {
            "st_atime": access_ns / _SECOND_NS, "st_mtime": modify_ns / _SECOND_NS, "st_ctime": change_ns / _SECOND_NS,
            "st_atime_ns": access_ns, "st_mtime_ns": modify_ns, "st_ctime_ns": change_ns,
            "st_blksize": _BLOCK_BYTES, "st_blocks": -(-size_bytes // 512), "st_rdev": 0,
        },
    )

"""A FUSE file system that passes everything on to a directory: what stands for a kernel's NFS mount where there is none.

    python passthrough.py DIRECTORY MOUNT_POINT

Runs until it is unmounted or killed. Needs fusepy and libfuse 2.
"""

from __future__ import annotations

import errno
import importlib
import os
import sys
from typing import Any

fuse: Any = importlib.import_module("fuse")


class Passthrough(fuse.Operations):  # type: ignore[misc]
    """Every call on the same path below ``root``."""

    def __init__(self, root: str) -> None:
        self.root = root

    def _at(self, path: str) -> str:
        return self.root + path

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        found = os.lstat(self._at(path))
        names = (
            "st_atime", "st_ctime", "st_gid", "st_ino", "st_mode", "st_mtime", "st_nlink", "st_size", "st_uid", "st_blocks",
        )  # fmt: skip
        return {name: getattr(found, name) for name in names}

    def access(self, path: str, amode: int) -> None:
        if not os.access(self._at(path), amode):
            raise fuse.FuseOSError(errno.EACCES)

    def readdir(self, path: str, fh: int) -> list[str]:
        return [".", "..", *os.listdir(self._at(path))]

    def statfs(self, path: str) -> dict[str, Any]:
        found = os.statvfs(self._at(path))
        names = (
            "f_bavail", "f_bfree", "f_blocks", "f_bsize", "f_favail", "f_ffree", "f_files", "f_flag", "f_frsize", "f_namemax",
        )  # fmt: skip
        return {name: getattr(found, name) for name in names}

    def open(self, path: str, flags: int) -> int:
        return os.open(self._at(path), flags)

    def create(self, path: str, mode: int, fi: Any = None) -> int:
        return os.open(self._at(path), os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        return os.pread(fh, size, offset)

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        return os.pwrite(fh, data, offset)

    def truncate(self, path: str, length: int, fh: int | None = None) -> None:
        os.truncate(self._at(path), length)

    def flush(self, path: str, fh: int) -> None:
        os.close(os.dup(fh))

    def fsync(self, path: str, datasync: int, fh: int) -> None:
        os.fsync(fh)

    def fsyncdir(self, path: str, datasync: int, fh: int) -> None:
        """The directory below is the host's."""

    def release(self, path: str, fh: int) -> None:
        os.close(fh)

    def mkdir(self, path: str, mode: int) -> None:
        os.mkdir(self._at(path), mode)

    def rmdir(self, path: str) -> None:
        os.rmdir(self._at(path))

    def unlink(self, path: str) -> None:
        os.unlink(self._at(path))

    def rename(self, old: str, new: str) -> None:
        os.rename(self._at(old), self._at(new))

    def link(self, target: str, source: str) -> None:
        os.link(self._at(source), self._at(target), follow_symlinks=False)

    def chmod(self, path: str, mode: int) -> None:
        os.chmod(self._at(path), mode)

    def chown(self, path: str, uid: int, gid: int) -> None:
        os.lchown(self._at(path), uid, gid)

    def utimens(self, path: str, times: tuple[float, float] | None = None) -> None:
        os.utime(self._at(path), times)


if __name__ == "__main__":
    below = Passthrough(os.path.realpath(sys.argv[1]))
    fuse.FUSE(below, sys.argv[2], foreground=True, nothreads=True, use_ino=True)

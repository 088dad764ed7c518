"""Mounts: paths at a location behind which a file system is allowed to be.

:class:`MountedFileSystem` is what answers there; paths it is given are absolute inside the mount, ``/`` being the mount
point, and handles are its own. It is called as code of the location: it may wait in virtual time, raises ``OSError``, and
works under ``context.outside()`` where it needs the real world. :mod:`.fake_mount` is one on pyfakefs.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from storcert.harness.kernel.location import Location


class MountedFileSystem(Protocol):
    """The calls of a file system below the file descriptor: positions and descriptor tables are the fence's."""

    def open(self, path: str, flags: int, mode: int) -> Any:
        """A handle for an open file or directory; ``flags`` of :func:`os.open`."""

    def release(self, handle: Any) -> None:
        """The last descriptor of ``handle`` was closed. May raise, as ``close`` may."""

    def forget(self, handle: Any) -> None:
        """Nobody closed ``handle``, and Python collected the last file on it: nothing may be sent anywhere now."""

    def pread(self, handle: Any, size: int, offset: int) -> bytes:
        """At most ``size`` bytes from ``offset``."""
        ...

    def pwrite(self, handle: Any, data: bytes, offset: int) -> int:
        """Write at ``offset``; -1: at the end, as ``O_APPEND`` asks. Gives the number of bytes taken."""
        ...

    def size(self, handle: Any) -> int:
        """Where the file ends, for ``SEEK_END`` and appending."""
        ...

    def entries(self, handle: Any) -> list[str]:
        """The names in an open directory."""
        ...

    def lock(self, handle: Any) -> None:
        """``flock``, ``lockf`` and the like: raises, as nobody has locks yet."""

    def fstat(self, handle: Any) -> os.stat_result: ...
    def ftruncate(self, handle: Any, length: int) -> None: ...
    def fsync(self, handle: Any) -> None: ...
    def stat(self, path: str, follow_symlinks: bool) -> os.stat_result: ...
    def listdir(self, path: str) -> list[str]: ...
    def mkdir(self, path: str, mode: int) -> None: ...
    def rmdir(self, path: str) -> None: ...
    def unlink(self, path: str) -> None: ...
    def rename(self, source: str, destination: str) -> None: ...
    def link(self, source: str, destination: str, follow_symlinks: bool) -> None: ...
    def symlink(self, target: str, path: str) -> None: ...
    def readlink(self, path: str) -> str: ...
    def chmod(self, path: str, mode: int, follow_symlinks: bool) -> None: ...
    def chown(self, path: str, uid: int, gid: int, follow_symlinks: bool) -> None: ...
    def utime(self, path: str, times_ns: tuple[int, int], follow_symlinks: bool) -> None: ...
    def truncate(self, path: str, length: int) -> None: ...
    def mknod(self, path: str, mode: int, device: int) -> None: ...
    def access(self, path: str, mode: int) -> bool: ...
    def statvfs(self, path: str) -> os.statvfs_result: ...


@dataclass(frozen=True, slots=True)
class Mount:
    """``path``: the mount point, absolute and normalised; ``filesystem``: what answers below it."""

    path: str
    filesystem: MountedFileSystem


def declare_mount(location: Location, path: str, filesystem: Any = None, *, read_only: bool = False) -> Mount:
    """Make ``path`` a mount point at ``location``: what happens below it is no finding.

    ``filesystem``: a :class:`MountedFileSystem`, or a pyfakefs ``FakeFilesystem`` that may be mounted at several locations;
    by default a new empty one. Mounting over a mount point hides the older mount.
    """
    from storcert.harness.kernel.interpose.fake_mount import FakeMount
    from storcert.harness.kernel.interpose.namespace import namespace_of

    if filesystem is None or not hasattr(filesystem, "pread"):
        filesystem = FakeMount(location.kernel, filesystem, read_only=read_only)
    mount = Mount(os.path.normpath(path), filesystem)
    namespace = namespace_of(location)
    namespace.mounts.append(mount)
    namespace.mount_points.add(mount.path)
    return mount


def remove_mount(location: Location, path: str) -> None:
    """Unmount the newest mount at ``path``. Open descriptors keep working, as after a lazy unmount.

    The mount point stays as an empty read-only directory: looking there is no finding, writing there is one.
    """
    from storcert.harness.kernel.interpose.namespace import namespace_of

    mounts = namespace_of(location).mounts
    for index in range(len(mounts) - 1, -1, -1):
        if mounts[index].path == os.path.normpath(path):
            del mounts[index]
            return
    raise ValueError(f"nothing is mounted at {path}")

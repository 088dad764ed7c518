"""What paths and descriptors mean at one location: mounts, an otherwise empty read-only root, a table of descriptors.

Kept in ``location.filesystem``. Descriptors of the fence are numbers no operating system hands out, so real ones pass
through untouched. A restarted location has a new process: working directory, umask and descriptors are the first ones again.
Which function was called with what, and what is a finding, belongs to :mod:`.file_system`.
"""

from __future__ import annotations

import errno
import os
import posixpath
import stat
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from storcert.harness.kernel.interpose.mounts import Mount, MountedFileSystem
    from storcert.harness.kernel.location import Location

_BARE_DEVICE = 1
FIRST_DESCRIPTOR = 1 << 24


def failure(code: int, *paths: Any) -> OSError:
    """``OSError`` as the operating system words it, with the paths as they were given."""
    if not paths:
        return OSError(code, os.strerror(code))
    if len(paths) == 1:
        return OSError(code, os.strerror(code), paths[0])
    return OSError(code, os.strerror(code), paths[0], None, paths[1])


class Description:
    """An open file description: shared by the descriptors that ``dup`` made of one another."""

    __slots__ = ("filesystem", "flags", "handle", "path", "position", "references")

    def __init__(self, filesystem: MountedFileSystem, handle: Any, flags: int, path: str) -> None:
        self.filesystem = filesystem
        self.handle = handle
        self.flags = flags
        self.path = path
        self.position = 0
        self.references = 1


class Namespace:
    """The file system as one location sees it."""

    def __init__(self, location: Location) -> None:
        self.location = location
        self.mounts: list[Mount] = []
        self.mount_points: set[str] = set()  # also of what was unmounted: the empty directory stays
        self._epoch = location.epoch
        self._start_process()

    def _start_process(self) -> None:
        self.cwd = "/"
        self.umask = 0o022
        self._table: dict[int, Description] = {}
        self._next_descriptor = FIRST_DESCRIPTOR

    def enter_epoch(self) -> None:
        """Forget the process of an earlier epoch. What it held open is let go of by nobody: it died."""
        if self._epoch != self.location.epoch:
            self._epoch = self.location.epoch
            self._start_process()

    # -- paths

    def absolute(self, path: Any, dir_fd: int | None = None) -> str:
        """``path`` as absolute text with single slashes; ``..`` and ``.`` taken out lexically."""
        text = os.fsdecode(path)
        if "\0" in text:
            raise ValueError("embedded null byte")
        if not text.startswith("/"):
            base = self.cwd if dir_fd is None else self.description(dir_fd).path
            text = f"{base}/{text}"
        whole = posixpath.normpath(text)
        return whole[1:] if whole.startswith("//") else whole

    def mount_of(self, absolute: str) -> Mount | None:
        """The mount behind an absolute path: the deepest mount point above it, the newest of equals."""
        best = None
        for mount in self.mounts:
            inside = absolute == mount.path or absolute.startswith("/" if mount.path == "/" else mount.path + "/")
            if inside and (best is None or len(mount.path) >= len(best.path)):
                best = mount
        return best

    def inner(self, absolute: str) -> tuple[MountedFileSystem, str] | None:
        """File system and path inside it, ``None`` for the bare root."""
        mount = self.mount_of(absolute)
        if mount is None:
            return None
        rest = absolute[len(mount.path) :] if mount.path != "/" else absolute
        return mount.filesystem, rest or "/"

    def bare_children(self, absolute: str) -> list[str] | None:
        """Names in a directory of the bare root: the way to the mount points. ``None``: there is no such directory."""
        if absolute == "/":
            return sorted({point.split("/")[1] for point in self.mount_points if point != "/"})
        prefix = absolute + "/"
        below = {point[len(prefix) :].split("/")[0] for point in self.mount_points if point.startswith(prefix)}
        return sorted(below) if below or absolute in self.mount_points else None

    def concerns_mount_point(self, absolute: str, ancestors: bool) -> bool:
        """Whether a path is at or below a mount point, mounted or not; with ``ancestors``, also on the way to one.

        ``os.path.ismount``, ``realpath`` and the like look at both; that is no finding.
        """
        folder = "/" if absolute == "/" else absolute + "/"
        for point in self.mount_points:
            inside = point + "/"
            if folder.startswith(inside) or (ancestors and inside.startswith(folder)):
                return True
        return False

    def bare_stat(self, absolute: str) -> os.stat_result:
        """A directory of the bare root."""
        inode = zlib.crc32(absolute.encode("utf-8", "surrogateescape"))
        return os.stat_result((stat.S_IFDIR | 0o555, inode, _BARE_DEVICE, 2, 0, 0, 0, 0, 0, 0))

    # -- descriptors

    def add(self, description: Description) -> int:
        """A new descriptor for an open file."""
        number = self._next_descriptor
        self._next_descriptor += 1
        self._table[number] = description
        return number

    def description(self, descriptor: int) -> Description:
        """What a descriptor stands for; ``EBADF`` if for nothing."""
        found = self._table.get(descriptor)
        if found is None:
            raise failure(errno.EBADF)
        return found

    def close(self, descriptor: int) -> None:
        """Close one descriptor; the last one of a description releases the handle."""
        description = self.description(descriptor)
        del self._table[descriptor]
        description.references -= 1
        if description.references == 0:
            description.filesystem.release(description.handle)

    def forget(self, descriptor: int) -> None:
        """A Python file was collected that nobody had closed. A real process closes the descriptor then; here that moment is
        none that may be seen, so the file system is told and sends nothing."""
        description = self._table.pop(descriptor, None)
        if description is not None:
            description.references -= 1
            if description.references == 0:
                description.filesystem.forget(description.handle)

    def duplicate(self, descriptor: int, target: int | None = None) -> int:
        """``dup`` and, with ``target`` (a descriptor of the fence), ``dup2``."""
        description = self.description(descriptor)
        if target == descriptor:
            return descriptor
        description.references += 1
        if target is None:
            return self.add(description)
        if target in self._table:
            self.close(target)
        self._table[target] = description
        return target


def namespace_of(location: Location) -> Namespace:
    """The namespace of ``location``, made at first use."""
    namespace = location.filesystem
    if namespace is None:
        namespace = location.filesystem = Namespace(location)
    namespace.enter_epoch()
    assert isinstance(namespace, Namespace)
    return namespace

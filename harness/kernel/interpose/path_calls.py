"""What each path function of ``os`` answers at a location: from a mount, or from the bare read-only root.

Signatures are those of ``os``, after the namespace. Errors carry no file names: :mod:`.file_system` adds them as given.
Whether a call was allowed is none of this module's business.
"""

from __future__ import annotations

import errno
import os
import stat as modes
from collections.abc import Iterator
from typing import Any

from storcert.harness.kernel.interpose import descriptors
from storcert.harness.kernel.interpose.mounts import MountedFileSystem
from storcert.harness.kernel.interpose.namespace import Description, Namespace, failure


def _at(namespace: Namespace, path: Any, dir_fd: int | None = None) -> tuple[MountedFileSystem | None, str]:
    """File system and path in it; ``None`` and the absolute path for the bare root. An empty path names nothing."""
    if descriptors.is_ours(path):
        absolute = namespace.description(path).path
    else:
        if not os.fspath(path):
            raise failure(errno.ENOENT)
        absolute = namespace.absolute(path, dir_fd)
    inner = namespace.inner(absolute)
    return (None, absolute) if inner is None else inner


def _writable(namespace: Namespace, path: Any, dir_fd: int | None = None) -> tuple[MountedFileSystem, str]:
    filesystem, inner = _at(namespace, path, dir_fd)
    if filesystem is None:
        raise failure(errno.EROFS)
    return filesystem, inner


def _bare_directory(namespace: Namespace, absolute: str) -> list[str]:
    names = namespace.bare_children(absolute)
    if names is None:
        raise failure(errno.ENOENT)
    return names


def open_(namespace: Namespace, path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
    filesystem, inner = _at(namespace, path, dir_fd)
    if filesystem is None:
        if flags & (os.O_ACCMODE | os.O_CREAT | os.O_TRUNC):
            raise failure(errno.EROFS)
        _bare_directory(namespace, inner)
        raise failure(errno.EACCES)
    handle = filesystem.open(inner, flags, mode & ~namespace.umask)
    return namespace.add(Description(filesystem, handle, flags, namespace.absolute(path, dir_fd)))


def stat(
    namespace: Namespace, path: Any, *, dir_fd: int | None = None, follow_symlinks: bool = True
) -> os.stat_result:
    if descriptors.is_ours(path):
        return descriptors.fstat(namespace, path)
    filesystem, inner = _at(namespace, path, dir_fd)
    if filesystem is None:
        _bare_directory(namespace, inner)
        return namespace.bare_stat(inner)
    return filesystem.stat(inner, follow_symlinks)


def lstat(namespace: Namespace, path: Any, *, dir_fd: int | None = None) -> os.stat_result:
    return stat(namespace, path, dir_fd=dir_fd, follow_symlinks=False)


def access(
    namespace: Namespace, path: Any, mode: int, *, dir_fd: int | None = None, effective_ids: bool = False,
    follow_symlinks: bool = True,
) -> bool:
    filesystem, inner = _at(namespace, path, dir_fd)
    if filesystem is None:
        return namespace.bare_children(inner) is not None and not mode & os.W_OK
    return filesystem.access(inner, mode)


def listdir(namespace: Namespace, path: Any = ".") -> list[Any]:
    path = "." if path is None else path
    if descriptors.is_ours(path):
        description = namespace.description(path)
        return description.filesystem.entries(description.handle)
    filesystem, inner = _at(namespace, path)
    names = _bare_directory(namespace, inner) if filesystem is None else filesystem.listdir(inner)
    return [os.fsencode(name) for name in names] if isinstance(path, bytes) else names


class Entry:
    """``os.DirEntry`` at a location."""

    __slots__ = ("_namespace", "_status", "_where", "name", "path")

    def __init__(self, namespace: Namespace, name: Any, path: Any, where: Any) -> None:
        self._namespace = namespace
        self._status: dict[bool, os.stat_result] = {}
        self.name = name
        self.path = path
        self._where = where

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        found = self._status.get(follow_symlinks)
        if found is None:
            found = self._status[follow_symlinks] = stat(self._namespace, self._where, follow_symlinks=follow_symlinks)
        return found

    def _is(self, test: Any, follow_symlinks: bool) -> bool:
        try:
            return bool(test(self.stat(follow_symlinks=follow_symlinks).st_mode))
        except FileNotFoundError:
            return False

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        return self._is(modes.S_ISDIR, follow_symlinks)

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        return self._is(modes.S_ISREG, follow_symlinks)

    def is_symlink(self) -> bool:
        return self._is(modes.S_ISLNK, False)

    def is_junction(self) -> bool:
        return False

    def inode(self) -> int:
        return self.stat(follow_symlinks=False).st_ino

    def __fspath__(self) -> Any:
        return self.path

    def __repr__(self) -> str:
        return f"<DirEntry {self.name!r}>"


class Entries:
    """The iterator of ``os.scandir``."""

    def __init__(self, entries: list[Entry]) -> None:
        self._entries = iter(entries)

    def __iter__(self) -> Iterator[Entry]:
        return self

    def __next__(self) -> Entry:
        return next(self._entries)

    def close(self) -> None:
        self._entries = iter(())

    def __enter__(self) -> Entries:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def scandir(namespace: Namespace, path: Any = ".") -> Entries:
    path = "." if path is None else path
    names = listdir(namespace, path)
    if descriptors.is_ours(path):
        folder = namespace.description(path).path
        return Entries([Entry(namespace, name, name, os.path.join(folder, name)) for name in names])
    shown = os.fspath(path)
    folder = namespace.absolute(path)
    return Entries(
        [Entry(namespace, name, os.path.join(shown, name), os.path.join(folder, os.fsdecode(name))) for name in names]
    )


def readlink(namespace: Namespace, path: Any, *, dir_fd: int | None = None) -> Any:
    filesystem, inner = _at(namespace, path, dir_fd)
    if filesystem is None:
        _bare_directory(namespace, inner)
        raise failure(errno.EINVAL)
    target = filesystem.readlink(inner)
    return os.fsencode(target) if isinstance(path, bytes) else target


def statvfs(namespace: Namespace, path: Any) -> os.statvfs_result:
    filesystem, inner = _at(namespace, path)
    if filesystem is None:
        _bare_directory(namespace, inner)
        return os.statvfs_result((4096, 4096, 0, 0, 0, 0, 0, 0, os.ST_RDONLY, 255))
    return filesystem.statvfs(inner)


def chdir(namespace: Namespace, path: Any) -> None:
    if not modes.S_ISDIR(stat(namespace, path).st_mode):
        raise failure(errno.ENOTDIR)
    namespace.cwd = namespace.description(path).path if descriptors.is_ours(path) else namespace.absolute(path)


def mkdir(namespace: Namespace, path: Any, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
    filesystem, inner = _at(namespace, path, dir_fd)
    if inner == "/" or (filesystem is None and namespace.bare_children(inner) is not None):
        raise failure(errno.EEXIST)
    if filesystem is None:
        raise failure(errno.EROFS)
    filesystem.mkdir(inner, mode & ~namespace.umask)


def rmdir(namespace: Namespace, path: Any, *, dir_fd: int | None = None) -> None:
    filesystem, inner = _writable(namespace, path, dir_fd)
    if inner == "/":
        raise failure(errno.EBUSY)
    filesystem.rmdir(inner)


def unlink(namespace: Namespace, path: Any, *, dir_fd: int | None = None) -> None:
    filesystem, inner = _writable(namespace, path, dir_fd)
    filesystem.unlink(inner)


def _pair(
    namespace: Namespace, src: Any, dst: Any, src_dir_fd: int | None, dst_dir_fd: int | None
) -> tuple[MountedFileSystem, str, str]:
    source, old = _at(namespace, src, src_dir_fd)
    destination, new = _at(namespace, dst, dst_dir_fd)
    if source is None and destination is None:
        raise failure(errno.EROFS)
    if source is not destination or source is None:
        raise failure(errno.EXDEV)
    return source, old, new


def rename(
    namespace: Namespace, src: Any, dst: Any, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None
) -> None:
    filesystem, old, new = _pair(namespace, src, dst, src_dir_fd, dst_dir_fd)
    if "/" in (old, new):
        raise failure(errno.EBUSY)
    filesystem.rename(old, new)


def link(
    namespace: Namespace, src: Any, dst: Any, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None,
    follow_symlinks: bool = True,
) -> None:
    filesystem, old, new = _pair(namespace, src, dst, src_dir_fd, dst_dir_fd)
    filesystem.link(old, new, follow_symlinks)


def symlink(
    namespace: Namespace, src: Any, dst: Any, target_is_directory: bool = False, *, dir_fd: int | None = None
) -> None:
    filesystem, inner = _writable(namespace, dst, dir_fd)
    filesystem.symlink(os.fsdecode(src), inner)


def chmod(
    namespace: Namespace, path: Any, mode: int, *, dir_fd: int | None = None, follow_symlinks: bool = True
) -> None:
    filesystem, inner = _writable(namespace, path, dir_fd)
    filesystem.chmod(inner, mode, follow_symlinks)


def chown(
    namespace: Namespace, path: Any, uid: int, gid: int, *, dir_fd: int | None = None, follow_symlinks: bool = True
) -> None:
    filesystem, inner = _writable(namespace, path, dir_fd)
    filesystem.chown(inner, uid, gid, follow_symlinks)


def lchown(namespace: Namespace, path: Any, uid: int, gid: int) -> None:
    chown(namespace, path, uid, gid, follow_symlinks=False)


def utime(
    namespace: Namespace, path: Any, times: Any = None, *, ns: Any = None, dir_fd: int | None = None,
    follow_symlinks: bool = True,
) -> None:
    if times is not None and ns is not None:
        raise ValueError("utime: you may specify either 'times' or 'ns' but not both")
    now_ns = namespace.location.kernel.now_ns
    if ns is None:
        ns = (now_ns, now_ns) if times is None else (round(times[0] * 10**9), round(times[1] * 10**9))
    filesystem, inner = _writable(namespace, path, dir_fd)
    filesystem.utime(inner, (ns[0], ns[1]), follow_symlinks)


def truncate(namespace: Namespace, path: Any, length: int) -> None:
    if descriptors.is_ours(path):
        descriptors.ftruncate(namespace, path, length)
        return
    filesystem, inner = _writable(namespace, path)
    filesystem.truncate(inner, length)


def mkfifo(namespace: Namespace, path: Any, mode: int = 0o666, *, dir_fd: int | None = None) -> None:
    mknod(namespace, path, modes.S_IFIFO | mode, dir_fd=dir_fd)


def mknod(
    namespace: Namespace, path: Any, mode: int = 0o600, device: int = 0, *, dir_fd: int | None = None
) -> None:
    filesystem, inner = _writable(namespace, path, dir_fd)
    filesystem.mknod(inner, mode & ~namespace.umask, device)


def not_supported(namespace: Namespace, path: Any, *_: Any, **__: Any) -> Any:
    """Extended attributes: mounts have none, the bare root is read-only."""
    _writable(namespace, path)
    raise failure(errno.ENOTSUP)


def no_attributes(namespace: Namespace, path: Any, *_: Any, **__: Any) -> list[str]:
    stat(namespace, path)
    return []


def no_attribute(namespace: Namespace, path: Any, *_: Any, **__: Any) -> Any:
    stat(namespace, path)
    raise failure(errno.ENODATA)

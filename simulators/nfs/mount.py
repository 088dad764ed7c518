"""The export as a mounted path of a location: what the fence asks of a file system, answered by an NFS client.

The client is Linux' in behaviour (``client_*``, ``page_cache*``). A location that was restarted has a new client that
remembers nothing: its caches, its unsent bytes and its open files are gone with the machine, the export is mounted again.

A path call that ends with STALE is made once more with nothing believed, as Linux does [fs/namei.c: retry_estale].

The mount flavour is ``soft`` by default: on a ``hard`` mount a server that stays away holds every call for ever, so that no
driver on a path could keep its budget (C-BUDGET), and nothing would be learnt of any. ``softerr`` and ``hard`` are options.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from storcert.harness.kernel.interpose import declare_mount
from storcert.simulators.device import NotModelled
from storcert.simulators.nfs.client_files import Files
from storcert.simulators.nfs.client_lookup import Lookup
from storcert.simulators.nfs.client_names import Names
from storcert.simulators.nfs.client_state import OpenFile
from storcert.simulators.nfs.client_writeback import Writeback
from storcert.simulators.nfs.protocol import SetAttributes

if TYPE_CHECKING:
    from storcert.harness.kernel.location import Location
    from storcert.simulators.nfs.export import NfsExport

T = TypeVar("T")


def mount(export: NfsExport, location: Location) -> None:
    """Mount ``export`` at ``location``, where its options say."""
    declare_mount(location, export.options.mount, NfsMount(export, location))


class Client:
    """One mount in one life of its location."""

    __slots__ = ("epoch", "files", "names")

    def __init__(self, export: NfsExport, location: Location) -> None:
        lookup = Lookup(export, location)
        writeback = Writeback(lookup)
        self.epoch = location.epoch
        self.files = Files(lookup, writeback, location.stream("nfs/verifier"))
        self.names = Names(lookup, self.files, writeback)


class NfsMount:
    """A :class:`storcert.harness.kernel.interpose.mounts.MountedFileSystem`."""

    def __init__(self, export: NfsExport, location: Location) -> None:
        self._export = export
        self._location = location
        self._client: Client | None = None

    def _here(self) -> Client:
        client = self._client
        if client is None or client.epoch != self._location.epoch:
            client = self._client = Client(self._export, self._location)
        return client

    def _twice(self, call: Callable[[Client, bool], T]) -> T:
        """``call(client, fresh)``, the second time with nothing believed."""
        client = self._here()
        client.files.bury_forgotten()
        try:
            return call(client, False)
        except OSError as error:
            if error.errno != errno.ESTALE:
                raise
        return call(client, True)

    # -- open files

    def open(self, path: str, flags: int, mode: int) -> OpenFile:
        """An open file or directory."""
        return self._twice(lambda client, fresh: client.files.open(path, flags, mode, fresh=fresh))

    def release(self, handle: OpenFile) -> None:
        """The last descriptor was closed."""
        self._here().files.release(handle)

    def forget(self, handle: OpenFile) -> None:
        """Nobody closed it."""
        if self._client is not None:
            self._client.files.forget(handle)

    def pread(self, handle: OpenFile, size: int, offset: int) -> bytes:
        """At most ``size`` bytes from ``offset``."""
        return self._here().files.pread(handle, size, offset)

    def pwrite(self, handle: OpenFile, data: bytes, offset: int) -> int:
        """Write at ``offset``; -1: at the end."""
        return self._here().files.pwrite(handle, data, offset)

    def fstat(self, handle: OpenFile) -> os.stat_result:
        """Of an open file."""
        return self._here().files.fstat(handle)

    def size(self, handle: OpenFile) -> int:
        """Where an open file ends."""
        return self._here().files.size(handle)

    def ftruncate(self, handle: OpenFile, length: int) -> None:
        """Cut or grow an open file."""
        self._here().files.resize(handle.inode, length)

    def fsync(self, handle: OpenFile) -> None:
        """Everything is safe on the server."""
        self._here().files.fsync(handle)

    def lock(self, handle: OpenFile) -> Any:
        """``flock``, ``lockf`` and the like."""
        raise NotModelled("file locks on an NFS mount are not modelled")

    # -- names

    def stat(self, path: str, follow_symlinks: bool) -> os.stat_result:
        """Attributes."""
        return self._twice(lambda client, fresh: client.names.stat(path, follow_symlinks, fresh=fresh))

    def listdir(self, path: str) -> list[str]:
        """The names in a directory."""
        return self._twice(lambda client, fresh: client.names.listdir(path, fresh=fresh))

    def entries(self, handle: OpenFile) -> list[str]:
        """The names in an open directory."""
        return self._here().names.entries(handle.inode)

    def mkdir(self, path: str, mode: int) -> None:
        """Make a directory."""
        self._twice(lambda client, fresh: client.names.mkdir(path, mode, fresh=fresh))

    def rmdir(self, path: str) -> None:
        """Remove an empty directory."""
        self._twice(lambda client, fresh: client.names.rmdir(path, fresh=fresh))

    def unlink(self, path: str) -> None:
        """Remove a name."""
        self._twice(lambda client, fresh: client.names.unlink(path, fresh=fresh))

    def rename(self, source: str, destination: str) -> None:
        """Give a name, replacing what has it."""
        self._twice(lambda client, fresh: client.names.rename(source, destination, fresh=fresh))

    def link(self, source: str, destination: str, follow_symlinks: bool) -> None:
        """Give one more name."""
        self._twice(lambda client, fresh: client.names.link(source, destination, follow_symlinks, fresh=fresh))

    def symlink(self, target: str, path: str) -> None:
        """Make a symbolic link."""
        self._twice(lambda client, fresh: client.names.symlink(target, path, fresh=fresh))

    def readlink(self, path: str) -> str:
        """Where a symbolic link points."""
        return self._twice(lambda client, fresh: client.names.readlink(path, fresh=fresh))

    def chmod(self, path: str, mode: int, follow_symlinks: bool) -> None:
        """Set the mode."""
        self._set(path, SetAttributes(mode=mode & 0o7777), follow_symlinks)

    def chown(self, path: str, uid: int, gid: int, follow_symlinks: bool) -> None:
        """Set the owner; -1 leaves it."""
        new = SetAttributes(uid=None if uid == -1 else uid, gid=None if gid == -1 else gid)
        self._set(path, new, follow_symlinks)

    def _set(self, path: str, new: SetAttributes, follow: bool) -> None:
        self._twice(lambda client, fresh: client.names.set_attributes(path, new, follow, fresh=fresh))

    def utime(self, path: str, times_ns: tuple[int, int], follow_symlinks: bool) -> None:
        """Set the times."""
        self._twice(lambda client, fresh: client.names.utime(path, times_ns, follow_symlinks, fresh=fresh))

    def truncate(self, path: str, length: int) -> None:
        """Cut or grow a file."""
        self._twice(lambda client, fresh: client.names.truncate(path, length, fresh=fresh))

    def mknod(self, path: str, mode: int, device: int) -> None:
        """Make a special file."""
        self._twice(lambda client, fresh: client.names.mknod(path, mode, device, fresh=fresh))

    def access(self, path: str, mode: int) -> bool:
        """Whether the server would allow it."""
        try:
            return self._twice(lambda client, fresh: client.names.access(path, mode, fresh=fresh))
        except OSError:
            return False

    def statvfs(self, path: str) -> os.statvfs_result:
        """Space."""
        return self._twice(lambda client, fresh: client.names.statvfs(path, fresh=fresh))

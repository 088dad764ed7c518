"""The mounted path of the NFS driver: its configuration, its two folders, and looking at one object.

Below the mount there are two fixed folders, made at the first write: ``objects`` and ``pending``. Everything is done
relative to a descriptor of one of them, whose device number is compared with that of the mount point's parent: where nothing
is mounted, not even a race with an unmount makes the driver touch the local directory below.

An NFS client answers from caches: names for up to a minute, absent ones too. Opening a folder makes it ask the server
whether the folder changed (close-to-open), and then it asks for the names again. So each call opens the folder first.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from typing import Any, TypeVar, cast

from storcert.harness.contract import DataObjectUri, InvalidRequest, JsonValue
from storcert.harness.drivers.nfs_errors import typed
from storcert.harness.drivers.nfs_names import object_name

T = TypeVar("T")
OBJECTS, PENDING = "objects", "pending"
# The largest file of ext4 with blocks of 4 KiB, the usual file system behind an export.
OBJECT_BYTES_MAX = (1 << 44) - 4096
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW
_FILE_FLAGS = os.O_CLOEXEC | os.O_NOFOLLOW


@dataclass(frozen=True, slots=True)
class Settings:
    """The checked configuration."""

    mount: str
    plain_directory: bool = False
    max_object_size_bytes: int = OBJECT_BYTES_MAX

    @classmethod
    def parse(cls, configuration: Mapping[str, JsonValue]) -> Settings:
        """Raises ``InvalidRequest`` naming the key that is unknown, missing or wrong."""
        if not isinstance(configuration, Mapping):
            raise InvalidRequest("the configuration of the nfs driver is a mapping")
        known: dict[str, type] = {"mount": str, "plain_directory": bool, "max_object_size_bytes": int}
        unknown = sorted(str(key) for key in configuration if key not in known)
        if unknown:
            raise InvalidRequest(f"nfs has no configuration key {', '.join(unknown)}; it has {', '.join(sorted(known))}")
        for key, value in configuration.items():
            if type(value) is not known[key]:
                raise InvalidRequest(f"configuration key {key} of nfs must be {known[key].__name__}")
        mount = configuration.get("mount")
        if not isinstance(mount, str) or not os.path.isabs(mount) or "\0" in mount:
            raise InvalidRequest("nfs needs the configuration key mount: the absolute path of a mount point")
        settings = cls(**{**cast("dict[str, Any]", configuration), "mount": os.path.normpath(mount)})
        if settings.max_object_size_bytes < 0:
            raise InvalidRequest("configuration key max_object_size_bytes of nfs must not be negative")
        return settings


class Patience:
    """How long one call may go on trying. A soft mount may hold every single request for a minute."""

    def __init__(self, seconds: float = 240.0, retries: int = 2) -> None:
        self._ends = time.monotonic() + seconds
        self._retries = retries

    def check(self) -> None:
        """Before the next of several steps: raises ``OSError`` where the time is spent, so that the call can still end."""
        if time.monotonic() >= self._ends:
            raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))

    def again(self) -> bool:
        """Whether one more attempt may be made; waits a little before it."""
        if self._retries <= 0 or time.monotonic() >= self._ends:
            return False
        self._retries -= 1
        time.sleep(0.1)
        return True


@dataclass(frozen=True, slots=True)
class Identity:
    """Which file this is, as long as it is not written to: numbers of removed files come back, moments do not."""

    device: int
    inode: int
    size_bytes: int
    modified_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Identity:
        """From what ``stat`` says."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


class Mount:
    """The mount of one driver. Keeps nothing but its configuration."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @contextmanager
    def folder(self, name: str) -> Iterator[int | None]:
        """A descriptor of one of the two folders, fresh from the server; ``None`` where it was never made.

        Raises ``OSError``, also where nothing is mounted (``ENODEV``).
        """
        descriptor = self._open_folder(name, make=False)
        try:
            yield descriptor
        finally:
            if descriptor is not None:
                os.close(descriptor)

    @contextmanager
    def made_folder(self, name: str) -> Iterator[int]:
        """As :meth:`folder`; the folder is made where it was never made."""
        descriptor = self._open_folder(name, make=True)
        if descriptor is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _open_folder(self, name: str, make: bool) -> int | None:
        try:
            return self._mounted(os.open(f"{self.settings.mount}/{name}", _FOLDER_FLAGS))
        except FileNotFoundError:
            pass
        except OSError as error:
            if error.errno != errno.ESTALE:
                raise
        # Absent, or believed to be: the mount itself is asked whether that is still so.
        root = self._open_root()
        try:
            if make:
                for one in (OBJECTS, PENDING):  # both, before any byte is written: there may be no room for one later
                    try:
                        os.mkdir(one, 0o777, dir_fd=root)
                    except FileExistsError:
                        pass
            return self._mounted(os.open(name, _FOLDER_FLAGS, dir_fd=root))
        except FileNotFoundError:
            return None
        finally:
            os.close(root)

    def _open_root(self) -> int:
        try:
            self._require_mounted(os.stat(self.settings.mount))
            return self._mounted(os.open(self.settings.mount, _FOLDER_FLAGS))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise OSError(errno.ENODEV, "there is no mount point") from error

    def _mounted(self, descriptor: int) -> int:
        """``descriptor`` itself, where it leads into the mount."""
        try:
            self._require_mounted(os.fstat(descriptor))
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _require_mounted(self, status: os.stat_result) -> None:
        if self.settings.plain_directory:
            return
        if status.st_dev == os.stat(os.path.dirname(self.settings.mount)).st_dev:
            raise OSError(errno.ENODEV, "nothing is mounted")

    def open_object(self, uri: DataObjectUri, flags: int = os.O_RDONLY) -> tuple[FileIO, Identity] | None:
        """The published file, open and unbuffered, and which it is; ``None`` where there is none. Raises ``OSError``.

        A Python file, so that a stream that is dropped closes it.
        """
        name = object_name(uri)
        with self.folder(OBJECTS) as objects:
            if objects is None:
                return None
            try:
                descriptor = os.open(name, flags | _FILE_FLAGS, dir_fd=objects)
            except FileNotFoundError:
                return None
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise OSError(errno.ENXIO, "not a regular file")
            return open(descriptor, "rb" if flags == os.O_RDONLY else "r+b", buffering=0), Identity.of(status)
        except BaseException:
            os.close(descriptor)
            raise

    def identity(self, uri: DataObjectUri) -> Identity | None:
        """Which file is published under ``uri`` now; ``None`` where there is none. Raises ``OSError``."""
        found = self.open_object(uri)
        if found is None:
            return None
        file, identity = found
        file.close()
        return identity

    def look(self, uri: DataObjectUri, look: Callable[[DataObjectUri], T]) -> T:
        """``look(uri)``, which must change nothing: repeated a little, and what it raises typed, not done."""
        patience = Patience(60.0)
        while True:
            try:
                return look(uri)
            except OSError as error:
                if not patience.again():
                    raise typed(error, uri, "looking for the object") from error

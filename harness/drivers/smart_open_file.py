"""smart_open on a mounted path as a driver: a thin and fair adapter of ``smart_open.open``.

smart_open opens; it neither looks, lists nor removes. For that stands ``os``, below the mount. Fair means: no
compression guessed from the name; a file is opened in mode ``xb``, created or refused; how large one is, the open file
says, since only opening asks an NFS server anew; what is written is flushed to the device before it is closed, as any
file must be.

Declared: ``range_read`` and ``enumerate``. Not declared: ``on_device_copy`` and ``digest``, of which the library has
none.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

from storcert.harness.contract import DataObjectUri, DeviceUnavailable, JsonValue, Outcome
from storcert.harness.drivers.library_driver import LibraryDriver
from storcert.harness.drivers.library_settings import LibrarySettings, require_installed
from storcert.harness.drivers.library_store import os_errors

library: Any = None
try:
    import smart_open

    library = smart_open
except ImportError:
    # Said by the constructor: a driver that is not used needs no library.
    pass

BACKENDS = ("file",)


class SmartOpenFileDriver(LibraryDriver):
    """Configuration: ``mount``, which must be one, or ``root``, any folder."""

    def __init__(self, configuration: Mapping[str, JsonValue]) -> None:
        require_installed("smart_open", library)
        settings = LibrarySettings.parse("smart_open_file", BACKENDS, configuration)
        super().__init__(SmartOpenFiles(settings), "smart_open copies nothing")


class SmartOpenFiles:
    """Files below ``root``. The root is never made: an absent one is an absent mount."""

    def __init__(self, settings: LibrarySettings) -> None:
        settings.require("smart_open_file", "root")
        self._root = settings.root
        self._mounted = settings.root == settings.mount

    def errors(self, uri: DataObjectUri | None, outcome: Outcome) -> AbstractContextManager[None]:
        return os_errors(uri, outcome)

    def size_of(self, path: str) -> int | None:
        self._look_anew(path)
        with library.open(self._at(path), "rb", compression="disable") as file:
            return int(file.seek(0, os.SEEK_END))

    def reader(self, path: str, offset: int, length: int | None) -> Any:
        stream = library.open(self._at(path), "rb", compression="disable")
        stream.seek(offset)
        return stream

    def writer(self, path: str, size: int | None) -> SmartOpenNewFile:
        folder = self._root
        for name in path.split("/")[:-1]:
            folder = f"{folder}/{name}"
            try:
                os.mkdir(folder)
            except FileExistsError:
                continue
        return SmartOpenNewFile(self._at(path))

    def remove(self, path: str) -> None:
        self._look_anew(path)
        os.remove(self._at(path))

    def paths(self) -> Iterator[str]:
        # Not by os.walk: where a look at an entry fails, it takes a folder for a file.
        self._require_root()
        for kind in self._names(""):
            for account in self._names(kind):
                for name in self._names(f"{kind}/{account}"):
                    yield f"{kind}/{account}/{name}"

    def _names(self, path: str) -> list[str]:
        """What is in a folder; nothing where it is none, or none any more."""
        try:
            return os.listdir(self._at(path))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _look_anew(self, path: str) -> None:
        """An NFS client remembers names, absent ones too; opening the folders makes it ask the server."""
        self._require_root()
        folder = self._root
        for name in path.split("/"):
            os.close(os.open(folder, os.O_RDONLY | os.O_DIRECTORY))
            folder = f"{folder}/{name}"

    def _require_root(self) -> None:
        there = os.path.ismount(self._root) if self._mounted else os.path.isdir(self._root)
        if not there:
            raise DeviceUnavailable("the root does not exist, or is no mount", None, Outcome.NOT_DONE)

    def _at(self, path: str) -> str:
        return f"{self._root}/{path}"


class SmartOpenNewFile:
    """A file that was not there before; smart_open has nothing to give it up, so it is closed and removed."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._stream: Any = library.open(path, "xb", compression="disable")

    def write(self, data: bytes) -> int:
        return int(self._stream.write(data))

    def publish(self) -> None:
        self._stream.flush()
        try:
            os.fsync(self._stream.fileno())
        except OSError as error:
            if error.errno == errno.ESTALE:
                raise DeviceUnavailable("somebody has removed the file", None, Outcome.NOT_DONE) from error
            raise
        self._stream.close()

    def discard(self) -> None:
        self._stream.close()
        try:
            os.remove(self._path)
        except FileNotFoundError:
            # A first try had its effect, or somebody has removed it.
            return

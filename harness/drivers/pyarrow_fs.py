"""pyarrow.fs as a driver: a thin and fair adapter of Apache Arrow's file systems.

Back ends: ``local`` (key ``root``) and ``s3``. Fair means: written through ``open_output_stream``, the only way in; without
guessing a compression from the name; on folders that are made where they are missed. A stream can be closed and not given up
(Arrow's ``Abort`` is not in Python), so giving up is ``close`` and ``delete_file``, unless the close was refused. Keys on S3
have no slash: ``delete_file`` of one that has puts an empty object in the place of its "folder".

Declared: ``range_read`` and ``enumerate``. Not declared: ``on_device_copy``, since ``copy_file`` replaces its target;
``digest``. The root is never made: on the local file system an absent root is an absent mount.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from storcert.harness.contract import (
    DataObjectUri,
    DeviceUnavailable,
    JsonValue,
    Outcome,
)
from storcert.harness.drivers.library_driver import LibraryDriver
from storcert.harness.drivers.library_settings import LibrarySettings, require_installed
from storcert.harness.drivers.library_store import os_errors

library: Any = None
try:
    import pyarrow.fs

    library = pyarrow.fs
except ImportError:
    # Said by the constructor: a driver that is not used needs no library.
    pass

BACKENDS = ("local", "s3")
FLAT = "!"  # what stands for a slash in keys; in names it would be percent-encoded


class PyarrowDriver(LibraryDriver):
    """Configuration: :class:`~storcert.harness.drivers.library_settings.LibrarySettings` with one of :data:`BACKENDS`."""

    def __init__(self, configuration: Mapping[str, JsonValue]) -> None:
        require_installed("pyarrow", library)
        settings = LibrarySettings.parse("pyarrow", BACKENDS, configuration)
        super().__init__(PyarrowStore(settings, self._file_system(settings)), "copy_file of Arrow replaces its target")

    native_io = True

    @staticmethod
    def _file_system(settings: LibrarySettings) -> Any:
        """A file system of Arrow. Making one of these opens nothing."""
        if settings.backend == "local":
            return library.LocalFileSystem()
        settings.require("pyarrow", "endpoint_url", "bucket")
        scheme, _, address = settings.endpoint_url.rpartition("://")
        return library.S3FileSystem(
            access_key=settings.aws_access_key_id or None, secret_key=settings.aws_secret_access_key or None,
            endpoint_override=address, scheme=scheme or "https", region=settings.region_name,
        )  # fmt: skip


class PyarrowStore:
    """Paths below ``root``, or below ``bucket/prefix``."""

    def __init__(self, settings: LibrarySettings, arrow: Any) -> None:
        self._local = settings.backend == "local"
        if self._local:
            settings.require("pyarrow", "root")
            self._root = settings.root
        else:
            self._root = "/".join(part for part in (settings.bucket, settings.prefix.strip("/")) if part)
        self._bucket = settings.bucket
        self._arrow = arrow

    @contextmanager
    def errors(self, uri: DataObjectUri | None, outcome: Outcome) -> Iterator[None]:
        try:
            with os_errors(uri, outcome):
                yield
        except OSError as error:
            if error.errno is not None:
                raise
            # Arrow's IOError has no number where the network or the answer was the trouble.
            raise DeviceUnavailable(str(error), uri, outcome) from error

    def size_of(self, path: str) -> int | None:
        found = self._file_system().get_file_info(self._at(path))
        return int(found.size) if found.type == library.FileType.File else None

    def reader(self, path: str, offset: int, length: int | None) -> Any:
        file = self._file_system().open_input_file(self._at(path))
        if offset:
            file.seek(offset)
        return file

    def writer(self, path: str, size: int | None) -> PyarrowSink:
        file_system = self._file_system()
        try:
            return PyarrowSink(file_system, self._at(path))
        except FileNotFoundError as error:
            if not self._local:
                raise DeviceUnavailable("no such bucket", None, Outcome.NOT_DONE) from error
        account = self._at(path).rpartition("/")[0]
        for folder in (account.rpartition("/")[0], account):
            file_system.create_dir(folder, recursive=False)
        return PyarrowSink(file_system, self._at(path))

    def remove(self, path: str) -> None:
        self._file_system().delete_file(self._at(path))

    def paths(self) -> Iterator[str]:
        file_system = self._file_system()
        if not self._local and file_system.get_file_info(self._bucket).type == library.FileType.NotFound:
            raise DeviceUnavailable("no such bucket", None, Outcome.NOT_DONE)
        selector = library.FileSelector(self._root, allow_not_found=True, recursive=True)
        for entry in file_system.get_file_info(selector):
            if entry.type == library.FileType.File:
                path = str(entry.path)[len(self._root) + 1 :]
                yield path if self._local else path.replace(FLAT, "/")

    def _at(self, path: str) -> str:
        return f"{self._root}/{path if self._local else path.replace('/', FLAT)}"

    def _file_system(self) -> Any:
        if self._local and self._arrow.get_file_info(self._root).type != library.FileType.Directory:
            raise DeviceUnavailable("the root does not exist", None, Outcome.NOT_DONE)
        return self._arrow


class PyarrowSink:
    """An output stream of Arrow, and the way to take back what it published."""

    def __init__(self, file_system: Any, path: str) -> None:
        self._file_system = file_system
        self._path = path
        self._stream = file_system.open_output_stream(path, compression=None)

    def write(self, data: bytes) -> int:
        return int(self._stream.write(data))

    def publish(self) -> None:
        self._stream.close()

    def discard(self) -> None:
        try:
            self._stream.close()
        except FileExistsError:
            return
        try:
            self._file_system.delete_file(self._path)
        except FileNotFoundError:
            return

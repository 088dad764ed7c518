"""An in-memory file system of Arrow without faults: what the adapter shows on it is the adapter's own doing.

Nothing of a file is anywhere before it is closed, and a close over an object is refused. Small on purpose.
"""

from __future__ import annotations

import io
from typing import Any, ClassVar

import pyarrow as pa
from pyarrow import fs

from storcert.harness.drivers.library_settings import LibrarySettings
from storcert.harness.drivers.pyarrow_fs import PyarrowDriver

OBJECTS: dict[str, bytes] = {}


class IdealHandler(fs.FileSystemHandler):  # type: ignore[misc]  # the library has no types
    """What the adapter uses; every instance sees the same objects, as clients of one device do."""

    objects: ClassVar[dict[str, bytes]] = OBJECTS

    def get_type_name(self) -> str:
        return "ideal"

    def normalize_path(self, path: str) -> str:
        return path

    def get_file_info(self, paths: list[str]) -> list[Any]:
        return [self._info(path) for path in paths]

    def get_file_info_selector(self, selector: Any) -> list[Any]:
        return [self._info(path) for path in sorted(OBJECTS) if path.startswith(selector.base_dir + "/")]

    def delete_file(self, path: str) -> None:
        self._content(path)
        del OBJECTS[path]

    def open_input_file(self, path: str) -> Any:
        return pa.PythonFile(io.BytesIO(self._content(path)), mode="r")

    def open_output_stream(self, path: str, metadata: Any) -> Any:
        return pa.PythonFile(IdealFile(path), mode="w")

    def _info(self, path: str) -> Any:
        if "/" not in path:
            return fs.FileInfo(path, fs.FileType.Directory)  # a bucket
        if path not in OBJECTS:
            return fs.FileInfo(path, fs.FileType.NotFound)
        return fs.FileInfo(path, fs.FileType.File, size=len(OBJECTS[path]))

    @staticmethod
    def _content(path: str) -> bytes:
        try:
            return OBJECTS[path]
        except KeyError:
            raise FileNotFoundError(path) from None

    def _unused(self, *arguments: Any) -> Any:
        raise NotImplementedError

    create_dir = delete_dir = delete_dir_contents = delete_root_dir_contents = _unused
    move = copy_file = open_input_stream = open_append_stream = _unused


class IdealFile:
    """A file being written."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._buffer = bytearray()
        self.closed = False

    def write(self, data: Any) -> int:
        self._buffer += bytes(data)
        return len(data)

    def flush(self) -> None:
        """Nothing: the close decides."""

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        if self._path in OBJECTS:
            raise FileExistsError(self._path)
        OBJECTS[self._path] = bytes(self._buffer)


class IdealArrowDriver(PyarrowDriver):
    """The adapter on the ideal file system, in this process."""

    native_io = False

    def __init__(self, configuration: Any) -> None:
        super().__init__({**configuration, "backend": "s3"})

    @staticmethod
    def _file_system(settings: LibrarySettings) -> Any:
        return fs.PyFileSystem(IdealHandler())

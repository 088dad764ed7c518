"""An in-memory fsspec file system without faults: exclusive mode is decided at commit, every reader is its own.

What the adapter shows on it is the adapter's own doing. Small on purpose; it offers what the adapter uses.
"""

from __future__ import annotations

import io
from typing import Any, ClassVar

from fsspec import AbstractFileSystem

PROTOCOL = "storcert-ideal"


class IdealFileSystem(AbstractFileSystem):  # type: ignore[misc]  # the library has no types
    """Every instance sees the same objects, as clients of one device do."""

    protocol = PROTOCOL
    objects: ClassVar[dict[str, bytes]] = {}

    def _open(
        self,
        path: str,
        mode: str = "rb",
        block_size: Any = None,
        autocommit: bool = True,
        cache_options: Any = None,
        **options: Any,
    ) -> Any:
        if mode == "rb":
            return io.BytesIO(self._content(path))
        file = IdealFile(path, exclusive="x" in mode)
        if autocommit:
            raise NotImplementedError("the ideal file system writes in transactions only")
        return file

    def info(self, path: str, **options: Any) -> dict[str, Any]:
        path = str(self._strip_protocol(path))
        return {"name": path, "size": len(self._content(path)), "type": "file"}

    def find(self, path: str, *arguments: Any, **options: Any) -> list[str]:
        return sorted(name for name in self.objects if name.startswith(path + "/"))

    def rm_file(self, path: str) -> None:
        self._content(path)
        del self.objects[str(self._strip_protocol(path))]

    def _content(self, path: str) -> bytes:
        try:
            return self.objects[str(self._strip_protocol(path))]
        except KeyError:
            raise FileNotFoundError(path) from None


class IdealFile:
    """A file being written; nothing of it is anywhere before :meth:`commit`."""

    def __init__(self, path: str, *, exclusive: bool) -> None:
        self._path = path
        self._exclusive = exclusive
        self._buffer = bytearray()

    def write(self, data: bytes) -> int:
        self._buffer += data
        return len(data)

    def close(self) -> None:
        """Nothing: the transaction decides."""

    def commit(self) -> None:
        if self._exclusive and self._path in IdealFileSystem.objects:
            raise FileExistsError(self._path)
        IdealFileSystem.objects[self._path] = bytes(self._buffer)

    def discard(self) -> None:
        self._buffer.clear()

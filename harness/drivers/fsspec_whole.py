"""fsspec by its calls for whole objects: ``cat_file`` and ``pipe_file(mode="create")``. Streams are in the module ``fsspec``.

What is written is kept in memory until the one call that creates and never replaces, what is read is there at the open.
That is no way for volumes of any size; it shows what of the findings is of the library's streams alone.
"""

from __future__ import annotations

import io
from typing import Any

from storcert.harness.contract import DeviceUnavailable, Outcome


def whole_source(fs: Any, path: str, offset: int, length: int | None) -> tuple[Any, int]:
    """The range of the object as it is now, and how many bytes that are. Raises what the file system raises."""
    size = fs.size(path)
    end = size if length is None else min(size, offset + length)
    if offset >= end:
        return io.BytesIO(), 0
    content = fs.cat_file(path, offset or None, None if length is None else end)
    return io.BytesIO(content), len(content)


class WholeSink:
    """Bytes until the one ``pipe_file`` that may not replace."""

    def __init__(self, fs: Any, path: str) -> None:
        self._fs = fs
        self._path = path
        self._content = bytearray()

    def write(self, data: bytes) -> None:
        """Keep it."""
        self._content += data

    def publish(self) -> None:
        """All of it at once."""
        try:
            self._fs.pipe_file(self._path, bytes(self._content), mode="create")
        except FileNotFoundError as error:
            raise DeviceUnavailable(str(error), None, Outcome.NOT_DONE) from error

    def discard(self) -> None:
        """Nothing was sent."""
        self._content.clear()

"""RADOS objects that are not part of an image: contents, attributes, omap, locks, watches. Small ones cost little memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storcert.simulators.extents import Extents
from storcert.simulators.rbd.omap import Omap

if TYPE_CHECKING:
    from storcert.simulators.rbd.model import Locker, Watch

INLINE_BYTES_MAX = 1 << 16


class Extra:
    """What most objects do not have. ``locks``: by lock name, the holders and when each lets go by itself."""

    __slots__ = ("locks", "omap", "watches", "xattrs")

    def __init__(self) -> None:
        self.xattrs: dict[str, bytes] = {}
        self.omap = Omap()
        self.locks: dict[str, tuple[tuple[Locker, int | None], ...]] = {}
        self.watches: tuple[Watch, ...] = ()


class RadosObject:
    """``contents``: plain bytes as long as they are few, then :class:`Extents`."""

    __slots__ = ("contents", "extra", "modified_ns", "version")

    def __init__(self, now_ns: int) -> None:
        self.contents: bytes | Extents = b""
        self.modified_ns = now_ns
        self.version = 0
        self.extra: Extra | None = None

    @property
    def size_bytes(self) -> int:
        """Length of the contents."""
        contents = self.contents
        return len(contents) if isinstance(contents, bytes) else contents.size_bytes

    def more(self) -> Extra:
        """Its attributes and the like, made where there are none."""
        if self.extra is None:
            self.extra = Extra()
        return self.extra

    def read(self, offset: int, length: int) -> bytes:
        """As far as there is something."""
        contents = self.contents
        return contents[offset : offset + length] if isinstance(contents, bytes) else contents.read(offset, length)

    def replace(self, data: bytes) -> None:
        """These bytes and no others."""
        self.contents = data if len(data) <= INLINE_BYTES_MAX else Extents(data)

    def write(self, offset: int, data: bytes) -> None:
        """At ``offset``; a gap before it reads as zeros."""
        contents = self.contents
        if isinstance(contents, bytes):
            if max(len(contents), offset + len(data)) <= INLINE_BYTES_MAX:
                if data or offset > len(contents):
                    contents = contents.ljust(offset, b"\0")
                self.contents = contents[:offset] + data + contents[offset + len(data) :]
                return
            contents = self.contents = Extents(contents)
        contents.write(offset, data)

    def truncate(self, size_bytes: int) -> None:
        """Cut, or grow with zeros."""
        contents = self.contents
        if isinstance(contents, bytes):
            if size_bytes <= INLINE_BYTES_MAX:
                self.contents = contents[:size_bytes].ljust(size_bytes, b"\0")
                return
            contents = self.contents = Extents(contents)
        contents.truncate(size_bytes)

    def zero(self, offset: int, length: int) -> None:
        """Zeros in a range; does not grow."""
        end = min(offset + length, self.size_bytes)
        if offset < end:
            self.write(offset, bytes(end - offset))

"""Random access as a check uses it: an open volume handle step by step, and whole overwrites in one call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from storcert.conformance.violation import require
from storcert.harness.contract import DataObjectUri

if TYPE_CHECKING:
    from storcert.conformance.client import Client


class Handle:
    """An open volume."""

    def __init__(self, client: Client, uri: DataObjectUri, handle: Any) -> None:
        self.client, self.uri, self.handle = client, uri, handle

    @property
    def later(self) -> Handle:
        """The same handle, whose calls begin now and end at :meth:`Bench.join`."""
        return Handle(self.client.later, self.uri, self.handle)

    def pread(self, offset: int, length: int) -> Any:
        """``pread``, its answer checked for form."""
        label = f"pread {length} bytes at {offset} of {self.uri}"
        return self.client.do(label, lambda: pread_exactly(self.handle, offset, length))

    def pwrite(self, offset: int, data: Any) -> Any:
        """``pwrite``, its answer checked for form."""
        count = memoryview(data).nbytes
        label = f"pwrite {count} bytes at {offset} of {self.uri}"
        return self.client.do(label, lambda: pwrite_all(self.handle, offset, data))

    def flush(self) -> Any:
        """``flush``."""
        return self.client.do(f"flush {self.uri}", self.handle.flush)

    def close(self) -> Any:
        """``close``."""
        return self.client.do(f"close volume {self.uri}", self.handle.close)


def opened(driver: Any, uri: DataObjectUri) -> Any:
    """The handle that ``open_volume`` gives."""
    handle = driver.open_volume(uri)
    require(handle is not None, f"open_volume {uri} returned None", "C-ERRORS")
    return handle


def pread_exactly(handle: Any, offset: int, length: int) -> bytes:
    """One ``pread``: bytes, and exactly as many as asked for."""
    data = handle.pread(offset, length)
    require(isinstance(data, bytes), f"pread returned {type(data).__name__}, not bytes", "C-VOLUME")
    require(len(data) == length, f"pread of {length} bytes at {offset} gave {len(data)}", "C-VOLUME")
    found: bytes = data
    return found


def pwrite_all(handle: Any, offset: int, data: Any) -> int:
    """One ``pwrite``: it takes all and says so."""
    total = memoryview(data).nbytes
    count = handle.pwrite(offset, data)
    sound = isinstance(count, int) and not isinstance(count, bool) and count == total
    require(sound, f"pwrite of {total} bytes returned {count!r}", "C-VOLUME")
    return total


def overwrite(driver: Any, uri: DataObjectUri, pieces: Sequence[tuple[int, bytes]], flush: bool) -> None:
    """Open, write each piece at its offset, flush where asked, close."""
    handle = opened(driver, uri)
    try:
        for offset, data in pieces:
            pwrite_all(handle, offset, data)
        if flush:
            handle.flush()
    finally:
        handle.close()


def peek(driver: Any, uri: DataObjectUri, offset: int, length: int) -> bytes:
    """Open, read one range, close."""
    handle = opened(driver, uri)
    try:
        return pread_exactly(handle, offset, length)
    finally:
        handle.close()

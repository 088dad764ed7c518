"""An input stream of a device that goes on where it broke: opened again at the offset that was reached, where the device reads
ranges. What it reads must not change meanwhile; whoever asked for it holds the object (it is pinned by its job).
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from storcert.harness.agent.transfer import Ticket
from storcert.harness.contract import DataObjectUri, InputStream, StorageError

PAUSES_NS = (1_000_000_000, 3_000_000_000, 10_000_000_000, 30_000_000_000)
"""How long is waited before each try to open it again. A byte that comes begins the count anew."""


class SteadyInput:
    """``open_at``: given an offset, a stream from there on. Made by :func:`open_steadily`."""

    def __init__(self, open_at: Callable[[int], InputStream], ticket: Ticket, sleep_ns: Callable[[int], None]) -> None:
        self._open_at = open_at
        self._ticket = ticket
        self._sleep_ns = sleep_ns
        self._offset = 0
        self._stream = open_at(0)

    def read(self, n: int = -1) -> bytes:
        """As the stream's. Raises what it raises once opening it again was of no use, or is not to be tried."""
        error: StorageError | None = None
        for pause_ns in (*PAUSES_NS, None):
            try:
                if error is not None:
                    self._stream = self._open_at(self._offset)
                found = self._stream.read(n)
            except StorageError as failure:
                self._stream.close()
                if not failure.retryable or pause_ns is None:
                    raise
                error = failure
                self._sleep_ns(pause_ns)
                self._ticket.refuse_late()
            else:
                self._offset += len(found)
                return found
        raise AssertionError("the last try returns or raises")

    def close(self) -> None:
        """Release it."""
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.close()


def open_steadily(
    driver: Any, uri: DataObjectUri, ticket: Ticket, sleep_ns: Callable[[int], None], offset: int = 0, length: int | None = None
) -> InputStream:
    """The bytes of an object, or those of a range. Raises what the driver's ``open_input`` raises."""
    if not driver.capabilities().range_read:
        whole: InputStream = driver.open_input(uri)
        return whole

    def open_at(done: int) -> InputStream:
        left = None if length is None else length - done
        stream: InputStream = driver.open_input(uri, offset + done, left)
        return stream

    return SteadyInput(open_at, ticket, sleep_ns)

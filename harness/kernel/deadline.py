"""Something that happens after a while unless it is called off: cancellable, lazily deleted, compacted.

A cancelled deadline stays in the heap, marked by ``callbacks is None``; the loop drops it without moving time. When more
than half of a heap above 1,024 entries is dead, the heap is rebuilt, so it never exceeds twice the live entries + 1,024.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from storcert.harness.kernel.loop import Kernel

COMPACT_ABOVE = 1_024


class Deadline:
    """Quacks like a SimPy event where the loop looks (``callbacks``, ``_ok``), and costs a third of one."""

    __slots__ = ("_action", "_kernel", "callbacks", "time_ns")
    _ok = True
    _value = None

    def __init__(
        self, kernel: Kernel, time_ns: int, callbacks: Sequence[Callable[[Any], Any]], action: Callable[[], None] | None = None
    ) -> None:
        self._kernel = kernel
        self.time_ns = time_ns
        self.callbacks: Sequence[Callable[[Any], Any]] | None = callbacks
        self._action = action

    @property
    def pending(self) -> bool:
        """Whether it is still to come: neither happened nor cancelled."""
        return self.callbacks is not None

    def cancel(self) -> None:
        """It will not happen. Does nothing if it has happened or was cancelled already."""
        if self.callbacks is not None:
            self.callbacks = None
            self._action = None
            kernel = self._kernel
            kernel._dead_entries += 1
            if kernel._dead_entries * 2 > len(kernel._queue) > COMPACT_ABOVE:
                compact(kernel)


def act(deadline: Deadline) -> None:
    """What the loop calls for a deadline that was made with an action."""
    action, deadline._action = deadline._action, None
    if action is not None:
        action()


ACT: tuple[Callable[[Deadline], None], ...] = (act,)


def compact(kernel: Kernel) -> None:
    """Rebuild the heap without its dead entries, in place: the loop holds on to the list."""
    queue = kernel._queue
    queue[:] = [entry for entry in queue if entry[2].callbacks is not None]
    heapq.heapify(queue)
    kernel._dead_entries = 0

"""Something that happens after a while unless it is called off: cancellable, lazily deleted, compacted.

A cancelled deadline stays in the heap, marked by ``callbacks is None``; the loop drops it without moving time. When more
than half of a heap above 1,024 entries is dead, the heap is rebuilt, so it never exceeds twice the live entries + 1,024.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from storcert.harness.kernel.environment import IntegerEnvironment

COMPACT_ABOVE = 1_024


class Deadline:
    """Quacks like a SimPy event where the loop looks (``callbacks``, ``_ok``), and costs a third of one."""

    __slots__ = ("_action", "_environment", "callbacks", "time_ns")
    _ok = True
    _value = None

    def __init__(
        self,
        environment: IntegerEnvironment,
        time_ns: int,
        callbacks: Sequence[Callable[[Any], Any]],
        action: Callable[[], object] | None = None,
    ) -> None:
        self._environment = environment
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
            environment = self._environment
            environment._dead_entries += 1
            if environment._dead_entries * 2 > len(environment._queue) > COMPACT_ABOVE:
                compact(environment)


new_deadline = Deadline.__new__


def act(deadline: Deadline) -> None:
    """What the loop calls for a deadline that was made with an action."""
    action, deadline._action = deadline._action, None
    if action is not None:
        action()


ACT: tuple[Callable[[Deadline], None], ...] = (act,)


def compact(environment: IntegerEnvironment) -> None:
    """Rebuild the heap without its dead entries, in place: the loop holds on to the list."""
    queue = environment._queue
    queue[:] = [entry for entry in queue if entry[2].callbacks is not None]
    heapq.heapify(queue)
    environment._dead_entries = 0

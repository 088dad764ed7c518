"""Which of several tasks that could go on at nearly one moment goes on first: priorities, as in probabilistic concurrency
testing (Burckhardt et al., 2010).

There, of all threads that could run the one of the highest priority runs, and at a few random steps the running one falls
behind all others. Here everybody has a machine, and what is free is how long a task that was woken takes to go on: each task
has a lag, the lower its priority the longer, up to ``lag_ns``. Of two tasks that are woken within a lag of each other the one
of higher priority so goes on first, again and again, whatever the network did. At the n-th turn (a wake-up of any task at any
location, counted while priorities count) whoever goes on falls behind: from then on it lags by one to two ``lag_ns``.

A lag is what a busy machine does to a thread; nothing else changes. Without priorities a kernel does not come here.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappush
from typing import TYPE_CHECKING, Any

from storcert.harness.kernel.checks import delay_of
from storcert.harness.kernel.deadline import Deadline
from storcert.harness.kernel.random_streams import derive

if TYPE_CHECKING:
    from storcert.harness.kernel.task import Task

_BITS = 16


class Priorities:
    """Of one kernel, whose ``priorities`` it is from the beginning on: before its first task is spawned.

    ``lag_ns``: how long the task of the lowest priority lags; 0: nobody does, turns are only counted. ``falls``: at which
    turns, counted from 1, whoever goes on falls behind. ``turns``: how many there were while priorities counted. A task's
    priority is decided by the seed, its location, its name, and how many of that name there were before."""

    def __init__(self, seed: int, lag_ns: int = 0, falls: Sequence[int] = ()) -> None:
        self.lag_ns = delay_of(lag_ns)
        self.turns = 0
        self.counting = False
        self._seed = seed
        self._falls = frozenset(falls)
        self._named: dict[tuple[str, str], int] = {}

    def begin(self) -> None:
        """They count from now on."""
        self.counting = True

    def end(self) -> None:
        """They count no more; who lags already does so to its end."""
        self.counting = False

    def take(self, task: Task) -> None:
        """The task, which has not begun yet, takes its turns by priority from now on."""
        assert task.location is not None
        name = task.location.name, task.name
        number = self._named[name] = self._named.get(name, 0) + 1
        turns = _Turns(task, self, self._draw(f"{name[0]}/{name[1]}/{number}"))
        task._wakers = (turns.wake,)
        task._expirers = (turns.expire,)

    def next_lag_ns(self, turns: _Turns) -> int:
        """One more turn: how long it takes to go on."""
        if not self.counting:
            return 0
        self.turns += 1
        if self.turns in self._falls:
            turns.share = (1 << _BITS) + self._draw(f"fall/{self.turns}")
        return self.lag_ns * turns.share >> _BITS

    def _draw(self, name: str) -> int:
        return derive(self._seed, f"priorities/{name}") & ((1 << _BITS) - 1)


class _Turns:
    """Of one task: stands for its ``_wake`` and ``_expire``. ``share``: of the lag, as a fraction of 65,536."""

    __slots__ = ("_lag", "_priorities", "_task", "_woken_by", "share")

    def __init__(self, task: Task, priorities: Priorities, share: int) -> None:
        self._task = task
        self._priorities = priorities
        self.share = share
        self._lag: Deadline | None = None
        self._woken_by: Any = None

    def wake(self, event: Any) -> None:
        """Called by the loop when what the task waits for has happened, and again when its lag is over."""
        task = self._task
        if event is self._lag:
            self._go_on(task, event)
        elif event is task._waits_for:
            self._woken(task, event)
        elif event is task._held and event is not None:
            task._hold_back(event)

    def expire(self, deadline: Any) -> None:
        """Called by the loop when the time for a wait is up."""
        task = self._task
        if deadline is task._deadline:
            if task._waits_for is not None:
                task._stop_listening(task._waits_for)
                self._woken(task, deadline)
            elif task._held is not None:
                task._hold_back(deadline)

    def _woken(self, task: Task, event: Any) -> None:
        """The first to come wins, as it would have without a lag."""
        lag_ns = self._priorities.next_lag_ns(self)
        if not lag_ns:
            task.switch(event)
            return
        if not event._ok:
            event._defused = True
        deadline, task._deadline = task._deadline, None
        if deadline is not None and deadline is not event:
            deadline.cancel()
        self._woken_by = event
        kernel = task.kernel
        self._lag = task._waits_for = Deadline(kernel, kernel.now_ns + lag_ns, task._wakers)
        heappush(kernel._queue, (self._lag.time_ns, next(kernel._orders), self._lag))

    def _go_on(self, task: Task, lag: Any) -> None:
        event, self._woken_by, self._lag = self._woken_by, None, None
        if task._waits_for is lag:
            task.switch(event)
        elif task._held is lag:  # its location was paused meanwhile
            task._held = None
            assert task.location is not None
            task.location._held.append((task, event))


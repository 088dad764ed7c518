"""The threads of one location's process: who is one, by which number, and how often they are made to change places.

Every task at a location is a thread there. Those that driver code started are threads by name. The others are its callers: the
threads of a pool in the agent, as it were, of which a call takes the lowest that is free. So calls one after another are made
by one thread, and calls at the same time by different ones, each with a ``threading.local`` of its own.

While driver code has threads of its own, what it does with locks, queues and threads are **points** (:mod:`.thread_points`)
where others may come first: those that are ready now, or, where the thread falls behind for a while, also those that wait for a
device. The location's random stream says at which; how often, is drawn once for each process, so that some have threads that
hardly ever change places and others hardly do anything else. Without threads nothing is drawn and nothing waits.
"""

from __future__ import annotations

import weakref
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from storcert.harness.kernel.exceptions import RunawayTask

if TYPE_CHECKING:
    from storcert.harness.kernel.interpose.presence import LocatedTask
    from storcert.harness.kernel.location import Location
    from storcert.harness.kernel.task import Task

_IDENT_SHIFT = 20
_CHANCES = (0.02, 0.1, 0.3, 0.6)
# How long a thread falls behind: from 10 us to 80 ms, any magnitude as likely as the next; what a busy machine does, and long
# enough for others to have several answers of a near device. So often in one process, so that it does not become a slow one.
_SHORTEST_BEHIND_NS = 10_000
_MAGNITUDES = 13
_FALLS_BEHIND_MAX = 200
_SHARES_OF_FALLING_BEHIND = (0.0, 0.1, 0.5)
# Code that asks the same again and again without waiting would never let time pass: it gets slower and slower instead.
_POINTS_AT_ONE_INSTANT = 3_000
_FIRST_PAUSE_NS = 1_000_000
_LONGEST_PAUSE_NS = 60 * 10**9


class ThreadIdentity:
    """One thread as code of its process sees it. ``thread``: its ``threading.Thread``, once there is one."""

    __slots__ = ("__weakref__", "_caller", "_process", "ident", "thread")

    def __init__(self, process: ProcessThreads, number: int, caller: int, thread: Any = None) -> None:
        self._process = process
        self._caller = caller
        self.ident = process.ident(number)
        self.thread = thread

    @property
    def caller(self) -> int:
        """Number of the caller's thread that it is, from 1; 0: driver code started it."""
        return self._caller

    @property
    def process(self) -> ProcessThreads:
        """The process whose thread it is."""
        return self._process

    def task_ended(self, task: Task) -> None:
        """The kernel says that the task is over: a caller's thread is free for the next call, any other one has ended."""
        if self._caller:
            self._process.free(self)
            return
        self._process.running -= 1
        if isinstance(task.error, RunawayTask):
            self._process.uncaught.append((task.name, task.error))


class ProcessThreads:
    """``made``: how many threads driver code started; ``running``: how many of them have not ended. ``uncaught``: name and
    exception of those that ended by one nobody caught; ``told``: how many of these somebody has asked for. ``main``: what
    ``threading.main_thread()`` gives, made by whoever asks.
    """

    def __init__(self, location: Location) -> None:
        # Weakly, because locks of a vendor's module remember processes and must not keep worlds.
        self._location = weakref.ref(location)
        self._epoch = location.epoch
        self._pid = location.pid
        self._numbers = 1  # the main thread is number 1
        self._callers = 0
        self._objects = 0
        self._names: dict[str, int] = {}
        self._idle: list[tuple[int, ThreadIdentity]] = []
        self._chance = -1.0
        self._behind = 0.0
        self._falls = 0
        self._draw: Any = None
        self._at_ns = -1
        self._points = 0
        self._pause_ns = _FIRST_PAUSE_NS
        self.made = 0
        self.running = 0
        self.uncaught: list[tuple[str, BaseException]] = []
        self.told = 0
        self.main: Any = None

    @property
    def over(self) -> bool:
        """Whether this process exists no more: its machine was restarted, or its world is over."""
        location = self._location()
        return location is None or location.epoch != self._epoch or location.kernel.sealed

    def ident(self, number: int) -> int:
        """What ``get_ident()`` gives in thread ``number``: another number in each process of a world."""
        return self._pid << _IDENT_SHIFT | number

    def next_object(self) -> int:
        """A number for an object whose address would otherwise decide an order."""
        self._objects += 1
        return self._objects

    def next_name(self, counter: str, first: int) -> int:
        """The next number of a series of names (``Thread-1``), which begins with ``first`` in each process."""
        number = self._names.get(counter, first)
        self._names[counter] = number + 1
        return number

    def started(self, thread: Any) -> ThreadIdentity:
        """A thread that driver code starts."""
        self.made += 1
        self.running += 1
        return ThreadIdentity(self, self._next_number(), 0, thread)

    def caller(self) -> ThreadIdentity:
        """The caller's thread with the lowest number that is free."""
        if self._idle:
            return heappop(self._idle)[1]
        self._callers += 1
        return ThreadIdentity(self, self._next_number(), self._callers)

    def free(self, identity: ThreadIdentity) -> None:
        """This caller's thread has nothing to do any more."""
        heappush(self._idle, (identity.caller, identity))

    def _next_number(self) -> int:
        self._numbers += 1
        return self._numbers

    def point(self, task: LocatedTask) -> None:
        """Another thread may come first here. Called only while :attr:`running` is not 0."""
        kernel = task.location.kernel
        if self._chance < 0:
            stream = task.location.stream("threads")
            self._chance = stream.choice(_CHANCES)
            self._behind = self._chance * stream.choice(_SHARES_OF_FALLING_BEHIND)
            self._draw = stream.random
        now_ns = kernel.now_ns
        if now_ns != self._at_ns:
            self._at_ns, self._points, self._pause_ns = now_ns, 0, _FIRST_PAUSE_NS
        self._points += 1
        if self._points > _POINTS_AT_ONE_INSTANT:
            pause_ns = self._pause_ns
            kernel.sleep_ns(pause_ns)
            if kernel.now_ns == now_ns + pause_ns and self._at_ns == now_ns:  # nobody else did anything meanwhile
                self._at_ns, self._points = kernel.now_ns, 0
                self._pause_ns = min(2 * pause_ns, _LONGEST_PAUSE_NS)
        elif (drawn := self._draw()) < self._chance:
            kernel.sleep_ns(self._lag_ns() if drawn < self._behind else 0)

    def _lag_ns(self) -> int:
        self._falls += 1
        if self._falls > _FALLS_BEHIND_MAX:
            return 0
        shortest_ns = _SHORTEST_BEHIND_NS << int(self._draw() * _MAGNITUDES)
        return shortest_ns + int(self._draw() * shortest_ns)


def process_of(location: Location) -> ProcessThreads:
    """The threads of the process that runs at ``location`` now."""
    found: ProcessThreads | None = location.threads
    if found is None:
        found = location.threads = ProcessThreads(location)
    return found


def identity_of(task: LocatedTask) -> ThreadIdentity:
    """Which thread ``task`` is."""
    found: ThreadIdentity | None = task.thread
    if found is None:
        found = task.thread = process_of(task.location).caller()
    return found

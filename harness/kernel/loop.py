"""The kernel: one world's virtual time, its loop, and what tasks call to let time pass.

A ``simpy.Environment`` whose clock is integer nanoseconds, so SimPy's events, resources and processes work in it unchanged.
Heap entries are ``(time_ns, order, event)``; ``order`` holds priority and tie-break key (``tie_break.py``). Nothing about
devices, file systems or boto3 may stand here.
"""

from __future__ import annotations

import gc
import hashlib
import random
from collections.abc import Callable, Iterator, Mapping
from heapq import heappop, heappush
from itertools import repeat
from typing import TYPE_CHECKING, Any, Self, cast

import greenlet
import simpy
from simpy.core import BoundClass, EmptySchedule, StopSimulation
from simpy.events import NORMAL, URGENT, AllOf, AnyOf, Event

from storcert.harness.kernel import closing, tie_break
from storcert.harness.kernel.checks import delay_of
from storcert.harness.kernel.deadline import ACT, Deadline
from storcert.harness.kernel.exceptions import DeadlineExpired, LocationCrashed, WorldClosed
from storcert.harness.kernel.fingerprint import Fingerprint
from storcert.harness.kernel.journal import Journal
from storcert.harness.kernel.location import Location
from storcert.harness.kernel.processes import KernelProcess, KernelTimeout
from storcert.harness.kernel.random_streams import RandomStreams
from storcert.harness.kernel.runaway import blame_someone
from storcert.harness.kernel.task import Task
from storcert.harness.kernel.task import _running
from storcert.harness.kernel.tie_break import TieBreak
from storcert.harness.kernel.watchdog import Watchdog

START_NS = 1_700_000_000 * 10**9
_BATCH = 2_048
_GARBAGE_MAX = 500_000
_REFUSALS_MAX = 100
_FIRST_PID = 1_000


class Kernel(simpy.Environment):
    """A world. ``seed`` decides all its random streams and, under ``tie_break="seeded"``, which of several events at one
    instant comes first. Close it (or use it as a context manager): suspended tasks are kept alive until then."""

    _now: int
    _queue: list[tuple[int, int, Any]]  # type: ignore[assignment]

    def __init__(
        self,
        seed: int = 0,
        *,
        tie_break: TieBreak = "seeded",
        start_ns: int = START_NS,
        events_per_instant_max: int = 1_000_000,
    ) -> None:
        super().__init__(initial_time=delay_of(start_ns))
        self.seed = seed
        self.journal = Journal(lambda: self._now)
        self.sealed = False
        self.locations: dict[str, Location] = {}
        self.events_per_instant_max = events_per_instant_max
        self._orders: Iterator[int] = _normal_orders(seed, tie_break)
        self._urgent_orders: Iterator[int] = _urgent_orders()
        self._streams = RandomStreams(seed)
        self._fingerprint = Fingerprint()
        self._dead_entries = 0
        self._tasks: dict[Task, None] = {}
        self._hub = greenlet.getcurrent()
        self._looping = False
        self._pids = 0
        for name, kind in _EVENT_KINDS:  # SimPy binds early only what the class itself defines
            setattr(self, name, kind.__get__(self))

    if TYPE_CHECKING:

        def timeout(self, delay: int = 0, value: Any = None) -> KernelTimeout: ...  # type: ignore[override]

        @property
        def now(self) -> int: ...
    else:
        timeout = BoundClass(KernelTimeout)
        process = BoundClass(KernelProcess)
        event = BoundClass(Event)
        all_of = BoundClass(AllOf)
        any_of = BoundClass(AnyOf)

    @property
    def now_ns(self) -> int:
        """Simulated Unix time."""
        return self._now

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Tasks that have not ended, oldest first."""
        return tuple(task for task in self._tasks if not task.crashed)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- what the world consists of

    def stream(self, name: str) -> random.Random:
        """The random stream called ``name``; the same generator each time."""
        return self._streams.stream(name)

    def location(
        self, name: str, *, hostname: str | None = None, environ: Mapping[str, str] | None = None
    ) -> Location:
        """The location called ``name``, made at first use; ``hostname`` (default: the name) and ``environ`` count then only."""
        found = self.locations.get(name)
        if found is None:
            self._require_open()
            found = self.locations[name] = Location(self, name, name if hostname is None else hostname, environ or {})
        return found

    def spawn(
        self, function: Callable[..., Any], *args: Any, location: Location | None = None, name: str = ""
    ) -> Task:
        """A task that will call ``function(*args)`` at the current instant, after what runs now has paused. At a dead location
        the task is crashed from the start."""
        self._require_open()
        body = function if not args else lambda: function(*args)
        task = Task(self, body, location, name or getattr(function, "__name__", "task"), self._hub)
        if location is not None and not location.alive:
            task.crashed = True
            task.ended_event.succeed(task)
            return task
        self._tasks[task] = None
        closing.keep(self)
        alarm = task._alarm
        alarm.callbacks = task._wakers
        task.waiting_for = "start"
        if location is not None:
            location._tasks[task] = None
        if location is not None and location.paused:
            task._held = alarm
        else:
            task._waits_for = alarm
        heappush(self._queue, (self._now, next(self._orders), alarm))
        return task

    # -- letting time pass

    def sleep_ns(self, duration_ns: int) -> None:
        """Inside a task: go on after ``duration_ns``."""
        task = greenlet.getcurrent()
        if type(task) is not Task or task.kernel is not self or self.sealed:
            self._refuse()
        if type(duration_ns) is not int or duration_ns < 0:
            duration_ns = delay_of(duration_ns)
        alarm = task._alarm
        alarm.callbacks = task._wakers
        task._waits_for = alarm
        task.waiting_for = "sleep"
        heappush(self._queue, (self._now + duration_ns, next(self._orders), alarm))
        before = _running[0]
        _running[0] = None
        try:
            self._hub.switch()
        except BaseException:
            task._withdraw()
            raise
        finally:
            _running[0] = before

    def wait(self, event: Event, timeout_ns: int | None = None, *, reason: str = "event") -> Any:
        """Inside a task: go on when ``event`` has happened; gives its value or raises its failure, the same exception object.
        ``DeadlineExpired`` after ``timeout_ns``; the event is left alone then. ``reason`` shows as ``task.waiting_for``."""
        task = greenlet.getcurrent()
        if type(task) is not Task or task.kernel is not self or self.sealed:
            self._refuse()
        callbacks = event.callbacks
        if callbacks is not None:
            deadline = None
            if timeout_ns is not None:
                if type(timeout_ns) is not int or timeout_ns < 0:
                    timeout_ns = delay_of(timeout_ns)
                time_ns = self._now + timeout_ns
                deadline = task._deadline = Deadline(self, time_ns, (task._expire,))
                heappush(self._queue, (time_ns, next(self._orders), deadline))
            wake = task._wakers[0]
            callbacks.append(wake)
            task._waits_for = event
            task.waiting_for = reason
            before = _running[0]
            _running[0] = None
            try:
                woken_by = self._hub.switch()
            except BaseException:
                task._withdraw()
                raise
            finally:
                _running[0] = before
            if deadline is not None:
                task._deadline = None
                if woken_by is deadline:
                    task._stop_listening(event)
                    raise DeadlineExpired(cast(int, timeout_ns))
                deadline.cancel()
        if event._ok:
            return event._value
        event._defused = True
        raise event._value

    def join(self, task: Task) -> Any:
        """Inside a task: wait until ``task`` has ended; gives its result or raises its error, or ``LocationCrashed`` if it crashed."""
        self.wait(task.ended_event, reason=f"task {task.name}")
        if task.crashed:
            raise LocationCrashed(f"task {task.name} crashed with its location")
        if task.error is not None:
            raise task.error
        return task.result

    def after(self, delay_ns: int, callback: Callable[[], None]) -> Deadline:
        """Call ``callback`` from the loop in ``delay_ns``, unless the deadline is cancelled."""
        self._require_open()
        time_ns = self._now + delay_of(delay_ns)
        deadline = Deadline(self, time_ns, ACT, callback)
        heappush(self._queue, (time_ns, next(self._orders), deadline))
        return deadline

    # -- running

    def schedule(self, event: Event, priority: int = NORMAL, delay: int = 0) -> None:  # type: ignore[override]
        """As SimPy's, in whole nanoseconds."""
        if type(delay) is not int or delay < 0:
            delay = delay_of(delay)
        if priority == NORMAL:
            order = next(self._orders)
        elif priority == URGENT:
            order = next(self._urgent_orders)
        else:
            order = tie_break.of_priority(next(self._orders), priority)
        heappush(self._queue, (self._now + delay, order, event))

    def peek(self) -> int | float:  # type: ignore[override]
        """Time of the next event, or infinity."""
        queue = self._queue
        while queue and queue[0][2].callbacks is None:
            heappop(queue)
            self._dead_entries -= 1
        return queue[0][0] if queue else float("inf")

    def step(self) -> None:
        """Process one event. Raises SimPy's ``EmptySchedule`` if there is none."""
        with _Run(self):
            if not self._process(1):
                raise EmptySchedule

    def run(self, until: int | Event | None = None) -> Any:  # type: ignore[override]
        """As SimPy's: to the end, to the time ``until`` (in ns, absolute), or until an event has happened; gives its value."""
        if until is None:
            with _Run(self):
                self._process_all()
            return None
        if isinstance(until, Event):
            if until.callbacks is None:
                return until.value
            until.callbacks.append(StopSimulation.callback)
            with _Run(self):
                try:
                    self._process_all()
                except StopSimulation as stop:
                    return stop.value
            raise RuntimeError("nothing left to happen, but the event that was to end the run has not happened")
        if delay_of(until) <= self._now:
            raise ValueError(f"until ({until}) must be greater than the current simulation time ({self._now})")
        self.run_for(until - self._now)
        return None

    def run_for(self, duration_ns: int) -> None:
        """Run for ``duration_ns``; the time is then exactly that much later, whether something happened or not."""
        end = self._stop_after(delay_of(duration_ns))
        with _Run(self):
            try:
                self._process_all()
            except StopSimulation:
                pass
            finally:
                end.cancel()

    def run_until_done(
        self, *tasks: Task, limit_ns: int | None = None, wall_limit_s: float | None = None
    ) -> bool:
        """Run until all ``tasks`` have ended; ``False`` if ``limit_ns`` of virtual time passed first, or nothing was left to
        happen. With ``wall_limit_s``, a task that runs as long in real time while virtual time stands still gets
        :class:`RunawayTask` thrown into it (in the main thread, where the system has interval timers)."""
        waiting = [task for task in tasks if not task.ended]
        if not waiting:
            return True
        left = len(waiting)

        def one_less(_: Event) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise StopSimulation(None)

        for task in waiting:
            cast(list[Any], task.ended_event.callbacks).append(one_less)
        end = None if limit_ns is None else self._stop_after(delay_of(limit_ns))
        try:
            with _Run(self), Watchdog(self, wall_limit_s):
                self._process_all()
        except StopSimulation:
            pass
        finally:
            if end is not None:
                end.cancel()
            for task in waiting:
                if task.ended_event.callbacks is not None:
                    task.ended_event.callbacks.remove(one_less)
        return all(task.ended for task in tasks)

    def digest(self) -> str:
        """``"sha256:<hex>"`` over all kernel events and journal entries so far."""
        return "sha256:" + hashlib.sha256(self._fingerprint.digest() + self.journal.digest()).hexdigest()

    def close(self) -> None:
        """The world is over. Frees what abandoned tasks hold: each is unwound with every door closed. Repeatable."""
        closing.close(self)

    # -- inside

    def _process_all(self) -> None:
        instant = -1
        idle = 0
        while self._process(_BATCH):
            if self._now != instant:
                instant = self._now
                idle = 0
            else:
                idle += _BATCH
                if idle >= self.events_per_instant_max:
                    idle = 0
                    blame_someone(self)
            if len(self._fingerprint) >= 2 * _BATCH:
                self._fingerprint.flush()
            if gc.get_count()[0] > _GARBAGE_MAX:
                gc.collect()

    def _process(self, events_max: int) -> bool:
        """Process up to ``events_max`` events; whether there were that many."""
        queue = self._queue
        note = self._fingerprint.note
        for _ in repeat(None, events_max):
            try:
                now, order, event = heappop(queue)
            except IndexError:
                return False
            callbacks = event.callbacks
            if callbacks is None:  # a cancelled deadline: it takes no time
                self._dead_entries -= 1
                continue
            event.callbacks = None
            self._now = now
            note(now)
            note(order)
            try:
                for callback in callbacks:
                    callback(event)
            except StopSimulation:
                if order == tie_break.FIRST:
                    self._fingerprint.forget_last()
                else:
                    rest = list(callbacks)[callbacks.index(callback) + 1 :]
                    if rest:  # they come first when the run goes on
                        event.callbacks = rest
                        heappush(queue, (now, tie_break.FIRST + 1, event))
                raise
            if not event._ok and not hasattr(event, "_defused"):
                raise event._value
        return True

    def _stop_after(self, duration_ns: int) -> Deadline:
        self._require_open()
        time_ns = self._now + duration_ns
        end = Deadline(self, time_ns, (_stop,))
        heappush(self._queue, (time_ns, tie_break.FIRST, end))
        return end

    def _ended(self, task: Task) -> None:
        """A task's function is over."""
        task._wakers.clear()
        self._tasks.pop(task, None)
        if task.location is not None:
            task.location._tasks.pop(task, None)
        if not self._tasks:
            closing.let_go(self)
        if not task.crashed and not self.sealed:
            task.done = True
            task.waiting_for = ""
            task.ended_event.succeed(task)

    def _next_pid(self) -> int:
        self._pids += 1
        return _FIRST_PID + self._pids

    def _require_open(self) -> None:
        if self.sealed:
            self._refuse()

    def _refuse(self) -> None:
        """Say why not: to a task of a world that is over, or to a caller who is no task."""
        task = greenlet.getcurrent()
        if not isinstance(task, Task):
            if self.sealed:
                raise WorldClosed("this kernel was closed")
            raise RuntimeError("only a task can wait: call this from a function given to Kernel.spawn")
        if task.kernel is not self:
            raise RuntimeError(f"task {task.name} belongs to another kernel")
        task._refusals += 1
        if task._refusals > _REFUSALS_MAX:  # it swallows every refusal; close() buries it
            while True:
                self._hub.switch()
        raise LocationCrashed("this world is over" if self.sealed else "this location is dead")


class _Run:
    """A stretch of running: one at a time, not from inside a task, without the garbage collector, whose moments differ from
    Python to Python and which may run finalizers of driver code."""

    __slots__ = ("_collecting", "_kernel")

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._collecting = False

    def __enter__(self) -> None:
        kernel = self._kernel
        kernel._require_open()
        hub = greenlet.getcurrent()
        if isinstance(hub, Task):
            raise RuntimeError(f"task {hub.name} cannot run a kernel: tasks wait, the hub runs")
        if kernel._looping:
            raise RuntimeError("this kernel is already running")
        if hub is not kernel._hub:
            kernel._hub = hub
            for task in kernel._tasks:
                task.parent = hub
        kernel._looping = True
        self._collecting = gc.isenabled()
        gc.disable()

    def __exit__(self, *_: object) -> None:
        kernel = self._kernel
        kernel._looping = False
        if len(kernel._fingerprint) >= 2 * _BATCH:
            kernel._fingerprint.flush()
        if self._collecting:
            gc.enable()


def _stop(_: object) -> None:
    raise StopSimulation(None)


_normal_orders = tie_break.normal_orders
_urgent_orders = tie_break.urgent_orders
_EVENT_KINDS: tuple[tuple[str, Any], ...] = tuple(
    (name, BoundClass(kind))
    for name, kind in (
        ("timeout", KernelTimeout),
        ("process", KernelProcess),
        ("event", Event),
        ("all_of", AllOf),
        ("any_of", AnyOf),
    )
)

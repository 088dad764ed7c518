"""The kernel: one world, its tasks and locations, and what tasks call to let virtual time pass.

Nothing about devices, file systems or boto3 may stand here.
"""

from __future__ import annotations

import functools
import hashlib
import random
from collections.abc import Callable, Mapping
from heapq import heappush
from typing import Any, NoReturn, Self, cast

import greenlet
from simpy.core import StopSimulation
from simpy.events import Event

from storcert.harness.kernel import closing
from storcert.harness.kernel.checks import delay_of
from storcert.harness.kernel.deadline import Deadline, new_deadline
from storcert.harness.kernel.environment import IntegerEnvironment, Stretch
from storcert.harness.kernel.exceptions import DeadlineExpired, LocationCrashed, TaskCrashed, WorldClosed
from storcert.harness.kernel.journal import Journal
from storcert.harness.kernel.location import Location
from storcert.harness.kernel.priorities import Priorities
from storcert.harness.kernel.random_streams import RandomStreams
from storcert.harness.kernel.runaway import Watchdog, stop_someone
from storcert.harness.kernel.task import Task, _running
from storcert.harness.kernel.tie_break import TieBreak

START_NS = 1_700_000_000 * 10**9
_REFUSALS_MAX = 100
_FIRST_PID = 1_000


class Kernel(IntegerEnvironment):
    """A world. ``seed`` decides all its random streams and, under ``tie_break="seeded"``, which of several events at one
    instant comes first; ``"fifo"`` is SimPy's order. ``keep_events``: how many of the last events of its
    journal can be looked at, ``None`` for all. Close it, or use it as a context manager: suspended tasks are kept alive until
    then."""

    def __init__(
        self,
        seed: int = 0,
        *,
        tie_break: TieBreak = "seeded",
        start_ns: int = START_NS,
        events_per_instant_max: int = 1_000_000,
        keep_events: int | None = None,
    ) -> None:
        super().__init__(seed, tie_break, start_ns, events_per_instant_max)
        self.seed = seed
        self.journal = Journal(lambda: self._now, keep_events)
        self.sealed = False
        self.priorities: Priorities | None = None  # of tasks at locations, set before the first of them is spawned
        self.locations: dict[str, Location] = {}
        self.singles: dict[str, Any] = {}  # what exists once in a world and is no location, by name: its network
        self._streams = RandomStreams(seed)
        self._tasks: dict[Task, None] = {}  # those that have not ended, and those that crashed
        self._hub = greenlet.getcurrent()
        self._pids = _FIRST_PID

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Tasks that have not ended, oldest first."""
        return tuple(task for task in self._tasks if not task.crashed)

    # -- what the world consists of

    def stream(self, name: str) -> random.Random:
        """The random stream called ``name``; the same generator each time."""
        return self._streams.stream(name)

    def new_stream(self, name: str) -> random.Random:
        """A random stream that the world does not remember: for one of many that come and go. The name is used once only."""
        return self._streams.new(name)

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
        """A task that will call ``function(*args)`` at the current instant, once the loop comes to it. At a dead location the
        task is crashed from the start."""
        self._require_open()
        body = functools.partial(function, *args) if args else function
        task = Task(self, body, location, name or getattr(function, "__name__", "task"), self._hub)
        if location is not None and not location.alive:
            task.crashed = True
            return task
        if self.priorities is not None and location is not None:
            self.priorities.take(task)
        alarm = task._alarm
        alarm.callbacks = task._wakers
        heappush(self._queue, (self._now, next(self._orders), alarm))
        task.waiting_for = "start"
        if location is not None and location.paused:
            task._held = alarm
        else:
            task._waits_for = alarm
        if location is not None:
            location._tasks[task] = None
        self._tasks[task] = None
        closing.keep(self)
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
        before = _running[0]  # what follows is Task._suspend, without the call
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
                deadline = task._deadline = new_deadline(Deadline)  # Deadline.__init__, without the call
                deadline._environment = self
                deadline._action = None
                deadline.time_ns = time_ns = self._now + timeout_ns
                deadline.callbacks = task._expirers
                heappush(self._queue, (time_ns, next(self._orders), deadline))
            callbacks.append(task._wakers[0])
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
        """Inside a task: wait until ``task`` has ended; gives its result or raises its error, or ``TaskCrashed``."""
        self.wait(task.ended_event, reason=f"task {task.name}")
        if task.crashed:
            raise TaskCrashed(f"task {task.name} crashed with its location")
        if task.error is not None:
            raise task.error
        return task.result

    # -- running

    def run_until_done(self, *tasks: Task, limit_ns: int | None = None, wall_limit_s: float | None = None) -> bool:
        """Run until all ``tasks`` have ended; ``False`` if ``limit_ns`` of virtual time passed first, or nothing was left to
        happen. With ``wall_limit_s``, a task that runs as long in real time while virtual time stands still gets
        ``RunawayTask`` raised in it (in the main thread, where the system has interval timers)."""
        waiting = [task for task in tasks if not task.ended]
        if not waiting:
            return True
        left = len(waiting)

        def one_less(_: Event) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise StopSimulation(None)

        endings = [task.ended_event for task in waiting]
        for ending in endings:
            cast(list[Any], ending.callbacks).append(one_less)
        end = None if limit_ns is None else self._stop_after(limit_ns)
        try:
            with Stretch(self), Watchdog(self, wall_limit_s):
                self._process_all()
        except StopSimulation:
            pass
        finally:
            if end is not None:
                end.cancel()
            for ending in endings:
                if ending.callbacks is not None:
                    ending.callbacks.remove(one_less)
        return all(task.ended for task in tasks)

    def digest(self) -> str:
        """``"sha256:<hex>"`` over all kernel events and journal entries so far."""
        return "sha256:" + hashlib.sha256(self._fingerprint.digest() + self.journal.digest()).hexdigest()

    def close(self) -> None:
        """The world is over. Frees what abandoned tasks hold: each is unwound with every door closed. Repeatable."""
        closing.close(self)

    # -- inside

    def _ended(self, task: Task) -> None:
        """A task's function is over."""
        task._wakers = task._expirers = ()
        if task.thread is not None:
            thread, task.thread = task.thread, None
            thread.task_ended(task)
        task._waits_for = None  # the last thing it waited for has happened, and may hold a lot
        self._tasks.pop(task, None)
        if task.location is not None:
            task.location._tasks.pop(task, None)
        if not self._tasks:
            closing.let_go(self)
        if not task.crashed and not self.sealed:
            task.done = True
            task.waiting_for = ""
            task._tell_end()

    def _next_pid(self) -> int:
        self._pids += 1
        return self._pids

    def _enter_stretch(self) -> None:
        hub = greenlet.getcurrent()
        if isinstance(hub, Task):
            raise RuntimeError(f"task {hub.name} cannot run a kernel: tasks wait, the hub runs")
        if hub is not self._hub:
            self._hub = hub
            for task in self._tasks:
                task.parent = hub

    def _too_many_events(self) -> None:
        stop_someone(self)

    def _require_open(self) -> None:
        if self.sealed:
            self._refuse()

    def _refuse(self) -> NoReturn:
        """Say why not: to code of a dead location or of a world that is over, or to a caller who is no task."""
        task = greenlet.getcurrent()
        if not isinstance(task, Task):
            if self.sealed:
                raise WorldClosed("this kernel was closed")
            raise RuntimeError("only a task can wait: call this from a function given to Kernel.spawn")
        if task.kernel is not self:
            raise RuntimeError(f"task {task.name} belongs to another kernel")
        task._refusals += 1
        while task._refusals > _REFUSALS_MAX:  # it swallows every refusal: away with it, close() buries it
            self._hub.switch()
        raise LocationCrashed("this world is over" if self.sealed else "this location is dead")

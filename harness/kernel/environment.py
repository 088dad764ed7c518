"""SimPy's environment with an integer clock, seeded ties, cancellable deadlines and a fingerprint: the loop of the kernel.

SimPy's events, resources and processes work in it unchanged. Heap entries are ``(time_ns, order, event)``; ``order`` holds
priority and tie-break key (``tie_break.py``). Nothing about tasks and locations may stand here.
"""

from __future__ import annotations

import gc
import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

import simpy
from simpy.core import EmptySchedule, StopSimulation
from simpy.events import NORMAL, URGENT, AllOf, AnyOf, Event, ProcessGenerator

from storcert.harness.kernel.checks import delay_of
from storcert.harness.kernel.deadline import ACT, Deadline, new_deadline
from storcert.harness.kernel.fingerprint import Fingerprint
from storcert.harness.kernel.processes import KernelProcess, KernelTimeout, new_timeout
from storcert.harness.kernel.tie_break import URGENT_BASE, TieBreak, normal_orders, of_priority

_BATCH = 2_048
_NO_DELAY = 0
_GARBAGE_MAX = 500_000


class _Clock:
    """The time, in a slot: ``now_ns`` is that slot under its public name. It is asked for a hundred times in each operation of
    a control plane, and a property would cost a call each time. Nobody but the loop sets it."""

    __slots__ = ("_now",)
    _now: int


class IntegerEnvironment(_Clock, simpy.Environment):  # type: ignore[misc]  # SimPy's own clock is a number of any kind
    """``events_per_instant_max``: so many events without time passing are too many (:meth:`_too_many_events`).
    ``now_ns``: simulated Unix time."""

    _queue: list[tuple[int, int, Any]]  # type: ignore[assignment]  # SimPy's entries have four fields

    def __init__(self, seed: int, tie_break: TieBreak, start_ns: int, events_per_instant_max: int) -> None:
        super().__init__(initial_time=delay_of(start_ns))
        self.events_per_instant_max = events_per_instant_max
        self._orders = normal_orders(seed, tie_break)
        self._urgent_orders = itertools.count(URGENT_BASE)
        self._first_orders = itertools.count()
        self._fingerprint = Fingerprint()
        self._dead_entries = 0
        self._looping = False

    if TYPE_CHECKING:

        @property
        def now(self) -> int: ...

        @property
        def now_ns(self) -> int: ...

    else:
        now_ns = _Clock._now

    # -- events

    def timeout(self, delay: int = 0, value: Any = None) -> KernelTimeout:  # type: ignore[override]
        """An event that happens in ``delay`` ns."""
        # Says what Timeout.__init__ and Environment.schedule say, without calling them: the hottest path there is.
        if type(delay) is not int or delay < 0:
            delay = delay_of(delay)
        timeout = new_timeout(KernelTimeout)
        timeout.env = self
        timeout.callbacks = []
        timeout._value = value
        timeout._delay = delay
        timeout._ok = True
        heappush(self._queue, (self._now + delay, next(self._orders), timeout))
        return timeout

    def process(self, generator: ProcessGenerator) -> KernelProcess:
        """Start a SimPy process, at this instant."""
        return KernelProcess(self, generator)

    def event(self) -> Event:
        """An event that happens when somebody says so."""
        return Event(self)

    def all_of(self, events: Iterable[Event]) -> AllOf:
        """An event that happens when all of ``events`` have."""
        return AllOf(self, events)

    def any_of(self, events: Iterable[Event]) -> AnyOf:
        """An event that happens when one of ``events`` has. For a call with a deadline, ``Kernel.wait`` is twice as fast."""
        return AnyOf(self, events)

    def after(self, delay_ns: int, callback: Callable[[], object]) -> Deadline:
        """Call ``callback`` from the loop in ``delay_ns``, unless the deadline is cancelled."""
        self._require_open()
        if type(delay_ns) is not int or delay_ns < 0:
            delay_ns = delay_of(delay_ns)
        deadline = new_deadline(Deadline)  # Deadline.__init__, without the call
        deadline._environment = self
        deadline._action = callback
        deadline.callbacks = ACT
        deadline.time_ns = time_ns = self._now + delay_ns
        heappush(self._queue, (time_ns, next(self._orders), deadline))
        return deadline

    def schedule(self, event: Event, priority: int = NORMAL, delay: int = 0) -> None:  # type: ignore[override]
        """As SimPy's, in whole nanoseconds."""
        if delay is _NO_DELAY and priority is NORMAL:  # an event that was triggered: by far the most frequent
            heappush(self._queue, (self._now, next(self._orders), event))
            return
        if type(delay) is not int or delay < 0:
            delay = delay_of(delay)
        if priority == NORMAL:
            order = next(self._orders)
        elif priority == URGENT:
            order = next(self._urgent_orders)
        else:
            order = of_priority(next(self._orders), priority)
        heappush(self._queue, (self._now + delay, order, event))

    def peek(self) -> int | float:
        """Time of the next event, or infinity."""
        queue = self._queue
        while queue and queue[0][2].callbacks is None:
            heappop(queue)
            self._dead_entries -= 1
        return queue[0][0] if queue else float("inf")

    # -- running

    def step(self) -> None:
        """Process one event. Raises SimPy's ``EmptySchedule`` if there is none."""
        with Stretch(self):
            if self.peek() == float("inf"):
                raise EmptySchedule
            self._process(1)

    def run(self, until: int | Event | None = None) -> Any:  # type: ignore[override]
        """As SimPy's: to the end, to the time ``until`` (in ns, absolute), or until an event has happened; gives its value."""
        if until is None:
            with Stretch(self):
                self._process_all()
            return None
        if not isinstance(until, Event):
            if delay_of(until) <= self._now:
                raise ValueError(f"until ({until}) must be greater than the current simulation time ({self._now})")
            return self.run_for(until - self._now)
        if until.callbacks is None:
            return until.value
        until.callbacks.append(StopSimulation.callback)
        with Stretch(self):
            try:
                self._process_all()
            except StopSimulation as stop:
                return stop.args[0]
        raise RuntimeError("nothing is left to happen, and the event that was to end the run has not happened")

    def run_for(self, duration_ns: int) -> None:
        """Run for ``duration_ns``; the time is then exactly that much later, whether something happened or not."""
        end = self._stop_after(duration_ns)
        try:
            with Stretch(self):
                self._process_all()
        except StopSimulation:
            pass
        finally:
            end.cancel()

    def _stop_after(self, duration_ns: int) -> Deadline:
        """A marker that ends a run with ``StopSimulation``, before anything else at its instant. It leaves no fingerprint."""
        time_ns = self._now + delay_of(duration_ns)
        end = Deadline(self, time_ns, (_stop,))
        heappush(self._queue, (time_ns, next(self._first_orders), end))
        return end

    def interlude(self, callback: Callable[[], object]) -> None:
        """Call ``callback`` before anything else happens at this instant, while every task waits: somebody looks at the world.
        It may change nothing and leaves no trace in the run, which is the same to the bit; what it raises ends the run."""
        self._require_open()

        def hold(_: object) -> None:
            self._fingerprint.forget_last()
            callback()

        heappush(self._queue, (self._now, next(self._first_orders), Deadline(self, self._now, (hold,))))

    @contextmanager
    def looking(self, every_ns: int, look: Callable[[], object]) -> Iterator[None]:
        """While the block runs, ``look`` is called each time so much virtual time has passed, as in an interlude."""
        marker: list[Deadline] = []

        def mark() -> None:
            time_ns = self._now + every_ns
            marker[:] = [Deadline(self, time_ns, (again,))]
            heappush(self._queue, (time_ns, next(self._first_orders), marker[0]))

        def again(_: object) -> None:
            self._fingerprint.forget_last()
            mark()
            look()

        mark()
        try:
            yield
        finally:
            marker[0].cancel()

    def _process_all(self) -> None:
        instant_ns = -1
        events = 0
        while self._process(_BATCH):
            if self._now != instant_ns:
                instant_ns = self._now
                events = 0
            events += _BATCH
            if events > self.events_per_instant_max:
                events = 0
                self._too_many_events()
            self._fingerprint.flush_if_long()
            if gc.get_count()[0] > _GARBAGE_MAX:
                gc.collect()

    def _process(self, events_max: int) -> bool:
        """Process up to ``events_max`` events; whether there were that many."""
        queue = self._queue
        trail = self._fingerprint.trail
        for _ in itertools.repeat(None, events_max):
            try:
                now_ns, order, event = heappop(queue)
            except IndexError:
                return False
            callbacks = event.callbacks
            if callbacks is None:  # a cancelled deadline: it takes no time
                self._dead_entries -= 1
                continue
            event.callbacks = None
            self._now = now_ns
            trail.append(now_ns)
            trail.append(order)
            try:
                for callback in callbacks:
                    callback(event)
            except StopSimulation:
                if type(event) is Deadline:
                    self._fingerprint.forget_last()
                else:
                    rest = callbacks[callbacks.index(callback) + 1 :]  # pyright: ignore[reportPossiblyUnboundVariable]
                    if rest:  # they come first when the run goes on
                        event.callbacks = rest
                        heappush(queue, (now_ns, next(self._first_orders), event))
                raise
            if not event._ok and not hasattr(event, "_defused"):
                raise event._value
        return True

    def _require_open(self) -> None:
        """Raises if nothing can happen in this world any more."""

    def _enter_stretch(self) -> None:
        """Called before events are processed."""

    def _too_many_events(self) -> None:
        """Called between two events when time has stood still for ``events_per_instant_max`` events."""


class Stretch:
    """A stretch of running: one at a time, and without the garbage collector. When that runs differs from Python to Python,
    and it runs finalizers of driver code; so it does when a stretch is over, or when half a million objects have gathered."""

    __slots__ = ("_collecting", "_environment")

    def __init__(self, environment: IntegerEnvironment) -> None:
        self._environment = environment
        self._collecting = False

    def __enter__(self) -> None:
        environment = self._environment
        environment._require_open()
        environment._enter_stretch()
        if environment._looping:
            raise RuntimeError("this kernel is already running")
        environment._looping = True
        self._collecting = gc.isenabled()
        gc.disable()

    def __exit__(self, *_: object) -> None:
        self._environment._looping = False
        self._environment._fingerprint.flush_if_long()
        if self._collecting:
            gc.enable()


def _stop(_: object) -> None:
    raise StopSimulation(None)

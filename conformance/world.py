"""One fresh world per example: kernel, device, locations, and the calls made there.

A world knows nothing of rules. It runs a function at a location and says how that ended; what the driver may answer is
judged above.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from storcert.conformance import isolation
from storcert.conformance.subject import Subject
from storcert.conformance.violation import Violation
from storcert.harness.contract import JsonValue, StorageError
from storcert.harness.kernel import Kernel, Location, RunawayTask, Task
from storcert.harness.kernel.interpose import NotSimulated
from storcert.harness.kernel.interpose.blame import culprit
from storcert.harness.kernel.waits import explain
from storcert.harness.record.finding import Finding
from storcert.simulators import registry
from storcert.simulators.device import NOT_MODELLED, NotModelled, SimulatedDevice
from storcert.simulators.registry import make_device

MINUTE_NS = 60 * 10**9
CALL_LIMIT_NS = 15 * MINUTE_NS
# A transfer is many calls, each with its own limit; past this nothing of it can still be within bounds.
TRANSFER_LIMIT_NS = 24 * 60 * MINUTE_NS
WALL_LIMIT_S = 20.0
CALLS_PER_COLLECTION = 500
#: Seldom enough to cost nothing, and often enough that nobody waits long for what goes round in circles: while a call is under
#: way, and while none is.
LOOK_NS, LOOK_IDLE_NS = 5 * 10**9, MINUTE_NS
# The largest object a check moves, in pieces of some hundred bytes, takes less; whoever passes it asks the same again for ever.
REQUESTS_MAX = 50_000


class KitTrouble(Exception):
    """The kit cannot go on (something is not modelled, say). Gives the verdict ``error``, never the driver's failure."""


class Stuck(Violation):
    """The call did not end in bounded virtual time."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "C-BUDGET")


class Circling(Stuck):
    """It made requests without end, or burned the processor without ever waiting: that takes seconds of real time to see."""


class Unsimulated(Exception):
    """The driver used something that cannot be simulated (threads, sockets, processes)."""


@dataclass(slots=True)
class Call:
    """One call under way or ended at a location. ``ended``: it returned, raised, or its location crashed."""

    label: str
    location: Location
    invoke_ns: int
    return_ns: int | None = None
    task: Task = field(init=False)


@dataclass(slots=True)
class Called:
    """A call as a trace tells it. ``answer``: ``ok``, the class name of what was raised, or ``""`` while it never ended;
    ``outcome``: of a typed error of the contract."""

    label: str
    place: str
    invoke_ns: int
    return_ns: int | None = None
    answer: str = ""
    outcome: str = ""


class World:
    """A kernel, one device and the locations that reach it. ``options`` are added to the device's own.

    While it stands, the garbage collector runs only where it is called, and after so many calls. By itself it would run the
    finalizers of driver code at moments that depend on what this process did before, and a world would not be one per seed."""

    def __init__(self, subject: Subject, seed: int, options: Mapping[str, Any] | None = None) -> None:
        isolation.forget()
        self._collecting = gc.isenabled()
        gc.disable()
        self.subject = subject
        self.kernel = Kernel(seed)
        self.device = make_device(subject.device, self.kernel, {**subject.simulator, **(options or {})})
        self._locations: dict[str, Location] = {}
        self._others: list[SimulatedDevice] = []
        self.calls: list[Called] = []

    def location(self, name: str) -> Location:
        """The location of that name, reaching the device; made when first asked for."""
        found = self._locations.get(name)
        if found is None:
            found = self.kernel.location(name)
            found.environ.update(self.subject.environment())
            for device in (self.device, *self._others):
                device.attach(found)
            self._locations[name] = found
        return found

    def another_device(self, **named: str) -> SimulatedDevice:
        """A second device of the same kind in this world, empty, with an address of its own; every location reaches both.
        ``named``: options of the device that are other, too."""
        apart = registry.SIMULATED[self.subject.device].apart("another", 1)
        made = make_device(self.subject.device, self.kernel, {**self.subject.simulator, **apart, **named})
        self._others.append(made)
        for location in self._locations.values():
            made.attach(location)
        return made

    def configuration(self) -> dict[str, JsonValue]:
        """What the device hands a driver by default."""
        return self.device.configuration()

    def start(self, location: Location, label: str, function: Callable[[], Any]) -> Call:
        """Begin ``function`` at ``location``; nothing of it runs before :meth:`finish`."""
        call = Call(label, location, self.kernel.now_ns)
        # What a call gave back is not kept: a world that reads a large object in pieces would hold all of them.
        called = Called(label, location.name, call.invoke_ns)
        self.calls.append(called)
        collects = len(self.calls) % CALLS_PER_COLLECTION == 0

        def timed() -> Any:
            raised: Exception | None = None
            if collects:
                gc.collect()  # at a location, because a finalizer may ask something of the device
            try:
                given = function()
                called.answer = "ok"
                return given
            except Exception as error:
                raised = error
                called.answer = type(error).__name__
                called.outcome = str(error.outcome) if isinstance(error, StorageError) else ""
                raise
            finally:
                call.return_ns = called.return_ns = self.kernel.now_ns
                location.findings.extend(one for one in isolation.refused(raised) if one not in location.findings)

        call.task = self.kernel.spawn(timed, location=location, name=label)
        return call

    def finish(self, *calls: Call, limit_ns: int = TRANSFER_LIMIT_NS) -> None:
        """Run until all ``calls`` ended. Raises :class:`Stuck`, :class:`Unsimulated` or :class:`KitTrouble`."""
        with self._cut_short(*calls):
            ended = self.kernel.run_until_done(*(call.task for call in calls), limit_ns=limit_ns, wall_limit_s=WALL_LIMIT_S)
        for call in calls:
            self._check(call)
        if not ended:
            late = next(call for call in calls if not call.task.done and not call.task.crashed)
            took = f"{limit_ns // MINUTE_NS} virtual minutes, 15 are allowed for a call"
            died = [f"thread {name} ended by {type(error).__name__}" for name, error in self.uncaught(late.location)]
            raise Stuck("; ".join((f"{late.label} did not end: {took}", self._why(late), *died)))

    @contextmanager
    def _cut_short(self, *calls: Call) -> Iterator[None]:
        """Ends the block with :class:`Circling` once it made more requests than anything needs. Each of them takes a moment, so
        that by the clock alone somebody who asks for ever is only seen after hundreds of millions of them."""
        before = len(self.device.requests)

        def look() -> None:
            made = len(self.device.requests) - before
            if made > REQUESTS_MAX:
                late = next((call for call in calls if not call.task.done and not call.task.crashed), None)
                who = late.label if late is not None else "what goes on in the background"
                raise Circling(f"{who} did not end: {made} requests, and no end of them")

        with self.kernel.looking(LOOK_NS if calls else LOOK_IDLE_NS, look):
            yield

    def _why(self, call: Call) -> str:
        """Whom a call that does not end waits for."""

        def line_of(frame: FrameType | None) -> tuple[str, int] | None:
            found = culprit(frame)
            return (Path(found[0]).name, found[1]) if found and found[0] else None

        return explain(call.task, self.kernel.tasks, line_of)

    @staticmethod
    def uncaught(location: Location) -> list[tuple[str, BaseException]]:
        """Threads of a driver that ended by an exception nobody caught, by name."""
        return list(location.threads.uncaught) if location.threads is not None else []

    @staticmethod
    def deaths(location: Location) -> str:
        """Those of :meth:`uncaught` that nobody has asked for yet, in words."""
        threads = location.threads
        if threads is None:
            return ""
        told, threads.told = threads.told, len(threads.uncaught)
        return "".join(f", thread {name} ended by {type(error).__name__}" for name, error in threads.uncaught[told:])

    def started_threads(self) -> bool:
        """Whether a driver has started threads here."""
        threads = (location.threads for location in self._locations.values())
        return any(one is not None and one.made for one in threads)

    def has_threads(self) -> bool:
        """Whether threads that drivers started have not ended."""
        threads = (location.threads for location in self._locations.values() if location.alive)
        return any(one is not None and one.running for one in threads)

    def _check(self, call: Call) -> None:
        error = call.task.error if call.task.done else None
        endless = [one for _, one in self.uncaught(call.location) if isinstance(one, RunawayTask)]
        if isinstance(error, RunawayTask) or endless:
            raise Circling(f"{call.label} never came back and made no request meanwhile: {error or endless[0]}")
        # Noted where it was raised: a driver that turns every exception into a typed error would hide it.
        trouble = [found.message for found in call.location.findings if found.kind == NOT_MODELLED]
        if isinstance(error, NotModelled) or trouble:
            raise KitTrouble(trouble[0] if trouble else str(error))
        beyond = next((found for found in call.location.findings if found.kind != "file-system"), None)
        if beyond is not None or isinstance(error, NotSimulated):
            raise Unsimulated(str(beyond.message if beyond else error))
        if isinstance(error, KeyboardInterrupt):
            raise error

    def advance(self, duration_ns: int) -> None:
        """Let virtual time pass, so that whatever is under way ends. Raises :class:`Stuck`."""
        with self._cut_short():
            self.kernel.run_for(duration_ns)

    def findings(self) -> list[Finding]:
        """What driver code did at the locations that is not allowed or cannot be simulated."""
        return [
            finding for location in self._locations.values() for finding in location.findings if finding.kind != NOT_MODELLED
        ]

    def close(self) -> str:
        """End the world and give the digest of all that happened in it."""
        digest = self.kernel.digest()
        self.kernel.close()
        if self._collecting:
            gc.enable()
        return digest


"""A live world: the same interface as a simulated one, in real time, on a real device. No crashes; a census on targets that
storcert started itself (:mod:`storcert.conformance.live_device`).

Locations are driver instances in this process; calls that a check starts together run one after the other. What a live device
cannot show is skipped by the checks that need it, with that reason; it never counts as passed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from storcert.conformance import isolation
from storcert.conformance.live_device import TargetDevice
from storcert.conformance.subject import Subject
from storcert.harness.contract import JsonValue
from storcert.harness.record.fault import Fault
from storcert.harness.record.finding import Finding
from storcert.simulators.device import CensusEntry, DeviceLimits, FaultKind, Request


@dataclass(slots=True)
class LiveTask:
    """How a call ended; the fields of a kernel task that the bench reads."""

    done: bool = False
    crashed: bool = False
    result: Any = None
    error: BaseException | None = None


@dataclass(slots=True)
class LiveLocation:
    """A name. Nothing is virtual there."""

    name: str
    findings: list[Finding] = field(default_factory=list)

    def crash(self) -> None:
        """A live location cannot be crashed; checks that want it are skipped before they come here."""
        raise NotImplementedError("a live location cannot be crashed")

    def restart(self) -> None:
        """As :meth:`crash`."""
        raise NotImplementedError("a live location cannot be restarted")


@dataclass(slots=True)
class LiveCall:
    """One call at a live location."""

    label: str
    location: LiveLocation
    function: Callable[[], Any]
    invoke_ns: int
    return_ns: int | None = None
    task: LiveTask = field(default_factory=LiveTask)


class LiveJournal:
    """Live runs keep no events: they could not be repeated."""

    events: Sequence[Any] = ()


class LiveClock:
    """The kernel's clock, real."""

    journal = LiveJournal()

    @property
    def now_ns(self) -> int:
        """Monotonic nanoseconds."""
        return time.monotonic_ns()

    @staticmethod
    def sleep_ns(duration_ns: int) -> None:
        """Wait in real time."""
        time.sleep(duration_ns / 1e9)


class LiveDevice:
    """A device of which nothing is known but what its driver says."""

    name = "live"
    legal_faults: tuple[FaultKind, ...] = ()
    limits = DeviceLimits()

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.fired: list[Fault] = []

    def configuration(self) -> dict[str, JsonValue]:
        """Nothing: a live device is reached by what ``--config`` says."""
        return {}

    def census(self) -> tuple[CensusEntry, ...]:
        """Not to be seen from outside."""
        return ()

    def arm(self, faults: Sequence[Fault]) -> None:
        """No fault can be put on a live device."""
        if faults:
            raise NotImplementedError("no fault can be put on a live device")

    def heal(self) -> None:
        """There is nothing to heal."""


class LiveWorld:
    """Locations and calls on a live device."""

    def __init__(self, subject: Subject, *, wired: bool = True) -> None:
        isolation.forget()
        self.subject = subject
        self.kernel = LiveClock()
        reached = subject.reached
        self.device = LiveDevice() if reached is None else TargetDevice(reached, subject.driver_class, wired=wired)
        self._locations: dict[str, LiveLocation] = {}

    def location(self, name: str) -> LiveLocation:
        """The location of that name."""
        return self._locations.setdefault(name, LiveLocation(name))

    def configuration(self) -> dict[str, JsonValue]:
        """What the device hands a driver by default."""
        return self.device.configuration()

    def start(self, location: LiveLocation, label: str, function: Callable[[], Any]) -> LiveCall:
        """Note the call; :meth:`finish` runs it."""
        return LiveCall(label, location, function, self.kernel.now_ns)

    def finish(self, *calls: LiveCall, limit_ns: int = 0) -> None:
        """Run the calls one after the other."""
        del limit_ns
        for call in calls:
            if isinstance(self.device, TargetDevice):
                self.device.called_from(call.location.name)
            try:
                call.task.result = call.function()
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001  (the bench judges it, whatever it is: sys.exit() too)
                call.task.error = error
            call.task.done = True
            call.return_ns = self.kernel.now_ns
            found = call.location.findings
            found.extend(one for one in isolation.refused(call.task.error) if one not in found)

    def advance(self, duration_ns: int) -> None:
        """Real time passes by itself."""

    def findings(self) -> list[Finding]:
        """What the kernel refused driver code in isolated processes; elsewhere nothing is watched."""
        return [one for location in self._locations.values() for one in location.findings]

    def left(self, fixed: frozenset[tuple[str, str]]) -> list[CensusEntry]:
        """What is still on a target that storcert started, but ``fixed`` markers; nothing where nobody can look."""
        return self.device.left(fixed) if isinstance(self.device, TargetDevice) else []

    def close(self) -> str:
        """A live world has no digest of events."""
        if isinstance(self.device, TargetDevice):
            self.device.close()
        return "live"

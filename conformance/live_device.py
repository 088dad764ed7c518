"""A live target as a device: a place of its own, looked into by the target's own means, which no fault strikes."""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence

from storcert.conformance import isolation
from storcert.conformance.live_targets.places import leave, open_place
from storcert.conformance.live_targets.target import Reached
from storcert.conformance.live_targets.targets import TARGETS
from storcert.harness.contract import JsonValue
from storcert.harness.record.fault import Fault
from storcert.simulators.device import CensusEntry, DeviceLimits, FaultKind, Request

SETTLE_TRIES, SETTLE_S = 6, 0.5


class TargetDevice:
    """One place on a live target that storcert started. ``wired``: where faults can be put on the way there, it leads through
    what counts requests and strikes them; where nobody asks, the shorter way is taken."""

    limits = DeviceLimits()

    def __init__(self, reached: Reached, driver_class: type, *, wired: bool) -> None:
        self.name = reached.target
        kind = TARGETS[reached.target]
        self._faults = kind.load_way() if kind.way else None
        if self._faults is not None and self._faults.IN_PROCESS and getattr(driver_class, "native_io", False):
            self._faults = None  # code that waits and keeps the interpreter's lock would wait for itself
        if self._faults is not None and not self._faults.IN_PROCESS and isolation.active():
            self._faults = None  # whoever has no right to the file system can start no server
        self._way = self._faults.way_to(reached) if self._faults is not None and wired else None
        self._reached = self._way.reached if self._way is not None else reached
        self._place = open_place(self._reached)
        self._settings = kind.settings_for(driver_class)
        self._before = frozenset(self._keys())
        self._left_something: bool | None = None  # not yet looked
        self._there = self._way.begin(self._place) if self._way is not None else {}

    @property
    def shows(self) -> frozenset[str]:
        """Words of :data:`~storcert.conformance.facts.SHOWN_LIVE`."""
        return frozenset({"census", "requests", "faults"} if self._faults is not None else {"census"})

    @property
    def legal_faults(self) -> tuple[FaultKind, ...]:
        """What can be put on the way."""
        return self._faults.SHOWN if self._faults is not None else ()

    @property
    def requests(self) -> list[Request]:
        """Those that were seen on the way."""
        return self._way.requests if self._way is not None else []

    @property
    def fired(self) -> list[Fault]:
        """The faults that struck."""
        return self._way.fired if self._way is not None else []

    def called_from(self, location: str) -> None:
        """Whose requests come now."""
        if self._way is not None:
            self._way.called_from(location)

    def configuration(self) -> dict[str, JsonValue]:
        """As the simulated device of that kind hands it out, and what a bundled driver is told of this server."""
        return {**self._place.configuration, **self._settings, **self._there}

    def census(self) -> tuple[CensusEntry, ...]:
        """All that is in the place."""
        return self._place.census()

    def arm(self, faults: Sequence[Fault]) -> None:
        """Put a schedule on the way. ``ValueError`` for a fault that cannot be shown there."""
        if self._way is not None:
            self._way.arm(faults)
        elif faults:
            raise ValueError(f"no fault can be put on the way to {self.name}")

    def heal(self) -> None:
        """No faults any more."""
        if self._way is not None:
            self._way.heal()

    def left(self, fixed: frozenset[tuple[str, str]]) -> list[CensusEntry]:
        """What came since the place was opened and is still there, but ``fixed`` markers of the driver."""
        found = self._came(fixed)
        self._left_something = False
        if not found:
            return []
        gc.collect()  # a stream that nobody has any more may take along what it had sent
        for _ in range(SETTLE_TRIES):
            found = self._came(fixed)
            if not found or TARGETS[self.name].many_places:
                break
            time.sleep(SETTLE_S)  # a cluster takes things away in its own time
        self._left_something = bool(found)
        return found

    def _came(self, fixed: frozenset[tuple[str, str]]) -> list[CensusEntry]:
        return [
            one for one in self.census() if (one.kind, one.name) not in fixed and (one.kind, one.name) not in self._before]

    def close(self) -> None:
        """The world is over."""
        self.heal()
        leave(self._reached, self._place, something=self._left_something)

    def _keys(self) -> list[tuple[str, str]]:
        return [(one.kind, one.name) for one in self.census()] if not TARGETS[self.name].many_places else []

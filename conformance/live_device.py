"""A live target as a device: a place of its own, looked into by the target's own means, which no fault strikes."""

from __future__ import annotations

import gc
from collections.abc import Sequence

from storcert.conformance.live_targets.places import leave, open_place
from storcert.conformance.live_targets.target import Reached
from storcert.conformance.live_targets.targets import TARGETS
from storcert.harness.contract import JsonValue
from storcert.harness.record.fault import Fault
from storcert.simulators.device import CensusEntry, DeviceLimits, FaultKind, Request


class TargetDevice:
    """One place on a live target that storcert started."""

    legal_faults: tuple[FaultKind, ...] = ()
    limits = DeviceLimits()
    shows = frozenset({"census"})

    def __init__(self, reached: Reached, driver_class: type) -> None:
        self.name = reached.target
        self.requests: list[Request] = []
        self.fired: list[Fault] = []
        self._reached = reached
        self._place = open_place(reached)
        self._settings = TARGETS[reached.target].settings_for(driver_class)
        self._before = frozenset(self._keys())

    def configuration(self) -> dict[str, JsonValue]:
        """As the simulated device of that kind hands it out, and what a bundled driver is told of this server."""
        return {**self._place.configuration, **self._settings}

    def census(self) -> tuple[CensusEntry, ...]:
        """All that is in the place."""
        return self._place.census()

    def arm(self, faults: Sequence[Fault]) -> None:
        """Nothing is on the way where a fault could strike."""
        if faults:
            raise NotImplementedError(f"no fault can be put on {self.name}")

    def heal(self) -> None:
        """There is nothing to heal."""

    def left(self, fixed: frozenset[tuple[str, str]]) -> list[CensusEntry]:
        """What came since the place was opened and is still there, but ``fixed`` markers of the driver."""
        found = self._came(fixed)
        if not found:
            return []
        gc.collect()  # a stream that nobody has any more may take along what it had sent
        return self._came(fixed)

    def _came(self, fixed: frozenset[tuple[str, str]]) -> list[CensusEntry]:
        return [
            one for one in self.census() if (one.kind, one.name) not in fixed and (one.kind, one.name) not in self._before]

    def close(self) -> None:
        """The world is over."""
        leave(self._reached, self._place)

    def _keys(self) -> list[tuple[str, str]]:
        return [(one.kind, one.name) for one in self.census()] if not TARGETS[self.name].many_places else []

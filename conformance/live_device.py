"""A live target as a device: a place of its own, looked into by the target's own means, which no fault strikes."""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from storcert.conformance.live_proxy import FaultProxy
from storcert.conformance.live_proxy_faults import PROXY_FAULTS
from storcert.conformance.live_targets.places import leave, open_place
from storcert.conformance.live_targets.target import Reached
from storcert.conformance.live_targets.targets import TARGETS
from storcert.harness.contract import JsonValue
from storcert.harness.record.fault import Fault
from storcert.simulators.device import CensusEntry, DeviceLimits, FaultKind, Request

SETTLE_TRIES, SETTLE_S = 6, 0.5
_proxies: dict[str, FaultProxy] = {}


def proxy_to(endpoint_url: str) -> FaultProxy:
    """The one of this process to that service; it lives as long as the process."""
    if endpoint_url not in _proxies:
        parts = urlsplit(endpoint_url)
        _proxies[endpoint_url] = FaultProxy((parts.hostname or "127.0.0.1", parts.port or 80))
    return _proxies[endpoint_url]


class TargetDevice:
    """One place on a live target that storcert started. ``wired``: where the way there is HTTP, it leads through a proxy that
    counts requests and can put faults on it."""

    limits = DeviceLimits()

    def __init__(self, reached: Reached, driver_class: type, *, wired: bool) -> None:
        self.name = reached.target
        self._reached = reached
        self._place = open_place(reached)
        self._settings = TARGETS[reached.target].settings_for(driver_class)
        self._before = frozenset(self._keys())
        kind = TARGETS[reached.target]
        # The proxy is in this process: compiled code that waits and keeps the interpreter's lock would wait for itself.
        self.proxied = kind.proxied and not getattr(driver_class, "native_io", False)
        self._proxy = proxy_to(str(reached.server["endpoint_url"])) if self.proxied and wired else None
        if self._proxy is not None:
            self._proxy.begin(str(self._place.configuration["bucket"]))

    @property
    def shows(self) -> frozenset[str]:
        """Words of :data:`~storcert.conformance.facts.SHOWN_LIVE`."""
        return frozenset({"census", "requests", "faults"} if self.proxied else {"census"})

    @property
    def legal_faults(self) -> tuple[FaultKind, ...]:
        """What the proxy can show; nothing where the way is none of HTTP."""
        return PROXY_FAULTS if self.proxied else ()

    @property
    def requests(self) -> list[Request]:
        """Those that went through the proxy."""
        return self._proxy.requests if self._proxy is not None else []

    @property
    def fired(self) -> list[Fault]:
        """The faults that struck."""
        return self._proxy.plan.fired if self._proxy is not None else []

    def called_from(self, location: str) -> None:
        """Whose requests come now."""
        if self._proxy is not None:
            self._proxy.location = location

    def configuration(self) -> dict[str, JsonValue]:
        """As the simulated device of that kind hands it out, and what a bundled driver is told of this server."""
        there = {"endpoint_url": self._proxy.url} if self._proxy is not None else {}
        return {**self._place.configuration, **self._settings, **there}

    def census(self) -> tuple[CensusEntry, ...]:
        """All that is in the place."""
        return self._place.census()

    def arm(self, faults: Sequence[Fault]) -> None:
        """Put a schedule on the way. ``ValueError`` for a fault that cannot be shown there."""
        if self._proxy is not None:
            self._proxy.arm(faults)
        elif faults:
            raise ValueError(f"no fault can be put on the way to {self.name}")

    def heal(self) -> None:
        """No faults any more."""
        if self._proxy is not None:
            self._proxy.heal()

    def left(self, fixed: frozenset[tuple[str, str]]) -> list[CensusEntry]:
        """What came since the place was opened and is still there, but ``fixed`` markers of the driver."""
        found = self._came(fixed)
        if not found:
            return []
        gc.collect()  # a stream that nobody has any more may take along what it had sent
        for _ in range(SETTLE_TRIES):
            found = self._came(fixed)
            if not found or TARGETS[self.name].many_places:
                break
            time.sleep(SETTLE_S)  # a cluster takes things away in its own time
        return found

    def _came(self, fixed: frozenset[tuple[str, str]]) -> list[CensusEntry]:
        return [
            one for one in self.census() if (one.kind, one.name) not in fixed and (one.kind, one.name) not in self._before]

    def close(self) -> None:
        """The world is over."""
        self.heal()
        leave(self._reached, self._place)

    def _keys(self) -> list[tuple[str, str]]:
        return [(one.kind, one.name) for one in self.census()] if not TARGETS[self.name].many_places else []

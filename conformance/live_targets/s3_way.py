"""The way of one process to an S3 service: a proxy of HTTP in the process itself, one for all its worlds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from storcert.conformance.live_proxy import FaultProxy
from storcert.conformance.live_proxy_faults import NOT_SHOWN
from storcert.conformance.live_proxy_faults import PROXY_FAULTS as SHOWN
from storcert.conformance.live_targets.target import Place, Reached
from storcert.harness.contract import JsonValue
from storcert.harness.record.fault import Fault
from storcert.simulators.device import Request

__all__ = ["IN_PROCESS", "NOT_SHOWN", "SHOWN", "way_to"]

#: Compiled code that waits and keeps the interpreter's lock would wait for itself.
IN_PROCESS = True
_ways: dict[str, S3Way] = {}


def way_to(reached: Reached) -> S3Way:
    """The one of this process to that service; it lives as long as the process."""
    endpoint_url = str(reached.server["endpoint_url"])
    if endpoint_url not in _ways:
        _ways[endpoint_url] = S3Way(reached, endpoint_url)
    return _ways[endpoint_url]


class S3Way:
    """Through a proxy. Places are opened past it."""

    def __init__(self, reached: Reached, endpoint_url: str) -> None:
        parts = urlsplit(endpoint_url)
        self.reached = reached
        self._proxy = FaultProxy((parts.hostname or "127.0.0.1", parts.port or 80))

    def begin(self, place: Place) -> Mapping[str, JsonValue]:
        """A new world in that bucket."""
        self._proxy.begin(str(place.configuration["bucket"]))
        return {"endpoint_url": self._proxy.url}

    @property
    def requests(self) -> list[Request]:
        """Those for the bucket, so far."""
        return self._proxy.requests

    @property
    def fired(self) -> list[Fault]:
        """The faults that struck."""
        return self._proxy.plan.fired

    def called_from(self, location: str) -> None:
        """Whose requests come now."""
        self._proxy.location = location

    def arm(self, faults: Sequence[Fault]) -> None:
        """Put a schedule on the way. ``ValueError`` for a fault that cannot be shown there."""
        self._proxy.arm(faults)

    def heal(self) -> None:
        """No faults any more."""
        self._proxy.heal()

"""Providers: whose rules place objects on a device, and which ways of copying those rules allow. Pure decisions.

A provider is chosen per device, by name. It can only narrow what capability and policy allow, and order what is left. The
storage code of old lives on as one of them, :class:`DefaultProvider`; a vendor registers his own beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from storcert.harness.contract import InvalidRequest, ObjectKind
from storcert.harness.logical.records import DeviceRecord


class Way(StrEnum):
    """How bytes come from one place to another. The order in which they are listed is the order of preference."""

    SNAPSHOT = "snapshot"
    CLONE = "clone"
    DEVICE_COPY = "device-copy"
    SNAPSHOT_CLONE = "snapshot-clone"
    SNAPSHOT_STREAM = "snapshot-stream"
    STREAM = "stream"
    STAGED = "staged"


@dataclass(frozen=True, slots=True)
class Demand:
    """What is to be placed: kind and size of the object; where it must be reachable from, as far as that was asked for."""

    kind: ObjectKind
    size_bytes: int
    zone: str = ""
    cluster: str = ""
    host: str = ""


class Provider(Protocol):
    """The hooks. Each is asked with what is known and answers at once; none of them may reach a device."""

    name: str

    def objection(self, device: DeviceRecord, demand: Demand) -> str:
        """Why the object may not be placed there, or ``""``."""
        ...

    def rank(self, device: DeviceRecord, demand: Demand) -> int:
        """Order among devices that may take the object: the least is chosen first. Ties fall to free space, then name."""
        ...

    def ways(self, source: DeviceRecord, destination: DeviceRecord) -> frozenset[Way]:
        """The ways of copying that are allowed between two devices; asked of the destination's provider."""
        ...


class DirectProvider:
    """The rules of the new storage layer: everything the device can do is used; the fullest device is chosen last."""

    name = "direct"

    def objection(self, device: DeviceRecord, demand: Demand) -> str:
        """None of its own."""
        return ""

    def rank(self, device: DeviceRecord, demand: Demand) -> int:
        """All alike: free space decides."""
        return 0

    def ways(self, source: DeviceRecord, destination: DeviceRecord) -> frozenset[Way]:
        """Every way."""
        return frozenset(Way)


class DefaultProvider:
    """The storage code of old as one provider among others, with the rules it always had: a device is not filled past 90 %,
    cluster storage goes before zone-wide storage, and objects travel as whole copies; the device's own copies and clones
    are not used.

    Source of the rules: the old code's used-space threshold and allocator order (cluster, then zone), and its copy commands.
    """

    name = "default"
    threshold_percent = 90
    order: Mapping[str, int] = {"host": 0, "cluster": 1, "zone": 2, "region": 3}

    def objection(self, device: DeviceRecord, demand: Demand) -> str:
        """Past the threshold nothing more is placed."""
        if (device.reserved_bytes + demand.size_bytes) * 100 > device.capacity_bytes * self.threshold_percent:
            return f"it would be filled past {self.threshold_percent} %"
        return ""

    def rank(self, device: DeviceRecord, demand: Demand) -> int:
        """The narrower scope first."""
        return self.order[str(device.policy.scope)]

    def ways(self, source: DeviceRecord, destination: DeviceRecord) -> frozenset[Way]:
        """Snapshots on the device, and streams."""
        return frozenset((Way.SNAPSHOT, Way.SNAPSHOT_STREAM, Way.STREAM, Way.STAGED))


class Providers:
    """The registry, by name. Raises :class:`InvalidRequest` for two of one name or an unknown one."""

    def __init__(self, providers: Iterable[Provider] = ()) -> None:
        self._known: dict[str, Provider] = {}
        known: tuple[Provider, ...] = (DefaultProvider(), DirectProvider(), *providers)
        for provider in known:
            self.register(provider)

    def register(self, provider: Provider) -> None:
        """Add a vendor's provider."""
        if provider.name in self._known:
            raise InvalidRequest(f"two providers are called {provider.name!r}")
        self._known[provider.name] = provider

    def named(self, name: str) -> Provider:
        """The provider of that name."""
        found = self._known.get(name)
        if found is None:
            raise InvalidRequest(f"there is no provider {name!r}; there are {', '.join(sorted(self._known))}")
        return found

    def of(self, device: DeviceRecord) -> Provider:
        """The provider of that device."""
        return self.named(device.provider)

"""Where things are: zones, clusters, hosts, storage VMs, management servers; and which location reaches which device.

Pure values. A device is attached with a scope and the id of what it is attached to: one host, the hosts of one cluster,
everything in a zone, or everything in the region. Scope is law here: a location outside it does not reach the device,
whatever the network would allow.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from types import MappingProxyType

from storcert.harness.contract import InvalidRequest, Policy, Scope

_NARROW = (Scope.HOST, Scope.CLUSTER, Scope.ZONE, Scope.REGION)


class LocationKind(StrEnum):
    """What runs there. Bytes move at hosts and storage VMs, never at a management server."""

    HOST = "host"
    STORAGE_VM = "storage-vm"
    MANAGEMENT = "management"


@dataclass(frozen=True, slots=True)
class Place:
    """One location. ``zone`` is empty for a management server, ``cluster`` for everything but a host."""

    name: str
    kind: LocationKind
    zone: str = ""
    cluster: str = ""

    @property
    def moves_bytes(self) -> bool:
        """Whether the data plane runs there."""
        return self.kind is not LocationKind.MANAGEMENT


@dataclass(frozen=True, slots=True)
class Executors:
    """Locations that can do one piece of work, by name: storage VMs are preferred, they are there for it."""

    storage_vms: tuple[Place, ...]
    hosts: tuple[Place, ...]

    def pick(self, busy: Mapping[str, int], avoid: Collection[str]) -> Place | None:
        """The best of them: not one to avoid where there is another, a storage VM before a host, then the least busy, then by
        name. ``None`` where there is none at all."""
        for group in (self.storage_vms, self.hosts):
            usable = [place for place in group if place.name not in avoid]
            if usable:
                return min(usable, key=lambda place: (busy.get(place.name, 0), place.name))
        return min((*self.storage_vms, *self.hosts), key=lambda place: (place.kind, place.name), default=None)


@dataclass(frozen=True, slots=True)
class Topology:
    """All locations of a region, by name. Raises :class:`InvalidRequest` for two of one name or a host without a cluster."""

    places: tuple[Place, ...]
    _by_name: Mapping[str, Place] = field(init=False, repr=False, compare=False)
    _movers: Mapping[tuple[str, str], tuple[Place, ...]] = field(init=False, repr=False, compare=False)
    _executors: dict[tuple[tuple[str, str], ...], Executors] = field(init=False, repr=False, compare=False)
    _zones: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.places, key=lambda place: place.name))
        by_name = {place.name: place for place in ordered}
        if len(by_name) != len(ordered):
            twice = next(one.name for one, other in pairwise(ordered) if one.name == other.name)
            raise InvalidRequest(f"two locations are called {twice!r}")
        for place in ordered:
            if place.moves_bytes != bool(place.zone) or (place.kind is LocationKind.HOST) != bool(place.cluster):
                raise InvalidRequest(f"location {place.name!r}: a host has zone and cluster, a storage VM a zone")
        movers: dict[tuple[str, str], list[Place]] = {}
        for place in ordered:
            if place.moves_bytes:
                keys = [(Scope.REGION, ""), (Scope.ZONE, place.zone)]
                if place.kind is LocationKind.HOST:
                    keys += [(Scope.CLUSTER, place.cluster), (Scope.HOST, place.name)]
                for key in keys:
                    movers.setdefault((str(key[0]), key[1]), []).append(place)
        object.__setattr__(self, "places", ordered)
        object.__setattr__(self, "_by_name", MappingProxyType(by_name))
        object.__setattr__(self, "_movers", MappingProxyType({key: tuple(found) for key, found in movers.items()}))
        object.__setattr__(self, "_executors", {})
        object.__setattr__(self, "_zones", tuple(sorted({place.zone for place in ordered if place.zone})))

    def place(self, name: str) -> Place:
        """The location of that name. Raises :class:`InvalidRequest`."""
        found = self._by_name.get(name)
        if found is None:
            raise InvalidRequest(f"there is no location {name!r}")
        return found

    def zones(self) -> tuple[str, ...]:
        """Every zone, by name."""
        return self._zones

    def of_kind(self, kind: LocationKind) -> tuple[Place, ...]:
        """Every location of a kind, by name."""
        return tuple(place for place in self.places if place.kind is kind)

    def reaching(self, policy: Policy) -> tuple[Place, ...]:
        """The locations that reach a device of that scope and can move bytes, by name."""
        scope_id = "" if policy.scope is Scope.REGION else policy.scope_id
        return self._movers.get((str(policy.scope), scope_id), ())

    def executors(self, *policies: Policy) -> Executors:
        """The locations that reach every one of these devices. Remembered: a region has thousands of hosts and few scopes."""
        first, last = policies[0], policies[-1]
        if first is last and len(policies) <= 2:
            key: tuple[tuple[str, str], ...] = ((str(first.scope), first.scope_id),)
        else:
            key = tuple(sorted({(str(policy.scope), policy.scope_id) for policy in policies}))
        found = self._executors.get(key)
        if found is None:
            narrowest = min(policies, key=lambda policy: _NARROW.index(policy.scope))
            places = [place for place in self.reaching(narrowest) if all(reaches(place, policy) for policy in policies)]
            found = self._executors[key] = Executors(
                tuple(place for place in places if place.kind is LocationKind.STORAGE_VM),
                tuple(place for place in places if place.kind is LocationKind.HOST),
            )
        return found

    def hosts_of(self, cluster: str) -> tuple[Place, ...]:
        """The hosts of a cluster, by name."""
        return self._movers.get((str(Scope.CLUSTER), cluster), ())

    def reaches(self, name: str, policy: Policy) -> bool:
        """Whether that location reaches a device of that scope."""
        return reaches(self.place(name), policy)

    def zone_of(self, policy: Policy) -> str:
        """The zone a device is in; empty for one of the region. Raises :class:`InvalidRequest` for an unknown scope id."""
        if policy.scope is Scope.REGION:
            return ""
        if policy.scope is Scope.ZONE:
            if policy.scope_id not in self.zones():
                raise InvalidRequest(f"there is no zone {policy.scope_id!r}")
            return policy.scope_id
        found = self.reaching(policy)
        if not found:
            raise InvalidRequest(f"there is no {policy.scope} {policy.scope_id!r}")
        return found[0].zone


def reaches(place: Place, policy: Policy) -> bool:
    """Whether a location lies in the scope of a device and moves bytes at all."""
    if not place.moves_bytes:
        return False
    match policy.scope:
        case Scope.REGION:
            return True
        case Scope.ZONE:
            return place.zone == policy.scope_id
        case Scope.CLUSTER:
            return place.cluster == policy.scope_id
        case Scope.HOST:
            return place.kind is LocationKind.HOST and place.name == policy.scope_id

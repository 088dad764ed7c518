"""Provisioning: which device takes an object. Pure: devices and a demand in, an order or the reasons out.

Capability narrowed by policy is looked at before anything is sent anywhere (L-POLICY); then reach, space and the provider's
own rules. The order is total: provider's rank, free space, name.
"""

from __future__ import annotations

from collections.abc import Iterable

from storcert.harness.contract import (
    Allowance,
    CapacityExceeded,
    DataObjectUri,
    InvalidRequest,
    ObjectKind,
    PermissionDenied,
    Role,
    Scope,
    StorageError,
    Unsupported,
)
from storcert.harness.logical.providers import Demand, Providers
from storcert.harness.logical.records import DeviceRecord, DeviceState
from storcert.harness.logical.topology import Topology, reaches

_CONTRACT_NAME_BYTES = 255 * 4


def refuse_write(device: DeviceRecord, uri: DataObjectUri, size_bytes: int | None) -> None:
    """Raise the contract's error for what capability or policy forbid, before any side effect. Size ``None``: not known yet."""
    allowance = device.allowance
    if not allowance.may_read(uri.kind):
        raise Unsupported(f"device {device.name!r} may not hold a {uri.kind}", uri)
    if allowance.read_only:
        raise PermissionDenied(f"device {device.name!r} is read-only by policy", uri)
    _check_name(allowance, device, uri)
    if size_bytes is not None:
        _check_size(allowance, device, uri, size_bytes)


def _check_name(allowance: Allowance, device: DeviceRecord, uri: DataObjectUri) -> None:
    limit = allowance.max_name_bytes
    longest = max(len(uri.account.encode()), len(uri.object_id.encode()))
    if longest > (_CONTRACT_NAME_BYTES if limit is None else limit):
        raise InvalidRequest(f"a name of {longest} bytes is too long for device {device.name!r}", uri)


def _check_size(allowance: Allowance, device: DeviceRecord, uri: DataObjectUri, size_bytes: int) -> None:
    if size_bytes < 0:
        raise InvalidRequest(f"a size of {size_bytes} bytes", uri)
    limit = allowance.max_object_size_bytes
    if limit is not None and size_bytes > limit:
        raise CapacityExceeded(f"device {device.name!r} takes objects of at most {limit} bytes", uri)
    if size_bytes % allowance.size_granularity_bytes:
        raise InvalidRequest(f"device {device.name!r} takes multiples of {allowance.size_granularity_bytes} bytes", uri)


def room_bytes(device: DeviceRecord) -> int:
    """The largest object that may still be placed there, by policy and by space."""
    limit = device.allowance.max_object_size_bytes
    return device.free_bytes if limit is None else min(limit, device.free_bytes)


def choose(
    topology: Topology, providers: Providers, devices: Iterable[DeviceRecord], uri: DataObjectUri, demand: Demand, role: Role
) -> tuple[DeviceRecord, ...]:
    """The devices of that role that may take the object, best first. Raises the contract's error that says why there is none:
    ``CapacityExceeded`` where only space is missing, else ``Unsupported``."""
    found: list[tuple[int, int, str, DeviceRecord]] = []
    reasons: list[tuple[bool, str]] = []
    for device in devices:
        if device.policy.role is not role:
            continue
        full, reason = _objection(topology, providers, device, uri, demand)
        if reason:
            reasons.append((full, f"{device.name}: {reason}"))
        else:
            found.append((providers.of(device).rank(device, demand), -device.free_bytes, device.name, device))
    if found:
        return tuple(device for *_, device in sorted(found, key=lambda one: one[:3]))
    told = "; ".join(text for _, text in reasons) or f"no device has the role {role}"
    only_space = any(full for full, _ in reasons)
    raise (CapacityExceeded if only_space else Unsupported)(f"no device can take it: {told}", uri)


def _objection(
    topology: Topology, providers: Providers, device: DeviceRecord, uri: DataObjectUri, demand: Demand
) -> tuple[bool, str]:
    """Whether only space is missing, and why the device cannot take the object; ``""`` where it can."""
    if device.state is not DeviceState.UP:
        return False, f"it is in {device.state}"
    if not _serves(topology, device, demand):
        return False, "it is not reachable from where the object is wanted"
    try:
        refuse_write(device, uri, demand.size_bytes)
    except StorageError as error:
        return isinstance(error, CapacityExceeded), error.message
    objection = providers.of(device).objection(device, demand)
    if objection:
        return True, objection
    if demand.size_bytes > device.free_bytes:
        return True, f"{device.free_bytes} bytes are free"
    return False, ""


def _serves(topology: Topology, device: DeviceRecord, demand: Demand) -> bool:
    """Whether the device can be reached from everywhere the demand names."""
    if demand.host:
        return topology.reaches(demand.host, device.policy)
    movers = topology.reaching(device.policy)
    if demand.cluster:
        members = topology.hosts_of(demand.cluster)
        return bool(members) and all(reaches(place, device.policy) for place in members)
    if demand.zone and device.policy.scope is Scope.REGION:
        return demand.zone in topology.zones()
    if demand.zone:
        return bool(movers) and movers[0].zone == demand.zone
    return bool(movers)


def zone_of(topology: Topology, demand: Demand) -> str | None:
    """The zone that a device must be in to serve the demand, unless it is one of the whole region; ``None``: any will do."""
    if demand.host:
        return topology.place(demand.host).zone
    if demand.cluster:
        return next((place.zone for place in topology.hosts_of(demand.cluster)), None)
    return demand.zone or None


def demand_for(uri: DataObjectUri, size_bytes: int, *, zone: str = "", cluster: str = "", host: str = "") -> Demand:
    """The demand of an object."""
    return Demand(ObjectKind(uri.kind), size_bytes, zone, cluster, host)

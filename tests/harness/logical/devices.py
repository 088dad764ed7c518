"""Device records for tests, in one line each."""

from __future__ import annotations

from typing import Any

from storcert.harness.contract import Capabilities, Policy, Role, Scope, StorageDevice
from storcert.harness.logical.records import DeviceRecord, DeviceState
from storcert.harness.logical.topology import LocationKind, Place, Topology

GIB = 1 << 30
SNAPPY = Capabilities(on_device_copy=True, snapshots=True, revert=True, clone=True, random_access=True, enumerate=True)
PLAIN = Capabilities(enumerate=True)


def record(
    name: str, scope: str = "zone", scope_id: str = "z1", *, role: str = "primary", capabilities: Capabilities = PLAIN,
    capacity_bytes: int = 10 * GIB, reserved_bytes: int = 0, provider: str = "direct", state: str = "up", **policy: Any,
) -> DeviceRecord:
    """A device attached so."""
    made = Policy(role=Role(role), scope=Scope(scope), scope_id=scope_id, **policy)
    device = StorageDevice(name, "s3", {"name": name}, made)
    return DeviceRecord(
        name, device.to_json(), made, capabilities, capacity_bytes, provider, DeviceState(state), reserved_bytes)


def two_zones(hosts: int = 2) -> Topology:
    """Two zones: a cluster of hosts and a storage VM each, and a management server."""
    places = [Place("ms-1", LocationKind.MANAGEMENT)]
    for zone in ("z1", "z2"):
        places.append(Place(f"{zone}-ssvm1", LocationKind.STORAGE_VM, zone))
        places += [Place(f"{zone}-h{number}", LocationKind.HOST, zone, f"{zone}-c1") for number in range(1, hosts + 1)]
    return Topology(tuple(places))

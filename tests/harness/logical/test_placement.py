"""Which device takes an object: capability narrowed by policy first, then reach, space and the provider's rules."""

from __future__ import annotations

import pytest

from storcert.harness.contract import (
    Capabilities,
    CapacityExceeded,
    DataObjectUri,
    InvalidRequest,
    ObjectKind,
    PermissionDenied,
    Role,
    StorageError,
    Unsupported,
)
from storcert.harness.logical.placement import choose, demand_for, refuse_write
from storcert.harness.logical.providers import DirectProvider, Providers
from storcert.harness.logical.records import DeviceRecord
from tests.harness.logical.devices import GIB, record, two_zones

VOLUME = DataObjectUri(ObjectKind.VOLUME, "1", "v")


def _chosen(*devices: DeviceRecord, size_bytes: int = GIB, providers: Providers | None = None, **where: str) -> list[str]:
    demand = demand_for(VOLUME, size_bytes, **where)
    found = choose(two_zones(), providers or Providers(), devices, VOLUME, demand, Role.PRIMARY)
    return [device.name for device in found]


def test_the_emptiest_comes_first_and_the_name_decides_ties() -> None:
    assert _chosen(record("c"), record("a", reserved_bytes=GIB), record("b"), zone="z1") == ["b", "c", "a"]


def test_reach_is_asked_from_where_the_object_is_wanted() -> None:
    devices = [record("zone1"), record("zone2", scope_id="z2"), record("host", "host", "z1-h1"), record("region", "region", "")]
    assert _chosen(*devices, zone="z1") == ["host", "region", "zone1"]
    assert _chosen(*devices, cluster="z1-c1") == ["region", "zone1"]
    assert _chosen(*devices, host="z2-h1") == ["region", "zone2"]


@pytest.mark.parametrize(
    ("device", "error"),
    [
        (record("d", kinds=frozenset({ObjectKind.ISO})), Unsupported),
        (record("d", role="image"), Unsupported),
        (record("d", read_only=True), Unsupported),
        (record("d", state="maintenance"), Unsupported),
        (record("d", capabilities=Capabilities(max_object_size_bytes=100)), CapacityExceeded),
        (record("d", capacity_bytes=GIB, reserved_bytes=1), CapacityExceeded),
        (record("d", quota_bytes=2 * GIB, reserved_bytes=GIB + 1), CapacityExceeded),
        (record("d", provider="default", capacity_bytes=GIB + GIB // 20), CapacityExceeded),
    ],
)
def test_there_is_none_and_the_reason_is_told(device: DeviceRecord, error: type[StorageError]) -> None:
    with pytest.raises(error):
        _chosen(device, zone="z1")


@pytest.mark.parametrize(
    ("device", "size_bytes", "error"),
    [
        (record("d", capabilities=Capabilities(kinds=frozenset({ObjectKind.ISO}))), 1, Unsupported),
        (record("d", read_only=True), 1, PermissionDenied),
        (record("d", max_object_size_bytes=10), 11, CapacityExceeded),
        (record("d", capabilities=Capabilities(size_granularity_bytes=512)), 513, InvalidRequest),
        (record("d"), -1, InvalidRequest),
    ],
)
def test_what_policy_or_capability_forbid_is_refused_before_anything_is_sent(
    device: DeviceRecord, size_bytes: int, error: type[StorageError]
) -> None:
    with pytest.raises(error):
        refuse_write(device, VOLUME, size_bytes)


def test_a_name_too_long_for_the_device_is_refused() -> None:
    long = DataObjectUri(ObjectKind.VOLUME, "1", "é" * 40)
    with pytest.raises(InvalidRequest, match="80 bytes"):
        refuse_write(record("d", capabilities=Capabilities(max_name_bytes=79)), long, None)


def test_the_provider_of_old_prefers_the_cluster_and_a_vendor_may_hook_in() -> None:
    cluster = record("cluster", "cluster", "z1-c1", provider="default", capacity_bytes=3 * GIB)
    old = [record("zone", provider="default"), cluster]
    assert _chosen(*old, cluster="z1-c1") == ["cluster", "zone"]

    class Acme(DirectProvider):
        name = "acme"

        def rank(self, device: DeviceRecord, demand: object) -> int:
            return {"slow": 0, "fast": 1}[device.name]

    providers = Providers([Acme()])
    devices = [record("fast", provider="acme"), record("slow", provider="acme", reserved_bytes=GIB)]
    assert _chosen(*devices, providers=providers, zone="z1") == ["slow", "fast"]
    with pytest.raises(InvalidRequest, match="two providers"):
        providers.register(Acme())
    with pytest.raises(InvalidRequest, match="no provider 'x'; there are acme, default, direct"):
        providers.named("x")

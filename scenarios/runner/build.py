"""A scenario's world: the region with everything in it, as the scenario says. Nothing happens here yet."""

from __future__ import annotations

from typing import Any, Literal

from storcert.harness.contract import ObjectKind
from storcert.harness.kernel import Priorities
from storcert.scenarios.format.scenario import Scenario
from storcert.scenarios.format.world import Device, Web
from storcert.scenarios.region import Region
from storcert.simulators.http_source.resource import pattern
from storcert.simulators.network.link import Link


def build(scenario: Scenario, seed: int, keep: int | Literal["all"] = "all") -> Region:
    """The region; ``keep``: how much of its journal and logs. Raises ``ValueError`` for options a device does not have."""
    said = scenario.region
    region = Region(
        seed, management_servers=said.management_servers, reconcile_ns=said.reconcile_every_ns or 0,
        restart_ns=said.restart_after_ns, keep=keep, tie_break="seeded" if scenario.schedule.ties == "seeded" else "fifo",
    )
    if scenario.schedule.lag_ns:
        region.kernel.priorities = Priorities(seed, scenario.schedule.lag_ns, scenario.schedule.falls)
    for zone in scenario.zone:
        region.zone(zone.name, hosts=zone.hosts, clusters=zone.clusters, storage_vms=zone.storage_vms)
    for device in scenario.device:
        _add(region, scenario, device)
    for web in scenario.web:
        _serve(region, web)
    for link in scenario.link:
        values = link.model_dump(exclude={"between"}, exclude_unset=True, by_alias=False, mode="python")
        region.network.set_link(*link.between, Link(**{key: getattr(link, key) for key in values}))
    for port in scenario.port:
        region.network.set_port(port.of, out_bytes_per_s=port.out_bytes_per_s, in_bytes_per_s=port.in_bytes_per_s)
    return region


def _add(region: Region, scenario: Scenario, device: Device) -> None:
    policy: dict[str, Any] = {
        key: getattr(device.policy, key) for key in type(device.policy).model_fields if getattr(device.policy, key) is not None}
    if "kinds" in policy:
        policy["kinds"] = [ObjectKind(kind) for kind in policy["kinds"]]
    only = scenario.zone[0].name if device.scope == "zone" else ""
    region.device(
        device.name, device.kind, role=device.role, scope=device.scope, scope_id=device.scope_id or only,
        capacity_bytes=device.capacity_bytes, provider=device.provider, driver=device.driver, options=device.simulator,
        policy=policy, configuration=device.configuration,
    )


def _serve(region: Region, web: Web) -> None:
    if web.takes:
        region.web.accept(web.url)
        return
    region.web.put(web.url, pattern(
        web.pattern.encode(), web.size_bytes, framing=web.framing, ranges=web.ranges, declared_bytes=web.declared_bytes,
        cut_after_bytes=web.cut_after_bytes, short_bytes=web.short_bytes, status=web.status,
    ))
    region.web.host(web.url, certificate=web.certificate, bytes_per_s=web.bytes_per_s)

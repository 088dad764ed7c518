"""Who reaches what, by scope and nothing else."""

from __future__ import annotations

import pytest

from storcert.harness.contract import InvalidRequest, Policy, Scope
from storcert.harness.logical.topology import LocationKind, Place, Topology
from tests.harness.logical.devices import two_zones


def _names(topology: Topology, scope: str, scope_id: str = "") -> list[str]:
    return [place.name for place in topology.reaching(Policy(scope=Scope(scope), scope_id=scope_id))]


def test_scopes_reach_what_they_say_and_never_a_management_server() -> None:
    topology = two_zones()
    assert _names(topology, "host", "z1-h1") == ["z1-h1"]
    assert _names(topology, "cluster", "z1-c1") == ["z1-h1", "z1-h2"]
    assert _names(topology, "zone", "z1") == ["z1-h1", "z1-h2", "z1-ssvm1"]
    assert _names(topology, "region") == ["z1-h1", "z1-h2", "z1-ssvm1", "z2-h1", "z2-h2", "z2-ssvm1"]
    assert not topology.reaches("ms-1", Policy(scope=Scope.REGION))


def test_executors_reach_every_device_named() -> None:
    topology = two_zones()
    zone, cluster = Policy(scope=Scope.ZONE, scope_id="z1"), Policy(scope=Scope.CLUSTER, scope_id="z1-c1")
    both = topology.executors(zone, cluster)
    assert ([p.name for p in both.storage_vms], [p.name for p in both.hosts]) == ([], ["z1-h1", "z1-h2"])
    assert topology.executors(zone, Policy(scope=Scope.ZONE, scope_id="z2")).pick({}, ()) is None


def test_the_choice_is_total_and_avoids_what_did_not_answer() -> None:
    found = two_zones().executors(Policy(scope=Scope.ZONE, scope_id="z1"))
    picked = [
        found.pick({}, ()), found.pick({}, {"z1-ssvm1"}), found.pick({"z1-h1": 2}, {"z1-ssvm1"}),
        found.pick({}, {"z1-ssvm1", "z1-h1", "z1-h2"}),
    ]
    assert [place.name for place in picked if place] == ["z1-ssvm1", "z1-h1", "z1-h2", "z1-h1"]


@pytest.mark.parametrize(
    ("places", "told"),
    [
        ((Place("a", LocationKind.MANAGEMENT), Place("a", LocationKind.MANAGEMENT)), "two locations"),
        ((Place("h", LocationKind.HOST, "z1"),), "a host has zone and cluster"),
        ((Place("m", LocationKind.MANAGEMENT, "z1"),), "a host has zone and cluster"),
    ],
)
def test_nonsense_is_refused(places: tuple[Place, ...], told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        Topology(places)


@pytest.mark.parametrize("policy", [Policy(scope=Scope.ZONE, scope_id="z9"), Policy(scope=Scope.HOST, scope_id="nobody")])
def test_a_scope_of_nothing_is_refused(policy: Policy) -> None:
    with pytest.raises(InvalidRequest, match="there is no"):
        two_zones().zone_of(policy)

"""Objects that are exported to web servers; through faults, and judged by every rule."""

from __future__ import annotations

from typing import Any

import pytest

from storcert.harness.contract import (
    CapacityExceeded,
    DataCorrupted,
    InvalidRequest,
    ObjectExists,
    ObjectInUse,
    PermissionDenied,
    StorageError,
)
from storcert.harness.record.fault import Fault, Phase
from storcert.scenarios.region import Region
from storcert.simulators.http_source import Destination
from tests.scenarios.clients import SECOND_NS, secrets_told
from tests.scenarios.regions import broken, one_zone, volume

URL = "http://user:password@exports.sim/a.raw?signature=s3cret"




def exported(region: Region, **how: Any) -> Destination:
    region.call(lambda c: c.create_volume(volume("a"), 500_000, device="volumes"))
    return region.web.accept("http://exports.sim/a.raw?signature=s3cret", Destination(**how))


def test_an_object_is_exported_again_and_again() -> None:
    with one_zone() as region:
        place = exported(region, user="user", password="password")
        for _ in range(2):
            assert region.call(lambda c: c.export(volume("a"), URL)) == {"size_bytes": 500_000}
        assert place.stored is not None and place.stored.size_bytes == 500_000
        assert broken(region) == [] and secrets_told(region, "password", "s3cret") == []
        assert set(region.network.ledger().carriers()) == {"z1-ssvm1", "surveyor"}


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ({"refused": 403}, PermissionDenied), ({"refused": 409}, ObjectExists), ({"room_bytes": 10}, CapacityExceeded),
        ({"methods": ("POST",)}, InvalidRequest), ({"keeps_bytes": 10}, DataCorrupted),
    ],
)
def test_an_export_that_is_refused_fails_with_the_reason(how: dict[str, Any], error: type[StorageError]) -> None:
    with one_zone() as region:
        exported(region, **how)
        with pytest.raises(error):
            region.call(lambda c: c.export(volume("a"), "http://exports.sim/a.raw?signature=s3cret"))
        assert broken(region) == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault("cut", "PUT", 1, Phase.DURING, value=100_000), Fault("answer_lost", "PUT", 1, Phase.AFTER),
        Fault("request_lost", "PUT", 1), Fault("busy", "PUT", 1), Fault("stored_short", "PUT", 1, value=5),
        Fault("slow", "PUT", 1, Phase.AFTER, value=60 * SECOND_NS), Fault("crash", "PUT", 1, Phase.DURING),
        Fault("crash", "PUT", 1, Phase.AFTER),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.phase}",
)
def test_an_export_that_breaks_on_its_way_is_sent_again(fault: Fault) -> None:
    with one_zone() as region:
        place = exported(region)
        region.web.arm([fault])
        region.call(lambda c: c.export(volume("a"), "http://exports.sim/a.raw?signature=s3cret"))
        assert region.web.fired and place.stored is not None and place.stored.size_bytes == 500_000
        assert broken(region) == []


def test_what_a_host_writes_to_is_not_exported_nor_linked() -> None:
    with one_zone("nfs") as region:
        region.call(lambda c: c.create_volume(volume("a"), 100_000, device="volumes"))
        region.call(lambda c: c.attach(volume("a"), "z1-h1"))
        with pytest.raises(ObjectInUse, match="a snapshot of it can be exported"):
            region.call(lambda c: c.export(volume("a"), URL))
        with pytest.raises(ObjectInUse, match="a snapshot of it can be linked"):
            region.call(lambda c: c.link(volume("a")))
        region.call(lambda c: c.detach(volume("a"), "z1-h1"))
        made = region.call(lambda c: c.link(volume("a")))
        with pytest.raises(ObjectInUse, match="link 1 to it is out"):
            region.call(lambda c: c.attach(volume("a"), "z1-h1"))
        region.call(lambda c: c.unlink(made["link"]))
        region.call(lambda c: c.attach(volume("a"), "z1-h1"))
        assert broken(region) == []



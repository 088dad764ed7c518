"""Stories of objects that come from clients and go to them. As ``stories``: each holds all rules without a defect."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import httpx

from storcert.harness.record.event import Event
from tests.mutants.control_plane.zones import SECOND_NS, A, N, T, at_rest, quietly, zone

DATA = bytes(range(256)) * 200
HOUR_NS = 3600 * SECOND_NS


def client(region: Any, method: str, given: Any, **more: Any) -> Any:
    """What a client asks an agent with what the control plane gave: the status, or ``None`` where nobody answered or there is
    nothing to ask with."""

    def ask() -> Any:
        with contextlib.suppress(httpx.HTTPError, TypeError, KeyError):
            return httpx.request(method, given["url"], timeout=30, **more).status_code

    task = region.visit(ask)
    region.finish(task)
    return task.result


def exports() -> Iterator[tuple[Event, ...]]:
    """To a good destination, to careless ones, to one that is not there; and with the storage VM dead in the middle."""
    from storcert.harness.record.fault import Fault, Phase
    from storcert.simulators.http_source import Destination

    region = zone(restart_ns=None)
    region.call(lambda c: c.create_volume(A, 200_000, device="volumes"))
    region.call(lambda c: c.create_from(T, A, zone="z1"))
    places = {
        "good": Destination(), "careless": Destination(keeps_bytes=9), "signed": Destination(readable=False),
        "last": Destination(),
    }
    for name, place in places.items():
        region.web.accept(f"http://exports.sim/{name}", place)
        if name == "last":
            region.web.arm([Fault("crash", "PUT", 1, Phase.DURING)])
        quietly(region, lambda c, name=name: c.export(T, f"http://exports.sim/{name}"))
    quietly(region, lambda c: c.export(T, "http://nowhere.sim/x"))
    yield at_rest(region)


def links() -> Iterator[tuple[Event, ...]]:
    """A link that lasts, one that ends by itself, one that nobody could be told to release; the agent is restarted."""
    region = zone()
    region.call(lambda c: c.create_volume(A, 50_000, device="volumes"))
    region.call(lambda c: c.create_volume(N, 50_000, device="volumes"))
    made = quietly(region, lambda c: c.link(A, 100 * HOUR_NS))
    quietly(region, lambda c: c.link(N, 600 * SECOND_NS))
    client(region, "GET", made)
    quietly(region, lambda c: c.delete(A))
    region.crash("z1-ssvm1")
    region.advance(900 * SECOND_NS)
    client(region, "GET", made)
    other = quietly(region, lambda c: c.link(N, 100 * HOUR_NS))
    region.network.partition(["ms-1", "ms-2"], "z1-ssvm1")
    quietly(region, lambda c: c.unlink(other["link"] if isinstance(other, dict) else 0))
    region.advance(900 * SECOND_NS)
    region.network.heal()
    quietly(region, lambda c: c.delete(A))
    yield at_rest(region)


def unknown_sizes() -> Iterator[tuple[Event, ...]]:
    """Objects of which nobody says how large they are come to devices that take small ones, and to one that is nearly full."""
    from storcert.scenarios.region import Region
    from storcert.simulators.http_source import file

    region = Region(3, management_servers=2, reconcile_ns=300 * SECOND_NS)
    region.__enter__()
    region.zone("z1")
    region.device("small", "object-store", role="image", scope_id="z1", policy={"max_object_size_bytes": 1000})
    region.device("tight", "object-store", scope_id="z1", policy={"quota_bytes": 60_000})
    region.web.put("http://web.sim/t", file(DATA))
    quietly(region, lambda c: c.register(T, "http://web.sim/t", device="small"))
    tasks = [region.start(lambda c, name=name: c.register(name, "http://web.sim/t", device="tight")) for name in (A, N)]
    region.finish(*tasks)
    given = quietly(region, lambda c: c.upload(T, device="small", lasts_ns=600 * SECOND_NS))
    client(region, "PUT", given, content=DATA)
    client(region, "PUT", given, content=DATA[:1000])
    yield at_rest(region)


def seeding() -> Iterator[tuple[Event, ...]]:
    """A template comes to two more zones through a staging device, after somebody has staged it there; then to all again."""
    from storcert.scenarios.region import Region

    region = Region(3, management_servers=2, reconcile_ns=300 * SECOND_NS)
    region.__enter__()
    for number in range(3):
        region.zone(f"z{number}")
        region.device(f"images-{number}", "object-store", role="image", scope_id=f"z{number}")
    region.device("everywhere", "object-store", role="staging", scope="region")
    region.call(lambda c: c.create_volume(A, 500_000, device="images-0"))
    region.call(lambda c: c.create_from(T, A, device="images-0"))
    for zones in (["z1"], ["z0", "z1", "z2"]):
        quietly(region, lambda c, zones=zones: c.seed(T, zones))
    yield at_rest(region)


def uploads() -> Iterator[tuple[Event, ...]]:
    """One that is done, one that nobody uses, one of which only the client and the device know that it is done."""
    region = zone()
    first = quietly(region, lambda c: c.upload(T, zone="z1", size_bytes=len(DATA)))
    client(region, "PUT", first, content=DATA)
    quietly(region, lambda c: c.upload(A, zone="z1", lasts_ns=600 * SECOND_NS))
    last = quietly(region, lambda c: c.upload(N, zone="z1", size_bytes=len(DATA), lasts_ns=1200 * SECOND_NS))
    client(region, "PUT", last, content=DATA)
    region.crash("ms-1")
    region.crash("z1-ssvm1")
    region.advance(HOUR_NS)
    yield at_rest(region)

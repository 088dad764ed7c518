"""Stories of clocks that are wrong, each a generator as ``stories`` says."""

from __future__ import annotations

from collections.abc import Iterator

from storcert.harness.record.event import Event
from tests.mutants.control_plane.zones import MINUTE_NS, A, at_rest, quietly


def wrong_clock() -> Iterator[tuple[Event, ...]]:
    """A storage VM whose clock is an hour behind stands still with a delete; others do it, and the name is given anew."""
    from storcert.scenarios.region import Region

    region = Region(1, reconcile_ns=0)
    region.__enter__()
    region.zone("z1", storage_vms=2)
    region.device("volumes", "nfs", scope_id="z1")
    region.call(lambda c: c.create_volume(A, 4096, device="volumes"))
    location = region.kernel.location("z1-ssvm1")
    location.set_clock(-60 * MINUTE_NS)
    location.pause()
    quietly(region, lambda c: c.delete(A))
    quietly(region, lambda c: c.create_volume(A, 4096, device="volumes"))
    location.resume()
    region.advance(MINUTE_NS)
    yield at_rest(region)

"""What the stories of a region are told with: names, a zone, an act that may fail, and the journal once all is at rest."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from storcert.harness.contract import DataObjectUri, ObjectKind, StorageError
from storcert.harness.record.event import Event

SECOND_NS = 10**9
MINUTE_NS = 60 * SECOND_NS


def uri(name: str, kind: ObjectKind = ObjectKind.VOLUME) -> DataObjectUri:
    return DataObjectUri(kind, "1", name)


A, N, B = uri("a"), uri("n"), uri("b")
T = uri("t", ObjectKind.TEMPLATE)
S, S2 = uri("s", ObjectKind.SNAPSHOT), uri("s2", ObjectKind.SNAPSHOT)


def zone(kind: str = "object-store", *, beside: str = "", servers: int = 2, **more: Any) -> Any:
    """One zone: images, volumes of ``kind``, and a device beside them."""
    from storcert.scenarios.region import Region

    region = Region(1, management_servers=servers, reconcile_ns=300 * SECOND_NS, **more)
    region.__enter__()
    region.zone("z1", hosts=2)
    region.device("images", "object-store", role="image", scope_id="z1", policy={"verify_digest": True})
    region.device("volumes", kind, scope_id="z1")
    region.device("beside", beside or kind, scope_id="z1", capacity_bytes=1 << 40)
    return region


def quietly(region: Any, act: Callable[[Any], Any], at: str = "ms-1") -> Any:
    """Do it; an error of the contract is an answer like another."""
    try:
        return region.call(act, at)
    except StorageError as error:
        return error


def at_rest(region: Any) -> tuple[Event, ...]:
    """Bring the region to rest, end it, and give its journal."""
    with region:
        # What does not come to rest is for the rules to tell.
        with contextlib.suppress(TimeoutError):
            region.settle(6)
        events: tuple[Event, ...] = region.kernel.journal.events
        if not any(event.kind == "end" for event in events):
            events = (*events, Event(region.kernel.now_ns, "", "end", "{}"))
        return events

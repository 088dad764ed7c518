"""Cleaning up with no more than the contract: on a device that outlives a case, what the case named is deleted by name."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from storcert.conformance.client import Client
from storcert.conformance.world import Stuck, Unsimulated
from storcert.harness.contract import DataObjectUri, InvalidRequest, ObjectInUse, Unsupported
from storcert.harness.record.finding import Finding
from storcert.simulators.device import CensusEntry

if TYPE_CHECKING:
    from storcert.conformance.bench import Bench

LEFT = "left-on-target"
"""Kind of a finding: every object was deleted, and this is still there."""
SHOWN = 4


def delete_all(bench: Bench, client: Client, used: Iterable[DataObjectUri]) -> bool:
    """Delete everything that was named. Whether all of it went; a name that no object can have has none."""
    # Under a fault that the check let last nothing could be taken away: it would stay, and no leak be looked for.
    bench.world.device.heal()
    left, refused = sorted(used), False
    while left:
        kept = []
        for uri in left:
            attempt = bench.begin(client.location, f"tidy up {uri}", partial(client.driver.delete, uri), quiet=True)
            try:
                bench.world.finish(attempt.call)
            except (Stuck, Unsimulated):
                # The checks of delete say so; here it must not take the place of what the case found.
                return False
            error = attempt.call.task.error
            if isinstance(error, ObjectInUse):
                kept.append(uri)  # until what was made from it is gone
            refused = refused or not (error is None or isinstance(error, (ObjectInUse, InvalidRequest, Unsupported)))
        if len(kept) == len(left):
            return False
        left = kept
    return not refused


def left_behind(entries: Iterable[CensusEntry]) -> tuple[Finding, ...]:
    """What a leak check found, a finding for each kind of thing."""
    by_kind: dict[str, list[CensusEntry]] = {}
    for entry in sorted(set(entries)):
        by_kind.setdefault(entry.kind, []).append(entry)
    return tuple(Finding(LEFT, f"{len(found)} {kind}: {_names(found)}", "", 0) for kind, found in sorted(by_kind.items()))


def _names(entries: list[CensusEntry]) -> str:
    more = f" and {len(entries) - SHOWN} more" if len(entries) > SHOWN else ""
    return ", ".join(f"{one.name} ({one.size_bytes} bytes)" for one in entries[:SHOWN]) + more

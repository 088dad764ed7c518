"""What nobody owns when a run is over: found where it is, blamed on nobody where it is legal, on every device."""

from __future__ import annotations

from typing import Any

import pytest

from storcert.harness.checkers.facts import Broken, Finding
from storcert.harness.contract import DataObjectUri
from storcert.harness.kernel import Kernel
from storcert.harness.record.fault import Fault, Phase
from storcert.scenarios.leavings import Makings, with_leavings
from storcert.scenarios.region import Region
from storcert.scenarios.surroundings import note
from storcert.simulators.registry import SIMULATED

A, B, S = (DataObjectUri.parse(f"/{name}") for name in ("volume/1/a", "volume/1/b", "snapshot/1/s"))


def used_up(kind: str, fault: Fault | None = None) -> dict[str, Finding]:
    """A region in which things come and stay, one of its virtual machines still at work."""
    with Region(3) as region:
        region.zone("z1", storage_vms=2)
        region.device("vols", kind, scope_id="z1")
        region.device("images", "object-store", role="image", scope_id="z1")
        region.call(lambda c: c.create_volume(A, 8 << 20, device="vols"))
        if fault is not None:
            region.arm("vols", fault)
        region.call(lambda c: c.create_from(B, A, device="vols"))
        region.call(lambda c: c.take_snapshot(A, S, "images"))
        if "open_volume" in dir(region._devices["vols"].device.make_driver()):
            region.call(lambda c: c.attach(A, "z1-h1", {"pause_ns": 10**9}))
        region.settle()
        before = {one.rule: one for one in region.findings()}
        found = {one.rule: one for one in region.findings_when_used_up()}
    assert {name for name, one in found.items() if one.broken} == set()
    assert found["L-RECORD"].looked_at == before["L-RECORD"].looked_at + 2, "both devices came out clean"
    return found


@pytest.mark.parametrize("kind", sorted(SIMULATED))
def test_a_correct_driver_leaves_nothing(kind: str) -> None:
    used_up(kind)


@pytest.mark.parametrize("kind", sorted(SIMULATED))
@pytest.mark.parametrize("nth", [9, 17])
def test_nor_does_whoever_dies_in_the_middle(kind: str, nth: int) -> None:
    used_up(kind, Fault("crash", "*", nth, Phase.AFTER))


def test_what_was_never_deleted_is_remembered_until_it_is() -> None:
    with Kernel(1) as kernel:
        makings = Makings(kernel.journal)

        def told(number: int, event: str, verb: str = "create", ending: str = "") -> None:
            value: dict[str, Any] = {"id": str(number), "event": event, "verb": verb, "device": "d", "uri": str(A)}
            note(kernel, "", "command", {**value, "ending": ending})

        told(1, "sent")
        assert makings.failed_on("d") == [str(A)] and makings.failed_on("e") == []
        told(1, "ended", ending="unheard")
        assert makings.failed_on("d") == [str(A)]
        told(2, "sent", "delete")
        told(2, "ended", "delete", "failed")
        assert makings.failed_on("d") == [str(A)]
        told(3, "sent", "delete")
        told(3, "ended", "delete", "done")
        assert makings.failed_on("d") == [] and list(makings.names["d"]) == [str(A)]


def test_what_is_found_stands_beside_what_the_rules_found() -> None:
    rules = [Finding("L-CLEAN", 2), Finding("L-RECORD", 5, (Broken("L-RECORD", "old", 1),), 7)]
    told = with_leavings(rules, ["vols", Broken("L-CLEAN", "new", 9)])
    assert told == [
        Finding("L-CLEAN", 3, (Broken("L-CLEAN", "new", 9),)), Finding("L-RECORD", 6, (Broken("L-RECORD", "old", 1),), 7)]

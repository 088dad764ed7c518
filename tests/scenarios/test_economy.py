"""How often the control plane asks: transactions of the catalogue and commands to agents for each operation. More of them cost
a region as much as anything else does; less than this is welcome, more has to have a reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from storcert.harness.agent.agent import Agent
from storcert.harness.logical.control_plane import ControlPlane
from storcert.scenarios.region import Region
from tests.scenarios.regions import broken, one_zone, snapshot, template, volume

Act = Callable[[ControlPlane], Any]
#: Transactions and commands.
PRICES: dict[str, tuple[int, int, Act]] = {
    "create": (3, 1, lambda c: c.create_volume(volume("n"), 4096, zone="z1")),
    "create-again": (1, 0, lambda c: c.create_volume(volume("a"), 4096, zone="z1")),
    "from-template": (3, 1, lambda c: c.create_from(volume("n"), template(), device="beside")),
    "on-device": (3, 1, lambda c: c.create_from(volume("n"), volume("a"), device="volumes")),
    "snapshot": (3, 1, lambda c: c.take_snapshot(volume("a"), snapshot("n"))),
    "backup": (3, 1, lambda c: c.take_snapshot(volume("a"), snapshot("n"), "images")),
    "revert": (3, 1, lambda c: c.revert(volume("a"), snapshot())),
    "migrate": (6, 2, lambda c: c.migrate(volume("b"), "beside")),
    "delete": (4, 1, lambda c: c.delete(volume("b"))),
    "attach": (3, 2, lambda c: c.attach(volume("b"), "z1-h1")),
}


def building() -> Region:
    region = one_zone("rbd", servers=1)
    region.__enter__()
    for name in "ab":
        region.call(lambda c, name=name: c.create_volume(volume(name), 4096, device="volumes"))
    region.call(lambda c: c.create_from(template(), volume("a"), zone="z1"))
    region.call(lambda c: c.take_snapshot(volume("a"), snapshot()))
    return region


def price(region: Region, act: Act) -> tuple[int, int]:
    requests, events = len(region.catalogue.wire.requests), len(region.kernel.journal)
    region.call(act)
    sent = [json.loads(event.text) for event in region.kernel.journal.events[events:] if event.kind == "command"]
    asked = [one.operation for one in region.catalogue.wire.requests[requests:] if one.operation != "beat"]
    return len(asked), sum(one["event"] == "sent" for one in sent)


@pytest.mark.parametrize("name", sorted(PRICES))
def test_an_operation_costs_no_more(name: str) -> None:
    transactions, commands, act = PRICES[name]
    with building() as region:
        found = price(region, act)
        assert found[0] <= transactions and found[1] <= commands, found
        assert broken(region) == []


def test_what_could_not_be_looked_at_right_away_is_looked_at_by_a_command_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Agent, "_look", lambda *_: None)
    with building() as region:
        assert price(region, lambda c: c.create_volume(volume("n"), 4096, zone="z1")) == (3, 2)
        assert [event.text for event in region.kernel.journal.events if event.kind == "command" and '"describe"' in event.text]
        assert broken(region) == []


def test_a_large_region_costs_no_more_than_a_small_one() -> None:
    """Counted are requests to the device and events of the kernel, which no machine makes slower or faster."""

    def effort(region: Region) -> tuple[int, int]:
        requests, events = len(region.simulated("volumes").requests), len(region.kernel.journal)
        region.call(lambda c: c.create_from(volume("n"), volume("a"), device="volumes"))
        region.call(lambda c: c.delete(volume("n")))
        return len(region.simulated("volumes").requests) - requests, len(region.kernel.journal) - events

    def some(control: ControlPlane) -> None:
        for number in range(300):
            control.create_volume(volume(f"x{number}"), 4096, device="volumes")

    with building() as region:
        small = effort(region)
        region.call(some)
        assert effort(region) == small

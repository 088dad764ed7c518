"""Every location crashed at every step of every operation: no rule of the control plane breaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from storcert.scenarios.crash_points import crash_points, outcomes, run_point
from storcert.scenarios.region import Region
from tests.scenarios.regions import one_zone, template, volume


def _prepared() -> Region:
    region = one_zone()
    region.__enter__()
    region.call(lambda c: c.create_volume(volume("a"), 4096, device="volumes"))
    region.call(lambda c: c.create_from(template(), volume("a"), zone="z1"))
    return region


ACTS: dict[str, Callable[[Any], Any]] = {
    "create": lambda c: c.create_volume(volume("n"), 8192, zone="z1"),
    "from-template": lambda c: c.create_from(volume("n"), template(), zone="z1"),
    "on-device": lambda c: c.create_from(volume("n"), volume("a"), device="volumes"),
    "migrate": lambda c: c.migrate(volume("a"), "beside"),
    "delete": lambda c: c.delete(volume("a")),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(ACTS))
def test_no_crash_breaks_a_rule(name: str) -> None:
    points = crash_points(_prepared, ACTS[name])
    assert len(points) >= 20
    for outcome in outcomes(_prepared, ACTS[name], points):
        assert outcome.struck, f"{outcome.point}: the crash did not happen"
        assert outcome.broken == [], outcome.point


@pytest.mark.parametrize("name", sorted(ACTS))
def test_undisturbed_every_rule_that_can_be_decided_holds(name: str) -> None:
    outcome = run_point(_prepared, ACTS[name], None)
    assert outcome.broken == []
    decided = {finding.rule for finding in outcome.findings if finding.looked_at}
    assert decided >= {
        "L-NOBYTES", "L-ONCE", "L-RECORD", "L-LIVE", "L-SINGLE", "L-BALANCE", "L-CAPACITY", "L-POLICY", "L-REACH", "L-CONVERGE",
        "L-REPEAT",
    }

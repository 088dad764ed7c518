"""Each location crashed at each step of everything, over every pair of device kinds: no rule of the control plane breaks."""

from __future__ import annotations

import os

import pytest

from storcert.scenarios.crash_points import crash_points, outcomes, run_point
from tests.scenarios.crash_stories import ACTS, KINDS, builder, stories

#: `tox -e crashes` tells them all; a few, of every kind, are told each time.
TOLD = stories() if os.environ.get("STORCERT_CRASHES") == "all" else stories()[::6]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("first", "second", "name"), TOLD)
def test_no_crash_breaks_a_rule(first: str, second: str, name: str) -> None:
    build, act = builder(first, second, name), ACTS[name][1]
    points = crash_points(build, act)
    assert len(points) >= 10
    for outcome in outcomes(build, act, points):
        assert outcome.struck, f"{outcome.point}: the crash did not happen"
        assert outcome.broken == [], outcome.point


@pytest.mark.parametrize(("first", "second", "name"), [story for story in stories() if story[0] == story[1]])
def test_undisturbed_every_rule_that_can_be_decided_holds(first: str, second: str, name: str) -> None:
    outcome = run_point(builder(first, second, name), ACTS[name][1], None)
    assert outcome.broken == [] and not isinstance(outcome.answer, Exception)
    decided = {finding.rule for finding in outcome.findings if finding.looked_at}
    assert decided >= {
        "L-NOBYTES", "L-ONCE", "L-RECORD", "L-LIVE", "L-SINGLE", "L-BALANCE", "L-CAPACITY", "L-POLICY", "L-REACH", "L-CONVERGE",
        "L-REPEAT",
    }


def test_every_pair_of_kinds_is_crossed() -> None:
    assert {(first, second) for first, second, _ in stories()} == {(one, other) for one in KINDS for other in KINDS}

"""Faults that are armed beside others are counted from then on, and change nothing for those."""

from __future__ import annotations

import pytest

from storcert.harness.record.fault import Fault
from storcert.simulators.network.faults import FaultPlan
from storcert.simulators.network.wire import TRANSPORT_FAULTS

EARLY, LATE = Fault("slow", "*", 3), Fault("crash", "PutObject", 1)


def test_what_is_added_is_counted_from_then_on() -> None:
    plan = FaultPlan(TRANSPORT_FAULTS)
    plan.arm([EARLY])
    assert plan.strike("GetObject", "h") == plan.strike("GetObject", "h") == ()
    plan.add([LATE])
    assert plan.armed and plan.waiting() == ((EARLY, 2), (LATE, 0))
    assert plan.strike("PutObject", "h") == (EARLY, LATE)
    assert plan.fired == [EARLY, LATE]


def test_what_is_not_legal_is_not_added() -> None:
    plan = FaultPlan(TRANSPORT_FAULTS)
    plan.add([EARLY])
    with pytest.raises(ValueError, match="no legal fault here"):
        plan.add([LATE, Fault("nonsense")])
    assert [fault for fault, _ in plan.waiting()] == [EARLY]


def test_adding_nothing_arms_nothing() -> None:
    plan = FaultPlan(TRANSPORT_FAULTS)
    plan.add([])
    assert not plan.armed

"""The fault plan: what counts, what strikes, what is refused."""

from __future__ import annotations

import pytest

from storcert.harness.record.fault import Fault, Phase
from storcert.simulators.device import FaultKind
from storcert.simulators.network.faults import FaultPlan

LEGAL = (
    FaultKind("slow", (Phase.BEFORE, Phase.AFTER), ("*",), "ns", "", ""),
    FaultKind("full", (Phase.BEFORE,), ("Put", "Copy"), "", "", ""),
)


def test_each_fault_counts_its_own_requests() -> None:
    plan = FaultPlan(LEGAL)
    second_put = Fault("slow", operation="Put", nth=2)
    third = Fault("slow", nth=3, phase=Phase.AFTER)
    plan.arm([second_put, third])
    assert [plan.strike(name, "x") for name in ("Get", "Put", "Put", "Put")] == [(), (), (second_put, third), ()]
    assert plan.fired == [second_put, third]


def test_location_limits_what_counts() -> None:
    plan = FaultPlan(LEGAL)
    plan.arm([Fault("slow", nth=2, location="b")])
    assert [bool(plan.strike("Put", where)) for where in ("a", "b", "a", "b")] == [False, False, False, True]


def test_a_star_means_the_operations_the_fault_can_strike() -> None:
    plan = FaultPlan(LEGAL)
    plan.arm([Fault("full", nth=2)])
    assert [bool(plan.strike(name, "x")) for name in ("Get", "Put", "Get", "Copy")] == [False, False, False, True]


@pytest.mark.parametrize(("count", "struck"), [(1, [0, 1, 0, 0]), (2, [0, 1, 1, 0]), (0, [0, 1, 1, 1])])
def test_count(count: int, struck: list[int]) -> None:
    plan = FaultPlan(LEGAL)
    plan.arm([Fault("slow", nth=2, count=count)])
    assert [len(plan.strike("Put", "x")) for _ in range(4)] == struck


def test_arming_starts_the_counters_again_and_disarming_keeps_what_fired() -> None:
    plan = FaultPlan(LEGAL)
    plan.arm([Fault("slow")])
    plan.strike("Put", "x")
    plan.disarm()
    assert plan.strike("Put", "x") == ()
    assert plan.fired == [Fault("slow")]
    plan.arm([Fault("slow")])
    assert plan.fired == []
    assert plan.strike("Put", "x")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault("fire"), "no legal fault"),
        (Fault("full", phase=Phase.AFTER), "cannot strike in phase 'after'"),
        (Fault("full", operation="Get"), "cannot strike Get"),
    ],
)
def test_an_illegal_fault_is_refused_and_nothing_changes(fault: Fault, words: str) -> None:
    plan = FaultPlan(LEGAL)
    plan.arm([Fault("slow")])
    with pytest.raises(ValueError, match=words):
        plan.arm([fault])
    assert plan.strike("Put", "x")

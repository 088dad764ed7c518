"""Shared bandwidth: fair, complete, nobody starves, the same each time. Properties over generated flows."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storcert.harness.kernel.loop import Kernel
from storcert.simulators.network.flows import SCALE, Flow, FlowTable, Port, fair_rates
from storcert.simulators.network.link import NS_PER_S


@dataclass(frozen=True)
class Sent:
    """One generated flow: when it starts, how much it is, its own pace, and which ports it passes."""

    start_ns: int
    size_bytes: int
    pace: int
    ports: tuple[int, ...]


SENT = st.builds(
    Sent,
    st.integers(0, 3 * NS_PER_S),
    st.integers(1, 10**9),
    st.integers(1, 10**10),
    st.sets(st.integers(0, 3), max_size=3).map(lambda chosen: tuple(sorted(chosen))),
)
CAPACITIES = st.lists(st.integers(1_000, 10**10), min_size=4, max_size=4)


def nothing() -> None:
    """Called when a flow ends that nobody waits for."""


def make(flows: list[Sent], capacities: list[int]) -> tuple[list[Flow], list[Port]]:
    ports = [Port(str(number), capacity) for number, capacity in enumerate(capacities)]
    made = [
        Flow(sent.size_bytes, tuple(ports[number] for number in sent.ports), sent.pace * SCALE, nothing, None, None)
        for sent in flows
    ]
    return made, ports


@given(st.lists(SENT, max_size=12), CAPACITIES)
@settings(max_examples=200, deadline=None)
def test_rates_are_max_min_fair(sent: list[Sent], capacities: list[int]) -> None:
    flows, ports = make(sent, capacities)
    fair_rates(flows)
    for port in ports:
        assert sum(flow.rate for flow in flows if port in flow.ports) <= port.bytes_per_s * SCALE
    for flow in flows:
        assert flow.rate > 0, "none starves"
        if flow.rate == flow.pace:
            continue
        # What holds it back: a port that is full, in which nobody has more than it.
        assert any(
            sum(other.rate for other in flows if port in other.ports) > port.bytes_per_s * SCALE - len(flows)
            and all(other.rate <= flow.rate + len(flows) for other in flows if port in other.ports)
            for port in flow.ports
        )


@given(st.lists(SENT, min_size=1, max_size=8), CAPACITIES)
@settings(max_examples=100, deadline=None)
def test_every_flow_ends_and_no_port_carries_more_than_it_can(sent: list[Sent], capacities: list[int]) -> None:
    kernel = Kernel(1, start_ns=0)
    table = FlowTable(kernel)
    ports = [Port(str(number), capacity) for number, capacity in enumerate(capacities)]
    ended: dict[int, int] = {}

    def start(number: int, one: Sent) -> None:
        through = [ports[place] for place in one.ports]
        table.start(one.size_bytes, through, one.pace, lambda: ended.__setitem__(number, kernel.now_ns))

    for number, one in enumerate(sent):
        kernel.after(one.start_ns, lambda number=number, one=one: start(number, one))  # type: ignore[misc]
    kernel.run()
    assert sorted(ended) == list(range(len(sent)))
    assert len(table) == 0
    for number, one in enumerate(sent):
        assert (ended[number] - one.start_ns) * one.pace >= one.size_bytes * NS_PER_S, "none is faster than its pace"
    for place, port in enumerate(ports):
        through = [(number, one) for number, one in enumerate(sent) if place in one.ports]
        assert port.carried_bytes == sum(one.size_bytes for _, one in through)
        if through:
            busy_ns = max(ended[number] for number, _ in through) - min(one.start_ns for _, one in through)
            assert port.carried_bytes * NS_PER_S <= busy_ns * port.bytes_per_s
    kernel.close()


def test_two_share_alike_and_the_one_that_stays_gets_all() -> None:
    kernel = Kernel(1, start_ns=0)
    table = FlowTable(kernel)
    port = Port("front", 1_000)
    ended: list[tuple[str, int]] = []
    table.start(1_000, [port], 10**9, lambda: ended.append(("short", kernel.now_ns)))
    table.start(3_000, [port], 10**9, lambda: ended.append(("long", kernel.now_ns)))
    kernel.run()
    assert ended == [("short", 2 * NS_PER_S), ("long", 4 * NS_PER_S)]


def test_what_one_cannot_use_the_others_get() -> None:
    kernel = Kernel(1, start_ns=0)
    table = FlowTable(kernel)
    port = Port("front", 1_000)
    slow = table.start(10**6, [port], 100, nothing)
    fast = [table.start(10**6, [port], 10**9, nothing) for _ in range(2)]
    assert slow.rate_bytes_per_s == 100
    assert [flow.rate_bytes_per_s for flow in fast] == [450, 450]


def test_a_flow_that_is_held_up_leaves_its_share_and_goes_on_where_it_was() -> None:
    kernel = Kernel(1, start_ns=0)
    table = FlowTable(kernel)
    port = Port("front", 1_000)
    shut = [False]
    ended: dict[str, int] = {}
    table.start(1_000, [port], 10**9, lambda: ended.__setitem__("held", kernel.now_ns), held_up=lambda: shut[0])
    table.start(1_000, [port], 10**9, lambda: ended.__setitem__("free", kernel.now_ns))

    def turn(value: bool) -> None:
        shut[0] = value
        table.change()

    kernel.after(NS_PER_S, lambda: turn(True))
    kernel.after(5 * NS_PER_S, lambda: turn(False))
    kernel.run()
    assert ended == {"free": NS_PER_S + NS_PER_S // 2, "held": 5 * NS_PER_S + NS_PER_S // 2}


def test_a_flow_nobody_wants_any_more_goes() -> None:
    kernel = Kernel(1, start_ns=0)
    table = FlowTable(kernel)
    port = Port("front", 1_000)
    ended: list[str] = []
    table.start(10**9, [port], 10**9, lambda: ended.append("dead"), wanted=lambda: kernel.now_ns < NS_PER_S)
    kernel.after(NS_PER_S, table.change)
    kernel.run()
    assert not ended
    assert len(table) == 0


def test_a_port_must_carry_something() -> None:
    with pytest.raises(ValueError, match="carry nothing"):
        Port("front", 0)

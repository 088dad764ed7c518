"""Partitions, lost packets, shared ports and links of a whole network, as a client at a location meets them."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storcert.harness.kernel.loop import Kernel
from storcert.harness.record.fault import Fault, Phase
from storcert.simulators.network.errors import ConnectionReset, ConnectTimeout, ReadTimeout
from storcert.simulators.network.link import NS_PER_S, Link
from storcert.simulators.network.topology import Network, network_of
from storcert.simulators.network.transmission import GIVEN_UP_AFTER_NS, pause_ns
from storcert.simulators.network.wire import Answer, Wire
from tests.simulators.network.conftest import LINK, WireWorld

A = Phase.AFTER
MS = 1_000_000
PATIENCE_NS = 10 * NS_PER_S
MINUTE_NS = 60 * NS_PER_S


@pytest.fixture
def network(world: WireWorld) -> Network:
    return world.wire.network


# -- partitions


def test_a_world_has_one_network(world: WireWorld, network: Network) -> None:
    assert network_of(world.kernel) is network
    assert Wire(world.kernel, "other").network is network
    assert network_of(Kernel(2)) is not network


@pytest.mark.parametrize("part", [Network.partition, Network.partition_one_way])
def test_a_request_into_a_partition_has_no_effect_while_it_lasts(
    world: WireWorld, network: Network, part: Callable[..., None],
) -> None:
    part(network, "here", "server")
    [error] = world.run(lambda: world.request(read_timeout_ns=PATIENCE_NS), limit_ns=MINUTE_NS)
    assert isinstance(error, ReadTimeout)
    assert world.effects == []
    assert world.elapsed_ns == PATIENCE_NS


def test_the_other_direction_alone_lets_the_effect_happen(world: WireWorld, network: Network) -> None:
    network.partition_one_way("server", "here")
    [error] = world.run(lambda: world.request(read_timeout_ns=PATIENCE_NS), limit_ns=MINUTE_NS)
    assert isinstance(error, ReadTimeout)
    assert world.effects == [("Put", 1_000)]


def test_a_partition_concerns_nobody_else(world: WireWorld, network: Network) -> None:
    network.partition("here", "other")
    network.partition("elsewhere", "server")
    [delivery] = world.run(lambda: world.request(body_bytes=5, read_timeout_ns=PATIENCE_NS))
    assert delivery.answer.code == "ok"
    assert world.elapsed_ns == 1_000 + 100 + 1_000 + 5


def test_what_was_held_back_arrives_with_the_next_try_after_healing(world: WireWorld, network: Network) -> None:
    network.partition("here", "server")
    world.kernel.after(500 * MS, network.heal)
    [delivery] = world.run(lambda: world.request(read_timeout_ns=PATIENCE_NS))
    assert delivery.answer.code == "ok"
    [(_, effect_ns)] = world.effects
    assert effect_ns == 1_000 + 600 * MS, "tries after 200 and 600 ms: the second finds the way open"


@pytest.mark.parametrize("kind", ["partition", "server_restart"])
@pytest.mark.parametrize("phase", [Phase.BEFORE, Phase.AFTER])
def test_a_fault_of_a_request_that_arrives_after_healing_is_none(
    world: WireWorld, network: Network, kind: str, phase: Phase
) -> None:
    world.arm(Fault(kind, phase=phase, value=0 if kind == "partition" else 10**15))
    network.partition("here", "server")

    def heal() -> None:
        network.heal()
        world.wire.heal()

    world.kernel.after(500 * MS, heal)
    first, second = world.run(lambda: world.request(read_timeout_ns=PATIENCE_NS)), world.run(world.request)
    assert [one.answer.code for one in (*first, *second)] == ["ok", "ok"]


def test_a_held_back_request_may_come_after_the_client_gave_up(world: WireWorld, network: Network) -> None:
    network.partition("here", "server")
    [error] = world.run(lambda: world.request(read_timeout_ns=NS_PER_S))
    assert isinstance(error, ReadTimeout)
    network.heal()
    world.kernel.run_for(10 * NS_PER_S)
    assert len(world.effects) == 1


def test_a_connection_the_client_closed_is_not_kept_for_long(world: WireWorld, network: Network) -> None:
    network.partition("here", "server")
    world.run(lambda: world.request(read_timeout_ns=NS_PER_S))
    world.kernel.run_for(90 * NS_PER_S)
    network.heal()
    world.kernel.run_for(1_000 * NS_PER_S)
    assert world.effects == [], "eight tries after the client left are done within a minute"
    assert world.wire.requests[0].answer == "lost"


def test_nobody_sends_again_for_a_dead_machine(world: WireWorld, network: Network) -> None:
    network.partition("here", "server")
    world.kernel.spawn(world.request, location=world.here)
    world.kernel.after(NS_PER_S, world.here.crash)
    world.kernel.after(2 * NS_PER_S, network.heal)
    world.kernel.run()
    assert world.effects == []
    assert world.wire.requests[0].answer == "lost"


def test_tcp_gives_up_after_its_time(world: WireWorld, network: Network) -> None:
    network.partition("here", "server")
    [error] = world.run(world.request, limit_ns=2_000 * NS_PER_S)
    assert isinstance(error, ConnectionReset)
    assert world.elapsed_ns == 1_000 + sum(pause_ns(tries) for tries in range(15))
    assert GIVEN_UP_AFTER_NS == 924_600 * MS, "what the kernel's documentation says of the default"


def test_an_answer_nobody_can_bring_is_silence(world: WireWorld, network: Network) -> None:
    network.partition_one_way("server", "here")
    assert world.run(world.request, limit_ns=2_000 * NS_PER_S) == ["never"]
    assert len(world.effects) == 1


@pytest.mark.parametrize("shut", [("here", "server"), ("server", "here")])
def test_a_new_connection_needs_both_directions(world: WireWorld, network: Network, shut: tuple[str, str]) -> None:
    network.partition_one_way(*shut)
    [error] = world.run(lambda: world.request(connect_timeout_ns=3_000, read_timeout_ns=PATIENCE_NS))
    assert isinstance(error, ConnectTimeout)
    assert world.elapsed_ns == 3_000
    assert world.effects == []
    assert world.wire.requests[0].answer == "no-connection"


@pytest.mark.parametrize("shut", [("here", "server"), ("server", "here")])
def test_a_body_stalls_while_either_direction_is_shut(world: WireWorld, network: Network, shut: tuple[str, str]) -> None:
    size = 4 * LINK.window_bytes

    def read(patience_ns: int | None) -> int:
        delivery = world.request("Get", body_bytes=size, streamed=True, read_timeout_ns=patience_ns)
        delivery.receive(1)
        network.partition_one_way(*shut)
        world.kernel.after(3 * NS_PER_S, network.heal)
        return delivery.receive(size)

    [result] = world.run(lambda: read(PATIENCE_NS))
    assert result == size
    [result] = world.run(lambda: read(NS_PER_S))
    assert isinstance(result, ReadTimeout)
    assert world.wire.requests[1].received_bytes == LINK.window_bytes


def test_isolated_and_joined_again(world: WireWorld, network: Network) -> None:
    network.isolate("server")
    assert network.blocks("here", "server") and network.blocks("server", "anybody")
    assert not network.blocks("server", "server")
    network.heal("server")
    assert not network.blocks("here", "server")
    assert network.plain


def test_healing_a_device_heals_its_partitions_and_no_others(world: WireWorld, network: Network) -> None:
    network.partition("here", ["server", "other"])
    world.wire.heal()
    assert not network.blocks("here", "server") and not network.blocks("server", "here")
    assert network.blocks("here", "other")


NAMES = st.sampled_from(["a", "b", "c", "d"])
ACTS = st.one_of(
    st.tuples(st.just("partition"), NAMES, NAMES), st.tuples(st.just("one way"), NAMES, NAMES),
    st.tuples(st.just("isolate"), NAMES, NAMES), st.tuples(st.just("heal pair"), NAMES, NAMES),
    st.tuples(st.just("heal one"), NAMES, NAMES), st.tuples(st.just("heal all"), NAMES, NAMES),
)


@given(st.lists(ACTS, max_size=12))
@settings(max_examples=200, deadline=None)
def test_partitions_are_exact(acts: list[tuple[str, str, str]]) -> None:
    """Against a table of all pairs, kept by hand."""
    network = Network(Kernel(1))
    shut: set[tuple[str, str]] = set()
    alone: set[str] = set()
    for act, one, other in acts:
        if act == "partition":
            network.partition(one, other)
            shut |= {(one, other), (other, one)}
        elif act == "one way":
            network.partition_one_way(one, other)
            shut.add((one, other))
        elif act == "isolate":
            network.isolate(one)
            alone.add(one)
        elif act == "heal pair":
            network.heal(one, other)
            shut -= {(one, other), (other, one)}
        elif act == "heal one":
            network.heal(one)
            alone.discard(one)
            shut = {pair for pair in shut if one not in pair}
        else:
            network.heal()
            shut.clear()
            alone.clear()
        for source, destination in itertools.product("abcd", repeat=2):
            expected = source != destination and ((source, destination) in shut or bool(alone & {source, destination}))
            assert network.blocks(source, destination) == expected
    assert network.plain == (not {pair for pair in shut if pair[0] != pair[1]} and not alone)


# -- links, losses, order


def test_a_pair_has_its_own_link(world: WireWorld, network: Network) -> None:
    network.set_link("here", "server", Link(one_way_ns=50, jitter_percent=0, up_bytes_per_s=10**9, down_bytes_per_s=10**9))
    world.run(lambda: world.request(sent_bytes=7, body_bytes=9, service_ns=100))
    assert world.effects == [("Put", 50 + 7)]
    assert world.elapsed_ns == 50 + 7 + 100 + 50 + 9


def test_lost_packets_cost_time_and_bytes_arrive_once(world: WireWorld, network: Network) -> None:
    network.set_link("here", "server", Link(
        one_way_ns=1_000, jitter_percent=0, up_bytes_per_s=10**9, down_bytes_per_s=10**9, lost_per_million=300_000))
    world.run(lambda: [world.request(sent_bytes=100, body_bytes=10_000) for _ in range(50)])
    assert len(world.effects) == 50
    assert world.elapsed_ns > 50 * 20 * MS
    assert {request.received_bytes for request in world.wire.requests} == {10_000}


def test_a_link_that_loses_everything_ends_the_connection(world: WireWorld, network: Network) -> None:
    network.set_link("here", "server", Link(lost_per_million=1_000_000))
    [error] = world.run(world.request, limit_ns=2_000 * NS_PER_S)
    assert isinstance(error, ConnectionReset)
    assert world.effects == []


def test_a_wire_may_be_bad_itself() -> None:
    kernel = Kernel(1)
    wire = Wire(kernel, "far", link=Link(lost_per_million=500_000))
    assert not wire.network.plain
    task = kernel.spawn(lambda: wire.call("Put", "t", lambda: Answer(None)), location=kernel.location("here"))
    assert kernel.run_until_done(task, limit_ns=2_000 * NS_PER_S)
    kernel.close()


def test_late_requests_are_overtaken(world: WireWorld, network: Network) -> None:
    network.set_link("here", "server", Link(
        one_way_ns=1_000, jitter_percent=0, late_per_million=500_000, late_ns=MS))
    sent = [f"r{number}" for number in range(20)]

    def after_one_another(name: str, delay_ns: int) -> None:
        world.kernel.sleep_ns(delay_ns)
        world.request(name)

    world.run(*(lambda name=name, at=number * 100: after_one_another(name, at) for number, name in enumerate(sent)))  # type: ignore[misc]
    arrived = [name for name, _ in world.effects]
    assert sorted(arrived) == sorted(sent)
    assert arrived != sent


# -- shared ports


def test_requests_share_the_port_of_a_device_and_its_answers_too(world: WireWorld, network: Network) -> None:
    network.set_port("server", in_bytes_per_s=1_000_000, out_bytes_per_s=2_000_000)
    world.run(*(lambda: world.request(sent_bytes=1_000_000, body_bytes=1_000_000) for _ in range(4)))
    puts = [at_ns for _, at_ns in world.effects]
    assert all(4 * NS_PER_S <= at_ns <= 4 * NS_PER_S + MS for at_ns in puts), "all four end together, four times as late"
    assert 6 * NS_PER_S <= world.elapsed_ns <= 6 * NS_PER_S + MS


def test_sending_that_crawls_is_no_timeout_and_sending_that_stands_is(world: WireWorld, network: Network) -> None:
    network.set_port("server", in_bytes_per_s=1_000)
    [delivery] = world.run(lambda: world.request(sent_bytes=100_000, read_timeout_ns=NS_PER_S))
    assert delivery.answer.code == "ok"
    assert world.elapsed_ns > 100 * NS_PER_S
    world.kernel.after(50 * NS_PER_S, lambda: network.partition("here", "server"))
    started_ns = world.elapsed_ns
    [error] = world.run(lambda: world.request(sent_bytes=100_000, read_timeout_ns=NS_PER_S))
    assert isinstance(error, ReadTimeout)
    assert 50 * NS_PER_S < world.elapsed_ns - started_ns <= 52 * NS_PER_S
    assert len(world.effects) == 1


def test_a_dead_location_gives_its_share_back(world: WireWorld, network: Network) -> None:
    network.set_port("server", in_bytes_per_s=1_000_000)
    there = world.kernel.location("there")
    world.kernel.spawn(lambda: world.request("Dead", sent_bytes=10**9), location=there)
    world.kernel.after(NS_PER_S, there.crash)
    world.run(lambda: (world.request("One", sent_bytes=1_000_000), world.request("Two", sent_bytes=1_000_000)))
    assert [name for name, _ in world.effects] == ["One", "Two"]
    assert world.effects[1][1] < 4 * NS_PER_S

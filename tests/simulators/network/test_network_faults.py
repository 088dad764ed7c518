"""The network's own faults in a schedule: armed on a wire, they strike with one request."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storcert.harness.kernel.loop import Kernel
from storcert.harness.record.fault import Fault, Phase
from storcert.simulators.network.errors import ConnectionReset, ReadTimeout
from storcert.simulators.network.link import NS_PER_S, Link
from storcert.simulators.network.network_faults import DATAGRAM_FAULTS, NETWORK_FAULTS
from storcert.simulators.network.transmission import SEGMENT_BYTES, held_back_ns
from storcert.simulators.network.wire import Answer, Wire
from tests.simulators.network.conftest import LINK, WireWorld

A = Phase.AFTER
MS = 1_000_000
PATIENCE_NS = 10 * NS_PER_S
MINUTE_NS = 60 * NS_PER_S


@pytest.mark.parametrize("phase", [Phase.BEFORE, A])
@pytest.mark.parametrize(
    ("kind", "effects"),
    [("partition", (0, 1)), ("partition_to_device", (0, 1)), ("partition_from_device", (1, 1))],
)
def test_a_partition_may_begin_with_a_request(world: WireWorld, kind: str, effects: tuple[int, int], phase: Phase) -> None:
    world.arm(Fault(kind, phase=phase))
    [outcome] = world.run(lambda: world.request(read_timeout_ns=PATIENCE_NS), limit_ns=MINUTE_NS)
    assert len(world.effects) == effects[phase == A]
    if (kind, phase) == ("partition_to_device", A):
        assert outcome.answer.code == "ok", "the answer has its way; the next request has none"
    else:
        assert isinstance(outcome, ReadTimeout)
    world.wire.heal()
    [delivery] = world.run(world.request, limit_ns=MINUTE_NS)
    assert delivery.answer.code == "ok"


def test_a_partition_of_the_schedule_ends_by_itself(world: WireWorld) -> None:
    world.arm(Fault("partition", value=3 * NS_PER_S))
    [delivery] = world.run(lambda: world.request(read_timeout_ns=PATIENCE_NS))
    assert delivery.answer.code == "ok"
    assert world.elapsed_ns > 3 * NS_PER_S
    assert world.wire.network.plain


@pytest.mark.parametrize(("phase", "effect_ns"), [(Phase.BEFORE, 600 * MS + 1_000), (A, 1_000)])
def test_a_lost_packet_is_sent_again(world: WireWorld, phase: Phase, effect_ns: int) -> None:
    world.arm(Fault("packet_loss", phase=phase, value=2))
    world.run(lambda: world.request(read_timeout_ns=PATIENCE_NS))
    assert world.effects == [("Put", effect_ns)]
    assert world.elapsed_ns == 600 * MS + 1_000 + 100 + 1_000


@pytest.mark.parametrize(("phase", "effects"), [(Phase.BEFORE, 0), (A, 1)])
def test_a_packet_lost_too_often(world: WireWorld, phase: Phase, effects: int) -> None:
    world.arm(Fault("packet_loss", phase=phase, value=16))
    [error] = world.run(lambda: world.request(read_timeout_ns=PATIENCE_NS))
    assert isinstance(error, ReadTimeout)
    assert len(world.effects) == effects
    world.arm(Fault("packet_loss", value=16))
    [error] = world.run(world.request, limit_ns=2_000 * NS_PER_S)
    assert isinstance(error, ConnectionReset)


def test_reorder_lets_others_overtake(world: WireWorld) -> None:
    world.arm(Fault("reorder", operation="First", value=5_000))
    world.run(lambda: world.request("First"), lambda: (world.kernel.sleep_ns(1_000), world.request("Second")))
    assert [name for name, _ in world.effects] == ["Second", "First"]


def test_only_datagrams_come_twice(world: WireWorld) -> None:
    with pytest.raises(ValueError, match="no legal fault"):
        world.arm(Fault("duplicate"))
    kernel = Kernel(1)
    wire = Wire(kernel, "udp", link=LINK, transport="datagram")
    wire.plan.arm([Fault("duplicate", value=10_000)])
    effects: list[int] = []

    def act() -> Answer:
        effects.append(kernel.now_ns)
        return Answer(len(effects))

    task = kernel.spawn(lambda: wire.call("Create", "t", act).answer.result, location=kernel.location("here"))
    kernel.run()
    assert task.result == 1, "the answer to the first copy; the second goes to nobody"
    assert effects[1] - effects[0] == 10_000
    assert len(wire.requests) == 1
    kernel.close()


def test_datagrams_are_lost_and_doubled_by_the_link() -> None:
    kernel = Kernel(1)
    link = Link(lost_per_million=300_000, twice_per_million=300_000)
    wire = Wire(kernel, "udp", link=link, transport="datagram")
    done: list[int] = []

    def act() -> Answer:
        done.append(1)
        return Answer(None)

    def client() -> int:
        lost = 0
        for _ in range(200):
            try:
                wire.call("Create", "t", act, read_timeout_ns=NS_PER_S)
            except ReadTimeout:
                lost += 1
        return lost

    task = kernel.spawn(client, location=kernel.location("here"))
    kernel.run()
    assert task.error is None
    assert 40 < task.result < 140
    assert len(done) != 200 and len(done) > 120
    kernel.close()


def test_every_network_fault_names_its_source() -> None:
    kinds = NETWORK_FAULTS + DATAGRAM_FAULTS
    assert all(kind.source and kind.description and kind.phases for kind in kinds)
    assert len({kind.name for kind in kinds}) == len(kinds)


@pytest.mark.parametrize(("losses", "expected_ms"), [(0, 0), (1, 200), (2, 600), (3, 1_400), (16, None)])
def test_how_long_losses_hold_back(losses: int, expected_ms: int | None) -> None:
    assert held_back_ns(losses) == (None if expected_ms is None else expected_ms * MS)


@given(st.integers(0, 2**32), st.integers(0, 400_000), st.integers(0, 20 * SEGMENT_BYTES))
@settings(max_examples=25, deadline=None)
def test_a_bad_network_is_the_same_for_the_same_seed(seed: int, lost: int, size: int) -> None:
    def digest() -> str:
        with Kernel(seed) as kernel:
            wire = Wire(kernel, "server")
            network = wire.network
            network.set_link("host", "server", Link(lost_per_million=lost, late_per_million=lost))
            network.set_port("server", in_bytes_per_s=10**6, out_bytes_per_s=10**6)
            kernel.after(NS_PER_S, lambda: network.partition("host", "server"))
            kernel.after(3 * NS_PER_S, network.heal)

            def client() -> None:
                for _ in range(5):
                    try:
                        wire.call("Put", "t", lambda: Answer(None, body_bytes=size), sent_bytes=size, read_timeout_ns=NS_PER_S)
                    except (ReadTimeout, ConnectionReset):
                        continue

            host = kernel.location("host")
            kernel.run_until_done(*(kernel.spawn(client, location=host) for _ in range(3)), limit_ns=10**13)
            return kernel.digest()

    assert digest() == digest()

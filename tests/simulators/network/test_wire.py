"""The wire: when effects happen, what a client learns, what the log says, fault by fault."""

from __future__ import annotations

import pytest

from storcert.harness.kernel.loop import Kernel
from storcert.harness.record.fault import Fault, Phase
from storcert.simulators.device import NotModelled
from storcert.simulators.network.errors import ConnectionReset, ConnectRefused, ReadTimeout
from storcert.simulators.network.ledger import traffic
from storcert.simulators.network.wire import TRANSPORT_FAULTS, Answer, Wire
from tests.simulators.network.conftest import WireWorld

B, D, A = Phase.BEFORE, Phase.DURING, Phase.AFTER


def test_a_request_takes_latency_twice_bandwidth_and_service(world: WireWorld) -> None:
    [delivery] = world.run(lambda: world.request(sent_bytes=500, service_ns=70))
    assert delivery.answer.result == "Put"
    assert world.effects == [("Put", 1_000 + 500)], "the effect happens when the last byte has arrived"
    assert world.elapsed_ns == 1_000 + 500 + 70 + 1_000


def test_the_log_holds_every_request_in_order(world: WireWorld) -> None:
    world.run(lambda: (world.request("Put", sent_bytes=3), world.request("Get", body_bytes=9)))
    assert [(r.index, r.operation, r.target, r.sent_bytes, r.received_bytes, r.answer) for r in world.wire.requests] == [
        (0, "Put", "target", 3, 0, "ok"), (1, "Get", "target", 0, 9, "ok")]
    assert traffic(world.wire.requests) == {"here": (3, 9)}


def test_the_log_says_who_asked_what_struck_and_when_it_was_over(world: WireWorld) -> None:
    slow = Fault("slow", "Put", phase=A, value=500)
    world.arm(slow)
    world.run(lambda: (world.request("Put", sent_bytes=3), world.request("Get", body_bytes=9)))
    first, second = world.wire.requests
    assert first.task == second.task != ""
    assert (first.faults, second.faults) == ((slow,), ())
    assert first.ended_ns == second.time_ns, "the second was asked when the first was over"
    assert second.ended_ns == world.kernel.now_ns, "it is over when the body is here"


def test_a_request_whose_client_died_is_never_over(world: WireWorld) -> None:
    world.arm(Fault("crash", phase=A))
    world.run(world.request, limit_ns=10**9)
    assert [(request.answer, request.ended_ns) for request in world.wire.requests] == [("ok", None)]


def test_a_request_is_part_of_the_digest(world: WireWorld) -> None:
    world.run(lambda: world.request(sent_bytes=3))
    [event] = [event for event in world.kernel.journal.events if event.kind == "request"]
    assert event.location == "here"
    assert event.text == "server 0 Put target 3 ok"


def test_outside_a_location_nothing_is_sent(world: WireWorld) -> None:
    with pytest.raises(RuntimeError, match="only a task at a location"):
        world.request()
    assert world.wire.requests == []


def test_request_lost_has_no_effect_and_waits_for_the_read_timeout(world: WireWorld) -> None:
    world.arm(Fault("request_lost"))
    [error] = world.run(lambda: world.request(read_timeout_ns=5_000))
    assert isinstance(error, ReadTimeout)
    assert world.effects == []
    assert world.elapsed_ns == 1_000 + 5_000
    assert world.wire.requests[0].answer == "lost"


def test_a_lost_request_without_timeout_waits_for_ever(world: WireWorld) -> None:
    world.arm(Fault("request_lost"))
    assert world.run(world.request, limit_ns=10**12) == ["never"]


@pytest.mark.parametrize(("value", "error", "elapsed_ns"), [(0, ReadTimeout, 1_000 + 5_000), (1, ConnectionReset, 2_000)])
def test_answer_lost_has_its_effect(world: WireWorld, value: int, error: type[Exception], elapsed_ns: int) -> None:
    world.arm(Fault("answer_lost", phase=A, value=value))
    [raised] = world.run(lambda: world.request(read_timeout_ns=5_000))
    assert isinstance(raised, error)
    assert [name for name, _ in world.effects] == ["Put"]
    assert world.elapsed_ns == elapsed_ns
    assert world.wire.requests[0].answer == "answer-lost"


def test_cut_of_an_upload_has_no_effect(world: WireWorld) -> None:
    world.arm(Fault("cut", phase=D, value=40))
    [error] = world.run(lambda: world.request(sent_bytes=100))
    assert isinstance(error, ConnectionReset)
    assert world.effects == []
    assert world.wire.requests[0].sent_bytes == 40
    assert world.elapsed_ns == 1_040


def test_cut_of_a_streamed_body_ends_it_early(world: WireWorld) -> None:
    world.arm(Fault("cut", phase=D, value=40))

    def read() -> tuple[int, int]:
        delivery = world.request("Get", body_bytes=100, streamed=True)
        return delivery.receive(10), delivery.receive(100)

    [(first, last)] = world.run(read)
    assert (first, last) == (40, 40), "the window runs ahead of the reader, but never past the cut"
    assert world.wire.requests[0].received_bytes == 40


def test_cut_of_a_whole_body_is_a_reset(world: WireWorld) -> None:
    world.arm(Fault("cut", phase=D, value=40))
    [error] = world.run(lambda: world.request("List", body_bytes=100))
    assert isinstance(error, ConnectionReset)
    assert [name for name, _ in world.effects] == ["List"]


def test_cut_of_an_empty_answer_is_a_reset_after_the_effect(world: WireWorld) -> None:
    world.arm(Fault("cut", phase=D, value=40))
    [error] = world.run(lambda: world.request("Delete"))
    assert isinstance(error, ConnectionReset)
    assert [name for name, _ in world.effects] == ["Delete"]


@pytest.mark.parametrize(("phase", "effect_ns"), [(B, 1_000 + 400), (A, 1_000)])
def test_slow_delays_the_effect_or_the_answer(world: WireWorld, phase: Phase, effect_ns: int) -> None:
    world.arm(Fault("slow", phase=phase, value=400))
    [delivery] = world.run(lambda: world.request(read_timeout_ns=5_000))
    assert delivery.answer.code == "ok"
    assert world.effects == [("Put", effect_ns)]
    assert world.elapsed_ns == 1_000 + 400 + 100 + 1_000


def test_an_effect_happens_although_the_client_has_given_up(world: WireWorld) -> None:
    world.arm(Fault("slow", phase=B, value=9_000))
    [error] = world.run(lambda: world.request(read_timeout_ns=5_000))
    assert isinstance(error, ReadTimeout)
    assert world.elapsed_ns == 1_000 + 5_000
    assert world.effects == []
    world.kernel.run()
    assert world.effects == [("Put", 1_000 + 9_000)]


def test_slow_after_the_effect_times_out_at_the_deadline(world: WireWorld) -> None:
    world.arm(Fault("slow", phase=A, value=9_000))
    [error] = world.run(lambda: world.request(read_timeout_ns=5_000))
    assert isinstance(error, ReadTimeout)
    assert world.elapsed_ns == 1_000 + 5_000
    assert len(world.effects) == 1


@pytest.mark.parametrize(("stall_ns", "patience_ns", "stalls_too_long"), [(400, 5_000, False), (9_000, 5_000, True)])
def test_a_stalled_body(world: WireWorld, stall_ns: int, patience_ns: int, stalls_too_long: bool) -> None:
    world.arm(Fault("slow", phase=D, value=stall_ns))

    def read() -> int:
        delivery = world.request("Get", body_bytes=100, streamed=True, read_timeout_ns=patience_ns)
        assert delivery.receive(30) == 50, "what was sent before the stall arrives"
        return delivery.receive(100)

    [result] = world.run(read)
    assert isinstance(result, ReadTimeout) if stalls_too_long else result == 100


@pytest.mark.parametrize(("phase", "effects"), [(B, 0), (A, 1)])
def test_server_restart_resets_and_refuses_for_a_while(world: WireWorld, phase: Phase, effects: int) -> None:
    world.arm(Fault("server_restart", phase=phase, value=50_000))

    def client() -> list[str]:
        seen: list[str] = []
        while "ok" not in seen:
            try:
                seen.append(world.request().answer.code)
            except ConnectionReset:
                seen.append("reset")
            except ConnectRefused:
                seen.append("refused")
                world.kernel.sleep_ns(30_000)
        return seen

    [seen] = world.run(client)
    assert seen[0] == "reset"
    assert seen[-1] == "ok"
    assert set(seen[1:-1]) == {"refused"}
    assert len(world.effects) == effects + 1


def test_exchanges_in_flight_are_lost_in_a_restart(world: WireWorld) -> None:
    world.arm(Fault("server_restart", operation="Put", value=10_000))
    streamed: list[str] = []

    def reader() -> str:
        delivery = world.request("Get", body_bytes=10**7, streamed=True, service_ns=1)
        try:
            delivery.receive(10**7)
        except ConnectionReset:
            streamed.append("reset")
        return "read"

    def writer() -> None:
        world.kernel.sleep_ns(3_000)
        world.request("Put")

    results = world.run(reader, lambda: world.request("Slow", service_ns=100_000), writer)
    assert streamed == ["reset"]
    assert isinstance(results[1], ConnectionReset), "its effect had happened, its answer was still to come"
    assert isinstance(results[2], ConnectionReset)


def test_healing_brings_the_server_up_at_once(world: WireWorld) -> None:
    world.arm(Fault("server_restart", count=0, value=10**15))
    world.run(world.request)
    world.wire.heal()
    [delivery] = world.run(world.request)
    assert delivery.answer.code == "ok"


@pytest.mark.parametrize(("phase", "effects", "sent"), [(B, 0, 0), (D, 0, 50), (A, 1, 100)])
def test_crash_kills_the_calling_location(world: WireWorld, phase: Phase, effects: int, sent: int) -> None:
    world.arm(Fault("crash", phase=phase))
    finished: list[str] = []

    def client() -> None:
        try:
            world.request(sent_bytes=100)
        finally:
            finished.append("never")

    world.run(client)
    assert not world.here.alive
    assert finished == []
    assert len(world.effects) == effects
    assert world.wire.requests[0].sent_bytes == sent


def test_a_crash_under_way_takes_the_request_with_it(world: WireWorld) -> None:
    world.kernel.spawn(lambda: world.request(sent_bytes=100), location=world.here)
    world.kernel.after(500, world.here.crash)
    world.kernel.run()
    assert world.effects == []
    assert world.wire.requests[0].answer == "crashed"


def test_a_crash_after_arrival_leaves_the_effect(world: WireWorld) -> None:
    world.kernel.spawn(lambda: world.request(sent_bytes=100, service_ns=5_000), location=world.here)
    world.kernel.after(2_000, world.here.crash)
    world.kernel.run()
    assert len(world.effects) == 1


def test_a_request_that_arrived_has_its_effect_later_although_the_client_died(world: WireWorld) -> None:
    world.arm(Fault("slow", phase=B, value=9_000))
    world.kernel.spawn(world.request, location=world.here)
    world.kernel.after(5_000, world.here.crash)
    world.kernel.run()
    assert world.effects == [("Put", 1_000 + 9_000)]


def test_a_restarted_location_gets_no_answer_of_its_former_life(world: WireWorld) -> None:
    task = world.kernel.spawn(lambda: world.request(sent_bytes=100), location=world.here)
    world.kernel.after(500, world.here.restart)
    world.kernel.run()
    assert task.crashed
    assert world.effects == []


def test_a_failure_of_the_model_surfaces_in_the_caller(world: WireWorld) -> None:
    def act() -> Answer:
        raise NotModelled("something")

    [error] = world.run(lambda: world.wire.call("Put", "t", act))
    assert isinstance(error, NotModelled)
    assert world.wire.requests[0].answer == "kit-error"


@pytest.mark.parametrize(("phase", "effects"), [(B, 0), (A, 1)])
def test_the_device_may_answer_for_its_own_faults(phase: Phase, effects: int) -> None:
    kernel = Kernel(1)
    heard: list[str] = []

    def on_fault(fault: Fault, operation: str) -> Answer | None:
        heard.append(f"{fault.kind} {operation}")
        return Answer("no", "Refused")

    wire = Wire(kernel, "server", on_fault=on_fault)
    wire.plan.arm([Fault("power_loss", phase=phase, value=1)])
    done: list[str] = []

    def act() -> Answer:
        done.append("effect")
        return Answer("yes")

    task = kernel.spawn(lambda: wire.call("Put", "t", act), location=kernel.location("here"))
    kernel.run_until_done(task)
    assert heard == ["power_loss Put"]
    assert len(done) == effects
    assert isinstance(task.error, ConnectionReset), "whatever the device says, its power is off"
    kernel.close()


def test_every_transport_fault_names_a_source_and_its_phases() -> None:
    assert [kind.name for kind in TRANSPORT_FAULTS] == [
        "request_lost", "answer_lost", "cut", "slow", "server_restart", "power_loss", "crash"]
    assert all(kind.source and kind.description and kind.phases for kind in TRANSPORT_FAULTS)


def test_equal_seeds_give_equal_worlds() -> None:
    def digest(seed: int) -> str:
        kernel = Kernel(seed)
        wire = Wire(kernel, "server")
        wire.plan.arm([Fault("slow", nth=2, value=77), Fault("cut", nth=3, phase=D, value=2)])
        here = kernel.location("here")

        def client() -> None:
            for size in range(5):
                try:
                    wire.call("Put", "t", lambda: Answer(None), sent_bytes=size)
                except ConnectionReset:
                    continue

        kernel.run_until_done(*(kernel.spawn(client, location=here) for _ in range(3)))
        found = kernel.digest()
        kernel.close()
        return found

    assert digest(1) == digest(1)
    assert digest(1) != digest(2)

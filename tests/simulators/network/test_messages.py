"""Messages between locations, and the ledger of who carried which object bytes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storcert.harness.kernel.loop import Kernel
from storcert.simulators.network.ledger import Carried
from storcert.simulators.network.link import NS_PER_S, Link
from storcert.simulators.network.messages import Messages, Sending
from storcert.simulators.network.topology import Network, network_of
from storcert.simulators.network.wire import Answer, Wire

LINK = Link(one_way_ns=1_000, jitter_percent=50, up_bytes_per_s=10**9, down_bytes_per_s=10**9)


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    with Kernel(1) as kernel:
        yield kernel


def post(kernel: Kernel) -> tuple[Network, Messages]:
    network = network_of(kernel)
    network.default = LINK
    return network, network.messages


def read(kernel: Kernel, messages: Messages, name: str, count: int) -> list[object]:
    """What the next ``count`` messages at a location hold."""
    def reader() -> list[object]:
        box = messages.mailbox(kernel.location(name))
        found = [box.receive(10**13) for _ in range(count)]
        return [letter.payload if letter is not None else None for letter in found]

    task = kernel.spawn(reader, location=kernel.location(name))
    kernel.run_until_done(task)
    assert task.error is None
    result: list[object] = task.result
    return result


@given(st.integers(0, 1_000), st.lists(st.integers(0, 10**6), max_size=12), st.integers(0, 300_000))
@settings(max_examples=50, deadline=None)
def test_messages_come_once_and_in_order(seed: int, sizes: list[int], lost: int) -> None:
    with Kernel(seed) as kernel:
        network, messages = post(kernel)
        network.set_link("ms", "host", Link(lost_per_million=lost, late_per_million=lost))
        for number, size in enumerate(sizes):
            messages.send(kernel.location("ms"), kernel.location("host"), number, size)
        kernel.run()
        arrived = [sending.payload for sending in messages.log if sending.outcome == "delivered"]
        assert len(arrived) == len(messages.mailbox(kernel.location("host")))
        assert read(kernel, messages, "host", len(arrived)) == arrived == sorted(arrived)
        assert lost > 200_000 or len(arrived) == len(sizes)


def test_a_partition_holds_back_and_order_is_kept(kernel: Kernel) -> None:
    network, messages = post(kernel)
    network.partition("ms", "host")
    ms, host = kernel.location("ms"), kernel.location("host")
    messages.send(ms, host, "first")
    kernel.after(3 * NS_PER_S, network.heal)
    kernel.after(3 * NS_PER_S + 1, lambda: messages.send(ms, host, "second"))
    kernel.run()
    assert read(kernel, messages, "host", 2) == ["first", "second"]


def test_a_partition_that_lasts_is_a_loss(kernel: Kernel) -> None:
    network, messages = post(kernel)
    network.partition_one_way("ms", "host")
    ms, host = kernel.location("ms"), kernel.location("host")
    there, back = messages.send(ms, host, "there"), messages.send(host, ms, "back")
    kernel.run_for(2_000 * NS_PER_S)
    assert (there.outcome, back.outcome) == ("lost", "delivered")


def test_who_is_dead_or_was_restarted_refuses(kernel: Kernel) -> None:
    _, messages = post(kernel)
    ms, host = kernel.location("ms"), kernel.location("host")
    under_way = messages.send(ms, host, "under way")
    host.restart()
    kernel.run()
    assert under_way.outcome == "refused", "the connection was to its former life"
    unread = messages.send(ms, host, "unread")
    kernel.run()
    assert unread.outcome == "delivered"
    host.restart()
    assert len(messages.mailbox(host)) == 0
    host.crash()
    late = messages.send(ms, host, "late")
    kernel.run()
    assert late.outcome == "refused"


def test_a_reader_waits_as_long_as_it_says(kernel: Kernel) -> None:
    _, messages = post(kernel)
    host = kernel.location("host")
    started_ns = kernel.now_ns
    task = kernel.spawn(lambda: messages.mailbox(host).receive(5_000), location=host)
    kernel.run_until_done(task)
    assert task.result is None
    assert kernel.now_ns - started_ns == 5_000
    waiting = kernel.spawn(lambda: messages.mailbox(host).receive(), location=host)
    kernel.after(5_000, lambda: messages.send(kernel.location("ms"), host, "hello"))
    kernel.run_until_done(waiting)
    assert waiting.result.payload == "hello"


@pytest.mark.parametrize("seed", range(12))
def test_a_letter_that_comes_when_patience_ends_is_not_lost(seed: int) -> None:
    with Kernel(seed) as kernel:
        messages = network_of(kernel).messages
        box = messages.mailbox(kernel.location("host"))
        readers = [kernel.spawn(lambda: box.receive(1_000), location=kernel.location("host")) for _ in range(2)]
        letters = [Sending("ms", "host", number, 0) for number in range(2)]
        for letter in letters:
            kernel.after(1_000, lambda letter=letter: box.put(letter))  # type: ignore[misc]
        kernel.run()
        assert not [reader.error for reader in readers if reader.error]
        read = [reader.result.payload for reader in readers if reader.result is not None]
        assert len(read) + len(box) == 2


def test_datagrams_may_be_lost_doubled_and_overtaken(kernel: Kernel) -> None:
    network, messages = post(kernel)
    network.set_link("ms", "host", Link(
        one_way_ns=1_000, lost_per_million=200_000, twice_per_million=200_000, late_per_million=200_000))
    ms, host = kernel.location("ms"), kernel.location("host")
    for number in range(200):
        kernel.after(number * 10, lambda number=number: messages.send_datagram(ms, host, number))  # type: ignore[misc]
    kernel.run()
    arrived = read(kernel, messages, "host", len(messages.mailbox(host)))
    lost = sum(sending.outcome == "lost" for sending in messages.log)
    assert 10 < lost < 80
    assert len(arrived) > 200 - lost
    assert arrived != sorted(arrived, key=lambda number: int(str(number)))
    with pytest.raises(ValueError, match="65507"):
        messages.send_datagram(ms, host, "", 65_508)


def test_a_thousand_hosts_cost_nothing_until_they_talk(kernel: Kernel) -> None:
    network, messages = post(kernel)
    ms = kernel.location("ms")
    for number in range(1_000):
        kernel.location(f"host-{number}")
    messages.send(ms, kernel.location("host-7"), "hello")
    kernel.run()
    assert network.plain
    assert len(messages._connections) == 1
    assert len(messages._mailboxes) == 1


def test_the_ledger_says_who_carried_which_bytes(kernel: Kernel) -> None:
    network, messages = post(kernel)
    wire = Wire(kernel, "store")
    ms, host, ssvm = kernel.location("ms"), kernel.location("host"), kernel.location("ssvm")

    def work() -> None:
        wire.call("Put", "bucket/volume", lambda: Answer(None), sent_bytes=100)
        wire.call("Get", "bucket/volume", lambda: Answer(None, body_bytes=70))
        wire.call("Head", "bucket/volume", lambda: Answer(None))

    kernel.run_until_done(kernel.spawn(work, location=host))
    messages.send(host, ssvm, "piece", 30, objects=(("bucket/volume", 25), ("bucket/other", 5)))
    messages.send(ms, host, "do this", 900)
    kernel.run()
    ledger = network.ledger()
    assert ledger.bytes_seen("ms") == 0
    assert ledger.bytes_seen("host", "bucket/volume") == 100 + 70 + 25
    assert ledger.bytes_seen("ssvm", lambda name: name.endswith("other")) == 5
    assert ledger.carriers("bucket/volume") == {"host": 195, "ssvm": 25}
    assert ledger.at("host")[0] == Carried("host", "store", "Put", "bucket/volume", 100, 0)
    assert sum(entry.total_bytes for entry in ledger.sums()) == 100 + 70 + 30 + 30
    assert ledger.sums() == tuple(sorted(ledger.sums()))


def test_a_message_that_did_not_arrive_was_seen_by_its_sender_only(kernel: Kernel) -> None:
    network, messages = post(kernel)
    network.partition("host", "ssvm")
    messages.send(kernel.location("host"), kernel.location("ssvm"), "piece", 9, objects=(("volume", 9),))
    kernel.run_for(2_000 * NS_PER_S)
    assert network.ledger().carriers() == {"host": 9}

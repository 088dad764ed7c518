"""Objects sent to a URL: what arrives, what is refused, and that a success is one."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from storcert.harness.agent.http_output import send
from storcert.harness.agent.transfer import Ticket, TooLate
from storcert.harness.contract import (
    CapacityExceeded,
    DataCorrupted,
    DeviceUnavailable,
    InvalidRequest,
    ObjectExists,
    Outcome,
    PermissionDenied,
    StorageError,
)
from storcert.harness.record.fault import Fault, Phase
from storcert.simulators.http_source import Destination
from tests.harness.agent.conftest import Downloads

TARGET = "http://user:secret@exports.sim/volume?signature=secret"
DATA = bytes(range(256)) * 10_000


class Source(io.BytesIO):
    """Nothing but what an input stream has is used of it."""


class Sender:
    def __init__(self, world: Downloads) -> None:
        self.world = world
        self.ticket = Ticket(10**19, lambda: world.kernel.now_ns)
        self.opened = 0

    def open(self) -> Any:
        self.opened += 1
        return Source(DATA)

    def __call__(self, url: str = TARGET, size_bytes: int = len(DATA), source: Callable[[], Any] | None = None) -> Any:
        def act() -> Any:
            try:
                return send(url, source or self.open, size_bytes, self.ticket, "/volume/1/a")
            except StorageError as error:
                assert "secret" not in error.message
                return error

        return self.world.run(act)


@pytest.fixture
def sender(world: Downloads) -> Iterator[Sender]:
    yield Sender(world)


def accept(sender: Sender, **how: Any) -> Destination:
    user = {"user": "user", "password": "secret"}
    return sender.world.source.accept("http://exports.sim/volume?signature=secret", Destination(**{**user, **how}))


def test_all_of_it_arrives(sender: Sender) -> None:
    place = accept(sender)
    assert sender() == {"size_bytes": len(DATA)}
    assert place.stored is not None and place.stored.read(0, 1 << 30) == DATA
    assert sender.ticket.moved_bytes == len(DATA)
    assert sender() == {"size_bytes": len(DATA)}, "sending may be repeated"


@pytest.mark.parametrize(
    ("how", "error", "outcome", "retryable"),
    [
        ({"refused": 403}, PermissionDenied, Outcome.NOT_DONE, False),
        ({"refused": 409}, ObjectExists, Outcome.NOT_DONE, False),
        ({"refused": 507}, CapacityExceeded, Outcome.NOT_DONE, False),
        ({"refused": 413}, CapacityExceeded, Outcome.NOT_DONE, False),
        ({"refused": 404}, InvalidRequest, Outcome.NOT_DONE, False),
        ({"methods": ()}, InvalidRequest, Outcome.NOT_DONE, False),
        ({"refused": 429}, DeviceUnavailable, Outcome.NOT_DONE, True),
        ({"refused": 503}, DeviceUnavailable, Outcome.UNKNOWN, True),
        ({"keeps_bytes": 10}, DataCorrupted, Outcome.UNKNOWN, True),
        ({"moved_to": "ftp://elsewhere/"}, DeviceUnavailable, Outcome.NOT_DONE, False),
        ({"moved_to": "http://user:secret@exports.sim/volume?signature=secret"}, DeviceUnavailable, Outcome.NOT_DONE, False),
    ],
)
def test_refusals_are_typed(sender: Sender, how: dict[str, Any], error: type, outcome: Outcome, retryable: bool) -> None:
    accept(sender, **how)
    found = sender()
    assert (type(found), found.outcome, found.retryable) == (error, outcome, retryable)


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Fault("cut", "PUT", 1, Phase.DURING, value=1000), Outcome.UNKNOWN), (Fault("request_lost", "PUT", 1), Outcome.UNKNOWN),
        (Fault("answer_lost", "PUT", 1, Phase.AFTER, value=1), Outcome.UNKNOWN),
        (Fault("server_restart", "PUT", 1), Outcome.UNKNOWN), (Fault("internal_error", "PUT", 1), Outcome.UNKNOWN),
    ],
)
def test_what_breaks_on_the_way_may_be_tried_again(sender: Sender, fault: Fault, outcome: Outcome) -> None:
    place = accept(sender)
    sender.world.arm(fault)
    found = sender()
    assert (type(found), found.outcome, found.retryable) == (DeviceUnavailable, outcome, True)
    sender.world.kernel.run_for(10**9)
    assert sender() == {"size_bytes": len(DATA)}
    assert place.stored is not None and place.stored.size_bytes == len(DATA)


def test_nobody_is_there(sender: Sender) -> None:
    accept(sender)
    found = sender("http://nowhere.sim/")
    assert (type(found), found.outcome, found.retryable) == (DeviceUnavailable, Outcome.NOT_DONE, True)
    assert isinstance(sender("http://"), InvalidRequest) and isinstance(sender("ftp://exports.sim/"), InvalidRequest)


def test_a_destination_that_moved_is_followed_and_the_object_read_again(sender: Sender) -> None:
    accept(sender, moved_to="https://other.sim/here")
    place = sender.world.source.accept("https://other.sim/here", Destination(readable=False))
    assert sender() == {"size_bytes": len(DATA)}
    assert sender.opened == 2 and place.stored is not None and place.stored.size_bytes == len(DATA)


@pytest.mark.parametrize("said", [len(DATA) - 1, len(DATA) + 1])
def test_an_object_of_another_size_than_described_is_corrupted(sender: Sender, said: int) -> None:
    place = accept(sender)
    found = sender(size_bytes=said)
    assert isinstance(found, DataCorrupted) and place.stored is None


def test_the_source_fails_with_its_own_error(sender: Sender) -> None:
    class Broken(Source):
        def read(self, n: int | None = -1) -> bytes:
            if self.tell() > 100_000:
                raise DeviceUnavailable("the device is away")
            return super().read(n)

    place = accept(sender)
    found = sender(source=lambda: Broken(DATA * 2), size_bytes=2 * len(DATA))
    assert found.message == "the device is away" and place.stored is None


def test_nothing_is_sent_after_the_deadline_or_once_cancelled(sender: Sender) -> None:
    place = accept(sender)
    sender.ticket.cancelled = True
    assert "cancelled" in sender().message
    sender.ticket = Ticket(0, lambda: sender.world.kernel.now_ns)
    with pytest.raises(TooLate):
        sender()
    assert place.stored is None


def test_what_a_destination_does_not_show_is_believed(sender: Sender) -> None:
    accept(sender, readable=False, keeps_bytes=10)
    assert sender() == {"size_bytes": len(DATA)}

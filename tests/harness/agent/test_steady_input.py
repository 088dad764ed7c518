"""A stream that goes on where it broke: as long as that is of use, and never with other bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from storcert.harness.agent.steady_input import PAUSES_NS, open_steadily
from storcert.harness.agent.transfer import Ticket, TooLate
from storcert.harness.contract import (
    Capabilities,
    DataObjectUri,
    DeviceUnavailable,
    ObjectNotFound,
    Outcome,
    PermissionDenied,
    StorageError,
)

DATA = bytes(range(200))
URI = DataObjectUri.parse("/volume/1/a")


class Driver:
    """Fails with these errors, in turn, at the reads (``None``: no error); opens a stream for each range it is asked for."""

    def __init__(self, errors: Sequence[StorageError | None], *, ranges: bool = True) -> None:
        self._errors = list(errors)
        self._ranges = ranges
        self.opened: list[tuple[int, int | None]] = []
        self.closed = 0

    def capabilities(self) -> Capabilities:
        return Capabilities(range_read=self._ranges)

    def open_input(self, uri: DataObjectUri, offset: int = 0, length: int | None = None) -> Any:
        self.opened.append((offset, length))
        return Stream(self, DATA[offset : None if length is None else offset + length])

    def fail(self) -> None:
        error = self._errors.pop(0) if self._errors else None
        if error is not None:
            raise error


class Stream:
    def __init__(self, driver: Driver, data: bytes) -> None:
        self._driver, self._data = driver, data

    def read(self, n: int = -1) -> bytes:
        self._driver.fail()
        found, self._data = self._data[:50], self._data[50:]
        return found

    def close(self) -> None:
        self._driver.closed += 1


class Clock:
    def __init__(self) -> None:
        self.now_ns = 0
        self.ticket = Ticket(10**12, lambda: self.now_ns)

    def sleep_ns(self, duration_ns: int) -> None:
        self.now_ns += duration_ns


def read(driver: Driver, clock: Clock, offset: int = 0, length: int | None = None) -> bytes:
    found = b""
    stream = open_steadily(driver, URI, clock.ticket, clock.sleep_ns, offset, length)
    try:
        while piece := stream.read(1000):
            found += piece
    finally:
        stream.close()
    return found


AWAY = DeviceUnavailable("away")


def test_it_goes_on_at_the_offset_that_was_reached() -> None:
    driver, clock = Driver([None, AWAY, None, None, AWAY, AWAY]), Clock()
    assert read(driver, clock) == DATA
    assert driver.opened == [(0, None), (50, None), (150, None), (150, None)]
    assert clock.now_ns == PAUSES_NS[0] * 2 + PAUSES_NS[1] and driver.closed >= 3


def test_a_range_stays_a_range() -> None:
    driver, clock = Driver([None, AWAY]), Clock()
    assert read(driver, clock, 20, 120) == DATA[20:140]
    assert driver.opened == [(20, 120), (70, 70)]


def test_it_gives_up_when_nothing_comes() -> None:
    driver, clock = Driver([AWAY] * 100), Clock()
    with pytest.raises(DeviceUnavailable, match="away"):
        read(driver, clock)
    assert len(driver.opened) == 1 + len(PAUSES_NS) and clock.now_ns == sum(PAUSES_NS)


HOPELESS = [PermissionDenied("no"), ObjectNotFound("gone"), DeviceUnavailable("x", None, Outcome.NOT_DONE, False)]


@pytest.mark.parametrize("error", HOPELESS)
def test_what_is_not_to_be_tried_again_is_raised(error: StorageError) -> None:
    driver, clock = Driver([None, error]), Clock()
    with pytest.raises(type(error)):
        read(driver, clock)
    assert len(driver.opened) == 1 and clock.now_ns == 0


def test_without_ranges_an_error_is_an_error() -> None:
    driver, clock = Driver([None, AWAY], ranges=False), Clock()
    with pytest.raises(DeviceUnavailable):
        read(driver, clock)
    assert driver.opened == [(0, None)]


def test_nothing_is_tried_after_the_deadline_or_once_cancelled() -> None:
    driver, clock = Driver([AWAY] * 9), Clock()
    clock.ticket.deadline_ns = PAUSES_NS[0]
    with pytest.raises(TooLate):
        read(driver, clock)
    clock = Clock()
    clock.ticket.cancelled = True
    with pytest.raises(DeviceUnavailable, match="cancelled"):
        read(Driver([AWAY] * 9), clock)

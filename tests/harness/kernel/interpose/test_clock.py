"""Virtual time behind ``time`` and ``datetime``."""

from __future__ import annotations

import datetime
import time
from typing import Any

import pytest

START = 1_700_000_000


def test_clocks_agree_and_sleeping_moves_them(world: Any) -> None:
    def driver() -> list[Any]:
        first = time.monotonic()
        time.sleep(1.5)
        return [
            time.time(), time.time_ns(), time.monotonic() - first, time.perf_counter_ns() - time.monotonic_ns(),
            datetime.datetime.now(), datetime.datetime.now(datetime.UTC).timestamp(), datetime.datetime.today(),
            datetime.date.today(), time.gmtime()[:6], time.localtime()[:6], time.ctime(), time.asctime(),
            time.strftime("%H:%M:%S"),
        ]

    real = time.perf_counter()
    moment = datetime.datetime(2023, 11, 14, 22, 13, 21, 500_000)
    assert world.run(driver) == [
        START + 1.5, (START * 10 + 15) * 10**8, 1.5, 0,
        moment, START + 1.5, moment, moment.date(), (2023, 11, 14, 22, 13, 21), (2023, 11, 14, 22, 13, 21),
        "Tue Nov 14 22:13:21 2023", "Tue Nov 14 22:13:21 2023", "22:13:21",
    ]
    assert time.perf_counter() - real < 1


def test_outside_a_location_the_clock_is_real(world: Any) -> None:
    assert time.time() > START + 10**7
    assert datetime.datetime.now().year >= 2024
    assert abs(datetime.datetime.now().timestamp() - time.time()) < 5


def test_monotonic_starts_again_after_a_restart(world: Any) -> None:
    def late() -> float:
        time.sleep(1000)
        return time.monotonic()

    before = world.run(late)
    assert before >= 1000
    world.here.restart()
    assert world.run(time.monotonic) == before - 1000


@pytest.mark.parametrize("seconds, error", [(-1, ValueError), (-0.5, ValueError), ("1", TypeError), (float("nan"), ValueError)])
def test_sleep_refuses_what_the_real_one_refuses(world: Any, seconds: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        world.run(time.sleep, seconds)
    with pytest.raises(error):
        time.sleep(seconds)


def test_a_loop_that_polls_the_clock_ends(world: Any) -> None:
    def busy() -> float:
        end = time.monotonic() + 600
        while time.monotonic() < end:
            pass
        return time.time()

    assert START + 600 <= world.run(busy) < START + 1300


def test_time_zone_of_a_location_is_utc(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        naive = datetime.datetime(2020, 1, 1)
        assert world.run(naive.timestamp) == 1_577_836_800
        assert naive.timestamp() == 1_577_836_800 - 9 * 3600
        assert world.run(datetime.datetime.fromtimestamp, 0) == datetime.datetime(1970, 1, 1)
        assert world.run(naive.astimezone).utcoffset() == datetime.timedelta(0)
        assert world.run(time.mktime, (2020, 1, 1, 0, 0, 0, 0, 0, 0)) == 1_577_836_800
        assert world.run(time.localtime, 0)[:5] == (1970, 1, 1, 0, 0)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_datetime_stays_the_class_it_is(world: Any) -> None:
    class Moment(datetime.datetime):
        pass

    assert type(world.run(datetime.datetime.now)) is datetime.datetime
    assert type(world.run(Moment.now)) is Moment
    assert type(world.run(Moment.utcnow)) is Moment
    assert world.run(Moment.now, datetime.UTC).tzinfo is datetime.UTC
    assert world.run(datetime.datetime.now, tz_plus_two()).hour == 0  # 22:13 UTC


def tz_plus_two() -> datetime.tzinfo:
    return datetime.timezone(datetime.timedelta(hours=2))

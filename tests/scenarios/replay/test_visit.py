"""A run is gone through event by event, forward and back, and stays the run it is."""

from __future__ import annotations

import pytest

from storcert.scenarios.format.read import loads
from storcert.scenarios.moment import device_there, location_there, places_of, wires_of
from storcert.scenarios.region import Region
from storcert.scenarios.replay import Case, Left, again, visit
from tests.scenarios.replay.cases import CRASHED, busy, caught, crashed, on_defect


@pytest.mark.parametrize("case", [crashed(), on_defect()], ids=["healthy", "on defect"])
def test_who_stops_after_every_event_sees_the_run_as_it_is(case: Case) -> None:
    result = again(case)
    seen: list[tuple[int, str]] = []

    def look(region: Region, number: int) -> int:
        assert len(region.kernel.journal) == number
        for place in places_of(region):
            location_there(region, place)
        for wire in wires_of(region):
            device_there(region, wire)
        seen.append((number, region.kernel.digest()))
        return number + 1

    assert not visit(case, 1, look)
    numbers = [number for number, _ in seen]
    assert numbers == sorted(numbers) and numbers[-1] == len(result.shown.events)
    assert len(set(numbers)) > len(result.shown.events) / 2
    assert seen[-1][1] == result.digest, "looking has changed the run"


def test_it_stops_after_that_event_and_runs_no_further() -> None:
    case = crashed()
    events = again(case).shown.events
    number = next(number for number, event in enumerate(events, 1) if event.kind == "crash")

    def look(region: Region, reached: int) -> None:
        assert region.kernel.journal.events == events[:reached]
        assert events[reached - 1].time_ns == region.kernel.now_ns == events[number - 1].time_ns
        assert not region.kernel.locations["z1-ssvm1"].alive

    assert visit(case, number, look)


def test_going_back_is_going_there_again() -> None:
    case, seen = busy(), []

    def look(region: Region, number: int) -> None:
        seen.append((number, region.kernel.digest(), [repr(task) for task in region.kernel.tasks]))

    for number in (700, 200, 700, 200):
        visit(case, number, look)
    assert seen[0] == seen[2] != seen[1] == seen[3]


def test_past_the_end_it_stops_at_the_end() -> None:
    case = crashed()
    last = len(again(case).shown.events)
    reached: list[int] = []
    assert visit(case, 10**9, lambda _, number: reached.append(number))
    assert reached == [last]


def test_it_can_be_left_at_any_moment_and_other_errors_come_through() -> None:
    def enough(region: Region, number: int) -> None:
        raise Left

    def wrong(region: Region, number: int) -> None:
        raise LookupError("seen something")

    assert visit(crashed(), 50, enough)
    with pytest.raises(LookupError, match="seen something"):
        visit(crashed(), 50, wrong)


def test_a_case_is_one_run() -> None:
    regression = caught()
    healthy, planted = Case.of(regression, 1), Case.of(regression, 1, on_defect=True)
    assert again(healthy).planted is None and again(healthy).played is not None
    assert again(planted).played is None and again(planted).planted is not None
    with pytest.raises(ValueError, match="names no defect"):
        Case.of(loads(CRASHED, name="own"), 1, on_defect=True)


def test_a_run_that_is_cut_short_is_cut_short_again() -> None:
    case = Case.of(loads(CRASHED, name="short"), 1, 10**9)
    result = again(case)
    assert result.shown.lasted_ns == 10**9
    digests: list[str] = []
    visit(case, 10**9, lambda region, _: digests.append(region.kernel.digest()))
    assert digests == [result.digest]

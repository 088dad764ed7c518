"""What becomes of the place of a world that is over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storcert.conformance.live_targets import places
from storcert.conformance.live_targets.target import Reached
from storcert.conformance.live_targets.targets import TARGETS
from storcert.harness.contract import JsonValue
from storcert.simulators.device import CensusEntry

REACHED = Reached("live:radosgw", {})


class OnePlace:
    """Says whether it was taken away."""

    def __init__(self) -> None:
        self.configuration: dict[str, JsonValue] = {}
        self.gone = False

    def census(self) -> tuple[CensusEntry, ...]:
        return ()

    def remove(self) -> None:
        self.gone = True


@pytest.mark.parametrize(("something", "gone"), [(None, True), (True, True), (False, False)])
def test_only_a_place_that_was_seen_empty_stays(something: bool | None, gone: bool) -> None:
    place = OnePlace()
    places.leave(REACHED, place, something=something)
    assert place.gone is gone


def test_where_taking_away_is_cheap_an_empty_place_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = {**TARGETS, REACHED.target: replace(TARGETS[REACHED.target], empty_stay=False)}
    monkeypatch.setattr(places, "TARGETS", kinds)
    place = OnePlace()
    places.leave(REACHED, place, something=False)
    assert place.gone

"""The state machine of a placement: no dead ends, and the table in the docs is made of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from storcert.harness.logical.states import TRANSITIONAL, TRANSITIONS, Event, IllegalTransition, State, after
from tests.docs.scripts import script_of

ROOT = Path(__file__).resolve().parents[3]


def _reachable(start: State) -> set[State]:
    found, due = {start}, [start]
    while due:
        state = due.pop()
        for (before, _), then in TRANSITIONS.items():
            if before is state and then not in found:
                found.add(then)
                due.append(then)
    return found


def test_every_state_is_reached_and_left_for_good() -> None:
    assert _reachable(State.ABSENT) == set(State)
    for state in State:
        assert State.ABSENT in _reachable(state), f"{state} is a dead end"


@pytest.mark.parametrize("state", sorted(State))
def test_what_exists_can_always_be_destroyed(state: State) -> None:
    """Directly, or after the one event that ends the transitional state."""
    if state is State.ABSENT:
        return
    path = state if (state, Event.DESTROY) in TRANSITIONS else after(state, Event.FAIL)
    assert after(path, Event.DESTROY) is State.DESTROYING


@pytest.mark.parametrize("state", sorted(TRANSITIONAL - {State.ALLOCATED}))
def test_transitional_states_end_well_and_badly(state: State) -> None:
    good = after(state, Event.SUCCEED)
    bad = after(state, Event.REFUSE if state is State.DESTROYING else Event.FAIL)
    assert good not in TRANSITIONAL and bad not in TRANSITIONAL


def test_a_failed_making_never_becomes_ready() -> None:
    assert after(State.CREATING, Event.FAIL) is State.FAILED
    assert (State.FAILED, Event.SUCCEED) not in TRANSITIONS and (State.FAILED, Event.CREATE) not in TRANSITIONS


def test_an_edge_that_is_none_is_refused() -> None:
    with pytest.raises(IllegalTransition, match="ready cannot create"):
        after(State.READY, Event.CREATE)


def test_the_page_is_of_the_machine_as_it_is() -> None:
    script = script_of("make_states")
    assert script.page() == script.PAGE.read_text(encoding="utf-8"), "run: python docs/make_states.py"

"""Which of two calls certainly came first, also inside one instant."""

from __future__ import annotations

import pytest

from storcert.harness.checkers.precedence import NEVER, Calls, Timed, calls_of


def before(calls: Calls, one: int, other: int) -> bool:
    return calls.ends[one] < calls.begins[other] or one in calls.needs.get(other, ())


def test_only_what_returned_before_the_call_is_before_it() -> None:
    calls = calls_of([Timed("p", 0, 2), Timed("q", 1, 3), Timed("r", 3, 4)])
    assert before(calls, 0, 2)
    assert not before(calls, 1, 2), "they meet at an instant"
    assert not before(calls, 0, 1) and not before(calls, 2, 0)


def test_an_unknown_outcome_is_before_nothing() -> None:
    calls = calls_of([Timed("p", 0, None), Timed("p", 5, 6)])
    assert calls.ends[0] == NEVER and not before(calls, 0, 1)


@pytest.mark.parametrize("others", [[], [Timed("q", 5, 5)], [Timed("q", 1, 5)], [Timed("q", 5, 9)]])
def test_what_one_process_asks_next_comes_after_its_answer(others: list[Timed]) -> None:
    timed = sorted([Timed("p", 0, 5), Timed("p", 5, 5), Timed("p", 5, 8), *others], key=lambda one: one.begin_ns)
    own = [number for number, one in enumerate(timed) if one.process == "p"]
    calls = calls_of(timed)
    assert not calls.needs
    assert before(calls, own[0], own[1]) and before(calls, own[1], own[2]) and before(calls, own[0], own[2])
    for number, one in enumerate(timed):
        if one.process == "q":
            assert not any(before(calls, number, mine) or before(calls, mine, number) for mine in own)


def test_where_two_processes_ask_on_at_one_instant_what_comes_first_is_told_call_by_call() -> None:
    calls = calls_of([Timed("p", 0, 5), Timed("q", 0, 5), Timed("p", 5, 6), Timed("q", 5, 6)])
    assert calls.needs == {2: (0,), 3: (1,)}
    assert not before(calls, 0, 3) and not before(calls, 1, 2)


def test_pieces_of_one_question_have_no_order() -> None:
    calls = calls_of([Timed("p", 0, 5), Timed("p", 5, 5, "look"), Timed("p", 5, 5, "look"), Timed("p", 5, 5, "other")])
    assert not before(calls, 1, 2) and not before(calls, 2, 1)
    assert before(calls, 0, 1) and before(calls, 0, 2) and before(calls, 2, 3)


def test_a_part_keeps_its_moments_and_needs() -> None:
    calls = Calls([0, 1, 2], [3, 4, 5], {2: (1,)})
    assert calls.only([1, 2]) == Calls([1, 2], [4, 5], {1: (0,)})

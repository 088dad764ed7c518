"""The few operations that have no order, whatever became of the others; each of them is needed."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest

from storcert.harness.checkers.linearizability import linearize
from storcert.harness.checkers.reference_model import observes
from storcert.harness.checkers.smallest import Core, smallest
from storcert.harness.record.history import Operation, Status
from tests.harness.checkers.brute_force import generate, has_an_order, spoil
from tests.harness.checkers.test_linearizability import op, read, write


def core(*history: Operation) -> Core:
    return smallest(linearize(history))


def test_a_stale_read_and_what_it_should_have_seen() -> None:
    made, gone, stale = write("p", (0, 1), "x"), op("p", "delete", (2, 3)), read("q", (4, 5), "x")
    others = [read("r", (0, 9), "x"), op("r", "describe", (1, 2), result=3), write("s", (6, 7), "y")]
    found = core(made, gone, stale, *others)
    assert found.operations == (made, gone, stale)
    assert (found.stuck, found.order, found.left_out, found.minimal) == (stale, (made, gone), 3, True)


def test_two_winners() -> None:
    one, other = write("p", (0, 5), "x"), write("q", (1, 4), "y")
    found = core(one, other, read("r", (6, 7), "x"), op("r", "delete", (8, 9)))
    assert set(found.operations) == {one, other}


def test_a_write_is_not_left_out_where_it_could_explain_what_was_seen() -> None:
    """Without the write nobody would have made what the read saw; that is not what is wrong here."""
    made, gone = write("p", (0, 1), "x"), op("p", "delete", (2, 3))
    lost = write("q", (4, 5), "x", Status.UNKNOWN)
    assert linearize([made, gone, lost, read("r", (6, 7), "x"), read("r", (8, 9), "x")]).legal is True
    seen, again, stale = read("r", (8, 9), "x"), op("r", "delete", (10, 11)), read("s", (12, 13), "x")
    found = core(made, gone, lost, read("r", (6, 7)), seen, again, stale)
    assert (found.stuck, seen in found.operations, again in found.operations) == (stale, True, True)


def test_what_came_after_does_not_matter() -> None:
    early = read("q", (0, 1), "x")
    found = core(early, write("p", (5, 6), "x"), op("p", "delete", (7, 8)), write("p", (9, 10), "x"))
    assert found.operations == (early,) and found.left_out == 3


def test_only_a_history_without_an_order_has_a_core() -> None:
    with pytest.raises(ValueError, match="without an order"):
        core(write("p", (0, 1), "x"))


def test_blocks_of_a_volume() -> None:
    made = write("p", (0, 1), "base")
    blocks = [op("p", "pwrite-block", (2, 3), value=(block, "one")) for block in range(4)]
    looks = [op("q", "peek", (4, 5), value=block, result=frozenset({"one" if block else "base"})) for block in range(4)]
    found = core(made, *blocks, *looks)
    assert found.operations == (blocks[0], looks[0]) or found.operations == (made, blocks[0], looks[0])
    assert found.stuck is looks[0] and found.order


def test_on_many_histories_the_core_has_no_order_and_each_of_it_is_needed() -> None:
    stream = random.Random("cores")
    sizes: Counter[int] = Counter()
    while sum(sizes.values()) < 60:
        history = spoil(stream, generate(stream, 6))
        answer = linearize(history)
        if answer.legal:
            continue
        found = smallest(answer)
        sizes[len(found.operations)] += 1
        assert found.minimal and any(one is found.stuck for one in found.operations)
        for left_out in (None, *found.operations):
            kept = [one for one in found.operations if one is not left_out]
            weakened = [
                replace(one, status=Status.UNKNOWN, return_ns=None, error="")
                for one in answer.part
                if not any(one is other for other in kept) and not observes(one)
            ]
            assert has_an_order(sorted([*kept, *weakened], key=lambda one: one.invoke_ns)) is (left_out is not None)
    assert max(sizes) > 2 and min(sizes) == 1


def test_the_same_history_has_the_same_core() -> None:
    stream = random.Random("again")
    history = spoil(stream, generate(stream, 6))
    while linearize(history).legal:
        history = spoil(stream, generate(stream, 6))
    assert core(*history) == core(*history)

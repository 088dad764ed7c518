"""The search for an order, on registers: against an oracle that tries every permutation, and on the classics."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Sequence

import pytest

from storcert.harness.checkers.precedence import NEVER, Calls
from storcert.harness.checkers.registers import Access, Zones, judge_unique, step_of
from storcert.harness.checkers.search import Order, find_order

SAMPLE, ALL = 600, 10_000


def searched(history: Sequence[Access], tries_max: int = 10**6) -> Order:
    calls = Calls([one.begin for one in history], [one.end for one in history])
    return find_order(calls, [not one.writes for one in history], step_of(history), None, tries_max)


def has_an_order(history: Sequence[Access]) -> bool:
    """Every subset of what may never have happened, and every permutation, by the definition alone."""
    surely = [one for one in history if one.end != NEVER]
    perhaps = [one for one in history if one.end == NEVER and one.writes]
    return any(
        _is_an_order(order)
        for count in range(len(perhaps) + 1)
        for chosen in itertools.combinations(perhaps, count)
        for order in itertools.permutations([*surely, *chosen])
    )


def _is_an_order(order: Sequence[Access]) -> bool:
    value = None
    for at, one in enumerate(order):
        if any(later.end < one.begin for later in order[at + 1 :]):
            return False
        if one.writes:
            value = one.value
        elif one.value != value:
            return False
    return True


def drawn(stream: random.Random, operations: int, *, unique: bool, unknown: float = 0.15) -> list[Access]:
    """A history of up to four clients on one register, most of it as if it had really happened."""
    free = [0] * stream.randint(2, 4)
    plans = []
    for number in range(operations):
        client = stream.randrange(len(free))
        begin = free[client] + stream.randint(0, 3)
        end = begin + stream.randint(0, 6)
        free[client] = end + 1
        plans.append((begin, end, stream.uniform(begin, end), number))
    value: object = None
    history = []
    for begin, end, _, number in sorted(plans, key=lambda plan: plan[2]):
        end = NEVER if stream.random() < unknown else end
        if stream.random() < 0.45:
            written = number if unique else stream.randrange(3)
            value = written if end != NEVER or stream.random() < 0.5 else value
            history.append(Access(True, written, begin, end))
        else:
            seen = value if stream.random() < 0.65 else stream.choice((None, *range(operations if unique else 3)))
            history.append(Access(False, seen, begin, end))
    return sorted(history, key=lambda one: one.begin)


def agreed(count: int, *, unique: bool) -> Counter[bool]:
    stream = random.Random(f"registers {unique}")
    seen: Counter[bool] = Counter()
    for _ in range(count):
        history = drawn(stream, stream.randint(1, 6), unique=unique)
        expected = has_an_order(history)
        found = searched(history)
        assert found.legal is expected, history
        if unique:
            assert judge_unique(history).legal is expected, history
        seen[expected] += 1
    assert min(seen[True], seen[False]) > count // 5, "the comparison must see both kinds"
    return seen


@pytest.mark.parametrize("unique", [False, True])
def test_no_disagreement_with_every_permutation(unique: bool) -> None:
    agreed(SAMPLE, unique=unique)


@pytest.mark.slow
@pytest.mark.parametrize("unique", [False, True])
def test_no_disagreement_with_every_permutation_at_length(unique: bool) -> None:
    agreed(ALL, unique=unique)


def test_search_and_zones_agree_on_long_histories() -> None:
    stream = random.Random("long registers")
    seen: Counter[bool | None] = Counter()
    for number in range(250):
        history = really(stream, 60) if number % 2 else drawn(stream, 60, unique=True, unknown=0.05)
        found = searched(history).legal
        assert found is judge_unique(history).legal, history
        assert found or number % 2 == 0
        seen[found] += 1
    assert min(seen[True], seen[False]) > 100


def really(stream: random.Random, operations: int) -> list[Access]:
    """A history that really happened."""
    history, value = [], None
    for number in range(operations):
        begin, end = 4 * number - stream.randint(0, 12), 4 * number + stream.randint(1, 12)
        if stream.random() < 0.5:
            value = number
        history.append(Access(value == number, value, begin, end))
    return sorted(history, key=lambda one: one.begin)


class TestConflicts:
    """What the zones say is in conflict is, on its own."""

    def test_each_conflict_has_no_order_by_itself(self) -> None:
        stream = random.Random("conflicts")
        found = 0
        while found < 300:
            history = drawn(stream, 12, unique=True)
            answer = judge_unique(history)
            if answer.legal:
                continue
            found += 1
            alone = [history[number] for number in answer.conflict]
            assert len(alone) <= 6 and has_an_order(alone) is False, (history, alone)

    def test_a_read_of_what_was_never_written(self) -> None:
        assert judge_unique([Access(False, "x", 0, 1)]) == Zones(False, (0,))
        assert judge_unique([Access(False, "x", 0, 1), Access(True, "x", 2, 3)]) == Zones(False, (0, 1))

    def test_a_value_written_twice_is_for_the_search(self) -> None:
        twice = [Access(True, "x", 0, 1), Access(True, "x", 2, 3)]
        assert judge_unique(twice).legal is None
        assert searched(twice).legal is True
        assert judge_unique([Access(True, "first", 0, 1)], "first").legal is None


class TestClassics:
    @staticmethod
    def legal(*history: Access) -> bool | None:
        ordered = sorted(history, key=lambda one: one.begin)
        answer = searched(ordered).legal
        assert answer is judge_unique(ordered).legal is has_an_order(ordered)
        return answer

    def test_stale_read(self) -> None:
        writes = [Access(True, 1, 0, 1), Access(True, 2, 2, 3)]
        assert self.legal(*writes, Access(False, 1, 4, 5)) is False
        assert self.legal(writes[0], Access(True, 2, 2, 6), Access(False, 1, 4, 5)) is True

    def test_lost_update(self) -> None:
        """Somebody saw the second write, and then it is as if it had never been."""
        writes = [Access(True, 1, 0, 1), Access(True, 2, 2, 9)]
        assert self.legal(*writes, Access(False, 2, 3, 4), Access(False, 1, 5, 6)) is False
        assert self.legal(*writes, Access(False, 1, 3, 4), Access(False, 2, 5, 6)) is True

    def test_split_brain(self) -> None:
        """Two sides, each sees its own writer's value first and then the other's."""
        writes = [Access(True, 1, 0, 1), Access(True, 2, 0, 1)]
        sides = [Access(False, 1, 2, 3), Access(False, 2, 4, 5), Access(False, 1, 6, 7)]
        assert self.legal(*writes, *sides[:2]) is False
        assert self.legal(*writes, sides[0], sides[2]) is True
        at_once = [Access(False, 1, 2, 9), Access(False, 2, 2, 9)]
        assert self.legal(*writes, *at_once) is False
        assert self.legal(writes[0], Access(True, 2, 0, 9), *at_once) is True

    def test_an_unknown_write_that_surfaces_later(self) -> None:
        lost, before = Access(True, 1, 0, NEVER), Access(False, None, 10, 11)
        assert self.legal(lost, before, Access(False, 1, 20, 21)) is True
        assert self.legal(lost, before, Access(False, 1, 20, 21), Access(False, None, 30, 31)) is False

    def test_an_unknown_write_that_never_happens(self) -> None:
        lost = Access(True, 1, 0, NEVER)
        assert self.legal(lost, Access(False, None, 10, 11), Access(True, 2, 12, 13), Access(False, 2, 14, 15)) is True

    def test_an_unknown_read_says_nothing(self) -> None:
        assert self.legal(Access(False, "never written", 0, NEVER), Access(True, 1, 2, 3)) is True


class TestTheSearch:
    def test_the_order_found_is_one(self) -> None:
        stream = random.Random("orders")
        for _ in range(200):
            history = drawn(stream, 8, unique=False)
            found = searched(history)
            if found.legal:
                assert _is_an_order([history[number] for number in found.calls])
                assert len(set(found.calls)) == len(found.calls)

    def test_up_to_the_stuck_answer_there_is_none_and_to_no_earlier_one(self) -> None:
        stream = random.Random("stuck")
        seen = 0
        while seen < 100:
            history = drawn(stream, 7, unique=False)
            found = searched(history)
            if found.legal:
                continue
            seen += 1
            limit = history[found.stuck].end
            until = [one if one.end < limit else one._replace(end=NEVER) for one in history if one.begin <= limit]
            assert searched(until).legal is True
            until = [one if one.end <= limit else one._replace(end=NEVER) for one in history if one.begin <= limit]
            assert searched(until).legal is False

    def test_the_limit_is_kept(self) -> None:
        hard = [Access(True, number, 0, 100) for number in range(14)] + [Access(False, "never", 1, 2)]
        found = searched(hard, tries_max=500)
        assert found.legal is None and found.stuck == -1
        assert 500 < found.tries < 600

    def test_needs_are_kept(self) -> None:
        history = [Access(True, 1, 0, 9), Access(True, 2, 0, 9), Access(False, 1, 10, 11)]
        calls = Calls([0, 0, 10], [9, 9, 11], {1: (0,)})
        watching = [False, False, True]
        assert searched(history).legal is True
        assert find_order(calls, watching, step_of(history), None, 1000).legal is False
        calls = Calls([0, 0, 10], [9, 9, 11], {0: (1,)})
        assert find_order(calls, watching, step_of(history), None, 1000).legal is True

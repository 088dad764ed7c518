"""Order numbers: unique, within 64 bits, decided by the seed."""

from __future__ import annotations

import itertools

import pytest

from storcert.harness.kernel.tie_break import NORMAL_BASE, URGENT_BASE, normal_orders, of_priority


def test_seeded_orders_are_unique_and_of_normal_priority() -> None:
    orders = list(itertools.islice(normal_orders(5, "seeded"), 100_000))
    assert len(set(orders)) == len(orders)
    assert all(NORMAL_BASE <= order < 2 * NORMAL_BASE for order in orders)


def test_they_prefer_nobody() -> None:
    orders = list(itertools.islice(normal_orders(5, "seeded"), 100_000))
    earlier_first = sum(first < second for first, second in itertools.pairwise(orders))
    assert 0.49 < earlier_first / len(orders) < 0.51


def test_seeds_give_other_orders() -> None:
    first, second, again = (list(itertools.islice(normal_orders(seed, "seeded"), 50)) for seed in (1, 2, 1))
    assert first == again != second


def test_first_come_counts_up() -> None:
    orders = list(itertools.islice(normal_orders(5, "fifo"), 50))
    assert orders == list(range(NORMAL_BASE, NORMAL_BASE + 50))


def test_priorities_never_overlap() -> None:
    for order in itertools.islice(normal_orders(5, "seeded"), 1_000):
        ladder = [of_priority(order, priority) for priority in range(-1, 14)]
        assert ladder == sorted(ladder) and ladder[0] >= 0 and ladder[-1] < 1 << 64
        assert ladder[0] < URGENT_BASE <= ladder[1] < NORMAL_BASE <= ladder[2]


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(ValueError, match="tie_break must be"):
        normal_orders(1, "lifo")  # type: ignore[arg-type]

"""Byte ranges and the page cache of one file, held to a plain model: a set of numbers, an array of bytes."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storcert.simulators.nfs.page_cache import PageCache
from storcert.simulators.nfs.page_cache_ranges import Ranges

STEPS = st.lists(st.tuples(st.booleans(), st.integers(0, 60), st.integers(0, 20)), max_size=30)


@given(STEPS, st.integers(0, 70), st.integers(0, 70))
def test_ranges_are_sets_of_numbers(steps: list[tuple[bool, int, int]], low: int, high: int) -> None:
    ranges, model = Ranges(), set[int]()
    for adds, start, length in steps:
        span = range(start, start + length)
        if adds:
            ranges.add(start, start + length)
            model.update(span)
        else:
            ranges.discard(start, start + length)
            model.difference_update(span)
        found = list(ranges)
        assert {number for begin, end in found for number in range(begin, end)} == model
        assert all(begin < end for begin, end in found)
        assert all(one[1] < two[0] for one, two in itertools.pairwise(found)), "they never touch"
        assert (ranges.total, ranges.end, bool(ranges)) == (len(model), max(model, default=-1) + 1, bool(model))
    missing = {number for begin, end in ranges.missing(low, high) for number in range(begin, end)}
    assert missing == set(range(low, high)) - model


@pytest.mark.parametrize("seed", range(20))
def test_what_is_owed_is_what_the_server_does_not_have_for_good(seed: int) -> None:
    """Writes, sends, commits and restarts at random: in the end the server has every byte, whatever it forgot."""
    draw = random.Random(seed)
    cache, mine = PageCache(), bytearray(200)
    safe, memory, verifier = bytearray(200), bytearray(200), b"one"
    for step in range(200):
        what = draw.choice(("write", "write", "send", "commit", "restart"))
        if what == "write":
            start = draw.randrange(180)
            data = draw.randbytes(draw.randrange(1, 20))
            mine[start : start + len(data)] = data
            cache.put(start, data, dirty=True)
        elif what == "send":
            cache.sending, cache.dirty = cache.dirty, cache.sending
            for start, end in cache.sending:
                memory[start:end] = cache.read(start, end)
                cache.sent(start, end, verifier)
        elif what == "commit" and cache.unstable:
            safe[:] = memory
            cache.committed(verifier)
        elif what == "restart":
            memory[:] = safe
            verifier = f"{step}".encode()
    while cache.owed:
        cache.sending, cache.dirty = cache.dirty, cache.sending
        for start, end in cache.sending:
            memory[start:end] = cache.read(start, end)
            cache.sent(start, end, verifier)
        safe[:] = memory
        cache.committed(verifier)
    assert safe == mine
    assert cache.errors == 0


def test_bytes_from_the_server_never_replace_what_is_owed_to_it() -> None:
    cache = PageCache()
    cache.put(2, b"mine", dirty=True)
    cache.put(0, b"theirs!!", dirty=False)
    assert cache.read(0, 8) == b"thmine!!"
    cache.forget_clean()
    assert cache.missing(0, 8) == [(0, 2), (6, 8)]


def test_lost_bytes_are_dropped_unless_they_were_written_anew() -> None:
    cache = PageCache()
    cache.put(0, b"aaaaaaaa", dirty=True)
    cache.sending, cache.dirty = cache.dirty, cache.sending
    cache.put(4, b"bb", dirty=True)
    cache.lose(0, 8, 28)
    assert (list(cache.dirty), cache.missing(0, 8)) == ([(4, 6)], [(0, 4), (6, 8)])
    assert (cache.errors, cache.error, cache.owed) == (1, 28, True)


def test_a_shorter_file_owes_less() -> None:
    cache = PageCache()
    cache.put(0, b"x" * 10, dirty=True)
    cache.cut(4)
    assert (cache.end, cache.read(0, 6)) == (4, b"xxxx\0\0")

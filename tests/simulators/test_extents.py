"""Sparse contents against a plain bytearray, and what they cost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storcert.simulators.extents import Extents

SIZES = st.integers(0, 300)
DATA = st.one_of(
    st.binary(max_size=40),
    st.integers(0, 60).map(bytes),
    st.builds(lambda unit, times: unit * times, st.binary(max_size=3), st.integers(0, 20)),
)
MOVES = st.one_of(
    st.tuples(st.just("write"), SIZES, DATA),
    st.tuples(st.just("fill"), SIZES, DATA),
    st.tuples(st.just("zero"), SIZES, SIZES),
    st.tuples(st.just("truncate"), SIZES, st.just(0)),
)


def _apply(extents: Extents, plain: bytearray, move: tuple[str, int, bytes | int]) -> None:
    verb, at, what = move
    if isinstance(what, bytes):
        if verb == "fill":
            length = 3 * len(what) // 2
            extents.fill(at, length, what)
            what = (what * 2)[:length]
        else:
            extents.write(at, what)
        if what:
            plain.extend(bytes(max(0, at + len(what) - len(plain))))
            plain[at : at + len(what)] = what
    elif verb == "zero":
        extents.zero(at, what)
        end = min(at + what, len(plain))
        if at < end:
            plain[at:end] = bytes(end - at)
    else:
        extents.truncate(at)
        del plain[at:]
        plain.extend(bytes(at - len(plain)))


@given(st.lists(MOVES, max_size=12), st.lists(MOVES, max_size=4), st.lists(st.tuples(SIZES, SIZES), max_size=4))
def test_behaves_as_a_bytearray_and_so_does_its_copy(
    moves: list[tuple[str, int, bytes | int]], later: list[tuple[str, int, bytes | int]], ranges: list[tuple[int, int]]
) -> None:
    extents, plain = Extents(), bytearray()
    for move in moves:
        _apply(extents, plain, move)
    copied, before = extents.copy(), bytes(plain)
    for move in later:
        _apply(extents, plain, move)
    assert extents.read(0, 1000) == bytes(plain) and extents.size_bytes == len(plain)
    assert copied.read(0, 1000) == before and copied.size_bytes == len(before)
    for offset, length in ranges:
        assert extents.read(offset, length) == bytes(plain[offset : offset + length])


@given(st.sampled_from((b"\x07", bytes(range(256)) * 2, bytes(range(128)) * 32)), st.integers(0, 20_000), st.integers(0, 9000))
def test_a_pattern_is_one_period_wherever_it_is_cut(unit: bytes, cut: int, length: int) -> None:
    data = unit * (24_576 // len(unit))
    extents, plain = Extents(data), bytearray(data)
    extents.write(cut, b"x" * length)
    plain[cut : cut + length] = b"x" * length
    assert extents.read(0, len(plain)) == bytes(plain)
    assert sum(len(piece[2]) for piece in extents._pieces) <= 2 * len(unit) + 8192


def test_zeros_cost_nothing() -> None:
    extents = Extents()
    extents.truncate(1 << 40)
    extents.write(1 << 39, bytes(1 << 20))
    assert extents.allocated_bytes == 0 and extents._pieces == ()
    assert extents.read((1 << 39) - 1, 4) == bytes(4)


@pytest.mark.parametrize("data", [b"", b"abc", bytes(10)])
def test_starts_with_its_data(data: bytes) -> None:
    assert Extents(data).read(0, 100) == data and Extents(data).size_bytes == len(data)

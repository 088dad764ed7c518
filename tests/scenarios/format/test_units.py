"""Durations, sizes and rates: read, written, and refused with a hint."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storcert.scenarios.format import units


@pytest.mark.parametrize(
    ("text", "duration_ns"),
    [
        ("250 ms", 250_000_000), ("5min", 300 * 10**9), ("1 h 30 min", 5400 * 10**9), ("1.5 s", 1_500_000_000), ("0 s", 0),
        (7, 7),
    ],
)
def test_durations(text: object, duration_ns: int) -> None:
    assert units.parse_duration(text) == duration_ns


@pytest.mark.parametrize(("text", "size_bytes"), [("10 GiB", 10 << 30), ("1.5 kB", 1500), ("64KiB", 65536), (3, 3)])
def test_sizes(text: object, size_bytes: int) -> None:
    assert units.parse_size(text) == size_bytes


@pytest.mark.parametrize(("text", "every_ns"), [("20/s", 50_000_000), ("3 / min", 20 * 10**9), ("1/250 ms", 250_000_000)])
def test_rates(text: str, every_ns: int) -> None:
    assert units.parse_rate(text) == every_ns


@pytest.mark.parametrize("value", ["", "5", "five ms", "5 mss", "-5 s", "1e3 s", "0.5 ns", True, 1.5, None, -1, "5 ms,", [1]])
def test_what_is_no_duration(value: object) -> None:
    with pytest.raises(ValueError, match=r"duration|whole number|too large"):
        units.parse_duration(value)


@pytest.mark.parametrize("value", ["20", "0/s", "s", "20/", "20/x", "/s", 20, "20/0 s"])
def test_what_is_no_rate(value: object) -> None:
    with pytest.raises(ValueError, match=r"rate|duration"):
        units.parse_rate(value)


@given(st.integers(0, units.MAX))
def test_what_is_written_is_read_as_it_was(number: int) -> None:
    assert units.parse_duration(units.duration_text(number)) == number
    assert units.parse_size(units.size_text(number)) == number
    assert units.parse_byte_rate(units.byte_rate_text(number)) == number


@given(st.integers(1, 10**15))
def test_rates_are_read_as_they_were(every_ns: int) -> None:
    assert units.parse_rate(units.rate_text(every_ns)) == every_ns

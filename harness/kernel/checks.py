"""Refusals of durations that are not whole, non-negative nanoseconds, in one sentence each."""

from __future__ import annotations


def delay_of(delay: object) -> int:
    """``delay`` as an ``int``. ``TypeError`` for anything that is not an integer, ``ValueError`` below zero."""
    if isinstance(delay, bool) or not isinstance(delay, int):
        raise TypeError(f"virtual time is counted in whole nanoseconds: {delay!r} ({type(delay).__name__}) is not an int")
    if delay < 0:
        raise ValueError(f"a delay of {delay} ns lies in the past")
    return int(delay)

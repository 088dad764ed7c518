"""What a rule of the contract is, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """``id`` as suites, reports and mutants name it; ``title`` one line; ``text`` the contract's own words; ``why`` it
    exists; ``example``: lines of code that break it."""

    id: str
    title: str
    text: str
    why: str
    example: tuple[str, ...]

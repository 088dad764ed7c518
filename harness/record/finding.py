"""Findings: what driver code did at a simulated location that cannot be simulated or is not allowed there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """``kind``: ``file-system``, ``thread``, ``socket``, ``subprocess``; ``message``: what was done, with its operands;
    ``file`` and ``line``: the innermost frame of driver code that did it (``""`` and 0 where there is none)."""

    kind: str
    message: str
    file: str
    line: int

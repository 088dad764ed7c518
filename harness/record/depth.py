"""How deep a run has looked: generated programs, their operations, the lines of the driver that were reached.

A fast pass and a deep pass are not the same claim, so the record says which of them it is. Frozen values only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SearchDepth:
    """``programs`` that were generated and run, shrinking included; their ``operations`` in all and in the ``longest``.

    ``searched``: how many of the programs were drawn by a search beyond the profile, from so many ``swarms`` (each leaves other
    operations, faults and sizes out). ``lines`` of driver code that were reached; ``guided``: swarms that reached new ones were
    gone on with. Where nobody watched lines (Python 3.11, or no search), both are 0 and false. ``budget_s``: how much
    real time the search was given."""

    programs: int = 0
    operations: int = 0
    longest: int = 0
    searched: int = 0
    swarms: int = 0
    lines: int = 0
    guided: bool = False
    budget_s: float = 0.0


def deeper(depths: Iterable[SearchDepth]) -> SearchDepth | None:
    """All of them together; ``None`` where nothing was generated."""
    known = list(depths)
    if not any(one.programs for one in known):
        return None
    return SearchDepth(
        programs=sum(one.programs for one in known),
        operations=sum(one.operations for one in known),
        longest=max(one.longest for one in known),
        searched=sum(one.searched for one in known),
        swarms=sum(one.swarms for one in known),
        lines=max(one.lines for one in known),
        guided=any(one.guided for one in known),
        budget_s=max(one.budget_s for one in known),
    )

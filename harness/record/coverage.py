"""What a run record says of the space of faults: which operation was struck where, by what, and what came of it.

Frozen values only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CellOutcome(StrEnum):
    """What is known of a cell. ``failed``: some trial broke a rule; ``survived``: it struck and every promise held;
    ``not_reached``: it was armed and never struck; ``not_tried``: the case ended before its turn came."""

    SURVIVED = "survived"
    FAILED = "failed"
    NOT_REACHED = "not_reached"
    NOT_TRIED = "not_tried"


@dataclass(frozen=True, slots=True)
class CoverageCell:
    """A fault (or ``crash``) at one request of an operation, in one phase. ``step``: number of the request, from 1, of those
    the operation makes; ``request``: its name. ``points``: with how many amounts and repetitions it is to be tried there;
    ``trials``: how many were; ``reached``: in how many it struck; of those ``survived``: every promise held. ``failed``: a
    rule broke, whether or not it had struck by then."""

    operation: str
    step: int
    request: str
    fault: str
    phase: str
    points: int
    trials: int
    reached: int
    survived: int
    failed: int
    outcome: CellOutcome


@dataclass(frozen=True, slots=True)
class OperationCoverage:
    """``requests``: what the operation asks of a healthy device, in order. ``crash_points``: moments, one before and one
    after the effect of each, at which its location was to die; ``crashes``: at how many it did. ``later_requests``: crash
    points beyond those, found because the operation went on. ``complete``: one more crash, due at the request after the
    last, struck nothing, which shows that there are no more."""

    operation: str
    requests: tuple[str, ...]
    crash_points: int
    crashes: int
    later_requests: int
    complete: bool


@dataclass(frozen=True, slots=True)
class PairCoverage:
    """Two faults in one operation, by name, over all steps. ``trials``: pairs tried, ``reached``: in how many both struck,
    ``failed``: how many broke a rule. ``drawn``: the pairs are a sample that the seed chose, not all there are."""

    operation: str
    first: str
    second: str
    trials: int
    reached: int
    survived: int
    failed: int
    drawn: bool


@dataclass(frozen=True, slots=True)
class Coverage:
    """``operations`` by name; ``cells`` by operation, step, fault and phase; ``pairs`` by operation and faults."""

    operations: tuple[OperationCoverage, ...] = ()
    cells: tuple[CoverageCell, ...] = ()
    pairs: tuple[PairCoverage, ...] = ()

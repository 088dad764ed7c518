"""A history without an order, as it stands in a run record: who asked what, when, and what was answered."""

from __future__ import annotations

from dataclasses import dataclass

from storcert.harness.record.history import Status


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One operation. ``process``: who asked; ``asked`` and ``answer``: in words; ``begin_ns`` and ``end_ns``: virtual time, the
    end ``null`` where no answer came. ``conflicting``: it is one of the few that already have no order, whatever became of the
    others. ``place``: where it stands in the longest order of those, from 1; 0: in none. ``fits_nowhere``: it is the one whose
    answer no order reaches."""

    process: str
    asked: str
    answer: str
    begin_ns: int
    end_ns: int | None
    status: Status
    conflicting: bool = False
    place: int = 0
    fits_nowhere: bool = False


@dataclass(frozen=True, slots=True)
class BrokenHistory:
    """``lines``: by begin. ``left_out``: how many operations on these objects are not among them. ``minimal``: whether each
    conflicting one was shown to be needed; without it there is an order."""

    lines: tuple[HistoryLine, ...]
    left_out: int = 0
    minimal: bool = True

    @property
    def conflicting(self) -> tuple[HistoryLine, ...]:
        """The operations that have no order."""
        return tuple(line for line in self.lines if line.conflicting)

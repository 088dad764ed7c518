"""How a failing program that was generated was made as small as it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shrinking:
    """``operations`` are left, after so many ``executions``. ``cut_short``: these were as many as are allowed, and fewer
    operations may do."""

    operations: int
    executions: int
    cut_short: bool = False

    def __str__(self) -> str:
        left = f"{self.operations:,} operation{'s' if self.operations != 1 else ''} after {self.executions:,} executions"
        return f"made smaller to {left}" + ("; cut short there, fewer may do" if self.cut_short else "")

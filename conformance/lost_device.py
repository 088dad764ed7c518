"""When a live run has no sense any more: check after check, its device cannot be reached."""

from __future__ import annotations

from storcert.conformance.runner import CaseOutcome
from storcert.harness.record.verdict import Blame, Verdict

CHECKS_IN_A_ROW = 3
NOT_TRIED = "not tried"


class LostDevice:
    """Sees the outcomes of a run one by one. ``reason``: why what is left is not tried, or nothing."""

    def __init__(self) -> None:
        self.reason = ""
        self._in_a_row = 0
        self._first = ""

    def sees(self, outcome: CaseOutcome) -> bool:
        """Whether the device is lost, as of this outcome. A check that does not apply says nothing about it."""
        if outcome.result.verdict is Verdict.SKIPPED:
            return False
        out_of_reach = outcome.result.verdict is Verdict.UNKNOWN and outcome.blame is Blame.ENVIRONMENT
        self._first = self._first or outcome.result.id if out_of_reach else ""
        self._in_a_row = self._in_a_row + 1 if out_of_reach else 0
        if self._in_a_row < CHECKS_IN_A_ROW:
            return False
        self.reason = f"{NOT_TRIED}: the device is out of reach since {self._first}"
        return True

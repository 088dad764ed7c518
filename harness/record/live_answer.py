"""What a real system said to a failure that was found in simulation. A value; how it is asked stands in the kit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Agreement(StrEnum):
    """``not_shown``: the target cannot show it, so that nothing follows for or against the simulator."""

    REPRODUCED = "reproduced"
    NOT_REPRODUCED = "not_reproduced"
    NOT_SHOWN = "not_shown"


@dataclass(frozen=True, slots=True)
class LiveAnswer:
    """``target``: name of the live target; ``reason``: what happened there, or why it cannot be shown there."""

    target: str
    answer: Agreement
    reason: str = ""

    def __str__(self) -> str:
        words = {
            Agreement.REPRODUCED: "reproduced", Agreement.NOT_REPRODUCED: "not reproduced",
            Agreement.NOT_SHOWN: "cannot be shown there",
        }[self.answer]  # fmt: skip
        return f"on {self.target}: {words}" + (f" ({self.reason})" if self.reason else "")

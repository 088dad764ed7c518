"""What checking a signed verdict came to: each question with its answer, and a reason of its own for each way to fail."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

VERIFICATION_VERSION = 1


class Answer(StrEnum):
    """To one question. ``not_checked``: it was not asked for, or what it needs is not at hand."""

    OK = "ok"
    FAILED = "failed"
    NOT_CHECKED = "not_checked"


class Refusal(StrEnum):
    """Why a verdict does not hold.

    ``bad-signature``: changed after it was signed. ``other-key``: signed by somebody else. ``not-a-verdict``: signed, and says
    something else. ``counts-differ``: it contradicts itself. ``not-conformant``: it says no. ``not-whole``: checks of its
    profile were switched off. ``lower-profile``: a lower profile than was asked for. ``expired``: past the day it says itself.
    ``too-old``: older than was asked for. ``from-the-future``: its run is still to come. ``driver-differs``,
    ``record-differs``: what is at hand is not what was certified. ``kit-differs``: this kit has the same version and other
    source. ``rerun-differs``: a check comes to something else now. ``rerun-impossible``: asked for, and could not be done.
    """

    BAD_SIGNATURE = "bad-signature"
    OTHER_KEY = "other-key"
    NOT_A_VERDICT = "not-a-verdict"
    COUNTS_DIFFER = "counts-differ"
    NOT_CONFORMANT = "not-conformant"
    NOT_WHOLE = "not-whole"
    LOWER_PROFILE = "lower-profile"
    EXPIRED = "expired"
    TOO_OLD = "too-old"
    FROM_THE_FUTURE = "from-the-future"
    DRIVER_DIFFERS = "driver-differs"
    RECORD_DIFFERS = "record-differs"
    KIT_DIFFERS = "kit-differs"
    RERUN_DIFFERS = "rerun-differs"
    RERUN_IMPOSSIBLE = "rerun-impossible"


@dataclass(frozen=True, slots=True)
class Question:
    """``name``: what was asked. ``reason``: where the answer is ``failed``, and only there."""

    name: str
    answer: Answer
    message: str
    reason: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """All of it; ``subject``: whose verdict it is, as far as that may be believed."""

    subject: str
    questions: tuple[Question, ...]

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """Why it does not hold; empty where it does."""
        return tuple(one.reason for one in self.questions if one.reason is not None)

    def exit_code(self) -> int:
        """0 it holds, 1 it does not."""
        return 1 if self.refusals else 0

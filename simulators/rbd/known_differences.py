"""Where the simulated modules answer otherwise than Ceph 16.2, on purpose or because the real answer is chance. Data only.

The differential test accepts these and nothing else; a row that explains nothing any more is to go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class KnownDifference:
    """``operation``: of the step, ``*`` for every one; ``simulated`` and ``real``: the answers, ``None`` for any."""

    name: str
    operation: str
    simulated: Any
    real: Any
    reason: str

    def explains(self, operation: str, simulated: Any, real: Any) -> bool:
        """Whether this row is about that difference."""
        return (
            self.operation in ("*", operation)
            and self.simulated in (None, simulated)
            and self.real in (None, real)
        )


RBD_DIFFERENCES: tuple[KnownDifference, ...] = (
    KnownDifference(
        "lock-release-race", "lock_release", ["rbd.InvalidArgument", 22], None,
        "a handle whose lock was taken by a removal or a move to the trash hears of it a moment later; until then the real "
        "one believes that it has a lock to give back",
    ),
    KnownDifference(
        "write-to-removed-snapshot", "write", ["rbd.InvalidArgument", 22], ["rbd.ImageNotFound", 2],
        "a handle on a snapshot that was removed refuses a write either way; which it says depends on whether it has heard",
    ),
    KnownDifference(
        "write-to-removed-snapshot", "write", ["rbd.ImageNotFound", 2], ["rbd.InvalidArgument", 22],
        "the same, the other way round",
    ),
    KnownDifference(
        "features-of-a-former-parent", "about", 61, 317,
        "nobody tells the handles of an image that its last clone is gone: they show the OPERATIONS bit until they next read "
        "the header",
    ),
    KnownDifference(
        "deep-copy-that-failed", "clone", ["rbd.ImageNotFound", 2], ["rbd.InvalidArgument", 22],
        "a deep copy of an image that was flattened without deep flatten fails on either side; the real one leaves its target "
        "with the snapshots it had made, the simulated one leaves nothing",
    ),
    KnownDifference(
        "lock-that-was-switched-off", "lock_get_owners", ["rbd.InvalidArgument", 22], 1,
        "the real handle that switches the exclusive lock off shows it until it next reads the header",
    ),
    KnownDifference(
        "lockers-as-last-read", "*", "not taken", None,
        "a step that would wait for an advisory lock is left out; a real handle knows of the lock as it last read the header, "
        "so it may be taken there",
    ),
)

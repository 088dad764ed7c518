"""Who is to blame for a check that failed, broke or stayed undecided: from what was raised, before anything is run again.

A failure is the driver's only once it was seen twice: :mod:`storcert.conformance.confirm` does that.
"""

from __future__ import annotations

import errno
import traceback
from pathlib import Path

import storcert.simulators
from storcert.conformance.world import KitTrouble
from storcert.harness.contract import DeviceUnavailable, PermissionDenied
from storcert.harness.record.verdict import Blame, Verdict

#: What a machine that has run out of something says.
_MACHINE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN})
_SIMULATORS = tuple(Path(root).resolve() for root in storcert.simulators.__path__)


def blame_of(verdict: Verdict, error: BaseException | None, mode: str) -> Blame | None:
    """The first guess, from the exception that ended the case; ``None`` where there is nothing to blame anybody for.

    ``mode``: ``simulated``, ``in_process`` or ``live``.
    """
    if verdict is Verdict.FAIL:
        return Blame.ENVIRONMENT if mode == "live" and out_of_reach(error) else Blame.DRIVER
    if verdict is Verdict.UNKNOWN:
        return Blame.INCONCLUSIVE
    if verdict is not Verdict.ERROR:
        return None
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in _MACHINE):
        return Blame.ENVIRONMENT
    if isinstance(error, KitTrouble) or (error is not None and _raised_by_a_device(error)):
        return Blame.DEVICE
    return Blame.KIT


def out_of_reach(error: BaseException | None) -> bool:
    """Whether a device that cannot be reached, or does not let anybody in, is at the bottom of it."""
    while error is not None:
        if isinstance(error, (DeviceUnavailable, PermissionDenied)):
            return True
        error = error.__cause__
    return False


def _raised_by_a_device(error: BaseException) -> bool:
    """Whether the innermost frame is code of a device model."""
    frames = traceback.extract_tb(error.__traceback__)
    innermost = Path(frames[-1].filename).resolve() if frames else None
    return innermost is not None and any(root in innermost.parents for root in _SIMULATORS)

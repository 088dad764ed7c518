"""Verdicts: six different things that must never be mixed, and the arithmetic on them."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Verdict(StrEnum):
    """What one check or one rule came to.

    ``skipped``: not applicable (capability not declared, fault the device cannot show). ``disabled``: switched off by the
    operator. ``error``: the kit itself failed; never the driver's fault and never a pass.
    """

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    DISABLED = "disabled"
    ERROR = "error"


class Blame(StrEnum):
    """Who made a check fail, break or stay undecided.

    ``driver``: shown by running it again. ``device``: the device model lacks or breaks something, or a real device does.
    ``kit``: a defect of storcert. ``environment``: machine or network. ``control_plane``: of a scenario, what stands above the
    drivers. ``inconclusive``: nobody can tell from this.
    """

    DRIVER = "driver"
    DEVICE = "device"
    KIT = "kit"
    ENVIRONMENT = "environment"
    CONTROL_PLANE = "control_plane"
    INCONCLUSIVE = "inconclusive"


class RunVerdict(StrEnum):
    """What a whole certification came to."""

    CONFORMANT = "conformant"
    NOT_CONFORMANT = "not_conformant"
    UNDECIDED = "undecided"
    ERROR = "error"


_WORST_FIRST = (Verdict.FAIL, Verdict.ERROR, Verdict.UNKNOWN, Verdict.PASS, Verdict.SKIPPED, Verdict.DISABLED)


def combine(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of a rule from those of its checks: the worst one; ``unknown`` where there was no check at all."""
    present = set(verdicts)
    for verdict in _WORST_FIRST:
        if verdict in present:
            return verdict
    return Verdict.UNKNOWN


def conclude(verdicts: Iterable[Verdict]) -> RunVerdict:
    """The verdict of a run from those of its rules. Nothing decided is never a success."""
    present = set(verdicts)
    if Verdict.FAIL in present:
        return RunVerdict.NOT_CONFORMANT
    if Verdict.ERROR in present:
        return RunVerdict.ERROR
    if Verdict.UNKNOWN in present or Verdict.PASS not in present:
        return RunVerdict.UNDECIDED
    return RunVerdict.CONFORMANT

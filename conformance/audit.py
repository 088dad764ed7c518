"""The capability audit of the record: what each C-CAPS case says about the capability it probes, in both directions.

A declaration can be wrong in two ways, and each probe looks for one of them: that less works than is declared, or more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum

from storcert.harness.contract import Capabilities
from storcert.harness.record.run_record import Audit, CapabilityResult, CheckResult
from storcert.harness.record.verdict import Verdict


class Looks(StrEnum):
    """What a probe looks for. ``EITHER``: for the one that the declaration makes possible."""

    LESS_WORKS = "less works than is declared"
    MORE_WORKS = "more works than is declared"
    EITHER = "either"


@dataclass(frozen=True, slots=True)
class Probe:
    """Cases whose id begins with ``prefix``, and what it means when one of them fails."""

    prefix: str
    looks: Looks = Looks.EITHER


PROBES: dict[str, tuple[Probe, ...]] = {
    "kinds": (Probe("C-CAPS/kinds["),),
    "max_object_size_bytes": (
        Probe("C-CAPS/object-of-the-limit", Looks.LESS_WORKS),
        Probe("C-CAPS/max-object-size-bytes", Looks.MORE_WORKS),
    ),
    "size_granularity_bytes": (
        Probe("C-CAPS/multiples-of-the-granularity", Looks.LESS_WORKS),
        Probe("C-CAPS/size-granularity-bytes", Looks.MORE_WORKS),
    ),
    "on_device_copy": (Probe("C-CAPS/on-device-copy"), Probe("C-CAPS/undeclared-copy-of-nothing")),
    "range_read": (Probe("C-CAPS/range-read"),),
    "random_access": (Probe("C-CAPS/optional-methods[random_access]"),),
    "snapshots": (Probe("C-CAPS/optional-methods[snapshots]"),),
    "revert": (Probe("C-CAPS/optional-methods[revert]"),),
    "clone": (Probe("C-CAPS/optional-methods[clone]"),),
    "digest": (Probe("C-CAPS/digest"),),
    "enumerate": (Probe("C-CAPS/enumerate-objects"),),
    "max_name_bytes": (
        Probe("C-CAPS/max-name-bytes[", Looks.LESS_WORKS),
        Probe("C-CAPS/longer-names[", Looks.MORE_WORKS),
    ),
}  # fmt: skip
#: Of these ``None`` or 1 is not "no": everything is declared to work.
LIMITS = ("max_object_size_bytes", "size_granularity_bytes", "max_name_bytes")
NOTHING = "no check of it is in this profile"


def audit(capabilities: Capabilities, checks: Iterable[CheckResult]) -> tuple[CapabilityResult, ...]:
    """One result per field of :class:`Capabilities`."""
    known = list(checks)
    return tuple(_audited(capabilities, field.name, known) for field in fields(Capabilities))


def _audited(capabilities: Capabilities, name: str, checks: Sequence[CheckResult]) -> CapabilityResult:
    declared = getattr(capabilities, name)
    shown = sorted(str(kind) for kind in declared) if name == "kinds" else declared
    failed: list[tuple[Audit, str]] = []
    passed, undecided, left_out = 0, [], []
    for probe in PROBES[name]:
        for check in checks:
            if not check.id.startswith(probe.prefix):
                continue
            if check.verdict is Verdict.FAIL and check.rule == "C-CAPS":
                failed.append((_wrong(capabilities, name, probe, check), check.reason))
            elif check.verdict is Verdict.PASS:
                passed += 1
            elif check.verdict is Verdict.SKIPPED:
                if not (probe.looks is Looks.MORE_WORKS and declared in (None, 1)):  # more than everything there is not
                    left_out.append(check.reason)
            else:  # also one that failed for another rule's sake (a foreign error, say): it says nothing of the capability
                undecided.append(check.reason or str(check.verdict))
    if failed:
        # Less than is declared is the worse of the two: somebody relies on it.
        word, reason = min(failed, key=lambda one: one[0] is not Audit.OVER_DECLARED)
        return CapabilityResult(name, shown, word, reason)
    reasons = list(dict.fromkeys(undecided or left_out))
    if not passed or undecided:
        return CapabilityResult(name, shown, Audit.NOT_PROBED, "; ".join(reasons) or NOTHING)
    supported = name in LIMITS or declared not in (False, None)
    word = Audit.CONFIRMED if supported else Audit.REFUSED_AS_DOCUMENTED
    return CapabilityResult(name, shown, word, f"not all of it was probed: {'; '.join(reasons)}" if reasons else "")


def _wrong(capabilities: Capabilities, name: str, probe: Probe, check: CheckResult) -> Audit:
    """Which of the two ways a failed probe shows."""
    if probe.looks is not Looks.EITHER:
        return Audit.OVER_DECLARED if probe.looks is Looks.LESS_WORKS else Audit.UNDER_DECLARED
    declared = getattr(capabilities, name)
    held = check.case in {str(kind) for kind in declared} if name == "kinds" else declared not in (False, None)
    return Audit.OVER_DECLARED if held else Audit.UNDER_DECLARED

"""The capability audit of the record: what each C-CAPS case says about the capability it probes, in both directions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from storcert.harness.contract import Capabilities
from storcert.harness.record.run_record import Audit, CapabilityResult, CheckResult
from storcert.harness.record.verdict import Verdict, combine

PROBES: dict[str, tuple[str, ...]] = {
    "kinds": ("C-CAPS/kinds[",),
    "max_object_size_bytes": ("C-CAPS/max-object-size-bytes",),
    "size_granularity_bytes": ("C-CAPS/size-granularity-bytes",),
    "on_device_copy": ("C-CAPS/on-device-copy", "C-CAPS/undeclared-copy-of-nothing"),
    "range_read": ("C-CAPS/range-read",),
    "random_access": ("C-CAPS/optional-methods[random_access]",),
    "snapshots": ("C-CAPS/optional-methods[snapshots]",),
    "revert": ("C-CAPS/optional-methods[revert]",),
    "clone": ("C-CAPS/optional-methods[clone]",),
    "digest": ("C-CAPS/digest",),
    "enumerate": ("C-CAPS/enumerate-objects",),
    "max_name_bytes": ("C-CAPS/max-name-bytes[",),
}


def audit(capabilities: Capabilities, checks: Iterable[CheckResult]) -> tuple[CapabilityResult, ...]:
    """One result per field of :class:`Capabilities`."""
    known = list(checks)
    found = []
    for field in fields(Capabilities):
        prefixes = PROBES[field.name]
        probes = [check for check in known if check.id.startswith(prefixes)]
        declared = getattr(capabilities, field.name)
        # A probe that failed for another rule's sake (a foreign error, say) says nothing about the capability.
        probes = [check for check in probes if check.verdict is not Verdict.FAIL or check.rule == "C-CAPS"]
        broken = next((check.reason for check in probes if check.verdict is Verdict.FAIL), "")
        verdict = combine(check.verdict for check in probes)
        shown = sorted(str(kind) for kind in declared) if field.name == "kinds" else declared
        found.append(CapabilityResult(field.name, shown, _audit(declared, verdict), broken))
    return tuple(found)


def _audit(declared: Any, verdict: Verdict) -> Audit:
    supported = declared not in (False, None)
    if verdict is Verdict.FAIL:
        return Audit.OVER_DECLARED if supported else Audit.UNDER_DECLARED
    if verdict is Verdict.PASS:
        return Audit.CONFIRMED if supported else Audit.REFUSED_AS_DOCUMENTED
    return Audit.NOT_PROBED

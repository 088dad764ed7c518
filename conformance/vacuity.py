"""The guard against success that rests on nothing: rules without an effective check, claimed capabilities that nobody tried.

A check that came to its end without one call of the driver is undecided already (:mod:`storcert.conformance.runner`); here is
what only shows when all checks stand side by side. Each hole makes a run undecided that would have been conformant.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import fields

from storcert.conformance.audit import PROBES
from storcert.conformance.frozen import missing_checks
from storcert.conformance.registry import CHECKS
from storcert.conformance.rules import DRIVER_RULES
from storcert.harness.contract import Capabilities
from storcert.harness.record.run_record import CheckResult
from storcert.harness.record.verdict import Verdict

#: Reasons for which a whole rule may be left out: it is about what was not claimed, or cannot be seen from where we stand.
_GOOD_REASONS = (
    "is not declared",
    "a live device cannot show this",
    "the driver makes no request to the simulated device",
    "nothing watches the files of a live run",
)
_LOUD = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.ERROR)


def holes(capabilities: Capabilities, checks: Sequence[CheckResult], rules: Collection[str] = ()) -> tuple[str, ...]:
    """What is missing, a sentence each. ``rules``: those that were asked for; empty means all."""
    asked = [rule.id for rule in DRIVER_RULES if not rules or rule.id in rules]
    gone = [name for name in missing_checks(CHECKS) if name.partition("/")[0] in asked]
    found = [f"this kit lacks {len(gone)} checks of the contract, {gone[0]} among them"] if gone else []
    found += [said for rule in asked for said in _of_rule(rule, checks)]
    found += [said for field in fields(Capabilities) for said in _of_capability(field.name, capabilities, checks, bool(rules))]
    return tuple(found)


def _of_rule(rule: str, checks: Sequence[CheckResult]) -> Iterator[str]:
    members = [check for check in checks if check.id.partition("/")[0] == rule]
    if not members:
        yield f"no check of {rule} is in this kit"
        return
    if any(check.verdict is Verdict.PASS or check.verdict in _LOUD for check in members):
        return
    unexplained = [check.reason for check in _skipped(members) if not _is_good(check.reason)]
    if unexplained:
        yield f"no check of {rule} was applied: {unexplained[0]}"


def _is_good(reason: str) -> bool:
    """Whether it is one of the good reasons, and no more but in which respect."""
    return reason.endswith(_GOOD_REASONS) or any(f"{good}: " in reason for good in _GOOD_REASONS)


def _of_capability(
    name: str, capabilities: Capabilities, checks: Sequence[CheckResult], partial: bool
) -> Iterator[str]:
    """Only for what is claimed with a yes: a limit is no ability, and each device holds some kind. A ``partial`` run says
    nothing of a capability some of whose checks were not asked for."""
    claimed = getattr(capabilities, name)
    if claimed is not True and not (name == "digest" and claimed):
        return
    prefixes = tuple(probe.prefix for probe in PROBES[name])
    needing = {check.id for check in CHECKS.values() if name in check.needs}
    members = [check for check in checks if check.id.startswith(prefixes) or check.id.partition("[")[0] in needing]
    if any(check.verdict is Verdict.PASS or check.verdict in _LOUD for check in members):
        return
    if partial and any(check.verdict is Verdict.DISABLED for check in members):
        return
    skipped = list(_skipped(members))
    if skipped:
        yield f"capability {name} is declared, and every check of it was skipped: {skipped[0].reason}"
    elif not members:
        yield f"capability {name} is declared, and no check of it is in this kit"


def _skipped(checks: Iterable[CheckResult]) -> Iterator[CheckResult]:
    return (check for check in checks if check.verdict is Verdict.SKIPPED)

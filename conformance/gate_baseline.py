"""A run compared with the last certified one: what is promised or looked at less than it was. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from packaging.version import InvalidVersion, Version

from storcert.conformance.options import Profile
from storcert.conformance.usage import InvalidUsage
from storcert.harness.record.gate_result import GateKind, GateProblem
from storcert.harness.record.run_record import CapabilityResult, RuleResult, RunRecord
from storcert.harness.record.verdict import Verdict
from storcert.reports.text import count

NAMED = 3
"""So many checks that are gone are named."""
_DECIDED = (Verdict.PASS, Verdict.FAIL)
_PROFILES = [str(profile) for profile in Profile]


def check_comparable(record: RunRecord, last: RunRecord) -> None:
    """Raises :class:`InvalidUsage` where the two are not of the same driver, device and kind: any answer would mislead."""
    for what, now, before in (
        ("kind of run", record.kind, last.kind),
        ("driver", record.driver.name, last.driver.name),
        ("device", f"{record.device.name} ({record.device.mode})", f"{last.device.name} ({last.device.mode})"),
    ):
        if now != before:
            raise InvalidUsage(f"--baseline: it is of {what} {before}, the run of {now}; they cannot be compared")


def compare(record: RunRecord, last: RunRecord, block: Collection[GateKind]) -> Iterator[GateProblem]:
    """Everything that is less than it was. ``block``: the kinds that keep the gate shut."""
    for found in (_capabilities, _rules, _profile, _kit, _configuration):
        make: Callable[[RunRecord, RunRecord], Iterator[tuple[GateKind, str, str]]] = found
        for kind, subject, message in make(record, last):
            yield GateProblem(kind, subject, message, kind in block)


def _capabilities(record: RunRecord, last: RunRecord) -> Iterator[tuple[GateKind, str, str]]:
    now = {one.name: one for one in record.capabilities}
    for before in last.capabilities:
        words = _smaller(before, now.get(before.name))
        if words:
            yield GateKind.CAPABILITY, before.name, words


def _smaller(before: CapabilityResult, now: CapabilityResult | None) -> str:
    """How a capability is less than it was; empty where it is not."""
    old, new = before.declared, now.declared if now is not None else None
    if now is None or (old and new in (None, False) and not _is_limit(before.name)):
        return f"was declared ({_told(old)}) and is not any more" if old not in (None, False) else ""
    if isinstance(old, list) and isinstance(new, list):
        gone = [str(item) for item in old if item not in new]
        return f"{', '.join(gone)} no longer declared" if gone else ""
    if _is_limit(before.name) and old != new:
        less = _limit(before.name, new) < _limit(before.name, old)
        return f"was {_told(old)}, is {_told(new)}" if less else ""
    if isinstance(old, str) and old != new:
        return f"was {old}, is {_told(new)}"
    return ""


def _is_limit(name: str) -> bool:
    return name.endswith("_bytes")


def _limit(name: str, value: Any) -> float:
    """How much a limit allows: more is better; no limit is most."""
    if value is None:
        return float("inf")
    return -float(value) if name == "size_granularity_bytes" else float(value)


def _told(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return "unlimited" if value is None else "yes" if value is True else str(value)


def _rules(record: RunRecord, last: RunRecord) -> Iterator[tuple[GateKind, str, str]]:
    now = {rule.id: rule for rule in record.rules}
    for before in last.rules:
        if before.verdict not in _DECIDED:
            continue
        rule = now.get(before.id)
        if rule is None or rule.verdict not in _DECIDED:
            said = "is no part of the run" if rule is None else f"is {rule.verdict}{f': {rule.reason}' if rule.reason else ''}"
            yield GateKind.RULE, before.id, f"was decided ({before.verdict}) and {said}"
            continue
        yield from _fewer(before, rule, record, last)


def _fewer(before: RuleResult, rule: RuleResult, record: RunRecord, last: RunRecord) -> Iterator[tuple[GateKind, str, str]]:
    was, now = _decided(last, before.id), _decided(record, rule.id)
    gone = sorted(was - now)
    if len(now) < len(was):
        named = ", ".join(gone[:NAMED]) + (f" and {len(gone) - NAMED} more" if len(gone) > NAMED else "")
        yield GateKind.CHECKS, before.id, f"{count(len(was), 'check')} decided before, {len(now)} now: {named}"
    if rule.examples < before.examples:
        yield GateKind.EXAMPLES, before.id, f"{count(before.examples, 'example')} before, {rule.examples:,} now"


def _decided(record: RunRecord, rule: str) -> set[str]:
    return {check.id for check in record.checks if check.rule == rule and check.verdict in _DECIDED}


def _profile(record: RunRecord, last: RunRecord) -> Iterator[tuple[GateKind, str, str]]:
    both = record.profile in _PROFILES and last.profile in _PROFILES
    if both and _PROFILES.index(record.profile) < _PROFILES.index(last.profile):
        yield GateKind.PROFILE, record.profile, f"the last certified run was of profile {last.profile}"


def _kit(record: RunRecord, last: RunRecord) -> Iterator[tuple[GateKind, str, str]]:
    try:
        older = Version(record.kit.version) < Version(last.kit.version)
    except InvalidVersion:
        older = False
    if older:
        yield GateKind.KIT, record.kit.version, f"the last certified run was by storcert {last.kit.version}"
    elif record.kit.version == last.kit.version and record.kit.requirements_digest != last.kit.requirements_digest:
        yield GateKind.KIT, record.kit.version, "the last certified run was by another set of requirements of that version"


def _configuration(record: RunRecord, last: RunRecord) -> Iterator[tuple[GateKind, str, str]]:
    for name in ("configuration", "simulator"):
        if record.options.get(name, {}) != last.options.get(name, {}):
            yield GateKind.CONFIGURATION, name, f"[{name}] is not what it was in the last certified run"

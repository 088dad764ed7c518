"""The capability audit: its five words, and that each capability has probes that exist."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from storcert.conformance.audit import NOTHING, PROBES, audit
from storcert.conformance.registry import Level, cases_for
from storcert.harness.contract import Capabilities, ObjectKind
from storcert.harness.record.run_record import Audit, CheckResult
from storcert.harness.record.verdict import Verdict
from tests.conformance.kit import facts_of

PASS, FAIL = Verdict.PASS, Verdict.FAIL
COPY = "C-CAPS/on-device-copy"


def result(verdict: Verdict, rule: str = "C-CAPS", identity: str = COPY) -> CheckResult:
    return CheckResult(identity, rule, "", verdict, "because" if verdict is FAIL else "")


@pytest.mark.parametrize(
    ("declared", "verdict", "word"),
    [
        (True, PASS, Audit.CONFIRMED),
        (True, FAIL, Audit.OVER_DECLARED),
        (False, FAIL, Audit.UNDER_DECLARED),
        (False, PASS, Audit.REFUSED_AS_DOCUMENTED),
        (True, Verdict.SKIPPED, Audit.NOT_PROBED),
        (True, Verdict.DISABLED, Audit.NOT_PROBED),
        (False, Verdict.UNKNOWN, Audit.NOT_PROBED),
        (True, Verdict.ERROR, Audit.NOT_PROBED),
    ],
)
def test_each_word(declared: bool, verdict: Verdict, word: Audit) -> None:
    found = {one.name: one for one in audit(Capabilities(on_device_copy=declared), [result(verdict)])}
    assert (found["on_device_copy"].audit, found["on_device_copy"].declared) == (word, declared)
    assert bool(found["on_device_copy"].reason) == (verdict is not PASS), "what was not probed says why"
    assert (found["range_read"].audit, found["range_read"].reason) == (Audit.NOT_PROBED, NOTHING)


def test_one_bad_probe_of_several_is_enough() -> None:
    checks = [result(PASS, identity=f"C-CAPS/kinds[{kind}]") for kind in sorted(ObjectKind)]
    assert _kinds(checks) is Audit.CONFIRMED
    assert _kinds([*checks, replace(result(FAIL, identity="C-CAPS/kinds[volume]"), case="volume")]) is Audit.OVER_DECLARED


AT, OVER = "C-CAPS/object-of-the-limit", "C-CAPS/max-object-size-bytes"


@pytest.mark.parametrize(
    ("at", "over", "limit", "word", "reason"),
    [
        (PASS, PASS, 100, Audit.CONFIRMED, ""),
        (FAIL, PASS, 100, Audit.OVER_DECLARED, "because"),
        (PASS, FAIL, 100, Audit.UNDER_DECLARED, "because"),
        (FAIL, FAIL, 100, Audit.OVER_DECLARED, "because"),
        (Verdict.SKIPPED, PASS, 100, Audit.CONFIRMED, "not all of it was probed: too large"),
        (PASS, Verdict.SKIPPED, None, Audit.CONFIRMED, ""),
        (Verdict.SKIPPED, Verdict.SKIPPED, None, Audit.NOT_PROBED, "too large"),
        (PASS, Verdict.UNKNOWN, 100, Audit.NOT_PROBED, "unknown"),
    ],
)
def test_a_limit_can_be_wrong_both_ways(at: Verdict, over: Verdict, limit: int | None, word: Audit, reason: str) -> None:
    checks = [
        replace(one, reason="too large") if one.verdict is Verdict.SKIPPED else one
        for one in (result(at, identity=AT), result(over, identity=OVER))
    ]
    found = {one.name: one for one in audit(Capabilities(max_object_size_bytes=limit), checks)}["max_object_size_bytes"]
    assert (found.audit, found.reason) == (word, reason)


def test_a_kind_that_works_undeclared_is_under_declared() -> None:
    failed = replace(result(FAIL, identity="C-CAPS/kinds[iso]"), case="iso")
    bare = Capabilities(kinds=frozenset({ObjectKind.VOLUME}))
    assert {one.name: one.audit for one in audit(bare, [failed])}["kinds"] is Audit.UNDER_DECLARED
    assert _kinds([failed]) is Audit.OVER_DECLARED


def _kinds(checks: list[CheckResult]) -> Audit:
    return next(one.audit for one in audit(Capabilities(), checks) if one.name == "kinds")


def test_a_probe_that_broke_another_rule_says_nothing() -> None:
    found = {one.name: one.audit for one in audit(Capabilities(on_device_copy=True), [result(FAIL, "C-ERRORS")])}
    assert found["on_device_copy"] is Audit.NOT_PROBED


def test_every_capability_is_audited_and_every_probe_exists() -> None:
    assert set(PROBES) == {field.name for field in fields(Capabilities)}
    ids = [case.id for case in cases_for(facts_of(), Level.CORE)]
    for name, probes in PROBES.items():
        for probe in probes:
            assert any(identity.startswith(probe.prefix) for identity in ids), name


def test_what_is_declared_is_shown_as_json() -> None:
    found = {one.name: one.declared for one in audit(Capabilities(digest="md5", max_name_bytes=64), [])}
    assert found["kinds"] == ["iso", "snapshot", "template", "volume"]
    assert (found["digest"], found["max_name_bytes"], found["size_granularity_bytes"]) == ("md5", 64, 1)

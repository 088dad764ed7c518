"""Compared with the last certified run: each way of promising or showing less is reported, more is not, what may block does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from storcert.conformance.gate_baseline import check_comparable, compare
from storcert.conformance.usage import InvalidUsage
from storcert.harness.record.gate_result import COMPARISON_KINDS
from storcert.harness.record.run_record import (
    Audit,
    CapabilityResult,
    CheckResult,
    DeviceIdentity,
    DriverIdentity,
    KitIdentity,
    RunRecord,
)
from storcert.harness.record.verdict import Verdict
from tests.reports import records

LAST = replace(
    records.record_of((
        CheckResult("C-READ/a[1]", "C-READ", "1", Verdict.PASS, examples=5),
        CheckResult("C-READ/a[2]", "C-READ", "2", Verdict.PASS, examples=5),
        CheckResult("C-LIST/b", "C-LIST", "", Verdict.PASS, examples=1),
        CheckResult("C-SNAP/c", "C-SNAP", "", Verdict.SKIPPED),
    )),
    options={"configuration": {"bucket": "x"}, "simulator": {}},
)  # fmt: skip


def _found(run: RunRecord, last: RunRecord = LAST) -> list[tuple[str, str]]:
    check_comparable(run, last)
    return [(str(one.kind), one.subject) for one in compare(run, last, ())]


def _with(name: str, declared: Any) -> RunRecord:
    return replace(LAST, capabilities=(CapabilityResult(name, declared, Audit.CONFIRMED),))


def test_the_same_run_has_nothing_less() -> None:
    assert _found(LAST) == []


@pytest.mark.parametrize(
    ("name", "before", "now", "less"),
    [
        ("snapshots", True, False, "was declared (yes) and is not any more"),
        ("snapshots", False, True, ""),
        ("snapshots", False, False, ""),
        ("kinds", ["iso", "volume"], ["volume"], "iso no longer declared"),
        ("kinds", ["volume"], ["iso", "volume"], ""),
        ("max_object_size_bytes", None, 5, "was unlimited, is 5"),
        ("max_object_size_bytes", 5, 4, "was 5, is 4"),
        ("max_object_size_bytes", 5, 6, ""),
        ("max_object_size_bytes", 5, None, ""),
        ("max_name_bytes", 255, 85, "was 255, is 85"),
        ("size_granularity_bytes", 1, 512, "was 1, is 512"),
        ("size_granularity_bytes", 512, 1, ""),
        ("digest", "sha256", None, "was declared (sha256) and is not any more"),
        ("digest", "sha256", "md5", "was sha256, is md5"),
        ("digest", None, "md5", ""),
    ],
)
def test_a_capability_that_shrank(name: str, before: Any, now: Any, less: str) -> None:
    found = list(compare(_with(name, now), _with(name, before), ()))
    assert [one.message for one in found] == ([less] if less else [])


def test_a_capability_that_is_not_there_at_all() -> None:
    found = list(compare(replace(LAST, capabilities=()), _with("clone", True), ()))
    assert [one.message for one in found] == ["was declared (yes) and is not any more"]


def test_a_rule_no_longer_decided_and_fewer_checks() -> None:
    gone = records.record_of((
        CheckResult("C-READ/a[1]", "C-READ", "1", Verdict.PASS, examples=5),
        CheckResult("C-READ/a[2]", "C-READ", "2", Verdict.SKIPPED),
        CheckResult("C-LIST/b", "C-LIST", "", Verdict.DISABLED, "not asked for with --rule"),
    ))  # fmt: skip
    found = list(compare(gone, replace(LAST, options=gone.options), ()))
    assert [(str(one.kind), one.subject, one.message) for one in found] == [
        ("checks", "C-READ", "2 checks decided before, 1 now: C-READ/a[2]"),
        ("examples", "C-READ", "10 examples before, 5 now"),
        ("rule", "C-LIST", "was decided (pass) and is disabled: not asked for with --rule"),
    ]
    assert ("rule", "C-LIST") in _found(records.record_of(LAST.checks[:2]))


def test_a_lower_profile_an_older_kit_another_configuration() -> None:
    assert _found(replace(LAST, profile="core")) == [("profile", "core")]
    assert _found(replace(LAST, profile="deep")) == []
    assert _found(replace(LAST, kit=KitIdentity("0.0.9", 1, LAST.kit.requirements_digest))) == [("kit", "0.0.9")]
    assert _found(replace(LAST, kit=KitIdentity("0.2.0", 1, "sha256:other"))) == []
    assert _found(replace(LAST, kit=KitIdentity("0.1.0", 1, "sha256:other"))) == [("kit", "0.1.0")]
    other = {**LAST.options, "configuration": {"bucket": "y"}, "seed": 8}
    assert _found(replace(LAST, options=other)) == [("configuration", "configuration")]


@pytest.mark.parametrize("kind", COMPARISON_KINDS)
def test_what_blocks_is_what_was_named(kind: Any) -> None:
    less = replace(
        _with("snapshots", False), profile="core", kit=KitIdentity("0.0.9", 1, ""), options={}, rules=LAST.rules[1:])
    fewer = replace(less, rules=(replace(LAST.rules[0], examples=1), *LAST.rules[2:]), checks=LAST.checks[1:2])
    found = list(compare(fewer, replace(_with("snapshots", True), options={"simulator": {"x": 1}}), (kind,)))
    assert {one.kind for one in found} == set(COMPARISON_KINDS)
    assert {one.kind for one in found if one.blocks} == {kind}


@pytest.mark.parametrize(
    "change",
    [
        {"driver": DriverIdentity("other", "1", "")}, {"device": DeviceIdentity("nfs")}, {"kind": "scenario"},
        {"device": DeviceIdentity("object-store", "live")},
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidUsage, match="cannot be compared"):
        check_comparable(replace(LAST, **change), LAST)

"""Success that rests on nothing is none: each way to be empty is planted in a kit, and makes the run undecided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from storcert.conformance import frozen, vacuity
from storcert.conformance.certify import record_of
from storcert.conformance.frozen import RequirementSet
from storcert.conformance.registry import CHECKS
from storcert.conformance.rules import DRIVER_RULES
from storcert.conformance.runner import NOTHING_OBSERVED, CaseOutcome
from storcert.conformance.vacuity import holes
from storcert.conformance.violation import NotApplicable
from storcert.harness.contract import Capabilities
from storcert.harness.record.run_record import CheckResult, Environment
from storcert.harness.record.verdict import RunVerdict, Verdict
from tests.conformance.kit import facts_of, options, run_check

CLAIMED = Capabilities(on_device_copy=True, revert=True, snapshots=True)
WELL = [CheckResult(f"{rule.id}/x", rule.id, "", Verdict.PASS) for rule in DRIVER_RULES]
OF_REVERT = [check.id for check in CHECKS.values() if "revert" in check.needs]
OF_CLAIMED = [
    CheckResult(f"C-CAPS/optional-methods[{name}]", "C-CAPS", name, Verdict.PASS) for name in ("revert", "snapshots")
] + [CheckResult("C-CAPS/on-device-copy", "C-CAPS", "", Verdict.PASS)]


def skipped(*ids: str, reason: str = "only on Sundays") -> list[CheckResult]:
    return [CheckResult(one, one.partition("/")[0], "", Verdict.SKIPPED, reason) for one in ids]


def without(rule: str) -> list[CheckResult]:
    return [check for check in WELL if check.rule != rule]


class TestACheckThatSeesNothing:
    @pytest.mark.parametrize(
        "function",
        [
            lambda b: None,
            lambda b: b.client(),
            lambda b: [b.client().create(b.uri(), size) for size in b.examples([])],
            lambda b: b.world.advance(1),
        ],
        ids=["empty", "makes-a-driver", "no-example", "waits"],
    )
    def test_it_is_no_pass(self, function: Callable[[Any], None]) -> None:
        outcome = run_check(function)
        outcome = replace(outcome, result=replace(outcome.result, id="C-READ/after-close"))
        assert (outcome.result.verdict, outcome.message) == (Verdict.UNKNOWN, NOTHING_OBSERVED)
        record = record_of(options("s3", "C-READ"), facts_of(), [outcome], Environment())
        assert record.verdict is RunVerdict.UNDECIDED

    def test_one_call_is_enough(self) -> None:
        assert run_check(lambda b: b.client().list()).result.verdict is Verdict.PASS

    def test_what_does_not_apply_is_skipped_as_ever(self) -> None:
        def body(b: Any) -> None:
            raise NotApplicable("no")

        assert run_check(body).result.verdict is Verdict.SKIPPED


class TestHoles:
    def test_none_where_every_rule_has_something(self) -> None:
        assert holes(CLAIMED, WELL + OF_CLAIMED) == ()

    @pytest.mark.parametrize("rule", ["C-ABORT", "C-SNAP"])
    def test_a_rule_without_any_check(self, rule: str) -> None:
        assert holes(Capabilities(), without(rule)) == (f"no check of {rule} is in this kit",)

    def test_a_rule_of_which_nothing_was_applied(self) -> None:
        checks = without("C-READ") + skipped("C-READ/a", "C-READ/b")
        assert holes(Capabilities(), checks) == ("no check of C-READ was applied: only on Sundays",)
        assert holes(Capabilities(), checks, ["C-LIST"]) == ()

    @pytest.mark.parametrize("reason", [
        "capability clone is not declared", "a live device cannot show this",
        "a live device cannot show this: requests that are counted cannot be had on this one",
    ])  # fmt: skip
    def test_a_rule_that_is_about_something_else(self, reason: str) -> None:
        assert holes(Capabilities(), without("C-CLONE") + skipped("C-CLONE/a", reason=reason)) == ()

    def test_what_is_undecided_or_broken_anyway_is_no_hole(self) -> None:
        for verdict in (Verdict.FAIL, Verdict.UNKNOWN, Verdict.ERROR):
            checks = without("C-READ") + skipped("C-READ/a") + [CheckResult("C-READ/b", "C-READ", "", verdict)]
            assert holes(Capabilities(), checks) == ()

    def test_a_claimed_capability_that_nobody_tried(self) -> None:
        rest = [check for check in OF_CLAIMED if check.case != "revert"]
        checks = WELL + rest + skipped(*OF_REVERT, "C-CAPS/optional-methods[revert]", reason="a live device cannot show this")
        said = "capability revert is declared, and every check of it was skipped: a live device cannot show this"
        assert holes(CLAIMED, checks) == (said,)
        assert holes(replace(CLAIMED, revert=False), checks) == ()
        tried = [*checks, CheckResult(f"{OF_REVERT[0]}[again]", "C-REVERT", "again", Verdict.PASS)]
        assert holes(CLAIMED, tried) == ()

    def test_a_claimed_capability_without_a_check(self) -> None:
        rest = [check for check in OF_CLAIMED if check.case != "revert"]
        assert holes(CLAIMED, WELL + rest) == ("capability revert is declared, and no check of it is in this kit",)

    def test_a_kit_that_lost_a_frozen_check(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(frozen, "frozen_set", lambda *_: RequirementSet.registered())
        assert holes(Capabilities(), WELL) == ()
        less = {name: check for name, check in CHECKS.items() if name != "C-READ/after-close"}
        monkeypatch.setattr(vacuity, "CHECKS", less)
        assert holes(Capabilities(), WELL) == ("this kit lacks 1 checks of the contract, C-READ/after-close among them",)
        assert holes(Capabilities(), WELL, ["C-LIST"]) == ()


def test_a_hole_makes_a_run_undecided_and_is_its_reason() -> None:
    passes = CaseOutcome(CheckResult("C-READ/after-close", "C-READ", "", Verdict.PASS))
    of_create = next(name for name in sorted(CHECKS) if name.startswith("C-CREATE/"))
    skips = [CaseOutcome(one) for one in skipped(of_create)]
    asked = options("s3", "C-READ", "C-CREATE")
    record = record_of(asked, facts_of(), [passes, *skips], Environment(), left_out="not run here")
    assert (record.verdict, record.exit_code()) == (RunVerdict.UNDECIDED, 5)
    assert record.reason == "no check of C-CREATE was applied: only on Sundays"

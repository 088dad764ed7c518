"""The checks of snapshots, reverts, clones, dependants and volumes: each can fail, and none accuses a correct driver."""

from __future__ import annotations

import pytest

from storcert.conformance.program import Program
from storcert.conformance.registry import CHECKS, Level
from storcert.conformance.runner import run_case
from storcert.harness.kernel.interpose import installed
from storcert.harness.record.verdict import Verdict
from tests.conformance import broken_block_drivers as broken
from tests.conformance import broken_block_handles
from tests.conformance.block_driver import BlockDriver, CachingDriver, StrictDriver
from tests.conformance.block_kit import block_device, broken_rules, case_of, facts_of, failures, run_checks, subject
from tests.conformance.broken_block_drivers import BROKEN

RULES = ("C-SNAP/", "C-REVERT/", "C-CLONE/", "C-DEPEND/", "C-VOLUME/")
assert broken_block_handles is not None  # fills the list
CORRECT = [BlockDriver, StrictDriver, CachingDriver]


@pytest.mark.parametrize("driver", CORRECT)
@pytest.mark.parametrize("seed", [1, 2])
def test_correct_drivers_hold(driver: type, seed: int) -> None:
    mixed = ("C-ONCE/clone-", "C-READER/snapshot-", "C-CAPS/", "C-DURABLE/")
    assert failures(run_checks(driver, *RULES, *mixed, level=Level.STANDARD, seed=seed)) == []
    assert failures(run_checks(driver, *RULES, *mixed, seed=seed, simulator={"volatile": True})) == []


@pytest.mark.parametrize(
    ("driver", "check"), [(driver, check) for driver, checks in BROKEN for check in checks],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)  # fmt: skip
def test_each_check_finds_what_is_wrong(driver: type, check: str) -> None:
    found = broken_rules(run_checks(driver, f"{check}[", check, level=Level.STANDARD, simulator={"volatile": True}))
    rule = check.partition("/")[0]
    assert [said for said in found.values() if said.startswith(rule)], found


def test_every_check_of_these_rules_is_tripped() -> None:
    tripped = {check for _, checks in BROKEN for check in checks}
    due = {check for check in CHECKS if check.startswith(RULES) and not check.endswith("/programs-hold")}
    assert sorted(due - tripped) == []


@pytest.mark.slow
@pytest.mark.parametrize("driver", CORRECT)
@pytest.mark.parametrize("seed", range(3, 9))
def test_correct_drivers_hold_in_generated_programs(driver: type, seed: int) -> None:
    programs = [f"{rule}programs-hold" for rule in RULES]
    assert failures(run_checks(driver, *programs, level=Level.STANDARD, seed=seed)) == []


@pytest.mark.parametrize(
    ("driver", "rule"),
    [
        (broken.TargetFirst, "C-SNAP"), (broken.ClonesTheVolume, "C-CLONE"), (broken.ForgetsDependants, "C-DEPEND"),
        (broken.RevertDropsLater, "C-REVERT"), (broken.RevertsTheStart, "C-REVERT"),
        (broken_block_handles.CloseForgets, "C-VOLUME"), (broken_block_handles.Clips, "C-VOLUME"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)  # fmt: skip
def test_generated_programs_find_it_too(driver: type, rule: str) -> None:
    outcomes = run_checks(driver, f"{rule}/programs-hold", level=Level.STANDARD)
    failed = [one for one in outcomes if one.result.verdict is Verdict.FAIL]
    assert failed and failed[0].program is not None
    case, program = case_of(driver, failed[0].result.id), Program.from_json(failed[0].program)
    with block_device(), installed():
        again = run_case(case, subject(driver), facts_of(driver), 1, program=program)
    assert (again.message, again.example_digest) == (failed[0].message, failed[0].example_digest)

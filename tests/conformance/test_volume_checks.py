"""The checks of snapshots, reverts, clones, dependants and volumes: each can fail, and none accuses a correct driver."""

from __future__ import annotations

import pytest

from storcert.conformance.registry import CHECKS, Level
from tests.conformance import broken_block_handles
from tests.conformance.block_driver import BlockDriver, CachingDriver, StrictDriver
from tests.conformance.block_kit import broken_rules, failures, run_checks
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

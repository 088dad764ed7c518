"""Programs that a bundled driver once got wrong in a search deeper than the daily one, as they are."""

from __future__ import annotations

import pytest

from storcert.conformance.certify import case_by_id
from storcert.conformance.program import Program
from storcert.conformance.registry import Level, cases_for
from storcert.conformance.runner import run_case
from storcert.conformance.schedule import fence
from storcert.harness.record.verdict import Verdict
from tests.mutants.kill import planted

# A delete that removed a marker without a meaning just when a publisher took the name after it left a gap; the next one who
# published took the free name, and hid an object that everybody had seen.
GAP = {
    "names": [["volume", "1", "a"]],
    "tasks": [
        ["host-1", [
            {"verb": "delete", "pause_ms": 16}, {"verb": "describe", "pause_ms": 64}, {"verb": "delete", "pause_ms": 1},
            {"verb": "create", "size": 3},
        ]],
        ["ssvm-1", [
            {"verb": "delete"}, {"verb": "create", "size": 1}, {"verb": "create", "size": 5, "pause_ms": 4},
            {"verb": "describe"},
        ]],
        ["host-1", [{"verb": "create", "size": 1, "pause_ms": 128}]],
    ],
    "faults": [],
}  # fmt: skip


@pytest.mark.parametrize("driver, program", [("sheepdog", GAP)])
def test_is_right_now(driver: str, program: dict[str, object]) -> None:
    with planted(None, 0, driver) as (subject, facts), fence("simulated"):
        case = case_by_id(cases_for(facts, Level.STANDARD), "C-DELETE/programs-hold[races-standard]")
        assert case is not None
        outcome = run_case(case, subject, facts, 0, program=Program.from_json(program))
    assert outcome.result.verdict is Verdict.PASS, outcome.message

"""A failing program loses what it does not need, and each part that stays was left out once."""

from __future__ import annotations

from typing import Any

import pytest

from storcert.conformance.necessity import RUNS_MAX, minimal, parts
from storcert.conformance.program import Program, Step
from storcert.conformance.violation import Undecided, Violation
from storcert.harness.contract import DeviceUnavailable
from storcert.harness.drivers.s3 import S3Driver
from storcert.harness.record.fault import Fault
from storcert.harness.record.verdict import Verdict
from tests.conformance.kit import run_id

NAMES = (("volume", "1", "a"), ("volume", "1", "b"))
LOST, THROTTLED = Fault("answer_lost", "PutObject"), Fault("throttle")


def program(*verbs: str, faults: tuple[Fault, ...] = ()) -> Program:
    return Program(NAMES, (("host-1", tuple(Step(verb) for verb in verbs)),), faults)


def broken_by(*needed: str | Fault, rule: str = "C-RETRY") -> Any:
    """Fails where all of these are there."""

    def fails(tried: Program) -> Violation | None:
        there = [step.verb for _, steps in tried.tasks for step in steps] + list(tried.faults)
        return Violation("broken", rule) if all(one in there for one in needed) else None

    return fails


def test_parts_are_faults_and_steps_each_left_out() -> None:
    found = dict(parts(program("create", "delete", faults=(LOST,))))
    assert list(found) == ["fault: answer_lost before PutObject #1", "host-1: create /volume/1/a", "host-1: delete /volume/1/a"]
    assert found["fault: answer_lost before PutObject #1"].faults == ()
    assert not dict(parts(program("create"))), "a program without a step is none"


def test_what_is_not_needed_goes_and_what_stays_is_necessary() -> None:
    start = program("describe", "write", "read", "delete", faults=(THROTTLED, LOST))
    found, violation, proof = minimal(start, Violation("broken"), "C-RETRY", broken_by("write", "delete", LOST))
    assert found == program("write", "delete", faults=(LOST,)) and violation.rule == "C-RETRY"
    assert proof.necessary == (f"fault: {LOST}", "host-1: write /volume/1/a", "host-1: delete /volume/1/a")
    assert proof.unneeded == ()


def test_another_rule_is_another_failure() -> None:
    found, _, proof = minimal(program("write", "read"), Violation("broken", "C-READ"), "C-READ", broken_by("write"))
    assert found == program("write", "read") and len(proof.necessary) == 2


def test_what_cannot_be_said_is_no_proof_and_runs_are_counted() -> None:
    runs = []

    def unsure(tried: Program) -> Violation | None:
        runs.append(tried)
        raise Undecided("no idea")

    found, _, proof = minimal(program(*["read"] * 100), Violation("broken"), "C-READ", unsure)
    assert len(runs) == RUNS_MAX and proof.necessary == () and found == program(*["read"] * 100)


class Hopeful(S3Driver):
    """Takes a lost request of ``delete`` for success."""

    def delete(self, uri: Any) -> None:
        try:
            super().delete(uri)
        except DeviceUnavailable:
            pass


@pytest.mark.slow
def test_a_generated_failure_says_which_faults_and_operations_it_needs() -> None:
    outcome = run_id("C-RETRY/programs-hold[small-standard]", Hopeful)
    assert outcome.result.verdict is Verdict.FAIL and outcome.proof is not None and outcome.program is not None
    steps = sum(len(steps) for _, steps in outcome.program["tasks"])
    assert len(outcome.proof.necessary) == steps + len(outcome.program["faults"]) >= 2

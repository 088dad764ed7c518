"""Programs for races: what is drawn; and a race that no directed check sets up is seen, told in few operations, and blamed."""

from __future__ import annotations

import random
import time

import pytest

from storcert.conformance.blocks import is_of_volumes
from storcert.conformance.draws import search
from storcert.conformance.program import Program
from storcert.conformance.races import CHANGES, LOOKS, OBJECT, RULES, VOLUMES, WATCHED, race_programs
from storcert.conformance.registry import Level, cases_for
from storcert.harness.contract import DataObjectUri
from storcert.harness.drivers.s3 import S3Driver
from storcert.harness.record.verdict import Verdict
from tests.conformance.block_kit import facts_of as block_facts
from tests.conformance.kit import facts_of, run_id

RACES = [f"{rule}/programs-hold[races-standard]" for rule in RULES]


class DeletesTwice(S3Driver):
    """Makes sure, a moment later, that what it deleted is gone."""

    def delete(self, uri: DataObjectUri) -> None:
        super().delete(uri)
        time.sleep(0.05)
        super().delete(uri)


def drawn(rule: str, count: int) -> list[Program]:
    found: list[Program] = []
    facts = block_facts() if rule == VOLUMES else facts_of()
    search(race_programs(facts, rule), found.append, random.Random(rule), count)
    return found


@pytest.mark.parametrize("rule", RULES)
def test_several_tasks_meet_on_one_object(rule: str) -> None:
    programs = drawn(rule, 40)
    assert all(2 <= len(program.tasks) <= 3 and len(program.names) == 1 and not program.faults for program in programs)
    assert {len(program.tasks) for program in programs} == {2, 3}
    assert all(Program.from_json(program.to_json()) == program for program in programs)
    verbs = {step.verb for program in programs for _, steps in program.tasks for step in steps}
    expected = {OBJECT: set(CHANGES), WATCHED: {*CHANGES, *LOOKS}, VOLUMES: {"create", "describe", "pwrite", "pread"}}
    assert verbs == expected[rule]
    assert all(is_of_volumes(program) is (rule == VOLUMES) for program in programs)


def test_the_last_task_of_a_watched_object_does_nothing_but_look() -> None:
    for program in drawn(WATCHED, 40):
        assert {step.verb for step in program.tasks[-1][1]} <= set(LOOKS)


def test_each_has_its_case_in_the_certificate() -> None:
    assert set(RACES[:2]) <= {case.id for case in cases_for(facts_of(), Level.STANDARD)}
    assert set(RACES) <= {case.id for case in cases_for(block_facts(), Level.STANDARD)}
    assert not any("[races-" in case.id for case in cases_for(facts_of(), Level.CORE))


def test_a_second_delete_that_takes_what_came_between_is_seen() -> None:
    outcome = run_id(RACES[0], DeletesTwice)
    assert (outcome.result.verdict, outcome.result.rule) == (Verdict.FAIL, "C-DELETE")
    assert outcome.message.startswith("no order of the operations explains: ")
    assert outcome.shrinking is not None and outcome.shrinking.operations <= 5
    assert outcome.history is not None and outcome.history.minimal
    assert len(outcome.history.conflicting) <= 4
    assert outcome.program is not None
    again = run_id(RACES[0], DeletesTwice, program=Program.from_json(outcome.program))
    assert (again.message, again.example_digest, again.history) == (outcome.message, outcome.example_digest, outcome.history)


@pytest.mark.parametrize("case", RACES[:2])
def test_the_bundled_driver_has_no_such_race(case: str) -> None:
    assert run_id(case).result.verdict is Verdict.PASS

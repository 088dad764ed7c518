"""Programs go through JSON, and through nothing else, unchanged."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storcert.conformance.facts import Facts
from storcert.conformance.generated import FOCUSES
from storcert.conformance.program import Program, Step, key_of, locations
from storcert.conformance.strategies import programs
from storcert.harness.record.fault import Fault, Phase
from tests.conformance import block_kit
from tests.conformance.kit import facts_of

steps = st.builds(
    Step,
    st.sampled_from(("create", "write", "copy", "delete", "read", "describe", "list")),
    st.integers(0, 3),
    st.integers(0, 3),
    st.integers(0, 1 << 40),
    st.lists(st.integers(1, 1 << 30), max_size=3).map(tuple),
    st.sampled_from(("commit", "with", "abort", "close", "raise", "drop")),
    st.integers(0, 1 << 30),
    st.none() | st.integers(0, 1 << 30),
    st.booleans(),
    st.integers(0, 9),
)
words, few = st.text(max_size=9), st.integers(0, 9)
faults = st.builds(Fault, words, words, st.integers(1, 9), st.sampled_from(Phase), few, few)
whole = st.builds(
    Program,
    st.lists(st.tuples(st.just("volume"), st.text(min_size=1), st.text(min_size=1)), max_size=3).map(tuple),
    st.lists(st.tuples(st.text(), st.lists(steps, max_size=4).map(tuple)), max_size=3).map(tuple),
    st.lists(faults, max_size=2).map(tuple),
)


@given(steps)
def test_a_step_comes_back_and_says_no_more_than_it_must(step: Step) -> None:
    said = step.to_json()
    assert Step.from_json(json.loads(json.dumps(said))) == step
    plain = Step(step.verb)
    assert set(said) == {"verb"} | {name for name in said if getattr(step, name) != getattr(plain, name)}


@given(whole)
def test_a_program_comes_back(program: Program) -> None:
    assert Program.from_json(json.loads(json.dumps(program.to_json()))) == program


BEGINNING = 4  # steps that make a volume before the drawn ones


@pytest.mark.parametrize("rule", sorted(FOCUSES))
@pytest.mark.parametrize("facts", [facts_of(), block_kit.facts_of()], ids=["object-store", "block"])
def test_drawn_programs_are_within_their_focus_and_come_back(rule: str, facts: Facts) -> None:
    focus = FOCUSES[rule]

    @settings(max_examples=12)
    @given(programs(facts, focus))
    def one(program: Program) -> None:
        assert Program.from_json(program.to_json()) == program
        assert 1 <= len(program.tasks) <= max(focus.tasks, 1)
        assert len(program.faults) <= focus.faults
        assert len(set(program.names)) == len(program.names)
        for _, steps in program.tasks:
            assert 1 <= len(steps) <= focus.steps + (BEGINNING if focus.volumes else 0)
            for step in steps:
                assert step.verb in focus.verbs
                assert 0 <= step.uri < len(program.names) and 0 <= step.source < len(program.names)
                assert step.verb != "write" or step.end in focus.ends
        for fault in program.faults:
            assert str(fault.phase) in facts.fault_phases[fault.kind]

    one()


@pytest.mark.parametrize(
    "value",
    [{}, {"names": [], "tasks": []}, {"names": [["volume"]], "tasks": [], "faults": []},
     {"names": [], "tasks": [["here", [{"verb": "read", "colour": "red"}]]], "faults": []},
     {"names": [], "tasks": [], "faults": [{"kind": "x", "phase": "never"}]}, {"names": 5, "tasks": [], "faults": []}],
)  # fmt: skip
def test_anything_else_is_refused_with_an_error_that_replay_knows(value: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Program.from_json(value)


def test_small_questions() -> None:
    one = Program((("volume", "1", "a"),), (("b", (Step("read"), Step("list"))), ("a", (Step("delete"),))))
    assert (one.concurrent, one.operations(), list(locations(one))) == (True, 3, ["a", "b"])
    keys = [key_of(task, number) for task in range(12) for number in range(12)]
    assert len(set(keys)) == len(keys)

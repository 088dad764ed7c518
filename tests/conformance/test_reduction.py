"""A failing program made smaller by leaving parts of it out."""

from __future__ import annotations

from storcert.conformance.program import Program, Step
from storcert.conformance.reduction import reduce
from storcert.harness.record.fault import Fault

NAMES = (("volume", "1", "a"),)


def program(*tasks: tuple[Step, ...], faults: tuple[Fault, ...] = ()) -> Program:
    return Program(NAMES, tuple(("host-1", steps) for steps in tasks), faults)


def steps(*verbs: str) -> tuple[Step, ...]:
    return tuple(Step(verb) for verb in verbs)


def verbs(one: Program) -> list[str]:
    return [step.verb for _, steps in one.tasks for step in steps]


def test_only_what_is_needed_is_left() -> None:
    whole = program(steps("list", "write", "read"), steps("read", "delete", "list", "read"), faults=(Fault("crash", "*"),) * 2)
    small, spent, cut_short = reduce(whole, lambda one: {"write", "delete"} <= set(verbs(one)), 200)
    assert (verbs(small), small.faults, cut_short) == (["write", "delete"], (), False)
    assert 10 < spent < 60


def test_a_step_and_the_one_that_undoes_it_go_together() -> None:
    def balanced(one: Program) -> bool:
        return verbs(one).count("write") == verbs(one).count("delete") and "list" in verbs(one)

    small, _, _ = reduce(program(steps("write", "list", "delete")), balanced, 200)
    assert verbs(small) == ["list"]


def test_in_a_race_a_pause_takes_the_place_of_a_step() -> None:
    def late(one: Program) -> bool:
        return len(one.tasks) > 1 and verbs(one)[-1] == "read" and (len(verbs(one)) > 2 or one.tasks[1][1][0].pause_ms >= 20)

    small, _, _ = reduce(program(steps("write"), steps("describe", "read")), late, 200)
    assert verbs(small) == ["write", "read"] and small.tasks[1][1][0].pause_ms == 30


def test_the_executions_are_counted() -> None:
    tried: list[Program] = []
    whole = program(steps("write", "read", "read", "list"))
    small, spent, cut_short = reduce(whole, lambda one: bool(tried.append(one)), 5)
    assert (small, spent, len(tried), cut_short) == (whole, 5, 5, True)


def test_a_program_never_becomes_empty() -> None:
    small, _, _ = reduce(program(steps("write")), lambda one: True, 50)
    assert verbs(small) == ["write"]

"""A failing program without a part at a time: what is not needed goes, and of what stays each part is shown to be necessary."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeAlias

from storcert.conformance.program import Program
from storcert.conformance.violation import Undecided, Violation
from storcert.harness.contract import DataObjectUri, InvalidRequest, ObjectKind
from storcert.harness.record.proof import Proof

#: A shrunk program has a handful of parts; one that is still large after so many runs is shown as it is.
RUNS_MAX = 60
Fails: TypeAlias = Callable[[Program], "Violation | None"]
"""Runs a program: how it fails, if it does. Raises :class:`Undecided` where that cannot be said."""


def parts(program: Program) -> Iterator[tuple[str, Program]]:
    """Each fault and each step in words, and the program without it."""
    for at, fault in enumerate(program.faults):
        yield f"fault: {fault}", replace(program, faults=(*program.faults[:at], *program.faults[at + 1 :]))
    for task, (location, steps) in enumerate(program.tasks):
        for at, step in enumerate(steps):
            rest = (location, (*steps[:at], *steps[at + 1 :]))
            tasks = (*program.tasks[:task], *([rest] if rest[1] else []), *program.tasks[task + 1 :])
            if tasks:
                yield f"{location}: {step.verb} {_name(program, step.uri)}".rstrip(), replace(program, tasks=tasks)


def _name(program: Program, number: int) -> str:
    if number >= len(program.names):
        return ""
    kind, account, object_id = program.names[number]
    try:
        return str(DataObjectUri(ObjectKind(kind), account, object_id))
    except (InvalidRequest, ValueError):
        return object_id  # a name that no driver may take


def minimal(program: Program, violation: Violation, rule: str, fails: Fails) -> tuple[Program, Violation, Proof]:
    """The program without all it does not need, how that fails, and which of its parts a run without them shows to be
    necessary. ``rule``: the one that a violation without a rule of its own breaks."""
    runs = RUNS_MAX
    found = True
    proof = Proof()
    while found:
        found, proof = False, Proof()
        for what, smaller in parts(program):
            if runs == 0:
                return program, violation, proof
            runs -= 1
            try:
                broken = fails(smaller)
            except Undecided:
                continue
            if broken is not None and (broken.rule or rule) == (violation.rule or rule):
                program, violation, found = smaller, broken, True
                break
            proof = proof.with_part(what, needed=True)
    return program, violation, proof

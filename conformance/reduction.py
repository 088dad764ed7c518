"""A failing program made smaller step by step: tasks, faults, runs of steps, single steps and pairs of them are left out.

Hypothesis shrinks what was drawn, and stops where every single change of a draw heals the failure: a program that a strategy
always begins in a certain way keeps its beginning, and a write keeps the delete that undoes it. A program is plain data, so
here it is cut directly. Where tasks race, what is left out also made the next step later: a pause may take its place. The
number of executions is given, not the time, so that a run stays the same run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations

from storcert.conformance.program import Program, Step

#: In larger programs pairs are too many to be tried.
PAIRS_OF_MAX = 9
#: What takes the place of steps: their own pauses, and about as long as fast and slow calls take.
PAUSES_MS = (0, 5, 30)


def reduce(program: Program, fails: Callable[[Program], bool], executions_max: int) -> tuple[Program, int, bool]:
    """A program of which no part that is tried can be left out, how many executions it took, and whether it was cut short.

    ``fails``: whether a program still fails in the same way."""
    spent = 0
    while True:
        for candidate in _smaller(program):
            if candidate == program:
                continue
            if spent == executions_max:
                return program, spent, True
            spent += 1
            if fails(candidate):
                program = candidate
                break
        else:
            return program, spent, False


def _smaller(program: Program) -> Iterator[Program]:
    """What may be left out, most of it first."""
    for number in range(len(program.tasks)):
        if len(program.tasks) > 1:
            yield _without(program, {(number, at) for at in range(len(program.tasks[number][1]))})
    for number in range(len(program.faults)):
        yield replace(program, faults=program.faults[:number] + program.faults[number + 1 :])
    steps = [(number, at) for number, (_, steps) in enumerate(program.tasks) for at in range(len(steps))]
    size = len(steps) // 2
    while size > 1:
        for first in range(0, len(steps), size):
            yield _without(program, set(steps[first : first + size]))
        size //= 2
    for step in reversed(steps):
        yield _without(program, {step})
    if program.concurrent:
        for number, (_, own) in enumerate(program.tasks):
            for count in range(len(own) - 1, 0, -1):
                for first in range(len(own) - count):
                    yield from (_with_pause(program, number, first, count, more_ms) for more_ms in PAUSES_MS)
    if len(steps) <= PAIRS_OF_MAX:
        for pair in combinations(reversed(steps), 2):
            yield _without(program, set(pair))


def _with_pause(program: Program, number: int, first: int, count: int, more_ms: int) -> Program:
    """The program with the pauses of some steps of a task, and a little more, in their place."""
    location, steps = program.tasks[number]
    gone, then = steps[first : first + count], steps[first + count]
    later = replace(then, pause_ms=then.pause_ms + sum(step.pause_ms for step in gone) + more_ms)
    task = (location, (*steps[:first], later, *steps[first + count + 1 :]))
    return replace(program, tasks=(*program.tasks[:number], task, *program.tasks[number + 1 :]))


def _without(program: Program, gone: set[tuple[int, int]]) -> Program:
    """The program without these steps, and without tasks that have none left. The first task and step stay if all would go."""
    tasks: list[tuple[str, tuple[Step, ...]]] = []
    for number, (location, steps) in enumerate(program.tasks):
        kept = tuple(step for at, step in enumerate(steps) if (number, at) not in gone)
        if kept:
            tasks.append((location, kept))
    return replace(program, tasks=tuple(tasks) or program.tasks[:1])

"""The generated checks: for every rule programs drawn by Hypothesis, run, judged against the reference model, shrunk.

A failure is shrunk within a fixed number of executions (counted, not timed, so that a run stays the same run), and the
smallest failing program is what the record, the token and the person see.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from hypothesis.errors import Flaky
from hypothesis.strategies import SearchStrategy

from storcert.conformance import races
from storcert.conformance.bench import Bench
from storcert.conformance.checks.no_file_system import need_watched_files, require_no_file_touched
from storcert.conformance.draws import search
from storcert.conformance.interpreter import Run
from storcert.conformance.necessity import minimal
from storcert.conformance.program import Program
from storcert.conformance.races import race_programs
from storcert.conformance.reduction import reduce
from storcert.conformance.registry import Level, check
from storcert.conformance.strategies import FOCUSES, NEEDS, Focus, large, programs
from storcert.conformance.violation import LeftBehind, LeftToFillIn, Undecided, Violation
from storcert.conformance.world import Circling
from storcert.harness.record.shrinking import Shrinking

EXAMPLES = {
    "small": {Level.CORE: 6, Level.STANDARD: 40, Level.DEEP: 300},
    "parts": {Level.STANDARD: 4, Level.DEEP: 40},
    "races": {Level.STANDARD: 60, Level.DEEP: 600},
}
#: How often a failing program may be run to make it smaller: by Hypothesis first, then by leaving parts of it out.
SHRINK_RUNS_MAX, REDUCE_RUNS_MAX = 250, 150
#: The case of a program that a search beyond the profile found; it has no draws of its own, only that program.
SEARCH = "search"
#: Rules about what faults do: a program without faults says nothing about them.
ABOUT_FAULTS = frozenset({"C-BUDGET", "C-DURABLE", "C-RETRY"})


@dataclass(slots=True)
class _Best:
    """The smallest failure so far."""

    program: Program
    violation: Violation
    steps: list[str]


class _ShrinkingOver(BaseException):
    """Enough executions were spent on making a failure smaller. No ``Exception``, so that Hypothesis lets it through."""


class FoundByGeneration(Violation):
    """A violation with the program that shows it, and how that was made small."""

    def __init__(self, violation: Violation, program: Program, shrinking: Shrinking) -> None:
        super().__init__(violation.message, violation.rule)
        self.violation = violation
        self.program = program
        self.shrinking = shrinking


def run_program(b: Bench, program: Program) -> None:
    """One program in a fresh world. Raises :class:`Violation` or :class:`Undecided`."""
    b.fresh()
    b.generated(program)
    b.example = hashlib.sha256(json.dumps(program.to_json(), sort_keys=True).encode()).hexdigest()[:16]
    b.examples_run += 1
    Run(b, program).execute()


def _run_for(b: Bench, rule: str, program: Program) -> None:
    """One program of that rule. What leaves something on the device broke another rule than the one about files."""
    try:
        run_program(b, program)
    except LeftBehind as left:
        if rule == "C-NOFS":
            raise Violation(left.message, "C-RETRY" if program.faults else "C-DELETE") from left
        raise
    if rule == "C-NOFS":
        require_no_file_touched(b)


def _generate(b: Bench, rule: str, amount: str, shard: int, count: int) -> None:
    if b.program is not None:
        _run_for(b, rule, b.program)
        return
    if rule in ABOUT_FAULTS:
        b.need_simulation()
    if rule == "C-NOFS":
        need_watched_files(b)
    if amount == "races":
        b.need_simulation()
    focus = large(FOCUSES[rule]) if amount == "parts" else FOCUSES[rule]
    if b.facts.mode != "simulated":
        focus = focus_without_faults(focus)
    strategy = race_programs(b.facts, rule) if amount == "races" else programs(b.facts, focus)
    hold(b, rule, strategy, stream_of(f"{b.seed}/{rule}/{amount}/{shard}"), count)


def stream_of(name: str) -> random.Random:
    """The stream of that name: the same draws on every machine."""
    return random.Random(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big"))


def hold(b: Bench, rule: str, strategy: SearchStrategy[Program], stream: random.Random, count: int) -> None:
    """Run ``count`` programs of the strategy and shrink the first that fails. Raises :class:`Violation`."""
    best: list[_Best] = []
    gaps: list[LeftToFillIn] = []
    runs_left = [SHRINK_RUNS_MAX]

    def once(program: Program) -> None:
        _run_for(b, rule, program)

    def fails(program: Program) -> Violation | None:
        try:
            once(program)
        except Violation as violation:
            return violation
        return None

    def run(program: Program) -> None:
        if best:
            runs_left[0] -= 1
            if runs_left[0] < 0:
                raise _ShrinkingOver
        try:
            once(program)
        except LeftToFillIn as gap:
            gaps.append(gap)
            raise _ShrinkingOver from gap
        except Violation as violation:
            if not best or program != best[0].program:
                best[:] = [_Best(program, violation, list(b.steps))]
            if isinstance(violation, Circling):
                raise _ShrinkingOver from violation  # each run of it takes seconds, and hundreds are no answer at all
            raise

    reduced, cut_short = 0, False
    try:
        search(strategy, run, stream, count)
    except (Violation, _ShrinkingOver):
        if not best:
            raise gaps[0] from None
        if isinstance(best[0].violation, Circling):
            as_found = Shrinking(best[0].program.operations(), 0, True)
            raise FoundByGeneration(best[0].violation, best[0].program, as_found) from None
        reduced, cut_short = _reduced(best, once, b)
        program, violation, b.proof = minimal(best[0].program, best[0].violation, rule, fails)
        if program != best[0].program:
            fails(program)
            best[:] = [_Best(program, violation, list(b.steps))]
    except Flaky:
        if b.facts.mode == "live":
            # In real time two runs of one program are two runs: a thread of somebody's was late with something.
            raise Undecided(f"once, and not again on a real device: {best[0].violation.message}") from None
        # The same world twice, and two answers: only something kept from one world to the next explains that.
        said = f"the driver keeps state between worlds: once, and not again, {best[0].violation.message}"
        violation = Violation(said, "C-STATELESS")
    else:
        return
    # The last world is the one that is shown, also where others were tried after it.
    try:
        run_program(b, best[0].program)
    except Violation:
        pass
    b.steps[:] = best[0].steps
    shrunk = SHRINK_RUNS_MAX - max(runs_left[0], 0)
    shrinking = Shrinking(best[0].program.operations(), shrunk + reduced, cut_short)
    raise FoundByGeneration(violation, best[0].program, shrinking)


def _reduced(best: list[_Best], once: Callable[[Program], None], b: Bench) -> tuple[int, bool]:
    """Leave out of the smallest failure what can be; how many executions that took, and whether it was cut short. What breaks
    another rule is a failure of its own, and not this one made smaller."""
    rule = best[0].violation.rule

    def fails(program: Program) -> bool:
        try:
            once(program)
        except Violation as violation:
            if violation.rule == rule:
                best[:] = [_Best(program, violation, list(b.steps))]
                return True
        except (Undecided, LeftToFillIn):
            return False
        return False

    return reduce(best[0].program, fails, REDUCE_RUNS_MAX)[1:]


def focus_without_faults(focus: Focus) -> Focus:
    """The focus for devices that cannot show faults, with one task at a time."""
    return replace(focus, faults=0, tasks=1)


def _amount_and_level(case: str) -> tuple[str, Level]:
    amount, level = ("small", "core") if case == SEARCH else case.split("-")
    return amount, Level[level.upper()]


def count_of_programs(case: str) -> int:
    """How many programs that case of ``programs-hold`` runs."""
    amount, level = _amount_and_level(case)
    return EXAMPLES[amount][level]


def _has(rule: str, amount: str) -> bool:
    """Whether the rule has programs of that amount."""
    if amount == "races":
        return rule in races.RULES
    return amount == "small" or not FOCUSES[rule].volumes


def _register(rule: str) -> None:
    def cases(profile: Level) -> Callable[[Any], list[str]]:
        found = []
        for amount, counts in EXAMPLES.items():
            if profile in counts and _has(rule, amount):
                found.append(f"{amount}-{profile.name.lower()}")
        return lambda _: found

    def programs_hold(b: Bench, case: str) -> None:
        amount, level = _amount_and_level(case)
        _generate(b, rule, amount, int(level), count_of_programs(case))

    programs_hold.__doc__ = f"Generated programs that lean to {rule} behave as the reference model allows."
    check(rule, core=cases(Level.CORE), standard=cases(Level.STANDARD), deep=cases(Level.DEEP), needs=NEEDS.get(rule, ()))(
        programs_hold
    )


for _rule in FOCUSES:
    _register(_rule)

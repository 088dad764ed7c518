"""Runs the kit against one mutant, as ``storcert certify`` would, until the rule that must catch it does.

    python -m tests.mutants.kill copy-overwrites      one mutant, what the kit says of it
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import storcert.conformance.requirements  # noqa: F401  (fills the registry)
from storcert.conformance.driver_source import find_driver
from storcert.conformance.facts import Facts
from storcert.conformance.options import CertifyOptions
from storcert.conformance.registry import Case, Level, cases_for
from storcert.conformance.runner import CaseOutcome, run_case
from storcert.conformance.schedule import Job, fence
from storcert.conformance.subject import Subject
from storcert.harness.record.verdict import Verdict
from tests.mutants.mutant import SUBJECTS, Mutant, load, materialise


@dataclass(frozen=True, slots=True)
class Kill:
    """``case``: id of the case that caught the mutant, or empty; ``message``: what it said; ``examples``: how many were
    run until then; ``others``: what other rules said of it meanwhile, for a person who looks at a survivor."""

    mutant: str
    case: str
    message: str
    examples: int
    seconds: float
    others: tuple[str, ...] = ()


@contextmanager
def planted(mutant: Mutant | None, seed: int = 0, driver: str = "s3") -> Iterator[tuple[Subject, Facts]]:
    """The mutant's driver, or ``driver`` as it is, loaded and calibrated; its modules and its folder go at the end."""
    device = SUBJECTS[driver if mutant is None else mutant.driver][1]
    with tempfile.TemporaryDirectory() as name:
        path, modules = list(sys.path), set(sys.modules)
        try:
            options = CertifyOptions(
                find_driver(materialise(mutant, Path(name), driver), device),
                device=device,
                configuration=dict(mutant.configuration) if mutant else {},
                simulator=dict(mutant.simulator) if mutant else {},
                seed=seed,
            )
            job = Job.of(options)
            yield job.subject(), job.calibrate()
        finally:
            sys.path[:] = path
            for module in set(sys.modules) - modules:
                if name in str(getattr(sys.modules[module], "__file__", None)):
                    del sys.modules[module]


def order(mutant: Mutant, facts: Facts) -> list[Case]:
    """Every case of profile standard that may catch it: those of the check that should, then the rest of the rule."""
    check = mutant.check.partition("[")[0]
    core = {case.id for case in cases_for(facts, Level.CORE)}
    cases = [case for case in cases_for(facts, Level.STANDARD) if case.check.rule == mutant.rule or case.check.id == check]
    return sorted(cases, key=lambda case: (case.id != mutant.check, case.check.id != check, case.id not in core))


def kill(mutant: Mutant, seed: int = 0) -> Kill:
    """Run cases until one fails for the right reason: the named rule, in words that fit this bug."""
    started = time.perf_counter()
    examples, others = 0, []
    with planted(mutant, seed) as (subject, facts):
        cases = order(mutant, facts)
        with fence("simulated"):
            for case in cases:
                outcome = run_case(case, subject, facts, seed)
                examples += outcome.result.examples
                if outcome.result.verdict is Verdict.PASS or outcome.result.verdict is Verdict.SKIPPED:
                    continue
                if outcome.result.verdict is Verdict.FAIL and caught(mutant, outcome):
                    return Kill(mutant.id, case.id, outcome.message, examples, time.perf_counter() - started, tuple(others))
                others.append(f"{outcome.result.verdict} {outcome.result.rule} {case.id}: {outcome.message}")
    return Kill(mutant.id, "", "", examples, time.perf_counter() - started, tuple(others))


def trips(check: str, mutant: Mutant, seed: int = 0) -> str:
    """The case of ``check`` that fails with this mutant, whatever rule it names; empty where none does."""
    with planted(mutant, seed) as (subject, facts), fence("simulated"):
        for case in cases_for(facts, Level.STANDARD):
            if case.check.id == check and run_case(case, subject, facts, seed).result.verdict is Verdict.FAIL:
                return case.id
    return ""


def caught(mutant: Mutant, outcome: CaseOutcome) -> bool:
    """Whether this failure is the named rule's and speaks of this bug."""
    return outcome.result.rule == mutant.rule and mutant.says in outcome.message


def main(identity: str) -> None:
    """Show one mutant's end."""
    found = kill(next(mutant for mutant in load() if mutant.id == identity))
    print(found.case or "SURVIVES", f"{found.examples} examples, {found.seconds:.1f} s")
    print(found.message)
    for line in found.others:
        print("  also:", line)


if __name__ == "__main__":
    main(sys.argv[1])

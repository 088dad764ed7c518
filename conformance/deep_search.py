"""A search beyond the profile (``--search``): programs of swarms, for as long as there is time, led by the driver's own lines.

A **swarm** is a focus of which a stream has left out some operations, endings, faults and sizes: what the others do is not
drowned then. On Python 3.12 and later the lines of the driver are watched, and half the swarms are made of one that reached new
lines. Every program comes from a stream that the seed and a number name, so that Hypothesis makes the failing one again, and
shrinks it.

What a search finds is a failure like any other, with a token. How far it gets depends on the machine: no digest reads it.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from storcert.conformance.bench import Bench
from storcert.conformance.confirm import decide
from storcert.conformance.facts import Facts
from storcert.conformance.generated import SEARCH, hold, stream_of
from storcert.conformance.registry import CHECKS, Case
from storcert.conformance.runner import CaseOutcome
from storcert.conformance.schedule import Job, fence
from storcert.conformance.strategies import FOCUSES, NEEDS, Focus, large, programs
from storcert.conformance.subject import Subject
from storcert.harness.record.depth import SearchDepth, deeper
from storcert.harness.record.verdict import Verdict
from storcert.scenarios.explore.lines import LineWatch, can_watch, merged

PROGRAMS = 4
"""Drawn from one swarm."""
_LEFT_OUT = 0.4
_LIKELIER = (1, 1, 3, 9)


@dataclass(frozen=True, slots=True)
class Swarm:
    """``rule``: whose focus it was made of, and who is told of a failure that names no rule."""

    rule: str
    focus: Focus


def search_on(
    job: Job, facts: Facts, seconds: float, clock: Callable[[], float] = time.monotonic
) -> tuple[list[CaseOutcome], SearchDepth]:
    """Search for so many seconds of real time; the failures, at most one for each rule, and how far it got."""
    subject = job.subject()
    rules = [rule for rule in sorted(FOCUSES) if _applies(rule, facts) and (not job.options.rules or rule in job.options.rules)]
    found: dict[str, CaseOutcome] = {}
    depths = [SearchDepth(guided=can_watch())]
    seen: dict[str, int] = {}
    parents: list[Swarm] = []
    number, until = 0, clock() + seconds
    with fence(job.mode), LineWatch() as watch:
        watch.begin(files_of(subject))
        while rules and clock() < until:
            stream = stream_of(f"{job.options.seed}/{SEARCH}/{number}")
            swarm = draw(stream, rules, facts, parents)
            outcome = decide(case_of(swarm, number), subject, facts, job.options.seed)
            depths.append(replace(outcome.depth, searched=outcome.depth.programs, swarms=1))
            if outcome.result.verdict in (Verdict.FAIL, Verdict.ERROR):
                found.setdefault(outcome.result.rule, outcome)
                rules = [rule for rule in rules if rule not in (outcome.result.rule, swarm.rule)]
            elif merged(seen, watch.take()):
                parents.append(swarm)
            number += 1
    lines = sum(bits.bit_count() for bits in seen.values())
    total = deeper(depths) or SearchDepth()
    return _one_of_each(found), replace(total, lines=lines)


def _one_of_each(found: Mapping[str, CaseOutcome]) -> list[CaseOutcome]:
    """In order, no two with one id: two rules may have broken in the programs of one."""
    by_id = {outcome.result.id: outcome for _, outcome in sorted(found.items(), reverse=True)}
    return [by_id[identity] for identity in sorted(by_id)]


def draw(stream: random.Random, rules: list[str], facts: Facts, parents: list[Swarm]) -> Swarm:
    """The swarm of a stream: made of one of ``parents`` half the time, of a rule's focus otherwise."""
    known = [swarm for swarm in parents if swarm.rule in rules]
    if known and stream.random() < 0.5:
        rule, base = (parent := stream.choice(known)).rule, parent.focus
    else:
        rule = stream.choice(rules)
        base = FOCUSES[rule]
    # Without anything written nothing can be seen.
    verbs = {
        verb: weight * stream.choice(_LIKELIER)
        for verb, weight in sorted(base.verbs.items())
        if verb == "write" or stream.random() >= _LEFT_OUT
    }
    ends = tuple(end for end in base.ends if end == "commit" or stream.random() >= _LEFT_OUT) or base.ends
    focus = replace(
        base,
        verbs=verbs if "write" in verbs else dict(base.verbs),
        ends=ends,
        tasks=stream.choice((1, 1, 2, 3)),
        steps=stream.choice((3, 6, 12, 20)),
        faults=stream.choice((0, 1, 2, 3)) if facts.mode == "simulated" else 0,
        odd_names=not base.volumes and stream.random() < 0.2,
    )
    if not base.volumes and stream.random() < 0.1:
        focus = large(focus)
    return Swarm(rule, focus)


def case_of(swarm: Swarm, number: int) -> Case:
    """Some programs of a swarm as a case. A token of it names the same case of every search, and holds the program."""
    known = CHECKS[f"{swarm.rule}/programs-hold"]

    def some(b: Bench, _: str) -> None:
        if b.program is not None:
            known.function(b, SEARCH)
        else:
            strategy = programs(b.facts, swarm.focus)
            hold(b, swarm.rule, strategy, stream_of(f"{b.seed}/{SEARCH}/{number}/programs"), PROGRAMS)

    return Case(replace(known, function=some), SEARCH, SEARCH)


def found_by_search(identity: str) -> Case | None:
    """The case that a token of a search names, for a replay."""
    check = CHECKS.get(identity.removesuffix(f"[{SEARCH}]"))
    return Case(check, SEARCH, SEARCH) if check is not None and identity.endswith(f"[{SEARCH}]") else None


def files_of(subject: Subject) -> dict[str, str]:
    """The driver's file and those beside it that are loaded, with the names they have in results."""
    file = getattr(sys.modules.get(subject.driver_class.__module__), "__file__", None)
    if file is None:
        return {}
    beside = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    return {one: Path(one).name for one in beside if one is not None and Path(one).parent == Path(file).parent}


def _applies(rule: str, facts: Facts) -> bool:
    return all(getattr(facts.capabilities, name) for name in NEEDS.get(rule, ()))

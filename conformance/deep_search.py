"""A search beyond the profile (``--search``): programs of swarms, for as long as there is time, led by the driver's own lines.

It goes in rounds of a fixed number of swarms (:mod:`storcert.conformance.swarms`). What a round draws from is what all earlier
rounds came to, in the order of their numbers; so any number of workers makes the same swarms, and only how many there is time
for depends on the machine. On Python 3.12 and later the lines of the driver are watched, and half the swarms are made of one
that reached new lines.

What a search finds is a failure like any other, with a token. No digest reads how far it got.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from storcert.conformance.facts import Facts
from storcert.conformance.generated import SEARCH, stream_of
from storcert.conformance.runner import CaseOutcome
from storcert.conformance.schedule import Job
from storcert.conformance.search_workers import Wanted, searchers
from storcert.conformance.strategies import FOCUSES, NEEDS
from storcert.conformance.swarms import Swarm, draw
from storcert.harness.record.depth import SearchDepth, deeper
from storcert.harness.record.verdict import Verdict
from storcert.scenarios.explore.lines import can_watch, merged

ROUND = 8
"""Swarms that are drawn from the same state; also the most workers that have something to do at once."""


def search_on(
    job: Job, facts: Facts, seconds: float, clock: Callable[[], float] = time.monotonic
) -> tuple[list[CaseOutcome], SearchDepth]:
    """Search for so many seconds of real time, in as many processes as the job's options say; the failures, at most one for
    each rule, and how far it got."""
    rules = [rule for rule in sorted(FOCUSES) if _applies(rule, facts) and (not job.options.rules or rule in job.options.rules)]
    found: dict[str, CaseOutcome] = {}
    depths = [SearchDepth(guided=can_watch())]
    seen: dict[str, int] = {}
    parents: list[Swarm] = []
    number, until = 0, clock() + seconds
    with searchers(job, facts, min(job.options.workers, ROUND)) as runner:
        while rules and clock() < until:
            streams = [(one, stream_of(f"{job.options.seed}/{SEARCH}/{one}")) for one in range(number, number + ROUND)]
            wanted = [Wanted(draw(stream, rules, facts, parents), one) for one, stream in streams]
            number += ROUND
            for one in runner.round(wanted, lambda: clock() >= until):
                rule, outcome = one.wanted.swarm.rule, one.outcome
                depths.append(replace(outcome.depth, searched=outcome.depth.programs, swarms=1))
                new = merged(seen, one.lines)
                if outcome.result.verdict in (Verdict.FAIL, Verdict.ERROR):
                    found.setdefault(outcome.result.rule, outcome)
                    rules = [other for other in rules if other not in (outcome.result.rule, rule)]
                elif new:
                    parents.append(one.wanted.swarm)
    lines = sum(bits.bit_count() for bits in seen.values())
    total = deeper(depths) or SearchDepth()
    return _one_of_each(found), replace(total, lines=lines, budget_s=seconds)


def _one_of_each(found: Mapping[str, CaseOutcome]) -> list[CaseOutcome]:
    """In order, no two with one id: two rules may have broken in the programs of one."""
    by_id = {outcome.result.id: outcome for _, outcome in sorted(found.items(), reverse=True)}
    return [by_id[identity] for identity in sorted(by_id)]


def _applies(rule: str, facts: Facts) -> bool:
    return all(getattr(facts.capabilities, name) for name in NEEDS.get(rule, ()))

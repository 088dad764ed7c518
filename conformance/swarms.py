"""Swarms: foci of which a stream has left some operations, endings, faults and sizes out, so that what the others do is not
drowned; the programs of one as a case; and which files of a driver are watched meanwhile. Every program comes from a stream
that the seed and a number name: Hypothesis makes a failing one again, and shrinks it."""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from storcert.conformance.bench import Bench
from storcert.conformance.facts import Facts
from storcert.conformance.generated import SEARCH, hold, stream_of
from storcert.conformance.registry import CHECKS, Case
from storcert.conformance.strategies import FOCUSES, Focus, large, programs
from storcert.conformance.subject import Subject

PROGRAMS = 4
"""Drawn from one swarm."""
_LEFT_OUT = 0.4
_LIKELIER = (1, 1, 3, 9)


@dataclass(frozen=True, slots=True)
class Swarm:
    """``rule``: whose focus it was made of, and who is told of a failure that names no rule."""

    rule: str
    focus: Focus


def draw(stream: random.Random, rules: Sequence[str], facts: Facts, parents: Sequence[Swarm]) -> Swarm:
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

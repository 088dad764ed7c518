"""Programs for races: two or three tasks at work on one object, or on a few blocks of one volume, close together in time.

Directed checks set up one race each; here the moments are drawn, and the judge of concurrency says whether what came of them
has an order. Pauses reach from nothing to the time of the slowest device's calls, so that each step of one call is met by the
others. Writes have contents and sizes of their own, so that nobody can take one for another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from storcert.conformance.bench import HOST, SSVM
from storcert.conformance.blocks import BLOCK_BYTES
from storcert.conformance.facts import Facts
from storcert.conformance.program import Program, Step
from storcert.harness.contract import ObjectKind

PAUSES_MS = (0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128)
SIZES = (1, 2, 3, 5, 700)
BLOCKS = 4
#: How often a step of each verb is drawn: who changes the object, and who does nothing but look at it, again and again.
CHANGES = {"delete": 4, "write": 3, "create": 3, "read": 1, "describe": 2}
LOOKS = {"describe": 4, "read": 2, "list": 1}
LOOKS_MAX = 12
OBJECT, WATCHED, VOLUMES = "C-DELETE", "C-STATELESS", "C-VOLUME"
RULES = (OBJECT, WATCHED, VOLUMES)


def race_programs(facts: Facts, rule: str) -> SearchStrategy[Program]:
    """Programs of the races of a rule."""
    if rule == VOLUMES:
        return _on_blocks(facts)
    return _on_one_object(facts, watched=rule == WATCHED)


def _steps(facts: Facts, weights: Mapping[str, int], pauses_ms: tuple[int, ...]) -> SearchStrategy[Step]:
    weighted = [
        verb for verb in sorted(weights) for _ in range(weights[verb]) if verb != "list" or facts.capabilities.enumerate
    ]
    sizes = sorted({facts.fit(size) for size in SIZES})

    @st.composite
    def step(draw: Any) -> Step:
        verb = draw(st.sampled_from(weighted))
        size = draw(st.sampled_from(sizes)) if verb in ("write", "create") else 0
        return Step(verb, 0, size=size, pause_ms=draw(st.sampled_from(pauses_ms)))

    return step()


def _on_one_object(facts: Facts, *, watched: bool) -> SearchStrategy[Program]:
    """Two or three tasks that change one object; or one or two, and one that watches."""
    changing, looking = _steps(facts, CHANGES, PAUSES_MS), _steps(facts, LOOKS, PAUSES_MS[:6])

    @st.composite
    def program(draw: Any) -> Program:
        begun = draw(st.booleans())
        tasks = []
        for number in range(draw(st.integers(1, 2) if watched else st.integers(2, 3))):
            steps = draw(st.lists(changing, min_size=1, max_size=4))
            if number == 0 and begun:
                steps.insert(0, Step("write", 0, size=facts.fit(SIZES[0])))
            tasks.append((draw(st.sampled_from((HOST, SSVM))), tuple(steps)))
        if watched:
            tasks.append((draw(st.sampled_from((HOST, SSVM))), tuple(draw(st.lists(looking, min_size=1, max_size=LOOKS_MAX)))))
        return Program(((str(facts.kind), "1", "a"),), tuple(tasks))

    return program()


def _on_blocks(facts: Facts) -> SearchStrategy[Program]:
    """A volume is made, then written and read block by block by everybody: registers, which are judged without a search."""
    size = facts.fit(BLOCKS * BLOCK_BYTES)

    @st.composite
    def step(draw: Any) -> Step:
        verb = draw(st.sampled_from(("pwrite", "pwrite", "pread")))
        first = draw(st.integers(0, BLOCKS - 1))
        count = draw(st.sampled_from((1, 1, 2)))
        length = min(count, BLOCKS - first) * BLOCK_BYTES
        return Step(verb, 0, offset=first * BLOCK_BYTES, length=length, pause_ms=draw(st.sampled_from(PAUSES_MS[:6])))

    @st.composite
    def program(draw: Any) -> Program:
        tasks = []
        for number in range(draw(st.integers(2, 3))):
            drawn = draw(st.lists(step(), min_size=1, max_size=6))
            pause_ms = draw(st.sampled_from((16, 32)))
            begin = Step("describe", 0, pause_ms=pause_ms) if number else Step("create", 0, size=size)
            tasks.append((draw(st.sampled_from((HOST, SSVM))), (begin, *drawn)))
        return Program(((str(ObjectKind.VOLUME), "1", "a"),), tuple(tasks))

    return program()

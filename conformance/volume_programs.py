"""Programs of the optional abilities: volumes of one size, snapshots of them, clones, and writes of whole blocks.

The first steps make a volume, so that the others have something to work on; tasks beside it begin a little later. Power
losses are left to the directed checks: what a failed write left unflushed may be seen and then be lost, which is legal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from storcert.conformance.bench import HOST, SSVM
from storcert.conformance.blocks import BLOCK_BYTES
from storcert.conformance.facts import Facts
from storcert.conformance.program import Program, Step
from storcert.harness.contract import ObjectKind
from storcert.harness.record.fault import Fault

VOLUMES, SNAPSHOTS = (0, 1, 2), (3, 4)
#: Steps meet where most of them are about one volume.
MOSTLY_FIRST = (0, 0, 0, 1, 2)
NAMES = (
    *((str(ObjectKind.VOLUME), "1", name) for name in ("a", "ab", "b")),
    *((str(ObjectKind.SNAPSHOT), "1", name) for name in ("a", "s")),
)
SIZES = (BLOCK_BYTES, 3 * BLOCK_BYTES, 4 * BLOCK_BYTES + 100)
#: Fewer seldom meet; a shrunk program has a few steps too many.
STEPS_MIN = 3
NOT_DRAWN = ("power_loss",)


@dataclass(frozen=True, slots=True)
class Places:
    """Which names a step of each verb is about, and which it takes its bytes from."""

    uris: tuple[int, ...]
    sources: tuple[int, ...] = ()


def _places(with_snapshots: bool) -> Mapping[str, Places]:
    every = (*VOLUMES, *SNAPSHOTS) if with_snapshots else VOLUMES
    return {
        "create": Places(VOLUMES), "write": Places(VOLUMES), "copy": Places(every, every), "delete": Places(every),
        "read": Places(every), "describe": Places(every), "list": Places((0,)), "pwrite": Places(MOSTLY_FIRST),
        "pread": Places(MOSTLY_FIRST), "snapshot": Places(SNAPSHOTS, MOSTLY_FIRST),
        "revert": Places(MOSTLY_FIRST, SNAPSHOTS), "clone": Places(VOLUMES, SNAPSHOTS),
    }  # fmt: skip


@st.composite
def _step(draw: Any, weighted: list[str], size: int, pauses: tuple[int, ...], with_snapshots: bool) -> Step:
    verb = draw(st.sampled_from(weighted))
    places = _places(with_snapshots)[verb]
    uri = draw(st.sampled_from(places.uris))
    source = draw(st.sampled_from(places.sources)) if places.sources else 0
    pause_ms = draw(st.sampled_from(pauses))
    if verb in ("create", "write"):
        return Step(verb, uri, size=size, pause_ms=pause_ms)
    if verb in ("pwrite", "pread"):
        first = draw(st.integers(0, (size - 1) // BLOCK_BYTES)) * BLOCK_BYTES
        count = draw(st.sampled_from((1, 1, 2, 3)))
        return Step(verb, uri, offset=first, length=min(count * BLOCK_BYTES, size - first), pause_ms=pause_ms)
    return Step(verb, uri, source=source, pause_ms=pause_ms)


def _beginnings(weights: Mapping[str, int], size: int) -> list[list[Step]]:
    """What may have happened to the volume first: nothing, a snapshot, or two with a write between them."""
    taken = [Step("snapshot", place, source=0) for place in SNAPSHOTS]
    written = [Step("pwrite", 0, length=size)] if "pwrite" in weights else []
    return [[], taken[:1], [*taken[:1], *written, *taken[1:]]]


def volume_programs(
    facts: Facts, weights: Mapping[str, int], tasks: int, steps: int, faults: SearchStrategy[tuple[Fault, ...]]
) -> SearchStrategy[Program]:
    """Programs of these verbs, ``weights`` as often each, at most so many tasks at once and steps a task."""
    weighted = [verb for verb in sorted(weights) for _ in range(weights[verb])]
    with_snapshots = "snapshot" in weights

    @st.composite
    def program(draw: Any) -> Program:
        size = facts.fit(draw(st.sampled_from(SIZES)))
        first = [Step("write", 0, size=size)]
        if with_snapshots:
            first += draw(st.sampled_from(_beginnings(weights, size)))
        count = draw(st.integers(1, tasks))
        made = []
        for number in range(count):
            pauses = (0, 0, 1, 3, 8) if count > 1 else (0,)
            drawn = draw(st.lists(_step(weighted, size, pauses, with_snapshots), min_size=STEPS_MIN, max_size=steps))
            begin = first if number == 0 else [Step("describe", 0, pause_ms=draw(st.sampled_from((5, 20, 60))))]
            made.append((draw(st.sampled_from((HOST, SSVM))), (*begin, *drawn)))
        names = NAMES if with_snapshots else NAMES[: len(VOLUMES)]
        return Program(names, tuple(made), draw(faults))

    return program()

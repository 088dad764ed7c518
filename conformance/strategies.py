"""Strategies for programs. Each rule has a focus: which verbs, sizes, names, tasks and faults its programs lean to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from storcert.conformance.bench import HOST, SSVM
from storcert.conformance.facts import Facts
from storcert.conformance.fault_space import SECOND_NS
from storcert.conformance.program import Program, Step
from storcert.conformance.volume_programs import NOT_DRAWN, volume_programs
from storcert.harness.record.fault import Fault, Phase

PLAIN_NAMES = (("1", "a"), ("1", "ab"), ("1", "a-b"), ("2", "a"))
NAME_TEXT = st.text(st.characters(min_codepoint=1, max_codepoint=0x2FFF), min_size=1, max_size=12)


@dataclass(frozen=True, slots=True)
class Focus:
    """``verbs``: how often each verb is drawn. ``tasks``: at most so many at once. ``steps``: at most so many a task.
    ``parts``: sizes reach over the part boundary. ``odd_names``: names beyond the plain alphabet. ``faults``: at most so
    many. ``ends``: how writes end. ``volumes``: names are of volumes and snapshots, all of one size, and the first of them
    is written before anything else."""

    verbs: Mapping[str, int]
    tasks: int = 1
    steps: int = 10
    parts: bool = False
    odd_names: bool = False
    faults: int = 0
    ends: tuple[str, ...] = ("commit", "commit", "with", "abort", "raise")
    volumes: bool = False


_ALL = {"create": 2, "write": 4, "copy": 2, "delete": 3, "read": 3, "describe": 2, "list": 1}


def _lean(**more: int) -> dict[str, int]:
    return {verb: more.get(verb, weight) for verb, weight in _ALL.items()}


_VOLUMES = {
    "create": 1, "write": 2, "copy": 1, "delete": 2, "read": 2, "describe": 1, "list": 1, "pwrite": 4, "pread": 1,
    "snapshot": 4, "revert": 2, "clone": 3,
}


def _of_volumes(**more: int) -> dict[str, int]:
    return {verb: more.get(verb, weight) for verb, weight in _VOLUMES.items()}


FOCUSES: Mapping[str, Focus] = {
    "C-CREATE": Focus(_lean(create=9)),
    "C-DELETE": Focus(_lean(delete=8, create=4)),
    "C-COPY": Focus(_lean(copy=9), tasks=2, steps=6),
    "C-READ": Focus(_lean(read=10), ends=("commit",)),
    "C-WRITE": Focus(_lean(write=9), ends=("commit", "with")),
    "C-COMMIT": Focus(_lean(write=9), faults=1, steps=5),
    "C-ABORT": Focus(_lean(write=9), ends=("abort", "close", "raise", "drop", "commit")),
    "C-ONCE": Focus({"write": 5, "create": 1, "copy": 2, "delete": 1, "read": 2}, tasks=3, steps=3, ends=("commit", "with")),
    "C-READER": Focus({"write": 4, "delete": 3, "read": 6, "create": 1}, tasks=2, steps=5, ends=("commit",)),
    "C-INDEP": Focus({"write": 5, "read": 5, "delete": 1, "create": 1}, tasks=3, steps=4),
    "C-STATELESS": Focus(_lean(describe=5, list=3), tasks=2, steps=6),
    "C-NOFS": Focus(_lean(), faults=1, steps=6, ends=("commit", "abort", "raise", "drop")),
    "C-NAMES": Focus(_lean(), odd_names=True),
    "C-ERRORS": Focus(_lean(), faults=1, steps=5),
    "C-BUDGET": Focus(_lean(), faults=2, steps=4),
    "C-DURABLE": Focus(_lean(write=6, create=3), faults=1, steps=5, ends=("commit",)),
    "C-RETRY": Focus(_lean(), faults=2, tasks=2, steps=3),
    "C-LIST": Focus(_lean(list=6, create=6)),
    "C-DESCRIBE": Focus(_lean(describe=8)),
    "C-CAPS": Focus(_lean()),
    "C-SNAP": Focus(_of_volumes(snapshot=8, pwrite=6), tasks=2, steps=6, ends=("commit",), volumes=True),
    "C-REVERT": Focus(_of_volumes(revert=8, pwrite=6), tasks=2, steps=6, ends=("commit",), volumes=True),
    "C-CLONE": Focus(_of_volumes(clone=8, pwrite=6), tasks=2, steps=6, ends=("commit",), volumes=True),
    "C-DEPEND": Focus(_of_volumes(delete=9, clone=9, snapshot=5, create=0, list=0), steps=9, ends=("commit",), volumes=True),
    "C-VOLUME": Focus(_of_volumes(pwrite=12, pread=6), faults=1, steps=8, ends=("commit",), volumes=True),
}
#: Capabilities without which the programs of a rule say nothing about it.
NEEDS = {
    "C-SNAP": ("snapshots",), "C-REVERT": ("snapshots", "revert"), "C-CLONE": ("snapshots", "clone"),
    "C-DEPEND": ("snapshots",), "C-VOLUME": ("random_access",),
}
CAPABILITY_OF_VERB = {
    "copy": "on_device_copy", "list": "enumerate", "pwrite": "random_access", "pread": "random_access",
    "snapshot": "snapshots", "revert": "revert", "clone": "clone",
}


def large(focus: Focus) -> Focus:
    """The same focus with sizes over the part boundary and fewer steps, because each moves megabytes."""
    return replace(focus, parts=True, steps=min(focus.steps, 4))


def _sizes(facts: Facts, focus: Focus) -> SearchStrategy[int]:
    small = st.one_of(st.sampled_from(facts.small_sizes), st.integers(0, 70_000).map(facts.fit))
    if not focus.parts:
        return small
    part = facts.part_bytes
    around = st.builds(lambda count, more: facts.fit(count * part + more), st.integers(1, 2), st.integers(-3, 3))
    return st.one_of(small, st.sampled_from(facts.sizes(part - 1, part, part + 1)), around)


def _pieces(facts: Facts, focus: Focus) -> SearchStrategy[tuple[int, ...]]:
    least, most = (65_536, 2 * facts.part_bytes) if focus.parts else (500, 70_000)
    some = st.lists(st.integers(least, most), min_size=1, max_size=3).map(tuple)
    return st.one_of(st.just(()), some)


def _able(facts: Facts, focus: Focus) -> dict[str, int]:
    """The verbs of the focus that the declared capabilities allow."""
    able = facts.capabilities
    return {verb: weight for verb, weight in focus.verbs.items() if getattr(able, CAPABILITY_OF_VERB.get(verb, "kinds"))}


def _steps(facts: Facts, focus: Focus, names: int) -> SearchStrategy[Step]:
    verbs = _able(facts, focus)
    weighted = [verb for verb in sorted(verbs) for _ in range(verbs[verb])]

    @st.composite
    def step(draw: Any) -> Step:
        verb = draw(st.sampled_from(weighted))
        uri = draw(st.integers(0, names - 1))
        pause_ms = draw(st.sampled_from((0, 0, 1, 3, 8))) if focus.tasks > 1 else 0
        if verb == "write":
            return Step(
                verb,
                uri,
                size=draw(_sizes(facts, focus)),
                pieces=draw(_pieces(facts, focus)),
                end=draw(st.sampled_from(focus.ends)),
                announced=draw(st.booleans()),
                pause_ms=pause_ms,
            )
        if verb == "create":
            return Step(verb, uri, size=draw(_sizes(facts, focus)), pause_ms=pause_ms)
        if verb == "copy":
            return Step(verb, uri, source=draw(st.integers(0, names - 1)), pause_ms=pause_ms)
        if verb == "read":
            offset, length = draw(_ranges(facts, focus))
            return Step(verb, uri, pieces=draw(_pieces(facts, focus)), offset=offset, length=length, pause_ms=pause_ms)
        return Step(verb, uri, pause_ms=pause_ms)

    return step()


def _ranges(facts: Facts, focus: Focus) -> SearchStrategy[tuple[int, int | None]]:
    whole: SearchStrategy[tuple[int, int | None]] = st.just((0, None))
    if not facts.capabilities.range_read:
        return whole
    most = 2 * facts.part_bytes if focus.parts else 70_000
    return st.one_of(whole, whole, st.tuples(st.integers(0, most), st.one_of(st.none(), st.integers(0, most))))


def _faults(facts: Facts, focus: Focus, left_out: Sequence[str] = ()) -> SearchStrategy[tuple[Fault, ...]]:
    if not focus.faults or not facts.fault_phases:
        return st.just(())
    wanted = sorted(set(facts.fault_phases) - set(left_out))
    kinds = [(kind, phase) for kind in wanted for phase in facts.fault_phases[kind]]
    one = st.builds(
        lambda kind, nth, count, value: Fault(kind[0], "*", nth, Phase(kind[1]), count, value),
        st.sampled_from(kinds),
        st.integers(1, 12),
        st.sampled_from((1, 1, 2, 5)),
        st.sampled_from((0, 1, 1000, 2 * SECOND_NS, 45 * SECOND_NS)),
    )
    return st.lists(one, min_size=1, max_size=focus.faults).map(tuple)


def programs(facts: Facts, focus: Focus) -> SearchStrategy[Program]:
    """Programs for a driver with these facts."""
    if focus.volumes:
        return volume_programs(facts, _able(facts, focus), focus.tasks, focus.steps, _faults(facts, focus, NOT_DRAWN))
    kinds = sorted(facts.capabilities.kinds)

    @st.composite
    def program(draw: Any) -> Program:
        names = draw(_names(kinds, focus))
        steps = _steps(facts, focus, len(names))
        count = draw(st.integers(2, focus.tasks)) if focus.tasks > 1 else 1
        tasks = []
        for number in range(count):
            location = draw(st.sampled_from((HOST, SSVM))) if count > 1 else HOST
            tasks.append((location, tuple(draw(st.lists(steps, min_size=1, max_size=focus.steps)))))
            del number
        return Program(names, tuple(tasks), draw(_faults(facts, focus)))

    return program()


def _names(kinds: Sequence[str], focus: Focus) -> SearchStrategy[tuple[tuple[str, str, str], ...]]:
    kind = st.sampled_from([str(one) for one in kinds])
    if focus.odd_names:
        text = NAME_TEXT.filter(lambda name: name not in (".", ".."))
        one = st.tuples(kind, st.sampled_from(("1", "2")), text)
    else:
        one = st.tuples(st.just(str(kinds[0])), st.sampled_from(PLAIN_NAMES)).map(lambda pair: (pair[0], *pair[1]))
    most = 4 if focus.odd_names else 3
    return st.lists(one, min_size=1, max_size=most, unique=True).map(tuple)

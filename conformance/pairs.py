"""Two things that go wrong in one operation: the second strikes what the driver does about the first.

Which requests those are is seen, not guessed: the operation runs once with the first fault alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from storcert.conformance.bench import HOST, SSVM, Bench
from storcert.conformance.coverage import Schedule
from storcert.conformance.fault_space import LASTING, crash_points, each_once, single_faults
from storcert.conformance.operations import prepare, scenario
from storcert.harness.record.fault import Fault, Phase
from storcert.simulators.device import FaultKind

#: So many first faults are looked at for each pair that is wanted, before the sample is left smaller.
TRIES = 4


@dataclass(frozen=True, slots=True)
class Look:
    """What an operation does under a first fault. ``later``: its requests after the one that was struck, the name of each and
    the how many-th of that name it is; ``failed``: it ended with an error."""

    later: tuple[tuple[str, int], ...]
    failed: bool


def draw(b: Bench, about: str, below: int) -> int:
    """A number from 0 that the seed, the case and ``about`` alone decide."""
    text = f"{b.seed}/{b.case_id}/{about}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") % below


def look(b: Bench, name: str, first: Fault, *, again: bool = False) -> Look:
    """Run the operation under the first fault alone; with ``again``, look at its repetition from the other location instead."""
    one = scenario(b.facts, name)
    b.fresh(**b.options_for(one.page_size, one.setting))
    b.example = f"a look at {first}"
    prepare(b, one)
    b.arm(first)
    start = len(b.world.device.requests)
    attempt = b.attempt(lambda: one.call(b, b.client(HOST).later))
    struck = [first in request.faults for request in b.world.device.requests[start:]]
    skipped = struck.index(True) + 1 if True in struck else len(struck)
    if again:
        b.heal()
        start, skipped = len(b.world.device.requests), 0
        b.attempt(lambda: one.call(b, b.client(SSVM).later))
    names = [request.operation for request in b.world.device.requests[start:]]
    later = tuple((name, names[: at + 1].count(name)) for at, name in enumerate(names) if at >= skipped)
    return Look(later, attempt.error is not None)


def _crashes(look: Look, location: str) -> list[Fault]:
    phases = (Phase.BEFORE, Phase.AFTER)
    return [Fault("crash", name, nth, phase, location=location) for name, nth in look.later for phase in phases]


def _faults(look: Look, kinds: Iterable[FaultKind], counts: Sequence[int] = LASTING) -> list[Fault]:
    """Every fault at each of the later requests, with the largest amount."""
    found = []
    for name, nth in look.later:
        for kind in kinds:
            found += [replace(fault, nth=nth) for fault in single_faults((name,), kind, counts, largest=True)]
    return found


def _second(b: Bench, look: Look) -> list[Fault]:
    return [*_crashes(look, HOST), *_faults(look, _kinds(b))]


def _kinds(b: Bench) -> list[FaultKind]:
    return sorted((kind for kind in b.world.device.legal_faults if kind.name != "crash"), key=lambda kind: kind.name)


def drawn_pairs(b: Bench, name: str, requests: Sequence[str], wanted: int) -> Iterator[Schedule]:
    """So many pairs of a fault and whatever may follow it, chosen by the seed; fewer where not so many are found."""
    firsts = list(each_once(requests, _kinds(b)))
    yield from _drawn(b, firsts, lambda first: _second(b, look(b, name, first)), wanted)


def drawn_repetitions(b: Bench, name: str, requests: Sequence[str], wanted: int) -> Iterator[Schedule]:
    """So many pairs of a crash and a crash of the location that repeats the operation, chosen by the seed."""
    firsts = list(crash_points(requests, HOST))
    yield from _drawn(b, firsts, lambda first: _crashes(look(b, name, first, again=True), SSVM), wanted)


def _drawn(b: Bench, firsts: Sequence[Fault], seconds: Callable[[Fault], list[Fault]], wanted: int) -> Iterator[Schedule]:
    known: dict[Fault, list[Fault]] = {}
    given: set[Schedule] = set()
    for turn in range(TRIES * wanted if firsts else 0):
        first = firsts[draw(b, f"{turn}/first", len(firsts))]
        if first not in known:
            known[first] = seconds(first)
        if not known[first]:
            continue
        pair = (first, known[first][draw(b, f"{turn}/second", len(known[first]))])
        if pair not in given:
            given.add(pair)
            yield pair
        if len(given) == wanted:
            return


def then_crashes(b: Bench, name: str, requests: Sequence[str], kind: FaultKind) -> Iterator[Schedule]:
    """Every fault of ``kind``, once, and after each a crash at every request that the driver still makes."""
    for first in single_faults(requests, kind, counts=(1,)):
        for second in _crashes(look(b, name, first), HOST):
            yield first, second


def in_the_clean_up(b: Bench, name: str, requests: Sequence[str], kind: FaultKind) -> Iterator[Schedule]:
    """Every fault of ``kind`` that ends the operation, and after each the same once more at every request of the clean-up."""
    for first in single_faults(requests, kind, counts=(1,), largest=True):
        seen = look(b, name, first)
        for second in _faults(seen, [kind], (1,)) if seen.failed else ():
            yield first, second

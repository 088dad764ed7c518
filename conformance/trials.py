"""Tries an operation under every schedule of faults that a check names, judges each, and notes what was reached.

One broken schedule does not end a case: what else breaks is part of the answer. The first one is what the case shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from storcert.conformance.bench import HOST, SSVM, Bench
from storcert.conformance.coverage import Schedule, Tried, step_of
from storcert.conformance.fault_space import crash_points
from storcert.conformance.operations import DELETES, REPETITION, judge, prepare, scenario
from storcert.conformance.violation import Violation
from storcert.harness.contract import StorageError
from storcert.harness.record.fault import Fault, Phase
from storcert.harness.record.proof import Proof

#: A driver that asks ever more of the device, the more often it dies, is stopped here; C-BUDGET says what to think of it.
LATER_MAX = 100
#: Where everything is repeated and looked at when the location that repeated it has died too.
THIRD = "ssvm-2"
#: Where a call does not end, another schedule would cost as much again and say the same.
HOPELESS = "C-BUDGET"


def named(schedule: Schedule) -> str:
    """The schedule as the name of an example."""
    return ", then ".join(str(fault) for fault in schedule)


class _Example:
    """A schedule whose text is the name that a replay token carries."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule

    def __str__(self) -> str:
        return named(self.schedule)


def try_each(b: Bench, name: str, schedules: Sequence[Schedule], tried: Tried) -> None:
    """Try the operation of that name under each schedule. Raises the first violation when all were tried."""
    tried.plan(schedules)
    _run(b, name, iter(schedules), tried)


def try_pairs(b: Bench, name: str, pairs: Iterable[Schedule], tried: Tried) -> None:
    """The same for pairs that are found on the way, because what a driver does about a first fault must be seen first."""

    def planned() -> Iterator[Schedule]:
        for pair in pairs:
            tried.plan([pair])
            yield pair

    _run(b, name, planned(), tried)


def try_every_crash(b: Bench, name: str, tried: Tried) -> None:
    """Let the location die at each request, before and after its effect, until a crash strikes nothing any more: however many
    requests the operation makes, there is no other moment. Raises the first violation when all were tried."""
    tried.crashing = True
    known: list[Schedule] = [(fault,) for fault in crash_points(tried.requests, HOST)]
    tried.plan(known)
    _run(b, name, _crashes(b, known, tried), tried)


def _crashes(b: Bench, known: Sequence[Schedule], tried: Tried) -> Iterator[Schedule]:
    yield from known
    made = len(tried.requests)
    for nth in range(made + 1, made + 1 + LATER_MAX):
        for phase in (Phase.BEFORE, Phase.AFTER):
            yield (Fault("crash", "*", nth, phase, location=HOST),)
            if b.wanted is None and tried.complete:
                return


def _run(b: Bench, name: str, schedules: Iterator[Schedule], tried: Tried) -> None:
    b.tried = tried
    first: Violation | StorageError | None = None
    shown: Schedule = ()
    one = scenario(b.facts, name)
    options = b.options_for(one.page_size, one.setting)
    for example in b.examples(map(_Example, schedules), **options):
        found = _found(b, name, example.schedule, tried)
        if found is not None and first is None:
            first, shown = found, example.schedule
            b.hold()
        if isinstance(found, Violation) and found.rule == HOPELESS:
            break
    if first is not None:
        if not (isinstance(first, Violation) and first.rule == HOPELESS):
            b.proof = _proven(b, name, shown, first, options)
        b.show_held()
        raise first


def _found(b: Bench, name: str, schedule: Schedule, tried: Tried) -> Violation | StorageError | None:
    struck: list[bool] = []
    try:
        _under(b, name, schedule, struck)
    except (Violation, StorageError) as broken:
        _note(schedule, all(struck) and bool(struck), True, tried)
        return broken
    _note(schedule, all(struck), False, tried)
    return None


def _under(b: Bench, name: str, schedule: Schedule, struck: list[bool], without: frozenset[str] = frozenset()) -> None:
    """Run the operation under the schedule and judge it. What is due at the other location strikes the repetition there."""
    one = scenario(b.facts, name)
    prepare(b, one)
    before = b.census()
    now, then = ([fault for fault in schedule if (fault.location == SSVM) is later] for later in (False, True))
    b.arm(*now)
    attempt = b.attempt(lambda: one.call(b, b.client(HOST).later))
    struck += [fault in b.world.device.fired for fault in now]
    if then:
        b.heal()
        b.arm(*then)
        again = b.attempt(lambda: one.call(b, b.client(SSVM).later))
        struck += [fault in b.world.device.fired for fault in then]
        attempt = again if again.crashed else attempt
    judge(b, one, attempt, before, at=THIRD if then else SSVM, without=without)


def _proven(
    b: Bench, name: str, schedule: Schedule, found: Violation | StorageError, options: Mapping[str, int]
) -> Proof:
    """Which parts of a failure it needs: each is left out once, in a world that is otherwise the same."""
    parts = {str(fault): ((*schedule[:at], *schedule[at + 1 :]), frozenset[str]()) for at, fault in enumerate(schedule)}
    parts |= {what: (schedule, frozenset({what})) for what in (REPETITION, DELETES)}
    proof = Proof()
    for what, (rest, without) in parts.items():
        b.fresh(**options)
        b.example = named(schedule)  # the world is made from it, and is to be the same one
        try:
            _under(b, name, rest, [], without)
        except (Violation, StorageError) as broken:
            kept = _same(broken, found)
        else:
            kept = False
        proof = proof.with_part(what, needed=not kept)
    return proof


def _same(one: Violation | StorageError, other: Violation | StorageError) -> bool:
    return (getattr(one, "rule", None), type(one)) == (getattr(other, "rule", None), type(other))


def _note(schedule: Schedule, reached: bool, failed: bool, tried: Tried) -> None:
    beyond = len(schedule) == 1 and schedule[0].kind == "crash" and step_of(tried.requests, schedule[0]) > len(tried.requests)
    if beyond and not reached:
        tried.complete = True
        if not failed:
            return
    if beyond:
        tried.later += 1
    tried.note(schedule, reached, failed)

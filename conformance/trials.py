"""Tries an operation under every schedule of faults that a check names, judges each, and notes what was reached.

One broken schedule does not end a case: what else breaks is part of the answer. The first one is what the case shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from storcert.conformance.bench import HOST, Bench
from storcert.conformance.coverage import Schedule, Tried, step_of
from storcert.conformance.fault_space import crash_points
from storcert.conformance.operations import judge, prepare, scenario
from storcert.conformance.violation import Violation
from storcert.harness.contract import StorageError
from storcert.harness.record.fault import Fault, Phase

#: A driver that asks ever more of the device, the more often it dies, is stopped here; C-BUDGET says what to think of it.
LATER_MAX = 100
#: Where a call does not end, another schedule would cost as much again and say the same.
HOPELESS = "C-BUDGET"


def named(schedule: Schedule) -> str:
    """The schedule as the name of an example."""
    return str(schedule[0]) if len(schedule) == 1 else str(schedule)


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
    options = b.page_options(scenario(b.facts, name).page_size)
    for example in b.examples(map(_Example, schedules), **options):
        found: Violation | StorageError | None = None
        try:
            _under(b, name, example.schedule, tried)
        except (Violation, StorageError) as broken:
            found = broken
        if found is not None and first is None:
            first = found
            b.hold()
        if isinstance(found, Violation) and found.rule == HOPELESS:
            break
    if first is not None:
        b.show_held()
        raise first


def _under(b: Bench, name: str, schedule: Schedule, tried: Tried) -> None:
    one = scenario(b.facts, name)
    prepare(b, one)
    before = b.census()
    b.arm(*schedule)
    failed = True
    reached = False
    try:
        attempt = b.attempt(lambda: one.call(b, b.client(HOST).later))
        reached = set(schedule) <= set(b.world.device.fired)
        judge(b, one, attempt, before)
        failed = False
    finally:
        _note(schedule, reached, failed, tried)


def _note(schedule: Schedule, reached: bool, failed: bool, tried: Tried) -> None:
    beyond = len(schedule) == 1 and schedule[0].kind == "crash" and step_of(tried.requests, schedule[0]) > len(tried.requests)
    if beyond and not reached:
        tried.complete = True
        if not failed:
            return
    if beyond:
        tried.later += 1
    tried.note(schedule, reached, failed)

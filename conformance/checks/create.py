"""C-CREATE: exactly so many zero bytes; repeatable; never over another object."""

from __future__ import annotations

from storcert.conformance.bench import Bench
from storcert.conformance.facts import Facts
from storcert.conformance.observe import both, require_absent, require_bytes, stored
from storcert.conformance.registry import Level, check
from storcert.conformance.violation import require
from storcert.harness.contract import InvalidRequest, ObjectExists, ObjectKind

RULE = "C-CREATE"


def _all_sizes(facts: Facts) -> tuple[int, ...]:
    return facts.boundary_sizes


@check(RULE, core=lambda f: f.small_sizes, standard=_all_sizes)
def zero_bytes(b: Bench, size: int) -> None:
    """create makes an object of exactly the size asked for, all bytes zero, visible at every location."""
    here, there = both(b)
    uri = b.uri()
    here.create(uri, size)
    require_bytes(there, uri, bytes(size))


@check(RULE, core=lambda f: sorted(f.capabilities.kinds))
def every_kind(b: Bench, kind: ObjectKind) -> None:
    """An object of each kind the device holds can be created, read and deleted."""
    here, there = both(b)
    uri = b.uri(kind=ObjectKind(kind))
    size = b.facts.fit(1000)
    here.create(uri, size)
    require_bytes(there, uri, bytes(size))
    there.delete(uri)
    require_absent(here, uri)


@check(RULE, core=lambda f: f.sizes(0, 4096), standard=lambda f: [f.large_size])
def repeat_changes_nothing(b: Bench, size: int) -> None:
    """create of an existing object of the same size succeeds and changes nothing, from any location."""
    here, there = both(b)
    uri = b.uri()
    here.create(uri, size)
    before = b.census() if b.facts.mode == "simulated" else ()
    there.create(uri, size)
    here.create(uri, size)
    require_bytes(there, uri, bytes(size))
    if b.facts.mode == "simulated":
        b.require_same_census(before, "after the repeated create")


@check(RULE, core=lambda f: f.sizes(4096), standard=lambda f: [f.large_size])
def repeat_keeps_written_bytes(b: Bench, size: int) -> None:
    """create of an existing object of the same size leaves its written bytes alone."""
    here, there = both(b)
    uri = b.uri()
    data = stored(b, uri, size)
    there.create(uri, size)
    require_bytes(here, uri, data)


@check(RULE, core=lambda f: ["smaller", "larger", "empty", "from-empty"], standard=lambda f: ["large"])
def other_size_is_refused(b: Bench, how: str) -> None:
    """create of an existing object of another size raises ObjectExists and changes nothing."""
    here, there = both(b)
    uri = b.uri()
    grain = b.facts.capabilities.size_granularity_bytes
    old, new = {
        "smaller": (4096 * grain, 4095 * grain),
        "larger": (4096 * grain, 4097 * grain),
        "empty": (4096 * grain, 0),
        "from-empty": (0, grain),
        "large": (b.facts.fit(4096), b.facts.large_size),
    }[how]
    data = stored(b, uri, old)
    before = b.census() if b.facts.mode == "simulated" else ()
    b.expect(ObjectExists, lambda: there.create(uri, new))
    require_bytes(here, uri, data)
    if b.facts.mode == "simulated":
        b.require_same_census(before, "after the refused create")


@check(RULE)
def negative_size_is_refused(b: Bench) -> None:
    """create with a negative size raises InvalidRequest and makes nothing."""
    here, there = both(b)
    uri = b.uri()
    b.expect(InvalidRequest, lambda: here.create(uri, -1))
    require_absent(there, uri)


@check(RULE)
def again_after_delete(b: Bench) -> None:
    """After a delete the URI is free for an object of another size."""
    here, there = both(b)
    uri = b.uri()
    first, second = b.facts.fit(5000), b.facts.fit(10_000)
    stored(b, uri, first)
    there.delete(uri)
    here.create(uri, second)
    require_bytes(there, uri, bytes(second))


@check(RULE, profile=Level.CORE, simulation=True)
def race_of_equal_creates(b: Bench) -> None:
    """Several creates of one size at once all succeed and leave one object."""
    here, there = both(b)
    uri = b.uri()
    size = b.facts.fit(4096)
    attempts = [client.later.create(uri, size) for client in (here, there, here)]
    b.join(*attempts)
    for attempt in attempts:
        require(attempt.error is None, f"{attempt.call.label} among equal creates said {attempt}")
    require_bytes(there, uri, bytes(size))
    here.delete(uri)
    b.require_clean("after create, create, create and one delete")

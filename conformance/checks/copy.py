"""C-COPY: byte for byte, whole or not at all, the source untouched."""

from __future__ import annotations

from collections.abc import Callable

from storcert.conformance.bench import HOST, Bench
from storcert.conformance.client import Client, transfer
from storcert.conformance.content import content
from storcert.conformance.fault_space import SECOND_NS
from storcert.conformance.observe import both, require_absent, require_bytes, seen, stored
from storcert.conformance.registry import check
from storcert.conformance.violation import require
from storcert.harness.contract import DataObjectUri, InvalidRequest, ObjectExists, ObjectKind, ObjectNotFound
from storcert.harness.record.fault import Fault, Phase

RULE = "C-COPY"
NEEDS = ("on_device_copy",)
SLOW_PLACES = 7


@check(RULE, core=lambda f: f.small_sizes, standard=lambda f: f.boundary_sizes, needs=NEEDS)
def equal_bytes(b: Bench, size: int) -> None:
    """The destination has the bytes of the source, the source keeps them, and size and digest agree."""
    here, there = both(b)
    source, destination = b.uri("a"), b.uri("b")
    data = stored(b, source, size)
    here.copy(source, destination)
    require_bytes(there, destination, data)
    require_bytes(there, source, data)
    one, other = there.describe(source), there.describe(destination)
    require(one.digest == other.digest, f"digest {one.digest} of the source, {other.digest} of its copy")


@check(RULE, core=lambda f: f.sizes(0, 4096), standard=lambda f: [f.large_size], needs=NEEDS)
def of_a_created_object(b: Bench, size: int) -> None:
    """A created object of zero bytes is copied as such."""
    here, there = both(b)
    here.create(b.uri("a"), size)
    there.copy(b.uri("a"), b.uri("b"))
    require_bytes(here, b.uri("b"), bytes(size))


@check(RULE, core=lambda f: ["free", "taken"], needs=NEEDS)
def missing_source(b: Bench, destination_is: str) -> None:
    """copy of a missing source raises ObjectNotFound, whether or not the destination is taken, and changes nothing."""
    here, there = both(b)
    source, destination = b.uri("a"), b.uri("b")
    data = stored(b, destination, b.facts.fit(100)) if destination_is == "taken" else None
    b.expect(ObjectNotFound, lambda: here.copy(source, destination))
    require_absent(there, source)
    require(seen(there, destination) == data, f"{destination} changed")


@check(RULE, core=lambda f: ["same-bytes", "other-bytes", "empty"], standard=lambda f: ["large"], needs=NEEDS)
def taken_destination(b: Bench, how: str) -> None:
    """copy onto an existing object raises ObjectExists; both keep their bytes."""
    here, there = both(b)
    source, destination = b.uri("a"), b.uri("b")
    size = b.facts.large_size if how == "large" else b.facts.fit(4096)
    data = stored(b, source, size, key="source")
    old = stored(b, destination, 0 if how == "empty" else size, key="source" if how == "same-bytes" else "old")
    before = b.census() if b.facts.mode == "simulated" else ()
    b.expect(ObjectExists, lambda: there.copy(source, destination))
    require_bytes(here, destination, old)
    require_bytes(here, source, data)
    if b.facts.mode == "simulated":
        b.require_same_census(before, "after the refused copy")


@check(RULE, core=lambda f: f.sizes(0, 4096), standard=lambda f: [f.large_size], needs=NEEDS)
def onto_itself(b: Bench, size: int) -> None:
    """copy of an object onto itself raises ObjectExists and leaves it alone."""
    here, there = both(b)
    uri = b.uri()
    data = stored(b, uri, size)
    b.expect(ObjectExists, lambda: here.copy(uri, uri))
    require_bytes(there, uri, data)


@check(RULE, core=lambda f: sorted(f.capabilities.kinds), needs=NEEDS)
def between_kinds(b: Bench, kind: ObjectKind) -> None:
    """An object is copied to every kind the device holds."""
    here, there = both(b)
    source, destination = b.uri("a"), b.uri("a", "2", ObjectKind(kind))
    data = stored(b, source, b.facts.fit(300))
    here.copy(source, destination)
    require_bytes(there, destination, data)


@check(RULE, needs=NEEDS)
def chain(b: Bench) -> None:
    """A copy of a copy of a copy has the first one's bytes."""
    here, there = both(b)
    data = stored(b, b.uri("n0"), b.facts.fit(9000))
    for number in range(6):
        (here, there)[number % 2].copy(b.uri(f"n{number}"), b.uri(f"n{number + 1}"))
    require_bytes(here, b.uri("n6"), data)


NAMES = ("a+b", "a.b", "A-b_c", "a b", "é", "{x}", "a?b", "100%", "a%20b", "a#b", "a&b=c", "日本", "a\\b", "a:b")


@check(RULE, core=lambda f: NAMES, needs=NEEDS)
def odd_names(b: Bench, name: str) -> None:
    """copy takes every name that writing takes, as source and as destination."""
    here, there = both(b)
    odd, plain, odd_again = b.uri(name), b.uri("plain"), b.uri(name + "2")
    data = content("odd", b.facts.fit(100))
    try:
        here.write(odd, data)
    except InvalidRequest:
        stored(b, plain, b.facts.fit(100))
        b.expect(InvalidRequest, lambda: here.copy(odd, plain))
        b.expect(InvalidRequest, lambda: here.copy(plain, odd))
        return
    here.copy(odd, plain)
    there.copy(plain, odd_again)
    require_bytes(here, odd_again, data)
    require_bytes(here, plain, data)


def _replace(b: Bench, client: Client, uri: DataObjectUri, data: bytes, delay_ms: int, slow: int) -> Callable[[], None]:
    seen_before = len(b.world.device.requests)

    def slow_one_is_under_way() -> bool:
        return len([one for one in b.world.device.requests[seen_before:] if one.location == HOST]) >= slow

    def body() -> None:
        b.world.kernel.sleep_ns(delay_ms * 1_000_000)
        for _ in range(1000 if slow else 0):
            if slow_one_is_under_way():
                break
            b.world.kernel.sleep_ns(1_000_000)
        client.driver.delete(uri)
        transfer(client.driver, uri, data, (), None, "commit", lambda _: None)

    return body


@check(RULE, core=lambda f: ["small"], standard=lambda f: ["large"], needs=NEEDS, simulation=True)
def source_deleted_meanwhile(b: Bench, how: str) -> None:
    """While the source is deleted and written anew, a copy is of the one or the other, or it is refused; never a mix."""
    size = b.facts.large_size if how == "large" else b.facts.fit(8192)
    moments = [(delay_ms, 0) for delay_ms in (0, 1, 2, 4, 7, 11, 20, 50, 100, 200)]
    if "slow" in b.facts.legal_faults:
        moments += [(0, place) for place in range(1, SLOW_PLACES + 1)]
    for delay_ms, slow in b.examples(moments):
        here, there = both(b)
        source, destination = b.uri("a"), b.uri("b")
        first, second = content("first", size), content("second", size)
        here.write(source, first)
        if slow:
            # One request of the copy takes so long that the source is another object before the next one.
            b.arm(Fault("slow", "*", slow, Phase.BEFORE, 1, 5 * SECOND_NS, HOST))
        copying = here.later.copy(source, destination)
        replacing = b.begin(
            there.location,
            f"{f'during its request {slow}' if slow else f'after {delay_ms} ms'} delete and write {source}",
            _replace(b, there, source, second, delay_ms, slow),
        )
        b.join(copying, replacing)
        found = seen(there, destination)
        if copying.error is None:
            require(found in (first, second), f"{destination} is neither the old nor the new {source}")
        else:
            if str(copying.error.outcome) == "not_done":
                require(found is None, f"copy said not_done and {destination} is there")
            else:
                require(found in (None, first, second), f"{destination} is neither absent nor one of the two")

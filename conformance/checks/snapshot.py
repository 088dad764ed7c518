"""C-SNAP: a snapshot is the volume at one moment, for ever, and a data object like any other."""

from __future__ import annotations

from storcert.conformance.bench import HOST, SSVM, Bench
from storcert.conformance.content import content
from storcert.conformance.guest import BLOCK_BYTES, Guest, beside, refused
from storcert.conformance.moments import blocks_found, require_one_moment
from storcert.conformance.observe import both, require_absent, require_bytes, seen, stored
from storcert.conformance.registry import check
from storcert.conformance.violation import NotApplicable, require
from storcert.harness.contract import (
    DataObjectUri,
    InvalidRequest,
    ObjectExists,
    ObjectInUse,
    ObjectKind,
    ObjectNotFound,
    Unsupported,
)

RULE = "C-SNAP"
NEEDS = ("snapshots",)
WRITING = ("snapshots", "random_access")
SPREAD = 8


def snapshot_uri(b: Bench, name: str = "s") -> DataObjectUri:
    """A snapshot's URI."""
    return b.uri(name, kind=ObjectKind.SNAPSHOT)


@check(RULE, core=lambda f: f.small_sizes, standard=lambda f: f.boundary_sizes, needs=NEEDS)
def equal_bytes(b: Bench, size: int) -> None:
    """A snapshot has the volume's bytes and size, under its own name and kind; the volume is as it was."""
    here, there = both(b)
    volume, snapshot = b.uri(), snapshot_uri(b)
    data = stored(b, volume, size)
    here.take_snapshot(volume, snapshot)
    require_bytes(there, snapshot, data)
    require_bytes(there, volume, data)
    if b.facts.capabilities.enumerate and b.facts.mode == "simulated":
        require(sorted(there.list()) == sorted((volume, snapshot)), "a volume and its snapshot are not listed as two objects")


@check(RULE, core=lambda f: f.sizes(0, 4096), standard=lambda f: [f.large_size], needs=NEEDS)
def of_a_created_volume(b: Bench, size: int) -> None:
    """A volume nobody wrote to gives a snapshot of zeros."""
    here, there = both(b)
    here.create(b.uri(), size)
    there.take_snapshot(b.uri(), snapshot_uri(b))
    require_bytes(here, snapshot_uri(b), bytes(size))


@check(RULE, core=lambda f: ["free", "taken"], needs=NEEDS)
def missing_volume(b: Bench, name_is: str) -> None:
    """take_snapshot of a missing volume raises ObjectNotFound, whether or not the name is taken, and changes nothing."""
    here, there = both(b)
    if name_is == "taken":
        stored(b, b.uri("other"), b.facts.fit(100))
        here.take_snapshot(b.uri("other"), snapshot_uri(b))
    before = b.census() if b.facts.mode == "simulated" else ()
    b.expect(ObjectNotFound, lambda: there.take_snapshot(b.uri("missing"), snapshot_uri(b)))
    require_absent(here, b.uri("missing"))
    if b.facts.mode == "simulated":
        b.require_same_census(before, "after the refused snapshot")


@check(RULE, core=lambda f: ["same-volume", "other-volume", "written"], needs=NEEDS)
def taken_name(b: Bench, by: str) -> None:
    """take_snapshot to a taken name raises ObjectExists; what has the name keeps its bytes, and nothing else changes."""
    here, there = both(b)
    volume, other, snapshot = b.uri("a"), b.uri("b"), snapshot_uri(b)
    data, old = stored(b, volume, b.facts.fit(5000), key="volume"), content("other", b.facts.fit(3000))
    if by == "written":
        here.write(snapshot, old)
    else:
        here.write(other, old)
        here.take_snapshot(volume if by == "same-volume" else other, snapshot)
    before = b.census() if b.facts.mode == "simulated" else ()
    b.expect(ObjectExists, lambda: there.take_snapshot(volume, snapshot))
    require_bytes(here, snapshot, data if by == "same-volume" else old)
    require_bytes(here, volume, data)
    if b.facts.mode == "simulated":
        b.require_same_census(before, "after the refused snapshot")


def refusals_of_kinds(b: Bench, wrong: ObjectKind) -> tuple[type[InvalidRequest] | type[Unsupported], ...]:
    """What a URI of the wrong kind may be told: both are true of a kind that the device does not hold."""
    return (InvalidRequest,) if wrong in b.facts.capabilities.kinds else (InvalidRequest, Unsupported)


@check(RULE, core=lambda f: sorted(ObjectKind), needs=NEEDS)
def wrong_kinds(b: Bench, kind: ObjectKind) -> None:
    """take_snapshot of anything but a volume, or to anything but a snapshot, raises InvalidRequest without a side effect."""
    here, there = both(b)
    volume, kind = b.uri("a"), ObjectKind(kind)
    data = stored(b, volume, b.facts.fit(100))
    odd = b.uri("odd", kind=kind)
    if kind in b.facts.capabilities.kinds:
        here.write(odd, data)
    before = b.census() if b.facts.mode == "simulated" else ()
    if kind is not ObjectKind.VOLUME:
        b.expect(refusals_of_kinds(b, kind), lambda: here.take_snapshot(odd, snapshot_uri(b)))
        require_absent(there, snapshot_uri(b))
    if kind is not ObjectKind.SNAPSHOT:
        b.expect(refusals_of_kinds(b, kind), lambda: here.take_snapshot(volume, b.uri("new", kind=kind)))
    require_bytes(there, volume, data)
    if b.facts.mode == "simulated":
        b.require_same_census(before, "after the refused snapshot")


@check(RULE, core=lambda f: ["handle-open", "handle-closed"], needs=WRITING)
def flushed_writes_are_in_it(b: Bench, handle_is: str) -> None:
    """What was flushed before the call is in the snapshot, also while the writer still has the volume open."""
    here, there = both(b)
    size = b.facts.fit(20_000)
    volume = b.uri()
    due = bytearray(stored(b, volume, size))
    handle = here.open_volume(volume)
    for offset in (0, 4095, size - 5):
        handle.pwrite(offset, b"flush")
        due[offset : offset + 5] = b"flush"
    handle.flush()
    if handle_is == "handle-closed":
        handle.close()
    attempt = b.attempt(lambda: there.later.take_snapshot(volume, snapshot_uri(b)))
    if handle_is == "handle-open":
        handle.close()
        if refused(attempt):
            raise NotApplicable("a volume that is open gets no snapshot: ObjectInUse")
    attempt.value_or_raise()
    require_bytes(there, snapshot_uri(b), bytes(due))


@check(RULE, core=lambda f: ["writes", "unflushed-writes", "rest"], standard=lambda f: ["large-writes"], needs=WRITING)
def never_changes(b: Bench, by: str) -> None:
    """Later writes, a revert, other snapshots and their deletion, clones and their writes do not change a snapshot."""
    here, there = both(b)
    size = b.facts.large_size if by == "large-writes" else b.facts.fit(20_000)
    volume, first, second = b.uri(), snapshot_uri(b, "s1"), snapshot_uri(b, "s2")
    data = stored(b, volume, size)
    here.take_snapshot(volume, first)
    there.overwrite(volume, (0, b"later"), (size // 2, b"x" * 4096), (size - 3, b"end"), flush=by != "unflushed-writes")
    require_bytes(here, first, data, "after the volume was written to")
    if by != "rest":
        return
    then = seen(here, volume) or b""
    there.take_snapshot(volume, second)
    require_bytes(here, second, then, "the second snapshot")
    if b.facts.capabilities.clone:
        here.clone(first, b.uri("c"))
        here.overwrite(b.uri("c"), (1, b"cloned"), (size - 9, b"cloned"))
        require_bytes(there, first, data, "after its clone was written to")
    there.overwrite(volume, (7, b"third"))
    if b.facts.capabilities.revert and b.attempt(lambda: here.later.revert(volume, second)).error is None:
        require_bytes(there, first, data, "after the volume was reverted to another snapshot")
        require_bytes(there, second, then, "after the volume was reverted to it")
    there.delete(second)
    require_bytes(here, first, data, "after a later snapshot was deleted")


@check(RULE, core=lambda f: [8], standard=lambda f: [30], needs=WRITING)
def each_holds_its_own(b: Bench, count: int) -> None:
    """However many snapshots a volume has, each holds its own moment, also when those around it are deleted."""
    size = b.facts.fit(9000)
    volume = b.uri()
    due = bytearray(stored(b, volume, size))
    held: dict[DataObjectUri, bytes] = {}
    for number in range(count):
        client = b.client((HOST, SSVM)[number % 2])
        mark = f"<{number}>".encode()
        client.overwrite(volume, (number * 211 % (size - 8), mark))
        due[number * 211 % (size - 8) : number * 211 % (size - 8) + len(mark)] = mark
        held[snapshot_uri(b, f"s{number}")] = bytes(due)
        client.take_snapshot(volume, snapshot_uri(b, f"s{number}"))
    for number in (*range(1, count, 3), *range(0, count, 3)):
        gone = snapshot_uri(b, f"s{number}")
        b.client(HOST).delete(gone)
        del held[gone]
    for snapshot, data in held.items():
        require_bytes(b.client(SSVM), snapshot, data, "after those around it were deleted")
    require_bytes(b.client(SSVM), volume, bytes(due))


@check(RULE, needs=NEEDS)
def is_a_data_object(b: Bench) -> None:
    """A snapshot is described, read in ranges, listed, copied where that is declared, and may not be overwritten."""
    here, there = both(b)
    volume, snapshot = b.uri(), snapshot_uri(b)
    data = stored(b, volume, b.facts.fit(9000))
    here.take_snapshot(volume, snapshot)
    require(there.describe(snapshot).size_bytes == len(data), "a snapshot has another size than its volume")
    if b.facts.capabilities.range_read:
        require(there.read(snapshot, 100, 4100) == data[100:4200], "a range of a snapshot gives other bytes")
    b.expect(ObjectExists, lambda: there.write(snapshot, b""))
    b.expect(ObjectExists, lambda: there.create(snapshot, b.facts.fit(len(data) + 1)))
    if b.facts.capabilities.on_device_copy:
        for target in (b.uri("copied"), snapshot_uri(b, "copied")):
            there.copy(snapshot, target)
            require_bytes(here, target, data, "the copy of a snapshot")
        b.expect(ObjectExists, lambda: there.copy(volume, snapshot))
    require_bytes(here, snapshot, data)


@check(RULE, core=lambda f: ["same-volume", "other-volume"], needs=NEEDS)
def name_is_free_after_delete(b: Bench, then: str) -> None:
    """A deleted snapshot is gone, and its name may be given to another one, which holds its own volume."""
    here, there = both(b)
    volume, snapshot = b.uri("a"), snapshot_uri(b)
    data = stored(b, volume, b.facts.fit(5000))
    here.take_snapshot(volume, snapshot)
    there.delete(snapshot)
    require_absent(here, snapshot)
    there.delete(snapshot)
    b.expect(ObjectNotFound, lambda: here.open_input(snapshot))
    if then == "other-volume":
        volume = b.uri("b")
        data = stored(b, volume, b.facts.fit(7000), key="other")
    elif b.facts.capabilities.random_access:
        here.overwrite(volume, (0, b"second"))
        data = b"second" + data[6:]
    there.take_snapshot(volume, snapshot)
    require_bytes(here, snapshot, data)
    require_bytes(here, volume, data)


@check(RULE, core=lambda f: ["two-names", "one-name"], standard=lambda f: ["six-names"], needs=NEEDS)
def at_the_same_time(b: Bench, how: str) -> None:
    """Snapshots of one volume taken at once are all whole; of one name exactly one is taken, the others find it there."""
    clients = [b.client(HOST), b.client(SSVM), b.new_client(HOST)] * (2 if how == "six-names" else 1)
    volume = b.uri()
    data = stored(b, volume, b.facts.fit(9000))
    wanted = [snapshot_uri(b, "s" if how == "one-name" else f"s{number}") for number in range(len(clients))]
    attempts = [client.later.take_snapshot(volume, one) for client, one in zip(clients, wanted, strict=True)]
    b.join(*attempts)
    done = [one for one, attempt in zip(wanted, attempts, strict=True) if attempt.error is None]
    allowed = ("", "ObjectExists", "ObjectInUse") if how == "one-name" else ("", "ObjectInUse")
    for attempt in attempts:
        require(attempt.error_name in allowed, f"{attempt.call.label} among others said {attempt}")
    require(len(done) == 1 or how != "one-name", f"{len(done)} of {len(attempts)} snapshots of one name were taken")
    require(bool(done), "none of the snapshots taken at once was taken")
    for one in sorted(set(done)):
        require_bytes(b.client(SSVM), one, data)
    for one in sorted(set(wanted) - set(done)):
        require_absent(b.client(SSVM), one, "refused")
    require_bytes(b.client(SSVM), volume, data)


def spread_blocks(size: int, count: int = SPREAD) -> list[int]:
    """Block numbers all over a volume of that size, first and last included."""
    last = size // BLOCK_BYTES - 1
    return sorted({last * number // (count - 1) for number in range(count)})


@check(
    RULE,
    core=lambda f: ["one-guest"],
    standard=lambda f: ["two-guests", "large", "never-flushed"],
    needs=WRITING,
)
def at_one_moment(b: Bench, how: str) -> None:
    """A snapshot taken while guests write holds one moment of the call: every flushed write before it, none after it."""
    for after in b.examples((1, 4, 9, 16, 22)):
        here, there = both(b)
        size = b.facts.fit(max(b.facts.large_size, SPREAD * BLOCK_BYTES) if how == "large" else 2 * SPREAD * BLOCK_BYTES)
        volume = b.uri()
        here.create(volume, size)
        blocks = spread_blocks(size)
        flush_every = 0 if how == "never-flushed" else 1 + after % 3
        guests = [Guest(b, here, volume, "one", blocks[::2], flush_every=flush_every)]
        if how == "two-guests":
            guests.append(Guest(b, b.client("host-2"), volume, "two", blocks[1::2], flush_every=2))
        span, attempt = beside(b, guests, there, after, "take_snapshot", volume, snapshot_uri(b))
        for guest in guests:
            require(guest.error is None, f"the guest's write failed beside a snapshot: {guest.error}")
        if refused(attempt):
            raise NotApplicable("a volume that is open gets no snapshot: ObjectInUse")
        attempt.value_or_raise()
        found = blocks_found(there.read(snapshot_uri(b)), bytes(size), guests, "the snapshot", RULE)
        require_one_moment(found, span, "the snapshot", RULE)
        volume_now = blocks_found(here.read(volume), bytes(size), guests, "the volume afterwards", "C-VOLUME")
        for one in volume_now:
            require(one.surely == len(one.versions) - 1, f"a guest's write to block {one.block} is lost", "C-VOLUME")


@check("C-BUDGET", core=lambda f: ["handle-open"], needs=WRITING, standard=lambda f: ["deleted"])
def refusal_is_short(b: Bench, how: str) -> None:
    """A call that finds the volume or snapshot in use says so within a minute of waiting, or does its work."""
    here, there = both(b)
    volume, snapshot = b.uri(), snapshot_uri(b)
    stored(b, volume, b.facts.fit(5000))
    here.take_snapshot(volume, snapshot)
    handle = here.open_volume(volume)
    handle.pwrite(0, b"open")
    before_ns = b.world.kernel.now_ns
    call = there.later.delete(volume) if how == "deleted" else there.later.take_snapshot(volume, snapshot_uri(b, "t"))
    attempt = b.attempt(lambda: call)
    took_s = (b.world.kernel.now_ns - before_ns) / 1e9
    if isinstance(attempt.error, ObjectInUse):
        require(took_s <= IN_USE_SECONDS_MAX, f"{attempt.call.label} waited {took_s:.0f} s and said ObjectInUse")
    else:
        require(attempt.error is None, f"{attempt.call.label} of an open volume said {attempt}")


#: The contract allows to wait sixty seconds; asking takes a little longer.
IN_USE_SECONDS_MAX = 65

"""C-REVERT: revert makes the volume equal to the snapshot; later snapshots survive, or it is refused with nothing changed."""

from __future__ import annotations

from storcert.conformance.bench import Bench
from storcert.conformance.checks.snapshot import refusals_of_kinds, snapshot_uri, spread_blocks
from storcert.conformance.client import Client
from storcert.conformance.content import content
from storcert.conformance.guest import BLOCK_BYTES, Guest, beside, refused
from storcert.conformance.moments import blocks_found
from storcert.conformance.observe import both, require_absent, require_bytes, stored
from storcert.conformance.registry import check
from storcert.conformance.scenario import mixes
from storcert.conformance.violation import NotApplicable, Violation, require
from storcert.harness.contract import (
    DataObjectUri,
    InvalidRequest,
    ObjectInUse,
    ObjectKind,
    ObjectNotFound,
    StorageError,
)

RULE = "C-REVERT"
NEEDS = ("snapshots", "revert")
WRITING = ("snapshots", "revert", "random_access")


def reverted(b: Bench, client: Client, volume: DataObjectUri, snapshot: DataObjectUri) -> bool:
    """Revert; whether it was done. Where it was refused as in use, nothing may have changed."""
    before = b.census() if b.facts.mode == "simulated" else ()
    attempt = b.attempt(lambda: client.later.revert(volume, snapshot))
    if refused(attempt):
        if b.facts.mode == "simulated":
            b.require_same_census(before, "after the refused revert")
        return False
    attempt.value_or_raise()
    return True


@check(RULE, core=lambda f: f.sizes(1, 512, 4097, 65_537), standard=lambda f: f.boundary_sizes, needs=WRITING)
def equal_to_the_snapshot(b: Bench, size: int) -> None:
    """After revert the volume has the snapshot's bytes and size everywhere; the snapshot has them still."""
    here, there = both(b)
    volume, snapshot = b.uri(), snapshot_uri(b)
    data = stored(b, volume, size)
    here.take_snapshot(volume, snapshot)
    here.overwrite(volume, (0, content("over", size)))
    there.revert(volume, snapshot)
    require_bytes(here, volume, data, "after revert")
    require_bytes(there, snapshot, data, "after revert to it")
    there.overwrite(volume, (size - 1, b"!"))
    require_bytes(here, volume, data[:-1] + b"!", "written to after revert")
    require_bytes(here, snapshot, data, "the volume was written to after revert")


@check(RULE, core=lambda f: f.sizes(0, 4096), standard=lambda f: [f.large_size], needs=NEEDS)
def of_an_unchanged_volume(b: Bench, size: int) -> None:
    """Revert of a volume that is as the snapshot is changes nothing, however often."""
    here, there = both(b)
    volume, snapshot = b.uri(), snapshot_uri(b)
    data = stored(b, volume, size)
    here.take_snapshot(volume, snapshot)
    for client in (there, here):
        client.revert(volume, snapshot)
        require_bytes(there, volume, data)
    require_bytes(here, snapshot, data)


@check(RULE, core=lambda f: ["snapshot", "volume", "both"], needs=NEEDS)
def missing(b: Bench, what: str) -> None:
    """revert of a missing volume, or to a missing snapshot, raises ObjectNotFound and changes nothing."""
    here, there = both(b)
    volume, snapshot, other = b.uri("a"), snapshot_uri(b), b.uri("b")
    data = stored(b, other, b.facts.fit(500))
    if what == "volume":
        here.take_snapshot(other, snapshot)
    if what == "snapshot":
        volume = other
    b.expect(ObjectNotFound, lambda: there.revert(volume, snapshot))
    require_bytes(here, other, data)
    if what != "snapshot":
        require_absent(here, volume)


@check(RULE, core=lambda f: sorted(ObjectKind), needs=NEEDS)
def wrong_kinds(b: Bench, kind: ObjectKind) -> None:
    """revert of anything but a volume, or to anything but a snapshot, raises InvalidRequest and changes nothing."""
    here, there = both(b)
    volume, kind = b.uri("a"), ObjectKind(kind)
    data = stored(b, volume, b.facts.fit(500))
    here.take_snapshot(volume, snapshot_uri(b))
    odd = b.uri("odd", kind=kind)
    if kind in b.facts.capabilities.kinds:
        here.write(odd, data[::-1])
    if kind is not ObjectKind.VOLUME:
        b.expect(refusals_of_kinds(b, kind), lambda: there.revert(odd, snapshot_uri(b)))
    if kind is not ObjectKind.SNAPSHOT:
        b.expect(refusals_of_kinds(b, kind), lambda: there.revert(volume, odd))
    require_bytes(here, volume, data)
    if kind in b.facts.capabilities.kinds:
        require_bytes(here, odd, data[::-1])


@check(RULE, core=lambda f: ["first", "second", "third", "there-and-back"], standard=lambda f: ["first-large"], needs=WRITING)
def later_snapshots(b: Bench, to: str) -> None:
    """After a revert every snapshot of the volume, earlier or later, holds what it held; or it is ObjectInUse, nothing done."""
    here, there = both(b)
    size = b.facts.large_size if to.endswith("-large") else b.facts.fit(9000)
    volume, held = b.uri(), {}
    due = stored(b, volume, size)
    for number in range(3):
        snapshot = snapshot_uri(b, f"s{number}")
        here.take_snapshot(volume, snapshot)
        held[snapshot] = due
        mark = f"after {number}".encode()
        here.overwrite(volume, (number * 1000, mark), (size - 20, mark))
        due = due[: number * 1000] + mark + due[number * 1000 + len(mark) : size - 20] + mark + due[size - 20 + len(mark) :]
    order = (0, 2, 1, 0) if to == "there-and-back" else ({"first": 0, "second": 1, "third": 2}[to.removesuffix("-large")],)
    for number in order:
        target = snapshot_uri(b, f"s{number}")
        done = reverted(b, there, volume, target)
        require(done or number < 2, "revert to the latest snapshot is refused as in use")
        due = held[target] if done else due
        require_bytes(here, volume, due, f"after revert to {target}" if done else "after the refused revert")
        for snapshot, data in held.items():
            require_bytes(here, snapshot, data, f"after revert to {target}")


def _refused_or_equal(b: Bench, client: Client, volume: DataObjectUri, snapshot: DataObjectUri, old: bytes, new: bytes) -> None:
    try:
        client.revert(volume, snapshot)
    except InvalidRequest as error:
        require(str(error.outcome) == "not_done", f"{b.last_step}: a refusal must say not_done")
        require_bytes(client, volume, old, "after the refused revert")
        return
    except ObjectInUse:
        require_bytes(client, volume, old, "after the refused revert")
        return
    except StorageError as error:
        raise Violation(f"{b.last_step}: InvalidRequest was due, or a volume equal to that snapshot") from error
    require_bytes(client, volume, new, "after revert to that snapshot")


@check(RULE, core=lambda f: ["same-size", "longer", "shorter", "written"], needs=NEEDS)
def foreign_snapshot(b: Bench, how: str) -> None:
    """revert to a snapshot of another volume is InvalidRequest with nothing changed, or makes the volume equal to it."""
    here, there = both(b)
    volume, other, snapshot = b.uri("a"), b.uri("b"), snapshot_uri(b)
    size = b.facts.fit(5000)
    old = stored(b, volume, size, key="volume")
    new = content("other", {"longer": b.facts.fit(9000), "shorter": b.facts.fit(2000)}.get(how, size))
    if how == "written":
        here.write(snapshot, new)
    else:
        here.write(other, new)
        here.take_snapshot(other, snapshot)
    _refused_or_equal(b, there, volume, snapshot, old, new)
    require_bytes(here, snapshot, new)


@check(RULE, core=lambda f: ["same-size", "longer"], needs=NEEDS)
def earlier_generation(b: Bench, how: str) -> None:
    """A snapshot of an earlier volume of the same name keeps its bytes; revert to it is refused, or makes the volume equal."""
    here, there = both(b)
    volume, snapshot = b.uri(), snapshot_uri(b)
    old = stored(b, volume, b.facts.fit(5000), key="first generation")
    here.take_snapshot(volume, snapshot)
    gone = b.attempt(lambda: here.later.delete(volume))
    if refused(gone):
        raise NotApplicable("a volume with snapshots cannot be deleted: ObjectInUse")
    gone.value_or_raise()
    require_absent(there, volume)
    require_bytes(there, snapshot, old, "after its volume was deleted")
    new = content("second generation", b.facts.fit(9000 if how == "longer" else 5000))
    here.write(volume, new)
    require_bytes(there, snapshot, old, "after another volume got the name")
    _refused_or_equal(b, there, volume, snapshot, new, old)
    require_bytes(here, snapshot, old)


@check(RULE, core=lambda f: ["same-instance", "other-location"], needs=WRITING)
def under_an_open_handle(b: Bench, who: str) -> None:
    """revert under an open handle is ObjectInUse, or done; then the handle raises or works on the new content."""
    here, there = both(b)
    volume, snapshot = b.uri(), snapshot_uri(b)
    size = b.facts.fit(9000)
    data = stored(b, volume, size)
    here.take_snapshot(volume, snapshot)
    handle = here.open_volume(volume)
    handle.pwrite(0, b"changed")
    handle.flush()
    now = b"changed" + data[7:]
    done = reverted(b, here if who == "same-instance" else there, volume, snapshot)
    due = data if done else now
    try:
        found = handle.pread(0, size)
        require(found == due, f"the handle reads {'neither an error nor the reverted bytes' if done else 'other bytes'}")
        handle.pwrite(100, b"more")
        handle.flush()
        due = due[:100] + b"more" + due[104:]
        handle.close()
    except StorageError as error:
        require(done, f"revert was refused, and the handle says {type(error).__name__}")
        b.attempt(handle.later.close)
        require_bytes(there, volume, data, "after revert, whose handle raises")
    else:
        require_bytes(there, volume, due, "after the handle was closed")
    require_bytes(there, snapshot, data, "after revert to it")


@check(RULE, core=lambda f: ["small"], standard=lambda f: ["large"], needs=WRITING)
def readers_see_old_or_new(b: Bench, amount: str) -> None:
    """A reader beside a revert sees each byte as it was before or after, or a typed error."""
    for pause_us in b.examples((0, 300, 1000, 3000)):
        here, there = both(b)
        size = b.facts.large_size if amount == "large" else b.facts.fit(20_000)
        volume, snapshot = b.uri(), snapshot_uri(b)
        data, new = stored(b, volume, size), content("over", size)
        here.take_snapshot(volume, snapshot)
        here.overwrite(volume, (0, new))
        reading = there.later.read(volume, sizes=(max(size // 9, 1000),))
        b.world.advance(pause_us * 1000)
        attempt = here.later.revert(volume, snapshot)
        b.join(reading, attempt)
        if refused(attempt):
            raise NotApplicable("a volume that is read cannot be reverted: ObjectInUse")
        attempt.value_or_raise()
        if reading.error is None:
            require(mixes(reading.value, data, new), "a reader beside a revert saw bytes that were never there")
        require_bytes(there, volume, data, "after revert")


@check(RULE, core=lambda f: [3, 12], standard=lambda f: [1, 6, 20], needs=WRITING)
def beside_a_guest(b: Bench, after: int) -> None:
    """Reverted under a guest that writes, the volume holds the snapshot and only writes not flushed before; or it is in use."""
    here, there = both(b)
    size = b.facts.fit(16 * BLOCK_BYTES)
    volume, snapshot = b.uri(), snapshot_uri(b)
    data = stored(b, volume, size)
    here.take_snapshot(volume, snapshot)
    guest = Guest(b, here, volume, "guest", spread_blocks(size), flush_every=2)
    span, attempt = beside(b, [guest], there, after, "revert", volume, snapshot)
    if b.facts.mode == "simulated":
        b.world.advance(10**9)
    found = blocks_found(there.read(volume), data, [guest], "the reverted volume", RULE)
    if refused(attempt):
        require(guest.error is None, f"revert was refused, and the guest's write failed: {guest.error}")
        for one in found:
            require(one.surely == len(one.versions) - 1, f"revert was refused, and block {one.block} lost a write")
        return
    attempt.value_or_raise()
    for one in found:
        last = one.versions[one.partly]
        stale = last is not None and last.flushed_ns is not None and last.flushed_ns < span.begin_ns
        require(not stale, f"block {one.block} holds {last.key if last else ''}, flushed before revert was called")
        for number, write in enumerate(one.versions):
            after_it = write is not None and write.flushed_ns is not None and write.invoke_ns > (span.end_ns or 0)
            require(not after_it or one.surely >= number, f"a write to block {one.block}, flushed after revert, is lost")
    require_bytes(there, snapshot, data, "after revert to it")

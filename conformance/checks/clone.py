"""C-CLONE: a clone starts equal to the snapshot and is independent of it, and of its parent, from then on."""

from __future__ import annotations

from storcert.conformance.bench import HOST, SSVM, Bench
from storcert.conformance.checks.snapshot import refusals_of_kinds, snapshot_uri, spread_blocks
from storcert.conformance.content import content
from storcert.conformance.guest import BLOCK_BYTES, Guest, beside, refused
from storcert.conformance.observe import both, require_absent, require_bytes, stored
from storcert.conformance.registry import check
from storcert.conformance.violation import require
from storcert.harness.contract import InvalidRequest, ObjectExists, ObjectKind, ObjectNotFound, StorageError

RULE = "C-CLONE"
NEEDS = ("snapshots", "clone")
WRITING = ("snapshots", "clone", "random_access")


def _family(b: Bench, size: int) -> bytes:
    """Volume ``v``, its snapshot ``s`` and a clone ``c``."""
    here, there = both(b)
    data = stored(b, b.uri("v"), size)
    here.take_snapshot(b.uri("v"), snapshot_uri(b))
    there.clone(snapshot_uri(b), b.uri("c"))
    return data


@check(RULE, core=lambda f: f.small_sizes, standard=lambda f: f.boundary_sizes, needs=NEEDS)
def equal_to_the_snapshot(b: Bench, size: int) -> None:
    """A clone has the snapshot's bytes and size; snapshot and parent have theirs."""
    here, there = both(b)
    data = _family(b, size)
    for uri in (b.uri("c"), b.uri("v"), snapshot_uri(b)):
        require_bytes(there, uri, data)
    require(here.describe(b.uri("c")).size_bytes == size, "a clone has another size than its snapshot")
    if b.facts.capabilities.enumerate and b.facts.mode == "simulated":
        require(sorted(here.list()) == sorted((b.uri("c"), b.uri("v"), snapshot_uri(b))), "not listed as three objects")


@check(RULE, core=lambda f: ["parent-changed", "parent-reverted"], needs=WRITING)
def of_the_snapshot(b: Bench, how: str) -> None:
    """A clone is of the snapshot, not of what its volume has become since."""
    here, there = both(b)
    size = b.facts.fit(9000)
    data = stored(b, b.uri("v"), size)
    here.take_snapshot(b.uri("v"), snapshot_uri(b))
    here.overwrite(b.uri("v"), (0, content("over", size)))
    if how == "parent-reverted":
        here.take_snapshot(b.uri("v"), snapshot_uri(b, "later"))
        b.need(capability_revert_is_not_declared=b.facts.capabilities.revert)
        here.revert(b.uri("v"), snapshot_uri(b, "later"))
    there.clone(snapshot_uri(b), b.uri("c"))
    require_bytes(here, b.uri("c"), data)
    require_bytes(here, b.uri("v"), content("over", size))


@check(RULE, core=lambda f: ["clone", "parent", "both"], standard=lambda f: ["clone-large", "parent-large"], needs=WRITING)
def independent_writes(b: Bench, who: str) -> None:
    """Writes to a clone, at edges and in part of a block, do not show in snapshot and parent, nor theirs in it."""
    here, there = both(b)
    size = b.facts.large_size if who.endswith("-large") else b.facts.fit(20_000)
    data = _family(b, size)
    places = (0, 1, 510, 4095, size // 2, b.facts.part_bytes - 2, size - 9)
    pieces = [(at, f"{at:09d}".encode()) for at in sorted({place for place in places if 0 <= place <= size - 9})]
    due = bytearray(data)
    for at, mark in pieces:
        due[at : at + 9] = mark
    written = [name for name in ("c", "v") if who.startswith({"c": "clone", "v": "parent"}[name]) or who == "both"]
    for name in written:
        (here if name == "c" else there).overwrite(b.uri(name), *pieces)
    for name in ("c", "v"):
        require_bytes(here, b.uri(name), bytes(due) if name in written else data, f"after {' and '.join(written)} changed")
    require_bytes(there, snapshot_uri(b), data, f"after {' and '.join(written)} changed")


@check(RULE, core=lambda f: ["free", "taken"], needs=NEEDS)
def missing_snapshot(b: Bench, name_is: str) -> None:
    """clone of a missing snapshot raises ObjectNotFound, whether or not the volume's name is taken, and changes nothing."""
    here, there = both(b)
    data = stored(b, b.uri("c"), b.facts.fit(100)) if name_is == "taken" else None
    b.expect(ObjectNotFound, lambda: there.clone(snapshot_uri(b, "missing"), b.uri("c")))
    if data is None:
        require_absent(here, b.uri("c"))
    else:
        require_bytes(here, b.uri("c"), data)
    require_absent(here, snapshot_uri(b, "missing"))


@check(RULE, core=lambda f: ["parent", "other", "clone"], needs=NEEDS)
def taken_name(b: Bench, by: str) -> None:
    """clone to a taken name raises ObjectExists, also where it is the parent's own; nothing changes."""
    here, there = both(b)
    data = _family(b, b.facts.fit(5000))
    other = stored(b, b.uri("o"), b.facts.fit(700), key="other")
    before = b.census() if b.facts.mode == "simulated" else ()
    b.expect(ObjectExists, lambda: here.clone(snapshot_uri(b), b.uri({"parent": "v", "other": "o", "clone": "c"}[by])))
    if b.facts.mode == "simulated":
        b.require_same_census(before, "after the refused clone")
    for uri, due in ((b.uri("v"), data), (b.uri("c"), data), (b.uri("o"), other), (snapshot_uri(b), data)):
        require_bytes(there, uri, due, "after the refused clone")


@check(RULE, core=lambda f: sorted(ObjectKind), needs=NEEDS)
def wrong_kinds(b: Bench, kind: ObjectKind) -> None:
    """clone of anything but a snapshot, or to anything but a volume, raises InvalidRequest without a side effect."""
    here, there = both(b)
    kind = ObjectKind(kind)
    data = stored(b, b.uri("v"), b.facts.fit(500))
    here.take_snapshot(b.uri("v"), snapshot_uri(b))
    odd = b.uri("odd", kind=kind)
    if kind in b.facts.capabilities.kinds:
        here.write(odd, data[::-1])
    before = b.census() if b.facts.mode == "simulated" else ()
    if kind is not ObjectKind.SNAPSHOT:
        b.expect(refusals_of_kinds(b, kind), lambda: there.clone(odd, b.uri("c")))
        require_absent(here, b.uri("c"))
    if kind is not ObjectKind.VOLUME:
        b.expect(refusals_of_kinds(b, kind), lambda: there.clone(snapshot_uri(b), b.uri("new", kind=kind)))
    if b.facts.mode == "simulated":
        b.require_same_census(before, "after the refused clone")


@check(RULE, needs=NEEDS)
def is_a_volume(b: Bench) -> None:
    """A clone is a volume like any other: not made over, snapshotted, copied, deleted, and its name is free then."""
    here, there = both(b)
    clone = b.uri("c")
    data = _family(b, b.facts.fit(9000))
    b.expect(ObjectExists, lambda: here.write(clone, b""))
    b.expect(ObjectExists, lambda: here.create(clone, b.facts.fit(len(data) + 1)))
    here.create(clone, len(data))
    require_bytes(there, clone, data, "after create of the same size")
    there.take_snapshot(clone, snapshot_uri(b, "t"))
    require_bytes(here, snapshot_uri(b, "t"), data, "the snapshot of a clone")
    if b.facts.capabilities.revert:
        here.revert(clone, snapshot_uri(b, "t"))
        require_bytes(there, clone, data, "after revert of a clone")
    if b.facts.capabilities.on_device_copy:
        here.copy(clone, b.uri("copied"))
        require_bytes(there, b.uri("copied"), data, "the copy of a clone")
    here.delete(snapshot_uri(b, "t"))
    here.delete(clone)
    require_absent(there, clone)
    here.clone(snapshot_uri(b), clone)
    require_bytes(there, clone, data, "cloned again")


@check(RULE, core=lambda f: [3], standard=lambda f: [6], needs=NEEDS)
def chain(b: Bench, depth: int) -> None:
    """A clone of a snapshot of a clone, and so on: each generation has what its own ancestor had, plus its own writes."""
    writes = b.facts.capabilities.random_access
    due = stored(b, b.uri("v0"), b.facts.fit(9000))
    held = {b.uri("v0"): due}
    for number in range(depth):
        client = b.client((HOST, SSVM)[number % 2])
        snapshot = snapshot_uri(b, f"s{number}")
        client.take_snapshot(b.uri(f"v{number}"), snapshot)
        held[snapshot] = due
        client.clone(snapshot, b.uri(f"v{number + 1}"))
        if writes:
            mark = f"generation {number + 1}".encode()
            client.overwrite(b.uri(f"v{number + 1}"), (number * 700, mark))
            due = due[: number * 700] + mark + due[number * 700 + len(mark) :]
            client.overwrite(b.uri(f"v{number}"), (5000 + number, b"old generation"))
            kept = held[b.uri(f"v{number}")]
            held[b.uri(f"v{number}")] = kept[: 5000 + number] + b"old generation" + kept[5014 + number :]
        held[b.uri(f"v{number + 1}")] = due
    for uri, data in sorted(held.items()):
        require_bytes(b.client(HOST), uri, data, "in a chain of clones")


@check(RULE, core=lambda f: ["two-names", "one-name"], standard=lambda f: ["six-names"], needs=NEEDS)
def at_the_same_time(b: Bench, how: str) -> None:
    """Clones of one snapshot made at once are all whole; to one name exactly one is made, the others find it taken."""
    here, there = both(b)
    clients = [here, there, b.new_client(HOST)] * (2 if how == "six-names" else 1)
    data = stored(b, b.uri("v"), b.facts.fit(9000))
    here.take_snapshot(b.uri("v"), snapshot_uri(b))
    wanted = [b.uri("c" if how == "one-name" else f"c{number}") for number in range(len(clients))]
    attempts = [client.later.clone(snapshot_uri(b), one) for client, one in zip(clients, wanted, strict=True)]
    b.join(*attempts)
    allowed = ("", "ObjectExists", "ObjectInUse") if how == "one-name" else ("", "ObjectInUse")
    for attempt in attempts:
        require(attempt.error_name in allowed, f"{attempt.call.label} among others said {attempt}")
    done = {one for one, attempt in zip(wanted, attempts, strict=True) if attempt.error is None}
    won = sum(attempt.error is None for attempt in attempts)
    require(won == 1 or how != "one-name", f"{won} of {len(attempts)} clones to one name were made")
    require(bool(done), "none of the clones made at once was made")
    for one in sorted(set(wanted)):
        if one in done:
            require_bytes(there, one, data, "made at the same time as others")
        else:
            require_absent(there, one, "refused")
    require_bytes(there, snapshot_uri(b), data)


@check("C-ONCE", core=lambda f: ["write", "create", "copy"], needs=NEEDS)
def clone_among_makers(b: Bench, other: str) -> None:
    """Of a clone and a commit, create or copy to one name at once exactly one makes it, whole."""
    here, there = both(b)
    target = b.uri("t")
    data = stored(b, b.uri("v"), b.facts.fit(5000))
    here.take_snapshot(b.uri("v"), snapshot_uri(b))
    b.need(capability_on_device_copy_is_not_declared=other != "copy" or b.facts.capabilities.on_device_copy)
    new = content("other", b.facts.fit(3000))
    source = b.uri("o")
    if other == "copy":
        here.write(source, new)
    makers = {
        "write": lambda: there.later.write(target, new),
        "create": lambda: there.later.create(target, len(new)),
        "copy": lambda: there.later.copy(source, target),
    }
    attempts = [here.later.clone(snapshot_uri(b), target), makers[other]()]
    b.join(*attempts)
    won = [attempt for attempt in attempts if attempt.error is None]
    require(len(won) == 1, f"{len(won)} of two calls made {target}: {attempts[0]} and {attempts[1]}")
    lost = next(attempt for attempt in attempts if attempt.error is not None)
    require(lost.error_name in ("ObjectExists", "ObjectInUse"), f"{lost.call.label} said {lost}; ObjectExists was due")
    require_bytes(here, target, data if won[0] is attempts[0] else bytes(len(new)) if other == "create" else new)


@check(RULE, core=lambda f: [2, 12], standard=lambda f: [0, 6, 20], needs=WRITING)
def beside_a_guest(b: Bench, after: int) -> None:
    """A clone made while a guest writes to the parent has the snapshot's bytes, and no write of the guest."""
    here, there = both(b)
    size = b.facts.fit(16 * BLOCK_BYTES)
    data = stored(b, b.uri("v"), size)
    here.take_snapshot(b.uri("v"), snapshot_uri(b))
    guest = Guest(b, here, b.uri("v"), "guest", spread_blocks(size))
    _, attempt = beside(b, [guest], there, after, "clone", snapshot_uri(b), b.uri("c"))
    require(guest.error is None, f"the guest's write failed beside a clone: {guest.error}")
    if not refused(attempt):
        attempt.value_or_raise()
        require_bytes(here, b.uri("c"), data, "cloned beside a guest of the parent")
    require_bytes(here, snapshot_uri(b), data, "cloned beside a guest of the parent")


@check(RULE, needs=NEEDS)
def of_a_written_snapshot(b: Bench) -> None:
    """A snapshot-kind object that was written as a stream is cloned like any, or the clone is refused without a trace."""
    here, there = both(b)
    b.need(kind_snapshot_is_not_held=ObjectKind.SNAPSHOT in b.facts.capabilities.kinds)
    data = content("written", b.facts.fit(3000))
    here.write(snapshot_uri(b), data)
    before = b.census() if b.facts.mode == "simulated" else ()
    try:
        there.clone(snapshot_uri(b), b.uri("c"))
    except InvalidRequest as error:
        require(str(error.outcome) == "not_done", f"{b.last_step}: a refusal must say not_done")
        require_absent(here, b.uri("c"))
        if b.facts.mode == "simulated":
            b.require_same_census(before, "after the refused clone")
        return
    except StorageError as error:
        require(False, f"{b.last_step}: InvalidRequest was due, or a clone ({error.message})")
    require_bytes(here, b.uri("c"), data)

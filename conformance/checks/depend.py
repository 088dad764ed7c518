"""C-DEPEND: delete of what others depend on succeeds with all of them intact, or is ObjectInUse with nothing changed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

from storcert.conformance.bench import Attempt, Bench
from storcert.conformance.checks.snapshot import IN_USE_SECONDS_MAX, snapshot_uri
from storcert.conformance.client import Client
from storcert.conformance.content import content
from storcert.conformance.guest import refused
from storcert.conformance.observe import both, clear, require_absent, require_bytes, seen, stored
from storcert.conformance.registry import check
from storcert.conformance.violation import NotApplicable, require
from storcert.harness.contract import DataObjectUri, ObjectKind, ObjectNotFound, StorageError

RULE = "C-DEPEND"
SNAPSHOTS = ("snapshots",)
CLONES = ("snapshots", "clone")
#: Families by name: what is made from what, in this order. ``v`` volumes, ``s`` and ``t`` snapshots, others clones.
FAMILIES = {
    "volume-snapshot": "v s<v",
    "volume-two-snapshots": "v s<v t<v",
    "snapshot-clone": "v s<v c<s",
    "two-clones": "v s<v c<s d<s",
    "chain": "v s<v c<s t<c d<t",
}


def _uri(b: Bench, name: str) -> DataObjectUri:
    return b.uri(name, kind=ObjectKind.SNAPSHOT) if name in ("s", "t") else b.uri(name)


def _make(b: Bench, family: str) -> dict[DataObjectUri, bytes]:
    """The family, each member with bytes of its own where that can be."""
    here, there = both(b)
    held: dict[DataObjectUri, bytes] = {}
    for number, one in enumerate(FAMILIES[family].split()):
        name, _, parent = one.partition("<")
        uri = _uri(b, name)
        if not parent:
            held[uri] = stored(b, uri, b.facts.fit(6000))
            continue
        source = _uri(b, parent)
        held[uri] = held[source]
        if uri.kind is ObjectKind.SNAPSHOT:
            here.take_snapshot(source, uri)
        else:
            there.clone(source, uri)
        changed = source if uri.kind is ObjectKind.SNAPSHOT else uri
        if b.facts.capabilities.random_access:
            mark = f"<{number}>".encode()
            here.overwrite(changed, (number * 1000, mark))
            old = held[changed]
            held[changed] = old[: number * 1000] + mark + old[number * 1000 + len(mark) :]
    return held


def _delete_or_refuse(b: Bench, client: Client, uri: DataObjectUri, held: dict[DataObjectUri, bytes]) -> bool:
    """Delete; whether it went. Everybody else is intact either way, and refused means that nothing changed."""
    before = b.census() if b.facts.mode == "simulated" else ()
    begun_ns = b.world.kernel.now_ns
    attempt = b.attempt(lambda: client.later.delete(uri))
    if refused(attempt):
        waited_s = (b.world.kernel.now_ns - begun_ns) / 1e9
        require(waited_s <= IN_USE_SECONDS_MAX, f"delete {uri} waited {waited_s:.0f} s and said ObjectInUse", "C-BUDGET")
        if b.facts.mode == "simulated":
            b.require_same_census(before, f"after the refused delete of {uri}")
    else:
        attempt.value_or_raise()
        del held[uri]
        require_absent(client, uri, "deleted")
    for other, data in held.items():
        require_bytes(client, other, data, f"after delete of {uri}" if uri not in held else f"after refused delete of {uri}")
    return uri not in held


def _orders(family: str) -> Iterator[tuple[str, ...]]:
    return permutations(one.partition("<")[0] for one in FAMILIES[family].split())


def _in_order(b: Bench, family: str) -> None:
    for order in b.examples(list(_orders(family))):
        here, there = both(b)
        held = _make(b, family)
        left = [_uri(b, name) for name in order]
        turn = 0
        while left:
            still = [uri for uri in left if not _delete_or_refuse(b, (here, there)[(turn := turn + 1) % 2], uri, held)]
            require(len(still) < len(left), f"none of {', '.join(map(str, left))} can be deleted: all are in use")
            left = still
        b.require_clean("after the whole family was deleted")


@check(RULE, core=lambda f: ["volume-snapshot", "volume-two-snapshots"], needs=SNAPSHOTS)
def any_order_of_deletes(b: Bench, family: str) -> None:
    """A volume and its snapshots go in any order: each delete leaves the others intact, or is refused; nothing stays."""
    _in_order(b, family)


@check(RULE, core=lambda f: ["snapshot-clone"], standard=lambda f: ["two-clones", "chain"], needs=CLONES)
def any_order_with_clones(b: Bench, family: str) -> None:
    """Volumes, snapshots, clones and clones of clones go in any order: the others stay intact, or it is refused."""
    _in_order(b, family)


@check(RULE, core=lambda f: ["snapshot", "volume"], standard=lambda f: ["snapshot-large", "volume-large"], needs=CLONES)
def parent_of_a_clone(b: Bench, which: str) -> None:
    """Delete of a clone's snapshot or volume: intact or refused; and once the clone is gone, it goes for good."""
    here, there = both(b)
    size = b.facts.large_size if which.endswith("-large") else b.facts.fit(6000)
    volume, snapshot, clone = b.uri("v"), snapshot_uri(b), b.uri("c")
    data = stored(b, volume, size)
    here.take_snapshot(volume, snapshot)
    here.clone(snapshot, clone)
    held = {volume: data, snapshot: data, clone: data}
    parent = snapshot if which.startswith("snapshot") else volume
    _delete_or_refuse(b, there, parent, held)
    if b.facts.capabilities.random_access:
        there.overwrite(clone, (0, b"written"), (size - 3, b"end"))
        held[clone] = b"written" + data[7:-3] + b"end"
        for uri, due in held.items():
            require_bytes(here, uri, due, "after the clone was written to")
    here.delete(clone)
    del held[clone]
    for uri, due in held.items():
        require_bytes(there, uri, due, "after the clone was deleted")
    clear(there, [volume, snapshot])
    b.require_clean("after clone, snapshot and volume were deleted")


@check(RULE, core=lambda f: ["middle", "first", "last"], needs=SNAPSHOTS)
def one_of_three_snapshots(b: Bench, which: str) -> None:
    """Delete of one snapshot takes exactly that one: not those before it, not those after it, not the volume."""
    here, there = both(b)
    volume = b.uri("v")
    due = stored(b, volume, b.facts.fit(6000))
    held: dict[DataObjectUri, bytes] = {volume: due}
    for number in range(3):
        here.take_snapshot(volume, snapshot_uri(b, f"s{number}"))
        held[snapshot_uri(b, f"s{number}")] = held[volume]
        if b.facts.capabilities.random_access:
            here.overwrite(volume, (number * 2000, f"<{number}>".encode()))
            old = held[volume]
            held[volume] = old[: number * 2000] + f"<{number}>".encode() + old[number * 2000 + 3 :]
    gone = snapshot_uri(b, f"s{('first', 'middle', 'last').index(which)}")
    require(_delete_or_refuse(b, there, gone, held), f"delete of {gone}, which nobody depends on, is refused as in use")


@check(RULE, core=lambda f: ["snapshot", "clone"], needs=SNAPSHOTS)
def name_again(b: Bench, keeps: str) -> None:
    """A volume deleted and made again under its name owes nothing to the snapshots and clones of the old one."""
    here, there = both(b)
    volume, snapshot, clone = b.uri("v"), snapshot_uri(b), b.uri("c")
    old = stored(b, volume, b.facts.fit(6000), key="first generation")
    here.take_snapshot(volume, snapshot)
    held = {snapshot: old}
    if keeps == "clone":
        b.need(capability_clone_is_not_declared=b.facts.capabilities.clone)
        here.clone(snapshot, clone)
        held[clone] = old
    everything = {**held, volume: old}
    if not _delete_or_refuse(b, there, volume, everything):
        raise NotApplicable("a volume with snapshots cannot be deleted: ObjectInUse")
    new = content("second generation", b.facts.fit(9000))
    there.write(volume, new)
    held[volume] = new
    for uri, data in held.items():
        require_bytes(here, uri, data, f"after {volume} was made again")
    here.take_snapshot(volume, snapshot_uri(b, "t"))
    held[snapshot_uri(b, "t")] = new
    for uri, data in held.items():
        require_bytes(there, uri, data, f"after a snapshot of the second {volume}")
    clear(there, [volume, snapshot_uri(b, "t")])
    for uri in (snapshot, clone) if keeps == "clone" else (snapshot,):
        require_bytes(here, uri, old, f"after the second {volume} was deleted")
    clear(here, [snapshot, clone])
    b.require_clean("after everything was deleted")


def _begin(client: Client, what: str, volume: DataObjectUri, snapshot: DataObjectUri, made: DataObjectUri) -> Attempt:
    arguments = {"clone": (snapshot, made), "take_snapshot": (volume, made), "revert": (volume, snapshot)}[what]
    begun: Attempt = getattr(client.later, what)(*arguments)
    return begun


@check(RULE, core=lambda f: ["clone", "take_snapshot", "revert"], needs=SNAPSHOTS)
def delete_beside(b: Bench, what: str) -> None:
    """Delete of a source at the same time as a clone, snapshot or revert of it: whole and intact, or a typed refusal."""
    able = b.facts.capabilities
    b.need(the_capability_is_not_declared=what == "take_snapshot" or getattr(able, what))
    for delay_us in b.examples((0, 200, 1000, 3000, 20_000)):
        here, there = both(b)
        volume, snapshot, made = b.uri("v"), snapshot_uri(b), b.uri("c") if what == "clone" else snapshot_uri(b, "t")
        data = stored(b, volume, b.facts.fit(6000))
        here.take_snapshot(volume, snapshot)
        begun = _begin(here, what, volume, snapshot, made)
        b.world.advance(delay_us * 1000)
        removed = there.later.delete(volume if what == "take_snapshot" else snapshot)
        b.join(begun, removed)
        require(removed.error is None or refused(removed), f"{removed.call.label} beside {what} said {removed}")
        allowed = ("", "ObjectNotFound", "ObjectInUse", "DeviceUnavailable")
        require(begun.error_name in allowed, f"{begun.call.label} beside a delete said {begun}")
        found = {uri: seen(there, uri) for uri in (volume, snapshot, made)}
        for uri, there_now in found.items():
            require(there_now in (None, data), f"after {what} and delete at once {uri} holds other bytes")
        made_it = what != "revert" and begun.error is None
        require(not made_it or found[made] is not None, f"{what} is done and {made} is absent")
        gone = volume if what == "take_snapshot" else snapshot
        require(removed.error is not None or found[gone] is None, f"{gone} was deleted beside {what}, and is there")
        clear(there, [volume, snapshot, made])
        b.require_clean(f"after {what} and delete at once")


@check("C-READER", core=lambda f: ["small"], standard=lambda f: ["large"], needs=SNAPSHOTS)
def snapshot_deleted(b: Bench, amount: str) -> None:
    """A reader whose snapshot is deleted sees the old bytes to the end or a typed error, never zeros."""
    here, there = both(b)
    size = b.facts.large_size if amount == "large" else b.facts.fit(40_000)
    volume, snapshot = b.uri("v"), snapshot_uri(b)
    data = stored(b, volume, size)
    here.take_snapshot(volume, snapshot)
    if b.facts.capabilities.random_access:
        here.overwrite(volume, (0, content("over", size)))
    reader = here.open_input(snapshot)
    found = reader.read(1000)
    removed = b.attempt(lambda: there.later.delete(snapshot))
    require(removed.error is None or refused(removed), f"{removed.call.label} under a reader said {removed}")
    try:
        while piece := reader.read(max(size // 7, 4096)):
            found += piece
            require(data.startswith(found), f"after the delete the reader saw other bytes at {len(found) - len(piece)}")
        require(found == data, f"after the delete the reader saw an end after {len(found)} of {size} bytes")
    except StorageError as error:
        true = isinstance(error, ObjectNotFound) or type(error).__name__ == "DeviceUnavailable"
        require(true and removed.error is None, f"the reader of a deleted snapshot said {type(error).__name__}")
    reader.close()

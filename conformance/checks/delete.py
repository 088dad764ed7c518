"""C-DELETE: gone for everybody, exactly the named one, nothing left; absent is fine."""

from __future__ import annotations

from storcert.conformance.bench import Bench
from storcert.conformance.content import content
from storcert.conformance.observe import both, require_absent, require_bytes, stored
from storcert.conformance.registry import check
from storcert.conformance.violation import require
from storcert.harness.contract import DataObjectUri, ObjectKind, ObjectNotFound

RULE = "C-DELETE"


@check(RULE, core=lambda f: f.sizes(0, 1, 4096), standard=lambda f: f.boundary_sizes)
def gone_everywhere(b: Bench, size: int) -> None:
    """After delete no operation at any location finds the object."""
    here, there = both(b)
    uri = b.uri()
    data = stored(b, uri, size)
    require_bytes(there, uri, data)
    here.delete(uri)
    for client in (there, here, b.new_client()):
        require_absent(client, uri)
        b.expect(ObjectNotFound, lambda client=client: client.open_input(uri))  # type: ignore[misc]
        b.expect(ObjectNotFound, lambda client=client: client.describe(uri))  # type: ignore[misc]


@check(RULE, core=lambda f: ["never-there", "twice", "twice-elsewhere"])
def absent_is_a_success(b: Bench, how: str) -> None:
    """Deleting an absent object succeeds and changes nothing."""
    here, there = both(b)
    uri = b.uri()
    if how != "never-there":
        stored(b, uri, b.facts.fit(100))
        here.delete(uri)
    (there if how == "twice-elsewhere" else here).delete(uri)
    require_absent(there, uri)


def _relatives(b: Bench, uri: DataObjectUri) -> list[DataObjectUri]:
    other = next((kind for kind in sorted(b.facts.capabilities.kinds) if kind != uri.kind), uri.kind)
    account, name = uri.account, uri.object_id
    relatives = [
        DataObjectUri(uri.kind, account, text)
        for text in (name + "0", name + "-x", name + ".x", name + "_", "0" + name, name + name, name + "~"[:0] + ".tmp")
    ]
    relatives += [DataObjectUri(uri.kind, account + "0", name), DataObjectUri(uri.kind, name, account + "9")]
    if other != uri.kind:
        relatives.append(DataObjectUri(ObjectKind(other), account, name))
    return [b.own(one) for one in relatives]


@check(RULE, core=lambda f: ["2", "20", "a-b", "x.y"], standard=lambda f: ["large"])
def only_the_named_one(b: Bench, name: str) -> None:
    """No sibling, parent or child goes with a deleted object, whatever their names share."""
    here, there = both(b)
    uri = b.uri(name)
    size = b.facts.large_size if name == "large" else b.facts.fit(64)
    stored(b, uri, size)
    kept = {one: stored(b, one, b.facts.fit(64), key=str(one)) for one in _relatives(b, uri)}
    here.delete(uri)
    require_absent(there, uri)
    for one, data in kept.items():
        require_bytes(there, one, data, f"after {uri} was deleted")


@check(RULE, core=lambda f: ["small"], standard=lambda f: ["parts"])
def writers_of_relatives_go_on(b: Bench, amount: str) -> None:
    """Deleting an object ends no writer of another name, however much the names share."""
    here, there = both(b)
    uri = b.uri("2")
    size = b.facts.large_size if amount == "parts" else b.facts.fit(4096)
    stored(b, uri, b.facts.fit(64))
    writers = []
    for one in _relatives(b, uri)[:2] if amount == "parts" else _relatives(b, uri):
        data = content(str(one), size)
        writer = here.open_output(one)
        writer.write(data)
        writers.append((one, data, writer))
    there.delete(uri)
    for one, data, writer in writers:
        writer.commit()
        require_bytes(there, one, data, f"written while {uri} was deleted")




@check(
    RULE,
    core=lambda f: ["create", "write", "empty", "copy"],
    standard=lambda f: ["create-large", "write-large", "copy-large"],
    simulation=True,
    live=("census",),
)
def all_comes_back(b: Bench, how: str) -> None:
    """All that an object occupied comes back with its delete: parts, versions, temporary entries."""
    here, there = both(b)
    uri, copied = b.uri("a"), b.uri("b")
    size = b.facts.large_size if how.endswith("-large") else 0 if how == "empty" else b.facts.fit(5000)
    if how.startswith("create"):
        here.create(uri, size)
    else:
        stored(b, uri, size)
    if how.startswith("copy"):
        b.need(capability_on_device_copy_is_not_declared=b.facts.capabilities.on_device_copy)
        here.copy(uri, copied)
        there.delete(copied)
    there.delete(uri)
    b.require_clean("after everything was deleted")


@check(RULE, simulation=True, live=("census",))
def nothing_stays_of_many(b: Bench) -> None:
    """Twenty objects made and deleted from two locations leave nothing."""
    here, there = both(b)
    uris = [b.uri(f"n{number}") for number in range(20)]
    for number, uri in enumerate(uris):
        (here, there)[number % 2].write(uri, content(str(number), b.facts.fit(100 + number)))
    for number, uri in enumerate(uris):
        (there, here)[number % 2].delete(uri)
    b.require_clean("after twenty objects were deleted")


@check(RULE, simulation=True)
def race_of_deletes(b: Bench) -> None:
    """Several deletes of one object at once all succeed."""
    here, there = both(b)
    uri = b.uri()
    stored(b, uri, b.facts.fit(4096))
    attempts = [client.later.delete(uri) for client in (here, there, here)]
    b.join(*attempts)
    for attempt in attempts:
        require(attempt.error is None, f"{attempt.call.label} among deletes said {attempt}")
    require_absent(there, uri)
    b.require_clean("after the deletes")


@check(RULE, needs=["on_device_copy"])
def copy_outlives_source(b: Bench) -> None:
    """A copy stays whole when its source is deleted, and the source when the copy is."""
    here, there = both(b)
    first, second, third = b.uri("a"), b.uri("b"), b.uri("c")
    data = stored(b, first, b.facts.fit(5000))
    here.copy(first, second)
    here.copy(second, third)
    there.delete(second)
    require_bytes(here, first, data)
    require_bytes(here, third, data)
    there.delete(first)
    require_bytes(here, third, data)

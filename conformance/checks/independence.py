"""C-INDEP: streams are independent of each other, of their driver instance, and of other streams on the same object."""

from __future__ import annotations

import gc

from storcert.conformance.bench import Bench
from storcert.conformance.content import content, first_difference
from storcert.conformance.observe import both, require_absent, require_bytes, stored
from storcert.conformance.registry import check
from storcert.conformance.violation import require

RULE = "C-INDEP"


@check(RULE, core=lambda f: ["two-locations", "one-instance"], standard=lambda f: ["one-instance-parts"])
def interleaved_readers(b: Bench, how: str) -> None:
    """Readers of one object, read in turns with different sizes, each see all of it in order."""
    here, there = both(b)
    uri = b.uri()
    size = b.facts.large_size if how.endswith("parts") else b.facts.fit(20_000)
    data = stored(b, uri, size)
    clients = (here, there, here) if how == "two-locations" else (here, here, here)
    readers = [client.open_input(uri) for client in clients]
    steps = (size // 11 + 1, size // 7 + 1, size // 3 + 1)
    found = [b"", b"", b""]
    before = -1
    while before < (before := sum(map(len, found))):  # until a whole round gives nothing
        for number, reader in enumerate(readers):
            found[number] += reader.read(steps[number])
    for number, one in enumerate(found):
        require(one == data, f"reader {number}: {first_difference(one, data)}")


@check(RULE, core=lambda f: ["one-location", "two-locations"], standard=lambda f: ["parts"])
def interleaved_writers(b: Bench, how: str) -> None:
    """Writers of different URIs, written in turns, each store their own bytes."""
    here, there = both(b)
    size = b.facts.large_size if how == "parts" else b.facts.fit(20_000)
    clients = (here, there) if how == "two-locations" else (here, here)
    uris = [b.uri("a"), b.uri("b")]
    writers = [client.open_output(uri) for client, uri in zip(clients, uris, strict=True)]
    datas = [content("first", size), content("second", size)]
    step = size // 5 + 1
    for offset in range(0, size, step):
        for writer, data in zip(writers, datas, strict=True):
            writer.write(data[offset : offset + step])
    writers[1].commit()
    writers[0].commit()
    for uri, data in zip(uris, datas, strict=True):
        require_bytes(there, uri, data)


@check(RULE)
def reader_outlives_its_driver(b: Bench) -> None:
    """A stream goes on when the driver instance that made it is gone."""
    uri = b.uri()
    data = stored(b, uri, b.facts.fit(20_000))
    fresh = b.new_client()
    reader = fresh.open_input(uri)
    first = reader.read(100)
    fresh.driver = None
    gc.collect()
    found = first + reader.rest()
    require(found == data, first_difference(found, data))


@check(RULE)
def writer_outlives_its_driver(b: Bench) -> None:
    """An output stream commits when the driver instance that made it is gone."""
    here, there = both(b)
    uri = b.uri()
    data = content("x", b.facts.fit(20_000))
    fresh = b.new_client()
    writer = fresh.open_output(uri)
    writer.write(data[:100])
    fresh.driver = None
    gc.collect()
    writer.write(data[100:])
    writer.commit()
    require_bytes(there, uri, data)


@check(RULE, core=lambda f: ["close", "error", "abort"])
def one_ends_the_others_go_on(b: Bench, how: str) -> None:
    """Closing or aborting one stream does not touch another one of the same driver."""
    here, there = both(b)
    uri, other = b.uri("a"), b.uri("b")
    data = stored(b, uri, b.facts.fit(20_000))
    kept, ended = here.open_input(uri), here.open_input(uri)
    writer, doomed = here.open_output(other), here.open_output(b.uri("c"))
    kept.read(10)
    writer.write(data[:10])
    doomed.write(data[:10])
    if how == "error":
        here.write(b.uri("d"), data, end="raise")
    ended.close()
    doomed.abort() if how == "abort" else doomed.close()
    rest = kept.rest()
    require(data[:10] + rest == data, "the reader that stayed open lost bytes")
    writer.write(data[10:])
    writer.commit()
    require_bytes(there, other, data)
    require_absent(there, b.uri("c"))


@check(RULE, core=lambda f: ["small"], standard=lambda f: ["parts"], simulation=True)
def at_the_same_time(b: Bench, how: str) -> None:
    """Reading and writing many objects at once through one driver instance gives each its own bytes."""
    here, there = both(b)
    size = b.facts.large_size if how == "parts" else b.facts.fit(20_000)
    count = 2 if how == "parts" else 6
    old = {b.uri(f"old{number}"): content(f"old{number}", size) for number in range(count)}
    for uri, data in old.items():
        here.write(uri, data)
    new = {b.uri(f"new{number}"): content(f"new{number}", size) for number in range(count)}
    reads = [(here.later.read(uri, sizes=(4097, 1 << 20)), data) for uri, data in old.items()]
    writes = [here.later.write(uri, data, (5000, 1 << 20)) for uri, data in new.items()]
    b.join(*(attempt for attempt, _ in reads), *writes)
    for attempt, data in reads:
        require(attempt.value_or_raise() == data, f"{attempt.call.label}: {first_difference(attempt.value, data)}")
    for attempt in writes:
        attempt.value_or_raise()
    for uri, data in new.items():
        require_bytes(there, uri, data)

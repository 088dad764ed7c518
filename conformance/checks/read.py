"""C-READ: exactly the bytes of the range, in order, or an error; never a short end."""

from __future__ import annotations

from functools import partial

from storcert.conformance.bench import Bench
from storcert.conformance.content import first_difference
from storcert.conformance.facts import Facts
from storcert.conformance.observe import both, require_bytes, stored
from storcert.conformance.registry import check
from storcert.conformance.violation import require
from storcert.harness.contract import DataCorrupted, DeviceUnavailable, InvalidRequest, ObjectNotFound
from storcert.harness.record.fault import Fault, Phase

RULE = "C-READ"


@check(RULE, core=lambda f: f.small_sizes, standard=lambda f: f.boundary_sizes)
def whole_object(b: Bench, size: int) -> None:
    """A stream over the whole object yields its bytes for every way of asking: less, more, exact, the default."""
    here, there = both(b)
    uri = b.uri()
    data = stored(b, uri, size)
    asks: tuple[tuple[int, ...], ...] = ((-1,), (max(size - 1, 1),), (size or 1,), (size + 1,), (size * 10 + 7,))
    # Byte by byte may be a request each: where time is real, thousands of them are minutes.
    if size <= (600 if b.facts.real_time else 5000):
        asks += ((1,), (7, 3, 1000), (0, 5))
    else:
        asks += ((4096, 65_537, 1), (0, size // 3 + 1))
    for sizes in asks:
        found = there.read(uri, sizes=sizes)
        require(found == data, f"read sizes {sizes}: {first_difference(found, data)}")
    require_bytes(here, uri, data)


@check(RULE, core=lambda f: f.sizes(0, 1, 4096), standard=lambda f: [f.large_size])
def end_stays_the_end(b: Bench, size: int) -> None:
    """At the end read gives b"" again and again; read(0) is b"" anywhere and says nothing."""
    here, there = both(b)
    uri = b.uri()
    data = stored(b, uri, size)
    reader = there.open_input(uri)
    require(reader.read(0) == b"", "read(0) at the start gave bytes")
    found = reader.rest()
    require(found == data, first_difference(found, data))
    for n in (1, 0, 4096, -1):
        require(reader.read(n) == b"", f"read({n}) after the end gave bytes")
    reader.close()


def _ranges(size: int) -> list[tuple[int, int | None]]:
    middle = size // 2
    return [
        (0, None),
        (0, size),
        (0, 0),
        (0, 1),
        (1, None),
        (middle, None),
        (middle, 1),
        (max(size - 1, 0), None),
        (max(size - 1, 0), 1),
        (0, size + 1),
        (middle, size),
        (size, None),
        (size, 5),
        (size + 1, None),
        (size + 1000, 10),
        (middle, 0),
        (10 * size + 10, 1),
    ]


@check(RULE, core=lambda f: f.sizes(0, 1, 2, 4097), standard=lambda f: [f.large_size], needs=["range_read"])
def ranges(b: Bench, size: int) -> None:
    """A range gives exactly its bytes; one that reaches past the end is cut there, one beyond it is empty."""
    here, there = both(b)
    uri = b.uri()
    data = stored(b, uri, size)
    for offset, length in _ranges(size):
        expected = data[offset:] if length is None else data[offset : offset + length]
        found = there.read(uri, offset, length, sizes=(1000,) if size < 10_000 else (1 << 20,))
        require(found == expected, f"range {offset}+{length} of {size} bytes: {first_difference(found, expected)}")


def _around_part(facts: Facts) -> list[int]:
    return [facts.part_bytes - 1, facts.part_bytes, facts.part_bytes + 1]


@check(RULE, standard=_around_part, needs=["range_read"])
def ranges_across_parts(b: Bench, place: int) -> None:
    """Ranges that begin, end or straddle a part boundary give exactly their bytes."""
    here, there = both(b)
    uri = b.uri()
    data = stored(b, uri, b.facts.large_size)
    for offset, length in ((place, 2), (place - 1, 3), (place - 4096, 8192), (0, place), (place, None)):
        expected = data[offset:] if length is None else data[offset : offset + length]
        found = there.read(uri, offset, length, sizes=(1 << 20,))
        require(found == expected, f"range {offset}+{length}: {first_difference(found, expected)}")


@check(RULE)
def missing_object(b: Bench) -> None:
    """open_input of a missing object raises ObjectNotFound at the call."""
    here, there = both(b)
    b.expect(ObjectNotFound, lambda: here.open_input(b.uri("never")))
    if b.facts.capabilities.range_read:
        b.expect(ObjectNotFound, lambda: there.open_input(b.uri("never"), 5, 5))
        b.expect(ObjectNotFound, lambda: there.open_input(b.uri("never"), 0, 0))


@check(RULE, core=lambda f: ["offset", "length", "both"], needs=["range_read"])
def negative_range(b: Bench, what: str) -> None:
    """A negative offset or length raises InvalidRequest."""
    here, _ = both(b)
    uri = b.uri()
    stored(b, uri, b.facts.fit(100))
    offset, length = {"offset": (-1, None), "length": (0, -5), "both": (-3, -2)}[what]
    b.expect(InvalidRequest, lambda: here.open_input(uri, offset, length))


@check(RULE, core=lambda f: ["at-once", "half-way", "at-the-end"])
def after_close(b: Bench, when: str) -> None:
    """A closed stream raises InvalidRequest on read; close may be called again."""
    here, there = both(b)
    uri = b.uri()
    stored(b, uri, b.facts.fit(1000))
    reader = there.open_input(uri)
    if when == "half-way":
        reader.read(10)
    elif when == "at-the-end":
        reader.rest()
    reader.close()
    b.expect(InvalidRequest, lambda: reader.read(10))
    reader.close()
    b.expect(InvalidRequest, lambda: reader.read())


@check(RULE)
def context_manager(b: Bench) -> None:
    """An input stream is a context manager that gives itself and closes at the end."""
    here, there = both(b)
    uri = b.uri()
    data = stored(b, uri, b.facts.fit(1000))
    reader = there.open_input(uri)

    def body() -> bytes:
        with reader.stream as entered:
            found: bytes = entered.read(len(data))
        return found

    found = there.do(f"with open_input {uri}", body)
    require(data.startswith(found) and found, f"the context manager gave {len(found)} other bytes")
    b.expect(InvalidRequest, lambda: reader.read(1))


def _cuts(facts: Facts) -> list[str]:
    return ["small", "tiny"] if "cut" in facts.legal_faults else []


@check(RULE, core=_cuts, standard=lambda f: ["large"] if "cut" in f.legal_faults else [], simulation=True, live=("faults",))
def transport_cut(b: Bench, how: str) -> None:
    """A connection that ends early, once or always, is an error or is made good; never an end of file."""
    size = {"tiny": b.facts.fit(10), "small": b.facts.fit(10_000), "large": b.facts.large_size}[how]
    operations = b.facts.legal_faults["cut"]
    for operation, count, after in b.examples(
        [(name, 1, after) for name in operations for after in (0, 1, size // 2, size - 1)]
        + [(name, 0, after) for name in operations for after in (0, size // 2, size - 1)]
    ):
        here, there = both(b)
        uri = b.uri()
        data = stored(b, uri, size)
        b.arm(Fault("cut", operation, 1, Phase.DURING, count, after))
        reading = b.attempt(partial(there.later.read, uri))
        if reading.error is None:
            require(reading.value == data, f"cut after {after}: {first_difference(reading.value, data)}")
        else:
            typed = isinstance(reading.error, (DeviceUnavailable, DataCorrupted))
            require(typed, f"cut after {after}: read said {reading}; DeviceUnavailable or DataCorrupted was due")
        b.heal()
        require_bytes(there, uri, data, "after the connection healed")

"""C-VOLUME: pwrite and pread touch exactly their range; flush makes durable, close makes visible."""

from __future__ import annotations

import hashlib
import random
from array import array
from collections.abc import Callable
from typing import Any

from storcert.conformance.bench import Bench
from storcert.conformance.checks.snapshot import refusals_of_kinds
from storcert.conformance.content import content, first_difference
from storcert.conformance.facts import Facts
from storcert.conformance.observe import both, require_absent, require_bytes, stored
from storcert.conformance.registry import check
from storcert.conformance.violation import NotApplicable, require
from storcert.harness.contract import DataObjectUri, InvalidRequest, ObjectKind, ObjectNotFound

RULE = "C-VOLUME"
NEEDS = ("random_access",)
SIZE = 70_001
#: Offset and length of writes around the edges of sectors, pages and blocks.
EDGES = (
    (0, 1), (0, 512), (1, 1), (510, 4), (511, 513), (4095, 2), (4096, 4096), (4097, 8190), (65_535, 2), (65_536, 100),
    (3, 66_000),
)  # fmt: skip


def volume_of(b: Bench, size: int) -> tuple[DataObjectUri, bytearray]:
    """A volume with content, and a copy of it."""
    uri = b.uri()
    return uri, bytearray(stored(b, uri, size))


def require_now(b: Bench, uri: DataObjectUri, due: bytes | bytearray, when: str) -> None:
    require_bytes(b.client("ssvm-1"), uri, bytes(due), when)


@check(RULE, core=lambda f: [f"{offset}+{length}" for offset, length in EDGES] + ["whole", "end"], needs=NEEDS)
def pwrite_is_exact(b: Bench, case: str) -> None:
    """pwrite changes every byte of its range and no other, answers their number, and leaves the size alone."""
    here, there = both(b)
    size = b.facts.fit(SIZE)
    uri, due = volume_of(b, size)
    offset, length = {"whole": (0, size), "end": (size - 1, 1)}.get(case) or map(int, case.split("+"))
    data = content("written", length)
    handle = here.open_volume(uri)
    handle.pwrite(offset, data)
    due[offset : offset + length] = data
    found = handle.pread(0, size)
    require(found == due, f"the handle that wrote reads: {first_difference(found, bytes(due))}")
    handle.close()
    require_now(b, uri, due, "after pwrite and close")
    require(there.describe(uri).size_bytes == size, "pwrite changed the size of the volume")


def _part_edges(facts: Facts) -> list[str]:
    part = facts.part_bytes
    return [f"{part - 1}+2", f"{part}+1", f"{part // 2}+{part}", f"0+{part + 1}", f"{part - 4095}+8191"]


@check(RULE, standard=_part_edges, needs=NEEDS)
def pwrite_over_parts(b: Bench, case: str) -> None:
    """The same around the boundaries of the device's parts."""
    here, _ = both(b)
    size = b.facts.large_size
    uri, due = volume_of(b, size)
    offset, length = map(int, case.split("+"))
    length = min(length, size - offset)
    data = content("written", length)
    here.overwrite(uri, (offset, data))
    due[offset : offset + length] = data
    require_now(b, uri, due, "after pwrite, flush and close")
    require(here.pread(uri, max(0, offset - 3), min(length + 6, size - offset + 3)) == due[max(0, offset - 3) :][: length + 6],
            "pread around the range gives other bytes")  # fmt: skip


@check(RULE, core=lambda f: ["small"], standard=lambda f: ["large", "created"], needs=NEEDS)
def pread_is_exact(b: Bench, amount: str) -> None:
    """pread gives exactly the bytes of its range, up to the very last; of length 0 nothing."""
    here, there = both(b)
    size = b.facts.large_size if amount == "large" else b.facts.fit(SIZE)
    uri = b.uri()
    if amount == "created":
        here.create(uri, size)
        due = bytes(size)
    else:
        due = stored(b, uri, size)
    handle = there.open_volume(uri)
    part = b.facts.part_bytes
    ranges = [(0, size), (0, 0), (size, 0), (size - 1, 1), (1, size - 1), (part - 1, 2), (part // 2, part)]
    for offset, length in [*EDGES, *ranges]:
        if offset + length <= size:
            require(handle.pread(offset, length) == due[offset : offset + length], f"pread {length} at {offset}: other bytes")
    handle.close()


OUTSIDE = ("at-end", "over-end", "past-end", "far", "negative-offset", "negative-length")


@check(RULE, core=lambda f: [f"{verb} {how}" for verb in ("pread", "pwrite") for how in OUTSIDE], needs=NEEDS)
def outside_is_refused(b: Bench, case: str) -> None:
    """A range outside the volume, also in part, is InvalidRequest; no byte and no size changes, and the handle goes on."""
    verb, how = case.split(" ")
    here, _ = both(b)
    size = b.facts.fit(5000)
    uri, due = volume_of(b, size)
    offset, length = {
        "at-end": (size, 1), "over-end": (size - 10, 11), "past-end": (size + 1, 5), "far": (1 << 45, 1),
        "negative-offset": (-1, 5), "negative-length": (0, -1),
    }[how]  # fmt: skip
    if verb == "pwrite" and how == "negative-length":
        raise NotApplicable("what is written has no negative length")
    handle = here.open_volume(uri)
    call = (lambda: handle.pread(offset, length)) if verb == "pread" else (lambda: handle.pwrite(offset, b"x" * length))
    b.expect(InvalidRequest, call)
    require(handle.pread(0, size) == due, "after the refused call the handle reads other bytes")
    handle.pwrite(0, b"on")
    due[:2] = b"on"
    handle.close()
    require_now(b, uri, due, "after the refused call")


def _buffers() -> dict[str, Callable[[bytes], Any]]:
    return {
        "bytes": bytes,
        "bytearray": bytearray,
        "memoryview": memoryview,
        "of-words": lambda data: memoryview(array("I", data)),
        "slice": lambda data: memoryview(b"__" + data + b"__")[2:-2],
        "strided": lambda data: memoryview(bytes(byte for one in data for byte in (one, 0)))[::2],
        "two-dimensional": lambda data: memoryview(data).cast("B", (len(data) // 4, 4)),
        "empty": lambda data: b"",
    }


@check(RULE, core=lambda f: sorted(_buffers()), needs=NEEDS)
def any_buffer(b: Bench, kind: str) -> None:
    """pwrite takes any bytes-like object, counts bytes, and is done with it when it returns."""
    here, _ = both(b)
    uri, due = volume_of(b, b.facts.fit(9000))
    data = content("buffer", 4000)
    given = _buffers()[kind](data)
    total = memoryview(given).nbytes
    handle = here.open_volume(uri)
    answer = handle.pwrite(1001, given)
    require(answer == total, f"pwrite of {total} bytes answered {answer}")
    if isinstance(given, bytearray):
        given[:] = bytes(len(given))
    handle.flush()
    handle.close()
    due[1001 : 1001 + total] = data[:total]
    require_now(b, uri, due, f"after pwrite of {kind}")


@check(RULE, core=lambda f: ["close", "flush", "close-open-input", "with", "flush-open-input"], needs=NEEDS)
def visible_to_later_opens(b: Bench, by: str) -> None:
    """What was written before close, or flushed, is what opens elsewhere see from then on."""
    here, there = both(b)
    size = b.facts.fit(9000)
    uri, due = volume_of(b, size)
    require_bytes(there, uri, bytes(due))
    handle = here.open_volume(uri)
    handle.pwrite(4000, b"visible")
    due[4000:4007] = b"visible"
    if by.startswith("flush"):
        handle.flush()
    elif by == "with":
        here.do("leave the with block of the volume", lambda: _leave(handle.handle))
    else:
        handle.close()
    if by.endswith("open-input"):
        require_bytes(there, uri, bytes(due), f"after {by.partition('-')[0]}")
    else:
        found = there.pread(uri, 0, size)
        require(found == due, f"opened elsewhere after {by}: {first_difference(found, bytes(due))}")
    handle.close()


def _leave(handle: Any) -> None:
    with handle:
        pass


@check(RULE, core=lambda f: ["pread", "pwrite", "flush"], needs=NEEDS)
def closed_is_closed(b: Bench, verb: str) -> None:
    """A closed handle raises InvalidRequest and writes nothing; close may be called again."""
    here, _ = both(b)
    uri, due = volume_of(b, b.facts.fit(5000))
    handle = here.open_volume(uri)
    handle.pwrite(1, b"open")
    due[1:5] = b"open"
    handle.close()
    handle.close()
    calls = {"pread": lambda: handle.pread(0, 1), "pwrite": lambda: handle.pwrite(0, b"x"), "flush": handle.flush}
    b.expect(InvalidRequest, calls[verb])
    handle.close()
    require_now(b, uri, due, "after a call on a closed handle")


@check(RULE, core=lambda f: ["missing", *sorted(ObjectKind)], needs=NEEDS)
def opens_volumes_only(b: Bench, what: str) -> None:
    """open_volume of a missing volume is ObjectNotFound, of any other kind InvalidRequest, at the call."""
    here, there = both(b)
    if what == "missing":
        b.expect(ObjectNotFound, lambda: here.open_volume(b.uri("missing")))
        require_absent(there, b.uri("missing"))
        return
    kind = ObjectKind(what)
    uri = b.uri("a", kind=kind)
    data = content("x", b.facts.fit(100))
    if kind in b.facts.capabilities.kinds:
        here.write(uri, data)
    if kind is ObjectKind.VOLUME:
        there.open_volume(uri).close()
    else:
        b.expect(refusals_of_kinds(b, kind), lambda: there.open_volume(uri))
    if kind in b.facts.capabilities.kinds:
        require_bytes(here, uri, data)


@check(RULE, needs=NEEDS)
def empty_volume(b: Bench) -> None:
    """A volume of no bytes is opened, read and written for no bytes, and takes none."""
    here, there = both(b)
    here.create(b.uri(), 0)
    handle = there.open_volume(b.uri())
    require(handle.pread(0, 0) == b"" and handle.pwrite(0, b"") == 0, "nothing of nothing is not nothing")
    b.expect(InvalidRequest, lambda: handle.pwrite(0, b"x"))
    b.expect(InvalidRequest, lambda: handle.pread(0, 1))
    handle.flush()
    handle.close()
    require_bytes(here, b.uri(), b"")


@check(RULE, core=lambda f: ["created", "written"], standard=lambda f: ["copied"], needs=NEEDS)
def whatever_made_it(b: Bench, how: str) -> None:
    """A created, written or copied volume is written to alike; create of the same size and copies leave the writes alone."""
    here, there = both(b)
    size, uri = b.facts.fit(9000), b.uri()
    due = bytearray(size)
    if how == "created":
        here.create(uri, size)
    else:
        due[:] = stored(b, b.uri("o") if how == "copied" else uri, size)
    if how == "copied":
        b.need(capability_on_device_copy_is_not_declared=b.facts.capabilities.on_device_copy)
        here.copy(b.uri("o"), uri)
    old = bytes(due)
    there.overwrite(uri, (5, b"written"), (size - 2, b"!!"))
    due[5:12], due[-2:] = b"written", b"!!"
    here.create(uri, size)
    require_bytes(here, uri, bytes(due), "after create of the same size")
    if how == "copied":
        require_bytes(there, b.uri("o"), old, "after its copy was written to")
    if b.facts.capabilities.on_device_copy:
        here.copy(uri, b.uri("then"))
        there.overwrite(uri, (0, b"later"))
        require_bytes(here, b.uri("then"), bytes(due), "after its source was written to")


@check(RULE, core=lambda f: [60], standard=lambda f: [400], needs=NEEDS)
def many_writes(b: Bench, count: int) -> None:
    """Many overlapping writes of every length, read back through the handle in between: the last one of each byte holds."""
    here, _ = both(b)
    size = b.facts.fit(SIZE)
    uri, due = volume_of(b, size)
    dice, handle = random.Random(f"{b.seed}/many writes"), here.open_volume(uri)

    def work() -> None:
        for number in range(count):
            offset = dice.randrange(size)
            length = min(size - offset, dice.choice((1, 7, 512, 4096, 5000, 20_000)))
            data = content(f"write {number}", length)
            handle.handle.pwrite(offset, data)
            due[offset : offset + length] = data
            if number % 9 == 0:
                handle.handle.flush()
            at = max(0, offset - 10)
            found = handle.handle.pread(at, min(size - at, length + 20))
            place = f"write {number} ({length} bytes at {offset})"
            require(found == due[at : at + len(found)], f"after {place} pread gives other bytes")

    here.do(f"{count} overlapping writes", work)
    handle.close()
    require_now(b, uri, due, f"after {count} overlapping writes")


@check(RULE, needs=("random_access", "digest"))
def digest_is_the_current_one(b: Bench) -> None:
    """After pwrite describe gives the digest of the bytes as they are now, or none."""
    here, there = both(b)
    uri, due = volume_of(b, b.facts.fit(9000))
    here.overwrite(uri, (0, b"digest"))
    due[:6] = b"digest"
    found = there.describe(uri).digest
    algorithm = b.facts.capabilities.digest or ""
    current = f"{algorithm}:{hashlib.new(algorithm, due).hexdigest()}"
    require(found in (None, current), f"after pwrite describe gives {found}, which is of other bytes")



"""C-WRITE: any bytes, any pieces; true counts; nothing visible before commit."""

from __future__ import annotations

import array

from storcert.conformance.bench import Bench
from storcert.conformance.content import content
from storcert.conformance.observe import both, require_absent, require_bytes
from storcert.conformance.registry import Level, check
from storcert.conformance.violation import require
from storcert.harness.contract import InvalidRequest, ObjectNotFound

RULE = "C-WRITE"
PIECES: dict[str, tuple[int, ...]] = {
    "bytes": (1,),
    "sevens": (7,),
    "odd": (1, 4095, 3, 4097),
    "blocks": (4096,),
    "growing": (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192),
}


@check(RULE, core=lambda f: sorted(PIECES))
def in_pieces(b: Bench, pieces: str) -> None:
    """Any sequence of piece sizes stores the same bytes."""
    here, there = both(b)
    uri = b.uri()
    size = b.facts.fit(300 if pieces == "bytes" else 50_000)
    data = content(pieces, size)
    here.write(uri, data, PIECES[pieces])
    require_bytes(there, uri, data)


PART_PIECES = ("part", "part-minus-1", "part-plus-1", "two-parts-and-5", "mixed", "halves")


@check(RULE, core=lambda f: ["mixed"], standard=lambda f: PART_PIECES)
def in_pieces_around_parts(b: Bench, pieces: str) -> None:
    """Piece sizes around the part size store an object of more than three parts."""
    here, there = both(b)
    uri, part = b.uri(), b.facts.part_bytes
    sizes: dict[str, tuple[int, ...]] = {
        "part": (part,),
        "part-minus-1": (part - 1,),
        "part-plus-1": (part + 1,),
        "two-parts-and-5": (2 * part + 5,),
        "mixed": (1, part - 3, 7, 2 * part + 5, 4096),
        "halves": (part // 2,),
    }
    data = content(pieces, b.facts.fit(3 * part + 1))
    here.write(uri, data, sizes[pieces])
    require_bytes(there, uri, data)


@check(RULE, profile=Level.STANDARD, standard=lambda f: [200, 450])
def many_writes(b: Bench, count: int) -> None:
    """A stream of hundreds of writes stores them all, in order."""
    here, there = both(b)
    uri = b.uri()
    data = content("many", b.facts.fit(count * 1000))
    here.write(uri, data, (1000,))
    require_bytes(there, uri, data)


TYPES = ("bytes", "bytearray", "memoryview", "memoryview-words", "array", "strided", "read-only-view")


def _as(kind: str, data: bytes) -> object:
    if kind == "bytearray":
        return bytearray(data)
    if kind == "memoryview":
        return memoryview(bytearray(data))
    if kind == "memoryview-words":
        return memoryview(bytearray(data)).cast("I")
    if kind == "array":
        return array.array("H", data)
    if kind == "strided":
        spread = bytearray(2 * len(data))
        spread[::2] = data
        return memoryview(spread)[::2]
    return memoryview(data) if kind == "read-only-view" else data


@check(RULE, core=lambda f: TYPES)
def bytes_like(b: Bench, kind: str) -> None:
    """Every bytes-like object is taken; the count is in bytes whatever its item size."""
    here, there = both(b)
    uri = b.uri()
    data = content(kind, b.facts.fit(4096))
    writer = here.open_output(uri)
    whole = _as(kind, data)
    count = writer.write_once(whole)
    if count < len(data):
        writer.write(data[count:])
    writer.commit()
    require_bytes(there, uri, data)


@check(RULE, core=lambda f: f.sizes(4096), standard=lambda f: [f.large_size])
def buffer_is_the_callers(b: Bench, size: int) -> None:
    """What a caller does to its buffer after write returned does not reach the object."""
    here, there = both(b)
    uri = b.uri()
    data = content("mine", size)
    buffer = bytearray(data)
    writer = here.open_output(uri)
    writer.write(buffer)
    buffer[:] = bytes(len(buffer))
    writer.commit()
    require_bytes(there, uri, data)


@check(RULE)
def empty_writes(b: Bench) -> None:
    """write of nothing takes 0 bytes and changes nothing, anywhere in the stream."""
    here, there = both(b)
    uri = b.uri()
    data = content("x", b.facts.fit(1000))
    writer = here.open_output(uri)
    for piece in (b"", data[:10], b"", b"", data[10:], b""):
        if not piece:
            require(writer.write_once(piece) == 0, "write(b'') took something")
        else:
            writer.write(piece)
    writer.commit()
    require_bytes(there, uri, data)


@check(RULE, core=lambda f: f.sizes(0, 1, 4096), standard=lambda f: [f.part_bytes, f.large_size])
def invisible_before_commit(b: Bench, size: int) -> None:
    """Before commit nothing is visible under the URI: not by describe, open_input, list or copy, at no location."""
    here, there = both(b)
    uri = b.uri()
    data = content("hidden", size)
    writer = here.open_output(uri)
    require_absent(there, uri, "after open_output")
    writer.write(data)
    for client in (here, there, b.new_client()):
        require_absent(client, uri, f"after {size} bytes were written")
    if b.facts.capabilities.on_device_copy:
        b.expect(ObjectNotFound, lambda: there.copy(uri, b.uri("other")))
    writer.commit()
    require_bytes(there, uri, data)


@check(RULE, core=lambda f: ["commit", "abort", "close"])
def after_the_end(b: Bench, end: str) -> None:
    """After commit, abort or close a write or commit raises InvalidRequest, and abort and close do nothing."""
    here, there = both(b)
    uri = b.uri()
    data = content("x", b.facts.fit(100))
    writer = here.open_output(uri)
    writer.write(data)
    getattr(writer, end)()
    b.expect(InvalidRequest, lambda: writer.write_once(b"more"))
    b.expect(InvalidRequest, writer.commit)
    writer.abort()
    writer.close()
    writer.close()
    if end == "commit":
        require_bytes(there, uri, data)
    else:
        require_absent(there, uri)

"""C-READER: a reader whose object is deleted sees the old bytes to the end or a typed error."""

from __future__ import annotations

from storcert.conformance.bench import SSVM, Bench
from storcert.conformance.content import content
from storcert.conformance.observe import both, stored
from storcert.conformance.registry import check
from storcert.conformance.violation import require
from storcert.harness.contract import DeviceUnavailable, ObjectNotFound, StorageError

RULE = "C-READER"
WAYS = ("before-first-read", "after-one-read", "half-way")


def _deleted_under_reader(b: Bench, size: int, when: str, replacement: bytes | None) -> None:
    here, there = both(b)
    uri = b.uri()
    # Written elsewhere: where it is read, no cache has it from writing.
    data = stored(b, uri, size, location=SSVM)
    reader = here.open_input(uri)
    found = b""
    if when == "after-one-read":
        found = reader.read(10)
    elif when == "half-way":
        while len(found) < size // 2:
            piece = reader.read(size // 2 - len(found))
            require(bool(piece), f"the reader saw an end after {len(found)} of {size} bytes")
            found += piece
    there.delete(uri)
    if replacement is not None:
        there.write(uri, replacement)
    try:
        while piece := reader.read(max(size // 7, 100)):
            found += piece
            require(data.startswith(found), f"after the delete the reader saw other bytes at {len(found) - len(piece)}")
        require(found == data, f"after the delete the reader saw an end after {len(found)} of {size} bytes")
    except (ObjectNotFound, DeviceUnavailable):
        pass
    except StorageError as error:
        require(False, f"the reader said {type(error).__name__}; ObjectNotFound or DeviceUnavailable was due")
    reader.close()


@check(RULE, core=lambda f: WAYS, standard=lambda f: [f"{way}-large" for way in WAYS])
def deleted(b: Bench, when: str) -> None:
    """The object is deleted while it is read."""
    large = when.endswith("-large")
    _deleted_under_reader(b, b.facts.large_size if large else b.facts.fit(9000), when.removesuffix("-large"), None)


@check(RULE, core=lambda f: [f"{way}-{what}" for way in WAYS for what in ("same-size", "longer", "shorter")])
def replaced(b: Bench, how: str) -> None:
    """The object is deleted and another of the same name is written while the first is read: never other bytes."""
    when, what = next((way, how.removeprefix(way + "-")) for way in WAYS if how.startswith(way))
    size = b.facts.fit(9000)
    other = {"same-size": size, "longer": 2 * size, "shorter": b.facts.fit(size // 3)}[what]
    _deleted_under_reader(b, size, when, content("other", other))


@check(RULE, standard=lambda f: WAYS)
def replaced_large(b: Bench, when: str) -> None:
    """The same with an object of several parts."""
    size = b.facts.large_size
    _deleted_under_reader(b, size, when, content("other", size))

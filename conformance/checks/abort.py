"""C-ABORT: an output stream that does not commit publishes nothing and leaves nothing."""

from __future__ import annotations

import gc
from collections import Counter

from storcert.conformance.bench import HOST, SSVM, Bench, LocationDied
from storcert.conformance.content import content
from storcert.conformance.facts import Facts
from storcert.conformance.observe import both, require_absent, require_bytes
from storcert.conformance.registry import Level, check
from storcert.conformance.violation import require
from storcert.harness.contract import StorageError

RULE = "C-ABORT"
ENDS = ("abort", "close", "raise")
PAGE = 5
AMOUNTS = ("nothing", "small", "part", "parts")


def _size(facts: Facts, amount: str) -> int:
    return {"nothing": 0, "small": facts.fit(5000), "part": facts.fit(facts.part_bytes), "parts": facts.large_size}[
        amount
    ]


@check(
    RULE,
    core=lambda f: [f"{end}-{amount}" for end in ENDS for amount in ("nothing", "small", "parts")],
    standard=lambda f: [f"{end}-part" for end in ENDS],
)
def leaves_nothing(b: Bench, how: str) -> None:
    """After abort, close or an exception in the with block nothing is published and nothing is left on the device."""
    end, amount = how.split("-")
    here, there = both(b)
    uri = b.uri()
    before = b.census() if b.facts.has_census else ()
    here.write(uri, content("x", _size(b.facts, amount)), end=end)
    require_absent(there, uri)
    if b.facts.has_census:
        b.require_same_census(before, f"after {end}")
    data = content("again", b.facts.fit(100))
    there.write(uri, data)
    require_bytes(here, uri, data, "the URI is free again")


@check(RULE, core=lambda f: ["abort", "close"])
def ends_are_final(b: Bench, end: str) -> None:
    """abort and close may be called again, in any order, and publish nothing."""
    here, there = both(b)
    uri = b.uri()
    writer = here.open_output(uri)
    writer.write(content("x", b.facts.fit(100)))
    getattr(writer, end)()
    for again in ("close", "abort", "close"):
        getattr(writer, again)()
    require_absent(there, uri)


@check(RULE, core=lambda f: ["abort", "close"])
def after_commit_nothing_happens(b: Bench, end: str) -> None:
    """abort and close after commit leave the published object alone."""
    here, there = both(b)
    uri = b.uri()
    data = content("x", b.facts.fit(100))
    writer = here.open_output(uri)
    writer.write(data)
    writer.commit()
    getattr(writer, end)()
    getattr(writer, end)()
    require_bytes(there, uri, data)


@check(
    RULE,
    core=lambda f: ["dropped-then-delete", "dropped-then-commit"],
    standard=lambda f: ["dropped-parts-then-delete", "dropped-parts-then-commit"],
    simulation=True,
    live=("census",),
)
def dropped_stream(b: Bench, how: str) -> None:
    """A stream that is dropped publishes nothing; what it left is gone after delete of the URI or the next commit."""
    here, there = both(b)
    uri = b.uri()
    here.write(uri, content("x", b.facts.large_size if "parts" in how else b.facts.fit(5000)), end="drop")
    here.do("collect garbage", gc.collect)  # there, because what a stream does when it goes is the driver's doing
    b.world.advance(10**9)
    require_absent(there, uri)
    _take_over(b, how)


@check(RULE, profile=Level.STANDARD, standard=lambda f: ["then-delete", "then-commit"], simulation=True)
def many_dropped_streams(b: Bench, how: str) -> None:
    """However many streams of one URI were dropped, what they left is gone after its delete or the next commit to it."""
    b.short_pages(PAGE)
    for number in range(PAGE + 2):
        b.client((HOST, SSVM)[number % 2]).write(b.uri(), content("x", b.facts.large_size), end="drop")
    b.client(HOST).do("collect garbage", gc.collect)
    b.world.advance(10**9)
    _take_over(b, how)


def _take_over(b: Bench, how: str) -> None:
    there = b.client(SSVM)
    uri = b.uri()
    if how.endswith("commit"):
        data = content("next", b.facts.fit(100))
        there.write(uri, data)
        require_bytes(there, uri, data)
        after = Counter(entry.kind for entry in b.census())
        # The same once more, on a name that a delete has cleared: so much belongs to the object itself.
        there.delete(uri)
        there.write(uri, data)
        left = after - Counter(entry.kind for entry in b.census())
        what = ", ".join(f"{count} {kind}" for kind, count in sorted(left.items()))
        require(not left, f"after the next successful commit something of the first is still there: {what}")
    there.delete(uri)
    require_absent(there, uri)
    b.require_clean("after delete of the URI")


@check(
    RULE,
    core=lambda f: ["small-then-delete", "parts-then-commit"],
    standard=lambda f: ["parts-then-delete", "small-then-commit"],
    simulation=True,
)
def dead_process(b: Bench, how: str) -> None:
    """A process that dies while it writes publishes nothing; what it left is gone after delete or the next commit."""
    here, there = both(b)
    uri = b.uri()
    writer = here.open_output(uri)
    writer.write(content("x", b.facts.large_size if "parts" in how else b.facts.fit(5000)))
    b.crash(HOST)
    b.world.advance(10**9)
    require_absent(there, uri)
    _take_over(b, how)


@check(RULE, core=lambda f: ["small", "parts"], simulation=True)
def dies_at_any_moment(b: Bench, amount: str) -> None:
    """A process that dies at any moment of a write publishes nothing or the whole object."""
    size = b.facts.large_size if amount == "parts" else b.facts.fit(5000)
    for delay_ms in b.examples((0, 1, 2, 3, 5, 8, 20, 60, 90, 120, 150, 200)):
        here, there = both(b)
        uri = b.uri()
        data = content("x", size)
        writing = here.later.write(uri, data)
        b.world.advance(delay_ms * 1_000_000 + 1)
        b.crash(HOST)
        b.join(writing)
        try:
            writing.value_or_raise()
        except (LocationDied, StorageError):
            pass
        b.world.advance(10**9)
        try:
            found: bytes | None = there.read(uri)
        except StorageError:
            found = None
        require(
            found is None or found == data,
            f"dead after {delay_ms} ms: {len(found or b'')} of {size} bytes are published",
        )
        there.delete(uri)
        b.require_clean("after delete of the URI")

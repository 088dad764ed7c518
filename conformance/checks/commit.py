"""C-COMMIT: the whole object at one moment, or an error."""

from __future__ import annotations

from storcert.conformance.bench import SSVM, Bench
from storcert.conformance.content import content
from storcert.conformance.observe import both, require_absent, require_bytes, stored
from storcert.conformance.registry import check
from storcert.conformance.violation import Violation, require
from storcert.harness.contract import InvalidRequest, ObjectExists, SizeMismatch, StorageError

RULE = "C-COMMIT"


@check(RULE, core=lambda f: f.small_sizes, standard=lambda f: f.boundary_sizes)
def publishes_whole(b: Bench, size: int) -> None:
    """commit publishes exactly the bytes written, for every location at once, and answers with the description."""
    here, there = both(b)
    uri = b.uri()
    data = content("new", size)
    answer = here.write(uri, data)
    require(answer.size_bytes == size, f"commit answered {answer.size_bytes} bytes of {size}")
    require(there.describe(uri) == answer, f"commit answered {answer}, describe says otherwise")
    require_bytes(there, uri, data)


@check(RULE, core=lambda f: f.sizes(0, 1, 4096, 65_537), standard=lambda f: f.boundary_sizes)
def announced_size(b: Bench, size: int) -> None:
    """An object whose size was announced and kept is published."""
    here, there = both(b)
    uri = b.uri()
    data = content("new", size)
    here.write(uri, data, (4099,) if size < 100_000 else (), size=size)
    require_bytes(there, uri, data)


MISMATCHES = ("one-less", "one-more", "nothing", "some-for-nothing", "twice")


@check(RULE, core=lambda f: MISMATCHES, standard=lambda f: ["large-one-less", "large-one-more", "part-for-large"])
def announced_size_differs(b: Bench, how: str) -> None:
    """Bytes that differ from the announced size raise SizeMismatch; nothing is published and nothing left."""
    here, there = both(b)
    uri = b.uri()
    grain = b.facts.capabilities.size_granularity_bytes
    size = b.facts.large_size if "large" in how else b.facts.fit(4096)
    announced, written = {
        "one-less": (size, size - grain),
        "one-more": (size, size + grain),
        "nothing": (size, 0),
        "some-for-nothing": (0, size),
        "twice": (size, 2 * size),
        "large-one-less": (size, size - grain),
        "large-one-more": (size, size + grain),
        "part-for-large": (size, b.facts.fit(b.facts.part_bytes)),
    }[how]
    before = b.census() if b.facts.mode == "simulated" else ()
    b.expect(SizeMismatch, lambda: here.write(uri, content("new", written), size=announced))
    require_absent(there, uri)
    if b.facts.mode == "simulated":
        b.require_same_census(before, "after the refused commit")
    here.write(uri, content("new", size))
    require_bytes(there, uri, content("new", size))


@check(RULE, core=lambda f: ["no-write", "empty-writes", "announced", "with-block"])
def zero_bytes_are_an_object(b: Bench, how: str) -> None:
    """A stream without bytes publishes an empty object."""
    here, there = both(b)
    uri = b.uri()
    if how == "with-block":
        here.write(uri, b"", end="with")
    else:
        writer = here.open_output(uri, 0 if how == "announced" else None)
        for _ in range(3 if how == "empty-writes" else 0):
            writer.write_once(b"")
        writer.commit()
    require_bytes(there, uri, b"")


@check(RULE)
def second_commit(b: Bench) -> None:
    """A second commit raises InvalidRequest and the object stays."""
    here, there = both(b)
    uri = b.uri()
    data = content("x", b.facts.fit(100))
    writer = here.open_output(uri)
    writer.write(data)
    writer.commit()
    b.expect(InvalidRequest, writer.commit)
    require_bytes(there, uri, data)


@check(RULE, core=lambda f: ["lost-race", "wrong-size"])
def failed_commit_is_final(b: Bench, why: str) -> None:
    """After a commit that raised, write and commit raise too, and nothing is published, also when the cause is gone."""
    here, there = both(b)
    uri = b.uri()
    data = content("x", b.facts.fit(1000))
    writer = here.open_output(uri, None if why == "lost-race" else 2 * len(data))
    writer.write(data)
    if why == "lost-race":
        stored(b, uri, b.facts.fit(10), location=SSVM)
        try:
            b.expect(ObjectExists, writer.commit)
        except Violation as lost_to_nobody:  # a commit that wins over an existing object is no failed commit
            raise Violation(lost_to_nobody.message, "C-ONCE") from None
        there.delete(uri)
    else:
        b.expect(SizeMismatch, writer.commit)
    for call in (lambda: writer.write_once(data), writer.commit):
        try:
            call()
        except StorageError:
            continue
        require(False, f"{b.last_step}, after a commit that had failed")
    require_absent(there, uri, "after a commit that had failed was repeated")
    writer.close()
    require_absent(there, uri, "after a commit that had failed, and close")


@check(RULE, core=lambda f: f.sizes(1, 4096), standard=lambda f: [f.large_size])
def with_block_commits(b: Bench, size: int) -> None:
    """Leaving a with block publishes."""
    here, there = both(b)
    uri = b.uri()
    data = content("x", size)
    here.write(uri, data, end="with")
    require_bytes(there, uri, data)


@check(RULE)
def negative_announced_size(b: Bench) -> None:
    """open_output with a negative size raises InvalidRequest."""
    here, there = both(b)
    b.expect(InvalidRequest, lambda: here.open_output(b.uri(), -1))
    require_absent(there, b.uri())


@check(RULE)
def commit_after_with_commit(b: Bench) -> None:
    """Leaving a with block after an explicit commit does nothing more."""
    here, there = both(b)
    uri = b.uri()
    data = content("x", b.facts.fit(100))
    writer = here.open_output(uri)

    def body() -> None:
        with writer.stream as entered:
            entered.write(data)
            entered.commit()

    here.do(f"with open_output {uri}: write, commit", body)
    require_bytes(there, uri, data)


@check(RULE, core=lambda f: ["small"], standard=lambda f: ["large"], simulation=True)
def readers_see_all_or_nothing(b: Bench, how: str) -> None:
    """While an object is published, readers elsewhere see nothing or the whole object, and never nothing again."""
    size = b.facts.large_size if how == "large" else b.facts.fit(30_000)
    here, there = both(b)
    uri = b.uri()
    data = content("new", size)
    writing = here.later.write(uri, data)
    seen_before = False
    # Lengths and yes or no, not the bytes: sixty copies of a large object are not worth keeping.
    watching: list[tuple[int, bool] | None] = []

    def watch() -> None:
        for _ in range(60):
            try:
                with there.driver.open_input(uri) as stream:
                    pieces = []
                    while piece := stream.read(1 << 20):
                        pieces.append(piece)
                found = b"".join(pieces)
                watching.append((len(found), found == data))
            except StorageError:
                watching.append(None)
            b.world.kernel.sleep_ns(3_000_000)

    watcher = b.begin(there.location, f"read {uri} every 3 ms", watch)
    b.join(writing, watcher)
    for look in watching:
        require(look is None or look[1], f"a reader saw {look[0] if look else 0} bytes of {size}, or other ones")
        require(look is not None or not seen_before, "a reader saw the object, and later none")
        seen_before = look is not None
    require_bytes(there, uri, data)

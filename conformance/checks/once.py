"""C-ONCE: objects are written once; of several who try at the same time exactly one wins."""

from __future__ import annotations

from storcert.conformance.bench import HOST, SSVM, Attempt, Bench
from storcert.conformance.client import Writer
from storcert.conformance.content import content
from storcert.conformance.observe import both, require_bytes, seen, stored
from storcert.conformance.registry import check
from storcert.conformance.violation import require
from storcert.harness.contract import DataObjectUri, ObjectExists

RULE = "C-ONCE"
MADE_BY = ("create", "write", "copy")
DELAYS_MS = (0, 1, 2, 3, 4, 6, 8, 12)


@check(
    RULE,
    core=lambda f: [f"{made}-{size}" for made in MADE_BY for size in ("small", "empty")],
    standard=lambda f: [f"{made}-{size}" for made in MADE_BY for size in ("parts", "part")],
)
def existing_object_stays(b: Bench, how: str) -> None:
    """open_output on an existing URI raises ObjectExists at open or at commit, and the old bytes stay."""
    made, amount = how.split("-")
    here, there = both(b)
    uri = b.uri()
    old = b.facts.fit(4096)
    if made == "create":
        here.create(uri, old)
        data = bytes(old)
    elif made == "write":
        data = stored(b, uri, old)
    else:
        b.need(capability_on_device_copy_is_not_declared=b.facts.capabilities.on_device_copy)
        data = stored(b, b.uri("source"), old)
        here.copy(b.uri("source"), uri)
    size = {"small": old, "empty": 0, "parts": b.facts.large_size, "part": b.facts.fit(b.facts.part_bytes)}[amount]
    before = b.census() if b.facts.mode == "simulated" else ()
    b.expect(ObjectExists, lambda: there.write(uri, content("new", size)))
    require_bytes(here, uri, data)
    if b.facts.mode == "simulated":
        b.require_same_census(before, "after the refused write")


@check(RULE, core=lambda f: ["small", "empty"], standard=lambda f: ["parts"])
def opened_before_the_other_commit(b: Bench, amount: str) -> None:
    """Two streams are open on one URI; the second to commit gets ObjectExists and the first one's bytes stay."""
    here, there = both(b)
    uri = b.uri()
    size = {"small": b.facts.fit(4096), "empty": 0, "parts": b.facts.large_size}[amount]
    first, second = content("first", size), content("second", size)
    one = here.open_output(uri)
    other = there.open_output(uri)
    one.write(first)
    other.write(second)
    one.commit()
    b.expect(ObjectExists, other.commit)
    require_bytes(there, uri, first)
    other.close()
    require_bytes(here, uri, first)
    here.delete(uri)
    b.require_clean("after delete of the URI")


def _judge_race(b: Bench, uri: DataObjectUri, attempts: list[tuple[Attempt, bytes]]) -> None:
    winners = [data for attempt, data in attempts if attempt.error is None and not attempt.crashed]
    for attempt, _ in attempts:
        require(
            attempt.error is None or attempt.error_name == "ObjectExists",
            f"{attempt.call.label} in the race said {attempt}; the losers get ObjectExists",
        )
    found = seen(b.client(SSVM), uri)
    require(len(winners) == 1, f"{len(winners)} of {len(attempts)} succeeded; exactly one must")
    require(found == winners[0], "the object does not have the winner's bytes")


@check(RULE, core=lambda f: ["small"], standard=lambda f: ["part", "parts", "mixed"], simulation=True)
def race_of_commits(b: Bench, amount: str) -> None:
    """Of several commits to one URI at once exactly one wins; the object has its bytes; nothing of the others stays."""
    part, large, small = b.facts.fit(b.facts.part_bytes), b.facts.large_size, b.facts.fit(4096)
    sizes = {"small": (small, small, small), "part": (part, part), "parts": (large, large), "mixed": (large, small)}[amount]
    for delay_ms in b.examples(DELAYS_MS):
        uri = b.uri()
        writers = []
        for number, size in enumerate(sizes):
            client = b.client((HOST, SSVM)[number % 2])
            writer = client.open_output(uri)
            data = content(f"writer-{number}", size)
            writer.write(data)
            writers.append((writer, data))
        attempts = []
        for number, (writer, data) in enumerate(writers):
            attempts.append((_commit_later(b, writer, delay_ms * number), data))
        b.join(*(attempt for attempt, _ in attempts))
        _judge_race(b, uri, attempts)
        for writer, _ in writers:
            writer.close()
        b.client(HOST).delete(uri)
        b.require_clean("after delete of the URI")


def _commit_later(b: Bench, writer: Writer, delay_ms: int) -> Attempt:
    def body() -> object:
        b.world.kernel.sleep_ns(delay_ms * 1_000_000)
        return writer.stream.commit()

    return b.begin(writer.client.location, f"commit {writer.uri} after {delay_ms} ms", body)


@check(RULE, core=lambda f: ["small"], standard=lambda f: ["parts"], needs=["on_device_copy"], simulation=True)
def race_of_copies(b: Bench, amount: str) -> None:
    """Of two copies and a commit to one URI at once exactly one wins."""
    size = b.facts.large_size if amount == "parts" else b.facts.fit(4096)
    for delay_ms in b.examples(DELAYS_MS):
        here, there = both(b)
        target = b.uri("target")
        first = stored(b, b.uri("one"), size, "first")
        second = stored(b, b.uri("two"), size, "second")
        third = content("third", b.facts.fit(4096))
        attempts = [(here.later.copy(b.uri("one"), target), first)]
        b.world.advance(delay_ms * 1_000_000)
        attempts.append((there.later.copy(b.uri("two"), target), second))
        attempts.append((here.later.write(target, third), third))
        b.join(*(attempt for attempt, _ in attempts))
        _judge_race(b, target, attempts)
        for name in ("one", "two", "target"):
            here.delete(b.uri(name))
        b.require_clean("after delete of all three")


@check(RULE, core=lambda f: ["same-size", "other-size"], simulation=True)
def create_races_commit(b: Bench, how: str) -> None:
    """create racing a commit: one of them makes the object, the other answers by its own rule."""
    for delay_ms in b.examples(DELAYS_MS):
        here, there = both(b)
        uri = b.uri()
        data = content("written", b.facts.fit(4096))
        size = len(data) if how == "same-size" else b.facts.fit(8192)
        writing = here.later.write(uri, data)
        b.world.advance(delay_ms * 1_000_000)
        creating = there.later.create(uri, size)
        b.join(writing, creating)
        found = seen(there, uri)
        require(found in (data, bytes(size)), "the object is neither the written nor the created one")
        require(
            (writing.error is None) == (found == data) and writing.error_name in ("", "ObjectExists"),
            f"the commit said {writing}",
        )
        if found == data and how == "other-size":
            require(creating.error_name == "ObjectExists", f"create over another size said {creating}")
        else:
            require(creating.error is None, f"create said {creating}")


@check(RULE, core=lambda f: ["small"], standard=lambda f: ["parts"], simulation=True)
def commit_races_delete(b: Bench, amount: str) -> None:
    """delete while another stream writes the URI: the commit publishes whole, or says that it did not."""
    size = b.facts.large_size if amount == "parts" else b.facts.fit(4096)
    for delay_ms in b.examples((*DELAYS_MS, 25, 60, 90, 120)):
        here, there = both(b)
        uri = b.uri()
        data = content("new", size)
        writing = here.later.write(uri, data)
        b.world.advance(delay_ms * 1_000_000)
        deleting = there.later.delete(uri)
        b.join(writing, deleting)
        require(deleting.error is None, f"delete beside a writer said {deleting}")
        found = seen(there, uri)
        if writing.error is None:
            require(found in (None, data), f"{len(found or b'')} bytes are published")
        else:
            require(
                writing.error_name in ("DeviceUnavailable", "ObjectInUse") and str(writing.error.outcome) == "not_done",
                f"the writer said {writing}; DeviceUnavailable or ObjectInUse with not_done was due",
            )
            require(found is None, "the writer said not_done and the object is there")
        here.delete(uri)
        b.require_clean("after delete of the URI")

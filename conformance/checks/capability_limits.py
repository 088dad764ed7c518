"""C-CAPS, limits: what is declared as the largest, the finest or the longest works, and what lies beyond it is refused.

Each limit has two checks, one for each way in which a declaration can be wrong: more is declared than works, or more works
than is declared.
"""

from __future__ import annotations

from storcert.conformance.bench import HOST, SSVM, Bench
from storcert.conformance.client import Client
from storcert.conformance.content import content
from storcert.conformance.facts import Facts
from storcert.conformance.observe import both, require_absent, require_bytes, stored
from storcert.conformance.registry import check
from storcert.conformance.violation import NotApplicable, require
from storcert.harness.contract import CapacityExceeded, DataObjectUri, InvalidRequest
from storcert.harness.contract.uri import SEGMENT_CHARACTERS_MAX

RULE = "C-CAPS"
#: An object of so many bytes is written; of a larger limit only what costs no more than a small one is made.
TESTABLE_BYTES_MAX = 1 << 26
#: Where no limit is declared: larger than any disk of one location.
ENDLESS_BYTES = 1 << 36
#: Who needs more to make zeros makes each of them, and an object of ENDLESS_BYTES would never end.
REQUESTS_FOR_ZEROS_MAX = 200
WHERE = ("object", "account", "both", "non-ascii")
#: Of one, two and four bytes.
PLAIN, NARROW, WIDE = "x", "é", "\U0001f600"


def _largest(facts: Facts) -> int:
    """The largest size that fits the granularity."""
    limit, grain = facts.capabilities.max_object_size_bytes or ENDLESS_BYTES, facts.capabilities.size_granularity_bytes
    return limit // grain * grain


@check(RULE)
def object_of_the_limit(b: Bench) -> None:
    """max_object_size_bytes: an object of the limit works; without a limit, one larger than any disk, where zeros are free."""
    limit, largest = b.facts.capabilities.max_object_size_bytes, _largest(b.facts)
    here, there = both(b)
    if limit is not None and limit <= TESTABLE_BYTES_MAX:
        stored(b, b.uri("written"), largest)
        require(there.describe(b.uri("written")).size_bytes == largest, "an object of the limit has another size")
        here.create(b.uri("created"), largest)
        require(there.describe(b.uri("created")).size_bytes == largest, "an object of the limit has another size")
        return
    if b.facts.mode != "simulated":
        raise NotApplicable(f"what an object of {largest:,} bytes would cost cannot be seen on this device")
    if not _zeros_are_free(b):
        what = f"an object of the limit, {limit:,} bytes," if limit is not None else "no limit is declared, and a larger object"
        raise NotApplicable(f"{what} takes too long to make here: this device stores every zero")
    here.create(b.uri("created"), largest)
    require(there.describe(b.uri("created")).size_bytes == largest, f"an object of {largest:,} bytes has another size")


def _zeros_are_free(b: Bench) -> bool:
    """Whether creating an object makes nothing of it, neither in bytes nor piece by piece: first with a size that every device
    can bear, then with a large one."""
    requests = b.world.device.requests
    for name, size in (("some-parts", b.facts.large_size), ("larger", b.facts.fit(1 << 30))):
        before = len(requests)
        b.client(HOST).create(b.uri(name), size)
        made = requests[before:]
        if sum(one.sent_bytes for one in made) > b.facts.large_size // 2 or len(made) > REQUESTS_FOR_ZEROS_MAX:
            return False
    return True


@check(RULE)
def max_object_size_bytes(b: Bench) -> None:
    """max_object_size_bytes: an object over the limit is CapacityExceeded at create, at open, at the write that passes it."""
    limit, grain = b.facts.capabilities.max_object_size_bytes, b.facts.capabilities.size_granularity_bytes
    if limit is None:
        raise NotApplicable("no limit is declared")
    here, there = both(b)
    over = _largest(b.facts) + grain
    b.expect(CapacityExceeded, lambda: here.create(b.uri("a"), over))
    b.expect(CapacityExceeded, lambda: here.open_output(b.uri("a"), over))
    require_absent(there, b.uri("a"))
    if limit <= TESTABLE_BYTES_MAX:
        b.expect(CapacityExceeded, lambda: here.write(b.uri("c"), content("x", over)))
        require_absent(there, b.uri("c"))
    b.require_clean("nothing that is over the limit was made")


@check(RULE)
def multiples_of_the_granularity(b: Bench) -> None:
    """size_granularity_bytes: every multiple of it works, created and written, and none is rounded."""
    grain = b.facts.capabilities.size_granularity_bytes
    here, there = both(b)
    for number in (1, 3, 511, 1023) if grain == 1 else (1, 3, 5):
        size = number * grain
        if size > _largest(b.facts):
            continue
        here.create(b.uri(f"created{number}"), size)
        data = stored(b, b.uri(f"written{number}"), size)
        described = there.describe(b.uri(f"created{number}")).size_bytes
        require(described == size, f"an object of {size} bytes was rounded to {described}")
        require_bytes(there, b.uri(f"written{number}"), data)


@check(RULE)
def size_granularity_bytes(b: Bench) -> None:
    """size_granularity_bytes: other sizes are InvalidRequest at create and at commit, never rounded."""
    grain = b.facts.capabilities.size_granularity_bytes
    if grain == 1:
        raise NotApplicable("every size is declared to work")
    here, there = both(b)
    for size in (1, grain - 1, grain + 1):
        b.expect(InvalidRequest, lambda size=size: here.create(b.uri("a"), size))  # type: ignore[misc]
        b.expect(InvalidRequest, lambda size=size: here.write(b.uri("b"), content("x", size)))  # type: ignore[misc]
        require_absent(there, b.uri("a"))
        require_absent(there, b.uri("b"))
    b.require_clean("no size was taken")


def _takes(client: Client, uri: DataObjectUri, size: int) -> bool:
    try:
        client.write(uri, content("x", size))
    except InvalidRequest:
        return False
    client.delete(uri)
    return True


def _longest(b: Bench, where: str) -> tuple[str, str]:
    """The longest segment that is declared to work, and the character it is made of."""
    limit = b.facts.capabilities.max_name_bytes
    if where != "non-ascii":
        return PLAIN * min(limit or SEGMENT_CHARACTERS_MAX, SEGMENT_CHARACTERS_MAX), PLAIN
    if not _takes(b.client(HOST), b.uri(NARROW), b.facts.fit(40)):
        raise NotApplicable("the driver refuses names beyond the plain characters, whatever their length")
    wide = limit is None or limit // len(NARROW.encode()) > SEGMENT_CHARACTERS_MAX
    letter = WIDE if wide and _takes(b.client(HOST), b.uri(WIDE), b.facts.fit(40)) else NARROW
    size = len(letter.encode())
    return letter * min((limit or size * SEGMENT_CHARACTERS_MAX) // size, SEGMENT_CHARACTERS_MAX), letter


def _named(b: Bench, where: str, segment: str) -> DataObjectUri:
    ours = b.uri("a").account
    return DataObjectUri(b.facts.kind, ours if where == "object" else segment, ours if where == "account" else segment)


@check(RULE, core=lambda f: WHERE)
def max_name_bytes(b: Bench, where: str) -> None:
    """max_name_bytes: a name of the limit works; without one, every name that the contract allows."""
    segment, _ = _longest(b, where)
    uri = b.own(_named(b, where, segment))
    here, there = b.client(HOST), b.client(SSVM)
    data = content("x", b.facts.fit(40))
    here.write(uri, data)
    require_bytes(there, uri, data)
    there.delete(uri)
    require_absent(here, uri)


@check(RULE, core=lambda f: WHERE)
def longer_names(b: Bench, where: str) -> None:
    """max_name_bytes: a name one character longer than the limit is InvalidRequest in every operation."""
    if b.facts.capabilities.max_name_bytes is None:
        raise NotApplicable("no limit is declared")
    segment, letter = _longest(b, where)
    if len(segment) + 1 > SEGMENT_CHARACTERS_MAX:
        raise NotApplicable("no name that the contract allows is longer than the limit")
    here, over = b.client(HOST), _named(b, where, segment + letter)
    for call in (
        lambda: here.create(over, 0),
        lambda: here.write(over, b""),
        lambda: here.describe(over),
        lambda: here.open_input(over),
        lambda: here.delete(over),
    ):
        b.expect(InvalidRequest, call)
    b.require_clean("no longer name was taken")

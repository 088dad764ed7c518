"""C-LIST: each published object once, however many there are."""

from __future__ import annotations

from collections import Counter

from storcert.conformance.bench import HOST, SSVM, Bench
from storcert.conformance.content import content
from storcert.conformance.fault_space import crash_points
from storcert.conformance.observe import both, seen, stored
from storcert.conformance.operations import healthy_requests, names, prepare, scenario
from storcert.conformance.registry import Level, check
from storcert.conformance.violation import NotApplicable, require
from storcert.harness.contract import DataObjectUri, InvalidRequest, ObjectKind

RULE = "C-LIST"
NEEDS = ("enumerate",)
PAGE = 5
NAME_LENGTH = 64
"""Characters that an account or object id may have with every driver, where they are letters, digits and ``. _ -``."""


def _require_listed(b: Bench, expected: set[DataObjectUri], found: list[DataObjectUri]) -> None:
    ours = found if b.facts.mode == "simulated" else [uri for uri in found if uri in expected]
    doubled = [uri for uri, count in sorted(Counter(ours).items()) if count > 1]
    require(not doubled, f"listed more than once: {', '.join(map(str, doubled[:3]))}")
    missing, strange = sorted(expected - set(ours)), sorted(set(ours) - expected)
    require(
        not missing, f"{len(missing)} of {len(expected)} objects are not listed: {', '.join(map(str, missing[:3]))}"
    )
    require(not strange, f"listed, but never published: {', '.join(map(str, strange[:3]))}")


@check(RULE, core=lambda f: [0, 1, 2, 7], needs=NEEDS)
def all_of_them(b: Bench, count: int) -> None:
    """Every published object is listed once, and nothing else."""
    here, there = both(b)
    uris = {b.uri(f"n{number}") for number in range(count)}
    for uri in sorted(uris):
        here.create(uri, 0)
    _require_listed(b, uris, there.list())


@check(RULE, core=lambda f: [PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 3 * PAGE + 1], needs=NEEDS, simulation=True)
def over_short_pages(b: Bench, count: int) -> None:
    """A device that answers with short pages changes nothing."""
    b.short_pages(PAGE)
    all_of_them(b, count)


@check(RULE, core=lambda f: ["one-instance", "two-locations"], needs=NEEDS, simulation=True)
def two_at_once(b: Bench, who: str) -> None:
    """Listings under way at the same time, of one instance and of two, each show everything."""
    b.short_pages(PAGE)
    here, there = both(b)
    uris = {b.uri(f"n{number}") for number in range(2 * PAGE + 1)}
    for uri in sorted(uris):
        here.create(uri, 0)
    listings = [client.later.list() for client in (here, here if who == "one-instance" else there, here)]
    b.join(*listings)
    for listing in listings:
        _require_listed(b, uris, listing.value_or_raise())


@check(
    RULE,
    profile=Level.STANDARD,
    standard=lambda f: [f.page_size - 1, f.page_size, f.page_size + 1, 2 * f.page_size + 1],
    needs=NEEDS,
    simulation=True,
)
def over_full_pages(b: Bench, count: int) -> None:
    """More objects than one page of the device holds are all listed."""
    here, there = both(b)
    uris = {b.uri(f"n{number}") for number in range(count)}
    ordered = sorted(uris)

    def fill() -> None:
        for uri in ordered:
            here.driver.create(uri, 0)

    here.do(f"create {count} objects", fill)
    _require_listed(b, uris, there.list())


@check(RULE, needs=NEEDS)
def kinds_and_accounts(b: Bench) -> None:
    """Objects that share ids under other kinds and accounts are all listed as themselves."""
    here, there = both(b)
    kinds = sorted(b.facts.capabilities.kinds)
    uris = {
        b.uri(name, account, ObjectKind(kind))
        for kind in kinds
        for account in ("1", "2", "12")
        for name in ("1", "2", "12")
    }
    for uri in sorted(uris):
        here.create(uri, 0)
    _require_listed(b, uris, there.list())


@check(RULE, core=lambda f: ["capitals", "mixed"], standard=lambda f: ["small-letters", "marks"], needs=NEEDS)
def longest_names(b: Bench, letters: str) -> None:
    """Objects with the longest names that every driver takes are listed as themselves."""
    here, there = both(b)
    text = {"capitals": "AZ", "mixed": "aZ9", "small-letters": "az", "marks": "a._-"}[letters] * NAME_LENGTH
    mark = len(b.uri("a", "1").account) - 1  # on a device that outlives the case, names of accounts begin with it
    uris = {b.uri(text[:length], text[: length - mark]) for length in (NAME_LENGTH // 2, NAME_LENGTH - 1, NAME_LENGTH)}
    for uri in sorted(uris):
        here.create(uri, 0)
    _require_listed(b, uris, there.list())


@check(RULE, core=lambda f: ["small"], standard=lambda f: ["parts"], needs=NEEDS)
def published_ones_only(b: Bench, how: str) -> None:
    """What is being written, was aborted or deleted is not listed."""
    here, there = both(b)
    size = b.facts.large_size if how == "parts" else b.facts.fit(4096)
    stored(b, b.uri("kept"), b.facts.fit(10))
    stored(b, b.uri("gone"), size)
    there.delete(b.uri("gone"))
    here.write(b.uri("aborted"), content("x", size), end="abort")
    writer = here.open_output(b.uri("pending"))
    writer.write(content("x", size))
    _require_listed(b, {b.uri("kept")}, there.list())
    writer.commit()
    _require_listed(b, {b.uri("kept"), b.uri("pending")}, there.list())


@check(
    RULE,
    core=lambda f: ["a+b", "a b", "100%", "a%20b", "é", "日本", "A", "x.tmp", ".hidden", "a\\b", "a:b"],
    needs=NEEDS,
)
def odd_names(b: Bench, name: str) -> None:
    """Odd names are listed exactly as they were given."""
    here, there = both(b)
    uris = {b.uri(name), b.uri("plain")}
    try:
        here.create(b.uri(name), 0)
    except InvalidRequest:
        uris.discard(b.uri(name))
    here.create(b.uri("plain"), 0)
    _require_listed(b, uris, there.list())


@check(RULE, needs=NEEDS, simulation=True)
def deleted_while_listing(b: Bench) -> None:
    """Objects that go while the list is read do not spoil it: those that stay are listed once."""
    b.short_pages(PAGE)
    here, there = both(b)
    uris = [b.uri(f"n{number:02}") for number in range(4 * PAGE)]
    for uri in uris:
        here.create(uri, 0)
    going = set(uris[PAGE // 2 :: 3])

    def read_and_delete() -> list[DataObjectUri]:
        found = []
        for number, uri in enumerate(here.driver.list_objects()):
            found.append(uri)
            if number == 1:
                for gone in sorted(going):
                    there.driver.delete(gone)
        return found

    found = here.do("list, deleting others after the second name", read_and_delete)
    staying = set(uris) - going
    missing = sorted(staying - set(found))
    require(not missing, f"not listed although never deleted: {', '.join(map(str, missing[:3]))}")
    require(len(found) == len(set(found)), "an object is listed twice")
    require(set(found) <= set(uris), "something is listed that never was")


@check(
    RULE,
    profile=Level.STANDARD,
    standard=lambda f: names(f, ("write-parts", "copy-parts")),
    needs=NEEDS,
    simulation=True,
)
def what_the_dead_left(b: Bench, name: str) -> None:
    """The location dies at any request of a write or a copy: a name is listed exactly if its object can be read."""
    one = scenario(b.facts, name)
    requests = healthy_requests(b, one)
    if not requests:
        raise NotApplicable(f"{name} makes no request")
    for fault in b.examples(list(crash_points(requests, HOST))):
        prepare(b, one)
        b.arm(fault)
        b.attempt(lambda: one.call(b, b.client(HOST).later))
        b.heal()
        there = b.client(SSVM)
        _require_listed(b, {uri for uri in map(b.uri, one.names) if seen(there, uri) is not None}, there.list())

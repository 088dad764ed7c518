"""C-NAMES: names are opaque, never merged, and treated alike by every operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from storcert.conformance.bench import Bench
from storcert.conformance.client import Client
from storcert.conformance.content import content
from storcert.conformance.observe import both, clear, require_absent, require_bytes
from storcert.conformance.registry import check
from storcert.conformance.violation import require
from storcert.harness.contract import DataObjectUri, InvalidRequest, ObjectKind, StorageError

RULE = "C-NAMES"
PLAIN_MAX = 64
PLAIN = (
    "a",
    "0",
    "-",
    "_",
    "-a",
    ".a",
    "a.",
    "...",
    "a..b",
    "None",
    "null",
    "x" * 64,
    "A.b-C_d",
    "con",
    "tmp",
    "a.part",
    "a.tmp",
    "index",
    "_lock",
    ".meta",
)
ODD = (
    "a b",
    " a",
    "a ",
    "a+b",
    "a%20b",
    "100%",
    "%2F",
    "a/b",
    "/a",
    "a/",
    "a//b",
    "../a",
    "./a",
    "a\\b",
    "a:b",
    "a?b",
    "a#b",
    "a&b=c",
    "a*b",
    "{a}",
    "[a]",
    "a@b",
    "a~b",
    "a'b",
    'a"b',
    "a|b",
    "a<b>",
    "é",
    "e\u0301",
    "日本語",
    "😀",
    "a\nb",
    "a\tb",
    "\x7f",
    "\x01",
    "\u200b",
    "ß",
    "İ",
    "x" * 65,
    "x" * 200,
    "x" * 255,
    "é" * 255,
    "日" * 255,
    "😀" * 255,
)
TWINS = (
    ("a", "A"),
    ("\u00e9", "e\u0301"),
    ("a b", "a%20b"),
    ("a+b", "a b"),
    ("a%2Fb", "a/b"),
    ("a.", "a"),
    ("a ", "a"),
    ("ß", "ss"),
    ("ſ", "s"),
    ("İ", "i"),
    ("\u212b", "\u00c5"),
    ("ﬁ", "fi"),
    ("1", "01"),
    ("1", "１"),
    ("a\\b", "a/b"),
    ("a:b", "a/b"),
    ("x" * 64, "x" * 63),
    ("x" * 200 + "a", "x" * 200 + "b"),
    ("x" * 254 + "a", "x" * 254 + "b"),
    ("%41", "A"),
    ("%C3%A9", "é"),
    ("a~b", "a_b"),
    ("a", "a.tmp"),
    ("a", "a-"),
)


def _accepts(client: Client, uri: DataObjectUri, data: bytes) -> bool:
    try:
        client.write(uri, data)
    except InvalidRequest:
        return False
    return True


@check(RULE, core=lambda f: PLAIN)
def plain_names_are_taken(b: Bench, name: str) -> None:
    """Account and object ids of A-Z a-z 0-9 . _ - up to 64 characters are accepted, as account and as object id."""
    if name in (".", ".."):
        return
    here, there = both(b)
    limit = b.facts.capabilities.max_name_bytes
    require(limit is None or limit >= 64, f"max_name_bytes is {limit}; names of 64 characters must be accepted", RULE)
    for uri in (b.uri(name), b.uri("a", name), b.uri(name, name)):
        if len(uri.account) > PLAIN_MAX:
            continue  # the mark of a live run made more of it than every driver must accept
        data = content(str(uri), b.facts.fit(50))
        here.write(uri, data)
        require_bytes(there, uri, data)
        there.delete(uri)
        require_absent(here, uri)


def _every_operation(client: Client, uri: DataObjectUri, other: DataObjectUri) -> list[tuple[str, Callable[[], Any]]]:
    calls: list[tuple[str, Callable[[], Any]]] = [
        ("create", lambda: client.create(uri, 0)),
        ("delete", lambda: client.delete(uri)),
        ("describe", lambda: client.describe(uri)),
        ("open_input", lambda: client.open_input(uri)),
        ("open_output", lambda: client.open_output(uri)),
        ("write", lambda: client.write(uri, b"")),
    ]
    if client.bench.facts.capabilities.on_device_copy:
        calls += [("copy from", lambda: client.copy(uri, other)), ("copy to", lambda: client.copy(other, uri))]
    return calls + _optional_operations(client, uri, other)


def _optional_operations(
    client: Client, uri: DataObjectUri, other: DataObjectUri
) -> list[tuple[str, Callable[[], Any]]]:
    """What the optional abilities do with a volume of that name, and with a snapshot."""
    able = client.bench.facts.capabilities
    if uri.kind is not ObjectKind.VOLUME:
        return []
    odd, plain = (DataObjectUri(ObjectKind.SNAPSHOT, one.account, one.object_id) for one in (uri, other))
    calls: list[tuple[str, Callable[[], Any]]] = []
    if able.random_access:
        calls.append(("open_volume", lambda: client.open_volume(uri)))
    if able.snapshots:
        calls.append(("take_snapshot of", lambda: client.take_snapshot(uri, plain)))
        calls.append(("take_snapshot as", lambda: client.take_snapshot(other, odd)))
    if able.revert:
        calls.append(("revert to", lambda: client.revert(other, odd)))
    if able.clone:
        calls.append(("clone to", lambda: client.clone(plain, uri)))
    return calls


@check(RULE, core=lambda f: [f"{place}-{number}" for number in range(len(ODD)) for place in ("object", "account")])
def odd_names_alike(b: Bench, case: str) -> None:
    """Any other name works in every operation, or every operation refuses it with InvalidRequest before any side effect."""
    place, number = case.split("-")
    name = ODD[int(number)]
    here, there = both(b)
    uri = b.uri(name) if place == "object" else b.own(DataObjectUri(b.facts.kind, name, b.uri("a").account))
    other, data = b.uri("plain"), content("odd", b.facts.fit(50))
    here.write(other, data)
    before = b.census() if b.facts.mode == "simulated" else ()
    if _accepts(here, uri, data):
        require_bytes(there, uri, data)
        require_bytes(there, other, data)
        if b.facts.capabilities.on_device_copy:
            there.copy(uri, b.uri("copied"))
            require_bytes(here, b.uri("copied"), data)
            there.delete(b.uri("copied"))
        there.delete(uri)
        require_absent(here, uri)
        here.create(uri, b.facts.fit(3))
        require_bytes(there, uri, bytes(b.facts.fit(3)))
        here.delete(uri)
        return
    for verb, call in _every_operation(here, uri, other):
        try:
            call()
        except InvalidRequest:
            continue
        except StorageError as error:
            require(False, f"writing {uri} is InvalidRequest and {verb} says {type(error).__name__}")
        require(False, f"writing {uri} is InvalidRequest and {verb} takes the name")
    if b.facts.mode == "simulated":
        b.require_same_census(before, "after a name was refused")


@check(RULE, core=lambda f: [f"{place}-{number}" for number in range(len(TWINS)) for place in ("object", "account")])
def twins_stay_apart(b: Bench, case: str) -> None:
    """Names that some systems take for one (case, normal forms, encodings, trimmed ends) are two objects, or refused."""
    place, number = case.split("-")
    here, there = both(b)
    mark = b.uri("a").account
    uris = [
        b.uri(name) if place == "object" else b.own(DataObjectUri(b.facts.kind, name, mark)) for name in TWINS[int(number)]
    ]
    stay_apart(b, here, there, uris)


def stay_apart(b: Bench, here: Client, there: Client, uris: list[DataObjectUri]) -> None:
    """Those names that are taken are an object each, are listed so, and go one by one."""
    datas = {uri: content(f"twin {number}", b.facts.fit(60)) for number, uri in enumerate(uris)}
    taken = [uri for uri in uris if _accepts(here, uri, datas[uri])]
    for uri in taken:
        require_bytes(there, uri, datas[uri])
    if b.facts.capabilities.enumerate and b.facts.mode == "simulated":
        listed = there.list()
        require(sorted(listed) == sorted(taken), f"listed are {', '.join(map(str, sorted(listed)))}")
    while taken:
        gone = taken.pop(0)
        there.delete(gone)
        require_absent(here, gone)
        for uri in taken:
            require_bytes(here, uri, datas[uri], f"after {gone} was deleted")


@check(
    RULE,
    core=lambda f: [str(number) for number in range(0, len(ODD), 4)],
    standard=lambda f: [str(number) for number in range(len(ODD))],
    needs=["snapshots"],
)
def snapshots_of_odd_names(b: Bench, number: str) -> None:
    """What writing takes as a name, take_snapshot and clone take too, for volumes and snapshots, each name an object."""
    here, there = both(b)
    volume, data = b.uri(ODD[int(number)]), content("odd", b.facts.fit(700))
    if not _accepts(here, volume, data):
        return
    snapshot, plain = b.uri(ODD[int(number)], kind=ObjectKind.SNAPSHOT), b.uri("plain", kind=ObjectKind.SNAPSHOT)
    there.take_snapshot(volume, snapshot)
    here.take_snapshot(volume, plain)
    held = {volume: data, snapshot: data, plain: data}
    if b.facts.capabilities.clone:
        cloned = b.uri(ODD[int(number)], b.uri("a").account + "2")
        there.clone(snapshot, b.own(cloned))
        held[cloned] = data
    for uri, due in held.items():
        require_bytes(here, uri, due)
    if b.facts.capabilities.enumerate and b.facts.mode == "simulated":
        require(sorted(there.list()) == sorted(held), "a volume, its snapshots and its clone are not listed as such")
    here.delete(plain)
    del held[plain]
    for uri, due in held.items():
        require_bytes(there, uri, due, f"after {plain} was deleted")
    clear(here, held)
    require_absent(there, snapshot)


SNAPSHOT_TWINS = (("s", "S"), ("s-1", "s_1"), ("s", "s0"), ("s", "s@1"), ("é", "e\u0301"), ("x" * 64, "x" * 63))


@check(RULE, core=lambda f: [str(number) for number in range(len(SNAPSHOT_TWINS))], needs=["snapshots", "random_access"])
def snapshot_twins(b: Bench, number: str) -> None:
    """Snapshots of one volume whose names are much alike, and of one name in two accounts, are several objects."""
    here, there = both(b)
    volume, size = b.uri(), b.facts.fit(700)
    here.write(volume, content("volume", size))
    held: dict[DataObjectUri, bytes] = {}
    names = [(name, account) for name in SNAPSHOT_TWINS[int(number)] for account in ("1", "2")]
    for turn, (name, account) in enumerate(names):
        here.overwrite(volume, (turn, b"!"))
        snapshot = b.uri(name, account, ObjectKind.SNAPSHOT)
        try:
            here.take_snapshot(volume, snapshot)
        except InvalidRequest:
            continue
        held[snapshot] = here.read(volume)
    while held:
        for uri, data in held.items():
            require_bytes(there, uri, data, "among snapshots of similar names")
        gone = min(held)
        here.delete(gone)
        del held[gone]
        require_absent(there, gone)


SEPARATORS = ("-", "_", ".", "--", "__", "..", "-.-")


@check(RULE, core=lambda f: SEPARATORS)
def account_and_id_do_not_flow_together(b: Bench, separator: str) -> None:
    """Account "1<sep>2" with id "3" and account "1" with id "2<sep>3" are two objects."""
    here, there = both(b)
    pairs = [(f"1{separator}2", "3"), ("1", f"2{separator}3"), ("1", "2"), (f"1{separator}2{separator}3", "4")]
    stay_apart(b, here, there, [b.uri(object_id, account) for account, object_id in pairs])


@check(RULE, core=lambda f: ["ascending", "descending"])
def prefixes_are_other_objects(b: Bench, order: str) -> None:
    """Names of which one begins like the other are found, read and deleted apart, whatever was made first."""
    here, there = both(b)
    uris = [b.uri(name) for name in ("2", "20", "200", "2-x", "2.x", "2_")]
    stay_apart(b, here, there, uris if order == "ascending" else uris[::-1])

"""C-CAPS: what is declared works up to its limits; what is not declared raises Unsupported before any side effect.

Each case here is one capability; what it finds also goes into the run record as the capability's audit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from storcert.conformance.bench import HOST, Bench
from storcert.conformance.client import Client
from storcert.conformance.content import content
from storcert.conformance.observe import both, require_absent, require_bytes, stored
from storcert.conformance.registry import check
from storcert.conformance.violation import Violation, require
from storcert.harness.contract import (
    Capabilities,
    ObjectKind,
    ObjectNotFound,
    StorageError,
    Unsupported,
)

RULE = "C-CAPS"


@check(RULE)
def declaration_is_stable(b: Bench) -> None:
    """capabilities() gives a Capabilities, always the same, at every location, and asks the device nothing."""
    here, there = both(b)
    before = len(b.world.device.requests) if b.facts.mode == "simulated" else 0

    def ask(client: Any) -> Capabilities:
        found: Capabilities = client.do("capabilities", lambda: client.driver.capabilities())
        require(isinstance(found, Capabilities), f"capabilities() gave {type(found).__name__}")
        return found

    first = ask(here)
    if b.facts.mode == "simulated":
        require(len(b.world.device.requests) == before, "capabilities() made requests to the device")
    stored(b, b.uri(), b.facts.fit(100))
    for client in (here, there, b.new_client()):
        require(ask(client) == first, "capabilities() changed")


@check(RULE, core=lambda f: sorted(ObjectKind))
def kinds(b: Bench, kind: ObjectKind) -> None:
    """A declared kind is held; every operation on another kind raises Unsupported without a side effect."""
    here, there = both(b)
    uri = b.uri(kind=ObjectKind(kind))
    if kind in b.facts.capabilities.kinds:
        data = content("x", b.facts.fit(100))
        here.write(uri, data)
        require_bytes(there, uri, data)
        there.delete(uri)
        return
    held = b.uri("held")
    stored(b, held, b.facts.fit(100))
    calls = [
        lambda: here.create(uri, 0),
        lambda: here.delete(uri),
        lambda: here.describe(uri),
        lambda: here.open_input(uri),
        lambda: here.write(uri, b""),
    ]
    if b.facts.capabilities.on_device_copy:
        calls += [lambda: here.copy(held, uri), lambda: here.copy(uri, b.uri("copied"))]
    if b.facts.capabilities.snapshots and kind == ObjectKind.SNAPSHOT:
        calls.append(lambda: here.take_snapshot(held, uri))
    for call in calls:
        _refused_without_trace(b, f"kind {kind}", call)


def _refused_without_trace(b: Bench, what: str, call: Callable[[], Any]) -> None:
    before = b.census() if b.facts.mode == "simulated" else ()
    try:
        call()
    except Unsupported:
        if b.facts.mode == "simulated":
            b.require_same_census(before, f"{what} is not declared")
        return
    except StorageError as error:
        raise Violation(f"{what} is not declared: Unsupported was due, {b.last_step}") from error
    raise Violation(f"{what} is not declared and works: {b.last_step}")


def _absent(client: Client, method: str) -> bool:
    """Whether the driver simply lacks a method, which is as good as refusing it (contract, section 9)."""
    return not callable(getattr(client.driver, method, None))


@check(RULE)
def on_device_copy(b: Bench) -> None:
    """on_device_copy: declared, copy works and no object bytes pass through the location; else it raises Unsupported."""
    here, there = both(b)
    source, destination = b.uri("a"), b.uri("b")
    data = stored(b, source, b.facts.fit(200_000))
    if not b.facts.capabilities.on_device_copy:
        if _absent(here, "copy"):
            return
        _refused_without_trace(b, "on_device_copy", lambda: here.copy(source, destination))
        require_absent(there, destination)
        return
    before = len(b.world.device.requests) if b.facts.mode == "simulated" else 0
    here.copy(source, destination)
    if b.facts.mode == "simulated":
        moved = sum(one.sent_bytes + one.received_bytes for one in b.world.device.requests[before:])
        require(moved < len(data) // 2, f"{moved} bytes passed through the location for a copy of {len(data)} on the device")
    require_bytes(there, destination, data)


@check(RULE)
def range_read(b: Bench) -> None:
    """range_read: declared, ranges work; else an offset or a length raises Unsupported at the call."""
    here, there = both(b)
    uri = b.uri()
    data = stored(b, uri, b.facts.fit(5000))
    if b.facts.capabilities.range_read:
        for offset, length in ((100, 200), (100, None), (0, 200), (len(data) - 1, 1)):
            end = None if length is None else offset + length
            require(there.read(uri, offset, length) == data[offset:end], "a range gives other bytes")
        return
    for offset, length in ((1, None), (0, 10), (5, 5)):
        _refused_without_trace(b, "range_read", lambda o=offset, n=length: here.open_input(uri, o, n))  # type: ignore[misc]


@check(RULE)
def enumerate_objects(b: Bench) -> None:
    """enumerate: declared, list_objects works; else it raises Unsupported at the call, not at the first next."""
    here, there = both(b)
    uri = b.uri()
    stored(b, uri, b.facts.fit(10))
    if b.facts.capabilities.enumerate:
        require(uri in there.list(), "list_objects does not list what is there")
        return
    if _absent(here, "list_objects"):
        return
    _refused_without_trace(b, "enumerate", lambda: here.do("list_objects()", lambda: here.driver.list_objects()))


OPTIONAL: dict[str, tuple[str, Callable[[Bench], tuple[Any, ...]]]] = {
    "random_access": ("open_volume", lambda b: (b.uri("a"),)),
    "snapshots": ("take_snapshot", lambda b: (b.uri("a"), b.uri("s", kind=ObjectKind.SNAPSHOT))),
    "revert": ("revert", lambda b: (b.uri("a"), b.uri("s", kind=ObjectKind.SNAPSHOT))),
    "clone": ("clone", lambda b: (b.uri("s", kind=ObjectKind.SNAPSHOT), b.uri("c"))),
}


@check(RULE, core=lambda f: sorted(OPTIONAL))
def optional_methods(b: Bench, capability: str) -> None:
    """An optional ability that is declared works, and moves no object's bytes where it makes one; else it is Unsupported."""
    method, arguments = OPTIONAL[capability]
    here, there = both(b)
    data = stored(b, b.uri("a"), b.facts.fit(200_000))
    offered = getattr(here.driver, method, None)
    if not getattr(b.facts.capabilities, capability):
        if offered is not None:
            _snapshot_where_declared(b, here)
            _refused_without_trace(b, capability, lambda: here.do(f"{method}(...)", lambda: offered(*arguments(b))))
        return
    if not callable(offered):
        raise Violation(f"{capability} is declared and the driver has no {method}")
    for kind in (ObjectKind.VOLUME, ObjectKind.SNAPSHOT) if capability != "random_access" else (ObjectKind.VOLUME,):
        require(kind in b.facts.capabilities.kinds, f"{capability} is declared, and the kind {kind} is not")
    if capability in ("revert", "clone"):
        require(b.facts.capabilities.snapshots, f"{capability} is declared, and snapshots are not")
        here.take_snapshot(b.uri("a"), b.uri("s", kind=ObjectKind.SNAPSHOT))
    before = len(b.world.device.requests)
    if capability == "random_access":
        here.overwrite(b.uri("a"), (10, b"random access"))
        require_bytes(there, b.uri("a"), data[:10] + b"random access" + data[23:], "after pwrite")
        return
    here.do(f"{method}(...)", lambda: offered(*arguments(b)))
    if b.facts.mode == "simulated":
        moved = sum(one.sent_bytes + one.received_bytes for one in b.world.device.requests[before:])
        allowed = moved < len(data) // 2 or capability == "revert"
        require(allowed, f"{moved} bytes passed through the location for a {method} of {len(data)} on the device")
    made = {"snapshots": b.uri("s", kind=ObjectKind.SNAPSHOT), "revert": b.uri("a"), "clone": b.uri("c")}[capability]
    require_bytes(there, made, data, f"after {method}")


def _snapshot_where_declared(b: Bench, client: Client) -> None:
    """So that an undeclared revert or clone has something to work on."""
    if b.facts.capabilities.snapshots:
        client.take_snapshot(b.uri("a"), b.uri("s", kind=ObjectKind.SNAPSHOT))


@check(RULE)
def digest(b: Bench) -> None:
    """digest: declared, describe gives that digest of the bytes; else it gives None."""
    here, there = both(b)
    uri = b.uri()
    data = stored(b, uri, b.facts.fit(5000))
    here.create(b.uri("zeros"), b.facts.fit(5000))
    contents = {uri: data, b.uri("zeros"): bytes(b.facts.fit(5000))}
    if b.facts.capabilities.on_device_copy:
        here.copy(uri, b.uri("copied"))
        contents[b.uri("copied")] = data
    algorithm = b.facts.capabilities.digest
    if algorithm is not None:
        require(algorithm in hashlib.algorithms_available, f"digest {algorithm!r} is no algorithm known here")
    for one, held in contents.items():
        found = there.describe(one).digest
        if algorithm is None:
            require(found is None, f"no digest is declared and describe gives {found}")
        else:
            due = f"{algorithm}:{hashlib.new(algorithm, held).hexdigest()}"
            require(found == due, f"digest {algorithm} is declared; for {one} describe gives {found}, not {due}")


@check(RULE)
def undeclared_copy_of_nothing(b: Bench) -> None:
    """Where copy is not declared it raises Unsupported also for a missing source; declared, ObjectNotFound."""
    client = b.client(HOST)
    if not b.facts.capabilities.on_device_copy and _absent(client, "copy"):
        return
    due = ObjectNotFound if b.facts.capabilities.on_device_copy else Unsupported
    b.expect(due, lambda: client.copy(b.uri("a"), b.uri("b")))

"""The operations that faults and crashes are tried on: how the device stands before, the call, how it must stand after.

:func:`judge` holds for every fault and every crash: the answer is true, the state is the one before or the one after,
repeating from another location converges, and deleting leaves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from storcert.conformance.bench import HOST, SSVM, Attempt, Bench
from storcert.conformance.client import Client
from storcert.conformance.content import content, first_difference
from storcert.conformance.facts import Facts
from storcert.conformance.observe import require_absent, require_bytes, seen
from storcert.conformance.violation import require
from storcert.harness.contract import DataObjectUri
from storcert.harness.record.history import Status
from storcert.simulators.device import CensusEntry

SOURCE, TARGET = "source", "target"


@dataclass(frozen=True, slots=True)
class Scenario:
    """``rule``: whose promise the operation is. ``before`` and ``after``: bytes per object name (absent: not there).
    ``call`` begins or makes the operation. ``refusal``: the typed error it must answer on a healthy device, or ``""``.
    ``again``: errors that are true when it is repeated after it was done."""

    name: str
    rule: str
    call: Callable[[Bench, Client], Any]
    before: Mapping[str, bytes]
    after: Mapping[str, bytes]
    refusal: str = ""
    again: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every object name the scenario touches."""
        return tuple(sorted({SOURCE, TARGET, *self.before, *self.after}))


SMALL = (
    "create-small",
    "write-small",
    "write-empty",
    "delete-small",
    "copy-small",
    "describe",
    "read",
    "list",
    "create-again",
    "write-taken",
    "delete-absent",
    "abort-small",
)
LARGE = ("create-parts", "write-parts", "delete-parts", "copy-parts", "abort-parts", "read-parts")


def names(facts: Facts, wanted: Iterable[str]) -> list[str]:
    """Those scenarios of ``wanted`` that the declared capabilities allow."""
    able = facts.capabilities
    return [
        name
        for name in wanted
        if (able.on_device_copy or not name.startswith("copy")) and (able.enumerate or name != "list")
    ]


def scenario(facts: Facts, name: str) -> Scenario:
    """The scenario of that name, with sizes that fit the device."""
    verb, _, amount = name.partition("-")
    size = facts.large_size if amount == "parts" else 0 if amount == "empty" else facts.fit(4097)
    data, zeros = content("scenario", size), bytes(size)
    if verb == "create":
        return Scenario(
            name,
            "C-CREATE",
            lambda b, c: c.create(b.uri(TARGET), size),
            {TARGET: zeros} if amount == "again" else {},
            {TARGET: zeros},
        )
    if verb == "write" and amount == "taken":
        old = {TARGET: content("old", size)}
        return Scenario(
            name, "C-ONCE", lambda b, c: c.write(b.uri(TARGET), data), old, old, "ObjectExists", ("ObjectExists",)
        )
    if verb == "write":
        return Scenario(
            name,
            "C-COMMIT",
            lambda b, c: c.write(b.uri(TARGET), data, (1 << 20,)),
            {},
            {TARGET: data},
            again=("ObjectExists",),
        )
    if verb == "abort":
        return Scenario(name, "C-ABORT", lambda b, c: c.write(b.uri(TARGET), data, end="abort"), {}, {})
    if verb == "delete":
        return Scenario(
            name, "C-DELETE", lambda b, c: c.delete(b.uri(TARGET)), {} if amount == "absent" else {TARGET: data}, {}
        )
    if verb == "copy":
        return Scenario(
            name,
            "C-COPY",
            lambda b, c: c.copy(b.uri(SOURCE), b.uri(TARGET)),
            {SOURCE: data},
            {SOURCE: data, TARGET: data},
            again=("ObjectExists",),
        )
    there = {TARGET: data}
    if verb == "read":
        return Scenario(name, "C-READ", lambda b, c: c.read(b.uri(TARGET)), there, there)
    if verb == "describe":
        return Scenario(name, "C-DESCRIBE", lambda b, c: c.describe(b.uri(TARGET)), there, there)
    if verb == "list":
        return Scenario(name, "C-LIST", lambda b, c: c.list(), there, there)
    raise ValueError(f"no scenario is called {name!r}")


def prepare(b: Bench, one: Scenario) -> None:
    """Bring the device into the state before; both clients are made, so that no request of theirs is counted later."""
    b.client(HOST)
    client = b.client(SSVM)
    for name, data in sorted(one.before.items()):
        client.create(b.uri(name), len(data)) if not any(data) else client.write(b.uri(name), data)


def healthy_requests(b: Bench, one: Scenario) -> list[str]:
    """The names of the requests the operation makes on a healthy device, in order."""
    b.fresh()
    prepare(b, one)
    before = len(b.world.device.requests)
    attempt = b.attempt(lambda: one.call(b, b.client(HOST).later))
    if attempt.error_name != one.refusal:
        require(False, f"on a healthy device {attempt.call.label} said {attempt}", one.rule)
    requests = [request.operation for request in b.world.device.requests[before:]]
    return requests


def judge(b: Bench, one: Scenario, attempt: Attempt, before: Sequence[CensusEntry]) -> None:
    """What came of the operation under a fault: true answer, no state in between, convergence, nothing left. ``before``:
    all that the device held before the call."""
    b.heal()
    observer = b.client(SSVM)
    state = {name: seen(observer, b.uri(name)) for name in one.names}
    was = {name: one.before.get(name) for name in one.names}
    will = {name: one.after.get(name) for name in one.names}
    for name in one.names:
        allowed = (was[name], will[name])
        require(
            state[name] in allowed,
            f"{attempt.call.label} said {attempt}; {_in_between(b.uri(name), state[name], will[name] or was[name])}",
            one.rule,
        )
    _require_true(b, one, attempt, state, was, will)
    if attempt.status is Status.FAILED and not one.name.startswith("abort") and _could_clean_up(b):
        _require_as_before(b, attempt, before)
    _require_value(b, one, attempt)
    _converge(b, one, state, was, will)


OUTAGES = ("server_restart", "power_loss", "slow")


def _could_clean_up(b: Bench) -> bool:
    """Whether the device was there for the driver to take back what it had sent. A device that stays away keeps it; then
    only the next delete or commit must clear it, and no driver is blamed for what it could not reach."""
    return all(fault.count == 1 and fault.kind not in OUTAGES for fault in b.world.device.fired)


def _require_as_before(b: Bench, attempt: Attempt, before: Sequence[CensusEntry]) -> None:
    """Not done means that nothing is left, also of what nobody can see."""
    now = set(b.census())
    for what, entries in (("left behind", now - set(before)), ("lost", set(before) - now)):
        changed = sorted(entry for entry in entries if (entry.kind, entry.name) not in b.facts.fixed_entries)
        said = f"{attempt.call.label} said {attempt}, and {what}"
        require(not changed, f"{said} {', '.join(f'{entry.kind} {entry.name}' for entry in changed[:3])}", "C-RETRY")


def _in_between(uri: DataObjectUri, found: bytes | None, due: bytes | None) -> str:
    if found is None:
        return f"{uri} is gone"
    return f"{uri}: {first_difference(found, due)}" if due is not None else f"{uri} is there"


State = Mapping[str, bytes | None]


def _require_true(b: Bench, one: Scenario, attempt: Attempt, state: State, was: State, will: State) -> None:
    label = attempt.call.label
    if one.name.startswith("abort"):
        return
    if attempt.status is Status.OK:
        require(not one.refusal, f"{label} succeeded; {one.refusal} was due", one.rule)
        require(state == will, f"{label} reported success and it is not done", one.rule)
    elif attempt.status is Status.FAILED and one.refusal != attempt.error_name:
        require(state == was, f"{label} said {attempt}, and it is done", "C-ERRORS")
        require(
            attempt.error_name
            not in ("ObjectNotFound", "ObjectExists", "SizeMismatch", "InvalidRequest", "Unsupported"),
            f"{label} said {attempt}, which is not true: {attempt.error.message if attempt.error else ''}",
            "C-ERRORS",
        )


def _require_value(b: Bench, one: Scenario, attempt: Attempt) -> None:
    if attempt.status is not Status.OK:
        return
    if one.name.startswith("read"):
        due = one.before[TARGET]
        require(attempt.value == due, f"read under a fault: {first_difference(attempt.value, due)}", "C-READ")
    elif one.name == "describe":
        require(
            attempt.value.size_bytes == len(one.before[TARGET]),
            "describe under a fault gave another size",
            "C-DESCRIBE",
        )
    elif one.name == "list":
        require(attempt.value == [b.uri(TARGET)], f"list under a fault gave {len(attempt.value)} names", "C-LIST")


def _converge(b: Bench, one: Scenario, state: State, was: State, will: State) -> None:
    second = b.client(SSVM)
    again = b.attempt(lambda: one.call(b, second.later))
    if one.refusal:
        true = again.error_name == one.refusal
    elif one.again and state == will:
        true = again.error_name in one.again
    else:
        true = again.error is None
    require(
        true,
        f"repeated from another location after it was {'done' if state == will else 'not done'}: {again}",
        "C-RETRY",
    )
    for name in one.names:
        due = will[name]
        if due is None:
            require_absent(second, b.uri(name), "after the repetition")
        else:
            require_bytes(second, b.uri(name), due, "after the repetition")
    for name in one.names:
        second.delete(b.uri(name))
    for name in one.names:
        require_absent(second, b.uri(name), "after delete")
    try:
        b.require_clean("after the fault, the repetition and the deletes")
    except AssertionError as left:
        require(False, str(left), "C-RETRY")

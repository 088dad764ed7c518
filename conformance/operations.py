"""The operations that faults and crashes are tried on: how the device stands before, the call, how it must stand after.

:func:`judge` holds for every fault and every crash: the answer is true, the state is the one before or the one after,
repeating from another location converges, and deleting leaves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from storcert.conformance import variants, volume_operations
from storcert.conformance.bench import HOST, SSVM, Attempt, Bench
from storcert.conformance.client import Client
from storcert.conformance.content import content, first_difference
from storcert.conformance.facts import Facts
from storcert.conformance.observe import clear, require_absent, require_bytes, seen
from storcert.conformance.scenario import SOURCE, TARGET, Scenario, mixes, place
from storcert.conformance.setting_scenarios import setting_scenario
from storcert.conformance.violation import require
from storcert.harness.contract import DataObjectUri
from storcert.harness.record.history import Status
from storcert.simulators.device import CensusEntry

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
    *volume_operations.SMALL,
)
MORE = tuple(variants.VARIANTS)
LARGE = ("create-parts", "write-parts", "delete-parts", "copy-parts", "abort-parts", "read-parts", *volume_operations.LARGE)


def names(facts: Facts, wanted: Iterable[str]) -> list[str]:
    """Those scenarios of ``wanted`` that the declared capabilities allow."""
    return [
        name
        for name in wanted
        if (variants.possible(facts, name) if name in variants.VARIANTS else _possible(facts, name))
    ]


def _possible(facts: Facts, name: str) -> bool:
    able = facts.capabilities
    return (
        (able.on_device_copy or not name.startswith("copy"))
        and (able.enumerate or name != "list")
        and volume_operations.possible(facts, name)
    )


def scenario(facts: Facts, name: str) -> Scenario:
    """The scenario of that name, with sizes that fit the device."""
    verb, _, amount = name.partition("-")
    special = variants.variant(facts, name) or volume_operations.volume_scenario(facts, name) or setting_scenario(facts, name)
    if special is not None:
        return special
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
        return Scenario(name, "C-ABORT", lambda b, c: c.write(b.uri(TARGET), data, end="abort"), {}, {}, discards=True)
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
        return Scenario(name, "C-READ", lambda b, c: c.read(b.uri(TARGET)), there, there, yields=data)
    if verb == "describe":
        return Scenario(name, "C-DESCRIBE", lambda b, c: c.describe(b.uri(TARGET)), there, there)
    if verb == "list":
        return Scenario(name, "C-LIST", lambda b, c: c.list(), there, there)
    raise ValueError(f"no scenario is called {name!r}")


def prepare(b: Bench, one: Scenario) -> None:
    """Bring the device into the state before; both clients are made, so that no request of theirs is counted later.

    Small operations may be the first on the device. The large ones meet one in use: what the driver keeps there for ever is
    there, and a fault strikes what it does every day rather than what it does once.
    """
    b.client(HOST)
    client = b.client(SSVM)
    if b.facts.fixed_entries and one.name.endswith("-parts") and not one.before and one.make is None:
        client.create(b.uri("first"), b.facts.fit(1))
        client.delete(b.uri("first"))
    if one.make is not None:
        one.make(b, client)
        return
    for name, data in sorted(one.before.items()):
        client.create(b.uri(name), len(data)) if not any(data) else client.write(b.uri(name), data)


def on_a_healthy_device(b: Bench, one: Scenario) -> tuple[Attempt, list[str]]:
    """The operation in a fresh world where nothing fails, whatever it answers; the names of the requests it makes, in order."""
    b.fresh(**b.options_for(one.page_size, one.setting))
    prepare(b, one)
    before = len(b.world.device.requests)
    attempt = b.attempt(lambda: one.call(b, b.client(HOST).later))
    return attempt, [request.operation for request in b.world.device.requests[before:]]


def healthy_requests(b: Bench, one: Scenario) -> list[str]:
    """The names of the requests the operation makes on a healthy device, in order."""
    attempt, requests = on_a_healthy_device(b, one)
    if attempt.error_name != one.refusal and attempt.error_name not in one.may_refuse:
        require(False, f"on a healthy device {attempt.call.label} said {attempt}", one.rule)
    return requests


REPETITION, DELETES = "the repetition from another location", "the deletes"


def judge(
    b: Bench,
    one: Scenario,
    attempt: Attempt,
    before: Sequence[CensusEntry],
    *,
    at: str = SSVM,
    without: frozenset[str] = frozenset(),
) -> None:
    """What came of the operation under a fault: true answer, no state in between, convergence, nothing left. ``before``:
    all that the device held before the call; ``at``: the location that looks and repeats; ``without``: :data:`REPETITION` or
    :data:`DELETES` left out, to see whether a failure needs them."""
    b.heal()
    observer = b.client(at)
    state = {name: seen(observer, place(b, name)) for name in one.names}
    was = {name: one.before.get(name) for name in one.names}
    will = {name: one.after.get(name) for name in one.names}
    for name in one.names:
        allowed = state[name] in (was[name], will[name])
        if not allowed and name in one.mixed and attempt.status is not Status.OK:
            allowed = mixes(state[name], was[name], will[name])
        require(
            allowed,
            f"{attempt.call.label} said {attempt}; {_in_between(place(b, name), state[name], will[name] or was[name])}",
            one.rule,
        )
    _require_true(b, one, attempt, state, was, will)
    settled = not one.partial and not one.discards
    if attempt.status is Status.FAILED and settled and _could_clean_up(b):
        _require_as_before(b, attempt, before, ends_stream=one.ends_stream)
    _require_value(b, one, attempt)
    if REPETITION not in without:
        _repeat(b, one, observer, state, was, will)
    if DELETES not in without:
        _delete_all(b, one, observer)


OUTAGES = ("server_restart", "power_loss", "slow")


def _could_clean_up(b: Bench) -> bool:
    """Whether the device was there for the driver to take back what it had sent. A device that stays away keeps it; then
    only the next delete or commit must clear it, and no driver is blamed for what it could not reach."""
    lasting = {kind.name for kind in b.world.device.legal_faults if kind.lasting}.union(OUTAGES)
    return all(fault.count == 1 and fault.kind not in lasting for fault in b.world.device.fired)


def _require_as_before(b: Bench, attempt: Attempt, before: Sequence[CensusEntry], *, ends_stream: bool = False) -> None:
    """Not done means that nothing is left, also of what nobody can see. What a stream had sent goes with it."""
    now = set(b.census())
    gone = set() if ends_stream else set(before) - now
    for what, entries in (("left behind", now - set(before)), ("lost", gone)):
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
    if one.discards:
        return
    if attempt.status is Status.OK:
        require(not one.refusal, f"{label} succeeded; {one.refusal} was due", one.rule)
        require(state == will, f"{label} reported success and it is not done", one.rule)
    elif attempt.status is Status.FAILED and attempt.error_name in one.may_refuse:
        require(state == was, f"{label} said {attempt}, and something changed", one.rule)
    elif attempt.status is Status.FAILED and one.refusal != attempt.error_name:
        require(one.partial or state == was, f"{label} said {attempt}, and it is done", "C-ERRORS")
        require(
            attempt.error_name
            not in ("ObjectNotFound", "ObjectExists", "SizeMismatch", "InvalidRequest", "Unsupported"),
            f"{label} said {attempt}, which is not true: {attempt.error.message if attempt.error else ''}",
            "C-ERRORS",
        )


def _require_value(b: Bench, one: Scenario, attempt: Attempt) -> None:
    if attempt.status is not Status.OK:
        return
    if one.yields is not None:
        require(attempt.value == one.yields, f"read under a fault: {first_difference(attempt.value, one.yields)}", "C-READ")
    elif one.name == "describe":
        require(
            attempt.value.size_bytes == len(one.before[TARGET]),
            "describe under a fault gave another size",
            "C-DESCRIBE",
        )
    elif one.name.startswith("list"):
        due = sorted(place(b, name) for name in one.before)
        require(sorted(attempt.value) == due, f"list under a fault gave {len(attempt.value)} names", "C-LIST")


def _require_state(b: Bench, client: Client, due: Mapping[DataObjectUri, bytes | None]) -> None:
    """After the repetition: each object as it must be, and nothing else is listed."""
    when = "after the repetition"
    for uri, data in due.items():
        if data is None:
            require(seen(client, uri) is None, f"{when}: {uri} is visible")
        else:
            require_bytes(client, uri, data, when)
    if b.facts.capabilities.enumerate and b.facts.mode == "simulated":
        listed, held = sorted(client.list()), sorted(uri for uri, data in due.items() if data is not None)
        shown = [", ".join(map(str, names)) or "nothing" for names in (listed, held)]
        require(listed == held, f"{when} the listing shows {shown[0]}, and there is {shown[1]}", "C-LIST")


def _repeat(b: Bench, one: Scenario, second: Client, state: State, was: State, will: State) -> None:
    again = b.attempt(lambda: one.call(b, second.later))
    refused = again.error_name in one.may_refuse
    if one.refusal:
        true = again.error_name == one.refusal
    elif one.again and state == will:
        true = again.error_name in one.again
    else:
        true = again.error is None or refused
    require(
        true,
        f"repeated from another location after it was {'done' if state == will else 'not done'}: {again}",
        "C-RETRY",
    )
    due = was if refused else will
    _require_state(b, second, {place(b, name): due[name] for name in one.names})


def _delete_all(b: Bench, one: Scenario, second: Client) -> None:
    clear(second, [place(b, name) for name in one.names])
    for name in one.names:
        require_absent(second, place(b, name), "after delete")
    try:
        b.require_clean("after the fault, the repetition and the deletes")
    except AssertionError as left:
        require(False, str(left), "C-RETRY")

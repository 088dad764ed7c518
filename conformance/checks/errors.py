"""C-ERRORS: every failure is a typed error, true about what happened."""

from __future__ import annotations

import pickle

from storcert.conformance.bench import HOST, SSVM, Bench
from storcert.conformance.checks.no_file_system import require_no_file_touched
from storcert.conformance.content import content
from storcert.conformance.facts import Facts
from storcert.conformance.observe import both, require_absent, require_bytes, stored
from storcert.conformance.operations import LARGE, SMALL, healthy_requests, names, prepare, scenario
from storcert.conformance.registry import check
from storcert.conformance.scenario import place
from storcert.conformance.violation import NotApplicable, Violation, require
from storcert.harness.contract import DeviceUnavailable, InvalidRequest, ObjectExists, ObjectNotFound, StorageError
from storcert.harness.kernel.interpose import remove_mount
from storcert.harness.record.fault import Fault, Phase

RULE = "C-ERRORS"
WRITES = ("create-small", "write-small", "copy-small")


@check(RULE)
def errors_travel(b: Bench) -> None:
    """The errors a driver raises survive pickling and JSON, since they cross locations."""
    here, _ = both(b)
    uri = b.uri()
    stored(b, uri, b.facts.fit(10))
    for expected, call in (
        (ObjectNotFound, lambda: here.describe(b.uri("missing"))),
        (ObjectNotFound, lambda: here.open_input(b.uri("missing"))),
        (ObjectExists, lambda: here.write(uri, b"")),
        (InvalidRequest, lambda: here.create(b.uri("x"), -1)),
    ):
        error = b.expect(expected, call)
        name = type(error).__name__
        try:
            back = pickle.loads(pickle.dumps(error))
            again = StorageError.from_json(error.to_json())
        except Exception as trouble:  # noqa: BLE001  (whatever a class that cannot be rebuilt raises)
            raise Violation(f"{name} does not travel: {type(trouble).__name__}: {trouble}") from error
        require(type(back) is type(error) and back.args == error.args, f"{name} does not survive pickling")
        require(again.outcome == error.outcome and again.retryable == error.retryable, "the error does not survive JSON")


CONTAINERS = ("bucket", "pool", "mount")


@check(RULE, core=lambda f: ["create", "write", *names(f, ["list"])], simulation=True, live=("census",))
def absent_container(b: Bench, operation: str) -> None:
    """Where the bucket, pool or mount is absent, the device is unavailable: nothing is made, and nothing looks empty."""
    default = b.world.configuration()
    container = next((key for key in CONTAINERS if key in default and key not in b.subject.configuration), None)
    if container is None:
        raise NotApplicable("the configuration names no bucket, pool or mount of the device's own")
    different = {container: "storcert-absent"}
    if container == "mount":
        b.need(a_live_device_keeps_its_mount=b.facts.mode == "simulated")
        # The path stays: an empty directory of the location's own, where looking is fine and writing is not.
        remove_mount(b.world.location(HOST), str(default["mount"]))
        different = {}
    try:
        client = b.new_client(**different)
    except DeviceUnavailable:
        return
    calls = {
        "create": lambda: client.later.create(b.uri(), b.facts.fit(10)),
        "write": lambda: client.later.write(b.uri(), content("x", b.facts.fit(10))),
        "list": lambda: client.later.list(),
    }
    attempt = b.attempt(calls[operation])
    require(
        attempt.error_name == "DeviceUnavailable",
        f"with an absent {container} {attempt.call.label} said {attempt}; DeviceUnavailable was due",
    )
    b.require_clean(f"with an absent {container}")
    require_no_file_touched(b)


def _lasting(facts: Facts, wanted: tuple[str, ...]) -> list[str]:
    kinds = ("throttle", "request_lost", "expired_credentials", "full", "internal_error")
    return [f"{name} {kind}" for name in names(facts, wanted) for kind in kinds if kind in facts.legal_faults]


EXPECTED = {
    "throttle": ("DeviceUnavailable",),
    "request_lost": ("DeviceUnavailable",),
    "internal_error": ("DeviceUnavailable",),
    "expired_credentials": ("PermissionDenied",),
    "full": ("CapacityExceeded",),
}


@check(
    RULE,
    core=lambda f: _lasting(f, ("create-small", "write-small", "delete-small", "read", "copy-small")),
    standard=lambda f: [] if f.real_time else _lasting(f, (*SMALL, *LARGE)),
    simulation=True,
    live=("faults",),
)
def lasting_trouble_has_its_class(b: Bench, case: str) -> None:
    """Trouble that lasts is told by the class that fits: unavailable, no permission, no capacity."""
    name, kind_name = case.split(" ")
    one = scenario(b.facts, name)
    requests = healthy_requests(b, one)
    kind = next(kind for kind in b.world.device.legal_faults if kind.name == kind_name)
    if "*" not in kind.operations and not any(request in kind.operations for request in requests):
        raise NotApplicable(f"{kind_name} cannot strike any request of {name}")
    b.fresh()
    prepare(b, one)
    b.arm(Fault(kind_name, "*", 1, Phase.BEFORE, 0))
    attempt = b.attempt(lambda: one.call(b, b.client(HOST).later))
    fired = bool(b.world.device.fired)
    allowed = EXPECTED[kind_name]
    if not fired:
        raise NotApplicable(f"{kind_name} did not strike {name}")
    if one.discards or attempt.error_name == one.refusal != "" or attempt.error_name in one.may_refuse:
        return
    if attempt.error is None:
        # Only where the operation needed nothing of what was refused: then it must really be done.
        b.heal()
        for object_name in one.names:
            due = one.after.get(object_name)
            if due is not None:
                require_bytes(b.client(SSVM), place(b, object_name), due, f"{kind_name} lasted and {name} reported success")
            else:
                require_absent(b.client(SSVM), place(b, object_name), f"{kind_name} lasted and {name} reported success")
        return
    told = f"under lasting {kind_name} {attempt.call.label} said {attempt}; due: {allowed[0]}"
    require(attempt.error_name in allowed, f"{told}; its message: {attempt.error.message}")


@check(RULE, core=lambda f: ["full"] if "full" in f.legal_faults else [], simulation=True, live=("faults",))
def delete_works_when_full(b: Bench, kind: str) -> None:
    """A full device still deletes, describes and reads; afterwards writing works again."""
    here, there = both(b)
    uri = b.uri()
    data = stored(b, uri, b.facts.fit(5000))
    b.arm(Fault(kind, "*", 1, Phase.BEFORE, 0))
    require_bytes(there, uri, data, "on a full device")
    here.delete(uri)
    require_absent(there, uri)
    b.heal()
    here.write(uri, data)
    require_bytes(there, uri, data)


@check(
    RULE,
    core=lambda f: [] if f.real_time else names(f, WRITES),
    standard=lambda f: [] if f.real_time else names(f, ("write-parts",)),
    simulation=True,
    live=("faults",),
)
def a_class_for_every_request(b: Bench, name: str) -> None:
    """Whichever single request of an operation fails for good, no foreign error comes out."""
    one = scenario(b.facts, name)
    requests = healthy_requests(b, one)
    kinds = [kind for kind in ("throttle", "expired_credentials", "internal_error") if kind in b.facts.legal_faults]
    places = [(kind, nth) for kind in kinds for nth in range(1, len(requests) + 1)]
    for kind, nth in b.examples(places):
        prepare(b, one)
        b.arm(Fault(kind, "*", nth, Phase.BEFORE, 0))
        b.attempt(lambda: one.call(b, b.client(HOST).later))

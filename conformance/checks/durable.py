"""C-DURABLE: what was reported done survives a crash of the location and a power loss of the device."""

from __future__ import annotations

from storcert.conformance import volume_operations
from storcert.conformance.bench import HOST, SSVM, Bench
from storcert.conformance.facts import Facts
from storcert.conformance.observe import require_absent, require_bytes
from storcert.conformance.operations import names, prepare, scenario
from storcert.conformance.registry import check
from storcert.conformance.scenario import place
from storcert.conformance.violation import NotApplicable, require
from storcert.harness.record.fault import Fault
from storcert.harness.record.history import Status

RULE = "C-DURABLE"
VOLUME_OPERATIONS = ("snapshot-small", "revert-small", "clone-small", "pwrite-small", "unsnapshot-small", "unclone-small")
OPERATIONS = ("create-small", "write-small", "write-empty", "delete-small", "copy-small", *VOLUME_OPERATIONS)
LARGE_OPERATIONS = ("create-parts", "write-parts", "delete-parts", "copy-parts", *volume_operations.LARGE)


def _cases(facts: Facts, wanted: tuple[str, ...]) -> list[str]:
    return [f"{name} {loss}" for name in names(facts, wanted) for loss in ("crash", "power_loss")]


@check(RULE, core=lambda f: _cases(f, OPERATIONS), standard=lambda f: _cases(f, LARGE_OPERATIONS), simulation=True)
def survives(b: Bench, case: str) -> None:
    """Right after the call returned, the location crashes or the device loses power: what was done is still done."""
    name, loss = case.split(" ")
    if loss == "power_loss" and loss not in b.facts.legal_faults:
        raise NotApplicable("this device has no power loss")
    one = scenario(b.facts, name)
    prepare(b, one)
    attempt = b.attempt(lambda: one.call(b, b.client(HOST).later))
    require(attempt.status is Status.OK, f"{attempt.call.label} on a healthy device said {attempt}")
    if loss == "crash":
        b.crash(HOST)
    else:
        b.arm(Fault("power_loss", value=10**9))
        b.attempt(lambda: b.client(SSVM).later.describe(b.uri("target")))
    b.heal()
    observer = b.client(SSVM)
    for object_name in one.names:
        due = one.after.get(object_name)
        when = f"after {loss.replace('_', ' ')}"
        if due is None:
            require_absent(observer, place(b, object_name), when)
        else:
            require_bytes(observer, place(b, object_name), due, when)

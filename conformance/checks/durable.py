"""C-DURABLE: what was reported done survives a crash of the location and a power loss of the device."""

from __future__ import annotations

from dataclasses import replace

from storcert.conformance import volume_operations
from storcert.conformance.bench import HOST, SSVM, Bench
from storcert.conformance.checks.snapshot import spread_blocks
from storcert.conformance.facts import Facts
from storcert.conformance.guest import BLOCK_BYTES, Guest
from storcert.conformance.moments import blocks_found
from storcert.conformance.observe import require_absent, require_bytes
from storcert.conformance.operations import names, prepare, scenario
from storcert.conformance.registry import check
from storcert.conformance.scenario import place
from storcert.conformance.violation import NotApplicable, require
from storcert.harness.record.fault import Fault, Phase
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


def _losses(facts: Facts, moments: str) -> list[str]:
    return [f"{loss} {moments}" for loss in ("crash", "power_loss") if loss == "crash" or loss in facts.legal_faults]


@check(
    RULE,
    core=lambda f: _losses(f, "some"),
    standard=lambda f: _losses(f, "every"),
    needs=["random_access"],
    simulation=True,
)
def guest_loses_nothing_flushed(b: Bench, case: str) -> None:
    """A guest writes and flushes, and at any request its location crashes or the power fails: what was flushed is there."""
    loss, moments = case.split(" ")
    size = b.facts.fit(16 * BLOCK_BYTES)
    healthy = _guest(b, size)
    before = len(b.world.device.requests)
    b.join(healthy.start())
    made = len(b.world.device.requests) - before
    places = range(1, made + 1, 7 if moments == "some" else 1)
    legal = b.facts.fault_phases.get(loss, ("before", "after"))
    phases = [phase for phase in (Phase.BEFORE, Phase.AFTER) if str(phase) in legal]
    for fault in b.examples([Fault(loss, "*", nth, phase, 1, 10**9) for nth in places for phase in phases]):
        guest = _guest(b, size)
        b.client(SSVM)
        b.arm(fault if loss == "power_loss" else replace(fault, location=HOST, value=0))
        b.join(guest.start())
        b.heal()
        found = blocks_found(b.client(SSVM).read(b.uri()), bytes(size), [guest], f"the volume after {fault}", RULE)
        for one in found:
            for number, write in enumerate(one.versions):
                lost = write is not None and write.flushed_ns is not None and one.surely < number
                require(not lost, f"after {fault}: {write.key if write else ''} to block {one.block} was flushed and is lost")


def _guest(b: Bench, size: int) -> Guest:
    """A guest of a new volume, both clients made."""
    b.client(SSVM).create(b.uri(), size)
    return Guest(b, b.client(HOST), b.uri(), "guest", spread_blocks(size, 5), writes=12, flush_every=2)

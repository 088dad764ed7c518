"""C-ERRORS and C-DELETE where somebody else is faster than the answer: what others have seen was done, and once.

The answer of a request is lost. While the driver waits for it or asks again, another location sees what was done and does
something of its own about it. One call has one effect: who then says ``not_done`` is wrong, and who asks again blindly brings
back what was deleted, or deletes what was made anew. Newer than contract version 1, and not scored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from storcert.conformance.bench import HOST, SSVM, Attempt, Bench
from storcert.conformance.client import Client
from storcert.conformance.content import content
from storcert.conformance.facts import Facts
from storcert.conformance.fault_space import SECOND_NS, single_faults
from storcert.conformance.observe import clear, require_bytes, seen
from storcert.conformance.operations import healthy_requests, names, prepare, scenario
from storcert.conformance.registry import check
from storcert.conformance.scenario import SNAPSHOT, SOURCE, Scenario, place
from storcert.conformance.violation import NotApplicable, require
from storcert.harness.contract import DataObjectUri, DeviceUnavailable, ObjectInUse, ObjectNotFound, Outcome
from storcert.harness.record.fault import Fault, Phase
from storcert.simulators.device import FaultKind

RULE, DELETE = "C-ERRORS", "C-DELETE"
RESTARTED = "restarted"
MAKES = ("create-small", "write-small", "write-parts", "copy-small", "snapshot-small", "clone-small")
DEEP = ("create-parts", "copy-parts")
DELETES, DEEP_DELETES = ("delete-small", "unsnapshot-small", "unclone-small"), ("delete-parts",)
RESTART_NS = 2 * SECOND_NS
#: Pauses between two looks: as short as the fastest request at first, later as long as a driver may wait for an answer.
PAUSES_MS = (0, 1, 1, 2, 2, 4, 4, 8, 8, 16, 16, 32, 32, 64, 64, 128, 128, *[250] * 12)


def _made(facts: Facts, wanted: Sequence[str], restarted: Sequence[str]) -> list[str]:
    """Each with its answers lost, and those with a server that restarts when it has done what it was asked."""
    return [] if facts.real_time else [*names(facts, wanted), *(f"{name} {RESTARTED}" for name in names(facts, restarted))]


@check(
    RULE,
    standard=lambda f: _made(f, MAKES, ("write-small",)),
    deep=lambda f: _made(f, DEEP, MAKES),
    simulation=True,
)
def seen_and_deleted_meanwhile(b: Bench, case: str) -> None:
    """An answer is lost, and meanwhile another location sees the object and deletes it: it was done, and is not done again."""
    name, _, what = case.partition(" ")
    one = scenario(b.facts, name)
    for fault in b.examples(_restarts(b, one) if what == RESTARTED else lost_answers(b, one)):
        prepare(b, one)
        b.arm(fault)
        making, other, uri = one.call(b, b.client(HOST).later), b.client(SSVM), place(b, one.made)
        deleted = _deleted_when_seen(b, making, other, uri)
        b.join(making)
        require(
            not deleted or making.error is None or making.error.outcome is not Outcome.NOT_DONE,
            f"{making.call.label} said {making}, but another location had seen the object and deleted it meanwhile",
        )
        b.heal()
        require(not deleted or seen(other, uri) is None, f"{uri} is back: deleted once it was seen, and made once more", DELETE)
        clear(other, [place(b, each) for each in one.names])
        b.require_clean("after a delete beside a lost answer, and the deletes")


@check(
    DELETE,
    standard=lambda f: [] if f.real_time else names(f, DELETES),
    deep=lambda f: [] if f.real_time else names(f, DEEP_DELETES),
    simulation=True,
)
def one_call_removes_one_object(b: Bench, name: str) -> None:
    """An answer is lost, and meanwhile another location sees the object gone and makes a new one: that one stays."""
    one = scenario(b.facts, name)
    for fault in b.examples(lost_answers(b, one)):
        prepare(b, one)
        b.arm(fault)
        deleting, other = one.call(b, b.client(HOST).later), b.client(SSVM)
        data = _made_when_gone(b, deleting, other, one)
        b.join(deleting)
        b.heal()
        if data is not None:
            require_bytes(other, place(b, one.gone), data, "made anew while its delete waited for an answer")
        clear(other, [place(b, each) for each in one.names])
        b.require_clean("after an object made anew beside a delete, and its own delete")


def lost_answers(b: Bench, one: Scenario, counts: Sequence[int] = (1, 0)) -> Iterator[Fault]:
    """The answer of each request of the operation lost, to the location that makes it; ``counts``: once, and from then on."""
    legal: dict[str, FaultKind] = {kind.name: kind for kind in b.world.device.legal_faults}
    if "answer_lost" not in legal:
        raise NotApplicable("no answer of this device can be lost")
    yield from single_faults(healthy_requests(b, one), legal["answer_lost"], counts=counts, largest=True, location=HOST)


def _restarts(b: Bench, one: Scenario) -> Iterator[Fault]:
    legal = {kind.name: kind for kind in b.world.device.legal_faults}
    if "server_restart" not in legal:
        raise NotApplicable("the server of this device does not restart")
    if Phase.AFTER not in legal["server_restart"].phases:
        raise NotApplicable("a server of this device that restarts did nothing that it was asked")
    for fault in single_faults(healthy_requests(b, one), legal["server_restart"], counts=(1,), location=HOST):
        if fault.phase is Phase.AFTER and fault.value <= RESTART_NS:
            yield fault


def looked_until(b: Bench, call: Attempt, other: Client, uri: DataObjectUri, *, there: bool) -> bool:
    """Whether the object was there, or gone, for the other one while the call was still going on."""
    for pause_ms in PAUSES_MS:
        b.world.advance(pause_ms * 1_000_000)
        if call.call.task.done:
            return False
        look = b.attempt(lambda: other.later.describe(uri))
        if (look.error is None) if there else isinstance(look.error, ObjectNotFound):
            return True
    return False


def _deleted_when_seen(b: Bench, making: Attempt, other: Client, uri: DataObjectUri) -> bool:
    """Whether the object was deleted by the other one before the call that makes it ended."""
    if not looked_until(b, making, other, uri, there=True):
        return False
    deleting = b.attempt(lambda: other.later.delete(uri))
    require(
        deleting.error is None or isinstance(deleting.error, ObjectInUse | DeviceUnavailable),
        f"{deleting.call.label}, of an object that was there, said {deleting}",
    )
    return deleting.error is None


def _made_when_gone(b: Bench, deleting: Attempt, other: Client, one: Scenario) -> bytes | None:
    """What a new object holds that the other one made before the delete ended, in the way the old one was made."""
    uri = place(b, one.gone)
    if not looked_until(b, deleting, other, uri, there=False):
        return None
    data = one.before[one.gone]
    if one.name.startswith("unsnapshot"):
        making = other.later.take_snapshot(place(b, SOURCE), uri)
    elif one.name.startswith("unclone"):
        making = other.later.clone(place(b, SNAPSHOT), uri)
    else:
        data = content("made anew", b.facts.fit(700))
        making = other.later.write(uri, data)
    return data if b.attempt(lambda: making).error is None else None

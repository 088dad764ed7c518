"""C-ERRORS and C-DELETE where somebody else is faster than the answer: what others have seen was done, and once.

The answer of a request is lost. While the driver waits for it or asks again, another location sees what was done and does
something of its own about it. One call has one effect: who then says ``not_done`` is wrong, and who asks again blindly brings
back what was deleted, or deletes what was made anew. Newer than contract version 1, and not scored.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from storcert.conformance.bench import HOST, SSVM, Attempt, Bench
from storcert.conformance.client import Client
from storcert.conformance.content import content
from storcert.conformance.fault_space import single_faults
from storcert.conformance.observe import clear, require_bytes, seen
from storcert.conformance.operations import healthy_requests, names, prepare, scenario
from storcert.conformance.registry import check
from storcert.conformance.scenario import TARGET, place
from storcert.conformance.violation import NotApplicable, require
from storcert.harness.contract import DataObjectUri, ObjectInUse, ObjectNotFound, Outcome
from storcert.harness.record.fault import Fault
from storcert.simulators.device import FaultKind

RULE, DELETE = "C-ERRORS", "C-DELETE"
MAKES = ("create-small", "write-small", "write-parts", "copy-small", "snapshot-small", "clone-small")
DEEP = ("create-parts", "copy-parts")
DELETES, DEEP_DELETES = ("delete-small",), ("delete-parts",)
#: Pauses between two looks: as short as the fastest request at first, later as long as a driver may wait for an answer.
PAUSES_MS = (0, 1, 1, 2, 2, 4, 4, 8, 8, 16, 16, 32, 32, 64, 64, 128, 128, *[250] * 12)


@check(
    RULE,
    standard=lambda f: [] if f.real_time else names(f, MAKES),
    deep=lambda f: [] if f.real_time else names(f, DEEP),
    simulation=True,
)
def seen_and_deleted_meanwhile(b: Bench, name: str) -> None:
    """An answer is lost, and meanwhile another location sees the object and deletes it: it was done, and is not done again."""
    one = scenario(b.facts, name)
    legal: dict[str, FaultKind] = {kind.name: kind for kind in b.world.device.legal_faults}
    if "answer_lost" not in legal:
        raise NotApplicable("no answer of this device can be lost")
    made = next(name for name in one.names if name not in one.before)
    for fault in b.examples(_lost_answers(healthy_requests(b, one), legal["answer_lost"])):
        prepare(b, one)
        b.arm(fault)
        making, other, uri = one.call(b, b.client(HOST).later), b.client(SSVM), place(b, made)
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
    legal: dict[str, FaultKind] = {kind.name: kind for kind in b.world.device.legal_faults}
    if "answer_lost" not in legal:
        raise NotApplicable("no answer of this device can be lost")
    data = content("made anew", b.facts.fit(700))
    for fault in b.examples(_lost_answers(healthy_requests(b, one), legal["answer_lost"])):
        prepare(b, one)
        b.arm(fault)
        deleting, other, uri = one.call(b, b.client(HOST).later), b.client(SSVM), b.uri(TARGET)
        made = _made_when_gone(b, deleting, other, uri, data)
        b.join(deleting)
        b.heal()
        if made:
            require_bytes(other, uri, data, "made anew while its delete waited for an answer")
        clear(other, [uri])
        b.require_clean("after an object made anew beside a delete, and its own delete")


def _lost_answers(requests: list[str], kind: FaultKind) -> Iterator[Fault]:
    for fault in single_faults(requests, kind, counts=(1, 0), largest=True):
        yield replace(fault, location=HOST)


def _looked_until(b: Bench, call: Attempt, other: Client, uri: DataObjectUri, *, there: bool) -> bool:
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
    if not _looked_until(b, making, other, uri, there=True):
        return False
    deleting = b.attempt(lambda: other.later.delete(uri))
    require(
        deleting.error is None or isinstance(deleting.error, ObjectInUse),
        f"{deleting.call.label}, of an object that was there, said {deleting}",
    )
    return deleting.error is None


def _made_when_gone(b: Bench, deleting: Attempt, other: Client, uri: DataObjectUri, data: bytes) -> bool:
    """Whether a new object was made by the other one before the delete ended."""
    if not _looked_until(b, deleting, other, uri, there=False):
        return False
    return b.attempt(lambda: other.later.write(uri, data)).error is None

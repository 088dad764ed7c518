"""What a call works on, changed by another location in the moment in which the call is struck: C-ERRORS, C-REVERT, C-READER.

The answer of a request is lost, or comes late. Just then another location deletes the source, writes another one of its name,
deletes what was made and makes it anew, or deletes the snapshot that a volume is being reverted to. The call may fail; what it
says must be true, and what anybody finds afterwards is the one or the other, whole. Newer than contract version 1, and not
scored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from storcert.conformance.bench import HOST, SSVM, Attempt, Bench
from storcert.conformance.checks.seen_meanwhile import MAKES, PAUSES_MS, looked_until, lost_answers
from storcert.conformance.client import Client
from storcert.conformance.content import content
from storcert.conformance.facts import Facts
from storcert.conformance.fault_space import SECOND_NS, single_faults
from storcert.conformance.observe import clear, seen
from storcert.conformance.operations import healthy_requests, names, prepare, scenario
from storcert.conformance.registry import check
from storcert.conformance.scenario import SNAPSHOT, SOURCE, Scenario, mixes, place
from storcert.conformance.violation import require
from storcert.harness.contract import DataObjectUri, DeviceUnavailable, ObjectInUse, ObjectNotFound, Outcome
from storcert.harness.record.fault import Fault, Phase

RULE, ONCE, REVERT, READER = "C-ERRORS", "C-ONCE", "C-REVERT", "C-READER"
#: What happens to the source of each.
SOURCES = ("copy-small gone", "copy-small anew", "clone-small gone", "clone-small anew", "snapshot-small gone")
WRITTEN = ("snapshot-small written",)
READ_FAULTS = ("answer_lost", "request_lost", "cut")


def _sources(facts: Facts) -> list[str]:
    cases = (*SOURCES, *(WRITTEN if facts.capabilities.random_access else ()))
    return [] if facts.real_time else [case for case in cases if names(facts, case.split(" ")[:1])]


@check(RULE, standard=_sources, simulation=True)
def source_changed_meanwhile(b: Bench, case: str) -> None:
    """An answer is lost, and just then the source goes or changes: what is made is of one source, and the answer is true."""
    name, what = case.split(" ")
    one = scenario(b.facts, name)
    source = SNAPSHOT if name.startswith("clone") else SOURCE
    first = one.before[source]
    for fault in b.examples(lost_answers(b, one, counts=(1,))):
        prepare(b, one)
        b.arm(fault)
        call, other = one.call(b, b.client(HOST).later), b.client(SSVM)
        second = _changed(b, other, place(b, source), what, first[::-1]) if _struck(b, call) else None
        b.join(call)
        b.heal()
        found = seen(other, place(b, one.made))
        # A write in several blocks may be half done at the one moment.
        sound = found in (first, second or first) or (what == "written" and mixes(found, first, second))
        if call.error is None:
            require(sound, f"{call.call.label} said ok, and {place(b, one.made)} is of no source it had", one.rule)
        else:
            require(
                found is None or call.error.outcome is not Outcome.NOT_DONE,
                f"{call.call.label} said {call}, and {place(b, one.made)} is there; its source was changed meanwhile",
            )
            require(found is None or sound, f"{place(b, one.made)} is of no source that there was", one.rule)
        clear(other, [place(b, each) for each in one.names])
        b.require_clean("after a source was changed beside a lost answer, and the deletes")


def _changed(b: Bench, other: Client, uri: DataObjectUri, what: str, data: bytes) -> bytes | None:
    """Delete the object, write it anew, or write into it; the bytes that it may have since then, if there are new ones."""
    if what == "written":
        b.attempt(lambda: other.later.overwrite(uri, (0, data)))
        return data
    if b.attempt(lambda: other.later.delete(uri)).error is not None or what == "gone":
        return None
    b.attempt(lambda: other.later.write(uri, data))
    return data


def _struck(b: Bench, call: Attempt) -> bool:
    """Run until the fault has struck; whether the call still goes on then."""
    for pause_ms in PAUSES_MS:
        if b.world.device.fired or call.call.task.done:
            break
        b.world.advance(pause_ms * 1_000_000)
    return not call.call.task.done


@check(RULE, standard=lambda f: [] if f.real_time else names(f, MAKES), simulation=True)
def made_anew_meanwhile(b: Bench, name: str) -> None:
    """An answer is lost, and meanwhile another location sees the object, deletes it and makes its own: that one stays."""
    one = scenario(b.facts, name)
    data = content("made anew", b.facts.fit(700))
    for fault in b.examples(lost_answers(b, one)):
        prepare(b, one)
        b.arm(fault)
        making, other, uri = one.call(b, b.client(HOST).later), b.client(SSVM), place(b, one.made)
        was_seen = looked_until(b, making, other, uri, there=True)
        anew = was_seen and _made_anew(b, other, uri, data)
        b.join(making)
        b.heal()
        require(
            not was_seen or making.error is None or making.error.outcome is not Outcome.NOT_DONE,
            f"{making.call.label} said {making}, but another location had seen the object, and made another one of its name",
        )
        if anew:
            require(seen(other, uri) == data, f"{uri} is not what another location made of that name meanwhile", ONCE)
        clear(other, [place(b, each) for each in one.names])
        b.require_clean("after an object was made anew beside a lost answer, and the deletes")


def _made_anew(b: Bench, other: Client, uri: DataObjectUri, data: bytes) -> bool:
    deleted = b.attempt(lambda: other.later.delete(uri)).error is None
    return deleted and b.attempt(lambda: other.later.write(uri, data)).error is None


def _late_or_lost(b: Bench, one: Scenario) -> Iterator[Fault]:
    """One request of the operation takes five seconds, or its answer is lost."""
    legal = {kind.name for kind in b.world.device.legal_faults}
    if "slow" in legal:
        for place_of in range(1, len(healthy_requests(b, one)) + 1):
            yield Fault("slow", "*", place_of, Phase.BEFORE, 1, 5 * SECOND_NS, HOST)
    yield from lost_answers(b, one, counts=(1,))


@check(
    REVERT,
    standard=lambda f: [] if f.real_time else names(f, ("revert-small",)),
    needs=["snapshots", "revert"],
    simulation=True,
)
def snapshot_deleted_meanwhile(b: Bench, name: str) -> None:
    """In the middle of a revert its snapshot is deleted: that is refused, or the volume has the old or the new bytes."""
    one = scenario(b.facts, name)
    was, will = one.before[SOURCE], one.after[SOURCE]
    for fault in b.examples(_late_or_lost(b, one)):
        prepare(b, one)
        b.arm(fault)
        call, other = one.call(b, b.client(HOST).later), b.client(SSVM)
        if _struck(b, call):
            _deleted_or_refused(b, other, place(b, SNAPSHOT))
        b.join(call)
        b.heal()
        found = seen(other, place(b, SOURCE))
        if call.error is None:
            require(found == will, f"{call.call.label} said ok, and the volume is not as its snapshot was")
        elif call.error.outcome is Outcome.NOT_DONE:
            require(found == was, f"{call.call.label} said {call}, and the volume has changed", RULE)
        else:
            require(mixes(found, was, will), f"{call.call.label} said {call}, and the volume has bytes it never had")
        clear(other, [place(b, each) for each in one.names])
        b.require_clean("after a snapshot was deleted beside a revert, and the deletes")


def _deleted_or_refused(b: Bench, other: Client, uri: DataObjectUri) -> None:
    deleting = b.attempt(lambda: other.later.delete(uri))
    require(
        deleting.error is None or isinstance(deleting.error, ObjectInUse | DeviceUnavailable),
        f"{deleting.call.label}, to which a volume is being reverted, said {deleting}",
    )


@check(READER, standard=lambda f: [] if f.real_time else ["small", "large"], simulation=True)
def replaced_when_struck(b: Bench, amount: str) -> None:
    """A reader's answer is lost or cut, and just then another object has the name: old bytes, new ones or an error, no mix."""
    size = b.facts.large_size if amount == "large" else b.facts.fit(9000)
    first, second = content("old", size), content("anew", size)
    uri, piece = b.uri(), size // 3 + 1

    def reading() -> Attempt:
        # Written elsewhere: where it is read, no cache has it from writing.
        b.client(SSVM).write(uri, first)
        attempt: Attempt = b.client(HOST).later.read(uri, sizes=(piece,))
        return attempt

    for fault in b.examples(_read_faults(b, reading)):
        call, other = reading(), b.client(SSVM)
        b.arm(fault)
        if _struck(b, call):
            _changed(b, other, uri, "anew", second)
        b.join(call)
        if call.error is None:
            require(call.value in (first, second), f"{call.call.label} gave neither the old object nor the new one")
        else:
            require(isinstance(call.error, ObjectNotFound | DeviceUnavailable), f"{call.call.label} said {call}")
        b.heal()
        clear(other, [uri])


def _read_faults(b: Bench, reading: Callable[[], Attempt]) -> Iterator[Fault]:
    b.fresh()
    call = reading()
    before = len(b.world.device.requests)
    b.join(call)
    requests = [request.operation for request in b.world.device.requests[before:]]
    for kind in b.world.device.legal_faults:
        if kind.name in READ_FAULTS:
            yield from single_faults(requests, kind, counts=(1,), largest=True, location=HOST)

"""How an object comes to be on a device, whatever it is and wherever its bytes come from. The one way in.

Space is reserved and the record made before anything is asked of the device; the record is ready only once the bytes were
looked at; a failure takes the bytes back before it takes the record back. Whoever comes second to the same place waits for
the first and finds the object ready (L-SINGLE).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from storcert.harness.contract import (
    CapacityExceeded,
    DataCorrupted,
    DataObjectUri,
    DeviceUnavailable,
    InvalidRequest,
    ObjectExists,
    ObjectInUse,
    ObjectNotFound,
    Outcome,
    Role,
    StorageError,
)
from storcert.harness.logical.engine import SECOND_NS
from storcert.harness.logical.placement import refuse_write
from storcert.harness.logical.records import DeviceRecord, DeviceState, JobState, ObjectRecord, PlacementRecord, Purpose
from storcert.harness.logical.removing import remove, take_back
from storcert.harness.logical.session import Session
from storcert.harness.logical.states import Event, State
from storcert.harness.logical.work import Lost, Work
from storcert.harness.record.command import Verb

TRIES = 5
PAUSES_NS = (SECOND_NS, 3 * SECOND_NS, 10 * SECOND_NS, 30 * SECOND_NS, 60 * SECOND_NS)
WAIT_NS = SECOND_NS


@dataclass(frozen=True, slots=True)
class Making:
    """``attempt``: given this and a location, has the agent there make it: ``size_bytes`` and perhaps ``digest`` and ``found``.
    ``through``: the devices that location must reach. ``size_bytes`` and ``digest``: what must come of it, where known.
    ``location``: where it is to be tried first, as planned. ``origin``: what it is made from, for the record. ``result``: what
    the job comes to, where this is the last thing it does. ``then``: what else is so from the moment on when it is ready, in
    the same transaction; where that raises the contract's error, nothing was made."""

    uri: DataObjectUri
    device: DeviceRecord
    purpose: Purpose
    size_bytes: int | None
    attempt: Callable[[Making, str], Mapping[str, Any]]
    through: tuple[DeviceRecord, ...]
    digest: str | None = None
    location: str = ""
    origin: str = ""
    result: Mapping[str, Any] | None = None
    then: Callable[[Session], None] | None = None

    @property
    def look(self) -> str:
        """The algorithm of the digest by which what was made is verified; empty where only its size is looked at."""
        if not self.device.policy.verify_digest:
            return ""
        return (self.digest or "").partition(":")[0] or "sha256"


def make(work: Work, prepare: Callable[[Session], Making]) -> None:
    """Bring the object there; returns once its record is ready. ``prepare`` says what is to be made, in the transaction in
    which that begins. Raises the contract's error; nothing is left then but what a device that is away keeps until
    reconciliation comes to it."""
    making, new = _begin(work, prepare)
    if not new:
        return
    try:
        found = _try(work, making)
        work.transact("ready", lambda session: _ready(session, work, making, found))
    except StorageError as error:
        work.transact("failed", lambda session: _move(session, making, Event.FAIL, work))
        take_back(work, making.device, str(making.uri))
        raise error


# -- the record


def _begin(work: Work, prepare: Callable[[Session], Making]) -> tuple[Making, bool]:
    """What is to be made, and whether there is something to do: the placement is ours and creating; or it is ready already."""
    prepared: list[Making] = []

    def begin(session: Session) -> bool | None:
        if not prepared:
            prepared.append(prepare(session))
        return _claim(session, work, prepared[0])

    answer = _begin_with_room(work, begin, prepared)
    making = prepared[0]
    while answer is None:
        # Somebody else is at work there, or something is left there that must go first.
        stale = work.transact("look for leftovers", lambda session: _abandoned(session, work, making))
        if stale:
            take_back(work, making.device, str(making.uri))
        else:
            work.pause(WAIT_NS)
        answer = _begin_with_room(work, begin, prepared)
    return making, answer


def _begin_with_room(work: Work, begin: Callable[[Session], bool | None], prepared: list[Making]) -> bool | None:
    """As ``begin``; where there is no room for a staged copy, others that nobody uses go for it, the longest unused first."""
    while True:
        try:
            return work.transact("begin", begin)
        except CapacityExceeded:
            if not prepared or prepared[0].purpose is not Purpose.STAGED or not _evict(work, prepared[0]):
                raise


def _evict(work: Work, making: Making) -> bool:
    """Whether a staged copy that nobody uses went from the staging device (L-STAGING); none does for what can never fit."""
    device = making.device
    if device.policy.role is not Role.STAGING or (making.size_bytes or 0) > device.capacity_bytes:
        return False
    for one in work.transact("make room", lambda session: session.unused_since(session.now_ns)):
        if one.device == device.name:
            with suppress(ObjectInUse):  # somebody came to use it, or the device itself still needs it
                remove(work, one.device, one.uri)
                return True
    return False


def _claim(session: Session, work: Work, making: Making) -> bool | None:
    uri, device = str(making.uri), making.device.name
    found = session.find_placement(uri, device)
    if found is None:
        _allocate(session, work, making)
        return True
    if found.state is State.READY:
        session.pin(uri, device, work.job.id)
        if making.purpose is Purpose.KEPT and found.purpose is Purpose.STAGED:
            session.keep(uri, device, Purpose.KEPT)
        session.used(uri, device, session.now_ns)
        return False
    if found.job == work.job.id and found.state in (State.ALLOCATED, State.CREATING):
        if found.state is State.ALLOCATED:
            session.move(found, Event.CREATE, work.job.id)
        return True
    return None


def _allocate(session: Session, work: Work, making: Making) -> None:
    """Reserve the space and begin. Raises ``CapacityExceeded``; policy was looked at, and is looked at again as it is now."""
    uri, now_ns = str(making.uri), session.now_ns
    device = session.find_device(making.device.name)
    if device is None:
        raise InvalidRequest(f"there is no device {making.device.name!r}", uri)
    if device.state is not DeviceState.UP and making.purpose is Purpose.KEPT:
        raise DeviceUnavailable(f"device {device.name!r} is in maintenance", uri, Outcome.NOT_DONE)
    refuse_write(device, making.uri, making.size_bytes)
    size_bytes = making.size_bytes or 0
    if size_bytes > device.free_bytes:
        raise CapacityExceeded(f"device {device.name!r} has {device.free_bytes} bytes free", uri)
    if session.find_object(uri) is None:
        session.add_object(ObjectRecord(uri, making.size_bytes, making.digest, making.origin, now_ns))
    session.allocate(uri, device.name, making.purpose, work.job.id, size_bytes, now_ns, create=True)
    if making.result is None:
        # The job goes on when it is ready. While it is being made its state keeps it from everybody else.
        session.pin(uri, device.name, work.job.id)


def _abandoned(session: Session, work: Work, making: Making) -> bool:
    """Whether what is in the way belongs to a job that has ended; or to this one, which was on its way to take it away when its
    server died."""
    found = session.find_placement(str(making.uri), making.device.name)
    if found is None or found.state is State.READY:
        return False
    owner = None if found.job is None else session.find_job(found.job)
    return owner is None or owner.id == work.job.id or owner.state is not JobState.RUNNING


def _there(session: Session, making: Making) -> PlacementRecord:
    found = session.find_placement(str(making.uri), making.device.name)
    assert found is not None, f"{making.uri} on {making.device.name} has no record in the middle of its making"
    return found


def _move(session: Session, making: Making, event: Event, work: Work) -> None:
    session.move(_there(session, making), event, work.job.id)


def _ready(session: Session, work: Work, making: Making, found: Mapping[str, Any]) -> None:
    placement = _there(session, making)
    size_bytes = int(found["size_bytes"])
    if placement.reserved_bytes != size_bytes:
        _refuse_growth(session, making, size_bytes - placement.reserved_bytes, size_bytes)
        placement = session.resize(placement, size_bytes)
    record = session.find_object(str(making.uri))
    assert record is not None
    digest = found.get("digest") or making.digest or record.digest
    if (record.size_bytes, record.digest) != (size_bytes, digest):
        session.learn(record, size_bytes, digest)
    session.move(placement, Event.SUCCEED, None)
    if making.then is not None:
        making.then(session)
    if making.result is not None:
        work.end(session, making.result)


def _refuse_growth(session: Session, making: Making, more_bytes: int, size_bytes: int) -> None:
    """What nobody knew the size of must still be within policy and space. Raises the contract's error."""
    device = session.find_device(making.device.name)
    assert device is not None
    refuse_write(device, making.uri, size_bytes)
    if more_bytes > device.free_bytes:
        raise CapacityExceeded(f"device {device.name!r} has {device.free_bytes} bytes free", making.uri)


# -- the bytes


def _try(work: Work, making: Making) -> Mapping[str, Any]:
    """Have it made, however often that takes: what was found of it on the device. Raises the contract's error."""
    ours = False  # whether bytes that are there now may be what this very run asked for
    error: StorageError | None = None
    turn, cleared = 0, False
    while turn < TRIES:
        location = making.location if turn == 0 and making.location not in work.engine.suspects() else ""
        location = location or work.location(*making.through)
        try:
            made = making.attempt(making, location)
        except Lost as silence:
            ours, error, made = True, silence.error(str(making.uri)), {}
        except ObjectExists as taken:
            error, made = taken, {}
            if not ours:
                # What an earlier run of this job left goes, and this is no turn: its name is free only now.
                _clear(work, making)
                turn, cleared = turn + cleared, True
                continue
        except StorageError as failure:
            error, made = failure, {}
            if failure.outcome is Outcome.UNKNOWN:
                ours = True
            elif not failure.retryable:
                raise
        else:
            ours, error = True, None
        found = _look(work, making, made) if ours else None
        if found is not None:
            return found
        if error is None:
            error = DeviceUnavailable("it was reported made, and is not there", making.uri, Outcome.NOT_DONE)
        work.pause(PAUSES_NS[min(turn, len(PAUSES_NS) - 1)])
        turn += 1
    assert error is not None
    raise error


def _look(work: Work, making: Making, made: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What is on the device now, verified; ``None`` where nothing is. Raises ``DataCorrupted`` for anything but what is due."""
    expected = making.digest or made.get("digest")
    verify = bool(making.device.policy.verify_digest and expected)
    algorithm = str(expected).partition(":")[0] if verify else ""
    # Whoever made it looked at it right away; where that did not go well, somebody looks now.
    found = made.get("found")
    if found is None or (verify and not str(found["digest"]).startswith(f"{algorithm}:")):
        arguments = {
            "device": making.device.travel, "device_name": making.device.name, "uri": str(making.uri), "digest": algorithm,
        }
        try:
            found = work.ask_somewhere((making.device,), Verb.DESCRIBE, arguments)
        except ObjectNotFound:
            return None
    work.engine.surroundings.note(
        "verified", uri=str(making.uri), device=making.device.name, size_bytes=found["size_bytes"], job=work.job.id
    )
    size_bytes = made.get("size_bytes") if making.size_bytes is None else making.size_bytes
    if size_bytes is not None and found["size_bytes"] != size_bytes:
        raise DataCorrupted(f"{found['size_bytes']} bytes are there, {size_bytes} were due", making.uri)
    if verify and found.get("digest") != expected:
        raise DataCorrupted("the digest of what is there is another one", making.uri)
    return {"size_bytes": found["size_bytes"], "digest": expected if expected else found.get("digest")}


def _clear(work: Work, making: Making) -> None:
    """Something lies under the name that no record speaks of: leftovers of an earlier try. They go (L-REPEAT)."""
    arguments = {"device": making.device.travel, "device_name": making.device.name, "uri": str(making.uri)}
    work.ask_somewhere((making.device,), Verb.DELETE, arguments)

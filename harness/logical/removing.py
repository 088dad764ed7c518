"""How an object goes from a device, whatever it is. The one way out.

The record says ``destroying`` before the device is asked, and goes only once the device has said that the object is gone. A
device that is away keeps both; reconciliation comes back to it. One job at a time does so: whoever comes second waits for the
first, since the name may be given to something new as soon as the record is gone.
"""

from __future__ import annotations

from collections.abc import Callable

from storcert.harness.contract import (
    DataObjectUri,
    DeviceUnavailable,
    InvalidRequest,
    ObjectInUse,
    ObjectKind,
    Outcome,
    StorageError,
)
from storcert.harness.logical.engine import SECOND_NS
from storcert.harness.logical.records import DeviceRecord, JobState, PlacementRecord, Purpose
from storcert.harness.logical.session import Session
from storcert.harness.logical.states import Event, State
from storcert.harness.logical.work import Lost, Work
from storcert.harness.record.command import Verb

TRIES = 4
WAIT_NS = SECOND_NS
PAUSES_NS = (SECOND_NS, 5 * SECOND_NS, 30 * SECOND_NS)


def remove(work: Work, name: str, uri: str, then: Callable[[Session], None] | None = None) -> None:
    """Delete the object from the device of that name, and its record with it. Nothing to do where there is no record.
    ``then``: what else is done in the transaction in which the record goes.

    Raises ``ObjectInUse`` where others need it (nothing is changed then), ``DeviceUnavailable`` where the device could not be
    reached (it will be deleted later).
    """

    def begin(session: Session) -> tuple[DeviceRecord, bool | None]:
        device = device_named(session, name)
        return device, _claim(session, work, device, uri)

    device, claimed = work.transact("begin removal", begin)
    while claimed is None:
        work.pause(WAIT_NS)
        device, claimed = work.transact("begin removal", begin)
    if not claimed:
        return
    try:
        _delete(work, device, uri)
    except ObjectInUse:
        work.transact("still needed", lambda session: _refused(session, device, uri))
        raise
    work.transact("gone", lambda session: _gone(session, device, uri, then))


def begin_removal(session: Session, work: Work, name: str, uri: str) -> None:
    """In a transaction of the caller's: the object is on its way out of the device of that name; :func:`remove` goes on.

    Raises ``ObjectInUse`` where others need it."""
    if _claim(session, work, device_named(session, name), uri) is None:
        raise ObjectInUse("another job takes it away", uri)


def take_back(work: Work, device: DeviceRecord, uri: str) -> None:
    """As :func:`remove`, for what nobody may need: leftovers of something that failed. What the device keeps for now is left
    to reconciliation, quietly: the failure that led here is the one to be told."""
    claimed = work.transact("take back", lambda session: _claim(session, work, device, uri, forced=True))
    if not claimed:
        return
    try:
        _delete(work, device, uri)
    except StorageError:
        return
    work.transact("taken back", lambda session: _gone(session, device, uri))


def device_named(session: Session, name: str) -> DeviceRecord:
    """The device of that name. Raises ``InvalidRequest``."""
    found = session.find_device(name)
    if found is None:
        raise InvalidRequest(f"there is no device {name!r}")
    return found


def blocked(session: Session, placement: PlacementRecord, job: int) -> str:
    """Why a placement may not be removed or changed by that job now; ``""`` where it may (L-DEPEND)."""
    others = [other for other in session.pinned_by(placement.uri, placement.device) if other != job]
    if others:
        return f"job {others[0]} needs it"
    grants = session.grants_of(placement.uri)
    if grants:
        return f"host {grants[0].host} uses it"
    links = session.links_to(placement.uri, placement.device)
    if links:
        return f"link {links[0].id} to it is out"
    if placement.state in (State.ALLOCATED, State.CREATING, State.CHANGING) and placement.job not in (None, job):
        owner = None if placement.job is None else session.find_job(placement.job)
        if owner is not None and owner.state is JobState.RUNNING:
            return f"job {owner.id} is at work on it"
    return ""


def _claim(session: Session, work: Work, device: DeviceRecord, uri: str, forced: bool = False) -> bool | None:
    """Whether there is something to delete, which is now ours; ``None`` where another job is deleting it."""
    found = session.find_placement(uri, device.name)
    if found is None:
        return False
    if found.state is State.DESTROYING:
        owner = None if found.job in (None, work.job.id) else session.find_job(found.job)
        if owner is not None and owner.state is JobState.RUNNING:
            return None
    elif not forced:  # nobody has come to need it since it began to go
        reason = blocked(session, found, work.job.id)
        if reason:
            raise ObjectInUse(reason, uri)
    if found.state in (State.CREATING, State.CHANGING):
        found = session.move(found, Event.FAIL, work.job.id)
    session.move(found, Event.DESTROY, work.job.id)
    return True


def _delete(work: Work, device: DeviceRecord, uri: str) -> None:
    arguments = {"device": device.travel, "device_name": device.name, "uri": uri}
    error: StorageError | None = None
    for turn in range(TRIES):
        try:
            work.ask(work.location(device), Verb.DELETE, arguments)
            return
        except Lost as silence:
            error = silence.error(uri)
        except StorageError as failure:
            if not failure.retryable:
                raise
            error = failure
        if turn + 1 < TRIES:
            work.pause(PAUSES_NS[min(turn, len(PAUSES_NS) - 1)])
    assert error is not None
    if isinstance(error, ObjectInUse):
        raise error
    raise DeviceUnavailable(f"it could not be deleted yet: {error.message}", DataObjectUri.parse(uri), Outcome.UNKNOWN)


def _refused(session: Session, device: DeviceRecord, uri: str) -> None:
    """The device keeps it: it is in use again. Not so a volume that is in use elsewhere by now: that goes later."""
    others = [one for one in session.placements(uri) if one.device != device.name and one.purpose is Purpose.KEPT]
    elsewhere = any(one.state is State.READY for one in others)
    if not elsewhere or DataObjectUri.parse(uri).kind is not ObjectKind.VOLUME:
        _move(session, device, uri, Event.REFUSE, None)


def _move(session: Session, device: DeviceRecord, uri: str, event: Event, job: int | None) -> None:
    found = session.find_placement(uri, device.name)
    assert found is not None, f"{uri} on {device.name} has no record in the middle of its removal"
    session.move(found, event, job)


def _gone(session: Session, device: DeviceRecord, uri: str, then: Callable[[Session], None] | None = None) -> None:
    """The placement goes, and the object with its last one."""
    _move(session, device, uri, Event.SUCCEED, None)
    if not session.placements(uri):
        session.remove_object(uri)
    if then is not None:
        then(session)

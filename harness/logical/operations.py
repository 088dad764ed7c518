"""What a job of each kind does: create, download, copy, revert, delete, migrate, export. Volumes, templates, snapshots and
ISOs are one thing here; each operation is put together from one way in (``making``) and one way out (``removing``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from storcert.harness.contract import (
    DataObjectUri,
    DeviceUnavailable,
    ObjectInUse,
    ObjectKind,
    ObjectNotFound,
    Outcome,
    StorageError,
    Unsupported,
)
from storcert.harness.logical.engine import Handler
from storcert.harness.logical.making import PAUSES_NS, TRIES, Making, make
from storcert.harness.logical.motion import Leg, Plan, Wish
from storcert.harness.logical.placement import room_bytes
from storcert.harness.logical.records import DeviceRecord, ObjectRecord, PlacementRecord, Purpose
from storcert.harness.logical.removing import begin_removal, blocked, device_named, remove
from storcert.harness.logical.session import Session
from storcert.harness.logical.states import Event, State
from storcert.harness.logical.work import Lost, Work
from storcert.harness.record.command import Verb


def ready_placements(session: Session, uri: str) -> list[PlacementRecord]:
    """Where the object is whole. Raises ``ObjectNotFound`` where it is nowhere."""
    found = [placement for placement in session.placements(uri) if placement.state is State.READY]
    if not found:
        raise ObjectNotFound("it is on no device", uri)
    return found


def _on(device: DeviceRecord, **more: Any) -> dict[str, Any]:
    """Arguments of a command about one device."""
    return {"device": device.travel, "device_name": device.name, **more}


# -- from nothing, and from outside


def create(work: Work) -> Mapping[str, Any]:
    """Zeros: ``uri``, ``device``, ``size_bytes``."""
    text, name, size_bytes = work.arguments["uri"], work.arguments["device"], int(work.arguments["size_bytes"])
    result = {"uri": text, "device": name, "size_bytes": size_bytes}

    def prepare(session: Session) -> Making:
        device = device_named(session, name)

        def attempt(made: Making, location: str) -> Mapping[str, Any]:
            answer = work.ask(location, Verb.CREATE, _on(device, uri=text, size_bytes=size_bytes, look=""))
            return {**answer, "size_bytes": size_bytes}

        uri = DataObjectUri.parse(text)
        return Making(uri, device, Purpose.KEPT, size_bytes, attempt, (device,), result=result)

    make(work, prepare)
    return result


def download(work: Work) -> Mapping[str, Any]:
    """From an HTTP source: ``uri``, ``device``, ``url``; ``size_bytes`` and ``digest`` where they are known."""
    arguments = work.arguments
    uri, size_bytes, digest = DataObjectUri.parse(arguments["uri"]), arguments["size_bytes"], arguments["digest"]
    result = {"uri": arguments["uri"], "device": arguments["device"]}

    def prepare(session: Session) -> Making:
        device = device_named(session, arguments["device"])

        def attempt(made: Making, location: str) -> Mapping[str, Any]:
            told = _on(
                device, uri=str(uri), url=arguments["url"], size_bytes=size_bytes, digest=digest, look=made.look,
                limit_bytes=room_bytes(device) if size_bytes is None else size_bytes,
            )
            return work.ask(location, Verb.DOWNLOAD, told, moves_bytes=size_bytes or 1 << 32)

        return Making(uri, device, Purpose.KEPT, size_bytes, attempt, (device,), digest, result=result)

    make(work, prepare)
    return result


def export(work: Work) -> Mapping[str, Any]:
    """To an HTTP destination: ``uri``, ``url``."""
    uri, url = work.arguments["uri"], work.arguments["url"]

    def prepare(session: Session) -> tuple[DeviceRecord, ObjectRecord | None]:
        if session.grants_of(uri):
            raise ObjectInUse("a host writes to it; a snapshot of it can be exported", uri)
        placement = ready_placements(session, uri)[0]
        session.pin(uri, placement.device, work.job.id)
        return device_named(session, placement.device), session.find_object(uri)

    device, record = work.transact("choose", prepare)
    size_bytes = record.size_bytes if record is not None else None
    error: StorageError = DeviceUnavailable("it was never sent", uri, Outcome.NOT_DONE)
    for turn in range(TRIES):
        try:
            told = _on(device, uri=uri, url=url)
            return work.ask(work.location(device), Verb.EXPORT, told, moves_bytes=size_bytes or 0)
        except Lost as silence:
            error = silence.error(uri)
        except StorageError as failure:
            if not failure.retryable:
                raise
            error = failure
        work.pause(PAUSES_NS[turn])
    raise error


# -- from one place to another


def copy(work: Work) -> Mapping[str, Any]:
    """``source`` to ``target`` on ``device``, by whatever way is best."""
    source, target = work.arguments["source"], work.arguments["target"]
    return _copy(work, source, target, work.arguments["device"])


def _copy(
    work: Work, source: str, target: str, device: str, then: Callable[[Session], None] | None = None
) -> Mapping[str, Any]:
    """``then``: what else is so when the copy is ready; the job has more to do afterwards."""
    plans: list[Plan] = []

    def first(session: Session) -> Making:
        plans.append(_plan(session, work, source, target, device))
        return made(session, plans[0].legs[0])

    def made(session: Session, leg: Leg) -> Making:
        plan = plans[0]
        last = leg is plan.legs[-1]
        ends = last and then is None and not _between(plan)
        result = _copied(target, device, plan) if ends else None
        return replace(_making(session, work, leg, last, source, result), then=then if last else None)

    make(work, first)
    plan = plans[0]
    for leg in plan.legs[1:]:
        make(work, lambda session, leg=leg: made(session, leg))  # type: ignore[misc]
    for leg in _between(plan):
        _remove_between(work, leg)
    return _copied(target, device, plan)


def _between(plan: Plan) -> list[Leg]:
    """The steps that make what is only wanted in between; a staged copy under its own name is kept for others to use."""
    return [leg for leg in plan.legs[:-1] if leg.target != leg.source]


def _copied(target: str, device: str, plan: Plan) -> Mapping[str, Any]:
    return {"uri": target, "device": device, "way": str(plan.way)}


def _plan(session: Session, work: Work, source: str, target: str, device: str) -> Plan:
    """The plan of this job: decided once, kept, and made anew only while none of it has begun."""
    record = session.find_object(source)
    if record is None:
        raise ObjectNotFound("it is not known", source)
    if work.job.plan:
        plan = Plan.from_json(work.job.plan)
        if any(session.find_placement(leg.target, leg.target_device) for leg in plan.legs):
            return plan
    placements = ready_placements(session, source)
    name, end = DataObjectUri.parse(target), device_named(session, device)
    # A staged copy is a source like any other.
    holders = tuple(device_named(session, placement.device) for placement in placements)
    between = DataObjectUri(ObjectKind.SNAPSHOT, name.account, f"job-{work.job.id}")
    live = bool(session.grants_of(source))
    plan = work.engine.planner(session).plan(
        Wish(record.name, holders, name, end, record.size_bytes, between, live)
    )
    session.pin(source, plan.legs[0].source_device, work.job.id)
    session.set_plan(work.job.id, plan.to_json())
    return plan


def _making(
    session: Session, work: Work, leg: Leg, last: bool, source: str, result: Mapping[str, Any] | None
) -> Making:
    start = end = device_named(session, leg.source_device)
    if leg.target_device != leg.source_device:
        end = device_named(session, leg.target_device)
    record = session.find_object(leg.source)
    size_bytes = None if record is None else record.size_bytes
    # What a device makes by itself is as it was at one moment: of a volume that changes nobody knows the digest.
    digest = record.digest if record is not None and leg.verb is Verb.STREAM else None

    def attempt(made: Making, location: str) -> Mapping[str, Any]:
        if leg.verb is Verb.STREAM:
            told = {
                "source_device": start.travel, "source_device_name": start.name, "source": leg.source,
                "target_device": end.travel, "target_device_name": end.name, "target": leg.target,
                "size_bytes": size_bytes, "digest": digest or ("sha256:" if end.policy.verify_digest else None),
                "look": made.look,
            }
            return work.ask(location, Verb.STREAM, told, moves_bytes=size_bytes or 0)
        answer = work.ask(location, leg.verb, _on(end, source=leg.source, target=leg.target, look=""))
        return answer if size_bytes is None else {**answer, "size_bytes": size_bytes}

    purpose = Purpose.KEPT if last else Purpose.STAGED
    uri = DataObjectUri.parse(leg.target)
    origin = source if leg.target != source else ""
    return Making(uri, end, purpose, size_bytes, attempt, (start, end), digest, leg.location, origin, result)


def _remove_between(work: Work, leg: Leg) -> None:
    """A snapshot that was only wanted in between goes; one that the device still needs is a staged copy until it does not."""
    try:
        remove(work, leg.target_device, leg.target)
    except StorageError:
        work.engine.surroundings.note("kept-for-now", uri=leg.target, device=leg.target_device)


def migrate(work: Work) -> Mapping[str, Any]:
    """A volume to another device under its own name: copied, verified, and only then taken from where it was (L-SOURCE).

    It is never in use in two places: in the moment in which it is ready there, it is on its way out here. Whoever needs it here
    by then has the migration fail, and the copy is taken away again.
    """
    uri, goal = work.arguments["uri"], work.arguments["device"]

    def where(session: Session) -> str:
        if session.grants_of(uri):
            raise ObjectInUse("a volume in use is not moved", uri)
        found = [one.device for one in session.placements(uri) if one.device != goal and one.purpose is Purpose.KEPT]
        return found[0] if found else ""

    before = work.transact("look", where)
    if not before:
        return {"uri": uri, "device": goal}
    result = _copy(work, uri, uri, goal, lambda session: begin_removal(session, work, before, uri))
    remove(work, before, uri, lambda session: work.end(session, result))
    return result


# -- in place, and away


def revert(work: Work) -> Mapping[str, Any]:
    """``uri`` (a volume) to ``snapshot``."""
    return revert_volume(work, work.arguments["uri"], work.arguments["snapshot"])


def revert_volume(work: Work, uri: str, snapshot: str) -> Mapping[str, Any]:
    """A volume to its snapshot, on the device that holds both. Repeated until its outcome is known."""

    def begin(session: Session) -> DeviceRecord:
        volume = session.placements(uri)
        device = next((one for one in volume if one.state in (State.READY, State.CHANGING)), None)
        if device is None:
            raise ObjectNotFound("the volume is on no device", uri)
        allowance = device_named(session, device.device).allowance
        if not allowance.revert:
            raise Unsupported(f"device {device.device!r} cannot revert, or may not", uri)
        found = session.find_placement(snapshot, device.device)
        if found is None or found.state is not State.READY:
            raise ObjectNotFound("the snapshot is not on the volume's device", snapshot)
        if device.state is State.READY:
            reason = blocked(session, device, work.job.id)
            if reason:
                raise ObjectInUse(reason, uri)
        elif device.job != work.job.id and blocked(session, device, work.job.id):
            raise ObjectInUse(blocked(session, device, work.job.id), uri)
        session.pin(snapshot, device.device, work.job.id)
        if device.state is State.READY:
            session.move(device, Event.CHANGE, work.job.id)
        return device_named(session, device.device)

    device = work.transact("begin", begin)
    # Whoever had the job before, or the one this is the repetition of, may have begun.
    touched = work.job.attempts > 1 or work.job.kind != "revert"
    result = {"uri": uri, "snapshot": snapshot}
    error: StorageError = DeviceUnavailable("it was never sent", uri, Outcome.NOT_DONE)
    for turn in range(TRIES):
        try:
            work.ask(work.location(device), Verb.REVERT, _on(device, volume=uri, snapshot=snapshot))
        except Lost as silence:
            error = silence.error(uri)
            touched = True
        except StorageError as failure:
            touched = touched or failure.outcome is Outcome.UNKNOWN
            if not touched and (not failure.retryable or turn + 1 == TRIES):
                work.transact("refused", lambda session: _changed(session, device, uri, Event.FAIL))
                raise
            error = failure
        else:
            work.transact("reverted", lambda session: _reverted(session, work, device, result))
            return result
        work.pause(PAUSES_NS[turn])
    # The volume may be in between: it stays so, on record, until reconciliation has reverted it (C-RETRY).
    raise DeviceUnavailable(f"the revert is not through: {error.message}", uri, Outcome.UNKNOWN)


def _reverted(session: Session, work: Work, device: DeviceRecord, result: Mapping[str, Any]) -> None:
    _changed(session, device, result["uri"], Event.SUCCEED)
    work.end(session, result)


def _changed(session: Session, device: DeviceRecord, uri: str, event: Event) -> None:
    found = session.find_placement(uri, device.name)
    assert found is not None
    session.move(found, event, None)


def delete(work: Work) -> Mapping[str, Any]:
    """An object from every device it is on; with ``dependants`` the snapshots of a volume first."""
    uri = work.arguments["uri"]

    def look(session: Session) -> list[tuple[str, list[PlacementRecord]]]:
        made_from = session.objects_from(uri) if work.arguments.get("dependants") else []
        names = [*(one.uri for one in made_from if one.name.kind is ObjectKind.SNAPSHOT), uri]
        return [(name, session.placements(name)) for name in names]

    doomed = work.transact("look", look)
    result = {"uri": uri, "deleted": len(doomed)}
    for name, placements in doomed:
        _delete_one(work, name, placements, result if name == uri else None)
    return result


def _delete_one(work: Work, name: str, placements: list[PlacementRecord], result: Mapping[str, Any] | None) -> None:
    """Until no copy is left: one that had begun may come to its end meanwhile. ``result``: the job then ends with it."""
    left = placements

    def then(session: Session) -> None:
        nonlocal left
        left = session.placements(name)
        if not left and result is not None:
            work.end(session, result)

    while left and not work.ended:
        before = left
        for placement in before:
            remove(work, placement.device, name, then)
        if left is before:  # somebody else took them
            left = work.transact("look", lambda session: session.placements(name))


def drop(work: Work) -> Mapping[str, Any]:
    """An object from one device: ``uri``, ``device``."""
    result = {"uri": work.arguments["uri"], "device": work.arguments["device"]}
    remove(work, result["device"], result["uri"], lambda session: work.end(session, result))
    return result


HANDLERS: Mapping[str, Handler] = {
    "create": create,
    "download": download,
    "export": export,
    "copy": copy,
    "migrate": migrate,
    "revert": revert,
    "delete": delete,
    "drop": drop,
}

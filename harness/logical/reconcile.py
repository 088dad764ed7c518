"""Reconciliation: after any crash of anybody, records and devices agree again. Run twice, the second round changes nothing.

What an unfinished job is making is never touched: a record is made before the bytes and goes after them, so bytes without a
record, in a listing that is older than the look at the records, belong to nobody. While they are swept away the name is
reserved, so that nobody makes a new object under the broom.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from storcert.harness.contract import ObjectInUse, ObjectNotFound, StorageError
from storcert.harness.logical.engine import SECOND_NS, Engine, Handler, run_quietly
from storcert.harness.logical.fencing import mend_fenced
from storcert.harness.logical.links import mend_links
from storcert.harness.logical.operations import revert_volume
from storcert.harness.logical.records import (
    DeviceRecord,
    GrantRecord,
    JobState,
    ObjectRecord,
    PlacementRecord,
    Purpose,
)
from storcert.harness.logical.removing import device_named, remove, take_back
from storcert.harness.logical.session import Session
from storcert.harness.logical.states import Event, State
from storcert.harness.logical.work import Lost, Work
from storcert.harness.record.command import Verb

STAGED_AGE_NS = 24 * 3600 * SECOND_NS
"""A staged copy that nobody used for so long goes."""
REMEMBERED_NS = 24 * 3600 * SECOND_NS
"""So long it can be asked how a job ended."""
REMEMBERED_JOBS = 20_000
"""How many jobs that is at most."""
CENSUS_OBJECTS_PER_S = 25
"""How many objects are compared with their records, over all devices, in rounds that come by themselves: some percent of what a
management server does, and a region of a hundred thousand objects is through in little more than an hour."""
CENSUS_BURST_S = 60
"""What one round compares at most, in seconds at that pace; a device is listed as a whole, so it may be more."""
CENSUS_PAUSE_NS = 120 * SECOND_NS
"""No device is compared more often, however little is on all of them."""
_READY = str(State.READY)
_WAITING = frozenset(("upload", "seed"))
"""Jobs that wait for a client, or for other jobs, which go on meanwhile."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one round had to mend."""

    adopted: int = 0
    settled: int = 0
    swept: int = 0
    lost: int = 0
    evicted: int = 0
    released: int = 0
    recounted: int = 0

    def to_json(self) -> dict[str, int]:
        """By name."""
        return {name: getattr(self, name) for name in self.__slots__}


def one_round(engine: Engine, staged_age_ns: int = STAGED_AGE_NS, *, paced: bool = False) -> dict[str, int]:
    """Mend everything that can be mended now. What a device that is away keeps stays for the next round.

    ``paced``: one of many rounds that come by themselves. What nobody is at work on and which host lost its machines is looked
    at each time; devices are compared with their records in turn, so that it costs the same however much is on them. Where
    nothing is under way or out and it is no device's turn, one look is all it costs.
    """
    around = engine.surroundings

    def turn(session: Session) -> tuple[list[DeviceRecord], bool]:
        if not paced:
            return session.devices(), False
        burst = CENSUS_OBJECTS_PER_S * CENSUS_BURST_S
        due = session.begin_censuses(session.now_ns, CENSUS_OBJECTS_PER_S, burst, CENSUS_PAUSE_NS)
        return due, not due and session.at_rest(session.now_ns - staged_age_ns)

    devices, at_rest = around.transact("devices", turn)
    if at_rest:
        counted = Round().to_json()
        around.note("reconciled", **counted)
        return counted
    adopted = adopt(engine)
    settled = settle_all(engine)
    swept = lost = 0
    for device in devices:
        if device.capabilities.enumerate:
            orphans, gone = survey(engine, device)
            swept, lost = swept + orphans, lost + gone
    counted = Round(
        adopted, settled, swept, lost, evict(engine, staged_age_ns), release(engine) + mend_fenced(engine) + mend_links(engine),
        recount(engine, devices),
    ).to_json()
    around.note("reconciled", **counted)
    return counted


def adopt(engine: Engine) -> int:
    """Go on with the jobs of servers that died."""
    jobs = engine.adopt()
    for job in jobs:
        if job.kind in _WAITING:
            engine.surroundings.spawn(f"{job.kind} {job.key}", lambda job=job: engine.run_alone(job))  # type: ignore[misc]
        else:
            engine.run(job)
    return len(jobs)


# -- states that no job owns any more


def settle_all(engine: Engine) -> int:
    """Placements in a transitional or failed state whose job has ended."""

    def unowned(session: Session) -> list[PlacementRecord]:
        return [one for one in session.unsettled() if not _owned(session, one)]

    found = engine.surroundings.transact("unsettled", unowned)
    return sum(
        run_quietly(engine, "settle", f"{one.uri}@{one.device}", {"uri": one.uri, "device": one.device}) for one in found
    )


def _owned(session: Session, placement: PlacementRecord) -> bool:
    owner = None if placement.job is None else session.find_job(placement.job)
    return owner is not None and owner.state is JobState.RUNNING


def settle(work: Work) -> Mapping[str, Any]:
    """``uri`` on ``device``: a revert that got stuck is repeated, everything else is taken away."""
    uri, name = work.arguments["uri"], work.arguments["device"]

    def look(session: Session) -> tuple[PlacementRecord | None, str]:
        found = session.find_placement(uri, name)
        if found is not None and (found.state is State.READY or _owned(session, found)):
            found = None
        stuck = session.find_job(found.job) if found is not None and found.job is not None else None
        snapshot = str(stuck.arguments.get("snapshot", "")) if stuck is not None else ""
        return found, snapshot

    found, snapshot = work.transact("look", look)
    if found is None:
        return {"changed": False}
    if found.state is State.CHANGING:
        return revert_volume(work, uri, snapshot)
    remove(work, name, uri)
    return {"uri": uri}


# -- records and bytes


def survey(engine: Engine, device: DeviceRecord) -> tuple[int, int]:
    """Compare what a device lists with the records of it: how many orphans were swept away, how many records had no bytes."""
    around = engine.surroundings
    before = around.transact("records", lambda session: session.placed_on(device.name))
    listed = _listed(engine, device)
    if listed is None:
        return 0, 0
    after = around.transact("records", lambda session: session.placed_on(device.name))
    orphans = sorted(listed - after.keys())
    if orphans:
        # What went with its record since is listed no more.
        again = _listed(engine, device) or frozenset()
        orphans = [uri for uri in orphans if uri in again]
    lost = [
        uri
        for uri, one in sorted(before.items())
        if one[0] == _READY and uri not in listed and after.get(uri) == one
    ]
    arguments = {"device": device.name}
    return (
        sum(run_quietly(engine, "sweep", f"{uri}@{device.name}", {**arguments, "uri": uri}) for uri in orphans),
        sum(run_quietly(engine, "lose", f"{uri}@{device.name}", {**arguments, "uri": uri}) for uri in lost),
    )


def _listed(engine: Engine, device: DeviceRecord) -> frozenset[str] | None:
    """What is on a device. ``None`` where that could not be had, or another round of this server is at it: then what was listed
    is that one's, and the device's turn comes again at once."""
    job, new = engine.submit("list", f"list {device.name}", {"device": device.name})
    ended = engine.run(job) if new else None
    listed = engine.listings.pop(device.name, None) if new else None
    if ended is None or ended.state is not JobState.SUCCEEDED or listed is None:
        engine.surroundings.transact("not listed", lambda session: session.miss_census(device.name))
        return None
    return listed


def list_device(work: Work) -> Mapping[str, Any]:
    """What is on ``device``: told to whoever asked, in memory; on record stands only how much it is."""
    device = work.transact("look", lambda session: device_named(session, work.arguments["device"]))
    told = {"device": device.travel, "device_name": device.name}
    listed = frozenset(work.ask_somewhere((device,), Verb.LIST, told)["uris"])
    result = {"objects": len(listed)}

    def end(session: Session) -> None:
        session.end_census(device.name, session.now_ns, len(listed))
        work.end(session, result)

    work.transact("listed", end)
    work.engine.listings[device.name] = listed
    return result


def sweep(work: Work) -> Mapping[str, Any]:
    """Bytes of ``uri`` on ``device`` that no record speaks of. The name is reserved meanwhile."""
    uri, name = work.arguments["uri"], work.arguments["device"]

    def reserve(session: Session) -> DeviceRecord | None:
        if session.find_placement(uri, name) is not None:
            return None
        if session.find_object(uri) is None:
            session.add_object(ObjectRecord(uri, None, None, "", session.now_ns))
        session.allocate(uri, name, Purpose.STAGED, work.job.id, 0, session.now_ns)
        return device_named(session, name)

    device = work.transact("reserve", reserve)
    if device is not None:
        work.engine.surroundings.note("swept", uri=uri, device=name)
        take_back(work, device, uri)
    return {"changed": device is not None}


def lose(work: Work) -> Mapping[str, Any]:
    """A record of ``uri`` on ``device`` whose bytes are gone: made sure of, then told, and the record goes."""
    uri, name = work.arguments["uri"], work.arguments["device"]
    device = work.transact("look", lambda session: device_named(session, name))
    told = {"device": device.travel, "device_name": device.name, "uri": uri, "digest": ""}
    try:
        work.ask_somewhere((device,), Verb.DESCRIBE, told)
    except ObjectNotFound:
        pass
    else:
        return {"changed": False}

    def mark(session: Session) -> bool:
        found = session.find_placement(uri, name)
        if found is None or found.state is not State.READY:
            return False
        session.move(found, Event.LOSE, work.job.id)
        return True

    if not work.transact("lost", mark):
        return {"changed": False}
    work.engine.surroundings.note("lost", uri=uri, device=name)
    take_back(work, device, uri)
    return {"uri": uri}


# -- staging, grants, capacity


def evict(engine: Engine, staged_age_ns: int) -> int:
    """Staged copies that no job pins and nobody used for long (L-STAGING)."""
    found = engine.surroundings.transact(
        "staged", lambda session: session.unused_since(session.now_ns - staged_age_ns))
    return sum(run_quietly(engine, "evict", f"{one.uri}@{one.device}", {"uri": one.uri, "device": one.device}) for one in found)


def evict_one(work: Work) -> Mapping[str, Any]:
    """``uri`` from the staging ``device``, if it is still unused; not changed where the device itself still needs it."""
    uri, name = work.arguments["uri"], work.arguments["device"]

    def look(session: Session) -> bool:
        found = session.find_placement(uri, name)
        return found is not None and found.purpose is Purpose.STAGED and not session.pinned_by(uri, name)

    if not work.transact("look", look):
        return {"changed": False}
    try:
        remove(work, name, uri)
    except ObjectInUse:
        return {"changed": False}
    return {"uri": uri}


def release(engine: Engine) -> int:
    """Grants of hosts whose agent was restarted: their virtual machines are gone (L-BALANCE)."""
    granted = engine.surroundings.transact("grants", lambda session: session.granted_boots())
    lost = sorted({host for host, boot in granted if engine.boot_of(host) not in ("", boot)})
    return sum(run_quietly(engine, "release", f"release {host}", {"host": host}) for host in lost)


def release_host(work: Work) -> Mapping[str, Any]:
    """What ``host`` was granted by an earlier boot of its agent."""
    host = work.arguments["host"]
    try:
        boot = work.ask(host, Verb.HELLO, {})["boot"]
    except (StorageError, Lost):
        return {"changed": False}

    def stale(session: Session) -> list[GrantRecord]:
        found = [grant for grant in session.grants_to(host) if grant.boot != boot]
        for grant in found:
            session.revoke(grant.volume, host)
        return found

    return {"changed": bool(work.transact("release", stale))}


def recount(engine: Engine, devices: list[DeviceRecord]) -> int:
    """Capacity counted is capacity used (L-CAPACITY). Jobs that ended long ago are forgotten on this occasion."""

    def body(session: Session) -> int:
        session.forget_jobs(session.now_ns - REMEMBERED_NS, REMEMBERED_JOBS)
        session.forget_under_way()
        session.forget_servers(session.now_ns - REMEMBERED_NS)
        wrong = 0
        for device in devices:
            noted, summed = session.recount(device.name)
            if noted != summed:
                session.set_reserved(device.name, summed)
                wrong += 1
        return wrong

    return engine.surroundings.transact("recount", body)


HANDLERS: Mapping[str, Handler] = {
    "settle": settle,
    "list": list_device,
    "sweep": sweep,
    "lose": lose,
    "evict": evict_one,
    "release": release_host,
}

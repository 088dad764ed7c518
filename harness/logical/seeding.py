"""Copies of one object for many zones: one job that sees to a copy job for each, side by side.

It holds nothing itself. Whoever takes it over looks at what is there: zones that have their copy are done, zones whose copy is
under way are waited for, and only the others are begun.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from storcert.harness.contract import CapacityExceeded, DataObjectUri, Role, StorageError
from storcert.harness.logical.answers import result_of
from storcert.harness.logical.engine import SECOND_NS, Engine, Entry, Handler, JobLost
from storcert.harness.logical.placement import demand_for
from storcert.harness.logical.ports import CatalogueLost
from storcert.harness.logical.preconditions import candidates, size_of
from storcert.harness.logical.records import JobState, PlacementRecord, Purpose
from storcert.harness.logical.removing import device_named
from storcert.harness.logical.session import Session
from storcert.harness.logical.states import State
from storcert.harness.logical.work import Work

DAY_NS = 24 * 3600 * SECOND_NS
_LOOK_NS = SECOND_NS // 4
_MADE = (State.ALLOCATED, State.CREATING)


def seed(work: Work) -> Mapping[str, Any]:
    """``uri`` to ``zones``: for each its ``result``, or the ``error`` that it ended with."""
    zones: list[str] = list(work.arguments["zones"])
    seeding = _Seeding(work.engine, DataObjectUri.parse(work.arguments["uri"]))
    for zone in zones:
        seeding.begin(zone)
    while len(seeding.results) < len(zones):
        work.engine.surroundings.sleep_ns(_LOOK_NS)
        for zone in seeding.lost():
            seeding.begin(zone)
        work.transact("look", lambda session: seeding.cancel(session) if work.job.cancelled else None)
    return {"zones": dict(sorted(seeding.results.items()))}


class _Seeding:
    """``results``: what zones came to so far."""

    def __init__(self, engine: Engine, uri: DataObjectUri) -> None:
        self._engine = engine
        self._uri = uri
        self._jobs: dict[str, int] = {}
        self._lost: list[str] = []
        self.results: dict[str, Mapping[str, Any]] = {}

    def begin(self, zone: str) -> None:
        """See to a zone, beside the others."""
        self._engine.surroundings.spawn(f"seed {self._uri} to {zone}", lambda: self._see_to(zone))

    def lost(self) -> list[str]:
        """Zones of which the catalogue did not say how they stand; to be begun again."""
        found, self._lost = self._lost, []
        return found

    def cancel(self, session: Session) -> None:
        """End what was begun."""
        for number in self._jobs.values():
            session.cancel_job(number)

    def _see_to(self, zone: str) -> None:
        try:
            self.results[zone] = {"result": dict(self._copy(zone))}
        except StorageError as error:
            self.results[zone] = {"error": error.to_json()}
        except (CatalogueLost, JobLost):
            self._lost.append(zone)

    def _copy(self, zone: str) -> Mapping[str, Any]:
        full: list[str] = []
        while True:
            found = self._engine.submitting("submit copy", lambda session: self._decide(session, zone, full))
            if not isinstance(found, tuple):
                return found
            job, new = found
            self._jobs[zone] = job.id
            ended = self._engine.run(job) if new else None
            try:
                return result_of(ended or self._engine.wait(job.id, DAY_NS))
            except CapacityExceeded:
                if not new:
                    raise
                full.append(job.arguments["device"])

    def _decide(self, session: Session, zone: str, full: list[str]) -> Mapping[str, Any] | Entry:
        """What there is in the zone already, or the job that makes it."""
        uri = str(self._uri)
        size_bytes = size_of(session, self._uri)
        for placement in copies_in(session, uri, zone):
            if placement.state is State.READY:
                return {"uri": uri, "device": placement.device}
            maker = None if placement.job is None else session.find_job(placement.job)
            if placement.state in _MADE and maker is not None and maker.state is JobState.RUNNING:
                return maker, False
        demand = demand_for(self._uri, size_bytes, zone=zone)
        engine = self._engine
        known = candidates(engine.topology, engine.providers, session, self._uri, demand, Role.IMAGE)
        chosen = next((name for name in known if name not in full), None)
        if chosen is None:
            raise CapacityExceeded(f"no device of zone {zone} has room: {', '.join(full)}", self._uri)
        return engine.enter(session, "copy", f"{uri}@{chosen}", {"source": uri, "target": uri, "device": chosen})


def copies_in(session: Session, uri: str, zone: str) -> list[PlacementRecord]:
    """The object on devices for images that the zone has, whole or not. A staged copy is nobody's: it goes some day."""
    found = []
    for placement in session.placements(uri):
        device = device_named(session, placement.device)
        if placement.purpose is Purpose.KEPT and device.policy.role is Role.IMAGE and device.zone in ("", zone):
            found.append(placement)
    return found


HANDLERS: Mapping[str, Handler] = {"seed": seed}

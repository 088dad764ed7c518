"""The control plane as its callers see it: one method for each thing that can be asked for. URIs only; no byte comes here.

Every method submits a job and runs it, or joins the job that is at it already, and returns once it has ended: its result, or
the contract's error raised. Every one may be repeated (L-REPEAT): what is done already is a success.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from storcert.harness.contract import (
    Capabilities,
    CapacityExceeded,
    DataObjectUri,
    DeviceUnavailable,
    InvalidRequest,
    ObjectExists,
    ObjectInUse,
    ObjectKind,
    ObjectNotFound,
    Outcome,
    Role,
    StorageDevice,
    StorageError,
)
from storcert.harness.logical import access, fencing, links, operations, reconcile, seeding, transfers
from storcert.harness.logical.answers import answered, result_of
from storcert.harness.logical.engine import ASK_NS, Engine, Entry
from storcert.harness.logical.operations import ready_placements
from storcert.harness.logical.placement import demand_for, refuse_write
from storcert.harness.logical.ports import NoAnswer, Surroundings
from storcert.harness.logical.preconditions import (
    candidates,
    home,
    kept_on,
    may_move,
    refuse_known,
    size_of,
    there,
    want,
    want_time,
)
from storcert.harness.logical.providers import Providers
from storcert.harness.logical.records import DeviceRecord, DeviceState
from storcert.harness.logical.removing import device_named
from storcert.harness.logical.session import Session
from storcert.harness.logical.topology import Topology
from storcert.harness.record.address import shown
from storcert.harness.record.command import Ending, Verb

HOUR_NS = 3600 * 10**9
Result = Mapping[str, Any]


class ControlPlane:
    """Of one management server. ``providers``: the registry; without it the two bundled ones."""

    def __init__(self, surroundings: Surroundings, topology: Topology, providers: Providers | None = None) -> None:
        self.surroundings = surroundings
        self.topology = topology
        self.providers = providers or Providers()
        handlers = {
            **operations.HANDLERS, **access.HANDLERS, **links.HANDLERS, **seeding.HANDLERS, **reconcile.HANDLERS,
            **fencing.HANDLERS,
        }
        self.engine = Engine(surroundings, topology, self.providers, handlers)

    # -- devices

    @answered
    def add_device(
        self, device: StorageDevice, capabilities: Capabilities, capacity_bytes: int, provider: str = "direct"
    ) -> None:
        """Attach a device with its policy's scope. Repeating with the same values does nothing. Raises ``InvalidRequest``,
        ``ObjectExists`` where the name is taken by another device."""
        self.providers.named(provider)
        zone = self.topology.zone_of(device.policy)
        record = DeviceRecord(
            device.name, device.to_json(), device.policy, capabilities, capacity_bytes, provider, zone=zone
        )

        def body(session: Session) -> None:
            found = session.find_device(device.name)
            if found is None:
                session.add_device(record)
            elif (found.travel, found.capabilities, found.capacity_bytes) != (record.travel, capabilities, capacity_bytes):
                raise ObjectExists(f"another device is called {device.name!r}")

        self.surroundings.transact("add device", body)

    def capabilities(self, device: StorageDevice, location: str) -> Capabilities:
        """What a device says it can do, asked of its driver at a location. Raises the contract's errors."""
        told = {"device": device.to_json(), "device_name": device.name}
        identity = self.engine.unique(f"capabilities/{device.name}")
        try:
            if not self.engine.knows(location):
                self.engine.hello(location)
            command = self.engine.command(location, identity, Verb.CAPABILITIES, told, self.surroundings.clock_ns() + ASK_NS)
            answer = self.engine.ask(location, command, ASK_NS)
        except NoAnswer as silence:
            raise DeviceUnavailable(str(silence), None, Outcome.NOT_DONE) from silence
        if answer.ending is not Ending.DONE:
            raise StorageError.from_json(answer.result)
        return Capabilities.from_json(answer.result["capabilities"])

    @answered
    def set_device_state(self, name: str, state: DeviceState) -> None:
        """Up, or in maintenance: then nothing new is placed there."""

        def body(session: Session) -> None:
            device_named(session, name)
            session.set_device_state(name, state)

        self.surroundings.transact("set device state", body)

    # -- objects from nothing, and from outside

    @answered
    def create_volume(
        self, uri: DataObjectUri, size_bytes: int, *, zone: str = "", cluster: str = "", host: str = "", device: str = ""
    ) -> Result:
        """An empty volume of zeros, where it can be reached from the zone, cluster or host."""
        want(uri, ObjectKind.VOLUME)
        arguments = {"uri": str(uri), "size_bytes": size_bytes}
        return self._placed(
            "create", uri, lambda session: size_bytes, Role.PRIMARY, arguments, zone=zone, cluster=cluster, host=host,
            device=device,
        )

    @answered
    def register(
        self, uri: DataObjectUri, url: str, *, zone: str = "", device: str = "", size_bytes: int | None = None,
        digest: str | None = None,
    ) -> Result:
        """A template or ISO (or an uploaded volume) from an HTTP source, onto an image device (a volume: a primary one)."""
        role = Role.PRIMARY if uri.kind is ObjectKind.VOLUME else Role.IMAGE
        arguments = {"uri": str(uri), "url": url, "size_bytes": size_bytes, "digest": digest}
        return self._placed("download", uri, lambda session: size_bytes, role, arguments, zone=zone, device=device)

    @answered
    def upload(
        self, uri: DataObjectUri, *, zone: str = "", device: str = "", size_bytes: int | None = None, digest: str | None = None,
        lasts_ns: int = HOUR_NS,
    ) -> Result:
        """A ticket for a client to upload an object: ``url`` (PUT it there), ``expires_ns``, the ``job`` that waits for it.
        Asked again, the same ticket. The bytes go from the client to a storage VM and from there onto the device."""
        want_time(lasts_ns)
        known = {"size_bytes": size_bytes, "digest": digest}
        found = self.surroundings.transact("look", lambda session: transfers.upload_under_way(session, str(uri), known))
        if found is not None:
            return self._ticket((found, False))
        role = Role.PRIMARY if uri.kind is ObjectKind.VOLUME else Role.IMAGE
        arguments = {"uri": str(uri), "lasts_ns": lasts_ns, **known}
        return self._placed(
            "upload", uri, lambda session: size_bytes, role, arguments, zone=zone, device=device, outcome=self._ticket)

    def _ticket(self, entry: Entry) -> Result:
        job, new = entry
        if new:
            self.surroundings.spawn(f"upload {job.key}", lambda: self.engine.run_alone(job))
        return transfers.ticket(self.engine, job, result_of)

    # -- objects from others

    @answered
    def create_from(
        self, uri: DataObjectUri, source: DataObjectUri, *, zone: str = "", cluster: str = "", host: str = "", device: str = ""
    ) -> Result:
        """A new object with the bytes of ``source``: a volume from a template, snapshot or volume; a template from a volume."""
        if uri == source:
            raise ObjectExists("an object is not made from itself", uri)
        role = Role.IMAGE if uri.kind in (ObjectKind.TEMPLATE, ObjectKind.ISO) else Role.PRIMARY
        arguments = {"source": str(source), "target": str(uri)}
        return self._placed(
            "copy", uri, lambda session: size_of(session, source), role, arguments, zone=zone, cluster=cluster, host=host,
            device=device,
        )

    @answered
    def take_snapshot(self, volume: DataObjectUri, snapshot: DataObjectUri, device: str = "") -> Result:
        """A snapshot of a volume on the device the caller chose; by default on the volume's own."""
        want(volume, ObjectKind.VOLUME)
        want(snapshot, ObjectKind.SNAPSHOT)

        def decide(session: Session) -> Result | Entry:
            done = there(session, snapshot, None)
            if done is not None:
                return done
            arguments = {"source": str(volume), "target": str(snapshot), "device": device or home(session, volume)}
            return self.engine.enter(session, "copy", str(snapshot), arguments)

        return self._decided("submit copy", decide)

    @answered
    def copy(self, uri: DataObjectUri, device: str) -> Result:
        """One more copy of a template, ISO or snapshot, on that device, under the same name. A volume is on one device only."""
        if uri.kind is ObjectKind.VOLUME:
            raise InvalidRequest("a volume is migrated, or another is created from it", uri)
        name = str(uri)

        def decide(session: Session) -> Result | Entry:
            ready_placements(session, name)
            if kept_on(session, uri, device):
                return {"uri": name, "device": device}
            return self.engine.enter(
                session, "copy", f"{name}@{device}", {"source": name, "target": name, "device": device})

        return self._decided("submit copy", decide)

    @answered
    def seed(self, uri: DataObjectUri, zones: Sequence[str]) -> dict[str, Result | StorageError]:
        """Copies of a template for many zones, side by side; per zone the result or the error it ended with. Zones that have
        theirs already are left alone; a copy that is under way is waited for."""
        wanted = sorted(set(zones))
        found = self._job("seed", f"seed {uri} to {','.join(wanted)}", {"uri": str(uri), "zones": wanted})
        return {
            zone: StorageError.from_json(one["error"]) if "error" in one else one["result"]
            for zone, one in found["zones"].items()
        }

    @answered
    def migrate(self, uri: DataObjectUri, device: str) -> Result:
        """A volume to another device."""
        want(uri, ObjectKind.VOLUME)

        arguments = {"uri": str(uri), "device": device}
        return self._job("migrate", str(uri), arguments, lambda session: may_move(session, uri, device))

    @answered
    def export(self, uri: DataObjectUri, url: str) -> Result:
        """Send an object to an HTTP destination, with PUT; what is there already is replaced."""
        return self._job("export", f"{uri} to {shown(url)}", {"uri": str(uri), "url": url})

    @answered
    def link(self, uri: DataObjectUri, lasts_ns: int = HOUR_NS) -> Result:
        """A URL that anybody who has it can download the object from until ``expires_ns``; :meth:`unlink` with its ``link``
        ends that."""
        want_time(lasts_ns)
        found = self._job("link", self.engine.unique(f"link to {uri}"), {"uri": str(uri), "lasts_ns": lasts_ns})
        return transfers.link_url(self.engine, found)

    @answered
    def unlink(self, link: int) -> Result:
        """A link leads nowhere any more. One that is not known is gone already."""
        return self._job("release-link", f"link {link}", {"link": link})

    @answered
    def progress(self, key: str) -> Result:
        """How far the unfinished job of that key is; see ``transfers``. The key of most jobs is the URI of what they make."""
        return transfers.progress(self.engine, key)

    @answered
    def job(self, number: int) -> Result:
        """How a job stands, by its number."""
        return transfers.job_told(self.engine, number)

    # -- in place, and away

    @answered
    def revert(self, volume: DataObjectUri, snapshot: DataObjectUri) -> Result:
        """Make a volume equal to one of its snapshots on the same device."""
        want(volume, ObjectKind.VOLUME)
        want(snapshot, ObjectKind.SNAPSHOT)

        def prepare(session: Session) -> None:
            record = session.find_object(str(snapshot))
            if record is None:
                raise ObjectNotFound("the snapshot is not known", snapshot)
            if record.origin != str(volume):
                raise InvalidRequest(f"{snapshot} is no snapshot of it", volume)

        return self._job("revert", str(volume), {"uri": str(volume), "snapshot": str(snapshot)}, prepare)

    @answered
    def delete(self, uri: DataObjectUri, *, dependants: bool = False) -> Result:
        """An object from every device; with ``dependants``, a volume's snapshots first. An unknown object is gone already."""

        def prepare(session: Session) -> None:
            if session.grants_of(str(uri)):
                raise ObjectInUse("a host uses it", uri)
            if any(session.links_to(str(uri), one.device) for one in session.placements(str(uri))):
                raise ObjectInUse("a link to it is out", uri)

        return self._job("delete", str(uri), {"uri": str(uri), "dependants": dependants}, prepare)

    @answered
    def attach(self, volume: DataObjectUri, host: str, io: Mapping[str, Any] | None = None) -> Result:
        """Let a host use a volume; ``io``: what a virtual machine there does with it."""
        want(volume, ObjectKind.VOLUME)
        return self._job("attach", str(volume), {"uri": str(volume), "host": host, "io": io})

    @answered
    def detach(self, volume: DataObjectUri, host: str) -> Result:
        """The host uses it no more."""
        return self._job("detach", str(volume), {"uri": str(volume), "host": host})

    @answered
    def fence(self, host: str) -> Result:
        """By the operator's word that host was switched off, or cut off from every device, and never goes on as it was: what it
        was granted is taken back. ``volumes``: those that are free now. Raises ``ObjectInUse`` where it answers."""
        return self._job("fence", f"fence {host}", {"host": host})

    @answered
    def cancel(self, key: str) -> None:
        """Ask the unfinished job with that key to end early. It ends failed, with nothing left, unless it was done already."""

        def body(session: Session) -> None:
            found = session.unfinished_job(key)
            if found is not None:
                session.cancel_job(found.id)

        self.surroundings.transact("cancel", body)

    @answered
    def reconcile(self, *, paced: bool = False) -> Result:
        """One round of reconciliation; how many things it had to mend. ``paced``: one of many, which compares devices with
        their records in turn; otherwise all of them."""
        return reconcile.one_round(self.engine, paced=paced)

    # -- how

    def _job(
        self, kind: str, key: str, arguments: Mapping[str, Any], prepare: Callable[[Session], None] | None = None
    ) -> Result:
        return self._outcome(self.engine.submit(kind, key, arguments, prepare))

    def _decided(self, label: str, decide: Callable[[Session], Result | Entry]) -> Result:
        """What one transaction came to: an answer, or a job whose result is the answer."""
        found = self.engine.submitting(label, decide)
        return self._outcome(found) if isinstance(found, tuple) else found

    def _outcome(self, entry: Entry) -> Result:
        """The result of a job once it has ended, run here where it is new. Raises the error it ended with."""
        job, new = entry
        ended = self.engine.run(job) if new else None
        return result_of(ended or self.engine.wait(job.id, HOUR_NS))

    def _placed(
        self, kind: str, uri: DataObjectUri, sized: Callable[[Session], int | None], role: Role, arguments: Mapping[str, Any],
        *, zone: str = "", cluster: str = "", host: str = "", device: str = "",
        outcome: Callable[[Entry], Result] | None = None,
    ) -> Result:
        """A job for the device that was named, or the best one; for the next best where somebody was faster to the space. All
        of it is decided in one transaction; where the object is there already, that is the answer."""
        came_to = outcome or self._outcome
        sizes: list[int | None] = []
        others: list[str] = []

        def decide(session: Session) -> Result | Entry:
            sizes.append(sized(session))
            done = there(session, uri, sizes[-1])
            if done is not None:
                return done
            if device:
                refuse_write(device_named(session, device), uri, sizes[-1] or 0)
                chosen = device
            else:
                demand = demand_for(uri, sizes[-1] or 0, zone=zone, cluster=cluster, host=host)
                chosen, *others[:] = candidates(self.topology, self.providers, session, uri, demand, role)
            return self.engine.enter(session, kind, str(uri), {**arguments, "device": chosen})

        def again(chosen: str) -> Result:
            told = {**arguments, "device": chosen}
            return came_to(self.engine.submit(kind, str(uri), told, lambda session: refuse_known(session, uri)))

        found = self.engine.submitting(f"submit {kind}", decide)
        if not isinstance(found, tuple):
            return found
        entry = found
        try:
            return self._first(("", *others), lambda chosen: again(chosen) if chosen else came_to(entry))
        except ObjectExists:
            # Somebody who asked for the same thing was faster; then it is done.
            done = self.surroundings.transact("look", lambda session: there(session, uri, sizes[-1]))
            if done is None:
                raise
            return done

    def _first(self, candidates: Sequence[str], act: Callable[[str], Result]) -> Result:
        """The result of the first that has room. Raises ``CapacityExceeded`` where none has, and what else is raised."""
        for chosen in candidates[:-1]:
            try:
                return act(chosen)
            except CapacityExceeded:
                continue
        return act(candidates[-1])

"""Objects, placements, pins and devices: rows of the catalogue in and out, inside one transaction.
Names of columns stand here and in ``schema`` only.

Every change is noted as a fact, which the journal of a run is made of. Changes of state are compare-and-set: a row that
somebody else changed since it was read raises :class:`StaleRecord`, and the transaction is undone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from storcert.harness.contract import Allowance, Capabilities, Policy, Role, StorageDevice
from storcert.harness.logical.job_rows import JobRows
from storcert.harness.logical.records import (
    DeviceRecord,
    DeviceState,
    ObjectRecord,
    PlacementRecord,
    Purpose,
    allowance_of,
)
from storcert.harness.logical.rows import Fact, StaleRecord, as_json
from storcert.harness.logical.states import Event, State, after

_OBJECT = "uri, size_bytes, digest, origin, created_ns, version"
_PLACEMENT = "uri, device, state, purpose, job, reserved_bytes, used_ns, version"
_DEVICE = "name, travel, capabilities, capacity_bytes, provider, state, reserved_bytes, zone"


class Session(JobRows):
    """Everything that one transaction can read and change."""

    __slots__ = ()

    # -- objects

    def find_object(self, uri: str) -> ObjectRecord | None:
        """The object of that URI."""
        row = self._row(f"SELECT {_OBJECT} FROM objects WHERE uri = ?", uri)
        return None if row is None else ObjectRecord(*row)

    def objects_from(self, origin: str) -> list[ObjectRecord]:
        """Those made from ``origin``, by URI."""
        # The second condition lets SQLite use the index, which has only objects that were made from others.
        rows = self._rows(f"SELECT {_OBJECT} FROM objects WHERE origin = ? AND origin <> '' ORDER BY uri", origin)
        return [ObjectRecord(*row) for row in rows]

    def add_object(self, record: ObjectRecord) -> None:
        """A new object; ``sqlite3.IntegrityError`` where the URI is known."""
        self._connection.execute(
            f"INSERT INTO objects ({_OBJECT}) VALUES (?, ?, ?, ?, ?, ?)",
            (record.uri, record.size_bytes, record.digest, record.origin, record.created_ns, record.version),
        )
        self._note("object", uri=record.uri, event="known", size_bytes=record.size_bytes, origin=record.origin)

    def learn(self, record: ObjectRecord, size_bytes: int, digest: str | None) -> None:
        """Size and digest of an object have become known. Raises :class:`StaleRecord`."""
        self._change(
            "UPDATE objects SET size_bytes = ?, digest = ?, version = version + 1 WHERE uri = ? AND version = ?",
            size_bytes, digest, record.uri, record.version,
        )
        self._note("object", uri=record.uri, event="learnt", size_bytes=size_bytes, origin=record.origin)

    def remove_object(self, uri: str) -> None:
        """Forget an object. It must have no placement."""
        if self._connection.execute("DELETE FROM objects WHERE uri = ?", (uri,)).rowcount:
            self._note("object", uri=uri, event="forgotten", size_bytes=None, origin="")

    # -- placements

    def find_placement(self, uri: str, device: str) -> PlacementRecord | None:
        """The object's placement on that device."""
        row = self._row(f"SELECT {_PLACEMENT} FROM placements WHERE uri = ? AND device = ?", uri, device)
        return None if row is None else _placement(row)

    def placements(self, uri: str) -> list[PlacementRecord]:
        """All placements of an object, by device."""
        rows = self._rows(f"SELECT {_PLACEMENT} FROM placements WHERE uri = ? ORDER BY device", uri)
        return [_placement(row) for row in rows]

    def placed_on(self, device: str) -> dict[str, tuple[str, int]]:
        """State and version of every placement on a device, by URI: as little as will do, for there may be many."""
        rows = self._rows("SELECT uri, state, version FROM placements WHERE device = ? ORDER BY uri", device)
        return {uri: (state, version) for uri, state, version in rows}

    def unsettled(self) -> list[PlacementRecord]:
        """Placements that are not ready, by state, URI and device."""
        rows = self._rows(f"SELECT {_PLACEMENT} FROM placements WHERE state <> 'ready' ORDER BY state, uri, device")
        return [_placement(row) for row in rows]

    def unused_since(self, limit_ns: int) -> list[PlacementRecord]:
        """Ready staged copies that nobody pins and nobody used since then, the longest unused first."""
        rows = self._rows(
            f"SELECT {_PLACEMENT} FROM placements AS p WHERE purpose = 'staged' AND used_ns <= ? AND state = 'ready' "
            "AND NOT EXISTS (SELECT 1 FROM pins WHERE pins.uri = p.uri AND pins.device = p.device) "
            "ORDER BY used_ns, uri, device",
            limit_ns,
        )
        return [_placement(row) for row in rows]

    def allocate(
        self, uri: str, device: str, purpose: Purpose, job: int, reserved_bytes: int, now_ns: int, *, create: bool = False
    ) -> None:
        """A new placement and the space it takes; ``sqlite3.IntegrityError`` where there is one. ``create``: and its making
        begins at once, as :meth:`move` would have it."""
        state = after(State.ABSENT, Event.ALLOCATE)
        state = after(state, Event.CREATE) if create else state
        self._connection.execute(
            f"INSERT INTO placements ({_PLACEMENT}) VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
            (uri, device, state, purpose, job, reserved_bytes, now_ns),
        )
        self._note_move(uri, device, State.ABSENT, Event.ALLOCATE, State.ALLOCATED, job, reserved_bytes, purpose)
        self._reserve(device, reserved_bytes)
        if create:
            self._note_move(uri, device, State.ALLOCATED, Event.CREATE, state, job, reserved_bytes, purpose)

    def move(self, record: PlacementRecord, event: Event, job: int | None) -> PlacementRecord:
        """Apply ``event``; ``job`` owns the state that follows. Raises :class:`StaleRecord` and ``IllegalTransition``.

        A placement that becomes absent goes, and its space with it.
        """
        state = after(record.state, event)
        key = (record.uri, record.device, record.version)
        if state is State.ABSENT:
            self._change("DELETE FROM placements WHERE uri = ? AND device = ? AND version = ?", *key)
        else:
            self._change(
                "UPDATE placements SET state = ?, job = ?, version = version + 1 WHERE uri = ? AND device = ? AND version = ?",
                state, job, *key,
            )
        self._note_move(
            record.uri, record.device, record.state, event, state, job, record.reserved_bytes, record.purpose
        )
        if state is State.ABSENT:
            self._reserve(record.device, -record.reserved_bytes)
        return _moved(record, state, job)

    def _note_move(
        self, uri: str, device: str, before: State, event: Event, state: State, job: int | None, reserved_bytes: int,
        purpose: Purpose,
    ) -> None:
        self._note(
            "placement", uri=uri, device=device, before=str(before), event=str(event), state=str(state), job=job,
            reserved_bytes=reserved_bytes, purpose=str(purpose),
        )

    def resize(self, record: PlacementRecord, reserved_bytes: int) -> PlacementRecord:
        """The placement turned out to take another size. Raises :class:`StaleRecord`."""
        self._change(
            "UPDATE placements SET reserved_bytes = ?, version = version + 1 WHERE uri = ? AND device = ? AND version = ?",
            reserved_bytes, record.uri, record.device, record.version,
        )
        self._note("resized", uri=record.uri, device=record.device, reserved_bytes=reserved_bytes)
        self._reserve(record.device, reserved_bytes - record.reserved_bytes)
        return PlacementRecord(
            record.uri, record.device, record.state, record.purpose, record.job, reserved_bytes, record.used_ns,
            record.version + 1,
        )

    def keep(self, uri: str, device: str, purpose: Purpose) -> None:
        """A placement is wanted for another purpose from now on."""
        self._connection.execute(
            "UPDATE placements SET purpose = ?, version = version + 1 WHERE uri = ? AND device = ?", (purpose, uri, device)
        )
        self._note("purpose", uri=uri, device=device, purpose=str(purpose))

    def used(self, uri: str, device: str, now_ns: int) -> None:
        """A staged copy was of use."""
        self._connection.execute("UPDATE placements SET used_ns = ? WHERE uri = ? AND device = ?", (now_ns, uri, device))

    # -- pins

    def pin(self, uri: str, device: str, job: int) -> None:
        """``job`` needs this placement until it ends. Repeating does nothing."""
        self._connection.execute("INSERT OR IGNORE INTO pins (uri, device, job) VALUES (?, ?, ?)", (uri, device, job))
        self._note("pin", uri=uri, device=device, job=job)

    def pinned_by(self, uri: str, device: str) -> list[int]:
        """The jobs that need this placement."""
        return [row[0] for row in self._rows("SELECT job FROM pins WHERE uri = ? AND device = ? ORDER BY job", uri, device)]

    # -- devices

    def find_device(self, name: str) -> DeviceRecord | None:
        """The device of that name."""
        row = self._row(f"SELECT {_DEVICE} FROM devices WHERE name = ?", name)
        return None if row is None else _device(row)

    def devices(self) -> list[DeviceRecord]:
        """All devices, by name."""
        return [_device(row) for row in self._rows(f"SELECT {_DEVICE} FROM devices ORDER BY name")]

    def devices_of(self, role: Role, zone: str | None = None) -> list[DeviceRecord]:
        """The devices of a role, by name; with ``zone`` those there and those of the region."""
        if zone is None:
            rows = self._rows(f"SELECT {_DEVICE} FROM devices WHERE role = ? ORDER BY name", role)
        else:
            rows = self._rows(f"SELECT {_DEVICE} FROM devices WHERE role = ? AND zone IN ('', ?) ORDER BY name", role, zone)
        return [_device(row) for row in rows]

    def add_device(self, record: DeviceRecord) -> None:
        """A new device; ``sqlite3.IntegrityError`` where the name is taken."""
        self._connection.execute(
            f"INSERT INTO devices ({_DEVICE}, role) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                record.name, record.travel, as_json(record.capabilities.to_json()), record.capacity_bytes, record.provider,
                record.state, record.reserved_bytes, record.zone, record.policy.role,
            ),
        )
        self._note(
            "device", name=record.name, policy=record.policy.to_json(), capabilities=record.capabilities.to_json(),
            capacity_bytes=record.capacity_bytes, provider=record.provider,
        )

    def set_device_state(self, name: str, state: DeviceState) -> None:
        """Up, or in maintenance."""
        self._connection.execute("UPDATE devices SET state = ? WHERE name = ?", (state, name))

    # -- what devices list, compared with the records

    def at_rest(self, unused_since_ns: int) -> bool:
        """Whether there is nothing that could have to be mended but bytes and records that do not agree: no unfinished job, no
        placement that is not ready, no grant, link or fence, no staged copy that was not used since then."""
        (found,) = self._row(
            "SELECT EXISTS (SELECT 1 FROM jobs WHERE state = 'running') "
            "OR EXISTS (SELECT 1 FROM placements WHERE state <> 'ready') "
            "OR EXISTS (SELECT 1 FROM placements WHERE purpose = 'staged' AND used_ns <= ?) "
            "OR EXISTS (SELECT 1 FROM grants) OR EXISTS (SELECT 1 FROM links) OR EXISTS (SELECT 1 FROM fences)",
            unused_since_ns,
        )
        return not found

    def begin_censuses(self, now_ns: int, objects_per_s: int, burst: int, pause_min_ns: int = 0) -> list[DeviceRecord]:
        """The devices whose turn it is to be compared, the longest waiting first; no other server compares them meanwhile.

        All devices together are compared at ``objects_per_s``, so each comes again after a time that grows with what is on all
        of them, and is ``pause_min_ns`` at least; of those whose time has come as many as make up ``burst`` objects, and one
        at least.
        """
        rows = self._rows(
            "SELECT coalesce(begun_ns, 0) AS begun_ns, name, coalesce(objects, 0) FROM devices LEFT JOIN censuses "
            "ON device = name ORDER BY begun_ns, name"
        )
        pause_ns = max(pause_min_ns, sum(objects for *_, objects in rows) * 10**9 // objects_per_s)
        due: list[str] = []
        for begun_ns, name, objects in rows:
            if begun_ns + pause_ns <= now_ns and burst > 0:
                self._connection.execute(
                    "INSERT OR REPLACE INTO censuses (device, begun_ns, objects) VALUES (?, ?, ?)", (name, now_ns, objects)
                )
                due.append(name)
                burst -= objects
        return [device for device in self.devices() if device.name in due]

    def end_census(self, device: str, now_ns: int, objects: int) -> None:
        """So many objects were found on a device."""
        self._connection.execute(
            "INSERT OR REPLACE INTO censuses (device, begun_ns, objects) VALUES (?, ?, ?)", (device, now_ns, objects)
        )

    def miss_census(self, device: str) -> None:
        """A device could not be listed: its turn comes again at once."""
        self._connection.execute("UPDATE censuses SET begun_ns = 0 WHERE device = ?", (device,))

    def recount(self, name: str) -> tuple[int, int]:
        """What is noted as reserved on a device, and the sum of its placements."""
        noted = self._row("SELECT reserved_bytes FROM devices WHERE name = ?", name)[0]
        summed = self._row("SELECT coalesce(sum(reserved_bytes), 0) FROM placements WHERE device = ?", name)[0]
        return noted, summed

    def set_reserved(self, name: str, reserved_bytes: int) -> None:
        """Note what is really reserved."""
        self._connection.execute("UPDATE devices SET reserved_bytes = ? WHERE name = ?", (reserved_bytes, name))
        self._note("capacity", device=name, reserved_bytes=reserved_bytes)

    def _reserve(self, device: str, more_bytes: int) -> None:
        if more_bytes:
            self._connection.execute(
                "UPDATE devices SET reserved_bytes = reserved_bytes + ? WHERE name = ?", (more_bytes, device)
            )
            (reserved_bytes,) = self._row("SELECT reserved_bytes FROM devices WHERE name = ?", device)
            self._note("capacity", device=device, reserved_bytes=reserved_bytes)


def _placement(row: Iterable[Any]) -> PlacementRecord:
    uri, device, state, purpose, job, reserved_bytes, used_ns, version = row
    return PlacementRecord(uri, device, _STATES[state], _PURPOSES[purpose], job, reserved_bytes, used_ns, version)


def _moved(record: PlacementRecord, state: State, job: int | None) -> PlacementRecord:
    return PlacementRecord(
        record.uri, record.device, state, record.purpose, job, record.reserved_bytes, record.used_ns, record.version + 1
    )


def _device(row: Iterable[Any]) -> DeviceRecord:
    name, travel, capabilities, capacity_bytes, provider, state, reserved_bytes, zone = row
    policy, able, narrowed = _parsed(travel, capabilities)
    return DeviceRecord(
        name, travel, policy, able, capacity_bytes, provider, _DEVICE_STATES[state], reserved_bytes, zone, narrowed
    )


@lru_cache(maxsize=1024)
def _parsed(travel: str, capabilities: str) -> tuple[Policy, Capabilities, Allowance]:
    """A device is read at every step of every job, and its texts hardly ever change."""
    policy, able = StorageDevice.from_json(travel).policy, Capabilities.from_json(json.loads(capabilities))
    return policy, able, allowance_of(able, policy)


# Found in a table rather than made by the class: rows are read at every step.
_STATES = {str(state): state for state in State}
_PURPOSES = {str(purpose): purpose for purpose in Purpose}
_DEVICE_STATES = {str(state): state for state in DeviceState}


__all__ = ["Fact", "Session", "StaleRecord"]

"""What is looked at before a job begins, inside the transaction that begins it. Each raises the contract's error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from storcert.harness.contract import (
    DataObjectUri,
    InvalidRequest,
    ObjectExists,
    ObjectInUse,
    ObjectKind,
    ObjectNotFound,
    Role,
    StorageError,
)
from storcert.harness.logical.operations import ready_placements
from storcert.harness.logical.placement import choose, refuse_write, zone_of
from storcert.harness.logical.providers import Demand, Providers
from storcert.harness.logical.records import Purpose
from storcert.harness.logical.removing import device_named
from storcert.harness.logical.session import Session
from storcert.harness.logical.states import State
from storcert.harness.logical.topology import Topology

Result = Mapping[str, Any]
LASTS_MAX_NS = 30 * 24 * 3600 * 10**9


def want(uri: DataObjectUri, kind: ObjectKind) -> None:
    """The object must be of that kind. Raises ``InvalidRequest``."""
    if uri.kind is not kind:
        raise InvalidRequest(f"a {kind} was due, not a {uri.kind}", uri)


def want_time(lasts_ns: int) -> None:
    """What a client is given lasts for a while, at most ``LASTS_MAX_NS``. Raises ``InvalidRequest``."""
    if not 0 < lasts_ns <= LASTS_MAX_NS:
        raise InvalidRequest(f"a URL lasts for 1 to {LASTS_MAX_NS} ns, not for {lasts_ns}")


def refuse_known(session: Session, uri: DataObjectUri) -> None:
    """The object must not be anywhere yet. Raises ``ObjectExists``."""
    if any(placement.state is State.READY for placement in session.placements(str(uri))):
        raise ObjectExists("it is there", uri)


def there(session: Session, uri: DataObjectUri, size_bytes: int | None) -> Result | None:
    """The answer for something that is done already; ``None`` where it is not. Raises ``ObjectExists`` for another size."""
    device = next((one.device for one in session.placements(str(uri)) if one.state is State.READY), None)
    record = session.find_object(str(uri)) if device is not None else None
    if record is None:
        return None
    if size_bytes is not None and record.size_bytes != size_bytes:
        raise ObjectExists(f"it is there with {record.size_bytes} bytes", uri)
    return {"uri": str(uri), "device": device}


def size_of(session: Session, uri: DataObjectUri) -> int:
    """How large it is, 0 where nobody knows. Raises ``ObjectNotFound``."""
    record = session.find_object(str(uri))
    if record is None:
        raise ObjectNotFound("it is not known", uri)
    return record.size_bytes or 0


def kept_on(session: Session, uri: DataObjectUri, device: str) -> bool:
    """Whether it is ready there, and for keeping."""
    found = session.find_placement(str(uri), device)
    return found is not None and found.state is State.READY and found.purpose is Purpose.KEPT


def home(session: Session, volume: DataObjectUri) -> str:
    """The device a volume is on. Raises ``ObjectNotFound``."""
    for placement in ready_placements(session, str(volume)):
        if placement.purpose is Purpose.KEPT:
            return placement.device
    raise ObjectNotFound("only staged copies of it are there", volume)


def may_move(session: Session, uri: DataObjectUri, device: str) -> None:
    """A volume may go to that device. Raises ``ObjectInUse``, ``ObjectNotFound`` and what speaks against writing there."""
    ready_placements(session, str(uri))
    if session.grants_of(str(uri)):
        raise ObjectInUse("a volume in use is not moved", uri)
    record = session.find_object(str(uri))
    refuse_write(device_named(session, device), uri, None if record is None else record.size_bytes)
    here = home(session, uri)
    for other in session.objects_from(str(uri)):
        # A device may refuse to let a volume go while its snapshots are there; better said before than half way.
        if here != device and other.name.kind is ObjectKind.SNAPSHOT and session.find_placement(other.uri, here):
            raise ObjectInUse(f"snapshot {other.uri} is on the same device", uri)


def candidates(
    topology: Topology, providers: Providers, session: Session, uri: DataObjectUri, demand: Demand, role: Role
) -> tuple[str, ...]:
    """The devices that may take the object, best first. Raises the contract's error that says why there is none."""
    zone = zone_of(topology, demand)
    try:
        found = choose(topology, providers, session.devices_of(role, zone), uri, demand, role)
    except StorageError:
        if zone is None:
            raise
        # Every device of the role is looked at, to say of each what keeps it from taking the object.
        found = choose(topology, providers, session.devices_of(role), uri, demand, role)
    return tuple(device.name for device in found)

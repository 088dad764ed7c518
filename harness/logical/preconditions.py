"""What is looked at before a job begins, inside the transaction that begins it. Each raises the contract's error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from storcert.harness.contract import DataObjectUri, InvalidRequest, ObjectExists, ObjectKind, ObjectNotFound
from storcert.harness.logical.operations import ready_placements
from storcert.harness.logical.records import Purpose
from storcert.harness.logical.session import Session
from storcert.harness.logical.states import State

Result = Mapping[str, Any]


def want(uri: DataObjectUri, kind: ObjectKind) -> None:
    """The object must be of that kind. Raises ``InvalidRequest``."""
    if uri.kind is not kind:
        raise InvalidRequest(f"a {kind} was due, not a {uri.kind}", uri)


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


def home(session: Session, volume: DataObjectUri) -> str:
    """The device a volume is on. Raises ``ObjectNotFound``."""
    for placement in ready_placements(session, str(volume)):
        if placement.purpose is Purpose.KEPT:
            return placement.device
    raise ObjectNotFound("only staged copies of it are there", volume)

"""What every simulated device offers to the kit, and the values that cross that line. No device, no client face here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from storcert.harness.contract import JsonValue
from storcert.harness.kernel.context import current_location
from storcert.harness.record.fault import Fault, Phase
from storcert.harness.record.finding import Finding

if TYPE_CHECKING:
    from storcert.harness.kernel.location import Location


NOT_MODELLED = "not-modelled"


class NotModelled(Exception):
    """A client library call, parameter or behaviour the simulator does not have.

    It counts as the kit's error: never as the driver's failure and never as a pass. It is noted at the location too,
    because a driver that turns whatever is raised into a typed error of its own would hide it.
    """

    def __init__(self, what: str = "") -> None:
        super().__init__(what)
        here = current_location()
        if here is not None:
            here.findings.append(Finding(NOT_MODELLED, what, "", 0))


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One legal fault of a device.

    ``phases``: where in a request it may strike. ``operations``: the request names it makes sense for, or ``("*",)``.
    ``value_unit``: what ``Fault.value`` means (``"bytes"``, ``"ns"``, a sentence, or ``""`` where it is not read).
    ``source``: the document or measured run that shows that a real system does this. ``lasting``: having struck once, it
    keeps the device from being changed until it is healed, so that no driver can take back what it had sent.
    """

    name: str
    phases: tuple[Phase, ...]
    operations: tuple[str, ...]
    value_unit: str
    description: str
    source: str
    lasting: bool = False


@dataclass(frozen=True, slots=True)
class DeviceLimits:
    """Sizes a check needs to reach the interesting edges of a device; ``None`` where the device has no such limit."""

    part_size_bytes: int | None = None
    page_size: int | None = None
    max_object_size_bytes: int | None = None
    name_bytes_max: int | None = None


@dataclass(slots=True)
class Request:
    """One request as the wire saw it. It is filled in while the request lives, therefore not frozen.

    ``index`` counts from 0 in order of sending; ``time_ns`` is the moment of sending; ``sent_bytes`` and
    ``received_bytes`` are body bytes that really passed (an answer nobody read counts for what was read). ``answer``:
    ``"pending"``, ``"ok"``, the device's error code, or what the wire did to it: ``"refused"``, ``"lost"``, ``"cut"``,
    ``"answer-lost"``, ``"crashed"``. ``task``: the name of the task on whose behalf it was. ``faults``: the armed faults that
    struck it. ``ended_ns``: when the caller learnt how it ended, and had as much of the answer's body as it wanted so far;
    ``None`` until then, and for ever where the caller died first.
    """

    index: int
    time_ns: int
    location: str
    operation: str
    target: str
    sent_bytes: int
    received_bytes: int
    answer: str
    task: str = ""
    faults: tuple[Fault, ...] = ()
    ended_ns: int | None = None


@dataclass(frozen=True, slots=True, order=True)
class CensusEntry:
    """One thing that occupies the device: object, version, delete marker, upload, part, entry, lock, snapshot."""

    kind: str
    name: str
    detail: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class OperatorMove:
    """A setting that an operator may change on a device in use. ``text``: in a few words; ``delivered``: options the device is
    delivered with, so that there is something to change."""

    name: str
    text: str
    delivered: Mapping[str, Any]


@runtime_checkable
class OperatedDevice(Protocol):
    """A device that has such settings."""

    operator_moves: tuple[OperatorMove, ...]

    def operate(self, move: str) -> None:
        """Change that setting, from outside of every location. ``KeyError`` for a move there is none of."""
        ...


class SimulatedDevice(Protocol):
    """A device model with its client face, as the kit sees it."""

    name: str
    legal_faults: tuple[FaultKind, ...]
    limits: DeviceLimits

    @property
    def requests(self) -> list[Request]:
        """Every request sent to the device so far, oldest first."""
        ...

    @property
    def fired(self) -> list[Fault]:
        """The armed faults that struck, once per strike, oldest first."""
        ...

    def configuration(self) -> dict[str, JsonValue]:
        """What a driver is given by default to reach this device."""
        ...

    def attach(self, location: Location) -> None:
        """Client libraries at that location reach this device; sets the credentials in its environment."""
        ...

    def census(self) -> tuple[CensusEntry, ...]:
        """All the device holds, sorted: what a leak check looks at."""
        ...

    def arm(self, faults: Sequence[Fault]) -> None:
        """Replace the fault schedule; counters start again at 1. ``ValueError`` for a fault that is not legal here."""
        ...

    def heal(self) -> None:
        """No faults any more, server up, space free, speed normal."""
        ...


def later_faults(device: object) -> tuple[FaultKind, ...]:
    """Faults of a device that are legal and were learnt of after the contract was frozen: no frozen check tries them."""
    found: tuple[FaultKind, ...] = getattr(device, "later_faults", ())
    return found

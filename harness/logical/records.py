"""The rows of the catalogue, as values. What they mean stands here; how they are kept stands in ``repository``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from storcert.harness.contract import Allowance, Capabilities, DataObjectUri, Policy, constrain
from storcert.harness.logical.states import State


@dataclass(frozen=True, slots=True)
class ObjectRecord:
    """A data object the control plane knows. ``size_bytes`` and ``digest`` are ``None`` until they are known; a digest is
    ``"<algorithm>:<hex>"``. ``origin``: text of the URI it was made from, or ``""``; of a snapshot: its volume."""

    uri: str
    size_bytes: int | None
    digest: str | None
    origin: str
    created_ns: int
    version: int = 0

    @property
    def name(self) -> DataObjectUri:
        """The URI as a value."""
        return DataObjectUri.parse(self.uri)


class Purpose(StrEnum):
    """Why an object is on a device: because somebody wants it there, or only on its way to somewhere else."""

    KEPT = "kept"
    STAGED = "staged"


@dataclass(frozen=True, slots=True)
class PlacementRecord:
    """An object on a device. ``job``: who owns a transitional state, else ``None``. ``reserved_bytes``: what it counts
    against the device's capacity. ``used_ns``: when a staged copy was last of use."""

    uri: str
    device: str
    state: State
    purpose: Purpose
    job: int | None
    reserved_bytes: int
    used_ns: int
    version: int = 0


class DeviceState(StrEnum):
    """Whether a device takes new objects. One in maintenance still serves what is on it."""

    UP = "up"
    MAINTENANCE = "maintenance"


def allowance_of(capabilities: Capabilities, policy: Policy) -> Allowance:
    """What may be done on a device: capability narrowed by policy."""
    return constrain(capabilities, policy)


@dataclass(frozen=True, slots=True)
class DeviceRecord:
    """A storage device as the operator attached it. ``travel``: its JSON, secrets as references; ``reserved_bytes``: sum
    over its placements. ``provider``: whose rules place objects on it. ``zone``: where it is, empty for one of the region.
    ``narrowed``: its allowance, where that is worked out already."""

    name: str
    travel: str
    policy: Policy
    capabilities: Capabilities
    capacity_bytes: int
    provider: str
    state: DeviceState = DeviceState.UP
    reserved_bytes: int = 0
    zone: str = ""
    narrowed: Allowance | None = field(default=None, repr=False, compare=False)

    @property
    def allowance(self) -> Allowance:
        """What may be done on it: capability narrowed by policy."""
        return self.narrowed or allowance_of(self.capabilities, self.policy)

    @property
    def free_bytes(self) -> int:
        """What is neither used nor promised, within capacity and quota."""
        limit = self.capacity_bytes if self.policy.quota_bytes is None else min(self.capacity_bytes, self.policy.quota_bytes)
        return limit - self.reserved_bytes


class JobState(StrEnum):
    """A job ends exactly once (L-ONCE)."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class JobRecord:
    """One thing somebody asked for. ``key``: two unfinished jobs never share one (L-SINGLE). ``plan``: what was decided,
    kept so that whoever takes over goes on with it. ``owner`` (a server's name and boot) holds it as long as its heart beats;
    ``version`` grows with every change of owner, and a server that lost a job can change nothing for it any more. ``result``:
    a JSON object; of a failed job, the error."""

    id: int
    kind: str
    key: str
    arguments: Mapping[str, Any]
    state: JobState
    owner: str
    created_ns: int
    plan: Mapping[str, Any] = field(default_factory=dict)
    result: Mapping[str, Any] = field(default_factory=dict)
    attempts: int = 1
    version: int = 0
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class GrantRecord:
    """A host may use a volume: taken by attach, released by detach, or when the host is known to be dead (L-BALANCE).
    ``boot``: of the host's agent when it was granted."""

    volume: str
    host: str
    boot: str
    granted_ns: int


class LinkKind(StrEnum):
    """What a client may do with a URL."""

    UPLOAD = "upload"
    DOWNLOAD = "download"


@dataclass(frozen=True, slots=True)
class LinkRecord:
    """A URL that a client was given: ``url``, whose end is ``key``, at the agent of ``location`` (``boot``: as it ran then);
    empty until there is one. Nothing passes from ``expires_ns`` on. ``job``: which gave it and will take it back, or ``None``
    where it is kept until it is released (L-BALANCE). ``wanted``: until somebody wanted it released."""

    id: int
    kind: LinkKind
    uri: str
    device: str
    location: str
    boot: str
    url: str
    key: str
    expires_ns: int
    job: int | None
    wanted: bool = True

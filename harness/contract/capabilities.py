"""What a device can do (``Capabilities``), what the operator allows (``Policy``), and their meeting point (``constrain``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Self, TypeVar

from storcert.harness.contract.errors import InvalidRequest
from storcert.harness.contract.uri import ObjectKind

T = TypeVar("T")


def _optional_count(name: str, value: object, minimum: int) -> None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < minimum):
        raise InvalidRequest(f"{name} must be None or a whole number of at least {minimum}, not {value!r}")


def _kinds(value: Iterable[str]) -> frozenset[ObjectKind]:
    try:
        return frozenset(ObjectKind(kind) for kind in value)
    except ValueError as error:
        raise InvalidRequest(f"kinds: {error}") from None


def _from_json(cls: type[T], value: Mapping[str, Any]) -> T:
    known = {field.name for field in fields(cls)}  # type: ignore[arg-type]
    unknown = sorted(set(value) - known)
    if unknown:
        raise InvalidRequest(f"{cls.__name__} has no field {unknown[0]!r}; it has {', '.join(sorted(known))}")
    return cls(**value)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a device can do, declared by its driver. Every default means "not supported" or "no limit".

    ``max_object_size_bytes``: largest object, ``None`` for no limit. ``size_granularity_bytes``: sizes are multiples of
    it. ``on_device_copy``: ``copy`` works without moving bytes through the location. ``range_read``: ``open_input``
    takes offset and length. ``random_access``, ``snapshots``, ``revert``, ``clone``: the optional protocols.
    ``digest``: name of the algorithm ``describe`` reports, or ``None``. ``enumerate``: ``list_objects`` works.
    ``max_name_bytes``: longest account or object id in UTF-8 bytes, ``None`` for the contract's own limit.
    """

    kinds: frozenset[ObjectKind] = frozenset(ObjectKind)
    max_object_size_bytes: int | None = None
    size_granularity_bytes: int = 1
    on_device_copy: bool = False
    range_read: bool = False
    random_access: bool = False
    snapshots: bool = False
    revert: bool = False
    clone: bool = False
    digest: str | None = None
    enumerate: bool = False
    max_name_bytes: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "kinds", _kinds(self.kinds))
        _optional_count("max_object_size_bytes", self.max_object_size_bytes, 0)
        _optional_count("size_granularity_bytes", self.size_granularity_bytes, 1)
        _optional_count("max_name_bytes", self.max_name_bytes, 1)

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every field; ``kinds`` as a sorted list."""
        value = {field.name: getattr(self, field.name) for field in fields(self)}
        value["kinds"] = sorted(self.kinds)
        return value

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Inverse of :meth:`to_json`. Raises :class:`InvalidRequest` for an unknown field or a bad value."""
        return _from_json(cls, value)


class Role(StrEnum):
    """What a device is used for."""

    PRIMARY = "primary"
    IMAGE = "image"
    STAGING = "staging"


class Scope(StrEnum):
    """How far a device reaches."""

    HOST = "host"
    CLUSTER = "cluster"
    ZONE = "zone"
    REGION = "region"


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator allows on one device. A driver never sees it.

    ``kinds`` ``None`` means every kind the device can hold; byte limits ``None`` mean no limit.
    """

    role: Role = Role.PRIMARY
    scope: Scope = Scope.ZONE
    scope_id: str = ""
    kinds: frozenset[ObjectKind] | None = None
    quota_bytes: int | None = None
    max_object_size_bytes: int | None = None
    read_only: bool = False
    max_concurrent_transfers: int | None = None
    verify_digest: bool = False

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "role", Role(self.role))
            object.__setattr__(self, "scope", Scope(self.scope))
        except ValueError as error:
            raise InvalidRequest(f"policy: {error}") from None
        if self.kinds is not None:
            object.__setattr__(self, "kinds", _kinds(self.kinds))
        _optional_count("quota_bytes", self.quota_bytes, 0)
        _optional_count("max_object_size_bytes", self.max_object_size_bytes, 0)
        _optional_count("max_concurrent_transfers", self.max_concurrent_transfers, 1)

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every field; ``kinds`` as a sorted list or null."""
        value = {field.name: getattr(self, field.name) for field in fields(self)}
        value["kinds"] = None if self.kinds is None else sorted(self.kinds)
        return value

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Inverse of :meth:`to_json`. Raises :class:`InvalidRequest` for an unknown field or a bad value."""
        return _from_json(cls, value)


@dataclass(frozen=True, slots=True)
class Allowance(Capabilities):
    """What may be done on a device: its capabilities narrowed by its policy, never widened.

    Beside the narrowed capabilities: ``read_only``, ``quota_bytes``, ``max_concurrent_transfers`` and ``verify_digest``
    as the policy gives them.
    """

    read_only: bool = False
    quota_bytes: int | None = None
    max_concurrent_transfers: int | None = None
    verify_digest: bool = False

    def may_read(self, kind: ObjectKind | str) -> bool:
        """Whether objects of ``kind`` may be read."""
        return ObjectKind(kind) in self.kinds

    def may_write(self, kind: ObjectKind | str) -> bool:
        """Whether objects of ``kind`` may be created, deleted or changed."""
        return not self.read_only and self.may_read(kind)


def constrain(capabilities: Capabilities, policy: Policy) -> Allowance:
    """What may be done on a device: pure, total, and never more than the device can do.

    Kinds are intersected, byte limits take the least of capability, policy and quota; a read-only device loses every
    ability that changes it (copy, snapshots, revert, clone).
    """
    changes = not policy.read_only
    return Allowance(
        kinds=capabilities.kinds if policy.kinds is None else capabilities.kinds & policy.kinds,
        max_object_size_bytes=_least(
            capabilities.max_object_size_bytes, policy.max_object_size_bytes, policy.quota_bytes
        ),
        size_granularity_bytes=capabilities.size_granularity_bytes,
        on_device_copy=capabilities.on_device_copy and changes,
        range_read=capabilities.range_read,
        random_access=capabilities.random_access,
        snapshots=capabilities.snapshots and changes,
        revert=capabilities.revert and changes,
        clone=capabilities.clone and changes,
        digest=capabilities.digest,
        enumerate=capabilities.enumerate,
        max_name_bytes=capabilities.max_name_bytes,
        read_only=policy.read_only,
        quota_bytes=policy.quota_bytes,
        max_concurrent_transfers=policy.max_concurrent_transfers,
        verify_digest=policy.verify_digest,
    )


def _least(*limits: int | None) -> int | None:
    present = [limit for limit in limits if limit is not None]
    return min(present) if present else None

"""Motion planning: how an object comes from where it is to where it is wanted, and which location does the work. Pure.

Every way is listed, with the best locations for it, and the best one taken. The order is explicit and total: no location to
be avoided, then the way (as :class:`Way` lists them), then the names of source and staging device. Two plans never tie.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TypeAlias

from storcert.harness.contract import DataObjectUri, ObjectKind, Role, StorageError, Unsupported
from storcert.harness.logical.placement import refuse_write
from storcert.harness.logical.providers import Providers, Way
from storcert.harness.logical.records import DeviceRecord, DeviceState
from storcert.harness.logical.topology import Topology
from storcert.harness.record.command import Verb

_WAYS = tuple(Way)
_Hop: TypeAlias = tuple[Verb, DeviceRecord, DeviceRecord, DataObjectUri, DataObjectUri]


@dataclass(frozen=True, slots=True)
class Leg:
    """One step: ``source`` on ``source_device`` becomes ``target`` on ``target_device``, done at ``location``. ``verb``: what
    the agent there is asked to do."""

    verb: Verb
    source: str
    source_device: str
    target: str
    target_device: str
    location: str

    def to_json(self) -> dict[str, str]:
        """All fields by name."""
        return {name: str(getattr(self, name)) for name in self.__slots__}

    @classmethod
    def from_json(cls, value: Mapping[str, str]) -> Self:
        """Inverse of :meth:`to_json`."""
        verb = Verb(value["verb"])
        return cls(verb, *(value[name] for name in cls.__slots__ if name != "verb"))


@dataclass(frozen=True, slots=True)
class Plan:
    """``legs`` in order. What all but the last make is in between: a staged copy that is kept for whoever comes next, or a
    snapshot that goes when the plan is through."""

    way: Way
    legs: tuple[Leg, ...]

    def to_json(self) -> dict[str, Any]:
        """A JSON object, as it stands in the journal of a job."""
        return {"way": str(self.way), "legs": [leg.to_json() for leg in self.legs]}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Inverse of :meth:`to_json`."""
        return cls(Way(value["way"]), tuple(Leg.from_json(leg) for leg in value["legs"]))


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be copied: ``sources``, the devices that hold ``source`` now; to ``target`` on ``device``. ``size_bytes``
    may be ``None`` while nobody knows it. ``live``: somebody writes to the source meanwhile, so only a way that copies it
    as it is at one moment will do. ``between``: name for what is only wanted in between."""

    source: DataObjectUri
    sources: tuple[DeviceRecord, ...]
    target: DataObjectUri
    device: DeviceRecord
    size_bytes: int | None
    between: DataObjectUri
    live: bool = False


@dataclass(frozen=True, slots=True)
class Planner:
    """What plans are made of. ``busy``: jobs per location; ``avoid``: locations that did not answer, used only where there is
    no other."""

    topology: Topology
    providers: Providers
    devices: Sequence[DeviceRecord]
    busy: Mapping[str, int] = field(default_factory=dict)
    avoid: Collection[str] = ()

    def plan(self, wish: Wish) -> Plan:
        """The best plan. Raises the contract's error for what policy or capability forbid at the destination, and
        ``Unsupported`` where no way leads there."""
        refuse_write(wish.device, wish.target, wish.size_bytes)
        found = min(self._plans(wish), key=self._order, default=None)
        if found is None:
            raise Unsupported(f"no way leads from {_names(wish.sources)} to {wish.device.name}", wish.target)
        return found

    def _order(self, plan: Plan) -> tuple[Any, ...]:
        avoided = sum(leg.location in self.avoid for leg in plan.legs)
        return avoided, _WAYS.index(plan.way), plan.legs[0].source_device, [leg.target_device for leg in plan.legs]

    def _plans(self, wish: Wish) -> Iterator[Plan]:
        """One plan for each way, source and staging device, each with the best locations for it."""
        for source in wish.sources:
            if not source.allowance.may_read(wish.source.kind):
                continue
            allowed = self.providers.of(wish.device).ways(source, wish.device)
            for way, hops in self._ways(source, wish):
                legs = self._legs(hops) if way in allowed else None
                if legs is not None:
                    yield Plan(way, legs)

    def _ways(self, source: DeviceRecord, wish: Wish) -> Iterator[tuple[Way, tuple[_Hop, ...]]]:
        """Every way from this source, as far as capability and policy go."""
        able, end = source.allowance, wish.device
        here = source.name == end.name
        whole = (source, end, wish.source, wish.target)
        kinds = (wish.source.kind, wish.target.kind)
        from_volume = wish.source.kind is ObjectKind.VOLUME and able.snapshots
        if here and from_volume and wish.target.kind is ObjectKind.SNAPSHOT:
            yield Way.SNAPSHOT, ((Verb.SNAPSHOT, *whole),)
        if here and kinds == (ObjectKind.SNAPSHOT, ObjectKind.VOLUME) and able.clone:
            yield Way.CLONE, ((Verb.CLONE, *whole),)
        if here and able.on_device_copy and wish.source != wish.target:
            yield Way.DEVICE_COPY, ((Verb.DEVICE_COPY, *whole),)
        if from_volume and able.may_write(ObjectKind.SNAPSHOT):
            snapshot = wish.target if wish.target.kind is ObjectKind.SNAPSHOT and not here else wish.between
            first = (Verb.SNAPSHOT, source, source, wish.source, snapshot)
            if here and wish.target.kind is ObjectKind.VOLUME and able.clone and wish.source != wish.target:
                yield Way.SNAPSHOT_CLONE, (first, (Verb.CLONE, source, end, snapshot, wish.target))
            if not here and wish.live:
                yield Way.SNAPSHOT_STREAM, (first, (Verb.STREAM, source, end, snapshot, wish.target))
        if wish.live or (here and wish.source == wish.target):
            return
        yield Way.STREAM, ((Verb.STREAM, *whole),)
        if not here and source.policy.role is not Role.STAGING:
            # A volume may be written to as soon as this is over, and what is staged of it is of no use to anybody else then.
            staged = wish.between if wish.source.kind is ObjectKind.VOLUME else wish.source
            for stage in self._stages(wish, source, staged):
                first = (Verb.STREAM, source, stage, wish.source, staged)
                yield Way.STAGED, (first, (Verb.STREAM, stage, end, staged, wish.target))

    def _legs(self, hops: tuple[_Hop, ...]) -> tuple[Leg, ...] | None:
        """The hops with the best location for each; ``None`` where one of them has none."""
        legs = []
        for verb, source, target, source_uri, target_uri in hops:
            place = self.topology.executors(source.policy, target.policy).pick(self.busy, self.avoid)
            if place is None:
                return None
            legs.append(Leg(verb, str(source_uri), source.name, str(target_uri), target.name, place.name))
        return tuple(legs)

    def _stages(self, wish: Wish, source: DeviceRecord, staged: DataObjectUri) -> Iterator[DeviceRecord]:
        for device in self.devices:
            if device.policy.role is not Role.STAGING or device.state is not DeviceState.UP:
                continue
            if device.name in (source.name, wish.device.name):
                continue
            try:
                refuse_write(device, staged, wish.size_bytes)
            except StorageError:
                continue
            yield device


def _names(devices: Iterable[DeviceRecord]) -> str:
    return ", ".join(sorted(device.name for device in devices)) or "nowhere"

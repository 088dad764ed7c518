"""The world as it stands at one moment of a run: devices, locations, and who waits for whom. Looked at from outside, between
two events; nothing here changes anything. What the catalogue says is read from the facts, in ``moment_facts``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from storcert.harness.kernel import Task
from storcert.harness.record.fault import Fault
from storcert.scenarios.region import Region
from storcert.simulators.device import CensusEntry, Request
from storcert.simulators.network.wire import Wire

IDLE = frozenset(("message", "commands", "leave", "sleep"))
"""What those wait for who have nothing to do."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that nobody knows the end of yet. ``since_ns``: when it was sent, virtual Unix time."""

    wire: str
    index: int
    location: str
    task: str
    operation: str
    target: str
    since_ns: int
    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        return f"{self.operation} {self.target}".rstrip() + f" at {self.wire}"


@dataclass(frozen=True, slots=True)
class Waits:
    """A task that has not ended. ``location``: empty for one of the kit's own. ``reason``: what it waits for, in the kernel's
    words; ``request``: the one it waits for the answer of. ``whom``: the task it waits for, as ``location: name``, where there
    is one; ``gone``: it waits for the answer of a command that nobody works on."""

    location: str
    task: str
    reason: str
    request: Asked | None = None
    whom: str = ""
    gone: bool = False

    @property
    def idle(self) -> bool:
        """Whether it only waits for something to do, or for time to pass."""
        return self.request is None and not self.whom and self.reason in IDLE


@dataclass(frozen=True, slots=True)
class LocationThere:
    """A location. ``state``: ``up``, ``paused`` or ``down``; ``life``: how often it was started again; ``cut_off``: whom it
    cannot reach, or is not reached by."""

    name: str
    state: str
    life: int
    booted_ns: int
    tasks: tuple[Waits, ...]
    cut_off: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeviceThere:
    """A device, or another wire: the catalogue, the web servers. ``armed``: each fault with how many of its requests there were
    so far; ``struck``: faults that did, oldest first; ``down_ns``: how much longer it refuses connections; ``census``: all it
    holds, ``None`` where that is not known."""

    name: str
    requests: int
    under_way: tuple[Asked, ...]
    armed: tuple[tuple[Fault, int], ...]
    struck: tuple[Fault, ...]
    down_ns: int
    census: tuple[CensusEntry, ...] | None
    cut_off: tuple[str, ...]


def places_of(region: Region) -> tuple[str, ...]:
    """Every location so far, by name."""
    return tuple(sorted(region.kernel.locations))


def wires_of(region: Region) -> tuple[str, ...]:
    """Everything that has requests: devices, the catalogue, the web servers; by name."""
    return tuple(sorted({wire.name for wire in region.network.wires}))


def waits_of(region: Region) -> tuple[Waits, ...]:
    """Every task that has not ended, oldest first."""
    kernel = region.kernel
    asked = {(one.location, one.task): one for one in _under_way(region.network.wires)}
    tasks = kernel.tasks
    ended = {task.end_waited_for: task for task in tasks if task.end_waited_for is not None}
    working = {(_where(task), task.name) for task in tasks}
    return tuple(_waits(task, asked, ended, working) for task in tasks)


def _where(task: Task) -> str:
    return task.location.name if task.location is not None else ""


def _waits(
    task: Task, asked: dict[tuple[str, str], Asked], ended: dict[Any, Task], working: set[tuple[str, str]]
) -> Waits:
    where, reason = _where(task), task.waiting_for or "runs"
    request = asked.get((where, task.behalf))
    if request is not None:
        return Waits(where, task.name, reason, request)
    other = ended.get(task.awaited)
    if other is not None:
        return Waits(where, task.name, reason, None, f"{_where(other)}: {other.name}".removeprefix(": "))
    name, at, place = reason.rpartition(" at ")
    if at:  # a command: the agent's task is called as what it does
        there = (place, name) in working
        return Waits(where, task.name, reason, None, f"{place}: {name}" if there else "", not there)
    return Waits(where, task.name, reason)


def _under_way(wires: list[Wire]) -> list[Asked]:
    return [
        Asked(
            wire.name, one.index, one.location, one.task, one.operation, one.target, one.time_ns, one.faults)
        for wire in wires
        for one in wire.requests
        if _unended(one)
    ]


def _unended(request: Request) -> bool:
    return request.ended_ns is None and request.answer not in ("crashed", "no-connection", "refused")


def location_there(region: Region, name: str) -> LocationThere:
    """Raises ``KeyError`` where there is no such location (yet)."""
    location = region.kernel.locations[name]
    state = "down" if not location.alive else "paused" if location.paused else "up"
    tasks = tuple(one for one in waits_of(region) if one.location == name)
    return LocationThere(name, state, location.epoch, location.booted_ns, tasks, _cut_off(region, name))


def device_there(region: Region, name: str) -> DeviceThere:
    """Raises ``KeyError`` where nothing is called so."""
    wires = [wire for wire in region.network.wires if wire.name == name]
    if not wires:
        raise KeyError(name)
    down_ns = max(0, *(wire.down_until_ns - region.kernel.now_ns for wire in wires))
    under_way = tuple(one for one in _under_way(wires) if _lives(region, one))
    return DeviceThere(
        name, sum(len(wire.requests) for wire in wires), under_way,
        tuple(one for wire in wires for one in wire.plan.waiting()),
        tuple(fault for wire in wires for fault in wire.plan.fired), down_ns,
        region.simulated(name).census() if name in region.devices else None, _cut_off(region, name))


def _lives(region: Region, asked: Asked) -> bool:
    """Whether whoever asked has not been started again since."""
    location = region.kernel.locations[asked.location]
    return location.alive and location.booted_ns <= asked.since_ns


def _cut_off(region: Region, name: str) -> tuple[str, ...]:
    everybody = sorted({*places_of(region), *wires_of(region)} - {name})
    return tuple(one for one in everybody if not region.network.joined(name, one))

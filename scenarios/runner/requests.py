"""What each step that is asked of the control plane means: one call of :class:`ControlPlane`, or a look at its catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from storcert.harness.contract import DataObjectUri, ObjectNotFound, StorageError
from storcert.harness.logical.control_plane import ControlPlane
from storcert.harness.logical.records import DeviceState, Purpose
from storcert.harness.logical.states import State
from storcert.scenarios.format import steps

Body = Callable[[ControlPlane], Any]


def _no_links(name: str) -> Mapping[str, Any]:
    raise ObjectNotFound(f"step {name} has made no link")


def body_of(
    step: steps.Request, zones: Sequence[str], link_of: Callable[[str], Mapping[str, Any]] = _no_links
) -> Body:
    """What is called at the management server. ``zones``: all there are; the only one is meant where none is said.
    ``link_of``: the link that a step has made, by the step's name."""
    match step:
        case steps.Create():
            where = _where(step, zones)
            return lambda control: control.create_volume(_uri(step.object), step.size_bytes, **where)
        case steps.CreateFrom():
            where = _where(step, zones)
            return lambda control: control.create_from(_uri(step.object), _uri(step.source), **where)
        case steps.Register():
            zone = step.zone or ("" if step.device else zones[0])
            return lambda control: control.register(
                _uri(step.object), step.url, zone=zone, device=step.device or "", size_bytes=step.size_bytes,
                digest=step.digest)
        case steps.Upload():
            zone = step.zone or ("" if step.device else zones[0])
            return lambda control: control.upload(
                _uri(step.object), zone=zone, device=step.device or "", size_bytes=step.size_bytes, lasts_ns=step.lasts_ns)
        case steps.MakeLink():
            return lambda control: control.link(_uri(step.object), step.lasts_ns)
        case steps.Unlink():
            return lambda control: control.unlink(link_of(step.link)["link"])
        case steps.TakeSnapshot():
            return lambda control: control.take_snapshot(_uri(step.volume), _uri(step.object), step.device or "")
        case steps.Copy():
            return lambda control: control.copy(_uri(step.object), step.device)
        case steps.Seed():
            return lambda control: _seed(control, step, zones)
        case steps.Migrate():
            return lambda control: control.migrate(_uri(step.object), step.device)
        case steps.Export():
            return lambda control: control.export(_uri(step.object), step.url)
        case steps.Revert():
            return lambda control: control.revert(_uri(step.volume), _uri(step.snapshot))
        case steps.Delete():
            return lambda control: control.delete(_uri(step.object), dependants=step.dependants)
        case steps.Attach():
            io = None if step.write_every_ns is None else {
                "pause_ns": step.write_every_ns, "block_bytes": step.block_bytes, "flush_every": step.flush_every}
            return lambda control: control.attach(_uri(step.volume), step.host, io)
        case steps.Detach():
            return lambda control: control.detach(_uri(step.volume), step.host)
        case steps.Fence():
            return lambda control: control.fence(step.host)
        case steps.Cancel():
            return lambda control: control.cancel(f"{step.object}@{step.device}" if step.device else step.object)
        case steps.Reconcile():
            return lambda control: control.reconcile()
        case steps.Maintenance():
            state = DeviceState.MAINTENANCE if step.on else DeviceState.UP
            return lambda control: control.set_device_state(step.device, state)
        case steps.Check():
            return lambda control: _check(control, step)


def _uri(text: str) -> DataObjectUri:
    return DataObjectUri.parse(text)


def _where(step: steps.Placed, zones: Sequence[str]) -> dict[str, str]:
    if step.device:
        return {"device": step.device}
    said = {key: getattr(step, key) for key in ("zone", "cluster", "host") if getattr(step, key)}
    return said or {"zone": zones[0]}


def _seed(control: ControlPlane, step: steps.Seed, zones: Sequence[str]) -> Any:
    """Raises the error of the first zone that has one, once all have ended."""
    found = control.seed(_uri(step.object), step.zones or zones)
    for result in found.values():
        if isinstance(result, StorageError):
            raise result
    return found


def _check(control: ControlPlane, step: steps.Check) -> None:
    placed = control.surroundings.transact("check", lambda session: session.placements(step.object))
    ready = sorted(one.device for one in placed if one.state is State.READY and one.purpose is Purpose.KEPT)
    if ready != sorted(step.on):
        raise ObjectNotFound(f"it is ready on {', '.join(ready) or 'no device'}, not on {', '.join(sorted(step.on)) or 'none'}")

"""Access: a host may use a volume between attach and detach. Taken before the host begins, released after it has ended.

A host whose agent was restarted has lost its virtual machines, and what it was granted is taken back by reconciliation. While
a host cannot be reached nobody knows whether it still writes: its grants stay, and so does everything that they protect, until
somebody who knows says so (``fencing``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from storcert.harness.contract import InvalidRequest, ObjectInUse, StorageError, Unsupported
from storcert.harness.logical.engine import Handler
from storcert.harness.logical.operations import ready_placements
from storcert.harness.logical.records import DeviceRecord, GrantRecord, Purpose
from storcert.harness.logical.removing import blocked, device_named
from storcert.harness.logical.session import Session
from storcert.harness.logical.topology import LocationKind
from storcert.harness.logical.work import Lost, Work
from storcert.harness.record.command import Verb


def attach(work: Work) -> Mapping[str, Any]:
    """``uri`` (a volume) to ``host``; ``io``: what a virtual machine does with it meanwhile, in words of the agent."""
    uri, host = work.arguments["uri"], work.arguments["host"]
    place = work.engine.topology.place(host)
    if place.kind is not LocationKind.HOST:
        raise InvalidRequest(f"{host!r} is no hypervisor host", uri)
    boot = _boot(work, host)

    def take(session: Session) -> DeviceRecord:
        placement = next((one for one in ready_placements(session, uri) if one.purpose is Purpose.KEPT), None)
        if placement is None:
            raise InvalidRequest("only staged copies of it are there", uri)
        device = device_named(session, placement.device)
        if not work.engine.topology.reaches(host, device.policy):
            raise InvalidRequest(f"host {host!r} does not reach device {device.name!r}", uri)
        if not device.allowance.random_access:
            raise Unsupported(f"volumes on device {device.name!r} cannot be written in place", uri)
        if (host, boot) in session.fences():
            raise ObjectInUse(f"host {host!r} was fenced and has not let go of everything yet", uri)
        granted = session.grants_of(uri)
        if any(grant.host != host for grant in granted):
            raise ObjectInUse(f"host {granted[0].host} uses it", uri)
        reason = "" if granted else blocked(session, placement, work.job.id)
        if reason:
            raise ObjectInUse(reason, uri)
        session.grant(GrantRecord(uri, host, boot, session.now_ns))
        return device

    device = work.transact("grant", take)
    told = {"device": device.travel, "device_name": device.name, "volume": uri, "io": work.arguments.get("io")}
    try:
        work.ask(host, Verb.ATTACH, told)
    except Lost as silence:
        _undo(work, host, uri)
        raise silence.error(uri) from None
    except StorageError:
        _undo(work, host, uri)
        raise
    return {"uri": uri, "host": host}


def _undo(work: Work, host: str, uri: str) -> None:
    """Nothing runs at the host: make sure, then take the grant back. A host that does not answer keeps it."""
    try:
        work.ask(host, Verb.DETACH, {"volume": uri})
    except (StorageError, Lost):
        return
    work.transact("revoke", lambda session: session.revoke(uri, host))


def detach(work: Work) -> Mapping[str, Any]:
    """``uri`` from ``host``. Nothing to do where it is not attached."""
    uri, host = work.arguments["uri"], work.arguments["host"]
    granted = work.transact("look", lambda session: session.grants_of(uri))
    if not any(grant.host == host for grant in granted):
        return {"uri": uri, "host": host}
    try:
        result = work.ask(host, Verb.DETACH, {"volume": uri})
    except Lost as silence:
        raise silence.error(uri) from None
    told = {"uri": uri, "host": host, **result}

    def release(session: Session) -> None:
        session.revoke(uri, host)
        work.end(session, told)

    work.transact("revoke", release)
    return told


def _boot(work: Work, host: str) -> str:
    try:
        return str(work.ask(host, Verb.HELLO, {})["boot"])
    except Lost as silence:
        raise silence.error(work.arguments["uri"]) from None


HANDLERS: Mapping[str, Handler] = {"attach": attach, "detach": detach}

"""Fencing: a host that never comes back, by the word of the operator. Only he knows that it was switched off, or cut off from
every device; to a server, a dead host and one that cannot be reached look alike.

What the host was granted is taken back at once, so that its volumes can be attached elsewhere, moved and deleted. The run of
its agent that was fenced is remembered: should it be alive after all and be reached again, reconciliation has it close every
volume that it was not granted anew. What it wrote until then nobody could prevent from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from storcert.harness.contract import InvalidRequest, ObjectInUse, StorageError
from storcert.harness.logical.engine import Engine, Handler, run_quietly
from storcert.harness.logical.session import Session
from storcert.harness.logical.topology import LocationKind
from storcert.harness.logical.work import Lost, Work
from storcert.harness.record.command import Verb


def fence(work: Work) -> Mapping[str, Any]:
    """``host`` never comes back as it was: the volumes it was granted, which are free now. Raises ``ObjectInUse`` where it
    answers: what it has open is detached in the ordinary way."""
    host = work.arguments["host"]
    if work.engine.topology.place(host).kind is not LocationKind.HOST:
        raise InvalidRequest(f"{host!r} is no hypervisor host")
    try:
        work.ask(host, Verb.HELLO, {})
    except Lost:
        pass
    else:
        raise ObjectInUse(f"host {host!r} answers; detach its volumes, or switch it off first")

    def take_back(session: Session) -> list[str]:
        granted = session.grants_to(host)
        for grant in granted:
            session.fence(host, grant.boot)
            session.revoke(grant.volume, host)
        return [grant.volume for grant in granted]

    return {"host": host, "volumes": work.transact("fence", take_back)}


def mend_fenced(engine: Engine) -> int:
    """Of fenced hosts that are reached again: how many had something to close. One that was restarted is like any other."""
    fenced = engine.surroundings.transact("fences", lambda session: session.fences())
    back = [(host, boot) for host, boot in fenced if engine.boot_of(host)]
    return sum(run_quietly(engine, "let-go", f"let go {host}", {"host": host, "boot": boot}) for host, boot in back)


def let_go(work: Work) -> Mapping[str, Any]:
    """The fenced run ``boot`` of ``host`` closes what it was not granted anew; then it is like any other."""
    host, boot = work.arguments["host"], work.arguments["boot"]
    try:
        hello = work.ask(host, Verb.HELLO, {})
        attached = hello["attached"] if hello["boot"] == boot else []
        granted = work.transact("grants", lambda session: {grant.volume for grant in session.grants_to(host)})
        for volume in attached:
            if volume not in granted:
                work.ask(host, Verb.DETACH, {"volume": volume})
    except (StorageError, Lost):
        return {"changed": False}
    work.transact("let go", lambda session: session.unfence(host, boot))
    return {"changed": True}


HANDLERS: Mapping[str, Handler] = {"fence": fence, "let-go": let_go}

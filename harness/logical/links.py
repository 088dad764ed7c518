"""Links: URLs given to clients, who bring bytes to an agent or fetch them there. This side sees the URL and never a byte.

An upload is a job like every other way in (``making``), whose one step waits for a client; its link lives as long as the job. A
download link is kept when its job has ended, until somebody releases it or its time is over. While it is out, the object behind
it is neither changed nor deleted. An agent that was restarted has lost its doors: reconciliation opens them again under the
same keys. One that does not answer opens nothing; its doors shut by themselves when their time is over.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from storcert.harness.contract import (
    DataObjectUri,
    DeviceUnavailable,
    ObjectInUse,
    ObjectNotFound,
    Outcome,
    StorageError,
    Unsupported,
)
from storcert.harness.logical.engine import ASK_NS, Engine, Handler, run_quietly
from storcert.harness.logical.making import PAUSES_NS, TRIES, Making, make
from storcert.harness.logical.operations import ready_placements
from storcert.harness.logical.placement import room_bytes
from storcert.harness.logical.records import DeviceRecord, LinkKind, LinkRecord, Purpose
from storcert.harness.logical.removing import device_named
from storcert.harness.logical.session import Session
from storcert.harness.logical.work import Lost, Work
from storcert.harness.record.command import Verb

KEY_BYTES = 24


def _on(device: DeviceRecord, link: LinkRecord, **more: Any) -> dict[str, Any]:
    return {
        "device": device.travel, "device_name": device.name, "uri": link.uri, "link": link.id, "key": link.key,
        **more,
    }


def _offered(work: Work, device: DeviceRecord, link: LinkRecord) -> dict[str, Any]:
    """The door stays open for so much longer than the command that opens it may take."""
    return _on(device, link, lasts_longer_ns=link.expires_ns - work.now_ns() - ASK_NS)


def _place(work: Work, link: LinkRecord, location: str) -> LinkRecord:
    """Have the link lead to where it led before, so that its URL stays, or to ``location`` where nobody answers there."""
    for name in (link.location, location):
        if not name:
            continue
        try:
            hello = work.ask(name, Verb.HELLO, {})
        except Lost as silence:
            if name == location:
                raise silence.error(link.uri) from None
            continue
        if not hello["transfer_url"]:
            raise Unsupported(f"clients do not reach {name}", link.uri)
        if (name, hello["boot"]) == (link.location, link.boot):
            return link
        url = f"{hello['transfer_url']}/transfer/{link.key}"
        return work.transact("place link", lambda session: session.place_link(link, name, hello["boot"], url))  # noqa: B023
    raise AssertionError("there is always a location")


# -- in


def upload(work: Work) -> Mapping[str, Any]:
    """From a client: ``uri``, ``device``, ``lasts_ns``; ``size_bytes`` and ``digest`` where they are known."""
    arguments = work.arguments
    expires_ns = work.job.created_ns + int(arguments["lasts_ns"])
    key = secrets.token_urlsafe(KEY_BYTES)
    result = {"uri": arguments["uri"], "device": arguments["device"]}

    def prepare(session: Session) -> Making:
        device = device_named(session, arguments["device"])
        link = session.link_of(work.job.id) or session.add_link(
            LinkKind.UPLOAD, arguments["uri"], device.name, key, expires_ns, work.job.id)
        uri = DataObjectUri.parse(arguments["uri"])
        waiting = _Waiting(work, device, link)
        return Making(
            uri, device, Purpose.KEPT, arguments["size_bytes"], lambda made, location: waiting.attempt(location, made.look),
            (device,), arguments["digest"], result=result,
        )

    make(work, prepare)
    return result


class _Waiting:
    """For a client who uploads, wherever the door may be."""

    def __init__(self, work: Work, device: DeviceRecord, link: LinkRecord) -> None:
        self._work = work
        self._device = device
        self._link = link

    def attempt(self, location: str, look: str) -> Mapping[str, Any]:
        """One door, until it is over: what came of it."""
        work, device, link = self._work, self._device, self._link
        if work.now_ns() >= link.expires_ns:
            raise DeviceUnavailable("it was not uploaded in time", link.uri, Outcome.NOT_DONE, False)
        found = _there(work, device, link.uri)
        if found is not None:
            # Once the door was open, what is there came through it: its client was told so, whoever else did not hear.
            if link.location:
                return found
            told = {"device": device.travel, "device_name": device.name, "uri": link.uri}
            work.ask_somewhere((device,), Verb.DELETE, told)
        self._link = link = _place(work, link, location)
        arguments = work.arguments
        size_bytes = arguments["size_bytes"]
        told = _on(
            device, link, size_bytes=size_bytes, digest=arguments["digest"], look=look,
            limit_bytes=room_bytes(device) if size_bytes is None else size_bytes,
        )
        return work.ask(link.location, Verb.RECEIVE, told, lasts_ns=link.expires_ns - work.now_ns())


def _there(work: Work, device: DeviceRecord, uri: str) -> Mapping[str, Any] | None:
    told = {"device": device.travel, "device_name": device.name, "uri": uri, "digest": ""}
    try:
        return {"size_bytes": work.ask_somewhere((device,), Verb.DESCRIBE, told)["size_bytes"]}
    except ObjectNotFound:
        return None


# -- out


def offer(work: Work) -> Mapping[str, Any]:
    """A link to ``uri`` for ``lasts_ns``: its number. Nothing may write to the object meanwhile."""
    uri, expires_ns = work.arguments["uri"], work.job.created_ns + int(work.arguments["lasts_ns"])
    key = secrets.token_urlsafe(KEY_BYTES)

    def give(session: Session) -> tuple[DeviceRecord, LinkRecord]:
        found = session.link_of(work.job.id)
        if found is None:
            if session.grants_of(uri):
                raise ObjectInUse("a host writes to it; a snapshot of it can be linked", uri)
            device = device_named(session, ready_placements(session, uri)[0].device)
            found = session.add_link(LinkKind.DOWNLOAD, uri, device.name, key, expires_ns, work.job.id)
        session.pin(uri, found.device, work.job.id)
        return device_named(session, found.device), found

    device, link = work.transact("give link", give)
    error: StorageError = DeviceUnavailable("it was never sent", uri, Outcome.NOT_DONE)
    for turn in range(TRIES):
        try:
            link = _place(work, link, work.location(device))
            work.ask(link.location, Verb.OFFER, _offered(work, device, link))
        except Lost as silence:
            error = silence.error(uri)
        except StorageError as failure:
            error = failure
            if not failure.retryable:
                break
        else:
            return _kept(work, link)
        work.pause(PAUSES_NS[turn])
    _take_back(work, link)
    raise error


def _kept(work: Work, link: LinkRecord) -> Mapping[str, Any]:
    work.transact("keep link", lambda session: session.keep_link(link))
    return {"uri": link.uri, "device": link.device, "link": link.id, "expires_ns": link.expires_ns}


def release(work: Work) -> Mapping[str, Any]:
    """The ``link`` of that number leads nowhere any more."""
    number = int(work.arguments["link"])
    link = work.transact("unwanted", lambda session: _unwanted(session, number))
    changed = link is not None and _take_back(work, link)
    return {"link": number, "changed": changed}


def _unwanted(session: Session, number: int) -> LinkRecord | None:
    link = session.find_link(number)
    if link is None or link.kind is LinkKind.UPLOAD:
        return None
    session.disown_link(link)
    return link


def _take_back(work: Work, link: LinkRecord) -> bool:
    """Shut the door, then forget it; whether that is done. A door that nobody can be asked to shut stays on record until its
    time is over."""
    if link.location and work.now_ns() < link.expires_ns:
        try:
            work.ask(link.location, Verb.WITHDRAW, {"uri": link.uri, "key": link.key})
        except (StorageError, Lost):
            work.transact("unwanted", lambda session: session.disown_link(link))
            return False
    work.transact("release link", lambda session: session.release_link(link))
    return True


# -- after crashes


def mend_links(engine: Engine) -> int:
    """Links whose time is over or that nobody wants go; those whose agent was restarted are opened again: how many."""
    now_ns, links = engine.surroundings.transact("links", lambda session: (session.now_ns, session.links()))
    kept = [link for link in links if link.job is None]
    due = [link for link in kept if not link.wanted or link.expires_ns <= now_ns]
    mended = sum(run_quietly(engine, "release-link", f"link {link.id}", {"link": link.id}) for link in due)
    places = sorted({link.location for link in kept if link not in due})
    boots = {name: engine.boot_of(name) for name in places}
    lost = sorted({link.location for link in kept if link not in due and boots[link.location] not in ("", link.boot)})
    return mended + sum(run_quietly(engine, "relink", f"links at {name}", {"location": name}) for name in lost)


def relink(work: Work) -> Mapping[str, Any]:
    """Open the doors again that the agent of ``location`` should have and has not."""
    location, mended = work.arguments["location"], 0
    try:
        hello = work.ask(location, Verb.HELLO, {})
    except (StorageError, Lost):
        return {"changed": False}

    def missing(session: Session) -> list[LinkRecord]:
        return [
            link for link in session.links()
            if link.location == location and link.job is None and link.wanted and link.expires_ns > session.now_ns
            and link.id not in hello["links"]
        ]

    for link in work.transact("missing links", missing):
        device = work.transact("look", lambda session, link=link: device_named(session, link.device))  # type: ignore[misc]
        try:
            work.ask(location, Verb.OFFER, _offered(work, device, link))
        except (StorageError, Lost):
            continue
        work.transact(
            "place link", lambda session, link=link: session.place_link(link, location, hello["boot"], link.url))  # type: ignore[misc]
        mended += 1
    return {"changed": bool(mended)}


HANDLERS: Mapping[str, Handler] = {"upload": upload, "link": offer, "release-link": release, "relink": relink}

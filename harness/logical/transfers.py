"""What clients of the control plane are told of transfers: tickets to upload with, links to download through, and how far a job
is. A URL holds a secret: it goes to whoever asked, never into a fact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from storcert.harness.contract import DeviceUnavailable, ObjectInUse, ObjectNotFound, Outcome
from storcert.harness.logical.engine import ASK_NS, SECOND_NS, Engine
from storcert.harness.logical.motion import Plan
from storcert.harness.logical.ports import NoAnswer
from storcert.harness.logical.records import JobRecord, JobState, LinkRecord
from storcert.harness.logical.seeding import copies_in
from storcert.harness.logical.session import Session
from storcert.harness.logical.states import State
from storcert.harness.record.command import Command, Ending, Verb

Result = Mapping[str, Any]
TICKET_NS = 300 * SECOND_NS
_POLL_NS = SECOND_NS // 10


def ticket(engine: Engine, job: JobRecord, ended: Callable[[JobRecord], Result]) -> Result:
    """The URL of an upload once its door is open: ``uri``, ``device``, ``job``, ``url``, ``expires_ns``. ``ended``: what is
    said of a job that ended before. Raises ``DeviceUnavailable`` where that takes too long; the job goes on."""
    around = engine.surroundings
    deadline_ns = around.clock_ns() + TICKET_NS

    def look(session: Session) -> tuple[JobRecord | None, LinkRecord | None]:
        return session.find_job(job.id), session.link_of(job.id)

    while around.clock_ns() < deadline_ns:
        found, link = around.transact("look at upload", look)
        if found is None:
            raise DeviceUnavailable(f"job {job.id} is not known any more", job.key)
        if found.state is not JobState.RUNNING:
            return ended(found)
        if link is not None and link.location and _is_open(engine, link):
            return {
                "uri": link.uri, "device": link.device, "job": job.id, "url": link.url, "expires_ns": link.expires_ns}
        around.sleep_ns(_POLL_NS)
    raise DeviceUnavailable("no door was opened yet; ask again", job.key, Outcome.UNKNOWN)


def _is_open(engine: Engine, link: LinkRecord) -> bool:
    answer = _asked(engine, link.location, Verb.HELLO, {}, f"link {link.id}")
    return answer is not None and link.id in answer.result.get("links", ())


def _asked(engine: Engine, location: str, verb: Verb, arguments: Mapping[str, Any], about: str) -> Any:
    """A question that changes nothing; ``None`` where nobody answers."""
    try:
        return engine.ask(location, Command(engine.unique(about), verb, arguments), ASK_NS)
    except NoAnswer:
        return None


def link_url(engine: Engine, result: Result) -> Result:
    """The result of a job that made a link, with its URL."""
    link = engine.surroundings.transact("look at link", lambda session: session.find_link(result["link"]))
    if link is None:
        raise ObjectNotFound(f"link {result['link']} is released", result["uri"])
    return {**result, "url": link.url}


def upload_under_way(session: Session, key: str, wanted: Mapping[str, Any]) -> JobRecord | None:
    """The unfinished upload of that object, joined by whoever asks for the same. Raises ``ObjectInUse`` for another job."""
    found = session.unfinished_job(key)
    if found is None:
        return None
    if found.kind != "upload" or any(found.arguments[name] != value for name, value in wanted.items()):
        raise ObjectInUse(f"job {found.id} ({found.kind}) is at work on it", key)
    return found


# -- how far a job is


def progress(engine: Engine, key: str) -> Result:
    """How far the unfinished job of that key is: ``job``, ``kind``, ``begun_ns``, ``legs`` and ``legs_done`` of its plan (zones
    of a seeding), and of the bytes that move now ``location``, ``moved_bytes`` (``None`` where nobody there answers) and
    ``due_bytes`` (0: not known). Raises ``ObjectNotFound``."""

    def look(session: Session) -> tuple[JobRecord, int, int, tuple[str, str, int] | None]:
        job = session.unfinished_job(key)
        if job is None:
            raise ObjectNotFound("no unfinished job has that key", key)
        if job.kind == "seed":
            zones, uri = job.arguments["zones"], job.arguments["uri"]
            whole = sum(any(one.state is State.READY for one in copies_in(session, uri, zone)) for zone in zones)
            return job, len(zones), whole, None
        legs = Plan.from_json(job.plan).legs if job.plan else ()
        made = [session.find_placement(leg.target, leg.target_device) for leg in legs]
        done = sum(one is not None and one.state is State.READY for one in made)
        return job, len(legs), done, session.under_way(job.id)

    job, legs, done, moving = engine.surroundings.transact("look at job", look)
    told = {
        "job": job.id, "kind": job.kind, "key": job.key, "begun_ns": job.created_ns, "legs": max(legs, 1), "legs_done": done,
        "cancelled": job.cancelled,
    }
    if moving is None:
        return {**told, "location": "", "moved_bytes": 0, "due_bytes": 0}
    command, location, due_bytes = moving
    answer = _asked(engine, location, Verb.STATUS, {"command": command}, command)
    return {
        **told, "location": location, "moved_bytes": None if answer is None else _moved(answer, due_bytes),
        "due_bytes": due_bytes,
    }


def _moved(answer: Any, due_bytes: int) -> int:
    if answer.ending is Ending.RUNNING:
        return int(answer.result["moved_bytes"])
    return int(answer.result.get("size_bytes") or due_bytes) if answer.ending is Ending.DONE else 0


def job_told(engine: Engine, number: int) -> Result:
    """Any job of the last day: ``job``, ``kind``, ``key``, ``state``, and its ``result`` or error once it has ended. Raises
    ``ObjectNotFound``."""
    job = engine.surroundings.transact("look at job", lambda session: session.find_job(number))
    if job is None:
        raise ObjectNotFound(f"there is no job {number}")
    return {"job": job.id, "kind": job.kind, "key": job.key, "state": str(job.state), "result": dict(job.result)}

"""What is told of a moment is what is: facts against the catalogue itself, waits and places against the world."""

from __future__ import annotations

import json
from typing import Any

from storcert.harness.logical.session import Session
from storcert.harness.record.event import Event
from storcert.scenarios.format.read import loads
from storcert.scenarios.moment import device_there, location_there, waits_of, wires_of
from storcert.scenarios.moment_facts import Facts, facts_until
from storcert.scenarios.region import Region
from storcert.scenarios.replay import Case, again, visit
from tests.scenarios.replay.cases import BUSY, busy, crashed

EVERY = 23


def rows(session: Session) -> tuple[Any, ...]:
    """What the catalogue really holds."""
    jobs = session.running_jobs()
    objects = {one.uri: one.size_bytes for one in map(session.find_object, sorted(names(session))) if one is not None}
    placements = {
        (one.uri, one.device): (
            str(one.state), str(one.purpose), one.job, one.reserved_bytes, session.pinned_by(one.uri, one.device))
        for uri in sorted(names(session)) for one in session.placements(uri)
    }
    return (
        objects, placements, {job.id: (job.kind, job.owner) for job in jobs},
        {device.name: device.reserved_bytes for device in session.devices() if device.reserved_bytes},
    )


def names(session: Session) -> set[str]:
    return {uri for device in session.devices() for uri in session.placed_on(device.name)}


def told(facts: Facts) -> tuple[Any, ...]:
    """The same, as the facts have it."""
    placed = {uri for uri, _ in facts.placements}
    return (
        {uri: one.size_bytes for uri, one in sorted(facts.objects.items()) if uri in placed},
        {
            place: (one.state, one.purpose, one.job, one.reserved_bytes, sorted(one.pinned_by))
            for place, one in sorted(facts.placements.items())
        },
        {job.number: (job.kind, job.owner) for job in facts.unfinished()},
        {name: reserved for name, reserved in sorted(facts.reserved_bytes.items()) if reserved},
    )


def test_facts_say_what_the_catalogue_holds_at_every_moment() -> None:
    case = busy()
    events = again(case).shown.events
    facts, read = Facts(), 0
    compared: list[tuple[Any, ...]] = []

    def look(region: Region, number: int) -> int:
        nonlocal read
        for event in events[read:number]:
            facts.see(event)
        read = number
        held = region.catalogue.repository.transact(rows)
        assert told(facts) == held, f"after event {number}"
        compared.append(held)
        return number + EVERY

    visit(case, 10, look)
    assert len(compared) > len(events) / EVERY / 2 > 10
    assert max(len(placements) for _, placements, *_ in compared) > 10
    assert told(facts_until(events)) == compared[-1]


def first(case: Case, kind: str) -> int:
    return next(number for number, event in enumerate(again(case).shown.events, 1) if event.kind == kind)


def test_a_command_that_nobody_works_on_is_told() -> None:
    case = crashed()
    found: list[str] = []

    def look(region: Region, number: int) -> None:
        (move,) = [one for one in waits_of(region) if one.task == "move"]
        assert move.location == "ms-1" and move.gone and move.reason.startswith("stream ")
        step = next(one for one in waits_of(region) if one.task == "step 1")
        assert step.whom == "ms-1: move" and not step.gone
        there = location_there(region, "z1-ssvm1")
        assert (there.state, there.tasks) == ("down", ())
        assert not device_there(region, "old").under_way, "whoever asked is dead"
        found.append(move.reason)

    visit(case, first(case, "crash"), look)
    assert found


def test_who_waits_for_whom_while_bytes_move() -> None:
    case = crashed()
    events = again(case).shown.events
    number = next(number for number, event in enumerate(events, 1) if " READ " in event.text)

    def look(region: Region, reached: int) -> None:
        waits = {(one.location, one.task.partition(" ")[0]): one for one in waits_of(region)}
        assert waits["ms-1", "move"].whom.startswith("z1-ssvm1: stream ")
        asked = waits["z1-ssvm1", "stream"].request
        assert asked is not None and asked.wire in ("old", "new")
        assert asked in device_there(region, asked.wire).under_way
        assert waits["z1-h1", "agent"].idle
        assert location_there(region, "z1-ssvm1").state == "up"
        job = facts_until(events[:reached]).unfinished()[0]
        assert [command.at for command in job.commands.values()] == ["z1-ssvm1"]

    visit(case, number, look)


def test_what_is_armed_struck_down_and_cut_off() -> None:
    text = BUSY.partition("[[nemesis]]")[0] + """
step = [
  { do = "outage", of = "new", lasts = "30 s" },
  { do = "partition", one = ["z1-h1"], other = ["old"], lasts = "30 s" },
  { do = "pause", place = "z1-h2", lasts = "30 s" },
  { do = "wait", lasts = "1 s" },
]
"""
    case = Case.of(loads(text, name="disturbed"), 2, 5 * 10**9)
    number = first(case, "pause") + 30
    looked: list[int] = []

    def look(region: Region, reached: int) -> None:
        assert {"catalogue", "images", "new", "old"} <= set(wires_of(region))
        assert 0 < device_there(region, "new").down_ns <= 30 * 10**9
        assert device_there(region, "old").cut_off == ("z1-h1",)
        assert location_there(region, "z1-h1").cut_off == ("old",)
        assert location_there(region, "z1-h2").state == "paused"
        catalogue = device_there(region, "catalogue")
        assert catalogue.census is None and catalogue.requests > 0
        assert any(fault.kind == "slow" and counted > 0 for fault, counted in catalogue.armed)
        assert device_there(region, "images").census is not None
        looked.append(reached)

    visit(case, number, look)
    assert looked


def test_facts_that_hardly_ever_come_are_read_too() -> None:
    def event(kind: str, **value: object) -> Event:
        return Event(7, "", kind, json.dumps(value))

    place = {"uri": "/volume/1/a", "device": "old"}
    facts = facts_until([
        event("placement", **place, state="creating", purpose="staged", job=3, reserved_bytes=5),
        event("resized", **place, reserved_bytes=9),
        event("purpose", **place, purpose="kept"),
        event("attached", volume="/volume/1/a", host="z1-h1"), event("grant", volume="/volume/1/a", host="z1-h1"),
        event("attached", volume="/volume/1/a", host="z1-h2"), event("detached", volume="/volume/1/a", host="z1-h2"),
        event("attached", volume="/volume/1/b", host="z1-h3"), Event(8, "z1-h3", "crash", ""),
        event("request"), event("of another kit", strange=True),
    ])
    placed = facts.on("/volume/1/a")["old"]
    assert (placed.state, placed.purpose, placed.job, placed.reserved_bytes, placed.since_ns) == ("creating", "kept", 3, 9, 7)
    assert facts.attached == {("/volume/1/a", "z1-h1"): 7}
    assert facts.grants == {("/volume/1/a", "z1-h1"): 7}

"""The L- rules about what comes of things: jobs that end, sources that live, records and bytes that agree at the end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from storcert.harness.checkers.facts import Fact, places_in, rule, sent


@rule("L-NOBYTES")
def no_bytes_at_a_management_server(facts: list[Fact]) -> Iterator[tuple[int, str] | None]:
    """The ledger shows no object byte at a management server, and no command went to one."""
    places = places_in(facts)
    for fact in facts:
        if fact.sort == "traffic" and places.get(fact.value["location"], ("",))[0] == "management":
            moved = fact.value["bytes"]
            yield (fact.time_ns, f"{moved} object bytes passed {fact.value['location']}") if moved else None
    for fact in sent(facts):
        at = fact.value["at"]
        yield (fact.time_ns, f"{fact.value['verb']} was sent to {at}") if places[at][0] == "management" else None


@rule("L-ONCE")
def every_job_ends_once(facts: list[Fact]) -> Iterator[tuple[int, str] | None]:
    """Each job ends exactly once, and what it says of the placement it made is true at that moment."""
    ended: dict[int, str] = {}
    begun: dict[int, Fact] = {}
    state: dict[tuple[str, str], str] = {}
    for fact in facts:
        value = fact.value
        if fact.sort == "placement":
            state[value["uri"], value["device"]] = value["state"]
        elif fact.sort == "job" and value["event"] == "begun":
            begun[value["id"]] = fact
        elif fact.sort == "job" and value["event"] in ("succeeded", "failed"):
            if value["id"] in ended:
                yield fact.time_ns, f"job {value['id']} ended {ended[value['id']]} and then {value['event']}"
            ended[value["id"]] = value["event"]
            yield _untrue(fact, begun.get(value["id"]), state)
    if any(fact.sort == "end" for fact in facts):
        for job, fact in begun.items():
            yield None if job in ended else (fact.time_ns, f"job {job} ({fact.value['kind']}) never ended")


def _untrue(fact: Fact, begun: Fact | None, state: Mapping[tuple[str, str], str]) -> tuple[int, str] | None:
    if begun is None:
        return fact.time_ns, f"job {fact.value['id']} ended and never began"
    arguments, kind = begun.value["arguments"], begun.value["kind"]
    name = str(arguments.get("target") or arguments.get("uri") or "")
    if fact.value["event"] == "failed":
        return None
    if kind in ("create", "download", "copy", "migrate"):
        found = state.get((name, arguments["device"]))
        if found != "ready":
            return fact.time_ns, f"job {fact.value['id']} ({kind} {name}) succeeded and its placement is {found}"
    if kind == "delete" and any(one != "absent" for (uri, _), one in state.items() if uri == name):
        return fact.time_ns, f"job {fact.value['id']} (delete {name}) succeeded and the object is still placed"
    return None


@rule("L-SOURCE")
def source_outlives_verification(facts: list[Fact]) -> Iterator[tuple[int, str] | None]:
    """A migrated volume is taken from where it was only after it was verified where it went."""
    moves: dict[int, tuple[str, str]] = {}
    verified: set[tuple[int, str, str]] = set()
    for fact in facts:
        value = fact.value
        if fact.sort == "job" and value["event"] == "begun" and value["kind"] == "migrate":
            moves[value["id"]] = value["arguments"]["uri"], value["arguments"]["device"]
        elif fact.sort == "verified":
            verified.add((value["job"], value["uri"], value["device"]))
        elif fact.sort == "command" and value["event"] == "sent" and value["verb"] == "delete" and value["job"] in moves:
            uri, goal = moves[value["job"]]
            if value["uri"] == uri and value["device"] != goal:
                sound = (value["job"], uri, goal) in verified
                yield None if sound else (fact.time_ns, f"{uri} is deleted from {value['device']} before it was seen on {goal}")


@rule("L-CLEAN")
def failure_leaves_nothing(facts: list[Fact]) -> Iterator[tuple[int, str] | None]:
    """What a failed create or copy was to make has no record when the job ends but one that is being destroyed, and at the end
    neither record nor bytes, unless another job made it; no object is known that is placed nowhere."""
    if not any(fact.sort == "end" for fact in facts):
        return
    wanted: dict[int, tuple[str, str]] = {}
    failed: dict[tuple[str, str], Fact] = {}
    final: dict[tuple[str, str], str] = {}
    owner: dict[tuple[str, str], int | None] = {}
    known: dict[str, bool] = {}
    for fact in facts:
        value = fact.value
        if fact.sort == "job" and value["event"] == "begun" and value["kind"] in ("create", "download", "copy"):
            arguments = value["arguments"]
            wanted[value["id"]] = str(arguments.get("target") or arguments["uri"]), arguments["device"]
        elif fact.sort == "job" and value["id"] in wanted and value["event"] in ("succeeded", "failed"):
            if value["event"] == "failed":
                place = wanted[value["id"]]
                failed[place] = fact
                if final.get(place) in ("allocated", "creating", "failed") and owner.get(place) == value["id"]:
                    yield fact.time_ns, f"making {place[0]} on {place[1]} failed, and its record is left {final[place]}"
            else:
                failed.pop(wanted[value["id"]], None)
        elif fact.sort == "placement":
            final[value["uri"], value["device"]] = value["state"]
            owner[value["uri"], value["device"]] = value["job"]
            if value["state"] == "ready":
                failed.pop((value["uri"], value["device"]), None)
        elif fact.sort == "object":
            known[value["uri"]] = value["event"] != "forgotten"
    there = {(fact.value["device"], fact.value["uri"]) for fact in facts if fact.sort == "survey"}
    for (uri, device), fact in sorted(failed.items()):
        left = final.get((uri, device), "absent")
        if left != "absent":
            yield fact.time_ns, f"making {uri} on {device} failed, and a record of it is left: {left}"
        elif (device, uri) in there:
            yield fact.time_ns, f"making {uri} on {device} failed, and bytes of it are left"
        else:
            yield None


    placed = {uri for (uri, _), state in final.items() if state != "absent"}
    for uri in sorted(uri for uri, there_still in known.items() if there_still):
        yield None if uri in placed else (facts[-1].time_ns, f"{uri} is known and is placed nowhere")


@rule("L-RECORD")
def records_and_bytes_agree(facts: list[Fact]) -> Iterator[tuple[int, str] | None]:
    """Where only crashes happened, no bytes were ever without a record and no record without bytes. At the end each ready
    record has its bytes, in its size; each object on a device has a record; copies are equal."""
    disturbed = any(fact.sort == "fault" for fact in facts)
    for fact in facts:
        if fact.sort in ("swept", "lost") and not disturbed:
            told = "bytes without a record" if fact.sort == "swept" else "a record without bytes"
            yield fact.time_ns, f"{fact.value['uri']} on {fact.value['device']} was {told}"
    if not any(fact.sort == "end" for fact in facts):
        return
    placed: dict[tuple[str, str], str] = {}
    sizes: dict[str, int | None] = {}
    for fact in facts:
        if fact.sort == "placement":
            placed[fact.value["device"], fact.value["uri"]] = fact.value["state"]
        elif fact.sort == "object" and fact.value["event"] != "forgotten":
            sizes[fact.value["uri"]] = fact.value["size_bytes"]
    surveyed = {(fact.value["device"], fact.value["uri"]): fact for fact in facts if fact.sort == "survey"}
    contents: dict[str, set[str]] = defaultdict(set)
    for (device, uri), state in sorted(placed.items()):
        if state != "ready":
            continue
        found = surveyed.get((device, uri))
        if found is None:
            yield facts[-1].time_ns, f"{uri} is ready on {device} and has no bytes there"
        elif found.value["size_bytes"] != sizes.get(uri):
            yield found.time_ns, f"{uri} on {device} has {found.value['size_bytes']} bytes, on record are {sizes.get(uri)}"
        else:
            contents[uri].add(found.value["digest"])
            yield None
    for device, uri in sorted(surveyed):
        if placed.get((device, uri), "absent") == "absent":
            yield surveyed[device, uri].time_ns, f"{uri} is on {device} and no record speaks of it"
    for uri, digests in sorted(contents.items()):
        yield None if len(digests) == 1 else (facts[-1].time_ns, f"the copies of {uri} differ")


@rule("L-LIVE")
def nothing_stays_in_between(facts: list[Fact]) -> Iterator[tuple[int, str] | None]:
    """At the end no placement is in a transitional state and none has failed without being cleared."""
    if not any(fact.sort == "end" for fact in facts):
        return
    final: dict[tuple[str, str], Fact] = {}
    for fact in facts:
        if fact.sort == "placement":
            final[fact.value["uri"], fact.value["device"]] = fact
    for (uri, device), fact in sorted(final.items()):
        state = fact.value["state"]
        yield None if state in ("ready", "absent") else (fact.time_ns, f"{uri} on {device} stays {state}")

"""The L- rules about who may do what, where and when: one maker, nothing needed is touched, policy, reach, balance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from storcert.harness.checkers.facts import MAKING, Fact, devices_in, places_in, rule, sent, touched_by
from storcert.harness.contract import DataObjectUri, Policy, Scope


@rule("L-SINGLE")
def one_maker_at_a_time(facts: list[Fact]) -> Iterator[tuple[int, str] | None]:
    """No two jobs make the same object on the same device at once, and nothing is made that is ready already."""
    running: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    where: dict[str, tuple[str, str]] = {}
    state: dict[tuple[str, str], str] = {}
    for fact in facts:
        value = fact.value
        if fact.sort == "placement":
            state[value["uri"], value["device"]] = value["state"]
        if fact.sort != "command":
            continue
        if value["event"] == "ended":
            if value["id"] in where:
                running[where[value["id"]]].pop(value["id"], None)
            continue
        # A server that stood still may send a command whose deadline is over: its agent begins nothing for it.
        if value["verb"] not in MAKING or fact.time_ns >= value["deadline_ns"]:
            continue
        device, name, _ = touched_by(value)[-1]
        place = (name, device)
        others = {job for job in running[place].values() if job != value["job"]}
        where[value["id"]] = place
        running[place][value["id"]] = value["job"]
        if others:
            yield fact.time_ns, f"jobs {min(others)} and {value['job']} make {name} on {device} at once"
        elif state.get(place) == "ready":
            yield fact.time_ns, f"{name} is ready on {device} and is made again"
        else:
            yield None


@rule("L-DEPEND")
def nothing_needed_is_touched(facts: list[Fact]) -> Iterator[tuple[int, str] | None]:
    """No delete or revert is sent while another job needs the object there, reads from it, or a host uses it."""
    pins: dict[tuple[str, str], set[int]] = defaultdict(set)
    grants: dict[str, set[str]] = defaultdict(set)
    readers: dict[str, tuple[tuple[str, str], int]] = {}
    for fact in facts:
        value = fact.value
        if fact.sort == "command" and value["event"] == "ended":
            readers.pop(value["id"], None)
        elif fact.sort == "command" and "source" in value:
            readers[value["id"]] = (value["source"], value.get("source_device") or value["device"]), value["job"]
        if fact.sort == "pin":
            pins[value["uri"], value["device"]].add(value["job"])
        elif fact.sort == "unpin":
            for needed in pins.values():
                needed.discard(value["job"])
        elif fact.sort == "grant":
            grants[value["volume"]].add(value["host"])
        elif fact.sort == "revoke":
            grants[value["volume"]].discard(value["host"])
        elif fact.sort == "command" and value["event"] == "sent" and value["verb"] in ("delete", "revert"):
            name = value.get("uri") or value["volume"]
            place = name, value["device"]
            reading = {job for where, job in readers.values() if where == place}
            others = (pins[place] | reading) - {value["job"]}
            if others:
                yield fact.time_ns, f"{value['verb']} {name} on {value['device']} while job {min(others)} needs it"
            elif grants[name]:
                yield fact.time_ns, f"{value['verb']} {name} while host {min(grants[name])} uses it"
            else:
                yield None


@rule("L-BALANCE")
def what_is_taken_is_released(facts: list[Fact]) -> Iterator[tuple[int, str] | None]:
    """At the end no ended job holds a pin, every grant belongs to a volume a host has open, and every open one has a grant."""
    if not any(fact.sort == "end" for fact in facts):
        return
    pins: dict[int, set[tuple[str, str]]] = defaultdict(set)
    ended: set[int] = set()
    grants: dict[tuple[str, str], Fact] = {}
    opened: dict[tuple[str, str], Fact] = {}
    for fact in facts:
        value = fact.value
        if fact.sort == "pin":
            pins[value["job"]].add((value["uri"], value["device"]))
        elif fact.sort == "unpin":
            pins.pop(value["job"], None)
        elif fact.sort == "job" and value["event"] in ("succeeded", "failed"):
            ended.add(value["id"])
        elif fact.sort == "grant":
            grants[value["volume"], value["host"]] = fact
        elif fact.sort == "revoke":
            grants.pop((value["volume"], value["host"]), None)
        elif fact.sort == "attached":
            opened[value["volume"], value["host"]] = fact
        elif fact.sort == "detached":
            opened.pop((value["volume"], value["host"]), None)
        elif fact.sort == "crash":
            opened = {key: one for key, one in opened.items() if key[1] != fact.at}
    for job in sorted(ended):
        held = pins.get(job)
        yield (facts[-1].time_ns, f"job {job} has ended and still pins {min(held)[0]}") if held else None
    for (volume, host), fact in sorted(grants.items()):
        yield None if (volume, host) in opened else (fact.time_ns, f"{host} was granted {volume} and does not have it open")
    for (volume, host), fact in sorted(opened.items()):
        yield None if (volume, host) in grants else (fact.time_ns, f"{host} has {volume} open without a grant")


@rule("L-CAPACITY")
def capacity_is_what_is_placed(facts: list[Fact]) -> Iterator[tuple[int, str] | None]:
    """After every change the capacity counted on a device is the sum of what is placed there."""
    placed: dict[tuple[str, str], int] = {}
    sums: dict[str, int] = defaultdict(int)
    for fact in facts:
        value = fact.value
        if fact.sort in ("placement", "resized"):
            place = value["uri"], value["device"]
            now = 0 if value.get("state") == "absent" else value["reserved_bytes"]
            sums[value["device"]] += now - placed.get(place, 0)
            placed[place] = now
        elif fact.sort == "capacity":
            device, found = value["device"], value["reserved_bytes"]
            due = sums[device]
            yield None if found == due else (fact.time_ns, f"{found} bytes are counted on {device}, {due} are placed there")


@rule("L-POLICY")
def policy_before_anything_is_sent(facts: list[Fact]) -> Iterator[tuple[int, str] | None]:
    """No command asks a device for what its policy or its capability forbids."""
    devices = devices_in(facts)
    for fact in sent(facts):
        for device, name, changes in touched_by(fact.value):
            if not name:
                continue
            allowance = devices[device][1]
            kind = DataObjectUri.parse(name).kind
            verb = fact.value["verb"]
            writes = changes and verb != "delete"
            if not (allowance.may_write(kind) if writes else allowance.may_read(kind)):
                yield fact.time_ns, f"{verb} {name} on {device}, where policy forbids it"
            elif verb in _ABLE and not getattr(allowance, _ABLE[verb]):
                yield fact.time_ns, f"{verb} on {device}, which cannot or may not"
            else:
                yield None


_ABLE: Mapping[str, str] = {
    "device-copy": "on_device_copy", "snapshot": "snapshots", "clone": "clone", "revert": "revert", "attach": "random_access",
    "list": "enumerate",
}


@rule("L-REACH")
def the_location_reaches_both_ends(facts: list[Fact]) -> Iterator[tuple[int, str] | None]:
    """Each command goes to a location within the scope of every device it names."""
    devices, places = devices_in(facts), places_in(facts)
    for fact in sent(facts):
        for device, _, _ in touched_by(fact.value):
            policy = devices[device][0]
            at = fact.value["at"]
            yield None if _reaches(at, places[at], policy) else (
                fact.time_ns, f"{fact.value['verb']} on {device} was sent to {at}, which does not reach it"
            )


def _reaches(name: str, place: tuple[str, str, str], policy: Policy) -> bool:
    kind, zone, cluster = place
    if kind == "management":
        return False
    if policy.scope is Scope.REGION:
        return True
    wanted = {Scope.ZONE: zone, Scope.CLUSTER: cluster, Scope.HOST: name}[policy.scope]
    return wanted == policy.scope_id and (policy.scope is not Scope.HOST or kind == "host")


@rule("L-STAGING")
def staging_copies_outlive_their_use(facts: list[Fact]) -> Iterator[tuple[int, str] | None]:
    """A staged copy that a job pins is not taken away; at the end what is staged is only what nobody pins."""
    pins: dict[tuple[str, str], set[int]] = defaultdict(set)
    for fact in facts:
        value: Mapping[str, Any] = fact.value
        if fact.sort == "pin":
            pins[value["uri"], value["device"]].add(value["job"])
        elif fact.sort == "unpin":
            for needed in pins.values():
                needed.discard(value["job"])
        elif fact.sort == "placement" and value["purpose"] == "staged" and value["event"] == "destroy":
            others = pins[value["uri"], value["device"]] - {value["job"]}
            told = f"the staged copy of {value['uri']} on {value['device']} goes while job {min(others, default=0)} uses it"
            yield (fact.time_ns, told) if others else None


@rule("L-CONVERGE")
def the_second_round_changes_nothing(facts: list[Fact]) -> Iterator[tuple[int, str] | None]:
    """Of two rounds of reconciliation at the end, the second found nothing to mend."""
    if not any(fact.sort == "end" for fact in facts):
        return
    rounds = [fact for fact in facts if fact.sort == "reconciled"]
    if len(rounds) >= 2:
        last = rounds[-1]
        mended = {name: count for name, count in last.value.items() if count}
        yield (last.time_ns, f"the last round still mended {mended}") if mended else None


@rule("L-REPEAT")
def repeating_is_no_error(facts: list[Fact]) -> Iterator[tuple[int, str] | None]:
    """A create or copy does not fail because of what an earlier try left on the device, nor a delete because of nothing."""
    begun: dict[int, Mapping[str, Any]] = {}
    for fact in facts:
        value = fact.value
        if fact.sort != "job":
            continue
        if value["event"] == "begun":
            begun[value["id"]] = value
        elif value["event"] in ("succeeded", "failed") and value["id"] in begun:
            kind = begun[value["id"]]["kind"]
            if kind not in ("create", "copy", "download", "delete", "migrate"):
                continue
            error = value["result"].get("error") if value["event"] == "failed" else None
            wrong = error == "ObjectExists" or (kind == "delete" and error == "ObjectNotFound")
            told = f"job {value['id']} ({kind}) failed with {error}: {value['result'].get('message')}"
            yield (fact.time_ns, told) if wrong else None

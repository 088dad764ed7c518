"""Scenarios as they run: steps at their times, faults that strike, workloads, phases; one digest for each seed."""

from __future__ import annotations

from typing import Any

import pytest

from storcert.scenarios.format.read import loads
from storcert.scenarios.result import Played
from storcert.scenarios.runner.play import play
from storcert.scenarios.runner.resolve import resolve

HEAD = """\
title = "t"
region = { management_servers = 2 }
zone = [{ name = "z1", hosts = 2 }]
device = [
  { name = "images", kind = "object-store", role = "image" },
  { name = "old", kind = "nfs" },
  { name = "new", kind = "rbd" },
]
"""
PREPARED = HEAD + 'prepare = [{ do = "create", object = "volume/a", size = "64 KiB", device = "old" }]\n'


def played(text: str, seed: int = 1, **more: Any) -> Played:
    found = play(loads(text), seed, **more)
    assert found.failures == () and found.unrest == ""
    return found


def endings(found: Played) -> dict[str, str]:
    return {step.name: step.ending for step in found.steps}


def broken(found: Played) -> list[str]:
    return [one.text for finding in found.findings for one in finding.broken]


def test_steps_are_taken_in_order_and_at_their_times() -> None:
    found = played(PREPARED + """step = [
      { do = "wait", name = "first", lasts = "10 s" },
      { do = "wait", name = "second", lasts = "1 s", delay = "2 s" },
      { do = "wait", name = "beside", lasts = "1 s", at = "3 s" },
      { do = "wait", name = "then", lasts = "1 s", after = "beside", delay = "500 ms" },
      { do = "wait", name = "back", lasts = "1 h", background = true },
      { do = "delete", name = "last", object = "volume/a" },
    ]""")
    begun = {step.name: step.begun_ns for step in found.steps}
    start_ns = begun["first"]
    assert {name: (ns - start_ns) / 10**9 for name, ns in begun.items() if name in ("second", "beside", "then", "back")} == {
        "second": 12, "beside": 3, "then": 4.5, "back": 13}
    assert begun["last"] == begun["back"]
    assert set(endings(found).values()) == {"done"} and broken(found) == []


def test_every_request_can_be_made() -> None:
    found = played(HEAD.replace('"nfs"', '"rbd"') + """
    web = [{ url = "https://t.example/t.img", size = "1 MiB" }, { url = "https://t.example/taken", takes = true }]
    step = [
      { do = "upload", name = "upload", object = "iso/i", size = "1 MiB" },
      { do = "upload", name = "nobody-comes", object = "iso/j", size = "1 MiB", comes = false, lasts = "1 min" },
      { do = "export", name = "export", object = "iso/i", url = "https://t.example/taken" },
      { do = "link", name = "link", object = "iso/i" },
      { do = "download", name = "download", link = "link" },
      { do = "unlink", name = "unlink", link = "link" },
      { do = "download", name = "gone", link = "link" },
      { do = "register", name = "register", object = "template/t", url = "https://t.example/t.img", size = "1 MiB" },
      { do = "create", name = "create", object = "volume/a", size = "1 MiB", zone = "z1" },
      { do = "create-from", name = "create-from", object = "volume/b", source = "template/t", device = "new" },
      { do = "snapshot", name = "snapshot", object = "snapshot/s", volume = "volume/b" },
      { do = "snapshot", name = "backup", object = "snapshot/s2", volume = "volume/b", device = "images" },
      { do = "revert", name = "revert", volume = "volume/b", snapshot = "snapshot/s" },
      { do = "attach", name = "attach", volume = "volume/b", host = "z1-h1", write_every = "10 ms" },
      { do = "detach", name = "detach", volume = "volume/b", host = "z1-h1", delay = "1 s" },
      { do = "migrate", name = "migrate", object = "volume/a", device = "old" },
      { do = "seed", name = "seed", object = "template/t" },
      { do = "cancel", name = "cancel", object = "volume/a" },
      { do = "maintenance", name = "maintenance", device = "old" },
      { do = "reconcile", name = "reconcile" },
      { do = "copy", name = "copy", object = "template/t", device = "new" },
      { do = "delete", name = "delete", object = "volume/b", dependants = true },
      { do = "check", name = "check", object = "template/t", on = ["new", "images"] },
      { do = "check", name = "differs", object = "template/t", on = ["new"] },
      { do = "by-hand", name = "by-hand", device = "new", act = "create", object = "volume/x" },
    ]""")
    assert {name: ending for name, ending in endings(found).items() if ending != "done"} == {
        "differs": "ObjectNotFound", "gone": "DeviceUnavailable"}
    assert broken(found) == []


def test_faults_are_counted_from_when_they_are_armed_and_struck() -> None:
    found = played(PREPARED + """
    fault = [
      { place = "new", fault = "slow", nth = 2, value = "5 s" },
      { place = "new", fault = "answer_lost", phase = "after", nth = 4, value = 1 },
      { place = "catalogue", fault = "slow", operation = "submit migrate", value = "1 s" },
      { place = "old", fault = "jukebox", start = "1 h" },
    ]
    phases = { faulty = "2 h" }
    step = [{ do = "migrate", name = "move", object = "volume/a", device = "new" }]""")
    assert [(fault.place, fault.strikes) for fault in found.faults] == [("new", 1), ("new", 1), ("catalogue", 1), ("old", 1)]
    assert found.faults[3].armed_ns - found.faults[0].armed_ns == 3600 * 10**9
    assert endings(found)["move"] == "done" and broken(found) == []
    move = next(step for step in found.steps if step.name == "move")
    assert move.ended_ns - move.begun_ns > 6 * 10**9


@pytest.mark.parametrize("start", ["1 ns", "1 h"])
def test_a_fault_whose_time_comes_after_healing_never_strikes(start: str) -> None:
    found = played(PREPARED + f'fault = [{{ place = "old", fault = "frozen", start = "{start}", must_strike = false }}]')
    assert [(fault.place, fault.strikes, fault.armed_ns) for fault in found.faults] == [("old", 0, -1)]
    assert broken(found) == []


@pytest.mark.parametrize(
    "step",
    [
        '{ do = "crash", place = "z1-ssvm1" }',
        '{ do = "crash", place = "ms-2" }',
        '{ do = "pause", place = "z1-ssvm1", lasts = "3 min" }',
        '{ do = "partition", one = ["z1-ssvm1"], lasts = "3 min" }',
        '{ do = "partition", one = ["z1-ssvm1"], other = ["new"], one_way = true, lasts = "3 min" }',
        '{ do = "outage", of = "new", lasts = "3 min" }',
        '{ do = "outage", of = "catalogue", lasts = "3 s" }',
        '{ do = "fault", place = "new", fault = "frozen" }',
    ],
)
def test_whatever_happens_to_the_world_is_over_in_the_end(step: str) -> None:
    found = played(PREPARED + f"""
    step = [
      {{ do = "migrate", name = "move", object = "volume/a", device = "new", background = true, expect = "any" }},
      {step.replace(" }", ', delay = "8 ms" }')},
      {{ do = "wait", lasts = "10 min" }},
      {{ do = "heal" }},
    ]
    afterwards = [{{ do = "migrate", name = "again", object = "volume/a", device = "new" }}]""")
    assert endings(found)["again"] == "done" and broken(found) == []


def test_a_server_that_dies_is_told() -> None:
    found = played(PREPARED + """step = [
      { do = "migrate", name = "move", object = "volume/a", device = "new", server = "ms-1", background = true },
      { do = "crash", place = "ms-1", delay = "5 ms" },
      { do = "delete", name = "other", object = "volume/b" },
      { do = "delete", name = "dead", object = "volume/b", server = "ms-1" },
    ]""")
    assert (endings(found)["move"], endings(found)["other"], endings(found)["dead"]) == ("died", "done", "died")


LOADED = HEAD + """
web = [{ url = "https://t.example/t.img", size = "1 MiB" }]
phases = { warm_up = "10 s", faulty = "1 min", healed = "20 s" }
nemesis = [{ name = "monkey", every = "20 s", means = [
  { do = "crash", place = "z1-ssvm1" }, { do = "crash", place = "ms-1" }, { do = "outage", of = "new", lasts = "5 s" }] }]
fault = [{ place = "old", fault = "jukebox", chance_per_request = 0.02 }]
[[workload]]
name = "users"
clients = 3
think = "500 ms"
contend = 20
[workload.mix]
create = 4
create-from = 2
template = 1
snapshot = 2
backup = 1
clone = 1
migrate = 2
attach = 2
detach = 2
copy = 1
seed = 1
register = 1
revert = 1
delete = 3
"""


def test_workloads_do_all_they_can_and_no_rule_breaks() -> None:
    found = played(LOADED)
    assert broken(found) == []
    done = {one.operation for one in found.operations if one.ending == "done"}
    assert len(done) >= 9
    assert sum(one.count for one in found.operations) >= 100


@pytest.mark.parametrize("seed", [11, 13])
def test_a_template_that_is_deleted_while_it_is_seeded_accuses_nobody(seed: int) -> None:
    assert broken(played(LOADED, seed=seed)) == []


def test_open_loop_and_count() -> None:
    found = played(HEAD + 'workload = [{ name = "w", rate = "10/s", count = 25, mix = { create = 1 } }]')
    assert [(one.operation, one.ending, one.count) for one in found.operations] == [("create", "done", 25)]


def test_one_seed_is_one_run_and_another_another() -> None:
    assert played(LOADED).digest == played(LOADED, keep=10).digest != played(LOADED, seed=2).digest


def test_a_run_is_that_of_the_resolved_scenario() -> None:
    scenario = loads(LOADED)
    fixed = resolve(scenario, 1)
    assert fixed != scenario and play(fixed, 1).digest == play(scenario, 1).digest


def test_until_stops_there() -> None:
    found = play(loads(LOADED), 1, until_ns=30 * 10**9)
    assert found.lasted_ns == 30 * 10**9
    assert any(finding.looked_at for finding in found.findings) and broken(found) == []


def test_a_request_to_the_catalogue_that_is_lost_in_silence_holds_nothing_up_for_ever() -> None:
    found = played(HEAD + """
    fault = [{ place = "catalogue", fault = "request_lost", operation = "create: begin" }]
    step = [{ do = "create", object = "volume/a", size = "64 KiB", device = "old", expect = "any" }]
    """)
    assert found.faults[0].strikes == 1 and broken(found) == []


def test_a_run_does_not_end_in_the_middle_of_what_a_server_does_by_itself() -> None:
    found = played(HEAD.replace("management_servers = 2", 'reconcile_every = "5 s"') + """
    link = [{ between = ["ms-1", "catalogue"], latency = "1 s" }]
    step = [{ do = "create", object = "volume/a", size = "64 KiB", device = "old" }]
    """, seed=2)
    assert broken(found) == []

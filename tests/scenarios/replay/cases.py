"""Runs that tests go back in."""

from __future__ import annotations

from storcert.scenarios.catalogue import scenario
from storcert.scenarios.format.read import loads
from storcert.scenarios.format.scenario import Scenario
from storcert.scenarios.replay import Case

CRASHED = """\
title = "The storage VM dies while it moves a volume"
zone = [{ name = "z1", hosts = 2 }]
device = [
  { name = "images", kind = "object-store", role = "image" },
  { name = "old", kind = "nfs" },
  { name = "new", kind = "rbd" },
]
prepare = [{ do = "create", object = "volume/a", size = "8 MiB", device = "old" }]
step = [
  { do = "migrate", name = "move", object = "volume/a", device = "new", background = true },
  { do = "crash", name = "dies", place = "z1-ssvm1", delay = "20 ms" },
]
"""
BUSY = """\
title = "Much goes on"
region = { management_servers = 2 }
zone = [{ name = "z1", hosts = 2 }]
device = [
  { name = "images", kind = "object-store", role = "image" },
  { name = "old", kind = "nfs" },
  { name = "new", kind = "rbd" },
  { name = "between", kind = "nfs", role = "staging" },
]
web = [{ url = "https://t.example/t.img", size = "1 MiB" }]
prepare = [
  { do = "register", object = "template/t", url = "https://t.example/t.img", device = "images" },
  { do = "create-from", object = "volume/t", source = "template/t", device = "old" },
  { do = "copy", object = "template/t", device = "between" },
]
phases = { faulty = "4 s" }
workload = [
  { name = "w", clients = 3, count = 40, mix = { create = 4, snapshot = 2, backup = 1, clone = 1, delete = 2, migrate = 1 } },
  { name = "v", clients = 1, count = 6, mix = { create = 1, attach = 1, detach = 1 }, write_every = "1 h" },
]
fault = [
  { place = "old", fault = "answer_lost", phase = "after", nth = [1, 9], value = 1, chance = 0.9, must_strike = false },
  { place = "catalogue", fault = "slow", value = "3 ms", chance_per_request = 0.05 },
]
[[nemesis]]
name = "gremlin"
every = "1 s"
means = [{ do = "crash", place = "z1-ssvm1" }, { do = "partition", one = ["z1-h1"], lasts = "500 ms" }]
"""


def crashed() -> Case:
    return Case.of(loads(CRASHED, name="crashed"), 1)


def busy(seed: int = 5) -> Case:
    return Case.of(loads(BUSY, name="busy"), seed, 60 * 10**9)


def caught() -> Scenario:
    """A regression: on its defect a rule breaks, because of its one fault."""
    return scenario("i10798-creating-for-days")


def on_defect() -> Case:
    return Case.of(caught(), 1, on_defect=True)

"""Scenarios and terrains for tests of the explorer: small, and without a run where none is needed."""

from __future__ import annotations

from storcert.scenarios.explore.terrain import Terrain
from storcert.scenarios.format.read import loads

SMALL = loads("""\
title = "One volume comes and goes"
zone = [{ name = "z1" }]
device = [{ name = "vols", kind = "nfs" }]
step = [
  { do = "create", object = "volume/a", size = "4 KiB", device = "vols" },
  { do = "delete", object = "volume/a" },
]
""", name="small")
LARGE = loads("""\
title = "Everything a scenario can have"
region = { management_servers = 2 }
zone = [{ name = "z1", hosts = 2 }, { name = "z2" }]
device = [
  { name = "images", kind = "object-store", role = "image", scope_id = "z1" },
  { name = "vols", kind = "nfs", scope_id = "z1" },
  { name = "far", kind = "rbd", scope_id = "z2" },
]
web = [{ url = "https://t.example/t.img", size = "1 MiB" }]
link = [{ between = ["z1-h1", "vols"], latency = "1 ms" }, { between = ["ms-1", "far"], latency = "1 ms" }]
phases = { faulty = "1 min" }
prepare = [{ do = "create", name = "made", object = "volume/a", size = "64 KiB", device = "vols" }]
workload = [{ name = "w", mix = { create = 3, delete = 1 }, count = 10, devices = ["vols", "far"], phases = ["faulty"] }]
fault = [{ place = "vols", fault = "slow", value = "1 s", must_strike = false, start = ["0 s", "1 s"] }]
nemesis = [{ name = "n", every = "10 s", means = [{ do = "crash", place = "z1-h2" }, { do = "crash", place = "ms-2" }] }]
step = [
  { do = "create", name = "first", object = "volume/b", size = "64 KiB", device = "far" },
  { do = "crash", place = "ms-2", after = "first" },
  { do = "partition", one = ["vols"], other = ["z1-h1", "z2-h1"], at = "2 s", lasts = "1 s" },
  { do = "delete", object = "volume/a", at = "1 s" },
]
afterwards = [{ do = "check", object = "volume/b", on = ["far"] }]
""", name="large")
TERRAIN = Terrain({
    "catalogue": {"submit create": 2, "create: ready": 1},
    "images": {"PutObject": 1},
    "vols": {"WRITE": 2, "LOOKUP": 3},
    "web": {"GET": 2},
}, 50_000_000)
ONE_DEVICE = Terrain({"catalogue": {"submit create": 2, "create: ready": 1}, "vols": {"WRITE": 2, "LOOKUP": 3}}, 50_000_000)

"""Scenario files that tests share."""

from __future__ import annotations

SMALL = """\
title = "A volume is moved"
zone = [{ name = "z1", hosts = 2 }]
device = [
  { name = "images", kind = "object-store", role = "image" },
  { name = "old", kind = "nfs" },
  { name = "new", kind = "rbd" },
]
web = [{ url = "https://t.example/t.img", size = "1 MiB" }]
prepare = [
  { do = "create", object = "volume/a", size = "64 KiB", device = "old" },
]
step = [
  { do = "migrate", name = "move", object = "volume/a", device = "new", background = true },
  { do = "crash", place = "z1-ssvm1", delay = "3 ms" },
]
"""

EVERYTHING = (
    SMALL
    + """\
afterwards = [
  { do = "check", object = "volume/a", on = ["new"] },
  { do = "register", object = "template/t", url = "https://t.example/t.img", expect = ["done", "DeviceUnavailable"] },
  { do = "by-hand", device = "new", act = "delete", object = "volume/x", at = "1 s" },
  { do = "wait", lasts = "1 h 1 ns", after = "move-again", delay = "2 ms" },
  { do = "delete", object = "/volume/7/with%20space", name = "move-again", server = "ms-1" },
]
seeds = [1, 2, 3]
cost = "slow"
story = \"\"\"Somebody had "a long story" to tell.
With two lines, and a \\\\ in it.\"\"\"
source = ["one", "two"]

[region]
management_servers = 2
reconcile_every = "never"
restart_after = "1500 ms"

[[link]]
between = ["z1-ssvm1", "old"]
latency = "10 ms"
up = "1 MB/s"

[[port]]
of = "new"
in = "3 MB/s"

[phases]
warm_up = "1 s"
faulty = "1 min"
healed = "2 s"

[[workload]]
name = "users"
rate = "7/min"
mix = { create = 3, delete = 1 }
sizes = ["4 KiB", "1 GiB"]

[[fault]]
place = "new"
fault = "slow"
nth = [1, 9]
value = "250 ms"
start = ["1 s", "20 s"]
chance = 0.5

[[fault]]
place = "web"
fault = "cut"
phase = "during"
value = "64 KiB"
chance_per_request = 0.25

[[nemesis]]
name = "monkey"
every = "10 s"
[[nemesis.means]]
do = "pause"
place = "z1-h1"
lasts = "1 s"
[[nemesis.means]]
do = "partition"
one = ["ms-1"]
lasts = "2 s"

[expect]
decided = ["L-ONCE"]
operations_done_min = 2
"""
)

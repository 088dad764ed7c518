"""Whether a scenario is one run for each seed, whatever Python runs it and however it hashes: so many seeds on each Python,
with each hash seed, and one digest over all of them.

    python benchmarks/one_digest.py --seeds 1000 --python python3.11 --python python3.12 --hash-seed 0 --hash-seed 1
    python benchmarks/one_digest.py life-on-rbd --seeds 20

Each Python must be able to import storcert. Exit code 1 where two differ; the first seed that does is named.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

SCENARIO = """\
title = "A little of everything that is left to chance"
region = { management_servers = 2, reconcile_every = "never" }
zone = [{ name = "z1", hosts = 2, storage_vms = 2 }]
device = [
  { name = "images", kind = "object-store", role = "image" },
  { name = "one", kind = "rbd" },
  { name = "two", kind = "nfs" },
]
phases = { faulty = "8 s" }
schedule = { lag = "2 ms", falls_drawn = 3, turns = 300 }
fault = [
  { place = "one", fault = "slow", value = "1 s", nth = [1, 40], chance = 0.5, must_strike = false },
  { place = "catalogue", fault = "answer_lost", phase = "after", chance_per_request = 0.01, must_strike = false },
]
[[nemesis]]
name = "monkey"
every = "4 s"
means = [
  { do = "crash", place = "ms-1" },
  { do = "crash", place = "z1-ssvm1" },
  { do = "clock", place = "ms-2", ahead = "2 min" },
]
[[workload]]
name = "busy"
clients = 2
count = 5
phases = ["faulty"]
sizes = ["4 KiB"]
mix = { create = 3, create-from = 1, snapshot = 1, attach = 1, migrate = 1, delete = 1 }
"""


def told(name: str, seeds: int) -> None:
    """One line for each seed: its digest and what broke."""
    from storcert.scenarios.catalogue import scenario
    from storcert.scenarios.format.read import loads
    from storcert.scenarios.runner.play import play

    asked = scenario(name) if name else loads(SCENARIO, name="one-digest")
    for seed in range(1, seeds + 1):
        played = play(asked, seed, keep=0)
        broken = " ".join(one.rule for one in played.findings if one.broken)
        print(seed, played.digest, broken or played.unrest or "-", flush=True)


def main() -> int:
    """Run, compare, print; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", nargs="?", default="", help="of the catalogue; left out: a small one with everything")
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--python", action="append", default=[])
    parser.add_argument("--hash-seed", action="append", default=[])
    parser.add_argument("--tell", action="store_true", help="print each seed's digest, and compare nothing")
    options = parser.parse_args()
    if options.tell:
        told(options.scenario, options.seeds)
        return 0
    first: tuple[str, list[str]] | None = None
    for python in options.python or [sys.executable]:
        for hash_seed in options.hash_seed or ["0", "1", "random"]:
            begun_s = time.monotonic()
            command = [python, str(Path(__file__).resolve()), "--tell", "--seeds", str(options.seeds)]
            done = subprocess.run(
                [*command, *([options.scenario] if options.scenario else [])], check=True, capture_output=True, text=True,
                env={**os.environ, "PYTHONHASHSEED": hash_seed})
            lines = done.stdout.splitlines()
            here = f"{python}, hash seed {hash_seed}"
            digest = hashlib.sha256(done.stdout.encode()).hexdigest()[:16]
            wrong = sum(not line.endswith(" -") for line in lines)
            print(f"{here}: {len(lines)} seeds, {digest}, {wrong} broke a rule, {time.monotonic() - begun_s:.0f} s", flush=True)
            if first is None:
                first = here, lines
            elif lines != first[1]:
                differs = next(number for number, pair in enumerate(zip(lines, first[1], strict=True), 1) if len(set(pair)) > 1)
                print(f"differs from {first[0]} at seed {differs}")
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

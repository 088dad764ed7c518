"""What the rules of the control plane cost while a region runs, per fact and as a share of the run. Prints tables and JSON.

    python benchmarks/checkers.py [--operations N] [--rounds N] [--profile] [--json FILE]

A region without rules does the mix of ``logical.py`` while its facts are gathered; then the rules see them, one rule alone
and all together. Told are CPU microseconds per fact of the run (also of those that the rule does not ask for), and per
operation, the median of the rounds; and what remains remembered afterwards. The aim: all rules together take at most 10 % of
the run. No test asserts on a time.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import json
import os
import platform
import pstats
import statistics
import time
import tracemalloc
from collections import Counter
from collections.abc import Sequence
from typing import Any

from logical_world import PRIMARY, Size, World

from storcert.conformance.devices import prepare
from storcert.harness.checkers.control_plane import RULES, SORTS, Fact, Judge

AIM_SHARE = 0.10
SIZE = Size(2, 16, 8, 400)


def gather(operations: int, seed: int) -> tuple[list[Fact], int, float]:
    """The facts of a run, how many operations it was, and the CPU seconds of those and of coming to rest."""
    facts: list[Fact] = []
    world = World(SIZE, seed, judged=False)
    world.region.kernel.journal.listen(
        sorted(SORTS), lambda now_ns, at, sort, _, value: facts.append(Fact(now_ns, at, sort, value or {})))
    world.begin()
    gc.collect()
    gc.freeze()
    start = time.process_time()
    world.run(operations, 20, 0)
    world.region.settle()
    seconds = time.process_time() - start
    done = world.done.total()
    world.close()
    return facts, done, seconds


def judging(facts: Sequence[Fact], rules: tuple[str, ...]) -> tuple[float, Judge]:
    """CPU seconds of these rules over all facts."""
    judge = Judge(rules)
    gc.collect()
    start = time.process_time()
    for fact in facts:
        judge.see(Fact(*fact))  # made anew, as a region makes it
    return time.process_time() - start, judge


def remembered(facts: Sequence[Fact]) -> float:
    """KiB that the rules hold at the end of the run."""
    tracemalloc.start()
    judge = judging(facts, ())[1]
    gc.collect()
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    del judge
    return held / 1024


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--operations", type=int, default=3_000)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--profile", action="store_true", help="show where the time of all rules goes instead")
    arguments.add_argument("--json", default="")
    given = arguments.parse_args()
    for kind in PRIMARY:
        prepare(kind)
    facts, operations, run_s = gather(given.operations, 1)
    if given.profile:
        profile = cProfile.Profile()
        profile.runcall(judging, facts, ())
        pstats.Stats(profile).sort_stats("tottime").print_stats(40)
        return
    sets: dict[str, tuple[str, ...]] = {"all rules": (), **{name: (name,) for name in sorted(RULES)}}
    times: dict[str, list[float]] = {name: [] for name in sets}
    for _ in range(given.rounds):
        for name, rules in sets.items():
            times[name].append(judging(facts, rules)[0])
    counts = Counter(fact.sort for fact in facts)
    print(f"{operations} operations, {len(facts)} facts ({len(facts) / operations:.1f} per operation), run without rules "
          f"{1e6 * run_s / operations:.0f} us per operation\n")
    print(f"{'rules':12}{'us/fact':>10}{'us/operation':>14}{'share of run':>14}{'facts':>10}{'broken':>8}")
    rows: dict[str, dict[str, Any]] = {}
    for name, rules in sets.items():
        seconds = statistics.median(times[name])
        judge = judging(facts, rules)[1]
        broken = sum(len(finding.broken) + finding.more for finding in judge.findings())
        asked = {sort for one in rules or RULES for part in RULES[one] for sort in part.sorts}
        seen = sum(counts[sort] for sort in asked)
        rows[name] = {
            "us_per_fact": 1e6 * seconds / len(facts), "us_per_operation": 1e6 * seconds / operations, "share": seconds / run_s,
            "facts": seen, "broken": broken,
        }
        print(f"{name:12}{rows[name]['us_per_fact']:10.2f}{rows[name]['us_per_operation']:14.1f}{rows[name]['share']:14.1%}"
              f"{seen:10}{broken:8}")
    share, kib = rows["all rules"]["share"], remembered(facts)
    reached = "reached" if share <= AIM_SHARE else "missed"
    print(f"\nall rules together: {share:.1%} of the run without them; aim {AIM_SHARE:.0%} {reached}; remembered {kib:.0f} KiB")
    result = {
        "python": platform.python_version(), "rounds": given.rounds, "operations": operations, "facts": len(facts),
        "run_us_per_operation": 1e6 * run_s / operations, "aim_share": AIM_SHARE, "remembered_kib": kib,
        "load": os.getloadavg()[0], "rows": rows,
    }
    if given.json:
        with open(given.json, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=2)
            file.write("\n")


if __name__ == "__main__":
    main()

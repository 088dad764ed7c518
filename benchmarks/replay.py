"""How long it takes to come to any point of a run of ten thousand events, and to know what stands there. Prints a table.

    python benchmarks/replay.py [--events N] [--points N] [--rounds N] [--json FILE]

The run is one of a workload on three devices with all rules looking on; its first so many events count, whatever comes later.
A point is reached by running from the beginning (tasks of a world cannot be copied), then the whole summary of the moment is
made: places, faults, jobs, who waits for whom. Times are CPU time; the median over the rounds is given. No test
asserts on a time.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time

from storcert.conformance.replay_places import Course
from storcert.conformance.replay_text import Moment
from storcert.scenarios.format.read import loads
from storcert.scenarios.region import Region
from storcert.scenarios.replay import Case, again, visit

AIM_S = 1.0
SCENARIO = """
title = "Something to go back in"
zone = [{ name = "z1", hosts = 2 }]
device = [
  { name = "images", kind = "object-store", role = "image" },
  { name = "block", kind = "rbd" },
  { name = "files", kind = "nfs" },
]
workload = [{ name = "w", clients = 4, count = 400, mix = { create = 4, snapshot = 2, backup = 1, delete = 3 } }]
"""


def median_s(case: Case, course: Course, number: int, rounds: int) -> float:
    """CPU seconds to event ``number`` and the summary there."""

    def look(region: Region, reached: int) -> None:
        assert Moment(course, region, reached, number).summary()

    taken = []
    for _ in range(rounds):
        begun = time.process_time()
        visit(case, number, look)
        taken.append(time.process_time() - begun)
    return statistics.median(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--points", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json")
    options = parser.parse_args()
    case = Case.of(loads(SCENARIO), 1)
    begun = time.process_time()
    course = Course(again(case))
    whole_s = time.process_time() - begun
    last = min(options.events, course.last)
    points = [max(1, last * number // options.points) for number in range(1, options.points + 1)]
    rows = [(number, median_s(case, course, number, options.rounds)) for number in points]
    print(f"the whole run: {course.last:,} events, {whole_s:.3f} s CPU, Python {platform.python_version()}")
    for number, taken_s in rows:
        print(f"  to event {number:>7,}: {taken_s:7.3f} s   ({number / taken_s:9,.0f} events/s)")
    worst_s = max(taken_s for _, taken_s in rows)
    print(f"worst {worst_s:.3f} s; the aim is {AIM_S:.1f} s: {'met' if worst_s <= AIM_S else 'NOT met'}")
    if options.json:
        found = {
            "events": course.last, "whole_s": whole_s, "points": dict(rows), "worst_s": worst_s,
            "python": platform.python_version(),
        }
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(found, file, indent=2)


if __name__ == "__main__":
    main()

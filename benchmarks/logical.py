"""What an operation of the control plane costs in a simulated region, everything included, and whether a large region costs
more. Prints tables and JSON.

    python benchmarks/logical.py [--objects N ...] [--full] [--profile OPERATION] [--json FILE]

First: CPU microseconds per operation where a region holds few and many objects, and how much it grows; one client, the median
of the rounds. Second: 20 clients that ask for one operation a second each, in simulated seconds per CPU second. Third: hours in
which nobody asks for anything, the same way. Fourth: a long run of a large region by clients that do not pause. Counted are
kernel, network, catalogue, agents, drivers, device models and every rule of the control plane, which looks on all the time. At
the end of a run the region is settled: what every rule came to is shown, and how many object bytes a management server saw. The
aims: an operation costs at most 1.3 times as much with 100,000 objects as with 1,000; ``--full`` (ten zones, 1,000 hosts, 40
devices, 100,000 objects, 1,000,000 operations) takes at most 30 minutes and 2 GB on one core. No test asserts on a time.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import json
import os
import platform
import pstats
import resource
import statistics
import sys
import time
from collections.abc import Mapping
from typing import Any

from logical_world import MIX, PRIMARY, SECOND_NS, Size, World

from storcert.conformance.devices import prepare
from storcert.harness.logical.control_plane import ControlPlane

AIM_GROWTH, AIM_US, AIM_MB = 1.3, 1800, 2048
PIECE = 50_000
"""So many operations of a long run are timed at once."""


def quiet() -> None:
    gc.collect()
    gc.freeze()


def peak_mb() -> float:
    """Of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def costs(objects: int, rounds: int, per_round: int, seed: int, profile: str = "") -> dict[str, float]:
    """CPU microseconds per operation by name, in a region of so many objects."""
    world = World(Size(4, 40, 16, objects), seed)
    world.begin()
    start = time.process_time()
    world.fill()
    found = {"fill": 1e6 * (time.process_time() - start) / objects}
    world.size = Size(4, 40, 16, 1 << 60)
    world.run(4 * per_round, 1, 0)
    times: dict[str, list[float]] = {name: [] for name in MIX}
    quiet()
    profiler = cProfile.Profile()
    for _ in range(rounds):
        for name in MIX:
            before = world.done.total()

            def some(control: ControlPlane, name: str = name) -> None:
                for _ in range(per_round):
                    world.act(control, name)

            if name == profile:
                profiler.enable()
            start = time.process_time()
            world.region.call(some)
            seconds = time.process_time() - start
            profiler.disable()
            times[name].append(1e6 * seconds / (world.done.total() - before))
    found |= {name: statistics.median(some) for name, some in times.items()}
    found["mix"] = sum(found[name] * share for name, share in MIX.items()) / sum(MIX.values())
    if profile:
        pstats.Stats(profiler).sort_stats("tottime").print_stats(50)
    world.close()
    return found


def table_of_costs(sizes: list[int], rounds: int, per_round: int, seed: int) -> dict[str, dict[str, float]]:
    """Measure and print the first table."""
    columns = {size: costs(size, rounds, per_round, seed) for size in sizes}
    print(f"{'CPU us per operation':22}" + "".join(f"{size:>12,}" for size in sizes) + f"{'growth':>10}{'aim':>10}")
    rows: dict[str, dict[str, float]] = {}
    for name in columns[sizes[0]]:
        values = [columns[size][name] for size in sizes]
        growth = values[-1] / values[0]
        rows[name] = {**{str(size): value for size, value in zip(sizes, values, strict=True)}, "growth": growth}
        reached = "" if name == "fill" or len(sizes) == 1 else "reached" if growth <= AIM_GROWTH else "missed"
        print(f"{name:22}" + "".join(f"{value:12.0f}" for value in values) + f"{growth:10.2f}{reached:>10}")
    return rows


def long_run(size: Size, operations: int, clients: int, think_ns: int, seed: int) -> dict[str, Any]:
    """Build, fill, work, settle, judge."""
    start = time.process_time()
    world = World(size, seed)
    world.begin()
    built = time.process_time()
    world.fill()
    filled = time.process_time()
    began_ns, filled_objects = world.region.kernel.now_ns, world.objects
    quiet()
    goal, pace = operations - filled_objects, []
    while world.done.total() < goal:
        before, start_of_some = world.done.total(), time.process_time()
        world.run(min(PIECE, goal - before), clients, think_ns)
        pace.append(round(1e6 * (time.process_time() - start_of_some) / (world.done.total() - before)))
        print(f"  {filled_objects + world.done.total()} operations, {pace[-1]} us each, {peak_mb():.0f} MB", file=sys.stderr)
    ran = time.process_time()
    simulated_s = (world.region.kernel.now_ns - began_ns) / 1e9
    done, before_end_mb = world.done.total() + filled_objects, peak_mb()
    result = {
        "region": str(size), "build_s": built - start, "fill_s": filled - built, "run_s": ran - filled,
        "operations": done, "clients": clients, "think_s": think_ns / 1e9, "simulated_s": simulated_s,
        "us_per_operation": 1e6 * (ran - start) / done, "simulated_s_per_cpu_s": simulated_s / (ran - filled),
        "us_per_operation_by_piece": pace, "peak_mb_while_running": before_end_mb,
        "by_name": dict(sorted(world.done.items())), **world.judge(),
        "peak_mb": peak_mb(),
    }
    world.close()
    result["total_s"] = time.process_time() - start
    return result


def quiet_hours(sizes: list[Size], hours: int, seed: int) -> dict[str, float]:
    """Simulated seconds per CPU second in a region where only hearts beat and servers reconcile; the best of the hours."""
    found: dict[str, float] = {}
    for size in sizes:
        world = World(size, seed)
        world.begin()
        world.fill()
        world.region.advance(600 * SECOND_NS)
        quiet()
        best_s = float("inf")
        for _ in range(hours):
            start = time.process_time()
            world.region.advance(3600 * SECOND_NS)
            best_s = min(best_s, time.process_time() - start)
        found[str(size)] = 3600 / best_s
        print(f"quiet, {size}: {found[str(size)]:.0f} simulated seconds per CPU second")
        world.close()
    return found


def show(title: str, run: Mapping[str, Any]) -> None:
    """Print a run."""
    print(f"\n{title}: {run['region']}; {run['clients']} clients, {run['think_s']:g} s between operations")
    print(f"  built in {run['build_s']:.1f} s, filled in {run['fill_s']:.1f} s, {run['operations']} operations in all")
    print(f"  {run['us_per_operation']:.0f} us per operation; {run['simulated_s']:.0f} simulated seconds, "
          f"{run['simulated_s_per_cpu_s']:.0f} per CPU second")
    print(f"  settled, read back and judged in {run['settle_s']:.1f} s; everything {run['total_s']:.0f} CPU s, "
          f"peak {run['peak_mb']:.0f} MB ({run['peak_mb_while_running']:.0f} before the end)")
    print(f"  object bytes at management servers: {run['bytes_at_management']}; elsewhere: {run['bytes_elsewhere']}")
    for rule, finding in run["rules"].items():
        print(f"  {rule:12} looked at {finding['looked_at']:>9}  {finding['broken'][:3] or 'holds'}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--per-round", type=int, default=60)
    parser.add_argument("--seconds", type=int, default=300, help="how long 20 clients work, simulated")
    parser.add_argument("--operations", type=int, help="of the long run; 20,000, or with --full a million")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--full", action="store_true", help="100,000 objects, and the long run with a million operations")
    parser.add_argument("--only", choices=["costs", "clients", "quiet", "long"], help="one of the four")
    parser.add_argument("--profile", choices=list(MIX), help="show where the time of one operation goes instead")
    parser.add_argument("--json", default="")
    given = parser.parse_args()
    for kind in PRIMARY:
        prepare(kind)
    if given.profile:
        costs(given.objects[0], given.rounds, given.per_round, given.seed, given.profile)
        return
    result: dict[str, Any] = {"python": platform.python_version(), "load": os.getloadavg()[0]}
    if given.only in (None, "costs"):
        sizes = [1_000, 10_000, 100_000] if given.full else given.objects
        result["costs"] = table_of_costs(sizes, given.rounds, given.per_round, given.seed)
    if given.only in (None, "clients"):
        size = Size(4, 40, 16, 2_000)
        result["clients"] = long_run(size, 2_000 + 20 * given.seconds, 20, SECOND_NS, given.seed)
        show("20 clients, one operation a second each", result["clients"])
    if given.only in (None, "quiet"):
        result["quiet"] = quiet_hours([Size(1, 10, 3, 10), Size(4, 40, 16, 1_000)], 3, given.seed)
    if given.only in (None, "long"):
        size = Size(10, 1_000, 40, 100_000) if given.full else Size(10, 100, 40, 2_000)
        operations = given.operations or (1_000_000 if given.full else 20_000)
        result["long"] = long_run(size, operations, 100, 0, given.seed)
        show("a long run", result["long"])
        ran = result["long"]
        reached = ran["us_per_operation"] <= AIM_US and ran["peak_mb"] <= AIM_MB
        print(f"  aim ({AIM_US} us per operation, {AIM_MB} MB): {'reached' if reached else 'missed'}")
    if given.json:
        with open(given.json, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=2)
            file.write("\n")


if __name__ == "__main__":
    main()

"""How many runs an exploration makes in a minute, and how much of that is lost when workers share it. Prints a table and JSON.

    python benchmarks/explore.py [--runs N] [--operations N] [--workers N] [--dask] [--json FILE]

A run is a variation of a scenario with a mix of everything clients do, of so many operations, judged by every rule. The rate
is in CPU time of one core. What workers gain is told twice: in wall time, which needs an idle machine with as many cores, and
as it would be there: all CPU time of the workers, over that of the busiest one or a fair share of all with whoever feeds them.
The time in which processes start and import is apart. No test asserts on a time.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any

from storcert.harness.record.verdict import Verdict
from storcert.scenarios.explore.lines import can_watch
from storcert.scenarios.explore.loosen import loosened
from storcert.scenarios.explore.run import RunTrial, Survey
from storcert.scenarios.explore.swarm import Swarm
from storcert.scenarios.explore.trial import Trial
from storcert.scenarios.format.read import loads
from storcert.scenarios.format.scenario import Scenario
from storcert.scenarios.pool.pool import OwnProcess, Pool
from storcert.scenarios.pool.processes import Processes
from storcert.scenarios.pool.session import Setup
from storcert.scenarios.pool.timed import Timed

AIM_RUNS_PER_MINUTE = 600
SCENARIO = """\
title = "Clients do everything there is"
region = { management_servers = 2 }
zone = [{ name = "z1", hosts = 2 }]
device = [
  { name = "images", kind = "object-store", role = "image" },
  { name = "vols", kind = "nfs" },
  { name = "fast", kind = "rbd" },
]
[[workload]]
name = "w"
clients = 4
count = COUNT
phases = ["faulty"]
sizes = ["4 KiB", "64 KiB"]
[workload.mix]
create = 4
create-from = 2
clone = 1
template = 1
snapshot = 3
backup = 1
copy = 1
migrate = 1
revert = 1
attach = 1
detach = 1
delete = 6
"""


def trials(scenario: Scenario, count: int) -> list[RunTrial]:
    """The scenario itself, and variations of it."""
    base = loosened(scenario)
    here = OwnProcess(Setup())
    terrain = here.submit(Survey(base, 1)).result().terrain
    here.close()
    swarm = Swarm(base, terrain, 1)
    return [RunTrial(Trial(base, 1)), *(RunTrial(swarm.draw(number)) for number in range(1, count))]


def rate(tasks: list[RunTrial], setup: Setup) -> dict[str, Any]:
    """Of one process."""
    pool = OwnProcess(setup)
    pool.submit(tasks[0]).result()  # imports and caches
    costs: list[float] = []
    operations = failed = 0
    for task in tasks:
        result, cost_s, _ = pool.submit(Timed(task)).result()
        costs.append(cost_s)
        operations += result.operations
        failed += result.verdict is Verdict.FAIL
    pool.close()
    total_s = sum(costs)
    return {
        "runs": len(costs), "operations_per_run": round(operations / len(costs)), "failed": failed,
        "cpu_ms_per_run": round(1000 * total_s / len(costs), 1), "median_ms": round(1000 * statistics.median(costs), 1),
        "runs_per_minute_and_core": round(60 * len(costs) / total_s),
        "us_per_operation": round(1e6 * total_s / max(1, operations)),
    }


def shared(tasks: list[RunTrial], make: Callable[[], Pool], workers: int, alone_s: float) -> dict[str, Any]:
    """Of several processes. ``alone_s``: what the tasks cost one process."""
    pool = make()
    try:
        warm = [pool.submit(Timed(tasks[0])) for _ in range(4 * workers)]
        wait(warm)
        mine_s, begun_s = _own_cpu_s(), time.monotonic()
        waiting: set[Future[Any]] = {pool.submit(Timed(task)) for task in tasks}
        busy: dict[int, float] = {}
        for future in waiting:
            _, cost_s, pid = future.result()
            busy[pid] = busy.get(pid, 0.0) + cost_s
        wall_s, mine_s = time.monotonic() - begun_s, _own_cpu_s() - mine_s
    finally:
        pool.close()
    # On a machine with a core for each worker, whoever feeds them runs on one of those, too.
    longest_s = max(max(busy.values()), (sum(busy.values()) + mine_s) / workers)
    return {
        "workers": len(busy), "wall_s": round(wall_s, 2), "speedup_wall": round(alone_s / wall_s, 2),
        "feeding_cpu_s": round(mine_s, 2), "busiest_cpu_s": round(max(busy.values()), 2),
        "speedup_of_cpu": round(sum(busy.values()) / longest_s, 2),
    }


def _own_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description="Runs of an exploration, in CPU time, and what workers gain.")
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--operations", type=int, default=1_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--dask", action="store_true", help="a LocalCluster of as many workers, too")
    parser.add_argument("--json", help="write the results to this file as well")
    options = parser.parse_args()
    tasks = trials(loads(SCENARIO.replace("COUNT", str(options.operations))), options.runs)
    rows: dict[str, Any] = {"one process": rate(tasks, Setup())}
    if can_watch():
        rows["one process, watching lines"] = rate(tasks, Setup(guided=True))
    one = rows["one process"]
    alone_s = one["cpu_ms_per_run"] * one["runs"] / 1000
    rows[f"{options.workers} processes"] = shared(tasks, lambda: Processes(Setup(), options.workers), options.workers, alone_s)
    if options.dask:
        from distributed import LocalCluster

        from storcert.scenarios.pool.cluster import Cluster

        with LocalCluster(n_workers=options.workers, threads_per_worker=1, dashboard_address=":0") as cluster:
            rows[f"Dask, {options.workers} workers"] = shared(
                tasks, lambda: Cluster(Setup(), cluster.scheduler_address), options.workers, alone_s)
    for name, row in rows.items():
        print(f"{name}: " + ", ".join(f"{key} {value}" for key, value in row.items()))
    print(f"aim: {AIM_RUNS_PER_MINUTE} runs a minute and core at 1,000 operations each")
    result = {"rows": rows, "python": platform.python_version(), "cores": os.cpu_count(), "load": os.getloadavg()[0]}
    text = json.dumps(result, indent=1)
    print(text)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            file.write(text + "\n")


if __name__ == "__main__":
    main()

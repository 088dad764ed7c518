"""How much the kernel costs against raw SimPy. Prints a table and JSON.

    python benchmarks/kernel.py [--rounds N] [--json FILE]

Ratios only mean something within one interpreter and one run: every row runs both sides in the same round, the sides take
turns in going first, times are CPU time, and the median of the per-round ratios is given. No test asserts on a time.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import statistics
import sys
import sysconfig
import time
from collections.abc import Callable
from typing import Any

import simpy

from storcert.harness.kernel import DeadlineExpired, Kernel

Side = Callable[[], int]
"""Runs one side of a comparison; gives the number of events (or calls) it was measured on."""

EVENTS = 100_000
MS = 1_000_000


def _drive(environment: Any) -> None:
    environment.run()


# -- timeouts: 100 processes that only let time pass


def timeouts_as_processes(make: Callable[[], Any], processes: int = 100) -> Side:
    def side() -> int:
        environment = make()
        each = EVENTS // processes

        def sleeper(step: int) -> Any:
            for _ in range(each):
                yield environment.timeout(step)

        for number in range(processes):
            environment.process(sleeper(MS + number))
        _drive(environment)
        return each * processes

    return side


def timeouts_as_tasks(processes: int = 100) -> Side:
    def side() -> int:
        kernel = Kernel()
        each = EVENTS // processes

        def sleeper(step: int) -> None:
            sleep_ns = kernel.sleep_ns
            for _ in range(each):
                sleep_ns(step)

        for number in range(processes):
            kernel.spawn(sleeper, MS + number)
        _drive(kernel)
        kernel.close()
        return each * processes

    return side


# -- a resource with 10 places and 100 users: request, hold, release


def resource_as_processes(make: Callable[[], Any]) -> Side:
    def side() -> int:
        environment = make()
        resource = simpy.Resource(environment, capacity=10)
        each = EVENTS // 300

        def user(step: int) -> Any:
            for _ in range(each):
                with resource.request() as request:
                    yield request
                    yield environment.timeout(step)

        for number in range(100):
            environment.process(user(MS + number))
        _drive(environment)
        return each * 300

    return side


def resource_as_tasks() -> Side:
    def side() -> int:
        kernel = Kernel()
        resource = simpy.Resource(kernel, capacity=10)
        each = EVENTS // 300

        def user(step: int) -> None:
            for _ in range(each):
                with resource.request() as request:
                    kernel.wait(request)
                    kernel.sleep_ns(step)

        for number in range(100):
            kernel.spawn(user, MS + number)
        _drive(kernel)
        kernel.close()
        return each * 300

    return side


# -- stores: 50 producers and 50 consumers


def store_as_processes(make: Callable[[], Any]) -> Side:
    def side() -> int:
        environment = make()
        each = EVENTS // 150

        def producer(store: simpy.Store, step: int) -> Any:
            for item in range(each):
                yield environment.timeout(step)
                yield store.put(item)

        def consumer(store: simpy.Store) -> Any:
            for _ in range(each):
                yield store.get()

        for number in range(50):
            store = simpy.Store(environment)
            environment.process(producer(store, MS + number))
            environment.process(consumer(store))
        _drive(environment)
        return each * 150

    return side


def store_as_tasks() -> Side:
    def side() -> int:
        kernel = Kernel()
        each = EVENTS // 150

        def producer(store: simpy.Store, step: int) -> None:
            for item in range(each):
                kernel.sleep_ns(step)
                kernel.wait(store.put(item))

        def consumer(store: simpy.Store) -> None:
            for _ in range(each):
                kernel.wait(store.get())

        for number in range(50):
            store = simpy.Store(kernel)
            kernel.spawn(producer, store, MS + number)
            kernel.spawn(consumer, store)
        _drive(kernel)
        kernel.close()
        return each * 150

    return side


# -- calls of 1 ms with a deadline of 30 s: 100 clients

CALLS = 20_000
heap_peaks: dict[str, int] = {}


def calls_any_of() -> int:
    environment = simpy.Environment()
    peak = 0

    def client(step: int) -> Any:
        nonlocal peak
        for _ in range(CALLS // 100):
            answer = environment.timeout(step)
            yield environment.any_of([answer, environment.timeout(30_000 * MS)])
            if not answer.processed:
                raise DeadlineExpired
            peak = max(peak, len(environment._queue))

    for number in range(100):
        environment.process(client(MS + number))
    environment.run(until=20_000 * MS)
    heap_peaks["any_of"] = peak
    return CALLS


def calls_wait() -> int:
    kernel = Kernel()
    peak = 0

    def client(step: int) -> None:
        nonlocal peak
        for _ in range(CALLS // 100):
            kernel.wait(kernel.timeout(step), 30_000 * MS)
            peak = max(peak, len(kernel._queue))

    for number in range(100):
        kernel.spawn(client, MS + number)
    kernel.run_for(20_000 * MS)
    kernel.close()
    heap_peaks["wait"] = peak
    return CALLS


def raw() -> simpy.Environment:
    return simpy.Environment()


ROWS: tuple[tuple[str, Side, Side, str], ...] = (
    ("timeout, processes", timeouts_as_processes(Kernel), timeouts_as_processes(raw), "<= 1.1"),
    ("timeout, tasks", timeouts_as_tasks(), timeouts_as_processes(raw), "<= 2.0"),
    ("timeout, processes, first-come", timeouts_as_processes(lambda: Kernel(tie_break="fifo")), timeouts_as_processes(raw), ""),
    ("resource, processes", resource_as_processes(Kernel), resource_as_processes(raw), "<= 1.1"),
    ("resource, tasks", resource_as_tasks(), resource_as_processes(raw), "<= 2.0"),
    ("store, processes", store_as_processes(Kernel), store_as_processes(raw), "<= 1.1"),
    ("store, tasks", store_as_tasks(), store_as_processes(raw), "<= 2.0"),
    ("any_of / wait with deadline", calls_any_of, calls_wait, ">= 1.8"),
)


def cpu_ns_per_event(side: Side) -> float:
    gc.collect()
    start = time.process_time_ns()
    events = side()
    return (time.process_time_ns() - start) / events


def measure(rounds: int) -> list[dict[str, Any]]:
    """One dictionary per row: the median ratio first over second side, and the median ns per event of both."""
    samples: list[list[tuple[float, float]]] = [[] for _ in ROWS]
    for number in range(rounds + 1):
        for row, (_, first, second, _) in enumerate(ROWS):
            if number % 2:  # neither side is always the one that comes first
                one = cpu_ns_per_event(first)
                two = cpu_ns_per_event(second)
            else:
                two = cpu_ns_per_event(second)
                one = cpu_ns_per_event(first)
            if number:  # the first round warms up
                samples[row].append((one, two))
        print(f"round {number}/{rounds}", end="\r", file=sys.stderr)
    return [
        {
            "name": name,
            "ratio": round(statistics.median(a / b for a, b in pairs), 3),
            "aim": aim,
            "first_ns": round(statistics.median(a for a, _ in pairs)),
            "second_ns": round(statistics.median(b for _, b in pairs)),
        }
        for (name, _, _, aim), pairs in zip(ROWS, samples, strict=True)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Kernel against raw SimPy, in CPU time.")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", help="write the results to this file as well")
    options = parser.parse_args()
    rows = measure(options.rounds)
    print(f"{'':34}{'ratio':>8}{'aim':>9}{'first ns':>10}{'second ns':>11}")
    for row in rows:
        print(f"{row['name']:34}{row['ratio']:>8.2f}{row['aim']:>9}{row['first_ns']:>10}{row['second_ns']:>11}")
    print(f"heap peak over {CALLS} calls of 100 clients: any_of {heap_peaks['any_of']}, wait {heap_peaks['wait']}")
    result = {
        "rows": rows,
        "heap_peaks": heap_peaks,
        "python": platform.python_version(),
        "optimised_build": "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or ""),
        "load": os.getloadavg()[0],
        "rounds": options.rounds,
    }
    text = json.dumps(result, indent=1)
    print(text)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            file.write(text + "\n")


if __name__ == "__main__":
    main()

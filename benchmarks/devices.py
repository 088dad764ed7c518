"""How many simulated device requests, and driver calls, one CPU second holds, through each bundled driver. Prints a
table and JSON.

    python benchmarks/devices.py [--rounds N] [--objects N] [--profile DEVICE] [--json FILE]

Every device runs the same mix on its native model, as a conformance run would: create, write, describe, read and
delete of small objects, one location, no faults. Everything is counted: kernel, wire, model, client face, driver.
Times are CPU time, the median of the rounds; devices take turns. The aim is 10,000 requests per second. No test
asserts on a time.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import importlib
import json
import os
import platform
import pstats
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from storcert.conformance.devices import prepare
from storcert.harness.contract import DataObjectUri, StorageDeviceDriver
from storcert.harness.kernel.interpose import installed
from storcert.harness.kernel.loop import Kernel
from storcert.simulators.registry import make_device

DRIVERS: Mapping[str, str] = {
    "object-store": "storcert.harness.drivers.s3:S3Driver",
    "nfs": "storcert.harness.drivers.nfs:NfsDriver",
    "rbd": "storcert.harness.drivers.rbd:RbdDriver",
    "sheepdog": "storcert.harness.drivers.sheepdog:SheepdogDriver",
}
AIM_REQUESTS_PER_S = 10_000
BODY = bytes(range(256)) * 16
CALLS_PER_OBJECT = 9
"""create, describe, delete; open, write and commit; open, read and delete."""


def mix(driver: StorageDeviceDriver, objects: int, size_bytes: int) -> None:
    """One created and one written object at a time, from its making to its end."""
    body = (BODY * -(-size_bytes // len(BODY)))[:size_bytes]
    for number in range(objects):
        created = DataObjectUri.parse(f"/volume/1/{number}")
        driver.create(created, size_bytes)
        driver.describe(created)
        driver.delete(created)
        written = DataObjectUri.parse(f"/template/1/{number}")
        with driver.open_output(written, size_bytes) as stream:
            stream.write(body)
        with driver.open_input(written) as source:
            while source.read():
                pass
        driver.delete(written)


def load(device: str) -> Callable[[Mapping[str, Any]], StorageDeviceDriver]:
    """The bundled driver of a device; its client library importable."""
    prepare(device)
    module, _, name = DRIVERS[device].partition(":")
    found: Callable[[Mapping[str, Any]], StorageDeviceDriver] = getattr(importlib.import_module(module), name)
    return found


@contextmanager
def _quiet() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def run(device: str, objects: int, profile: cProfile.Profile | None = None) -> tuple[float, int]:
    """CPU seconds of the mix, and how many requests the device saw."""
    make_driver = load(device)
    with Kernel(1) as kernel, installed():
        simulated = make_device(device, kernel, {})
        location = kernel.location("host")
        simulated.attach(location)
        size_bytes = max(4096, make_driver(simulated.configuration()).capabilities().size_granularity_bytes)
        task = kernel.spawn(lambda: mix(make_driver(simulated.configuration()), objects, size_bytes), location=location)
        with _quiet():
            if profile is not None:
                profile.enable()
            start = time.process_time()
            kernel.run_until_done(task)
            seconds = time.process_time() - start
            if profile is not None:
                profile.disable()
        if task.error is not None:
            raise task.error
        return seconds, len(simulated.requests)


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--objects", type=int, default=300)
    arguments.add_argument("--device", action="append", choices=list(DRIVERS))
    arguments.add_argument("--profile", choices=list(DRIVERS), help="show where the time of one device goes instead")
    arguments.add_argument("--json", default="")
    given = arguments.parse_args()
    if given.profile:
        profile = cProfile.Profile()
        run(given.profile, 20)
        run(given.profile, given.objects, profile)
        pstats.Stats(profile).sort_stats("tottime").print_stats(40)
        return
    devices: list[str] = given.device or list(DRIVERS)
    times: dict[str, list[float]] = {device: [] for device in devices}
    counts: dict[str, int] = {}
    for device in devices:
        run(device, 20)
    for _ in range(given.rounds):
        for device in devices:
            seconds, counts[device] = run(device, given.objects)
            times[device].append(seconds)
    rows: dict[str, dict[str, float]] = {}
    print(f"{'device':14} {'requests/s':>12} {'us/request':>12} {'calls/s':>10} {'requests/object':>16} {'aim':>10}")
    for device in devices:
        seconds = statistics.median(times[device])
        rate = counts[device] / seconds
        calls = given.objects * CALLS_PER_OBJECT / seconds
        rows[device] = {"requests_per_s": rate, "calls_per_s": calls, "requests": counts[device]}
        reached = "reached" if rate >= AIM_REQUESTS_PER_S else "missed"
        per_object = counts[device] / given.objects
        print(f"{device:14} {rate:12.0f} {1e6 / rate:12.1f} {calls:10.0f} {per_object:16.1f} {reached:>10}")
    result = {
        "python": platform.python_version(), "rounds": given.rounds, "objects": given.objects,
        "aim_requests_per_s": AIM_REQUESTS_PER_S, "load": os.getloadavg()[0], "rows": rows,
    }
    if given.json:
        with open(given.json, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=2)
            file.write("\n")


if __name__ == "__main__":
    main()

"""How fast the native object store answers, against moto under real boto3, for the same calls. Prints a table and JSON.

    python benchmarks/store.py [--rounds N] [--calls N] [--json FILE]

Both sides run the same mix (put, head, get and read, list, delete, a small multipart upload) through ``boto3.client``: one at
a simulated location, the other under ``moto.mock_aws``. Rounds are interleaved, sides take turns in going first, times
are CPU time, the garbage collector is off while they run, and medians of the rounds are given. No test asserts on a time.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from storcert.harness.kernel.interpose.install import installed
from storcert.harness.kernel.loop import Kernel
from storcert.simulators.object_store import ObjectStore

BUCKET = "storcert"
BODY = bytes(range(256)) * 16

Program = Callable[[Any, int], int]
"""Makes about ``calls`` calls of a client; gives how many it made."""


def puts(client: Any, calls: int) -> int:
    """Only small puts."""
    for number in range(calls):
        client.put_object(Bucket=BUCKET, Key=f"p{number}", Body=BODY)
    return calls


def heads(client: Any, calls: int) -> int:
    """Only heads of one object."""
    client.put_object(Bucket=BUCKET, Key="h", Body=BODY)
    for _ in range(calls - 1):
        client.head_object(Bucket=BUCKET, Key="h")
    return calls


def gets(client: Any, calls: int) -> int:
    """Only gets of one object, read to the end."""
    client.put_object(Bucket=BUCKET, Key="g", Body=BODY)
    for _ in range(calls - 1):
        client.get_object(Bucket=BUCKET, Key="g")["Body"].read()
    return calls


def mix(client: Any, calls: int) -> int:
    """What a driver does in a conformance run."""
    done = 0
    while done < calls:
        key = f"volume/1/{done}"
        client.put_object(Bucket=BUCKET, Key=key, Body=BODY, IfNoneMatch="*")
        client.head_object(Bucket=BUCKET, Key=key)
        client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        client.list_objects_v2(Bucket=BUCKET, Prefix=key)
        upload = client.create_multipart_upload(Bucket=BUCKET, Key=key + "m")
        names = {"Bucket": BUCKET, "Key": key + "m", "UploadId": upload["UploadId"]}
        part = client.upload_part(**names, PartNumber=1, Body=BODY)
        parts = [{"PartNumber": 1, "ETag": part["ETag"]}]
        client.complete_multipart_upload(**names, MultipartUpload={"Parts": parts})
        client.copy_object(Bucket=BUCKET, Key=key + "c", CopySource=f"{BUCKET}/{key}")
        client.delete_object(Bucket=BUCKET, Key=key)
        done += 9
    return done


PROGRAMS: dict[str, Program] = {"mix": mix, "put 4K": puts, "head": heads, "get 4K": gets}


@contextmanager
def _quiet() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def native(program: Program, calls: int) -> float:
    """CPU microseconds per call, everything included: kernel, wire, model, client."""
    import boto3

    with Kernel(1) as kernel, installed():
        store = ObjectStore(kernel)
        location = kernel.location("host")
        store.attach(location)

        def run() -> int:
            return program(boto3.client("s3", endpoint_url="http://s3.sim", region_name="us-east-1"), calls)

        task = kernel.spawn(run, location=location)
        with _quiet():
            start = time.process_time()
            kernel.run_until_done(task)
            seconds = time.process_time() - start
        if task.error is not None:
            raise task.error
        return seconds / int(task.result) * 1e6


def moto(program: Program, calls: int) -> float:
    """CPU microseconds per call of moto under real boto3; making the client is not counted."""
    import boto3
    from moto import mock_aws

    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
        client.create_bucket(Bucket=BUCKET)
        with _quiet():
            start = time.process_time()
            made = program(client, calls)
            seconds = time.process_time() - start
        return seconds / made * 1e6


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--calls", type=int, default=400)
    arguments.add_argument("--json", default="")
    given = arguments.parse_args()
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    rows: dict[str, dict[str, float]] = {}
    print(f"{'calls':8} {'native':>12} {'moto':>12} {'native':>12} {'ratio':>7}")
    print(f"{'':8} {'us/call':>12} {'us/call':>12} {'calls/s':>12} {'':>7}")
    for name, program in PROGRAMS.items():
        native(program, 50), moto(program, 50)
        times: dict[str, list[float]] = {"native": [], "moto": []}
        for number in range(given.rounds):
            sides = [("native", native), ("moto", moto)]
            for side, measure in sides if number % 2 else reversed(sides):
                # The native side makes more calls: its clock ticks would otherwise be a visible part of the time.
                times[side].append(measure(program, given.calls * 10 if side == "native" else given.calls))
        ratio = statistics.median(slow / fast for fast, slow in zip(times["native"], times["moto"], strict=True))
        fast, slow = statistics.median(times["native"]), statistics.median(times["moto"])
        rows[name] = {"native_us": fast, "moto_us": slow, "ratio": ratio}
        print(f"{name:8} {fast:12.1f} {slow:12.1f} {1e6 / fast:12.0f} {ratio:6.1f}x")
    result = {"python": platform.python_version(), "rounds": given.rounds, "rows": rows}
    if given.json:
        with open(given.json, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=2)


if __name__ == "__main__":
    main()

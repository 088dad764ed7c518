"""What the driver protocol costs: calls, streams, bytes a second, through the bridge to a driver in memory in another process.

    python benchmarks/driver_protocol.py
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

from storcert.harness.contract import DataObjectUri
from storcert.harness.drivers.grpc import GrpcDriver

CALLS, STREAMS, MEGABYTES = 2_000, 500, 256
MIB = 1 << 20


def timed(what: str, count: int, unit: str, body: Callable[[], None]) -> None:
    """Print how many a second, by the clock on the wall, and what this process burnt of it."""
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    body()
    wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
    print(f"{what:<28} {count / wall_s:>8,.0f} {unit}/s   {1e6 * cpu_s / count:>6,.0f} us of CPU each, on this side")


def main() -> None:
    """Measure each once."""
    command = [sys.executable, "-m", "storcert.conformance.cli", "serve-driver", "fsspec"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        driver = GrpcDriver({"grpc_target": address.removeprefix("grpc://")})
        small, large = DataObjectUri.parse("/volume/1/small"), DataObjectUri.parse("/volume/1/large")
        driver.create(small, 100)

        def calls() -> None:
            for _ in range(CALLS):
                driver.describe(small)

        def streams() -> None:
            for _ in range(STREAMS):
                with driver.open_input(small) as stream:
                    while stream.read(MIB):
                        pass

        def written() -> None:
            piece = bytes(MIB)
            with driver.open_output(large) as output:
                for _ in range(MEGABYTES):
                    output.write(piece)

        def read() -> None:
            with driver.open_input(large) as stream:
                while stream.read(MIB):
                    pass

        timed("describe", CALLS, "calls", calls)
        timed("open, read twice, close", STREAMS, "streams", streams)
        timed("write in chunks of 1 MiB", MEGABYTES, "MiB", written)
        timed("read in chunks of 1 MiB", MEGABYTES, "MiB", read)
        server.terminate()


if __name__ == "__main__":
    main()

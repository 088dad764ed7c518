"""One seed, one run: in this process, in another one with another hash seed, and on every Python and platform.

The digests of the sample world are pinned, so each interpreter this file runs on is compared with all others.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator
from typing import Any

import pytest
import simpy

from storcert.harness.kernel import DeadlineExpired, Kernel, Location

Processing = Generator[Any, Any, Any]

PINNED = {
    1: "sha256:75f8d5c293509fd2f2673977c19734ceaf90381fc77aa3f5295497edf40be6df",
    2: "sha256:037700dc488d1db2f607bfa8a1a1a881d40466b210a587129437b40c0146b04a",
}


def sample_world(seed: int) -> str:
    """Everything a kernel offers at once; the digest of what happened."""
    with Kernel(seed) as kernel:
        hosts = [kernel.location(f"host-{number}") for number in range(3)]
        resource = simpy.Resource(kernel, capacity=2)
        store: simpy.Store = simpy.Store(kernel)

        def client(host: Location, number: int) -> None:
            draw = host.stream(f"client-{number}")
            for turn in range(20):
                kernel.sleep_ns(draw.choice([0, 0, 1_000, 2_000]))
                with resource.request() as request:
                    try:
                        kernel.wait(request, 3_000)
                        kernel.sleep_ns(1_000)
                        store.put((host.name, number, turn))
                    except DeadlineExpired as expired:
                        kernel.journal.record("expired", host.name, str(expired))

        def consumer() -> Processing:
            while True:
                item = yield store.get()
                kernel.journal.record("item", "", "/".join(map(str, item)))
                yield kernel.timeout(500)

        def fate(host: Location) -> None:
            draw = kernel.stream(f"fate/{host.name}")
            kernel.sleep_ns(draw.randrange(10_000))
            host.pause()
            kernel.sleep_ns(draw.randrange(10_000))
            host.resume()
            kernel.sleep_ns(draw.randrange(10_000))
            host.restart()
            kernel.join(kernel.spawn(client, host, 9, location=host))

        kernel.process(consumer())
        tasks = [kernel.spawn(client, host, number, location=host) for host in hosts for number in range(4)]
        tasks += [kernel.spawn(fate, host) for host in hosts]
        kernel.run_until_done(*tasks, limit_ns=10**9)
        return kernel.digest()


@pytest.mark.parametrize("seed", PINNED)
def test_a_seed_is_a_run(seed: int) -> None:
    assert sample_world(seed) == sample_world(seed) == PINNED[seed]


@pytest.mark.parametrize("hash_seed", ["0", "1", "4242"])
def test_the_hash_seed_of_the_process_changes_nothing(hash_seed: str) -> None:
    done = subprocess.run(
        [sys.executable, __file__],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True, text=True, timeout=60, check=True,
    )
    assert done.stdout.split() == list(PINNED.values())


def test_seeds_differ() -> None:
    assert len({sample_world(seed) for seed in range(20)}) == 20


if __name__ == "__main__":
    for each in PINNED:
        print(sample_world(each))

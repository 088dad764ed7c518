"""When the garbage collector runs is no part of a world: streams that hold themselves go where the kit says."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest

from storcert.conformance import world
from storcert.harness.drivers.s3 import S3Driver
from tests.conformance.kit import bench_of, facts_of


class HoldsItself(S3Driver):
    """Its streams stand in a cycle, as those of libraries do, and give up what they sent when they go."""

    def open_output(self, uri: Any, size: Any = None) -> Any:
        stream = super().open_output(uri, size)
        return _Cycle(stream)


class _Cycle:
    def __init__(self, stream: Any) -> None:
        self.stream, self.me = stream, self

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def __del__(self) -> None:
        self.stream.abort()


def _requests(threshold: int) -> list[str]:
    gc.set_threshold(threshold)
    with bench_of(HoldsItself, facts=facts_of()) as bench:
        here = bench.client()
        size = bench.facts.large_size
        here.write(bench.uri("dropped"), bytes(size), end="drop")
        opened = here.open_output(bench.uri("left"))
        opened.write(bytes(size))
        del opened
        for number in range(20):
            here.write(bench.uri(f"after-{number}"), b"abc")
        return [str(one.operation) for one in bench.world.device.requests]


@pytest.fixture
def thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


# The stream that is still there in the end goes with its world, where nothing can be reached any more.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.usefixtures("thresholds")
def test_a_world_is_one_per_seed_however_eager_the_collector_is() -> None:
    eager, lazy = _requests(1), _requests(100_000)
    assert eager == lazy
    assert eager.count("AbortMultipartUpload") == 1


def test_what_gathers_is_collected_at_a_location(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "CALLS_PER_COLLECTION", 8)
    with bench_of(HoldsItself, facts=facts_of()) as bench:
        opened = bench.client().open_output(bench.uri("left"))
        opened.write(bytes(bench.facts.large_size))
        del opened
        for number in range(8):
            bench.client().create(bench.uri(f"after-{number}"), 1)
        assert "AbortMultipartUpload" in [one.operation for one in bench.world.device.requests]


def test_afterwards_it_runs_as_before() -> None:
    with bench_of() as bench:
        bench.client().create(bench.uri(), 1)
        assert not gc.isenabled()
    assert gc.isenabled()

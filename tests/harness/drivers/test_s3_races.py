"""Several locations at one name: one winner, whole bytes, nothing left, whatever the interleaving."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from storcert.harness.contract import (
    DataObjectUri,
    DeviceUnavailable,
    ObjectExists,
    ObjectKind,
    Outcome,
    StorageError,
)
from storcert.harness.drivers.s3 import S3Driver
from storcert.harness.kernel.interpose.install import installed
from storcert.harness.kernel.loop import Kernel
from storcert.simulators.object_store.store import ObjectStore

PART = 1000
NS = 10**9
NAME = DataObjectUri(ObjectKind.VOLUME, "1", "a")
SOURCE = DataObjectUri(ObjectKind.VOLUME, "1", "source")
SOURCE_BYTES = b"source" * 500


@pytest.fixture(autouse=True)
def interposed() -> Iterator[None]:
    with installed():
        yield


def commit(data: bytes, announced: bool = True) -> Callable[[S3Driver], bytes]:
    def run(driver: S3Driver) -> bytes:
        with driver.open_output(NAME, len(data) if announced else None) as stream:
            view = memoryview(data)
            while view:
                view = view[stream.write(view) :]
        return data

    return run


def copy(driver: S3Driver) -> bytes:
    driver.copy(SOURCE, NAME)
    return SOURCE_BYTES


def delete(driver: S3Driver) -> None:
    driver.delete(NAME)


def race(
    seed: int, functions: list[Callable[[S3Driver], Any]], **options: Any
) -> tuple[list[Any], bytes | None, list[str]]:
    """Each function at a location of its own, all at once: results or errors, the bytes at the end, census by kind."""
    conditional_copy = bool(options.pop("conditional_copy", True))
    conditional_complete = options.get("dialect") != "radosgw"
    kernel = Kernel(seed)
    store = ObjectStore(kernel, {"part_size_min_bytes": PART, "page_size": 2, **options})
    configuration = {
        **store.configuration(),
        "part_size_bytes": PART,
        "copy_part_bytes": 10**6 if conditional_copy else PART,
        "conditional_copy": conditional_copy,
        "conditional_complete": conditional_complete,
    }

    def start(index: int, function: Callable[[S3Driver], Any]) -> Any:
        location = kernel.location(f"host{index}")
        store.attach(location)
        return kernel.spawn(lambda: function(S3Driver(configuration)), location=location)

    def prepare(driver: S3Driver) -> None:
        with driver.open_output(SOURCE) as stream:
            left = memoryview(SOURCE_BYTES)
            while left:
                left = left[stream.write(left) :]

    def content(driver: S3Driver) -> bytes | None:
        try:
            with driver.open_input(NAME) as stream:
                return b"".join(iter(stream.read, b""))
        except StorageError:
            return None

    try:
        assert kernel.run_until_done(start(99, prepare), limit_ns=900 * NS)
        tasks = [start(index, function) for index, function in enumerate(functions)]
        assert kernel.run_until_done(*tasks, limit_ns=3600 * NS)
        look = start(98, content)
        assert kernel.run_until_done(look, limit_ns=900 * NS)
        kinds = sorted(entry.kind for entry in store.census())
        return [task.error if task.error is not None else task.result for task in tasks], look.result, kinds
    finally:
        kernel.close()


@pytest.mark.parametrize("versioning", [False, True], ids=["plain", "versioned"])
@pytest.mark.parametrize("conditional_copy", [True, False], ids=["copy-object", "copy-parts"])
def test_of_several_commits_and_copies_one_wins(conditional_copy: bool, versioning: bool) -> None:
    writers = [commit(b"small"), commit(b"l" * 3500), commit(b"m" * 2500, announced=False), copy, commit(b"")]
    winners = set()
    for seed in range(25):
        turned = writers[seed % 5 :] + writers[: seed % 5]
        results, final, kinds = race(seed, turned, conditional_copy=conditional_copy, versioning=versioning)
        won = [result for result in results if isinstance(result, bytes)]
        assert len(won) == 1, (seed, results)
        assert final == won[0]
        lost = [result for result in results if not isinstance(result, bytes)]
        assert all(isinstance(error, ObjectExists) and error.outcome is Outcome.NOT_DONE for error in lost), results
        assert kinds == ["object", "object"], (seed, kinds)
        winners.add(won[0][:1])
    assert len(winners) > 1, "the seeds do not race"


@pytest.mark.parametrize("versioning", [False, True], ids=["plain", "versioned"])
def test_commits_racing_deletes_publish_whole_or_not_at_all(versioning: bool) -> None:
    writers = [commit(b"l" * 3500), delete, commit(b"small"), delete, commit(b"m" * 2500), delete]
    for seed in range(40):
        results, final, kinds = race(seed, writers, versioning=versioning)
        for result in results:
            if isinstance(result, BaseException):
                assert isinstance(result, (ObjectExists, DeviceUnavailable)), (seed, result)
                assert result.outcome is Outcome.NOT_DONE, (seed, result)
        assert final is None or final in [r for r in results if isinstance(r, bytes)], seed
        assert kinds == ["object"] * (1 if final is None else 2), (seed, kinds)


def test_create_racing_commit_answers_by_its_own_rule() -> None:
    for seed in range(20):
        results, final, _ = race(seed, [lambda d: d.create(NAME, 5), commit(b"12345"), lambda d: d.create(NAME, 6)])
        made, written, other = results
        assert final in (bytes(5), b"12345", bytes(6))
        assert (other is None) == (final == bytes(6))
        assert (made is None) == (final in (bytes(5), b"12345"))
        assert isinstance(written, bytes) == (final == b"12345")

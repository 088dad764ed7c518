"""Every single fault at every request of every operation of the S3 driver, on the simulated store: outcomes are true.

After ``not_done`` the device is as before, to the last part; after ``unknown`` as before or as done; after success as
done. Then faults heal, and deleting converges with nothing left behind. No call outlasts 15 virtual minutes or 100 extra
requests. A crash of the location, at any request, leaves the old or the new state, and nothing that delete cannot find.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from storcert.harness.contract import DataObjectUri, ObjectKind, Outcome, StorageError
from storcert.harness.drivers.s3 import S3Driver
from storcert.harness.kernel.interpose.install import installed
from storcert.harness.kernel.loop import Kernel
from storcert.harness.record.fault import Fault, Phase
from storcert.simulators.object_store.legal_faults import LEGAL_FAULTS
from storcert.simulators.object_store.store import ObjectStore

PART = 1000
NS = 10**9
QUARTER_HOUR_NS = 15 * 60 * NS
A = DataObjectUri(ObjectKind.VOLUME, "1", "a")
B = DataObjectUri(ObjectKind.VOLUME, "1", "b")
SIBLING = DataObjectUri(ObjectKind.VOLUME, "1", "ab")
OLD = b"old" * 700


@pytest.fixture(autouse=True)
def interposed() -> Iterator[None]:
    with installed():
        yield


class World:
    """One store, one location, one driver; ``call`` runs code there in virtual time."""

    def __init__(self, **options: Any) -> None:
        self.kernel = Kernel(7)
        self.store = ObjectStore(self.kernel, {"part_size_min_bytes": PART, "page_size": 3, **options})
        self.location = self.kernel.location("host")
        self.store.attach(self.location)
        self.configuration = {**self.store.configuration(), "part_size_bytes": PART}
        self.slowest_ns = 0
        self.most_requests = 0

    def call(self, function: Callable[[S3Driver], Any]) -> Any:
        """What ``function(driver)`` gives or raises; notes its virtual time and its requests."""
        since, before = self.kernel.now_ns, len(self.store.requests)
        task = self.kernel.spawn(lambda: function(S3Driver(self.configuration)), location=self.location)
        assert self.kernel.run_until_done(task, limit_ns=3600 * NS)
        self.slowest_ns = max(self.slowest_ns, self.kernel.now_ns - since)
        self.most_requests = max(self.most_requests, len(self.store.requests) - before)
        if task.error is not None:
            raise task.error
        return task.result

    def objects(self) -> dict[DataObjectUri, bytes]:
        return {uri: self.call(partial(read, uri=uri)) for uri in self.call(listed)}

    def settle(self) -> None:
        """Late effects of requests that a client gave up on have happened."""
        self.store.heal()
        self.kernel.run_for(200 * NS)

    def close(self) -> None:
        self.kernel.close()


def listed(driver: S3Driver) -> list[DataObjectUri]:
    return list(driver.list_objects())


def read(driver: S3Driver, uri: DataObjectUri) -> bytes:
    with driver.open_input(uri) as stream:
        return b"".join(iter(stream.read, b""))


def write(driver: S3Driver, uri: DataObjectUri, data: bytes) -> None:
    with driver.open_output(uri, len(data)) as stream:
        view = memoryview(data)
        while view:
            view = view[stream.write(view) :]


@dataclass(frozen=True)
class Operation:
    """``run`` on a device that holds ``before``; done, it holds ``after``."""

    run: Callable[[S3Driver], Any]
    before: dict[DataObjectUri, bytes]
    after: dict[DataObjectUri, bytes]
    requests: tuple[str, ...]
    conditional_copy: bool = True
    calls: int = 1


STEPS_OF_ALL = ((3, 1), (4, 1), (5, 1), (6, 1), (2, 0), (3, 0), (4, 0), (5, 0), (6, 0), (7, 0))
LARGE = bytes(range(256)) * 11
BASE = {SIBLING: b"x" * 2500}
OPERATIONS = {
    "commit-small": Operation(
        lambda d: write(d, A, b"abc"), BASE, {**BASE, A: b"abc"}, ("HeadObject", "PutObject", "ListMultipartUploads"),
        calls=2,
    ),
    "commit-large": Operation(
        lambda d: write(d, A, LARGE),
        BASE,
        {**BASE, A: LARGE},
        ("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "ListMultipartUploads", "*"),
        calls=4,
    ),
    "create-small": Operation(lambda d: d.create(A, 5), BASE, {**BASE, A: bytes(5)}, ("HeadObject", "PutObject")),
    "create-large": Operation(
        lambda d: d.create(A, 2500),
        BASE,
        {**BASE, A: bytes(2500)},
        ("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "*"),
    ),
    "copy": Operation(
        lambda d: d.copy(A, B), {**BASE, A: OLD}, {**BASE, A: OLD, B: OLD}, ("HeadObject", "CopyObject", "*")
    ),
    "copy-in-parts": Operation(
        lambda d: d.copy(A, B),
        {**BASE, A: OLD},
        {**BASE, A: OLD, B: OLD},
        ("HeadObject", "CreateMultipartUpload", "UploadPartCopy", "CompleteMultipartUpload", "*"),
        conditional_copy=False,
    ),
    "delete": Operation(
        lambda d: d.delete(A),
        {**BASE, A: OLD},
        BASE,
        ("HeadObject", "DeleteObject", "ListMultipartUploads", "ListObjectVersions", "*"),
    ),
}


def faults_for(operation: Operation) -> Iterator[Fault]:
    for kind in LEGAL_FAULTS:
        if kind.name == "crash":
            continue
        for phase in kind.phases:
            for request in operation.requests:
                if kind.operations != ("*",) and request not in (*kind.operations, "*"):
                    continue
                values = {"slow": (1 * NS, 100 * NS), "answer_lost": (0, 1), "cut": (1,)}.get(kind.name, (0,))
                for value in values:
                    for nth, count in ((1, 1), (2, 1), (1, 0), *STEPS_OF_ALL * (request == "*")):
                        yield Fault(kind.name, request, nth, phase, count, value)


def strip(census: Any) -> list[tuple[str, str, int]]:
    return sorted((entry.kind, entry.name, entry.size_bytes) for entry in census)


@pytest.mark.parametrize("versioning", [False, True], ids=["plain", "versioned"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_single_fault(name: str, versioning: bool) -> None:
    operation = OPERATIONS[name]
    healthy = run_once(operation, None, versioning)
    broken = []
    for fault in faults_for(operation):
        try:
            run_once(operation, fault, versioning, healthy)
        except (AssertionError, Exception) as error:  # noqa: BLE001 - gathered, so that one run shows all
            broken.append(f"{fault}: {type(error).__name__}: {str(error)[:300]}")
    assert not broken, "\n".join(broken)


def run_once(operation: Operation, fault: Fault | None, versioning: bool, healthy: int | None = None) -> int:
    world = World(versioning=versioning)
    world.configuration["conditional_copy"] = operation.conditional_copy
    world.configuration["copy_part_bytes"] = PART
    if operation.conditional_copy:
        world.configuration["copy_part_bytes"] = 10**6
    try:
        for uri, data in operation.before.items():
            world.call(partial(write, uri=uri, data=data))
        before = strip(world.store.census())
        world.slowest_ns = world.most_requests = 0
        if fault is not None:
            world.store.arm([fault])
        error: StorageError | None = None
        try:
            world.call(operation.run)
        except StorageError as refused:
            error = refused
        slowest_ns, most = world.slowest_ns, world.most_requests
        world.settle()
        found, census = world.objects(), strip(world.store.census())
        if error is None:
            assert found == operation.after
            assert not [entry for entry in census if entry[0] != "object" and "version" not in entry[0]], census
        elif error.outcome is Outcome.NOT_DONE:
            assert census == before, f"{error!r} but {census} was {before}"
        else:
            assert found in (operation.before, operation.after), f"{error!r}: {sorted(found)}"
        assert slowest_ns < operation.calls * QUARTER_HOUR_NS
        assert healthy is None or most <= healthy + 100
        with contextlib.suppress(StorageError):
            world.call(operation.run)
        assert world.objects() in (operation.before, operation.after)
        for uri in (A, B, SIBLING):
            world.call(partial(S3Driver.delete, uri=uri))
        assert world.store.census() == ()
        return most
    finally:
        world.close()


PHASES = (Phase.BEFORE, Phase.DURING, Phase.AFTER)
CRASHES = [Fault("crash", "*", nth, phase) for nth in range(1, 12) for phase in PHASES]


@pytest.mark.parametrize("versioning", [False, True], ids=["plain", "versioned"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_crash_at_every_request(name: str, versioning: bool) -> None:
    operation = OPERATIONS[name]
    for fault in CRASHES:
        for repeat in (False, True):
            crash_once(operation, fault, versioning, repeat)


def crash_once(operation: Operation, fault: Fault, versioning: bool, repeat: bool) -> None:
    world = World(versioning=versioning)
    world.configuration["conditional_copy"] = operation.conditional_copy
    world.configuration["copy_part_bytes"] = PART if not operation.conditional_copy else 10**6
    try:
        for uri, data in operation.before.items():
            world.call(partial(write, uri=uri, data=data))
        world.store.arm([fault])
        with contextlib.suppress(StorageError):
            world.call(operation.run)
        world.settle()
        world.location = world.kernel.location("another")
        world.store.attach(world.location)
        found = world.objects()
        assert found in (operation.before, operation.after), f"{fault}: {sorted(found)}"
        if repeat and found == operation.before:
            world.call(operation.run)
            left = [entry for entry in strip(world.store.census()) if entry[0] in ("upload", "part", "delete-marker")]
            assert not left, f"{fault}: {left}"
        for uri in (A, B, SIBLING):
            world.call(partial(S3Driver.delete, uri=uri))
        assert world.store.census() == (), str(fault)
    finally:
        world.close()

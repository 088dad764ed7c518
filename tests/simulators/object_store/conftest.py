"""A world with one object store and one location, and a boto3 client there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from storcert.harness.kernel.interpose.install import installed
from storcert.harness.kernel.location import Location
from storcert.harness.kernel.loop import Kernel
from storcert.harness.kernel.task import Task
from storcert.harness.record.fault import Fault
from storcert.simulators.object_store import ObjectStore

BUCKET = "storcert"
PART = 16


class StoreWorld:
    """``run`` calls functions of one client at the location, concurrently, and gives their results or raises their error."""

    def __init__(self, seed: int = 1, **options: Any) -> None:
        self.kernel = Kernel(seed)
        self.store = ObjectStore(self.kernel, {"part_size_min_bytes": PART, **options})
        self.here = self.location("here")

    def location(self, name: str) -> Location:
        location = self.kernel.location(name)
        self.store.attach(location)
        return location

    def client(self, **arguments: Any) -> Any:
        import boto3

        return boto3.client("s3", **{"endpoint_url": "http://s3.sim", "region_name": "us-east-1", **arguments})

    def spawn(self, function: Callable[[Any], Any], location: Location | None = None, **arguments: Any) -> Task:
        return self.kernel.spawn(lambda: function(self.client(**arguments)), location=location or self.here)

    def run(self, function: Callable[[Any], Any], limit_ns: int | None = None, **arguments: Any) -> Any:
        with installed():
            task = self.spawn(function, **arguments)
            self.kernel.run_until_done(task, limit_ns=limit_ns)
        if task.error is not None:
            raise task.error
        assert task.done, task.waiting_for or "crashed"
        return task.result

    def arm(self, *faults: Fault) -> None:
        self.store.arm(faults)

    def operations(self) -> list[str]:
        return [request.operation for request in self.store.requests]

    def kinds(self) -> list[str]:
        return [f"{entry.kind} {entry.name}" for entry in self.store.census()]


def answer_of(function: Callable[[], Any]) -> Any:
    """The status of an answer, or ``"code status"`` of the error."""
    from botocore.exceptions import ClientError

    try:
        answer = function()
    except ClientError as error:
        return f"{error.response['Error']['Code']} {error.response['ResponseMetadata']['HTTPStatusCode']}"
    return answer["ResponseMetadata"]["HTTPStatusCode"]


@pytest.fixture
def make_world() -> Iterator[Callable[..., StoreWorld]]:
    made: list[StoreWorld] = []

    def make(**options: Any) -> StoreWorld:
        made.append(StoreWorld(**options))
        return made[-1]

    yield make
    for world in made:
        world.kernel.close()


@pytest.fixture
def world(make_world: Callable[..., StoreWorld]) -> StoreWorld:
    return make_world()

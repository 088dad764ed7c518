"""A world with one Sheepdog cluster, and ``dog`` as a person would type it there."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from storcert.harness.kernel.interpose.install import installed
from storcert.harness.kernel.location import Location
from storcert.harness.kernel.loop import Kernel
from storcert.harness.kernel.task import Task
from storcert.harness.record.fault import Fault
from storcert.simulators.sheepdog import SheepdogCluster

MIB = 1 << 20
OBJECT = 1 << 22
Ended = tuple[int, bytes, bytes]


class Farm:
    """``dog(...)``: exit status, output and complaints of one run at the location ``here``."""

    def __init__(self, seed: int = 1, **options: Any) -> None:
        self.kernel = Kernel(seed)
        self.cluster = SheepdogCluster(self.kernel, options)
        self.here = self.location("here")

    def location(self, name: str) -> Location:
        location = self.kernel.location(name)
        self.cluster.attach(location)
        return location

    def spawn(self, function: Callable[[], Any], location: Location | None = None) -> Task:
        return self.kernel.spawn(function, location=location or self.here)

    def run(self, function: Callable[[], Any], limit_ns: int | None = None) -> Any:
        task = self.spawn(function)
        self.kernel.run_until_done(task, limit_ns=limit_ns)
        if task.error is not None:
            raise task.error
        assert task.done, task.waiting_for or "crashed"
        return task.result

    def dog(self, line: str, *words: str | bytes, data: bytes | None = None, **how: Any) -> Ended:
        """``line`` is split at spaces; ``words`` are added as they are."""
        done = self.run(lambda: started(line, *words, data=data, **how))
        return done.returncode, done.stdout, done.stderr

    def ok(self, line: str, *words: str | bytes, data: bytes | None = None) -> bytes:
        """The output of a run that must end 0 and quietly."""
        status, output, complaints = self.dog(line, *words, data=data)
        assert (status, complaints) == (0, b""), (status, complaints)
        return output

    def refused(self, line: str, *words: str | bytes, data: bytes | None = None) -> tuple[int, str]:
        """Status and complaints of a run that must complain."""
        status, _, complaints = self.dog(line, *words, data=data)
        assert complaints
        return status, complaints.decode()

    def arm(self, *faults: Fault) -> None:
        self.cluster.arm(faults)

    def operations(self) -> list[str]:
        return [request.operation for request in self.cluster.requests]

    def rows(self) -> list[list[str]]:
        """``vdi list -r``: mark, name, snapshot id, size, own bytes, shared bytes, number in hexadecimal, tag."""
        found = []
        for line in self.ok("vdi list -r").decode().splitlines():
            mark, name, snap_id, size, own, shared, _, vid, _, tag, _ = line.split(" ")
            found.append([mark, name, snap_id, size, own, shared, vid, tag])
        return found

    @property
    def data_objects(self) -> int:
        return len(self.cluster.sheep.objects)


def started(line: str, *words: str | bytes, data: bytes | None = None, **how: Any) -> Any:
    return subprocess.run(["dog", *line.split(), *words], input=data, capture_output=True, **how)


@pytest.fixture(autouse=True, scope="module")
def fence() -> Iterator[None]:
    """Installed once, not for each run of dog: that takes longer than the run."""
    with installed():
        yield


@pytest.fixture
def farm() -> Iterator[Farm]:
    made = Farm()
    yield made
    made.kernel.close()


@pytest.fixture
def make_farm() -> Iterator[Callable[..., Farm]]:
    made: list[Farm] = []

    def make(**options: Any) -> Farm:
        made.append(Farm(**options))
        return made[-1]

    yield make
    for one in made:
        one.kernel.close()

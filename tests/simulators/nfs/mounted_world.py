"""What the tests of the NFS client share: a world with one export and two locations that mount it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from storcert.harness.kernel import Kernel, Location
from storcert.harness.kernel.interpose import installed
from storcert.harness.record.fault import Fault, Phase
from storcert.simulators.nfs import NfsExport
from storcert.simulators.nfs.census import census

SECOND_NS = 10**9
M = "/mnt/storcert"


class MountedWorld:
    """``here`` and ``there`` mount one export."""

    def __init__(self, **options: Any) -> None:
        self.kernel = Kernel(7)
        self.export = NfsExport(self.kernel, options)
        self.here = self.location("here")
        self.there = self.location("there")

    def location(self, name: str) -> Location:
        location = self.kernel.location(name)
        self.export.attach(location)
        return location

    def run(self, body: Callable[[], Any], where: Location | None = None) -> Any:
        """``body`` at a location; its value, or its error raised."""
        task = self.kernel.spawn(body, location=where or self.here)
        assert self.kernel.run_until_done(task, limit_ns=10**15), "it never ended"
        if task.error is not None:
            raise task.error
        return task.result

    def elsewhere(self, body: Callable[[], Any]) -> Any:
        return self.run(body, self.there)

    def asked(self, body: Callable[[], Any], where: Location | None = None) -> list[str]:
        """The requests that ``body`` made."""
        before = len(self.export.requests)
        self.run(body, where)
        return [request.operation for request in self.export.requests[before:]]

    def arm(
        self, kind: str, operation: str, *, nth: int = 1, phase: Phase = Phase.BEFORE, count: int = 1, value: int = 0
    ) -> None:
        self.export.arm([Fault(kind, operation, nth, phase, count, value)])

    def pass_seconds(self, seconds: float) -> None:
        self.kernel.run_for(int(seconds * SECOND_NS))

    def held(self) -> list[str]:
        """Every entry of the export, as ``kind name``."""
        return [f"{entry.kind} {entry.name}" for entry in census(self.export.server.fs.tree)]


@contextmanager
def mounted(**options: Any) -> Iterator[MountedWorld]:
    with installed():
        world = MountedWorld(**options)
        try:
            yield world
        finally:
            world.kernel.close()


def put(path: str, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)


def get(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()

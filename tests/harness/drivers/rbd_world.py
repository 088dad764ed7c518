"""The RBD driver on a simulated cluster, at two locations, without the kit. Faults and crashes are set by the tests."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from storcert.harness.contract import DataObjectUri
from storcert.harness.kernel.interpose.install import installed
from storcert.harness.kernel.location import Location
from storcert.harness.kernel.loop import Kernel
from storcert.harness.kernel.task import Task
from storcert.harness.record.fault import Fault, Phase
from storcert.simulators.rbd import RbdCluster, provide

MINUTE_NS = 60 * 10**9
V, W = DataObjectUri.parse("/volume/1/v"), DataObjectUri.parse("/volume/1/w")
S, T = DataObjectUri.parse("/snapshot/1/s"), DataObjectUri.parse("/snapshot/1/t")
DIRECTORY = "object storcert/storcert.directory"

Body = Callable[[Any], Any]


class DriverWorld:
    """``run`` gives a function a driver at a location, and its result back or its error raised."""

    def __init__(self, seed: int = 1, **options: Any) -> None:
        self.kernel = Kernel(seed)
        self.device = RbdCluster(self.kernel, options)
        self.here, self.there = (self._location(name) for name in ("here", "there"))

    def _location(self, name: str) -> Location:
        location = self.kernel.location(name)
        self.device.attach(location)
        return location

    def start(self, body: Body, location: Location | None = None) -> Task:
        from storcert.harness.drivers.rbd import RbdDriver

        return self.kernel.spawn(lambda: body(RbdDriver(self.device.configuration())), location=location or self.here)

    def finish(self, *tasks: Task, limit_ns: int = 60 * MINUTE_NS) -> None:
        with installed():
            self.kernel.run_until_done(*tasks, limit_ns=limit_ns)

    def run(self, body: Body, location: Location | None = None) -> Any:
        task = self.start(body, location)
        self.finish(task)
        if task.error is not None:
            raise task.error
        assert task.done or task.crashed, task.waiting_for
        return task.result

    def arm(
        self,
        kind: str,
        operation: str = "*",
        nth: int = 1,
        phase: Phase = Phase.BEFORE,
        count: int = 1,
        value: int = 0,
    ) -> None:
        self.device.arm([Fault(kind, operation, nth, phase, count, value)])

    def crash_at(self, operation: str, nth: int = 1, phase: Phase = Phase.AFTER) -> None:
        self.device.arm([Fault("crash", operation, nth, phase, location="here")])

    def wait(self, seconds: float) -> None:
        with installed():
            self.kernel.run_until_done(
                self.kernel.spawn(lambda: self.kernel.sleep_ns(int(seconds * 10**9)), location=self.there)
            )

    def holds(self) -> list[str]:
        """What is on the device, but for the directory."""
        entries = [f"{entry.kind} {entry.name} {entry.detail}".strip() for entry in self.device.census()]
        return [entry for entry in entries if entry != DIRECTORY]

    def operations(self) -> list[str]:
        return [request.operation for request in self.device.requests]

    def took_s(self, body: Body, location: Location | None = None) -> float:
        before = self.kernel.now_ns
        self.run(body, location)
        return (self.kernel.now_ns - before) / 1e9


@contextmanager
def simulated_modules() -> Iterator[None]:
    """``rados`` and ``rbd`` are the simulated ones; whatever was there before comes back."""
    before = {name: sys.modules.get(name) for name in ("rados", "rbd")}
    provide()
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = module


def write(driver: Any, uri: DataObjectUri, data: bytes, size: int | None = None) -> None:
    with driver.open_output(uri, size) as stream:
        view = memoryview(data)
        while view:
            view = view[stream.write(view) :]


def read(driver: Any, uri: DataObjectUri) -> bytes:
    with driver.open_input(uri) as stream:
        pieces = []
        while piece := stream.read():
            pieces.append(piece)
        return b"".join(pieces)


def patch(driver: Any, uri: DataObjectUri, offset: int, data: bytes) -> None:
    with driver.open_volume(uri) as volume:
        volume.pwrite(offset, data)
        volume.flush()


def each(driver: Any, call: str, *uris: DataObjectUri | Sequence[DataObjectUri]) -> None:
    """One call after the other."""
    for uri in uris:
        arguments = [uri] if isinstance(uri, DataObjectUri) else list(uri)
        getattr(driver, call)(*arguments)

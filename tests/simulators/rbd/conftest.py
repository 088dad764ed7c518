"""A world with one RBD cluster and two locations, and the simulated ``rados`` and ``rbd`` modules there."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from storcert.harness.kernel.interpose.install import installed
from storcert.harness.kernel.location import Location
from storcert.harness.kernel.loop import Kernel
from storcert.harness.kernel.task import Task
from storcert.harness.record.fault import Fault
from storcert.simulators.rbd import RbdCluster, provide

SECOND_NS = 1_000_000_000
MIB = 1 << 20


class Session:
    """What a program at a location works with: the modules, a connection, a pool."""

    def __init__(self, **conf: str) -> None:
        self.rados: Any = importlib.import_module("rados")
        self.rbd: Any = importlib.import_module("rbd")
        self.cluster: Any = self.rados.Rados(conffile="/etc/ceph/ceph.conf", rados_id="storcert", conf=conf)
        self.cluster.connect()
        self.io: Any = self.cluster.open_ioctx("storcert")
        self.images: Any = self.rbd.RBD()

    def image(self, name: str = "a", **arguments: Any) -> Any:
        return self.rbd.Image(self.io, name, **arguments)

    def refused(self, function: Callable[[], Any]) -> tuple[str, int | None] | None:
        """Class and number of what it raises; ``None`` where it raises nothing."""
        try:
            function()
        except (self.rbd.OSError, self.rados.Error) as error:
            return type(error).__name__, error.errno
        return None


class RbdWorld:
    """``run`` calls functions of a session at a location, and gives the result or raises the error."""

    def __init__(self, seed: int = 1, **options: Any) -> None:
        self.kernel = Kernel(seed)
        self.device = RbdCluster(self.kernel, options)
        self.here = self.location("here")
        self.there = self.location("there")

    def location(self, name: str) -> Location:
        location = self.kernel.location(name)
        self.device.attach(location)
        return location

    def spawn(self, function: Callable[[Session], Any], location: Location | None = None, /, **conf: str) -> Task:
        return self.kernel.spawn(lambda: function(Session(**conf)), location=location or self.here)

    def run(
        self, function: Callable[[Session], Any], location: Location | None = None, limit_ns: int | None = None, /, **conf: str,
    ) -> Any:
        with installed():
            task = self.spawn(function, location, **conf)
            self.kernel.run_until_done(task, limit_ns=limit_ns)
        if task.error is not None:
            raise task.error
        if task.crashed:
            return "crashed"
        assert task.done, task.waiting_for
        return task.result

    def arm(self, *faults: Fault) -> None:
        self.device.arm(faults)

    def operations(self) -> list[str]:
        return [request.operation for request in self.device.requests]

    def kinds(self) -> list[str]:
        return [f"{entry.kind} {entry.name} {entry.detail}".strip() for entry in self.device.census()]


@pytest.fixture(autouse=True)
def modules() -> Iterator[None]:
    """The simulated modules, for the time of a test; whatever was there before comes back."""
    before = {name: sys.modules.get(name) for name in ("rados", "rbd")}
    provide()
    yield
    for name, module in before.items():
        if module is None:
            sys.modules.pop(name, None)
        else:
            sys.modules[name] = module


@pytest.fixture
def make_world() -> Iterator[Callable[..., RbdWorld]]:
    made: list[RbdWorld] = []

    def make(**options: Any) -> RbdWorld:
        made.append(RbdWorld(**options))
        return made[-1]

    yield make
    for world in made:
        world.kernel.close()


@pytest.fixture
def world(make_world: Callable[..., RbdWorld]) -> RbdWorld:
    return make_world()

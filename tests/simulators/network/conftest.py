"""A world with a wire and nothing behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from storcert.harness.kernel.location import Location
from storcert.harness.kernel.loop import START_NS, Kernel
from storcert.harness.record.fault import Fault
from storcert.simulators.network.link import Link
from storcert.simulators.network.wire import Answer, Delivery, Wire

LINK = Link(one_way_ns=1_000, jitter_percent=0, up_bytes_per_s=1_000_000_000, down_bytes_per_s=1_000_000_000)


@dataclass
class WireWorld:
    """``effects``: what the server did, with the time; ``call`` runs one request at the location to its end."""

    kernel: Kernel
    wire: Wire
    here: Location
    effects: list[tuple[str, int]] = field(default_factory=list)
    started_ns: int = START_NS

    def effect(self, name: str, body_bytes: int = 0, service_ns: int = 100) -> Callable[[], Answer]:
        def act() -> Answer:
            self.effects.append((name, self.elapsed_ns))
            return Answer(name, body_bytes=body_bytes, service_ns=service_ns)

        return act

    def request(self, name: str = "Put", *, body_bytes: int = 0, service_ns: int = 100, **arguments: Any) -> Delivery:
        return self.wire.call(name, "target", self.effect(name, body_bytes, service_ns), **arguments)

    def run(self, *functions: Callable[[], Any], limit_ns: int | None = None) -> list[Any]:
        """Run functions concurrently at the location; results, or the exceptions they ended with."""
        tasks = [self.kernel.spawn(function, location=self.here) for function in functions]
        self.kernel.run_until_done(*tasks, limit_ns=limit_ns)
        return [task.error if task.error is not None else task.result if task.done else "never" for task in tasks]

    def arm(self, *faults: Fault) -> None:
        self.wire.plan.arm(faults)

    @property
    def elapsed_ns(self) -> int:
        return self.kernel.now_ns - self.started_ns


@pytest.fixture
def world() -> Iterator[WireWorld]:
    kernel = Kernel(1)
    wire = Wire(kernel, "server", link=LINK)
    yield WireWorld(kernel, wire, kernel.location("here"))
    kernel.close()

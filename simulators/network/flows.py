"""Bandwidth shared by all who send at the same time: max-min fair, in whole numbers.

A flow passes some ports (the network card of a host, the front of a device) and has a pace of its own that it never
exceeds (its link). Rates are the max-min fair ones: no flow can get more unless one that has no more than it gets
less. They are computed afresh whenever a flow begins, ends, is held up or goes on. Each flow gets at least one unit,
so none starves.

Work is counted in bytes x ns/s x ``SCALE`` and rates in bytes/s x ``SCALE``, both integers: what a port carries in a
time is never more than its capacity, and a flow ends when exactly its bytes have passed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from storcert.simulators.network.link import NS_PER_S

if TYPE_CHECKING:
    from storcert.harness.kernel.deadline import Deadline
    from storcert.harness.kernel.loop import Kernel

SCALE = 1 << 16


class Port:
    """Something of ``bytes_per_s`` that flows pass in one direction. ``carried_bytes``: of flows that ended."""

    __slots__ = ("bytes_per_s", "carried_bytes", "name")

    def __init__(self, name: str, bytes_per_s: int) -> None:
        if bytes_per_s < 1:
            raise ValueError(f"{name}: {bytes_per_s} bytes per second carry nothing")
        self.name = name
        self.bytes_per_s = bytes_per_s
        self.carried_bytes = 0


class Flow:
    """Bytes on their way. ``left``: work still to do; ``rate``: how fast it is done now, 0 while held up."""

    __slots__ = ("_done", "_held_up", "_wanted", "left", "pace", "ports", "rate", "size_bytes")

    def __init__(
        self, size_bytes: int, ports: tuple[Port, ...], pace: int, done: Callable[[], None],
        held_up: Callable[[], bool] | None, wanted: Callable[[], bool] | None,
    ) -> None:
        self.size_bytes = size_bytes
        self.ports = ports
        self.pace = pace
        self.left = size_bytes * NS_PER_S * SCALE
        self.rate = 0
        self._done = done
        self._held_up = held_up
        self._wanted = wanted

    @property
    def rate_bytes_per_s(self) -> int:
        """The present rate, rounded down."""
        return self.rate // SCALE


class FlowTable:
    """All flows of a network."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._flows: dict[Flow, None] = {}
        self._since_ns = 0
        self._next: Deadline | None = None

    def __len__(self) -> int:
        return len(self._flows)

    def start(
        self, size_bytes: int, ports: Sequence[Port], bytes_per_s: int, done: Callable[[], None], *,
        held_up: Callable[[], bool] | None = None, wanted: Callable[[], bool] | None = None,
    ) -> Flow:
        """Send ``size_bytes`` through ``ports``, at most ``bytes_per_s``; ``done`` is called from the loop when they
        have passed.

        ``held_up``: whether the way is shut at present; ``wanted``: whether the sender still lives. Both are asked at
        every change.
        """
        flow = Flow(size_bytes, tuple(ports), max(1, bytes_per_s) * SCALE, done, held_up, wanted)
        self._progress()
        self._flows[flow] = None
        self._share()
        return flow

    def change(self) -> None:
        """Something about the ways or the senders changed: share anew."""
        self._progress()
        self._share()

    def _progress(self) -> None:
        """Account for the time since the last change."""
        elapsed_ns = self._kernel.now_ns - self._since_ns
        self._since_ns = self._kernel.now_ns
        if elapsed_ns:
            for flow in self._flows:
                flow.left -= flow.rate * elapsed_ns

    def _share(self) -> None:
        """Give each flow its rate and set the alarm for the first that ends."""
        for flow in [flow for flow in self._flows if flow._wanted is not None and not flow._wanted()]:
            del self._flows[flow]
        moving: list[Flow] = []
        for flow in self._flows:
            if flow.left > 0 and flow._held_up is not None and flow._held_up():
                flow.rate = 0
            else:
                moving.append(flow)
        fair_rates(moving)
        if self._next is not None:
            self._next.cancel()
            self._next = None
        if moving:
            first_ns = min(0 if flow.left <= 0 else -(-flow.left // flow.rate) for flow in moving)
            self._next = self._kernel.after(first_ns, self._arrived)

    def _arrived(self) -> None:
        self._next = None
        self._progress()
        ended = [flow for flow in self._flows if flow.left <= 0]
        for flow in ended:
            del self._flows[flow]
            for port in flow.ports:
                port.carried_bytes += flow.size_bytes
        self._share()
        for flow in ended:
            if flow._wanted is None or flow._wanted():
                flow._done()


def fair_rates(flows: Sequence[Flow]) -> None:
    """Set the max-min fair rate of each flow: fill all alike until a port is full or a flow has its pace, settle
    those, go on."""
    free: dict[Port, int] = {}
    users: dict[Port, int] = {}
    for flow in flows:
        for port in flow.ports:
            free[port] = port.bytes_per_s * SCALE
            users[port] = users.get(port, 0) + 1
    waiting = list(flows)
    while waiting:
        level = min(flow.pace for flow in waiting)
        shares = {port: free[port] // count for port, count in users.items() if count}
        if shares:
            level = min(level, *shares.values())
        level = max(level, 1)
        full = {port for port, share in shares.items() if share <= level}
        still: list[Flow] = []
        settled: list[Flow] = []
        for flow in waiting:
            (settled if flow.pace <= level or not full.isdisjoint(flow.ports) else still).append(flow)
        for flow in settled:
            flow.rate = min(level, flow.pace)
            for port in flow.ports:
                free[port] -= flow.rate
                users[port] -= 1
        waiting = still

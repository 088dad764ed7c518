"""What a device answers, and how the answer arrives at the client. No request and no fault plan here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from storcert.harness.kernel.exceptions import DeadlineExpired
from storcert.harness.record.fault import Fault, Phase
from storcert.simulators.device import Request
from storcert.simulators.network.errors import ConnectionReset, ReadTimeout
from storcert.simulators.network.transmission import TRIES_MAX, loss_delay_ns, pause_ns

if TYPE_CHECKING:
    from simpy.events import Event

    from storcert.simulators.network.link import Link
    from storcert.simulators.network.wire import Wire


@dataclass(slots=True)
class Answer:
    """What a device answers. ``result`` is the face's affair; ``code`` is ``"ok"`` or the device's error code;
    ``body_bytes`` travel back; ``service_ns`` is how long the device worked (jitter is added). ``head_only``: the connection
    ends in good order after the head; what the client makes of that is the face's affair too."""

    result: Any
    code: str = "ok"
    body_bytes: int = 0
    service_ns: int = 0
    head_only: bool = False


class Delivery:
    """An answer that began to arrive. Its body comes while it is received."""

    __slots__ = (
        "_cut_at", "_link", "_patience_ns", "_stall_at", "_stall_ns", "_wire", "answer", "arrived", "generation", "request",
    )

    def __init__(
        self, wire: Wire, link: Link, answer: Answer, request: Request, generation: int, patience_ns: int | None,
    ) -> None:
        self._wire = wire
        self._link = link
        self.answer = answer
        self.request = request
        self.arrived = 0
        self.generation = generation
        self._patience_ns = patience_ns
        self._cut_at: int | None = None
        self._stall_at: int | None = None
        self._stall_ns = 0

    def receive(self, upto: int) -> int:
        """Block until the first ``upto`` body bytes are here; gives how many are. Fewer than asked: the connection
        ended.

        Raises ``ConnectionReset`` if the server died meanwhile, ``ReadTimeout`` if the body stalled too long.
        """
        size = self.answer.body_bytes if self._cut_at is None else self._cut_at
        upto = min(upto, size)
        wire = self._wire
        while self.arrived < upto:
            goal = min(max(upto, self.arrived + self._link.window_bytes), size)
            stall_ns = 0
            if self._stall_at is not None:
                if self.arrived < self._stall_at:
                    goal = min(goal, self._stall_at)
                else:
                    self._stall_at = None
                    stall_ns = self._stall_ns
            if self._patience_ns is not None and stall_ns > self._patience_ns:
                wire.kernel.sleep_ns(self._patience_ns)
                raise ReadTimeout("the body stalled")
            if wire.network.plain:
                wire.kernel.sleep_ns(stall_ns + self._link.down_ns(goal - self.arrived))
            else:
                wire.kernel.sleep_ns(stall_ns)
                self._carry(goal - self.arrived)
            if wire.generation != self.generation:
                raise ConnectionReset("the server went away")
            self.arrived = goal
            wire.log.received(self.request, goal)
            self.request.ended_ns = wire.kernel.now_ns
        return self.arrived

    def _carry(self, size_bytes: int) -> None:
        """Block until so many more bytes crossed a network that is not plain."""
        wire, here = self._wire, self.request.location
        network, kernel = wire.network, wire.kernel
        link, upwards = network.link(here, wire.name, self._link)
        passed = kernel.event()
        rate = link.down_bytes_per_s if upwards else link.up_bytes_per_s
        location = kernel.locations[here]
        epoch = location.epoch
        left = network.carry(
            wire.name, here, size_bytes, rate, lambda: _pass(passed), lambda: location.alive and location.epoch == epoch)
        before = None
        while left is not None and not passed.triggered:
            try:
                kernel.wait(passed, self._patience_ns)
            except DeadlineExpired:
                if (now := left()) == before:
                    raise ReadTimeout("the body stalled") from None
                before = now
        kernel.wait(passed)
        if link.lost_per_million:
            delay_ns = loss_delay_ns(size_bytes, link.loss_chance, 2 * link.one_way_ns, wire.stream)
            if delay_ns is None or (self._patience_ns is not None and delay_ns > self._patience_ns):
                self._starve()
            else:
                kernel.sleep_ns(delay_ns)
        self._wait_for_open_way()

    def _wait_for_open_way(self) -> None:
        # Either direction is enough to stop a body: without acknowledgements the server sends no more than a window.
        wire, here = self._wire, self.request.location
        waited_ns = 0
        tries = 0
        while wire.network.blocks(wire.name, here) or wire.network.blocks(here, wire.name):
            pause = pause_ns(tries)
            if self._patience_ns is not None and waited_ns + pause > self._patience_ns:
                wire.kernel.sleep_ns(self._patience_ns - waited_ns)
                raise ReadTimeout("the body stalled")
            if tries == TRIES_MAX:
                self._starve()
            wire.kernel.sleep_ns(pause)
            waited_ns += pause
            tries += 1

    def _starve(self) -> None:
        """The server gave the connection up, and nothing can tell the client so: it waits as long as it will."""
        if self._patience_ns is None:
            self._wire.kernel.wait(self._wire.kernel.event())
        self._wire.kernel.sleep_ns(self._patience_ns or 0)
        raise ReadTimeout("the body stalled")

    def disturb(self, struck: Sequence[Fault]) -> None:
        """Apply the faults that strike an answer's body."""
        for fault in struck:
            if fault.phase != Phase.DURING or self.answer.body_bytes == 0:
                continue
            if fault.kind == "cut":
                self._cut_at = min(fault.value, self.answer.body_bytes - 1)
            elif fault.kind == "slow":
                self._stall_at, self._stall_ns = self.answer.body_bytes // 2, fault.value


def _pass(event: Event) -> None:
    event.succeed()

"""One request on its way there and back, with all that can happen to it. What the faults mean stands in ``wire``.

An exchange is itself the event its client waits for: it happens when the client learns how it ended. Its methods after
:meth:`Exchange.depart` run in the kernel's hub, at no location.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from storcert.harness.record.fault import Fault, Phase
from storcert.simulators.device import Request
from storcert.simulators.network.delivery import Answer, Delivery
from storcert.simulators.network.errors import ConnectionReset, ReadTimeout, WireError
from storcert.simulators.network.faults import first
from storcert.simulators.network.transmission import GIVEN_UP_AFTER_NS, held_back_ns

if TYPE_CHECKING:
    from storcert.harness.kernel.deadline import Deadline
    from storcert.harness.kernel.location import Location
    from storcert.simulators.network.wire import Wire

DEFAULT_OUTAGE_NS = 500_000_000
PARTITIONS = ("partition", "partition_to_device", "partition_from_device")
DONE_BY_WIRE = frozenset(
    ("request_lost", "answer_lost", "head_only", "cut", "slow", "crash", "packet_loss", "reorder", "duplicate", *PARTITIONS))


class Exchange:
    """Made by ``Wire.call``. ``callbacks``, ``_ok`` and ``_value`` are what the kernel looks for in an event."""

    __slots__ = (
        "_value", "callbacks", "deadline_ns", "effect", "epoch", "expiry", "generation", "healings", "link", "location",
        "patience_ns", "request", "struck", "wire",
    )
    _ok = True

    def __init__(
        self, wire: Wire, location: Location, request: Request, effect: Callable[[], Answer], struck: tuple[Fault, ...],
        read_timeout_ns: int | None,
    ) -> None:
        self.wire = wire
        self.location = location
        self.epoch = location.epoch
        self.request = request
        self.effect = effect
        self.struck = struck
        self.patience_ns = read_timeout_ns
        self.deadline_ns: int | None = None
        self.expiry: Deadline | None = None  # when the client gives up, where that is an event of its own
        self.generation = wire.generation
        self.healings = wire.healings
        self.link = wire.link
        self.callbacks: list[Callable[[Any], Any]] | None = []
        self._value: object = None  # what the client learns; None: nothing yet

    # -- to the device

    def depart(self, sent_bytes: int) -> None:
        """Leave the client: schedule what happens at the device, or what the faults make of it."""
        wire = self.wire
        link = wire.link
        network = wire.network
        upwards = True
        if not network.plain:
            link, upwards = network.link(self.location.name, wire.name, link)
            self.link = link
        delay_ns = link.stretched_ns(link.one_way_ns, wire.stream)
        if self.struck:
            pause_ns = self._leave_disturbed(sent_bytes, delay_ns)
            if pause_ns is None:
                return
            delay_ns += pause_ns
        if network.plain:
            wire.kernel.after(delay_ns + link.up_ns(sent_bytes), self._arrive)
        else:
            rate = link.up_bytes_per_s if upwards else link.down_bytes_per_s
            self._cross(rate, sent_bytes, delay_ns)

    def _leave_disturbed(self, sent_bytes: int, delay_ns: int) -> int | None:
        """What the faults do on the way: so much more delay, or ``None`` where the request does not get there this
        way."""
        wire = self.wire
        more_ns = 0
        for fault in self.struck:
            if fault.kind == "request_lost":
                wire.close(self.request, "lost")
                self._time_out(delay_ns + self.link.up_ns(sent_bytes))
                return None
            if fault.kind == "cut" and sent_bytes:
                wire.log.sent(self.request, min(fault.value, sent_bytes - 1))
                wire.close(self.request, "cut")
                self._fail(ConnectionReset("the request was cut"), delay_ns + self.link.up_ns(self.request.sent_bytes))
                return None
            if fault.kind == "crash" and fault.phase == Phase.DURING:
                wire.log.sent(self.request, sent_bytes // 2)
                wire.kernel.after(delay_ns + self.link.up_ns(self.request.sent_bytes), self._crash)
                return None
            if fault.phase != Phase.BEFORE:
                continue
            if fault.kind in PARTITIONS:
                self._part(fault)
            elif fault.kind == "packet_loss":
                held_ns = held_back_ns(max(fault.value, 1))
                if held_ns is None:
                    wire.close(self.request, "lost")
                    self._expire_after(self.patience_ns)
                    self._fail_later(ConnectionReset("the request could not be delivered"), GIVEN_UP_AFTER_NS)
                    return None
                more_ns += held_ns
            elif fault.kind == "reorder":
                more_ns += fault.value
            elif fault.kind == "duplicate":
                wire.kernel.after(delay_ns + self.link.up_ns(sent_bytes) + fault.value, self._arrive_again)
        if more_ns:
            sent_ns = delay_ns + self.link.up_ns(sent_bytes)
            self.deadline_ns = self._expire_after(None if self.patience_ns is None else sent_ns + self.patience_ns)
        return more_ns

    def _cross(self, bytes_per_s: int, sent_bytes: int, delay_ns: int) -> None:
        """Cross a network that is not plain: share its ports, be lost, late or held back."""
        wire, network = self.wire, self.wire.network
        here, there = self.location.name, wire.name

        def sent() -> None:
            if self.deadline_ns is None:
                self.deadline_ns = self._expire_after(self.patience_ns)
            if wire.transport == "datagram":
                copies = network.datagram(here, there, self.link, delay_ns)
                if not copies:
                    wire.close(self.request, "lost")
                for number, copy_delay_ns in enumerate(copies):
                    wire.kernel.after(copy_delay_ns, self._arrive_again if number else self._arrive)
                return
            network.arrive(
                here, there, self.link, sent_bytes, delay_ns, self._arrive, given_up=self._given_up,
                orphaned=lambda: self._value is not None, lives=self._sender_lives,
            )

        left = network.carry(
            here, there, sent_bytes, bytes_per_s, sent, lambda: self._value is None and self._sender_lives())
        if left is not None and self.patience_ns is not None:
            self._watch(left, None)

    def _watch(self, left: Callable[[], int], before: int | None) -> None:
        """Sending times out where nothing at all moves for as long as the client has patience."""

        def look() -> None:
            if self.deadline_ns is None and self._value is None and self._sender_lives():
                now = left()
                if now == before:
                    self.wire.close(self.request, "lost")
                    self._fail(ReadTimeout("the request could not be sent"), 0)
                else:
                    self._watch(left, now)

        self.wire.kernel.after(self.patience_ns or 0, look)

    def _given_up(self) -> None:
        self.wire.close(self.request, "lost")
        self._fail(ConnectionReset("the request could not be delivered"), 0)

    def _sender_lives(self) -> bool:
        return self.location.alive and self.location.epoch == self.epoch

    def _crash(self) -> None:
        self.wire.close(self.request, "crashed")
        self.location.crash()

    # -- at the device

    def _arrive(self) -> None:
        wire = self.wire
        if not self.location.alive or self.location.epoch != self.epoch:
            wire.close(self.request, "crashed")
            return
        if wire.transport == "datagram" and wire.network.blocks(self.location.name, wire.name):
            wire.close(self.request, "lost")
            self._time_out(0)
            return
        if self.patience_ns is not None and self.deadline_ns is None:
            self.deadline_ns = wire.kernel.now_ns + self.patience_ns
        if self.struck and (slow := first(self.struck, Phase.BEFORE, "slow")):
            if self.patience_ns is not None and slow.value > self.patience_ns:
                self._time_out(0)
            wire.kernel.after(slow.value, self._act)
            return
        self._act()

    def _arrive_again(self) -> None:
        """The second copy of a datagram: the server cannot tell it from the first but by what is in it."""
        wire = self.wire
        if wire.generation != self.generation or wire.network.blocks(self.location.name, wire.name):
            return
        try:
            answer = self.effect()
        except Exception as error:  # noqa: BLE001  the kit's own failure must surface in the calling task
            self._succeed(error, 0)
            return
        wire.note(self.request, f"again {answer.code}")
        self._answer(answer)

    def _act(self) -> None:
        """The request is at the device: the one instant of its effect."""
        wire = self.wire
        if wire.generation != self.generation:
            wire.close(self.request, "lost")
            self._fail(ConnectionReset("the server went away"), self.link.one_way_ns)
            return
        try:
            answer = self._before() if self.struck else None
            if wire.generation != self.generation:
                wire.close(self.request, "lost")
                self._fail(ConnectionReset("the server went away"), self.link.one_way_ns)
                return
            if answer is None:
                answer = self.effect()
                if self.struck:
                    answer = self._after(answer)
        except Exception as error:  # noqa: BLE001  the kit's own failure must surface in the calling task
            wire.close(self.request, "kit-error")
            self._succeed(error, 0)
            return
        wire.close(self.request, answer.code if self.request.answer == "pending" else self.request.answer)
        self._answer(answer)

    def _before(self) -> Answer | None:
        for fault in self.struck:
            if fault.phase == Phase.BEFORE and fault.kind not in DONE_BY_WIRE:
                answer = self._settle(fault)
                if answer is not None:
                    return answer
        return None

    def _after(self, answer: Answer) -> Answer:
        for fault in self.struck:
            if fault.phase == Phase.AFTER:
                if fault.kind not in DONE_BY_WIRE:
                    answer = self._settle(fault) or answer
                elif fault.kind == "answer_lost":
                    self.request.answer = "answer-lost"
                elif fault.kind == "head_only":
                    answer.head_only = answer.code == "ok"
                elif fault.kind in PARTITIONS:
                    self._part(fault)
        return answer

    def _settle(self, fault: Fault) -> Answer | None:
        wire = self.wire
        if wire.healings != self.healings:
            return None
        answer = wire.on_fault(fault, self.request.operation) if wire.on_fault is not None else None
        if fault.kind in ("server_restart", "power_loss"):
            wire.take_down(fault.value or DEFAULT_OUTAGE_NS)
        return answer

    def _part(self, fault: Fault) -> None:
        """A partition begins here, between this location and this device, and ends after a while."""
        if self.wire.healings != self.healings:
            return
        network, here, there = self.wire.network, self.location.name, self.wire.name
        if fault.kind == "partition":
            network.partition(here, there)
        elif fault.kind == "partition_to_device":
            network.partition_one_way(here, there)
        else:
            network.partition_one_way(there, here)
        if fault.value:
            self.wire.kernel.after(fault.value, lambda: network.heal(here, there))

    # -- back to the client

    def _answer(self, answer: Answer) -> None:
        wire = self.wire
        if self.struck and not self._answer_survives(answer):
            return
        delay_ns = self.link.stretched_ns(answer.service_ns + self.link.one_way_ns, wire.stream)
        if self.struck:
            delay_ns += self._answer_delay_ns(self.struck)
        if self.deadline_ns is not None and wire.kernel.now_ns + delay_ns > self.deadline_ns:
            self._time_out(self.deadline_ns - wire.kernel.now_ns - (self.patience_ns or 0))
            return
        delivery = Delivery(wire, self.link, answer, self.request, self.generation, self.patience_ns)
        if self.struck:
            delivery.disturb(self.struck)
        if wire.network.plain:
            self._succeed(delivery, delay_ns)
        else:
            self._cross_back(delivery, delay_ns)

    def _answer_survives(self, answer: Answer) -> bool:
        struck = self.struck
        if first(struck, Phase.AFTER, "crash"):
            self.location.crash()
            return False
        lost = first(struck, Phase.AFTER, "answer_lost")
        if lost is not None:
            if lost.value:
                self._fail(ConnectionReset("the answer was lost"), self.link.one_way_ns)
            else:
                self._time_out(0)
            return False
        if answer.body_bytes == 0 and first(struck, Phase.DURING, "cut") is not None:
            self._fail(ConnectionReset("the answer was cut"), self.link.one_way_ns)
            return False
        segments = first(struck, Phase.AFTER, "packet_loss")
        if segments is not None and held_back_ns(max(segments.value, 1)) is None:
            self._time_out(0)  # the server gave up; no packet can tell the client so
            return False
        return True

    def _answer_delay_ns(self, struck: Sequence[Fault]) -> int:
        slow = first(struck, Phase.AFTER, "slow")
        segments = first(struck, Phase.AFTER, "packet_loss")
        held_ns = 0 if segments is None else held_back_ns(max(segments.value, 1)) or 0
        return held_ns + (0 if slow is None else slow.value)

    def _cross_back(self, delivery: Delivery, delay_ns: int) -> None:
        """The head of the answer crosses a network that is not plain. Its body follows as it is received."""
        wire, network = self.wire, self.wire.network
        here, there = self.location.name, wire.name
        if self.deadline_ns is not None and self.expiry is None:
            self._expire_after(self.deadline_ns - wire.kernel.now_ns)
        if wire.transport == "datagram":
            for copy_delay_ns in network.datagram(there, here, self.link, delay_ns):
                wire.kernel.after(copy_delay_ns, lambda: self._come_back(delivery))
            return
        network.arrive(
            there, here, self.link, 0, delay_ns, lambda: self._succeed(delivery, 0), given_up=_silence,
            orphaned=lambda: self._value is not None, lives=lambda: wire.generation == self.generation,
        )

    def _come_back(self, delivery: Delivery) -> None:
        if not self.wire.network.blocks(self.wire.name, self.location.name):
            self._succeed(delivery, 0)

    def _time_out(self, after_ns: int) -> None:
        if self.patience_ns is not None:
            self._fail(ReadTimeout(f"no answer within {self.patience_ns} ns"), after_ns + self.patience_ns)

    def _expire_after(self, patience_ns: int | None) -> int | None:
        """The client gives up then, unless it has learned something before; gives when that is."""
        if patience_ns is None:
            return None
        self.expiry = self._fail_later(ReadTimeout(f"no answer within {self.patience_ns} ns"), patience_ns)
        return self.wire.kernel.now_ns + patience_ns

    def _fail_later(self, error: WireError, delay_ns: int) -> Deadline:
        return self.wire.kernel.after(delay_ns, lambda: self._fail(error, 0))

    def _fail(self, error: WireError, delay_ns: int) -> None:
        self._succeed(error, delay_ns)

    def _succeed(self, value: object, delay_ns: int) -> None:
        """What the client learns, and when; settled once."""
        if self._value is None:
            self._value = value
            if self.expiry is not None:
                self.expiry.cancel()
            self.wire.kernel.schedule(self, delay=delay_ns)  # type: ignore[arg-type]  # all the kernel asks of an event


def _silence() -> None:
    """The server gave the answer up; the client hears nothing of it."""

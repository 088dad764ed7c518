"""One server endpoint and the wire to it: every request of every device passes through :meth:`Wire.call`.

Fault model. A request travels to the device whole; the device acts on it at the one instant when its last byte arrives;
the answer travels back. In between a real network and a real server can do the following, and nothing else is modelled:

==================  ======================================================================================
``request_lost``    before: the request never arrives; no effect; the client waits until its read timeout.
``answer_lost``     after: the effect happened, the answer never arrives: silence until the client's read
                    timeout (value 0) or the connection is reset at once (value 1).
``cut``             during: the connection ends after ``value`` body bytes: those of the request (no effect),
                    or of the answer when the request has none (the effect happened).
``slow``            before, after: the device works ``value`` ns longer before or after the effect. A client
                    that gives up earlier does not stop the effect: it happens all the same, later.
                    during: the body of a streamed answer stalls for ``value`` ns in its middle.
``server_restart``  the server dies before or after the effect and refuses connections for ``value`` ns
                    (0: half a second); every exchange in flight is reset.
``power_loss``      the same for the wire; what else is lost is the device's affair (its ``on_fault`` hears of it).
``crash``           before (nothing sent), during (half sent, no effect), after (effect): the *client's* location dies.
==================  ======================================================================================

Sources: duplicate execution after a lost answer, resets and refusals at restart, and the late effect of a request whose
client had given up were all measured on loopback with kill -9 and SIGSTOP of nfs-ganesha and radosgw (docs: real systems).
A device adds kinds of its own; the wire hands them to ``on_fault``, which may answer instead of the device.

A client that crashes before the last byte of its request arrived takes the request with it; an effect that happened stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from storcert.harness.kernel.context import current_task
from storcert.harness.record.fault import Fault, Phase
from storcert.simulators.device import FaultKind, Request
from storcert.simulators.network.errors import ConnectionReset, ConnectRefused, ReadTimeout, WireError
from storcert.simulators.network.faults import FaultPlan, first
from storcert.simulators.network.link import Link

if TYPE_CHECKING:
    from storcert.harness.kernel.location import Location
    from storcert.harness.kernel.loop import Kernel

DEFAULT_OUTAGE_NS = 500_000_000
_MEASURED = "measured on loopback: nfs-ganesha 4.3, radosgw 16.2.15 (kill -9, SIGSTOP)"
_ALL = (Phase.BEFORE, Phase.DURING, Phase.AFTER)

TRANSPORT_FAULTS: tuple[FaultKind, ...] = (
    FaultKind("request_lost", (Phase.BEFORE,), ("*",), "", "the request never arrives; read timeout", _MEASURED),
    FaultKind("answer_lost", (Phase.AFTER,), ("*",), "0 silence, 1 reset", "done, but no answer arrives", _MEASURED),
    FaultKind("cut", (Phase.DURING,), ("*",), "bytes", "the connection ends inside a body", _MEASURED),
    FaultKind("slow", _ALL, ("*",), "ns", "the device takes longer", _MEASURED),
    FaultKind("server_restart", (Phase.BEFORE, Phase.AFTER), ("*",), "ns", "server down for a while", _MEASURED),
    FaultKind("power_loss", (Phase.BEFORE, Phase.AFTER), ("*",), "ns", "power of the device fails", _MEASURED),
    FaultKind("crash", _ALL, ("*",), "", "the calling location dies", "any process can be killed at any point"),
)
_DONE_BY_WIRE = frozenset(("request_lost", "answer_lost", "cut", "slow", "crash"))


@dataclass(slots=True)
class Answer:
    """What a device answers. ``result`` is the face's affair; ``code`` is ``"ok"`` or the device's error code;
    ``body_bytes`` travel back; ``service_ns`` is how long the device worked (jitter is added)."""

    result: Any
    code: str = "ok"
    body_bytes: int = 0
    service_ns: int = 0


class OnFault(Protocol):
    """What the device does with a fault the wire does not settle alone; an answer given replaces the device's own."""

    def __call__(self, fault: Fault, operation: str) -> Answer | None: ...


class Delivery:
    """An answer that began to arrive. Its body comes while it is received."""

    __slots__ = ("_cut_at", "_generation", "_patience_ns", "_stall_at", "_stall_ns", "_wire", "answer", "arrived", "request")

    def __init__(self, wire: Wire, answer: Answer, request: Request, generation: int, patience_ns: int | None) -> None:
        self._wire = wire
        self.answer = answer
        self.request = request
        self.arrived = 0
        self._generation = generation
        self._patience_ns = patience_ns
        self._cut_at: int | None = None
        self._stall_at: int | None = None
        self._stall_ns = 0

    def receive(self, upto: int) -> int:
        """Block until the first ``upto`` body bytes are here; gives how many are. Fewer than asked: the connection ended.

        Raises ``ConnectionReset`` if the server died meanwhile, ``ReadTimeout`` if the body stalled too long.
        """
        size = self.answer.body_bytes if self._cut_at is None else self._cut_at
        upto = min(upto, size)
        wire = self._wire
        while self.arrived < upto:
            goal = min(max(upto, self.arrived + wire.link.window_bytes), size)
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
            pause_ns = stall_ns + wire.link.down_ns(goal - self.arrived)
            wire.kernel.sleep_ns(pause_ns)
            if wire.generation != self._generation:
                raise ConnectionReset("the server went away")
            self.arrived = goal
            self.request.received_bytes = goal
        return self.arrived

    def disturb(self, struck: Sequence[Fault]) -> None:
        """Apply the faults that strike an answer's body."""
        for fault in struck:
            if fault.phase != Phase.DURING or self.answer.body_bytes == 0:
                continue
            if fault.kind == "cut":
                self._cut_at = min(fault.value, self.answer.body_bytes - 1)
            elif fault.kind == "slow":
                self._stall_at, self._stall_ns = self.answer.body_bytes // 2, fault.value


class Wire:
    """The way to one server. ``requests`` is the log, ``link`` the delays, ``plan`` the armed faults."""

    def __init__(
        self, kernel: Kernel, name: str, *, link: Link | None = None,
        legal_faults: Sequence[FaultKind] = TRANSPORT_FAULTS, on_fault: OnFault | None = None,
    ) -> None:
        self.kernel = kernel
        self.name = name
        self.link = link or Link()
        self.plan = FaultPlan(legal_faults)
        self.on_fault = on_fault
        self.requests: list[Request] = []
        self.generation = 0
        self.down_until_ns = 0
        self.stream = kernel.stream(f"wire/{name}")

    def call(
        self, operation: str, target: str, effect: Callable[[], Answer], *, sent_bytes: int = 0, streamed: bool = False,
        read_timeout_ns: int | None = None,
    ) -> Delivery:
        """Send one request from the running task, let the device act, bring the answer back; all in virtual time.

        ``effect`` runs once, outside every location, at the instant the request has arrived; an exception of it is raised
        here. ``streamed``: return when the answer's head is here and let the caller :meth:`Delivery.receive` the body;
        otherwise the whole body has arrived. Raises a :class:`WireError` where no answer comes; ``None`` for
        ``read_timeout_ns`` waits for ever.
        """
        task = current_task()
        if task is None or task.location is None:
            raise RuntimeError(f"{operation}: only a task at a location can reach the simulated {self.name}")
        location = task.location
        kernel = self.kernel
        struck = self.plan.strike(operation, location.name)
        request = Request(len(self.requests), kernel.now_ns, location.name, operation, target, 0, 0, "pending")
        self.requests.append(request)
        if struck and first(struck, Phase.BEFORE, "crash"):
            self.close(request, "crashed")
            location.crash()
        if kernel.now_ns < self.down_until_ns:
            self.close(request, "refused")
            kernel.sleep_ns(2 * self.link.one_way_ns)
            raise ConnectRefused(self.name)
        exchange = _Exchange(self, location, request, effect, struck, streamed, read_timeout_ns, sent_bytes)
        exchange.depart(sent_bytes)
        outcome = kernel.wait(exchange.done)
        if isinstance(outcome, BaseException):
            raise outcome
        delivery: Delivery = outcome
        if not streamed and delivery.answer.body_bytes and delivery.receive(size := delivery.answer.body_bytes) < size:
            raise ConnectionReset("the answer's body was cut")
        return delivery

    def take_down(self, outage_ns: int) -> None:
        """The server dies now: exchanges in flight are reset, connections refused for ``outage_ns``."""
        self.generation += 1
        self.down_until_ns = max(self.down_until_ns, self.kernel.now_ns + outage_ns)

    def heal(self) -> None:
        """No faults any more and the server is up."""
        self.plan.disarm()
        self.down_until_ns = 0

    def close(self, request: Request, answer: str) -> None:
        """The request's fate is known: write it into the log and the journal."""
        request.answer = answer
        self.kernel.journal.record(
            "request", request.location,
            f"{self.name} {request.index} {request.operation} {request.target} {request.sent_bytes} {answer}",
        )


class _Exchange:
    """One request on its way there and back. Its methods after :meth:`depart` run in the kernel's hub, at no location."""

    __slots__ = (
        "deadline_ns", "done", "effect", "epoch", "generation", "location", "patience_ns", "request", "streamed", "struck",
        "wire",
    )

    def __init__(
        self, wire: Wire, location: Location, request: Request, effect: Callable[[], Answer], struck: tuple[Fault, ...],
        streamed: bool, read_timeout_ns: int | None, sent_bytes: int,
    ) -> None:
        self.wire = wire
        self.location = location
        self.epoch = location.epoch
        self.request = request
        self.effect = effect
        self.struck = struck
        self.streamed = streamed
        self.patience_ns = read_timeout_ns
        self.deadline_ns: int | None = None
        self.generation = wire.generation
        self.done = wire.kernel.event()
        request.sent_bytes = sent_bytes

    def depart(self, sent_bytes: int) -> None:
        """Leave the client: schedule what happens at the device, or what the faults make of it."""
        wire = self.wire
        delay_ns = wire.link.stretched_ns(wire.link.one_way_ns, wire.stream)
        for fault in self.struck:
            if fault.kind == "request_lost":
                wire.close(self.request, "lost")
                self._time_out(delay_ns + wire.link.up_ns(sent_bytes))
                return
            if fault.kind == "cut" and sent_bytes:
                self.request.sent_bytes = min(fault.value, sent_bytes - 1)
                wire.close(self.request, "cut")
                self._fail(ConnectionReset("the request was cut"), delay_ns + wire.link.up_ns(self.request.sent_bytes))
                return
            if fault.kind == "crash" and fault.phase == Phase.DURING:
                self.request.sent_bytes = sent_bytes // 2
                wire.kernel.after(delay_ns + wire.link.up_ns(self.request.sent_bytes), self._crash)
                return
        wire.kernel.after(delay_ns + wire.link.up_ns(sent_bytes), self._arrive)

    def _crash(self) -> None:
        self.wire.close(self.request, "crashed")
        self.location.crash()

    def _arrive(self) -> None:
        wire = self.wire
        if not self.location.alive or self.location.epoch != self.epoch:
            wire.close(self.request, "crashed")
            return
        if self.patience_ns is not None:
            self.deadline_ns = wire.kernel.now_ns + self.patience_ns
        if self.struck and (slow := first(self.struck, Phase.BEFORE, "slow")):
            if self.patience_ns is not None and slow.value > self.patience_ns:
                self._time_out(0)
            wire.kernel.after(slow.value, self._act)
            return
        self._act()

    def _act(self) -> None:
        """The request is at the device: the one instant of its effect."""
        wire = self.wire
        if wire.generation != self.generation:
            wire.close(self.request, "lost")
            self._fail(ConnectionReset("the server went away"), wire.link.one_way_ns)
            return
        try:
            answer = self._before() if self.struck else None
            if wire.generation != self.generation:
                wire.close(self.request, "lost")
                self._fail(ConnectionReset("the server went away"), wire.link.one_way_ns)
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
            if fault.phase == Phase.BEFORE and fault.kind not in _DONE_BY_WIRE:
                answer = self._settle(fault)
                if answer is not None:
                    return answer
        return None

    def _after(self, answer: Answer) -> Answer:
        for fault in self.struck:
            if fault.phase == Phase.AFTER:
                if fault.kind not in _DONE_BY_WIRE:
                    answer = self._settle(fault) or answer
                elif fault.kind == "answer_lost":
                    self.request.answer = "answer-lost"
        return answer

    def _settle(self, fault: Fault) -> Answer | None:
        wire = self.wire
        answer = wire.on_fault(fault, self.request.operation) if wire.on_fault is not None else None
        if fault.kind in ("server_restart", "power_loss"):
            wire.take_down(fault.value or DEFAULT_OUTAGE_NS)
        return answer

    def _answer(self, answer: Answer) -> None:
        wire = self.wire
        if self.struck:
            if first(self.struck, Phase.AFTER, "crash"):
                self.location.crash()
                return
            lost = first(self.struck, Phase.AFTER, "answer_lost")
            if lost is not None:
                if lost.value:
                    self._fail(ConnectionReset("the answer was lost"), wire.link.one_way_ns)
                else:
                    self._time_out(0)
                return
            if answer.body_bytes == 0 and first(self.struck, Phase.DURING, "cut") is not None:
                self._fail(ConnectionReset("the answer was cut"), wire.link.one_way_ns)
                return
        delay_ns = wire.link.stretched_ns(answer.service_ns + wire.link.one_way_ns, wire.stream)
        if self.struck and (slow := first(self.struck, Phase.AFTER, "slow")):
            delay_ns += slow.value
        if self.deadline_ns is not None and wire.kernel.now_ns + delay_ns > self.deadline_ns:
            self._time_out(self.deadline_ns - wire.kernel.now_ns - (self.patience_ns or 0))
            return
        delivery = Delivery(wire, answer, self.request, self.generation, self.patience_ns)
        if self.struck:
            delivery.disturb(self.struck)
        wire.kernel.after(delay_ns, lambda: self._deliver(delivery))

    def _deliver(self, delivery: Delivery) -> None:
        if self.wire.generation != self.generation:
            self._succeed(ConnectionReset("the server went away"), 0)
        else:
            self._succeed(delivery, 0)

    def _time_out(self, after_ns: int) -> None:
        if self.patience_ns is not None:
            self._fail(ReadTimeout(f"no answer within {self.patience_ns} ns"), after_ns + self.patience_ns)

    def _fail(self, error: WireError, delay_ns: int) -> None:
        self._succeed(error, delay_ns)

    def _succeed(self, value: object, delay_ns: int) -> None:
        if delay_ns > 0:
            self.wire.kernel.after(delay_ns, lambda: self._succeed(value, 0))
        elif not self.done.triggered:
            self.done.succeed(value)

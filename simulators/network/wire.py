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

The network's own faults (``network_faults``) may be armed on every wire too: partitions that begin with a request,
lost packets, requests overtaken by others and, on datagrams, requests that come twice.

Sources: duplicate execution after a lost answer, resets and refusals at restart, and the late effect of a request whose
client had given up were all measured on loopback with kill -9 and SIGSTOP of nfs-ganesha and radosgw (docs: real
systems). A device adds kinds of its own; the wire hands them to ``on_fault``, which may answer instead of the device.

A client that crashes before the last byte of its request arrived takes the request with it; an effect that happened
stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, Protocol, cast

from storcert.harness.kernel.context import current_task
from storcert.harness.record.fault import Fault, Phase
from storcert.simulators.device import FaultKind, Request
from storcert.simulators.network.delivery import Answer, Delivery
from storcert.simulators.network.errors import ConnectionReset, ConnectRefused, ConnectTimeout, WireError
from storcert.simulators.network.exchange import DEFAULT_OUTAGE_NS, Exchange
from storcert.simulators.network.faults import FaultPlan, first
from storcert.simulators.network.link import Link
from storcert.simulators.network.network_faults import faults_of
from storcert.simulators.network.request_log import RequestLog
from storcert.simulators.network.topology import network_of

if TYPE_CHECKING:
    from simpy.events import Event

    from storcert.harness.kernel.loop import Kernel

__all__ = ["DEFAULT_OUTAGE_NS", "TRANSPORT_FAULTS", "Answer", "Delivery", "OnFault", "Wire"]

LINUX_CONNECT_NS = 131_000_000_000
"""Six retries of a SYN, each twice as long as the one before (tcp(7): tcp_syn_retries)."""
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


class OnFault(Protocol):
    """What the device does with a fault the wire does not settle alone; an answer given replaces the device's own."""

    def __call__(self, fault: Fault, operation: str) -> Answer | None: ...


class Wire:
    """The way to one server. ``log`` holds the requests, ``link`` the delays, ``plan`` the armed faults, ``network``
    what lies between."""

    def __init__(
        self, kernel: Kernel, name: str, *, link: Link | None = None,
        legal_faults: Sequence[FaultKind] = TRANSPORT_FAULTS, on_fault: OnFault | None = None,
        transport: Literal["tcp", "datagram"] = "tcp",
    ) -> None:
        self.kernel = kernel
        self.name = name
        self.link = link or Link()
        self.transport = transport
        known = {kind.name for kind in legal_faults}
        self.plan = FaultPlan((*legal_faults, *(kind for kind in faults_of(transport) if kind.name not in known)))
        self.on_fault = on_fault
        self.generation = 0
        self.healings = 0
        self.down_until_ns = 0
        self.stream = kernel.stream(f"wire/{name}")
        self.network = network_of(kernel)
        self.log = RequestLog(self.network.keep)
        self.network.join(self)

    @property
    def requests(self) -> list[Request]:
        """Every request so far, oldest first; where the network does not keep all, the last ones."""
        return self.log.requests

    def call(
        self, operation: str, target: str, effect: Callable[[], Answer], *, sent_bytes: int = 0, streamed: bool = False,
        read_timeout_ns: int | None = None, connect_timeout_ns: int | None = None,
    ) -> Delivery:
        """Send one request from the running task, let the device act, bring the answer back; all in virtual time.

        ``effect`` runs once (for each copy of a datagram), outside every location, at the instant the request has
        arrived; an exception of it is raised here. ``streamed``: return when the answer's head is here and let the
        caller :meth:`Delivery.receive` the body; otherwise the whole body has arrived. Raises a :class:`WireError`
        where no answer comes; ``None`` for ``read_timeout_ns`` waits for ever. ``connect_timeout_ns``: the request
        opens a connection first, and gives up without effect after so long where that cannot be done; otherwise the
        connection is there already.
        """
        task = current_task()
        if task is None or task.location is None:
            raise RuntimeError(f"{operation}: only a task at a location can reach the simulated {self.name}")
        location = task.location
        kernel = self.kernel
        plan = self.plan
        struck = plan.strike(operation, location.name) if plan.armed else ()
        request = self.log.add(kernel.now_ns, location.name, operation, target, sent_bytes, task.behalf, struck)
        if struck and first(struck, Phase.BEFORE, "crash"):
            self.log.sent(request, 0)
            self.close(request, "crashed")
            location.crash()
        if kernel.now_ns < self.down_until_ns:
            self.log.sent(request, 0)
            self.close(request, "refused")
            kernel.sleep_ns(2 * self.link.one_way_ns)
            request.ended_ns = kernel.now_ns
            raise ConnectRefused(self.name)
        if connect_timeout_ns is not None and not self.network.plain and not self.network.joined(location.name, self.name):
            self.log.sent(request, 0)
            self.close(request, "no-connection")
            kernel.sleep_ns(connect_timeout_ns)
            request.ended_ns = kernel.now_ns
            raise ConnectTimeout(self.name)
        exchange = Exchange(self, location, request, effect, struck, read_timeout_ns)
        exchange.depart(sent_bytes)
        outcome = kernel.wait(cast("Event", exchange))
        request.ended_ns = kernel.now_ns
        if isinstance(outcome, BaseException):
            if isinstance(outcome, WireError):
                outcome.request = request
            try:
                raise outcome
            finally:
                # Else this frame and the exception hold each other, and every frame of the driver above until a collection.
                del outcome, exchange
        delivery: Delivery = outcome
        if self.generation != delivery.generation:
            raise ConnectionReset("the server went away")
        if not streamed and delivery.answer.body_bytes and delivery.receive(size := delivery.answer.body_bytes) < size:
            raise ConnectionReset("the answer's body was cut")
        return delivery

    def connect(self, timeout_ns: int | None) -> None:
        """Open a connection from the running task, for faces that show their callers connections; a round trip.

        No request: it stands in the log, as ``connect``, only where it fails, so that whoever keeps trying is seen to. Raises
        :class:`ConnectRefused`, or :class:`ConnectTimeout` after ``timeout_ns`` (``None``: what Linux waits).
        """
        task = current_task()
        if task is None or task.location is None:
            raise RuntimeError(f"connect: only a task at a location can reach the simulated {self.name}")
        kernel, here = self.kernel, task.location.name
        refused = kernel.now_ns < self.down_until_ns
        if not refused and (self.network.plain or self.network.joined(here, self.name)):
            kernel.sleep_ns(2 * self.link.one_way_ns)
            return
        request = self.log.add(kernel.now_ns, here, "connect", "", 0, task.behalf, ())
        self.close(request, "refused" if refused else "no-connection")
        kernel.sleep_ns(2 * self.link.one_way_ns if refused else LINUX_CONNECT_NS if timeout_ns is None else timeout_ns)
        request.ended_ns = kernel.now_ns
        raise ConnectRefused(self.name) if refused else ConnectTimeout(self.name)

    def take_down(self, outage_ns: int) -> None:
        """The server dies now: exchanges in flight are reset, connections refused for ``outage_ns``."""
        self.generation += 1
        self.down_until_ns = max(self.down_until_ns, self.kernel.now_ns + outage_ns)

    def heal(self) -> None:
        """No faults any more, the server is up and everybody reaches it. What had struck a request that is still on its way
        has no lasting effect when that arrives."""
        self.healings += 1
        self.plan.disarm()
        self.down_until_ns = 0
        if not self.network.plain:
            self.network.heal(self.name)

    def close(self, request: Request, answer: str) -> None:
        """The request's fate is known: write it into the log and the journal."""
        request.answer = answer
        self.note(request, answer)

    def note(self, request: Request, what: str) -> None:
        """Write something about a request into the journal."""
        self.kernel.journal.record(
            "request", request.location,
            f"{self.name} {request.index} {request.operation} {request.target} {request.sent_bytes} {what}",
        )

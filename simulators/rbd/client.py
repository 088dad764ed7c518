"""A librados client at one location: sends requests, waits, sends again, gives up. No operation of RADOS or librbd here.

What it keeps of the real client: a broken connection is never seen, the request is sent again under the same id and done
once; without a timeout it waits for ever; writes to a full pool and requests to a monitor that is gone wait in the client.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from storcert.harness.kernel.exceptions import DeadlineExpired
from storcert.simulators.device import NotModelled
from storcert.simulators.network.errors import ConnectionCut, ConnectionReset, ConnectRefused, ReadTimeout
from storcert.simulators.network.wire import Answer, Wire
from storcert.simulators.rbd.model import Cluster, Instance
from storcert.simulators.rbd.refusal import Refusal
from storcert.simulators.rbd.timing import service_ns

if TYPE_CHECKING:
    from storcert.harness.kernel.location import Location

_BACKOFF_FIRST_NS = 200_000_000
_BACKOFF_MAX_NS = 15_000_000_000
_HELD = Answer(None, "held")


# What needs room in the pool [measured: pool quota, set_osdmap_full_try: removals, omaps and snapshots go on].
# A write in place would be taken by a real pool; here every write to an image counts as one that needs room.
_GROW = frozenset({"write", "write_zeroes", "id_create", "header_create", "copyup", "copy_write"})


class Gate:
    """What was received by stopped daemons, and who waits until they go on."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._stopped: list[Callable[[], Any]] = []
        self.opened = wire.kernel.event()

    def hold(self, act: Callable[[], Any]) -> None:
        """Received, not done yet."""
        self._stopped.append(act)

    def open(self) -> None:
        """The daemons go on: what was received is done, in order; then everybody who waits may try again."""
        stopped, self._stopped = self._stopped, []
        for act in stopped:
            act()
        opened, self.opened = self.opened, self._wire.kernel.event()
        opened.succeed()


class Client:
    """One connection. Times out after ``osd_timeout_ns`` and ``mon_timeout_ns``; 0 waits for ever."""

    def __init__(self, wire: Wire, cluster: Cluster, gate: Gate, location: Location, instance: Instance) -> None:
        self.wire = wire
        self.kernel = wire.kernel
        self.cluster = cluster
        self.gate = gate
        self.location = location
        self.instance = instance
        self.osd_timeout_ns = 0
        self.mon_timeout_ns = 0
        self.full_try = False  # be told that the pool is full rather than wait
        self.shut_out = False  # it has learned that it is on the blocklist
        self.closed = False
        self.late: list[_Request] = []  # given up, and still under way
        self._leave = wire.kernel.event()

    @property
    def present(self) -> bool:
        """Its process lives, and it has not taken leave."""
        location = self.location
        return not self.closed and location.alive and location.epoch == self.instance.epoch

    def stay(self) -> None:
        """Be there until told to go. The cluster notices the end of the task, which is the end of the process."""
        task = self.kernel.spawn(
            lambda: self.kernel.wait(self._leave, reason="leave"), location=self.location, name="rados client")
        callbacks: Any = task.ended_event.callbacks
        callbacks.append(self._ended)

    def leave(self) -> None:
        """Orderly."""
        self.closed = True
        if not self._leave.triggered:
            self._leave.succeed()

    def _ended(self, _: object) -> None:
        if not self.closed:
            self.instance.died_ns = self.kernel.now_ns

    def monitor(self, operation: str, target: str, effect: Callable[[], Any]) -> Any:
        """One request to the monitor."""
        return self.request(operation, target, effect, monitor=True)

    def request(
        self, operation: str, target: str, effect: Callable[[], Any], *, sent_bytes: int = 0, write: bool = False,
        monitor: bool = False, body_bytes: int = 0, timeout_ns: int | None = None,
    ) -> Any:
        """One request; gives what ``effect`` gives. Raises :class:`Refusal`, also for a timeout (ETIMEDOUT).

        ``write``: waits while the pool is full, or is refused with EDQUOT if the client asked for that and it needs room.
        ``body_bytes``: travel back, unless the result is bytes, which count
        themselves.
        """
        if timeout_ns is None:
            timeout_ns = self.mon_timeout_ns if monitor else self.osd_timeout_ns
        kernel = self.kernel
        deadline_ns = kernel.now_ns + timeout_ns if timeout_ns else None
        grows = operation in _GROW or (operation == "object_write" and sent_bytes > 0)
        exchange = _Request(self, operation, effect, write, monitor, body_bytes, grows)
        backoff_ns = _BACKOFF_FIRST_NS
        while True:
            left_ns = None if deadline_ns is None else deadline_ns - kernel.now_ns
            if left_ns is not None and left_ns <= 0:
                raise Refusal(errno.ETIMEDOUT)
            try:
                answer = self.wire.call(
                    operation, target, exchange.arrive, sent_bytes=sent_bytes, read_timeout_ns=left_ns).answer
            except NotModelled as error:
                # Raised at the cluster, where nobody is at a location: once more here, so that it is noted.
                raise NotModelled(str(error)) from None
            except ReadTimeout as silence:
                if silence.request is not None and silence.request.answer == "pending":
                    self.late.append(exchange)
                raise Refusal(errno.ETIMEDOUT) from None
            except (ConnectRefused, ConnectionReset, ConnectionCut):
                kernel.sleep_ns(backoff_ns if left_ns is None else min(backoff_ns, left_ns))
                backoff_ns = min(2 * backoff_ns, _BACKOFF_MAX_NS)
                continue
            if answer is _HELD:
                self._wait_for_gate(deadline_ns)
                if exchange.settled is None:
                    continue
                answer = exchange.settled
            if isinstance(answer.result, Refusal):
                if answer.result.number == errno.ESHUTDOWN:
                    self.shut_out = True
                # Made anew: an exception that what it runs through still holds keeps every frame above it alive, those of the
                # driver among them, and an image that somebody dropped would stay open until a garbage collection.
                raise Refusal(answer.result.number, answer.result.message)
            return answer.result

    def _wait_for_gate(self, deadline_ns: int | None) -> None:
        left_ns = None if deadline_ns is None else max(0, deadline_ns - self.kernel.now_ns)
        try:
            self.kernel.wait(self.gate.opened, timeout_ns=left_ns, reason="the cluster")
        except DeadlineExpired:
            raise Refusal(errno.ETIMEDOUT) from None


class _Request:
    """One request at the cluster's door, however often it is sent: done once."""

    __slots__ = ("body_bytes", "client", "effect", "grows", "held", "monitor", "operation", "settled", "write")

    def __init__(
        self, client: Client, operation: str, effect: Callable[[], Any], write: bool, monitor: bool, body_bytes: int,
        grows: bool,
    ) -> None:
        self.client = client
        self.grows = grows
        self.operation = operation
        self.effect = effect
        self.write = write
        self.monitor = monitor
        self.body_bytes = body_bytes
        self.held = False
        self.settled: Answer | None = None

    def arrive(self) -> Answer:
        """At the instant of its arrival, in the kernel's hub.

        Requests of one client to one object are done in the order they were sent; here all of a client are, so what it gave up
        as too slow comes before what it sends next.
        """
        client = self.client
        while client.late:
            earlier = client.late.pop(0)
            if earlier is not self:
                earlier.arrive()
        cluster = client.cluster
        striking = cluster.striking
        if self.settled is not None:
            cluster.striking = None
            return self.settled
        try:
            if striking == "blocklisted":
                client.instance.blocklisted = True
            if cluster.monitor_gone and self.monitor:
                return _HELD
            if cluster.frozen and not self.monitor:
                if not self.held:
                    self.held = True
                    client.gate.hold(self.act)
                return _HELD
            if self.write and cluster.full:
                if not client.full_try:
                    return _HELD
                if self.grows:
                    self.settled = Answer(Refusal(errno.EDQUOT), "EDQUOT", 0, service_ns(self.operation))
                    return self.settled
            return self.act()
        finally:
            cluster.striking = None

    def act(self) -> Answer:
        """Do it."""
        client = self.client
        duration_ns = service_ns(self.operation)
        try:
            if client.instance.blocklisted:
                raise Refusal(errno.ESHUTDOWN)
            result = self.effect()
        except Refusal as refusal:
            self.settled = Answer(refusal.with_traceback(None), refusal.code, 0, duration_ns)
        else:
            body_bytes = len(result) if isinstance(result, bytes) else self.body_bytes
            self.settled = Answer(result, "ok", body_bytes, duration_ns)
        return self.settled

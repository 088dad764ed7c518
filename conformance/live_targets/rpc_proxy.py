"""A proxy on loopback between an NFS client and a real server, which puts a fault schedule on the wire and counts calls.

A call is taken whole, the server acts on it at one moment, the answer is taken whole: so a fault strikes before the effect or
after it, as in simulation. The schedule, and how it counts, are the simulators' own (:class:`FaultPlan`). A connection of the
client has one to the server: what a server remembers of a connection, it forgets with it.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Sequence

from storcert.conformance.live_door import Door, reset
from storcert.conformance.live_targets.rpc_proxy_faults import ONCE, OPERATIONS, SHOWN, UNTIL_HEALED
from storcert.conformance.live_targets.rpc_records import RpcCall, call_of, marked, receive_record, refusal, status_of
from storcert.harness.record.fault import Fault, Phase
from storcert.simulators.device import Request
from storcert.simulators.network.faults import FaultPlan, first
from storcert.simulators.nfs.status import NfsStatus, Procedure

SERVER_LIMIT_S = 60.0


class _Gone(Exception):
    """The connection is to be reset now."""


class RpcProxy:
    """``address``: of the real server. ``die``: kills it, brings it back after so many nanoseconds, and calls
    :meth:`returned` then; it may return before that; it is told whether data were not committed, which the next life must
    not know of. ``location``: whose calls come now, as the schedule names it."""

    def __init__(self, address: tuple[str, int], die: Callable[[int, bool], None]) -> None:
        self._address = address
        self._die = die
        self._lock = threading.Lock()
        self._up = threading.Event()
        self._door = Door(self._serve)
        self.port = self._door.port
        self.location = ""
        self.begin()
        self.returned()

    def begin(self) -> None:
        """A new world: nothing was asked yet, nothing is armed."""
        self.requests: list[Request] = []
        self.plan = FaultPlan(SHOWN)
        self._lasting: dict[str, NfsStatus] = {}
        self._uncommitted = False

    def arm(self, faults: Sequence[Fault]) -> None:
        """Replace the schedule. ``ValueError`` for a fault that cannot be shown here."""
        self.plan.arm(faults)

    def heal(self) -> None:
        """No faults any more, and the server is there."""
        self.plan.disarm()
        self._lasting = {}
        if not self._up.wait(SERVER_LIMIT_S):
            raise RuntimeError("the server did not come back")

    def returned(self) -> None:
        """The server runs: connections are taken."""
        self._door.open()
        self._up.set()

    def close(self) -> None:
        """Nothing is taken any more. May be repeated."""
        self._door.close()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with socket.create_connection(self._address, SERVER_LIMIT_S) as server:
                server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                while True:
                    self._one(connection, server)
        except (_Gone, OSError, EOFError):
            reset(connection)

    def _one(self, connection: socket.socket, server: socket.socket) -> None:
        record = receive_record(connection)
        call = call_of(record)
        if call is None:
            connection.sendall(marked(self._asked(server, record)))
            return
        request, struck = self._noted(call)
        if first(struck, Phase.DURING, "cut") is not None and call.procedure is Procedure.WRITE:
            request.answer = "cut"
            raise _Gone
        answer = self._struck_before(call, request, struck) or self._asked(server, record)
        self._answered(connection, answer, call, request, struck)

    @staticmethod
    def _asked(server: socket.socket, record: bytes) -> bytes:
        server.sendall(marked(record))
        return receive_record(server)

    def _noted(self, call: RpcCall) -> tuple[Request, tuple[Fault, ...]]:
        with self._lock:
            operation = str(call.procedure)
            struck = self.plan.strike(operation, self.location) if self.plan.armed else ()
            request = Request(
                len(self.requests), time.monotonic_ns(), self.location, operation, call.target, call.sent_bytes, 0, "pending",
                faults=struck)
            self.requests.append(request)
        return request, struck

    def _struck_before(self, call: RpcCall, request: Request, struck: Sequence[Fault]) -> bytes | None:
        """An answer in the server's place; ``None`` where the server is to be asked."""
        for fault in struck:
            if fault.phase is not Phase.BEFORE:
                continue
            if fault.kind == "request_lost":
                request.answer = "lost"
                raise _Gone
            if fault.kind == "server_restart":
                request.answer = "lost"
                self._take_down(fault.value)
            if fault.kind == "slow":
                time.sleep(fault.value / 1e9)
            if fault.kind in ONCE:
                return refusal(call, ONCE[fault.kind])
            if fault.kind in UNTIL_HEALED:
                self._lasting[fault.kind] = UNTIL_HEALED[fault.kind]
        for kind, status in self._lasting.items():
            if str(call.procedure) in OPERATIONS[kind]:
                return refusal(call, status)
        return None

    def _take_down(self, outage_ns: int) -> None:
        """The server dies: what is under way is reset, and connections are refused until it is back."""
        self._up.clear()
        self._door.shut()
        self._die(outage_ns, self._uncommitted)
        raise _Gone

    def _answered(
        self, connection: socket.socket, answer: bytes, call: RpcCall, request: Request, struck: Sequence[Fault]
    ) -> None:
        status = status_of(answer)
        if status is NfsStatus.NFS3_OK and call.procedure in (Procedure.WRITE, Procedure.COMMIT):
            self._uncommitted = call.procedure is Procedure.WRITE
        for fault in struck:
            if fault.phase is not Phase.AFTER:
                continue
            if fault.kind == "slow":
                time.sleep(fault.value / 1e9)
                continue
            request.answer = "answer-lost"
            if fault.kind == "server_restart":
                self._take_down(fault.value)
            raise _Gone
        whole = marked(answer)
        cut, stall = first(struck, Phase.DURING, "cut"), first(struck, Phase.DURING, "slow")
        half = 0 if stall is None else len(whole) // 2
        if stall is not None:
            connection.sendall(whole[:half])
            time.sleep(stall.value / 1e9)
        if cut is not None:
            request.answer = "cut"
            connection.sendall(whole[half : min(cut.value, len(whole) - 1)])
            # Let what was sent arrive: a reset takes along what the peer has not read yet.
            connection.shutdown(socket.SHUT_WR)
            raise _Gone
        connection.sendall(whole[half:])
        good = status is NfsStatus.NFS3_OK
        request.answer = "ok" if good else status.name if status is not None else "denied"
        request.received_bytes = len(answer) if good and call.procedure is Procedure.READ else 0
        request.ended_ns = time.monotonic_ns()

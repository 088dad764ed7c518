"""A proxy on loopback between a driver and a real S3 service, which puts a fault schedule on the wire and counts requests.

A request is taken whole, the service acts on it at one moment, the answer is taken whole: so a fault strikes before the effect
or after it, as in simulation. The schedule, and how it counts, are the simulators' own (:class:`FaultPlan`). Requests for
another bucket than the one looked at pass unseen: a client of an earlier world may still have something to say.

Every connection has a thread; one proxy serves all worlds of a process, one after the other.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence

import h11

from storcert.conformance.live_door import Door, reset
from storcert.conformance.live_proxy_faults import PROXY_FAULTS, answer_of
from storcert.conformance.live_proxy_names import operation_of
from storcert.conformance.live_wire import Answer, Asked, Gone, exchange, next_event, passed_on
from storcert.harness.record.fault import Fault, Phase
from storcert.simulators.device import Request
from storcert.simulators.network.faults import FaultPlan, first

DEFAULT_OUTAGE_NS = 500_000_000
SERVICE_LIMIT_S = 60.0


class FaultProxy:
    """One proxy. ``address``: of the real service. ``location``: whose requests come now, as the schedule names it."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._lock = threading.Lock()
        self._door = Door(self._serve)
        self._timer: threading.Timer | None = None
        self.location = ""
        self.begin("")
        self._listen()

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"http://127.0.0.1:{self._door.port}"

    def begin(self, bucket: str) -> None:
        """A new world: nothing was asked yet, nothing is armed; requests for that bucket count."""
        self.bucket = bucket
        self.requests: list[Request] = []
        self.plan = FaultPlan(PROXY_FAULTS)
        self.full = False

    def arm(self, faults: Sequence[Fault]) -> None:
        """Replace the schedule. ``ValueError`` for a fault that cannot be shown here."""
        self.plan.arm(faults)

    def heal(self) -> None:
        """No faults any more, and connections are taken."""
        self.plan.disarm()
        self.full = False
        self._listen()

    def close(self) -> None:
        """Nothing is taken any more. May be repeated."""
        self._door.close()

    # The door

    def _listen(self) -> None:
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        self._door.open()

    def _take_down(self, outage_ns: int) -> None:
        """The service dies: what is under way is reset, and connections are refused for so long."""
        self._door.shut()
        timer = threading.Timer((outage_ns or DEFAULT_OUTAGE_NS) / 1e9, self._listen)
        timer.daemon = True
        with self._lock:
            self._timer = timer
        timer.start()

    # One connection

    def _serve(self, connection: socket.socket) -> None:
        side = h11.Connection(h11.SERVER)
        try:
            while self._one(side, connection):
                side.start_next_cycle()
        except (Gone, OSError):
            reset(connection)
        else:
            connection.close()

    def _one(self, side: h11.Connection, connection: socket.socket) -> bool:
        """One request and its answer. Whether the connection can be used again; :class:`Gone` where it must be reset."""
        head = next_event(side, connection)
        if not isinstance(head, h11.Request):
            return False
        method, path = head.method.decode("latin-1"), head.target.decode("latin-1")
        asked = Asked(method, path, tuple(head.headers.raw_items()), b"")
        operation, bucket, key = operation_of(
            method, path, {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in asked.headers})
        request, struck = self._noted(operation, bucket, key)
        cut = first(struck, Phase.DURING, "cut")
        has_body = int(asked.header("content-length") or 0) > 0 or bool(asked.header("transfer-encoding"))
        if side.they_are_waiting_for_100_continue:
            connection.sendall(side.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
        body = self._body(side, connection, cut.value if cut is not None and has_body else None)
        said = asked.header("x-amz-decoded-content-length")
        request.sent_bytes = int(said) if said.isdigit() else len(body)
        if cut is not None and has_body:
            request.answer = "cut"
            raise Gone("the request was cut")
        answer = self._answered(Asked(method, path, asked.headers, body), request, struck)
        if request.answer == "pending":
            request.answer = answer.code or ("ok" if answer.status < 400 else str(answer.status))
        request.received_bytes = len(answer.body)
        self._send(side, connection, method, answer, struck, request)
        request.ended_ns = time.monotonic_ns()
        return side.our_state is h11.DONE and side.their_state is h11.DONE

    def _noted(self, operation: str, bucket: str, key: str) -> tuple[Request, tuple[Fault, ...]]:
        with self._lock:
            counts = bucket in ("", self.bucket)
            struck = self.plan.strike(operation, self.location) if counts and self.plan.armed else ()
            target = f"{bucket}/{key}" if key else bucket
            request = Request(
                len(self.requests), time.monotonic_ns(), self.location, operation, target, 0, 0, "pending", faults=struck)
            if counts:
                self.requests.append(request)
        return request, struck

    @staticmethod
    def _body(side: h11.Connection, connection: socket.socket, up_to_bytes: int | None) -> bytes:
        body = bytearray()
        while up_to_bytes is None or len(body) <= up_to_bytes:
            event = next_event(side, connection)
            if isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                return bytes(body)
            elif isinstance(event, h11.ConnectionClosed):
                raise Gone("the client went away")
        return bytes(body[:up_to_bytes])

    def _answered(self, asked: Asked, request: Request, struck: Sequence[Fault]) -> Answer:
        for fault in struck:
            if fault.phase is Phase.BEFORE:
                instead = self._strike(fault, asked, request)
                if instead is not None:
                    return instead
        if self.full and any(kind.name == "full" and request.operation in kind.operations for kind in PROXY_FAULTS):
            return self._refusal("full", asked)
        try:
            answer = exchange(self._address, asked, SERVICE_LIMIT_S)
        except (OSError, Gone) as error:
            request.answer = "refused"
            raise Gone(f"the service did not answer: {error}") from error
        for fault in struck:
            if fault.phase is Phase.AFTER:
                answer = self._strike(fault, asked, request) or answer
        return answer

    def _strike(self, fault: Fault, asked: Asked, request: Request) -> Answer | None:
        """What a fault does before or after the effect: an answer instead, a delay, or the end of the connection."""
        match fault.kind:
            case "request_lost":
                request.answer = "lost"
                raise Gone("the request was lost")
            case "answer_lost":
                request.answer = "answer-lost"
                raise Gone("the answer was lost")
            case "server_restart":
                request.answer = "lost"
                self._take_down(fault.value)
                raise Gone("the service went away")
            case "slow":
                time.sleep(fault.value / 1e9)
                return None
            case "full":
                self.full = True
                return None
            case _:
                return self._refusal(fault.kind, asked)

    @staticmethod
    def _refusal(kind: str, asked: Asked) -> Answer:
        answer = answer_of(kind, asked.method)
        if answer is None:
            raise RuntimeError(f"no answer stands for {kind}")
        return answer

    @staticmethod
    def _send(
        side: h11.Connection, connection: socket.socket, method: str, answer: Answer, struck: Sequence[Fault], request: Request
    ) -> None:
        cut, stall = first(struck, Phase.DURING, "cut"), first(struck, Phase.DURING, "slow")
        if cut is not None and not answer.body:
            request.answer = "cut"
            raise Gone("the answer was cut")
        without_body = method == "HEAD" or answer.status in (204, 304)
        headers = passed_on(answer.headers, None if without_body else len(answer.body))
        # A cut strikes inside the body; one that is longer than the body cuts its last byte off.
        up_to = len(answer.body) if cut is None else min(cut.value, len(answer.body) - 1)
        connection.sendall(side.send(h11.Response(status_code=answer.status, headers=list(headers))) or b"")
        body = b"" if without_body else answer.body[:up_to]
        half = len(body) // 2 if stall is not None else 0
        if half and stall is not None:
            connection.sendall(side.send(h11.Data(data=body[:half])) or b"")
            time.sleep(stall.value / 1e9)
        if body[half:]:
            connection.sendall(side.send(h11.Data(data=body[half:])) or b"")
        if cut is not None:
            request.answer, request.received_bytes = "cut", up_to
            # Let what was sent arrive: a reset takes along what the peer has not read yet.
            connection.shutdown(socket.SHUT_WR)
            raise Gone("the answer was cut")
        connection.sendall(side.send(h11.EndOfMessage()) or b"")

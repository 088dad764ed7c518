"""Calls over the driver protocol: one channel per address, a limit for every answer, and what a status means.

Nothing here knows what a call does. A status with an error of the contract is that error; without one it is the server that
cannot be reached (``DeviceUnavailable``), or a fault of the driver on the other end
(:class:`~storcert.harness.protocol.broken.BrokenProtocol`).

A call of the gRPC library takes locks when it is finalized. The collector runs anywhere, also inside of that library while it
holds them, and then two threads wait for each other for ever. So a call that is under way is kept alive from here: who drops a
stream only leaves a note, and the next call, whose thread holds no lock, cancels it. For the same reason this is no part of the
driver's folder: the kit imports drivers anew, and drops what they had.
"""

from __future__ import annotations

import collections
import queue
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import grpc

from storcert.harness.contract import DeviceUnavailable, Outcome, StorageError, Unsupported
from storcert.harness.protocol.broken import BrokenProtocol, ForeignError, TooLate
from storcert.harness.protocol.failures import carried
from storcert.harness.protocol.limits import CALL_LIMIT_S
from storcert.harness.protocol.methods import MANDATORY, METHODS, serialized

_OPTIONS = (
    ("grpc.enable_retries", 0),  # nothing is repaired on the way
    ("grpc.enable_http_proxy", 0),
    ("grpc.max_receive_message_length", 64 << 20),  # a message that is too long is told as such, not cut off
    ("grpc.max_metadata_size", 64 << 10),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 2000),
    ("grpc.max_reconnect_backoff_ms", 1000),
)
_LOOKS_S = 0.25


@lru_cache(maxsize=64)
def channel(target: str) -> grpc.Channel:
    """The channel of this process to that address. Made once: connections are kept, answers are not."""
    return grpc.insecure_channel(target, _OPTIONS)


@lru_cache(maxsize=1024)
def callable_of(target: str, name: str) -> Callable[..., Any]:
    """The method of that name at that address."""
    method = METHODS[name]
    kind = ("unary", "stream")[method.streams_in] + "_" + ("unary", "stream")[method.streams_out]
    made: Callable[..., Any] = getattr(channel(target), kind)(
        method.path, request_serializer=serialized, response_deserializer=method.parse_response
    )
    return made


class _Patience:
    """Cancels calls whose answer is overdue. A stream has no deadline of its own: it may be idle between two requests."""

    def __init__(self) -> None:
        self._due: dict[int, tuple[float, Any, list[bool]]] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._numbers = 0

    @contextmanager
    def limit(self, call: Any, within_s: float) -> Iterator[list[bool]]:
        """Cancel ``call`` if this block takes longer; the list is not empty any more then."""
        fired: list[bool] = []
        with self._lock:
            self._numbers += 1
            number = self._numbers
            self._due[number] = (time.monotonic() + within_s, call, fired)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._watch, name="grpc-patience", daemon=True)
                self._thread.start()
        try:
            yield fired
        finally:
            with self._lock:
                self._due.pop(number, None)

    def _watch(self) -> None:
        idle = 0
        while idle < 40:
            time.sleep(_LOOKS_S)
            now = time.monotonic()
            with self._lock:
                overdue = [entry for entry in self._due.values() if entry[0] < now]
                idle = 0 if self._due else idle + 1
                if idle >= 40:
                    self._thread = None
            for _, call, fired in overdue:
                fired.append(True)
                call.cancel()


_patience = _Patience()


#: Calls that nobody needs any more: their queue of requests, the call, and whether it is to be cancelled.
_dropped: collections.deque[tuple[queue.SimpleQueue[Any], Any, bool]] = collections.deque()


def _sweep() -> None:
    """Cancel what was dropped, and let go of what has ended."""
    for _ in range(len(_dropped)):
        try:
            requests, call, cancel = _dropped.popleft()
        except IndexError:
            return  # another thread was faster
        if cancel:
            call.cancel()
        requests.put(None)
        if call.is_active():
            _dropped.append((requests, call, False))


def ask(target: str, name: str, request: Any, within_s: float) -> Any:
    """One unary call: the response, or the error it ended with."""
    _sweep()
    try:
        return callable_of(target, name)(request, timeout=within_s)
    except grpc.RpcError as error:
        found = failure(error, name, target, within_s)
    raise found  # outside of the block: the library's error, and all that its frames hold, is let go


def pages(target: str, name: str, request: Any, within_s: float) -> Iterator[Any]:
    """The responses of a call in which the server streams."""
    _sweep()
    call = callable_of(target, name)(request, timeout=within_s)
    found: Exception | None = None
    try:
        yield from call
    except grpc.RpcError as error:
        found = failure(error, name, target, within_s)
    finally:
        _dropped.append((queue.SimpleQueue(), call, True))
    if found is not None:
        raise found


class Conversation:
    """A call in which both sides stream: each request has one response. Dropped with its last reference: cancelled."""

    def __init__(self, target: str, name: str, within_s: float) -> None:
        self._target, self._name, self._within_s = target, name, within_s
        _sweep()
        requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._requests = requests
        self._call = callable_of(target, name)(iter(requests.get, None))
        self._over = ""
        self._end = weakref.finalize(self, _dropped.append, (requests, self._call, True))
        self._end.atexit = False

    def ask(self, step: str, request: Any) -> Any:
        """Send one request and wait for its response."""
        where = f"{self._name}.{step}"
        if self._over:
            raise DeviceUnavailable(f"{where}: the call is over: {self._over}", None, Outcome.NOT_DONE)
        _sweep()
        self._requests.put(request)
        found: Exception
        with _patience.limit(self._call, self._within_s) as overdue:
            try:
                return next(self._call)
            except StopIteration:
                self._over = "the server ended it"
                found = BrokenProtocol(f"the server ended {self._name} where the answer to `{step}` was due")
            except grpc.RpcError as error:
                self._over = "it failed before"
                found = late(where, self._within_s) if overdue else failure(error, where, self._target, self._within_s)
        self._requests.put(None)
        raise found

    def polite(self) -> None:
        """The stream has had its end: dropped from now on, it is half-closed and not cancelled."""
        if self._end.detach() is not None:
            self._end = weakref.finalize(self, _dropped.append, (self._requests, self._call, False))
            self._end.atexit = False

    def finish(self) -> None:
        """Half-close: nothing more will be asked. What still comes was not asked for."""
        if not self._over:
            self._over = "it was ended"
            self._end.detach()
            self._requests.put(None)
            _dropped.append((self._requests, self._call, False))


def failure(error: Any, where: str, target: str, within_s: float) -> Exception:
    """What a status other than OK means."""
    code, said = error.code(), error.details() or ""
    try:
        found = carried(error.trailing_metadata() or (), where)
    except BrokenProtocol as broken:
        return broken
    if isinstance(found, StorageError):
        return found
    if found is not None:
        return _foreign(found.type, found.message, where)
    method = where.partition(".")[0]
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return late(where, within_s)
    if code is grpc.StatusCode.UNIMPLEMENTED:
        if method in MANDATORY:
            return BrokenProtocol(f"the server answers UNIMPLEMENTED to {method}, which every driver has")
        return Unsupported(f"the server has no {method}")
    if code is grpc.StatusCode.UNAVAILABLE:
        return DeviceUnavailable(f"{where}: the driver's server at {target} is gone: {said}", None, Outcome.UNKNOWN)
    if code is grpc.StatusCode.FAILED_PRECONDITION:
        return DeviceUnavailable(
            f"{where}: the driver's server does not know this instance; was it restarted? ({said})", None, Outcome.NOT_DONE
        )
    return ForeignError(f"{where} ended with status {code.name} and no error of the contract: {said}")


def _foreign(kind: str, message: str, where: str) -> Exception:
    if kind == "NotImplementedError":
        return NotImplementedError(message)  # as a driver that is being written says what is still to be filled in
    return ForeignError(f"{where} let a foreign error out: {kind}: {message}")


def late(where: str, within_s: float) -> Exception:
    """No answer in time. Only past the limit of the contract is that certainly the driver's fault."""
    if within_s >= CALL_LIMIT_S:
        return TooLate(f"{where}: no answer within {within_s:g} s")
    return DeviceUnavailable(
        f"{where}: no answer within {within_s:g} s (with grpc_answer_within_s = {CALL_LIMIT_S:g}, the limit of the contract, "
        "it would be judged)",
        None,
        Outcome.UNKNOWN,
    )

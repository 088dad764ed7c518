"""The log of requests over one wire: all of them, or the last ones and how many bytes all carried. Nothing is sent here."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from storcert.harness.record.fault import Fault
from storcert.simulators.device import Request

_SLACK = 256


class RequestLog:
    """``keep``: how many of the last requests are kept, ``None`` for all. ``requests``: those, oldest first, and perhaps a few
    older ones. ``sums``: where not all are kept, body bytes sent and received over the wire, by location."""

    __slots__ = ("_limit", "keep", "numbers", "requests", "sums")

    def __init__(self, keep: int | None = None) -> None:
        self.keep = keep
        self._limit = None if keep is None else keep + _SLACK
        self.requests: list[Request] = []
        self.numbers: Iterator[int] = itertools.count()  # wires that share one give numbers in the order of all of them
        self.sums: dict[str, list[int]] = {}

    def add(
        self, time_ns: int, location: str, operation: str, target: str, sent_bytes: int, task: str, faults: tuple[Fault, ...],
    ) -> Request:
        """A request that is about to be sent."""
        request = Request(next(self.numbers), time_ns, location, operation, target, sent_bytes, 0, "pending", task, faults)
        self.requests.append(request)
        if self._limit is not None:
            if sent_bytes:
                self._sum(location)[0] += sent_bytes
            if len(self.requests) >= self._limit:
                del self.requests[: len(self.requests) - (self.keep or 0)]
        return request

    def sent(self, request: Request, size_bytes: int) -> None:
        """No more than that was sent of it, after all."""
        if self.keep is not None:
            self._sum(request.location)[0] += size_bytes - request.sent_bytes
        request.sent_bytes = size_bytes

    def received(self, request: Request, size_bytes: int) -> None:
        """So much of the answer's body has arrived by now."""
        if self.keep is not None:
            self._sum(request.location)[1] += size_bytes - request.received_bytes
        request.received_bytes = size_bytes

    def _sum(self, location: str) -> list[int]:
        return self.sums.setdefault(location, [0, 0])

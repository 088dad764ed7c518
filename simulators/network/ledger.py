"""Sums over the request log: who moved how many bytes. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable

from storcert.simulators.device import Request


def traffic(requests: Iterable[Request]) -> dict[str, tuple[int, int]]:
    """Body bytes sent and received, by location."""
    sums: dict[str, tuple[int, int]] = {}
    for request in requests:
        sent, received = sums.get(request.location, (0, 0))
        sums[request.location] = (sent + request.sent_bytes, received + request.received_bytes)
    return sums

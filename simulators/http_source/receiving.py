"""What a request does to a destination: a body in, a status out. No header of the answer is made here.

A body that did not arrive whole changes nothing: the wire ends the exchange before anything here is asked. What a careless
server does with half a body is a fault (``legal_faults``: ``stored_short``).
"""

from __future__ import annotations

from collections.abc import Mapping

from storcert.simulators.extents import Extents
from storcert.simulators.http_source.destination import Destination


def store(place: Destination, method: str, headers: Mapping[str, str], body: Extents, kept_bytes: int | None) -> int:
    """Take a body, or refuse it: the status. ``kept_bytes``: of this one body no more than that is kept."""
    refusal = _refusal(place, method, headers, body.size_bytes)
    if refusal:
        return refusal
    status = place.status if place.stored is None else place.replaced_status
    content = body.copy()
    limits = [limit for limit in (place.keeps_bytes, kept_bytes, content.size_bytes) if limit is not None]
    content.truncate(min(limits))
    place.stored = content
    place.received += 1
    return status


def _refusal(place: Destination, method: str, headers: Mapping[str, str], size_bytes: int) -> int:
    """Why not, as a status; 0 where nothing speaks against it."""
    if place.refused:
        return place.refused
    if method not in place.methods:
        return 405
    if place.moved_to:
        return 307
    if place.needs_length and "content-length" not in headers:
        return 411
    if place.size_max_bytes is not None and size_bytes > place.size_max_bytes:
        return 413
    if place.room_bytes is not None and size_bytes > place.room_bytes:
        return 507
    if place.once and place.stored is not None:
        return 409
    return 0

"""Traces made by hand, as long as a test wants them."""

from __future__ import annotations

from storcert.harness.record.history import Status
from storcert.harness.record.trace import Mark, PlaceKind, Sort, Span, Trace

START_NS = 1_700_000_000 * 10**9


def long_trace(requests: int, *, failed_every: int = 97) -> Trace:
    """One call every ten requests of three hosts on one device; each so many-th request fails; two crashes."""
    spans: list[Span] = []
    for number in range(requests):
        host, start_ns = f"host-{number % 3}", START_NS + number * 2_000_000
        if number % 10 < 3:
            spans.append(Span(Sort.CALL, f"call/{number}", "", "write", f"/volume/1/v{number}", host, "", start_ns,
                              start_ns + 15_000_000, Status.OK, "ok"))
        status = Status.FAILED if number % failed_every == failed_every - 1 else Status.OK
        spans.append(Span(Sort.REQUEST, f"request/images/{number}", f"call/{number // 10 * 10}", "PutObject",
                          f"bucket/key-{number}", "images", host, start_ns + 1000,
                          None if number == requests - 1 else start_ns + 1_500_000, status,
                          "ok" if status is Status.OK else "SlowDown", 4096, 0, ("throttle before #3",) if number == 5 else ()))
    end_ns = START_NS + requests * 2_000_000 + 20_000_000
    marks = (Mark(START_NS + 5_000_000, "host-1", "crash", ""), Mark(START_NS + 9_000_000, "images", "fault", "throttle"))
    places = {"host-0": PlaceKind.HOST, "host-1": PlaceKind.HOST, "host-2": PlaceKind.HOST, "images": PlaceKind.DEVICE}
    return Trace("sha256:ab", START_NS, end_ns, places, tuple(spans), marks)

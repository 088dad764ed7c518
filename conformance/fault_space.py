"""The space of single faults: every request an operation makes, every legal fault there, every phase. Counted, not sampled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from storcert.harness.record.fault import Fault, Phase
from storcert.simulators.device import FaultKind

SECOND_NS = 10**9
# A cut that lasts after a few bytes makes a driver that resumes ask once per few bytes: legal, and of no use here.
ONCE: dict[str, tuple[int, ...]] = {"bytes": (0, 1000), "ns": (2 * SECOND_NS, 120 * SECOND_NS), "": (0,)}
ALWAYS: dict[str, tuple[int, ...]] = {"bytes": (0, 1 << 20), "ns": (2 * SECOND_NS, 120 * SECOND_NS), "": (0,)}
LASTING = (1, 0)
SHORT_NS = 50_000_000
"""How long a fault lasts where time is real."""


def single_faults(
    requests: Sequence[str],
    kind: FaultKind,
    counts: Sequence[int] = LASTING,
    *,
    largest: bool = False,
    real_time: bool = False,
    location: str = "*",
) -> Iterator[Fault]:
    """Each fault of ``kind`` at each of the ``requests`` (names in order), once and from then on, with each amount that matters
    or with the ``largest`` alone. ``real_time``: short ones, and once. ``location``: whose requests alone are struck."""
    if real_time:
        counts = counts if counts == (0,) else (1,)
    for place, operation in enumerate(requests):
        if "*" not in kind.operations and operation not in kind.operations:
            continue
        nth = requests[: place + 1].count(operation)
        for phase in kind.phases:
            unit = "ns" if "ns" in kind.value_unit else "bytes" if "byte" in kind.value_unit else ""
            for count in counts:
                amounts = (ONCE if count == 1 else ALWAYS)[unit]
                if real_time and unit == "ns":
                    amounts = (SHORT_NS,)
                for value in amounts[-1:] if largest else amounts:
                    yield Fault(kind.name, operation, nth, phase, count, value, location)


def each_once(requests: Sequence[str], kinds: Iterable[FaultKind]) -> Iterator[Fault]:
    """Each fault of ``kinds`` once at each of the ``requests``, with the largest amount; a crash is none of them."""
    for kind in kinds:
        if kind.name != "crash":
            yield from single_faults(requests, kind, counts=(1,), largest=True)


def crash_points(
    requests: Sequence[str], location: str, phases: Sequence[Phase] = (Phase.BEFORE, Phase.AFTER)
) -> Iterator[Fault]:
    """A crash of the calling location at each request, before and after its effect. After one request is before the next: where
    that is one moment, ``phases`` leaves the other out."""
    for place, operation in enumerate(requests):
        nth = requests[: place + 1].count(operation)
        for phase in phases:
            yield Fault("crash", operation, nth, phase, location=location)

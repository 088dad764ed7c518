"""C-RETRY where the same thing goes wrong more than once: counted, not drawn, so that every seed asks the same.

The pairs that the seed draws are in ``retry``; here are those that a driver meets for a reason of its own: what a first try
left is in the way of the second and the third, and what was done without an answer is refused when it is asked for again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from storcert.conformance.bench import HOST, SSVM, Bench
from storcert.conformance.coverage import Schedule, Tried
from storcert.conformance.fault_space import crash_points, single_faults
from storcert.conformance.operations import LARGE, MORE, SMALL, healthy_requests, names, scenario
from storcert.conformance.pairs import look
from storcert.conformance.registry import check
from storcert.conformance.trials import try_pairs
from storcert.conformance.violation import NotApplicable
from storcert.harness.record.fault import Fault, Phase
from storcert.simulators.device import FaultKind

RULE = "C-RETRY"
MAKES = ("create-small", "write-small", "copy-small", "snapshot-small", "clone-small")
PUBLISHES = ("create-small", "write-small", "write-parts", "copy-small", "delete-small")
#: Faults that refuse a request before it takes effect, and say so.
REFUSALS = ("throttle", "expired_credentials", "io_error", "full")


@check(
    RULE,
    standard=lambda f: [] if f.real_time else names(f, MAKES),
    deep=lambda f: [] if f.real_time else names(f, (*SMALL, *MORE, *LARGE)),
    simulation=True,
)
def dies_twice_alike(b: Bench, name: str) -> None:
    """The location dies at a request, and the one that repeats the operation dies at the same one: a third one can do it."""
    requests = healthy_requests(b, scenario(b.facts, name))
    if not requests:
        raise NotApplicable(f"{name} makes no request")
    try_pairs(b, name, _twice(requests), Tried(name, tuple(requests)))


def _twice(requests: Sequence[str]) -> Iterator[Schedule]:
    deaths = (crash_points(requests, location, (Phase.AFTER,)) for location in (HOST, SSVM))
    yield from zip(*deaths, strict=True)


@check(
    RULE,
    standard=lambda f: [] if f.real_time else names(f, PUBLISHES),
    deep=lambda f: [] if f.real_time else names(f, (*SMALL, *MORE, *LARGE)),
    simulation=True,
    live=("census", "faults"),
)
def refused_when_asked_again(b: Bench, name: str) -> None:
    """The answer of a request is lost, and the same request is refused from then on: what is said of it is true."""
    requests = healthy_requests(b, scenario(b.facts, name))
    legal: dict[str, FaultKind] = {kind.name: kind for kind in b.world.device.legal_faults}
    tried = Tried(name, tuple(requests))
    if "answer_lost" in legal:
        try_pairs(b, name, _refused(b, name, requests, legal), tried)
    if not tried.pairs:
        raise NotApplicable(f"no request of {name} is made again when its answer is lost")


def _refused(b: Bench, name: str, requests: Sequence[str], legal: dict[str, FaultKind]) -> Iterator[Schedule]:
    for first in single_faults(requests, legal["answer_lost"], counts=(1,), largest=True):
        again = (first.operation, first.nth + 1)
        if again not in look(b, name, first).later:
            continue
        for kind in (legal[one] for one in REFUSALS if one in legal):
            for second in single_faults((first.operation,), kind, counts=(0,), largest=True):
                yield first, Fault(second.kind, first.operation, again[1], second.phase, 0, second.value)

"""C-DELETE of what a dead writer left, by two locations at once: each must find its way past the other's clean-up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from storcert.conformance.bench import HOST, SSVM, Bench
from storcert.conformance.fault_space import crash_points
from storcert.conformance.observe import require_absent
from storcert.conformance.operations import healthy_requests, prepare, scenario
from storcert.conformance.registry import check
from storcert.conformance.scenario import TARGET
from storcert.conformance.violation import require
from storcert.harness.contract import ObjectInUse
from storcert.harness.record.fault import Fault, Phase

RULE = "C-DELETE"
OTHER = "ssvm-2"
#: How much later the second one begins: from not at all to the time of a few requests.
DELAYS_MS = (0, 1, 2, 4, 6)


@dataclass(frozen=True, slots=True)
class _Moment:
    death: Fault
    delay_ms: int

    def __str__(self) -> str:
        return f"{self.death}, the second delete {self.delay_ms} ms later"


@check(RULE, standard=lambda f: [] if f.real_time else ["write-parts"], simulation=True)
def two_over_a_dead_writer(b: Bench, name: str) -> None:
    """A writer dies at any request, and two locations delete the name at once: each succeeds or is in use, nothing stays."""
    one = scenario(b.facts, name)
    for moment in b.examples(_moments(healthy_requests(b, one))):
        prepare(b, one)
        b.arm(moment.death)
        b.attempt(lambda: one.call(b, b.client(HOST).later))
        b.heal()
        first, second = b.client(SSVM), b.client(OTHER)
        deletes = [first.later.delete(b.uri(TARGET))]
        b.world.advance(moment.delay_ms * 1_000_000)
        deletes.append(second.later.delete(b.uri(TARGET)))
        b.join(*deletes)
        for attempt in deletes:
            busy = isinstance(attempt.error, ObjectInUse)
            require(attempt.error is None or busy, f"{attempt.call.label}, with another delete at once, said {attempt}")
        if any(attempt.error is not None for attempt in deletes):
            first.delete(b.uri(TARGET))
        require_absent(first, b.uri(TARGET), "deleted by two at once")
        b.require_clean("after a dead writer's name was deleted by two at once")


def _moments(requests: list[str]) -> Iterator[_Moment]:
    for death in crash_points(requests, HOST, (Phase.AFTER,)):
        yield from (_Moment(death, delay_ms) for delay_ms in DELAYS_MS)

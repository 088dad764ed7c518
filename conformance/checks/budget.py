"""C-BUDGET: every call ends, in bounded time and a bounded number of requests, whatever the device does."""

from __future__ import annotations

from storcert.conformance.bench import HOST, Bench
from storcert.conformance.facts import Facts
from storcert.conformance.fault_space import single_faults
from storcert.conformance.operations import LARGE, SMALL, healthy_requests, names, prepare, scenario
from storcert.conformance.registry import check
from storcert.conformance.violation import NotApplicable, require
from storcert.harness.contract import ObjectNotFound

RULE = "C-BUDGET"
EXTRA_REQUESTS_MAX = 100


def _cases(facts: Facts, wanted: tuple[str, ...], kinds: tuple[str, ...]) -> list[str]:
    return [f"{name} {kind}" for name in names(facts, wanted) for kind in kinds if kind in facts.legal_faults]


def _core(facts: Facts) -> list[str]:
    if facts.real_time:
        return _cases(facts, ("write-small", "read"), ("throttle",))
    return _cases(facts, ("write-small", "delete-small", "read", "describe", "list"), ("throttle", "request_lost"))


def _standard(facts: Facts) -> list[str]:
    if facts.real_time:
        return _cases(facts, ("delete-small", "list"), ("throttle", "request_lost"))
    return _cases(facts, (*SMALL, *LARGE), tuple(kind for kind in sorted(facts.legal_faults) if kind != "crash"))


@check(RULE, core=_core, standard=_standard, simulation=True, live=("faults",))
def under_lasting_faults(b: Bench, case: str) -> None:
    """With a fault that never ends a call ends within 15 virtual minutes and 100 more requests than on a healthy device."""
    name, kind_name = case.split(" ")
    one = scenario(b.facts, name)
    requests = healthy_requests(b, one)
    kind = next(kind for kind in b.world.device.legal_faults if kind.name == kind_name)
    healthy = dict(b.meter.requests)
    faults = list(single_faults(requests, kind, counts=(0,), real_time=b.facts.real_time and b.wanted is None))
    if not faults:
        raise NotApplicable(f"{kind_name} cannot strike any request of {name}")
    for fault in b.examples(faults):
        prepare(b, one)
        b.arm(fault)
        b.attempt(lambda: one.call(b, b.client(HOST).later))
        for verb, made in sorted(b.meter.requests.items()):
            extra = made - healthy.get(verb, 0)
            require(extra <= EXTRA_REQUESTS_MAX, f"{verb} made {extra} requests more than on a healthy device")


@check(RULE, simulation=True, live=("requests",))
def missing_object_is_cheap(b: Bench) -> None:
    """A missing object is answered without endless tries."""
    client = b.client()
    before = len(b.world.device.requests)
    b.expect(ObjectNotFound, lambda: client.describe(b.uri()))
    b.expect(ObjectNotFound, lambda: client.open_input(b.uri()))
    client.delete(b.uri())
    count = len(b.world.device.requests) - before
    require(count <= EXTRA_REQUESTS_MAX, f"three calls on a missing object made {count} requests")


@check(
    RULE,
    core=lambda f: ["write-small", "read", "delete-small"],
    standard=lambda f: names(f, (*SMALL, *LARGE)),
    simulation=True,
)
def on_a_healthy_device(b: Bench, name: str) -> None:
    """On a healthy device no call of an operation takes 15 virtual minutes."""
    one = scenario(b.facts, name)
    prepare(b, one)
    attempt = b.attempt(lambda: one.call(b, b.client(HOST).later))
    require(attempt.call.return_ns is not None, f"{attempt.call.label} did not end")

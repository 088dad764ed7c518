"""C-RETRY: after any single fault or crash the device is as before or as if done, and repeating or deleting converges."""

from __future__ import annotations

from storcert.conformance.bench import HOST, Bench
from storcert.conformance.facts import Facts
from storcert.conformance.fault_space import crash_points, single_faults
from storcert.conformance.operations import LARGE, SMALL, healthy_requests, judge, names, prepare, scenario
from storcert.conformance.registry import check
from storcert.conformance.violation import NotApplicable
from storcert.harness.record.fault import Fault

RULE = "C-RETRY"
QUICK_FAULTS = ("answer_lost", "request_lost", "throttle", "ok_with_error")
QUICK_VOLUME = ("snapshot-small", "revert-small", "clone-small", "pwrite-small")
QUICK = ("create-small", "write-small", "delete-small", "copy-small", *QUICK_VOLUME)


def _core(facts: Facts) -> list[str]:
    return [f"{name} {kind}" for name in names(facts, QUICK) for kind in QUICK_FAULTS if kind in facts.legal_faults]


def _standard(facts: Facts) -> list[str]:
    kinds = [kind for kind in sorted(facts.legal_faults) if kind != "crash"]
    return [f"{name} {kind}" for name in names(facts, (*SMALL, *LARGE)) for kind in kinds]


@check(RULE, core=_core, standard=_standard, simulation=True)
def one_fault(b: Bench, case: str) -> None:
    """One legal fault at any request of an operation, once or lasting: the answer is true and everything converges."""
    name, kind_name = case.split(" ")
    one = scenario(b.facts, name)
    requests = healthy_requests(b, one)
    kind = next(kind for kind in b.world.device.legal_faults if kind.name == kind_name)
    faults = list(single_faults(requests, kind))
    if not faults:
        raise NotApplicable(f"{kind_name} cannot strike any request of {name}")
    for fault in b.examples(faults):
        _under(b, name, fault)


@check(
    RULE,
    core=lambda f: names(f, QUICK),
    standard=lambda f: names(f, (*SMALL, *LARGE)),
    simulation=True,
)
def crash_at_every_step(b: Bench, name: str) -> None:
    """The location dies at any request of an operation, before or after its effect: another one repeats and deletes."""
    one = scenario(b.facts, name)
    requests = healthy_requests(b, one)
    if not requests:
        raise NotApplicable(f"{name} makes no request")
    for fault in b.examples(list(crash_points(requests, HOST))):
        _under(b, name, fault)


def _pairs(facts: Facts) -> list[str]:
    return [
        f"{name} {kind}"
        for name in names(facts, ("write-parts", "copy-small", "delete-small"))
        for kind in sorted(facts.legal_faults)
        if kind != "crash"
    ]


@check(RULE, deep=_pairs, simulation=True)
def fault_then_crash(b: Bench, case: str) -> None:
    """A fault and then a crash of the location at any later request: the same promises hold."""
    name, kind_name = case.split(" ")
    one = scenario(b.facts, name)
    requests = healthy_requests(b, one)
    kind = next(kind for kind in b.world.device.legal_faults if kind.name == kind_name)
    pairs = [
        (fault, crash) for fault in single_faults(requests, kind, counts=(1,)) for crash in crash_points(requests, HOST)
    ]
    if not pairs:
        raise NotApplicable(f"{kind_name} cannot strike any request of {name}")
    for fault, crash in b.examples(pairs):
        _under(b, name, fault, crash)


def _under(b: Bench, name: str, *faults: Fault) -> None:
    one = scenario(b.facts, name)
    prepare(b, one)
    before = b.census()
    b.arm(*faults)
    attempt = b.attempt(lambda: one.call(b, b.client(HOST).later))
    judge(b, one, attempt, before)

"""C-RETRY: after any single fault or crash the device is as before or as if done, and repeating or deleting converges."""

from __future__ import annotations

from storcert.conformance.bench import HOST, Bench
from storcert.conformance.coverage import Tried
from storcert.conformance.facts import Facts
from storcert.conformance.fault_space import crash_points, single_faults
from storcert.conformance.operations import LARGE, MORE, SMALL, healthy_requests, names, scenario
from storcert.conformance.registry import check
from storcert.conformance.trials import try_each, try_every_crash
from storcert.conformance.violation import NotApplicable
from storcert.simulators.device import FaultKind

RULE = "C-RETRY"
QUICK_FAULTS = ("answer_lost", "request_lost", "throttle", "ok_with_error")
QUICK_VOLUME = ("snapshot-small", "revert-small", "clone-small", "pwrite-small")
QUICK = ("create-small", "write-small", "delete-small", "copy-small", *QUICK_VOLUME)


def _core(facts: Facts) -> list[str]:
    return [f"{name} {kind}" for name in names(facts, QUICK) for kind in QUICK_FAULTS if kind in facts.legal_faults]


def _standard(facts: Facts) -> list[str]:
    kinds = [kind for kind in sorted(facts.legal_faults) if kind != "crash"]
    return [f"{name} {kind}" for name in names(facts, (*SMALL, *LARGE)) for kind in kinds]


def _deep(facts: Facts) -> list[str]:
    return [f"{name} {kind}" for name in names(facts, MORE) for kind in sorted(facts.legal_faults) if kind != "crash"]


@check(RULE, core=_core, standard=_standard, deep=_deep, simulation=True)
def one_fault(b: Bench, case: str) -> None:
    """One legal fault at any request of an operation, once or lasting: the answer is true and everything converges."""
    name, kind_name = case.split(" ")
    requests = healthy_requests(b, scenario(b.facts, name))
    faults = list(single_faults(requests, _kind(b, kind_name)))
    if not faults:
        raise NotApplicable(f"{kind_name} cannot strike any request of {name}")
    try_each(b, name, [(fault,) for fault in faults], Tried(name, tuple(requests)))


@check(RULE, standard=lambda f: names(f, MORE), simulation=True)
def every_fault_once(b: Bench, name: str) -> None:
    """Every legal fault once at any request of other beginnings, endings and refusals: true answers, and all converges."""
    requests = healthy_requests(b, scenario(b.facts, name))
    kinds = [kind for kind in b.world.device.legal_faults if kind.name != "crash"]
    faults = [fault for kind in kinds for fault in single_faults(requests, kind, counts=(1,), largest=True)]
    if not faults:
        raise NotApplicable(f"{name} makes no request")
    try_each(b, name, [(fault,) for fault in faults], Tried(name, tuple(requests)))


@check(
    RULE,
    core=lambda f: names(f, QUICK),
    standard=lambda f: names(f, (*SMALL, *MORE, *LARGE)),
    simulation=True,
)
def crash_at_every_step(b: Bench, name: str) -> None:
    """The location dies at any request of an operation, before or after its effect: another one repeats and deletes."""
    requests = healthy_requests(b, scenario(b.facts, name))
    if not requests:
        raise NotApplicable(f"{name} makes no request")
    try_every_crash(b, name, Tried(name, tuple(requests)))


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
    requests = healthy_requests(b, scenario(b.facts, name))
    first = single_faults(requests, _kind(b, kind_name), counts=(1,))
    pairs = [(fault, crash) for fault in first for crash in crash_points(requests, HOST)]
    if not pairs:
        raise NotApplicable(f"{kind_name} cannot strike any request of {name}")
    try_each(b, name, pairs, Tried(name, tuple(requests)))


def _kind(b: Bench, name: str) -> FaultKind:
    legal: tuple[FaultKind, ...] = b.world.device.legal_faults
    return next(kind for kind in legal if kind.name == name)

"""C-RETRY: after any single fault or crash the device is as before or as if done, and repeating or deleting converges."""

from __future__ import annotations

from collections.abc import Iterable

from storcert.conformance import volume_operations
from storcert.conformance.bench import Bench
from storcert.conformance.coverage import Tried
from storcert.conformance.facts import Facts
from storcert.conformance.fault_space import each_once, single_faults
from storcert.conformance.operations import LARGE, MORE, SMALL, healthy_requests, names, scenario
from storcert.conformance.pairs import drawn_pairs, drawn_repetitions, in_the_clean_up, then_crashes
from storcert.conformance.registry import check
from storcert.conformance.trials import try_each, try_every_crash, try_pairs
from storcert.conformance.violation import NotApplicable
from storcert.simulators.device import FaultKind

RULE = "C-RETRY"
QUICK_FAULTS = ("answer_lost", "request_lost", "throttle", "ok_with_error")
QUICK_VOLUME = ("snapshot-small", "revert-small", "clone-small", "pwrite-small")
#: What makes and removes; operations that change nothing are struck twice in profile deep only.
PAIRED = ("create-small", "write-small", "delete-small", "copy-small", "beaten-small", *volume_operations.CHANGES)
PAIRED_LARGE = ("write-parts",)
#: What sends something before it publishes, and faults after which no driver can go on.
CLEANED_UP = ("write-small", "write-parts", "create-parts", "clone-small")
REFUSALS = ("expired_credentials", "io_error", "blocklisted")
FOLLOWED = ("write-small", "delete-small")
FOLLOWED_DEEP = ("write-parts", "copy-small", "snapshot-small", "clone-small")
QUICK = ("create-small", "write-small", "delete-small", "copy-small", *QUICK_VOLUME)


def _core(facts: Facts) -> list[str]:
    return [f"{name} {kind}" for name in names(facts, QUICK) for kind in QUICK_FAULTS if kind in facts.legal_faults]


def _standard(facts: Facts) -> list[str]:
    kinds = [kind for kind in sorted(facts.legal_faults) if kind != "crash"]
    if facts.real_time:
        return [f"{name} {kind}" for name in names(facts, (*QUICK, "write-parts")) for kind in kinds]
    return [f"{name} {kind}" for name in names(facts, (*SMALL, *LARGE)) for kind in kinds]


def _deep(facts: Facts) -> list[str]:
    return _with_kinds(facts, (*MORE, *volume_operations.MORE), sorted(facts.legal_faults))


@check(RULE, core=_core, standard=_standard, deep=_deep, simulation=True, live=("census", "faults"))
def one_fault(b: Bench, case: str) -> None:
    """One legal fault at any request of an operation, once or lasting: the answer is true and everything converges."""
    name, kind_name = case.split(" ")
    requests = healthy_requests(b, scenario(b.facts, name))
    faults = list(single_faults(requests, _kind(b, kind_name), real_time=b.facts.real_time and b.wanted is None))
    if not faults:
        raise NotApplicable(f"{kind_name} cannot strike any request of {name}")
    try_each(b, name, [(fault,) for fault in faults], Tried(name, tuple(requests)))


@check(RULE, standard=lambda f: [] if f.real_time else names(f, MORE), simulation=True, live=("census", "faults"))
def every_fault_once(b: Bench, name: str) -> None:
    """Every legal fault once at any request of other beginnings, endings and refusals: true answers, and all converges."""
    requests = healthy_requests(b, scenario(b.facts, name))
    faults = list(each_once(requests, b.world.device.legal_faults))
    if not faults:
        raise NotApplicable(f"{name} makes no request")
    try_each(b, name, [(fault,) for fault in faults], Tried(name, tuple(requests)))


@check(
    RULE,
    core=lambda f: names(f, QUICK),
    standard=lambda f: names(f, (*SMALL, *MORE, *volume_operations.MORE, *LARGE)),
    simulation=True,
)
def crash_at_every_step(b: Bench, name: str) -> None:
    """The location dies at any request of an operation, before or after its effect: another one repeats and deletes."""
    requests = healthy_requests(b, scenario(b.facts, name))
    if not requests:
        raise NotApplicable(f"{name} makes no request")
    try_every_crash(b, name, Tried(name, tuple(requests)))


def _with_kinds(facts: Facts, wanted: Iterable[str], kinds: Iterable[str]) -> list[str]:
    legal = [kind for kind in kinds if kind in facts.legal_faults and kind != "crash" and not facts.real_time]
    return [f"{name} {kind}" for name in names(facts, wanted) for kind in legal]


@check(
    RULE,
    standard=lambda f: _with_kinds(f, FOLLOWED, ("answer_lost",)),
    deep=lambda f: _with_kinds(f, (*FOLLOWED, *FOLLOWED_DEEP), sorted(f.legal_faults)),
    simulation=True,
)
def fault_then_crash(b: Bench, case: str) -> None:
    """A fault and then a crash of the location at any request it still makes: the same promises hold."""
    name, kind_name = case.split(" ")
    requests = healthy_requests(b, scenario(b.facts, name))
    kind = _kind(b, kind_name)
    if not list(single_faults(requests, kind)):
        raise NotApplicable(f"{kind_name} cannot strike any request of {name}")
    try_pairs(b, name, then_crashes(b, name, requests, kind), Tried(name, tuple(requests)))


@check(
    RULE,
    standard=lambda f: _with_kinds(f, CLEANED_UP, REFUSALS),
    deep=lambda f: _with_kinds(f, (*SMALL, *MORE, *LARGE), sorted(f.legal_faults)),
    simulation=True,
    live=("census", "faults"),
)
def fault_in_the_clean_up(b: Bench, case: str) -> None:
    """A fault that ends the operation, and the same once more while the driver takes back what it sent: the answer is true."""
    name, kind_name = case.split(" ")
    requests = healthy_requests(b, scenario(b.facts, name))
    tried = Tried(name, tuple(requests))
    try_pairs(b, name, in_the_clean_up(b, name, requests, _kind(b, kind_name)), tried)
    if not tried.pairs:
        raise NotApplicable(f"no {kind_name} ends {name} with something left to take back")


def _drawn(facts: Facts, wanted: Iterable[str], count: int) -> list[str]:
    return [] if facts.real_time else [f"{name} {count}" for name in names(facts, wanted)]


@check(
    RULE,
    standard=lambda f: [*_drawn(f, PAIRED, 8), *_drawn(f, PAIRED_LARGE, 6)],
    deep=lambda f: [*_drawn(f, (*SMALL, *MORE), 60), *_drawn(f, LARGE, 40)],
    simulation=True,
    live=("census", "faults"),
)
def two_faults(b: Bench, case: str) -> None:
    """A fault, and another fault or a crash at a later request, drawn by the seed: the same promises hold."""
    name, count = case.split(" ")
    requests = healthy_requests(b, scenario(b.facts, name))
    try_pairs(b, name, drawn_pairs(b, name, requests, int(count)), Tried(name, tuple(requests), drawn=True))


@check(
    RULE,
    standard=lambda f: _drawn(f, PAIRED, 6),
    deep=lambda f: _drawn(f, (*SMALL, *MORE, *LARGE), 60),
    simulation=True,
)
def crash_in_the_repetition(b: Bench, case: str) -> None:
    """The location dies, and the one that repeats the operation dies as well: a third one repeats and deletes."""
    name, count = case.split(" ")
    requests = healthy_requests(b, scenario(b.facts, name))
    try_pairs(b, name, drawn_repetitions(b, name, requests, int(count)), Tried(name, tuple(requests), drawn=True))


def _kind(b: Bench, name: str) -> FaultKind:
    legal: tuple[FaultKind, ...] = b.world.device.legal_faults
    return next(kind for kind in legal if kind.name == name)

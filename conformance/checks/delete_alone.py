"""C-DELETE under faults, with no second delete to make up for the first: what reported success has left nothing.

C-RETRY repeats every operation before it looks for leftovers, and a repetition finds what the first try forgot.
"""

from __future__ import annotations

from collections import Counter

from storcert.conformance.bench import HOST, Bench
from storcert.conformance.checks.settings import requests_after_a_change
from storcert.conformance.facts import Facts
from storcert.conformance.fault_space import each_once
from storcert.conformance.observe import require_absent
from storcert.conformance.operations import healthy_requests, names, prepare, scenario
from storcert.conformance.registry import check
from storcert.conformance.scenario import TARGET
from storcert.conformance.setting_scenarios import setting_names
from storcert.conformance.violation import require

RULE = "C-DELETE"


#: Of what shares bytes with a volume, which stays.
SHARING = ("unsnapshot-small", "unclone-small")


def _deletes(facts: Facts) -> list[str]:
    if facts.real_time:
        return []
    return ["delete-small", *(name for name in setting_names(facts) if name.startswith("delete"))]


@check(RULE, standard=_deletes, deep=lambda f: [] if f.real_time else ["delete-parts"], simulation=True)
def alone_under_a_fault(b: Bench, name: str) -> None:
    """A delete that reports success in spite of a fault has left nothing, and needs no second one to make that true."""
    one = scenario(b.facts, name)
    requests = requests_after_a_change(b, one)[0] if one.setting else healthy_requests(b, one)
    for fault in b.examples(each_once(requests, b.world.device.legal_faults), **b.options_for(one.page_size, one.setting)):
        prepare(b, one)
        b.arm(fault)
        attempt = b.attempt(lambda: one.call(b, b.client(HOST).later))
        b.heal()
        if attempt.error is None:
            require_absent(b.client(HOST), b.uri(TARGET), f"{attempt.call.label} reported success")
            b.require_clean(f"{attempt.call.label} reported success")


@check(RULE, standard=lambda f: [] if f.real_time else names(f, SHARING), simulation=True)
def alone_beside_its_volume(b: Bench, name: str) -> None:
    """A delete of a snapshot or a clone that reports success in spite of a fault leaves as little as one without a fault."""
    one = scenario(b.facts, name)
    requests = healthy_requests(b, one)
    due = _kinds(b)
    for fault in b.examples(each_once(requests, b.world.device.legal_faults)):
        prepare(b, one)
        b.arm(fault)
        attempt = b.attempt(lambda: one.call(b, b.client(HOST).later))
        b.heal()
        if attempt.error is None:
            extra = _kinds(b) - due
            told = ", ".join(f"{count} {kind}" for kind, count in sorted(extra.items()))
            require(not extra, f"{attempt.call.label} reported success and left {told}, which it does not without a fault")


def _kinds(b: Bench) -> Counter[str]:
    """How much of what there is. Not how large: a driver may keep a number of its own as the size of something empty."""
    return Counter(entry.kind for entry in b.census())

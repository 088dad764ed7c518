"""C-RETRY under faults that came after the contract was frozen: devices name them apart, and no check tries them but these.

What a device may do has not changed, only what is known of it. The checks here count from the next version of the contract on.
"""

from __future__ import annotations

from storcert.conformance.bench import Bench
from storcert.conformance.coverage import Tried
from storcert.conformance.facts import Facts
from storcert.conformance.fault_space import single_faults
from storcert.conformance.operations import SMALL, healthy_requests, names, scenario
from storcert.conformance.registry import check
from storcert.conformance.trials import try_each
from storcert.conformance.violation import NotApplicable
from storcert.simulators.device import later_faults

RULE = "C-RETRY"
HEAD_ONLY = "head_only"
#: The ends of an upload in parts, beside what every operation does.
STRUCK = (*SMALL, "write-parts", "copy-parts", "delete-parts", "abort-parts")


def _with_bodies(facts: Facts) -> list[str]:
    return names(facts, STRUCK) if HEAD_ONLY in facts.later_faults and not facts.real_time else []


@check(RULE, standard=_with_bodies, simulation=True)
def answer_without_its_body(b: Bench, name: str) -> None:
    """The connection ends in good order before an answer's body: what was never said is not taken for nothing."""
    requests = healthy_requests(b, scenario(b.facts, name))
    kind = next(kind for kind in later_faults(b.world.device) if kind.name == HEAD_ONLY)
    faults = list(single_faults(requests, kind))
    if not faults:
        raise NotApplicable(f"{name} asks for nothing whose answer must have a body")
    try_each(b, name, [(fault,) for fault in faults], Tried(name, tuple(requests)))

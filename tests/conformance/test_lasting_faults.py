"""A driver that a device keeps from taking back what it sent, for as long as the device stays away, is not blamed for what is
left: faults that do so say it (``FaultKind.lasting``)."""

from __future__ import annotations

import pytest

from storcert.conformance.bench import HOST, Bench
from storcert.conformance.calibrate import calibrate
from storcert.conformance.devices import prepare
from storcert.conformance.driver_source import find_driver
from storcert.conformance.fault_space import single_faults
from storcert.conformance.operations import OUTAGES, healthy_requests, scenario
from storcert.conformance.subject import Subject
from storcert.harness.kernel.interpose import installed
from storcert.harness.record.fault import Phase
from storcert.harness.record.history import Status
from storcert.simulators.device import FaultKind

MINUTE_NS = 60 * 10**9


@pytest.mark.parametrize("driver", ["s3", "nfs", "rbd", "sheepdog"])
def test_a_fault_under_which_nothing_can_be_deleted_until_it_is_healed_says_so(driver: str) -> None:
    source = find_driver(driver)
    device = source.device or "object-store"
    prepare(device)
    with installed():
        one = Subject(driver, source.load(), device=device)
        facts = calibrate(one, 0)
        bench = Bench(one, facts, 1, "a-case")
        try:
            legal = [kind for kind in bench.world.device.legal_faults if kind.name not in ("crash", *OUTAGES)]
            held = {kind.name for kind in legal if Phase.BEFORE in kind.phases and _holds(bench, kind)}
        finally:
            bench.close()
    assert held == {kind.name for kind in legal if kind.lasting}


def _holds(b: Bench, kind: FaultKind) -> bool:
    """Whether whoever created an object under the fault, and whose connection stood before, cannot delete it for minutes."""
    creates = scenario(b.facts, "create-small")
    b.fresh()
    requests = healthy_requests(b, creates)
    for fault in single_faults(requests, kind, counts=(1,)):
        b.fresh()
        b.client(HOST).create(b.uri("before"), b.facts.fit(1))
        b.arm(fault)
        b.attempt(lambda: creates.call(b, b.client(HOST).later))
        if not b.world.device.fired:
            continue
        answers = []
        for _ in range(3):
            answers.append(b.attempt(lambda: b.client(HOST).later.delete(b.uri("before"))).status)
            b.world.advance(MINUTE_NS)
        if Status.OK not in answers:
            return True
    return False

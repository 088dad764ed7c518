"""Every capability and every limit is declared wrongly both ways by some mutant, and the audit says which way it is."""

from __future__ import annotations

from dataclasses import fields

import pytest

from storcert.conformance.audit import PROBES, audit
from storcert.conformance.registry import Level, cases_for
from storcert.conformance.runner import run_case
from storcert.conformance.schedule import fence
from storcert.harness.contract import Capabilities
from storcert.harness.record.run_record import Audit
from tests.mutants.kill import planted
from tests.mutants.mutant import Mutant, load

WRONG = [one for one in load() if one.audit]


def test_every_capability_is_declared_wrongly_both_ways() -> None:
    wanted = {f"{field.name} {word}" for field in fields(Capabilities) for word in (Audit.OVER_DECLARED, Audit.UNDER_DECLARED)}
    assert sorted(one.audit for one in WRONG) == sorted(wanted)


@pytest.mark.mutants
@pytest.mark.parametrize("mutant", WRONG, ids=lambda mutant: mutant.id)
def test_the_audit_says_which_way(mutant: Mutant) -> None:
    name, _, word = mutant.audit.partition(" ")
    prefixes = tuple(probe.prefix for probe in PROBES[name])
    with planted(mutant) as (subject, facts), fence("simulated"):
        cases = [case for case in cases_for(facts, Level.CORE) if case.id.startswith(prefixes)]
        results = [run_case(case, subject, facts, 0).result for case in cases]
        (found,) = (one for one in audit(facts.capabilities, results) if one.name == name)
    assert (str(found.audit), bool(found.reason)) == (word, True), found

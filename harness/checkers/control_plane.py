"""Judges the journal of a run of the control plane by every L- rule of the contract. Pure: events in, findings out."""

from __future__ import annotations

from collections.abc import Iterable

import storcert.harness.checkers.conduct_rules
import storcert.harness.checkers.outcome_rules  # noqa: F401  (each registers its rules)
from storcert.harness.checkers.facts import RULES, Broken, Finding, facts_of
from storcert.harness.record.event import Event

__all__ = ["Broken", "Finding", "judge"]


def judge(events: Iterable[Event], rules: Iterable[str] = ()) -> list[Finding]:
    """Every rule (or those named) over one journal, by id."""
    facts = facts_of(events)
    wanted = sorted(rules) or sorted(RULES)
    findings = []
    for identity in wanted:
        looked, broken = 0, []
        for one in RULES[identity](facts):
            looked += 1
            if one is not None:
                broken.append(Broken(identity, one[1], one[0]))
        findings.append(Finding(identity, looked, tuple(broken)))
    return findings

"""Judges what a control plane did by every L- rule of the contract, while it does it or from a stored journal: facts in,
findings out. A rule that found nothing to look at says so: no news is no success."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from storcert.harness.checkers.conduct_rules import CONDUCT
from storcert.harness.checkers.end_rules import AT_THE_END
from storcert.harness.checkers.facts import Broken, Fact, Finding, fact_of
from storcert.harness.checkers.known import Known
from storcert.harness.checkers.outcome_rules import OUTCOME
from storcert.harness.checkers.rule import Rule
from storcert.harness.checkers.single_maker import Single
from storcert.harness.checkers.transfer_rules import TRANSFERS
from storcert.harness.record.event import Event

__all__ = ["RULES", "SORTS", "Broken", "Fact", "Finding", "Judge", "judge"]

_ALL: tuple[type[Rule], ...] = (*OUTCOME, *AT_THE_END, *CONDUCT, Single, *TRANSFERS)
RULES: Mapping[str, tuple[type[Rule], ...]] = {
    name: tuple(one for one in _ALL if one.identity == name) for name in sorted({one.identity for one in _ALL})
}
"""By id. A rule may consist of parts that know nothing of each other."""
SORTS = frozenset((*Known().learning, *(sort for one in _ALL for sort in one.sorts), "end"))
"""The kinds of events that are facts to some rule."""


class Judge:
    """Every rule, or those named, over the facts of one run as they come. What it remembers is proportional to what is alive
    (objects, unfinished jobs, pins, commands under way), not to the length of the run.

    Raises ``ValueError`` for a rule there is not."""

    def __init__(self, rules: Iterable[str] = ()) -> None:
        wanted = sorted(rules) or sorted(RULES)
        unknown = [name for name in wanted if name not in RULES]
        if unknown:
            raise ValueError(f"there is no rule {unknown[0]!r}; there are {', '.join(sorted(RULES))}")
        known = Known()
        self._rules = [part(known) for name in wanted for part in RULES[name]]
        self._seeing: dict[str, tuple[Callable[[Fact], None], ...]] = {}
        for sort in sorted(SORTS):
            seeing: list[Callable[[Fact], None]] = [rule.see for rule in self._rules if sort in rule.sorts]
            if sort in known.learning:
                seeing.append(known.learning[sort])  # last: rules judge a fact by what was known before it
            self._seeing[sort] = tuple(seeing)

    def see(self, fact: Fact) -> None:
        """The next fact. Raises ``KeyError`` or ``ValueError`` for one that is none of the control plane's."""
        for see in self._seeing[fact.sort]:
            see(fact)
        if fact.sort == "end":
            for rule in self._rules:
                rule.conclude(fact)

    def findings(self) -> list[Finding]:
        """What every rule came to so far, by id; what can be told only at the end, as of the last ``end``."""
        found: dict[str, Finding] = {}
        for rule in self._rules:
            part = rule.finding()
            so_far = found.get(part.rule)
            found[part.rule] = part if so_far is None else Finding(
                part.rule, so_far.looked_at + part.looked_at, (*so_far.broken, *part.broken), so_far.more + part.more
            )
        return list(found.values())


def judge(events: Iterable[Event], rules: Iterable[str] = ()) -> list[Finding]:
    """Every rule (or those named) over one stored journal, by id."""
    judging = Judge(rules)
    for event in events:
        if event.kind in SORTS:
            judging.see(fact_of(event))
    return judging.findings()

"""What a run of a scenario came to, as values. Nothing runs here, and nothing here knows how runs are made."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from storcert.harness.checkers.facts import Broken, Finding
from storcert.harness.record.event import Event
from storcert.harness.record.trace import Trace
from storcert.harness.record.verdict import Verdict
from storcert.scenarios.format.scenario import Scenario

EXPECTED = "EXPECTED"
"""The rule that stands for what a scenario itself expects: how steps end, that faults strike, that defects are caught."""


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """One step: ``ending`` is ``done``, the name of an error, ``died`` (its server did), ``unended``, or ``left out`` (the
    device it was put on has no such thing). Times are virtual, since the run began."""

    name: str
    what: str
    begun_ns: int
    ended_ns: int
    ending: str
    text: str = ""


@dataclass(frozen=True, slots=True, order=True)
class OperationCount:
    """How often operations of a workload ended so."""

    workload: str
    operation: str
    ending: str
    count: int


@dataclass(frozen=True, slots=True)
class FaultOutcome:
    """A fault as it was armed, and how often it struck. ``armed_ns``: when, since the run began; -1: never. ``must_strike``: a
    run in which it did not has shown nothing."""

    place: str
    text: str
    armed_ns: int
    strikes: int
    must_strike: bool = True


@dataclass(frozen=True, slots=True)
class Played:
    """One run as it was: what every rule found, what became of steps, operations and faults. No verdict yet.

    ``unrest``: why it did not come to rest, or empty. ``failures``: what the program itself raised that is no error of the
    contract. ``events``: the journal, where it was to be kept. ``trace``: its spans, where they were asked for."""

    findings: tuple[Finding, ...]
    steps: tuple[StepOutcome, ...]
    operations: tuple[OperationCount, ...]
    faults: tuple[FaultOutcome, ...]
    left_out: tuple[str, ...]
    unrest: str
    failures: tuple[str, ...]
    digest: str
    lasted_ns: int
    events: tuple[Event, ...] = field(default=(), repr=False)
    trace: Trace | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """One rule: whether it held, what broke it, and how much there was to look at. ``more``: how often it was broken beyond
    what ``broken`` holds."""

    rule: str
    verdict: Verdict
    looked_at: int
    broken: tuple[Broken, ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """What a scenario came to with a seed. ``verdict``: ``pass`` where everything is as expected, ``fail`` where it is not,
    ``unknown`` where nothing could be decided. ``problems``: what is not as expected, beside broken rules. ``played``: the run
    without a defect (class negative: none). ``planted``: the run on the defect, where the scenario names one."""

    scenario: Scenario
    seed: int
    verdict: Verdict
    rules: tuple[RuleVerdict, ...]
    problems: tuple[str, ...]
    played: Played | None
    planted: Played | None = None

    @property
    def shown(self) -> Played:
        """The run to look at: the one without a defect where there is one."""
        found = self.played or self.planted
        assert found is not None
        return found

    @property
    def digest(self) -> str:
        """Of the run to look at."""
        return self.shown.digest

    def without_events(self) -> ScenarioResult:
        """The same without the journals, which are large."""

        def bare(played: Played | None) -> Any:
            return None if played is None else replace(played, events=())

        return replace(self, played=bare(self.played), planted=bare(self.planted))

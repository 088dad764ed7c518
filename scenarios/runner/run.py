"""A scenario, run and held against what it expects: :func:`run_scenario` is what everybody else calls."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal, TypeAlias

from storcert.harness.checkers.facts import Broken, Finding
from storcert.harness.record.verdict import Verdict
from storcert.scenarios.defects.defect import named
from storcert.scenarios.defects.planting import planted
from storcert.scenarios.format.scenario import PlantedDefect, Scenario
from storcert.scenarios.format.steps import Ended
from storcert.scenarios.result import EXPECTED, Played, RuleVerdict, ScenarioResult
from storcert.scenarios.runner.onlooker import Onlooker
from storcert.scenarios.runner.play import play
from storcert.scenarios.runner.resolve import resolve

Keep: TypeAlias = int | Literal["all"]


def run_scenario(
    scenario: Scenario, seed: int, until_ns: int | None = None, *, elsewhere: bool = False, keep: Keep = "all",
    traced: bool = False,
) -> ScenarioResult:
    """What the scenario comes to with that seed: without a defect, on its defect, or both, as its class says.

    ``until_ns``: stop so long after the beginning, and judge what has happened so far. ``elsewhere``: it runs on other devices
    than it was written for; those may lack what its steps need, so how steps end is not held against it, only rules are.
    ``keep``: so many of the last events are kept. ``traced``: and their spans.

    Raises :class:`UnknownDefect`, :class:`Drifted`, and ``ValueError`` for a fault or option a device does not have."""
    healthy = None if scenario.class_ == "negative" else play(scenario, seed, until_ns, keep, traced=traced)
    # A defect is planted for the run as it was written: half of it, or another device, may well not show it.
    as_written = until_ns is None and not elsewhere
    on_defect = None
    if scenario.defect is not None and (as_written or healthy is None):
        on_defect = play_planted(scenario, scenario.defect, seed, until_ns, keep, traced)
    problems: list[str] = []
    rules: tuple[RuleVerdict, ...] = ()
    if healthy is not None:
        rules = tuple(_rule(finding, scenario, until_ns is None) for finding in healthy.findings)
        problems += _problems(scenario, seed, healthy, as_written)
    if on_defect is not None and scenario.defect is not None:
        found = _as_planted(on_defect, scenario.defect, tuple(_problems(scenario, seed, on_defect, as_written)))
        if not as_written and found.verdict is not Verdict.PASS:
            found = replace(found, verdict=Verdict.UNKNOWN)
        if healthy is None:
            rules = (found,)
        if found.verdict is Verdict.FAIL:
            problems.append(f"defect {scenario.defect.id} survives: {found.broken[0].text}")
    return ScenarioResult(scenario, seed, _verdict(rules, problems), rules, tuple(problems), healthy, on_defect)


def play_planted(
    scenario: Scenario, defect: PlantedDefect, seed: int, until_ns: int | None, keep: Keep, traced: bool = False,
    onlooker: Onlooker | None = None,
) -> Played:
    """A run on a planted defect. Raises as :func:`run_scenario`."""
    with planted(named(defect.id)):
        again = importlib.import_module("storcert.scenarios.runner.play")
        found: Played = again.play(scenario, seed, until_ns, keep, traced=traced, onlooker=onlooker)
        return found


def _rule(finding: Finding, scenario: Scenario, whole: bool) -> RuleVerdict:
    wanted = not scenario.expect.rules or finding.rule in scenario.expect.rules
    broken = finding.broken
    if broken:
        verdict = Verdict.FAIL if wanted else Verdict.DISABLED
    elif finding.looked_at:
        verdict = Verdict.PASS if wanted else Verdict.DISABLED
    elif whole and finding.rule in scenario.expect.decided:
        verdict = Verdict.UNKNOWN
    else:
        verdict = Verdict.SKIPPED
    return RuleVerdict(finding.rule, verdict, finding.looked_at, broken, finding.more)


def _as_planted(played: Played, defect: PlantedDefect, problems: tuple[str, ...]) -> RuleVerdict:
    """``pass`` where the rule broke as it must. ``problems``: what is not as expected there, which is a rule of its own."""
    if defect.breaks == EXPECTED:
        looked_at, broken = len(played.steps) + len(played.faults), tuple(Broken(EXPECTED, text, 0) for text in problems)
    else:
        finding = next(one for one in played.findings if one.rule == defect.breaks)
        looked_at, broken = finding.looked_at, finding.broken
    as_said = tuple(one for one in broken if defect.says in one.text)
    if as_said:
        return RuleVerdict(defect.breaks, Verdict.PASS, looked_at, as_said)
    others = [one.rule for one in played.findings if one.broken]
    why = f"{defect.breaks} holds" if not broken else f"{defect.breaks} breaks in other words: {broken[0].text}"
    told = f"{why}; broken are: {', '.join(others) or 'none'}"
    return RuleVerdict(defect.breaks, Verdict.FAIL, looked_at, (Broken(defect.breaks, told, 0),))


def _problems(scenario: Scenario, seed: int, played: Played, whole: bool) -> Iterator[str]:
    """What is not as the scenario expects, beside rules."""
    fixed = resolve(scenario, seed)
    yield from played.failures
    if played.unrest:
        yield f"the region does not come to rest: {played.unrest}"
    if not whole:
        return
    steps = [*fixed.prepare, *fixed.step, *fixed.afterwards]
    for step, outcome in zip(steps, played.steps, strict=True):
        if outcome.ending == "left out":
            continue
        wanted = step.expect if isinstance(step, Ended) else ("done",)
        failed = outcome.ending not in ("done", "died", "unended")
        if "any" not in wanted and outcome.ending not in wanted and not (failed and "failed" in wanted):
            said = f": {outcome.text}" if outcome.text else ""
            yield f"step {outcome.name} ended {outcome.ending}{said}; expected: {' or '.join(wanted)}"
    for fault in played.faults:
        if fault.must_strike and not fault.strikes:
            yield f"the fault never struck: {fault.text} at {fault.place}"
    done = sum(one.count for one in played.operations if one.ending == "done")
    if done < scenario.expect.operations_done_min:
        yield f"{done} operations were done, at least {scenario.expect.operations_done_min} were expected"


def _verdict(rules: tuple[RuleVerdict, ...], problems: list[str]) -> Verdict:
    verdicts = {rule.verdict for rule in rules}
    if Verdict.FAIL in verdicts or problems:
        return Verdict.FAIL
    if Verdict.UNKNOWN in verdicts or Verdict.PASS not in verdicts:
        return Verdict.UNKNOWN
    return Verdict.PASS

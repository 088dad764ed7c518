"""The same failing program on the simulator and on a live target: does the real system agree?

The cases and sizes are those of the simulation, so that it is the same program; it runs in a process of its own, where no
simulated client library was ever loaded. A failure counts as reproduced where the same rule breaks there twice in a row.
"""

from __future__ import annotations

import multiprocessing
import re
import signal
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import storcert.conformance.requirements  # noqa: F401  (fills the registry)
from storcert.conformance.facts import Facts
from storcert.conformance.live_targets.session import started
from storcert.conformance.live_targets.targets import TARGETS, require_present, target
from storcert.conformance.options import CertifyOptions
from storcert.conformance.program import Program
from storcert.conformance.registry import Case, Level, cases_for
from storcert.conformance.runner import CaseOutcome, run_case
from storcert.conformance.schedule import Job
from storcert.conformance.swarms import found_by_search
from storcert.conformance.usage import InvalidUsage, one_line
from storcert.harness.record.live_answer import Agreement, LiveAnswer
from storcert.harness.record.verdict import Verdict

#: A delay that would really be waited for, at every request it strikes.
WAIT_MAX_NS = 10 * 10**9
_DELAY = re.compile(r"\b(?:slow|server_restart)\b[^,]*\bvalue=(\d+)")
REASON_MAX = 300
ASKED_PER_RULE = 3
NO_WAY = {"crash": "the driver runs in this process: it cannot die alone"}


@dataclass(frozen=True, slots=True)
class Failing:
    """A failure as a token says it, and the rule that broke in simulation."""

    case: str
    rule: str
    example: str | None = None
    program: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, outcome: CaseOutcome) -> Failing:
        """That of an outcome."""
        found = outcome.result
        return cls(found.id, found.rule, outcome.example or None, outcome.program)


class LiveTarget:
    """A live target that is asked about failures, one after the other."""

    def __init__(self, name: str, pool: ProcessPoolExecutor) -> None:
        self.name = name
        self._pool = pool

    def answer(self, failing: Failing) -> LiveAnswer:
        """What it says. Never raises for what a driver does there."""
        why_not = _beyond(failing, self.name)
        if why_not:
            return LiveAnswer(self.name, Agreement.NOT_SHOWN, why_not)
        answer, reason = self._pool.submit(_try, failing).result()
        return LiveAnswer(self.name, Agreement(answer), one_line(reason, REASON_MAX))


@contextmanager
def live_target(name: str, options: CertifyOptions, facts: Facts) -> Iterator[LiveTarget]:
    """The target, started for the driver of ``options``; ``facts``: of the simulation. Raises :class:`InvalidUsage`."""
    check(name, options.device)
    asked = replace(options, device=name, simulator={}, isolate=False, search_s=None)
    with started(name) as reached:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, context, _begin, (Job.of(asked, reached), facts)) as pool:
            yield LiveTarget(name, pool)


def agreed(outcomes: Sequence[CaseOutcome], options: CertifyOptions, facts: Facts) -> list[CaseOutcome]:
    """The outcomes of a simulated run; the first failures of each rule with what ``options.agree_with`` said to them."""
    asked: dict[str, int] = {}
    failed = [one for one in outcomes if one.result.verdict is Verdict.FAIL]
    if options.agree_with is None or not failed:
        return list(outcomes)
    told = []
    with live_target(options.agree_with, options, facts) as there:
        for outcome in outcomes:
            rule = outcome.result.rule
            if outcome.result.verdict is Verdict.FAIL and asked.setdefault(rule, 0) < ASKED_PER_RULE:
                asked[rule] += 1
                outcome = replace(outcome, live=there.answer(Failing.of(outcome)))
            told.append(outcome)
    return told


def check(name: str, device: str) -> None:
    """Raises :class:`InvalidUsage`: there is no such target, it is not installed, or it is another kind of device."""
    kind = target(name)
    if kind.like != device:
        raise InvalidUsage(f"{name} stands for device {kind.like}; this is about device {device}")
    require_present(kind)


def _not_shown(name: str) -> Mapping[str, str]:
    kind = TARGETS[name]
    return kind.load_way().NOT_SHOWN if kind.way else NO_WAY


def _beyond(failing: Failing, name: str) -> str:
    """Why no target can show this, from what was recorded alone."""
    if failing.rule == "C-NOFS":
        return "nothing watches the files of a live run"
    text = f"{failing.case.partition('[')[2]} {failing.example or ''}"
    if failing.program is not None:
        program = Program.from_json(failing.program)
        if program.concurrent:
            return "its tasks run at the same time; on a live device calls run one after the other"
        text = ", ".join(str(fault) for fault in program.faults)
    for kind, reason in _not_shown(name).items():
        if re.search(rf"\b{kind}\b", text):
            return f"{kind}: {reason}"
    waits = [int(found) for found in _DELAY.findall(text)]
    if waits and max(waits) > WAIT_MAX_NS:
        return f"it would wait for {max(waits) // 10**9} s of real time at every request"
    return ""


# In the process of the target

_asked: list[tuple[Job, Facts, dict[str, Case]]] = []


def _begin(job: Job, simulated: Facts) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    live = job.calibrate()
    facts = replace(simulated, mode="live", shows=live.shows, fixed_entries=live.fixed_entries)
    _asked[:] = [(job, facts, {case.id: case for case in cases_for(simulated, Level.DEEP)})]


def _try(failing: Failing) -> tuple[str, str]:
    """The answer, and what there is to say about it."""
    job, facts, cases = _asked[0]
    case = cases.get(failing.case) or found_by_search(failing.case)
    if case is None:
        return Agreement.NOT_SHOWN, "the check is none of this driver's"
    program = Program.from_json(failing.program) if failing.program is not None else None
    subject = job.subject()
    told = ""
    for _ in range(2):
        outcome = run_case(case, subject, facts, job.options.seed, wanted=failing.example, program=program)
        verdict, rule = outcome.result.verdict, outcome.result.rule
        if (verdict, rule) == (Verdict.FAIL, failing.rule):
            told = outcome.message
            continue
        if verdict is Verdict.FAIL:
            return Agreement.NOT_REPRODUCED, f"there {rule} breaks: {outcome.message}"
        if verdict is Verdict.PASS:
            return Agreement.NOT_REPRODUCED, "it holds there"
        return Agreement.NOT_SHOWN, outcome.result.reason or outcome.message
    return Agreement.REPRODUCED, told

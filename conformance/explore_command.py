"""``storcert explore``: looks for failures around a scenario, makes each as small as it can, writes them as scenarios and
tests. Words and help stand in ``cli``."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import storcert
from storcert.conformance import commands, secrets
from storcert.conformance.explore_findings import Finding, blame_all, discoveries, shrink_all, write_matrix
from storcert.conformance.explore_options import ExploreOptions
from storcert.conformance.explore_progress import ExploreProgress
from storcert.conformance.explore_record import record_of
from storcert.conformance.live_view import LiveView
from storcert.conformance.options import Outputs
from storcert.conformance.usage import InvalidUsage
from storcert.scenarios.explore.diary import Diary, OtherExploration
from storcert.scenarios.explore.lines import can_watch
from storcert.scenarios.explore.loosen import loosened
from storcert.scenarios.explore.outcome import Outcome
from storcert.scenarios.explore.plan import Counted, Drawn, Plan
from storcert.scenarios.explore.run import Survey, Surveyed
from storcert.scenarios.explore.search import Search, Searched
from storcert.scenarios.explore.space import Space
from storcert.scenarios.explore.swarm import Swarm
from storcert.scenarios.explore.trial import Trial
from storcert.scenarios.format.scenario import Scenario
from storcert.scenarios.pool.child import TaskFailed
from storcert.scenarios.pool.pool import OwnProcess, Pool, PoolLost, WorkerLost
from storcert.scenarios.pool.processes import Processes
from storcert.scenarios.pool.session import Setup
from storcert.scenarios.runner.resolve import resolve


@dataclass(slots=True)
class _Explored:
    """What there is so far; an interrupt may come at any moment."""

    searched: Searched | None = None
    space: Space | None = None
    findings: list[Finding] = field(default_factory=list)
    reason: str = ""
    interrupted: bool = False


def explore(options: ExploreOptions, outputs: Outputs, *, watch: bool = False) -> int:
    """Search, shrink, print, write; the exit code is the record's. ``watch``: serve the report while it grows."""
    setup = Setup(options.defect, guided=can_watch() and not options.exhaustive)
    started, clock = datetime.now(UTC).isoformat(timespec="seconds"), time.monotonic()
    explored = _Explored()
    with LiveView(watch) as view, ExploreProgress() as progress:
        try:
            _explore(options, outputs, setup, progress, explored, view)
        except KeyboardInterrupt:
            explored.interrupted = True
        except PoolLost as error:
            explored.reason = str(error)
    found = tuple(discoveries(explored.findings, options, outputs.out))
    record = record_of(
        options, explored.searched, explored.space, found, out=outputs.out, guided=setup.guided, reason=explored.reason,
        interrupted=explored.interrupted, started=started, wall_time_s=time.monotonic() - clock)
    if outputs.out is not None and record.exploration is not None:
        write_matrix(outputs.out, record.exploration)
    return commands.deliver(record, outputs)


def _explore(
    options: ExploreOptions, outputs: Outputs, setup: Setup, progress: ExploreProgress, explored: _Explored, view: LiveView,
) -> None:
    with ExitStack() as stack:
        diary = stack.enter_context(_diary(options, outputs, setup))
        pool = _pool(options, setup)
        stack.callback(pool.close)
        base = Trial(loosened(resolve(options.scenario, options.seed)), options.seed)
        terrain = _survey(pool, options, base.scenario).terrain
        space = explored.space = Space(base.scenario, options.seed, terrain)
        plan: Plan
        if options.exhaustive:
            plan = Counted(space, base)
        else:
            plan = Drawn(Swarm(loosened(options.scenario), terrain, options.seed), base, guided=setup.guided)
        guided = (
            "new lines lead the search" if setup.guided
            else "every one is run" if options.exhaustive
            else "new lines do not lead the search: this Python is older than 3.12"
        )
        total = min((limit for limit in (plan.size, options.runs) if limit is not None), default=None)
        progress.started(total, len(space.cells), len(space), len(diary.done), guided)
        deadline_s = None if options.budget_s is None else time.monotonic() + options.budget_s

        def told(outcome: Outcome) -> None:
            progress.told(outcome)
            if view.due():
                so_far = record_of(
                    options, Searched(outcome, total, 0, False), space, (), guided=setup.guided, reason="the search goes on")
                view.shows(lambda: so_far)

        search = Search(plan, pool, diary, options.runs, deadline_s, told)
        explored.searched = search.run()
        explored.interrupted, explored.reason = explored.searched.interrupted, explored.searched.lost
        found = explored.searched.outcome.found
        explored.findings = [Finding(one, None, "as it was found: the search did not end by itself") for one in found]
        if explored.interrupted or explored.reason or not found:
            return
        progress.say(f"{len(found)} findings are made smaller")

        def ended(place: int, finding: Finding) -> None:
            explored.findings[place] = finding
            if finding.shrunk is not None:
                progress.say(f"finding {place + 1}: made smaller in {finding.shrunk.runs} runs")

        shrink_all(found, options, pool, diary, ended)
        progress.say("whose they are is asked")
        explored.findings = blame_all(explored.findings, pool)


def _diary(options: ExploreOptions, outputs: Outputs, setup: Setup) -> Diary:
    head: dict[str, Any] = {
        "storcert": str(storcert.__version__), "scenario": options.scenario.digest(), "seed": options.seed,
        "exhaustive": options.exhaustive, "defect": options.defect.id if options.defect is not None else "",
        "guided": ".".join(map(str, sys.version_info[:2])) if setup.guided else "",
    }
    try:
        return Diary(outputs.out, head, secrets.scrubbed_json)
    except OtherExploration as error:
        raise InvalidUsage(str(error)) from None


def _pool(options: ExploreOptions, setup: Setup) -> Pool:
    if options.scheduler:
        try:
            from storcert.scenarios.pool.cluster import Cluster
        except ImportError as error:
            raise InvalidUsage(f"--scheduler needs Dask: pip install 'storcert[dask]' ({error})") from None
        try:
            return Cluster(setup, options.scheduler)
        except PoolLost as error:
            raise InvalidUsage(f"--scheduler {options.scheduler}: {error}") from None
    return Processes(setup, options.workers) if options.workers > 1 else OwnProcess(setup)


def _survey(pool: Pool, options: ExploreOptions, scenario: Scenario) -> Surveyed:
    try:
        found: Surveyed = pool.submit(Survey(scenario, options.seed)).result()
    except (ValueError, TaskFailed, WorkerLost) as error:
        raise InvalidUsage(f"scenario {options.scenario.name}: cannot be run: {error}") from None
    return found

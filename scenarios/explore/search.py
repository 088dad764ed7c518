"""Runs the trials of a plan on a pool, keeps a diary, and puts together what they come to. The same numbers come to the same,
whoever runs them; how many there are is decided by a limit, a deadline or an interrupt."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field

from storcert.harness.record.verdict import Verdict
from storcert.scenarios.explore.diary import Diary
from storcert.scenarios.explore.outcome import Outcome
from storcert.scenarios.explore.plan import Plan
from storcert.scenarios.explore.run import RunTrial
from storcert.scenarios.explore.trial import Trial, TrialResult
from storcert.scenarios.pool.child import TaskFailed
from storcert.scenarios.pool.pool import OwnProcess, Pool, PoolLost, WorkerLost

GRACE_S = 60.0
"""After the deadline trials under way have so long to end."""
_LOOK_S = 0.5


@dataclass(frozen=True, slots=True)
class Searched:
    """``planned``: how many trials were to be run; ``None``: as many as there is time for. ``resumed``: of an earlier call.
    ``lost``: why nobody was left to run the rest, or empty."""

    outcome: Outcome
    planned: int | None
    resumed: int
    interrupted: bool
    lost: str = ""


@dataclass(slots=True)
class Search:
    """``trials_max``: no trial of that number or a higher one. ``deadline_s``: by ``clock``, no trial begins after it. ``told``
    is called whenever something has ended."""

    plan: Plan
    pool: Pool
    diary: Diary
    trials_max: int | None = None
    deadline_s: float | None = None
    told: Callable[[Outcome], None] = lambda _: None
    clock: Callable[[], float] = time.monotonic
    outcome: Outcome = field(default_factory=Outcome)
    _next: int = 0
    _merged: int = 0
    _resumed: int = 0
    _open: dict[int, Trial] = field(default_factory=dict)
    _ended: dict[int, TrialResult] = field(default_factory=dict)
    _waiting: dict[Future[TrialResult], int] = field(default_factory=dict)

    def run(self) -> Searched:
        """Until there is nothing more to do, or no time. An interrupt ends it, and what is there counts."""
        limits = [limit for limit in (self.plan.size, self.trials_max) if limit is not None]
        limit = min(limits) if limits else None
        interrupted, lost = False, ""
        try:
            self._run(limit)
        except PoolLost as error:
            lost = str(error)
        except KeyboardInterrupt:
            interrupted = True
            for future in [one for one in self._waiting if one.done() and not one.cancelled()]:
                self._take(future)
            self._merge()
        for number in sorted(self._ended):  # beyond a gap that nobody filled
            self.outcome.add(number, self._open[number], self._ended[number])
        return Searched(self.outcome, limit, self._resumed, interrupted, lost)

    def _run(self, limit: int | None) -> None:
        while True:
            self._submit(limit)
            if not self._waiting:
                return
            late = self._late()
            if late and self.deadline_s is not None and self.clock() > self.deadline_s + GRACE_S:
                return
            ended, _ = wait(self._waiting, _LOOK_S, FIRST_COMPLETED)
            for future in ended:
                self._take(future)
            self._merge()
            self.told(self.outcome)

    def _late(self) -> bool:
        return self.deadline_s is not None and self.clock() >= self.deadline_s

    def _submit(self, limit: int | None) -> None:
        """As many as the pool can do, and as many again, so that nobody waits for us."""
        room = 1 if isinstance(self.pool, OwnProcess) else 2 * max(1, self.pool.workers)
        while (limit is None or self._next < limit) and self.plan.ready(self._next, self.outcome):
            known = self.diary.done.get(self._next)
            if known is None and (len(self._waiting) >= room or self._late()):
                return
            number, self._next = self._next, self._next + 1
            trial = self._open[number] = self.plan.trial(number, self.outcome)
            if known is None:
                self._waiting[self.pool.submit(RunTrial(trial))] = number
            else:
                self._resumed += 1
                self._ended[number] = known
                self._merge()

    def _take(self, future: Future[TrialResult]) -> None:
        number = self._waiting.pop(future)
        try:
            result = future.result()
        except (WorkerLost, TaskFailed) as error:
            result = TrialResult(Verdict.ERROR, error=f"{type(error).__name__}: {error}")
        self._ended[number] = result
        self.diary.keep(number, result)

    def _merge(self) -> None:
        while self._merged in self._ended:
            number = self._merged
            self.outcome.add(number, self._open.pop(number), self._ended.pop(number))
            self._merged += 1

"""The search: numbers decide, not who runs them or when; what is done is done; deadlines and interrupts leave what is there."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from storcert.harness.record.verdict import Verdict
from storcert.scenarios.explore.diary import NAME, Diary, OtherExploration
from storcert.scenarios.explore.loosen import loosened
from storcert.scenarios.explore.outcome import Outcome
from storcert.scenarios.explore.plan import BLOCK, Drawn
from storcert.scenarios.explore.search import Search, Searched
from storcert.scenarios.explore.swarm import Swarm
from storcert.scenarios.explore.trial import Break, Cell, Trial, TrialResult
from storcert.scenarios.pool.pool import PoolLost, WorkerLost
from tests.scenarios.explore.worlds import ONE_DEVICE, SMALL

HEAD = {"seed": 1}
CELL = Cell("vols", "WRITE", "slow", "before")


def result_of(trial: Trial) -> TrialResult:
    """Made up, and decided by the trial alone: every seventh breaks a rule, some reach lines of their own."""
    broken = (Break("L-ONCE", f"key {trial.seed % 2}", f"text {trial.seed}"),) if trial.seed % 7 == 0 else ()
    verdict = Verdict.FAIL if broken else Verdict.PASS
    lines = (("logical/work.py", 1 << trial.seed % 300),)
    return TrialResult(verdict, broken, ((CELL, trial.seed % 2),), ("L-ONCE",), 2, trial.seed, f"digest {trial.seed}", lines)


class Late:
    """A pool of ``workers`` that ends tasks in an order of its own. ``stop_after``: then comes an interrupt."""

    def __init__(self, workers: int, stop_after: int = 1 << 30) -> None:
        self.workers = workers
        self.stop_after = stop_after
        self.done = 0
        self.held: list[tuple[Future[Any], Any]] = []

    def submit(self, task: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.held.append((future, task))
        if len(self.held) >= self.workers:
            self.release()
        return future

    def release(self) -> None:
        while self.held:
            future, task = self.held.pop()  # the last comes first
            self.done += 1
            if self.done > self.stop_after:
                raise KeyboardInterrupt
            future.set_result(result_of(task.trial))

    def close(self) -> None:
        pass


def plan(guided: bool = False) -> Drawn:
    base = loosened(SMALL)
    return Drawn(Swarm(base, ONE_DEVICE, 1), Trial(base, 1), guided=guided)


def searched(pool: Late, runs: int, folder: Path | None = None, guided: bool = False, **more: Any) -> Searched:
    with Diary(folder, HEAD) as diary:
        return Search(plan(guided), pool, diary, runs, told=lambda _: pool.release(), **more).run()


def told(outcome: Outcome) -> Any:
    return (
        outcome.trials, outcome.operations, outcome.found, outcome.cells(), outcome.lines, outcome.parents, outcome.verdicts,
        outcome.rules)


@pytest.mark.parametrize("guided", [False, True])
def test_the_number_of_workers_changes_nothing(guided: bool) -> None:
    runs = 3 * BLOCK + 10
    one = searched(Late(1), runs, guided=guided).outcome
    assert one.trials == runs and len(one.found) == 2 and one.cells_reached == 1
    for workers in (2, 5):
        assert told(searched(Late(workers), runs, guided=guided).outcome) == told(one)


def test_new_lines_lead_the_search() -> None:
    guided, free = (searched(Late(2), 4 * BLOCK, guided=guided).outcome for guided in (True, False))
    assert len(guided.parents) > 10 and told(guided) != told(free)


def test_an_interrupted_search_goes_on_where_it_was(tmp_path: Path) -> None:
    whole = searched(Late(3), 60).outcome
    first = searched(Late(3, stop_after=20), 60, tmp_path)
    assert first.interrupted and 0 < first.outcome.trials <= 20
    pool = Late(3)
    second = searched(pool, 60, tmp_path)
    # What ended in the very moment of the interrupt may be lost.
    assert 18 <= second.resumed <= 20 and pool.done == 60 - second.resumed and not second.interrupted
    assert told(second.outcome) == told(whole)


def test_a_line_that_was_being_written_is_none(tmp_path: Path) -> None:
    searched(Late(2), 10, tmp_path)
    path = tmp_path / NAME
    path.write_bytes(path.read_bytes()[:-20])
    pool = Late(2)
    assert searched(pool, 10, tmp_path).resumed == 9 and pool.done == 1


def test_another_exploration_is_refused(tmp_path: Path) -> None:
    searched(Late(2), 3, tmp_path)
    with pytest.raises(OtherExploration, match="holds another exploration"):
        Diary(tmp_path, {"seed": 2})
    (tmp_path / NAME).write_text("no exploration\n", encoding="utf-8")
    with pytest.raises(OtherExploration, match="remove that file"):
        Diary(tmp_path, HEAD)


def test_what_is_made_smaller_is_remembered(tmp_path: Path) -> None:
    with Diary(tmp_path, HEAD) as diary:
        diary.keep_shrunk(7, "L-ONCE", "key", {"runs": 3})
    with Diary(tmp_path, HEAD) as diary:
        assert diary.shrunk == {(7, "L-ONCE", "key"): {"runs": 3}}


def test_no_trial_begins_after_the_deadline() -> None:
    now = iter(range(1_000))
    found = searched(Late(1), 500, deadline_s=20.0, clock=lambda: float(next(now)))
    assert 0 < found.outcome.trials < 30 and not found.interrupted


def test_a_task_that_kills_its_workers_is_told_and_the_others_go_on() -> None:
    class Deadly(Late):
        def submit(self, task: Any) -> Future[Any]:
            future: Future[Any] = Future()
            if self.done == 3:
                future.set_exception(WorkerLost("it died"))
            else:
                future.set_result(result_of(task.trial))
            self.done += 1
            return future

    found = searched(Deadly(1), 10).outcome
    assert found.trials == 10 and dict(found.errors) == {"WorkerLost: it died": 1}


def test_results_survive_the_diary() -> None:
    result = TrialResult(Verdict.ERROR, (Break("L-ONCE", "k", "t", 5),), ((CELL, 2),), ("L-ONCE",), 3, 4, "d", (("f", 6),), "e")
    assert TrialResult.from_json(result.to_json()) == result


def test_where_nobody_is_left_to_run_the_rest_what_is_there_counts() -> None:
    class Lost(Late):
        def release(self) -> None:
            while self.held:
                future, task = self.held.pop()
                self.done += 1
                if self.done > 4:
                    future.set_exception(PoolLost("the scheduler is gone"))
                else:
                    future.set_result(result_of(task.trial))

    found = searched(Lost(1), 10)
    assert found.outcome.trials == 4 and found.lost == "the scheduler is gone" and not found.interrupted

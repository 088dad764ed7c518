"""Pools: tasks come back done, whatever they print, raise or kill; the same from every kind of pool."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from storcert.harness.record.verdict import Verdict
from storcert.scenarios.explore.loosen import loosened
from storcert.scenarios.explore.run import RunTrial, Survey
from storcert.scenarios.explore.trial import Trial
from storcert.scenarios.pool.child import TaskFailed
from storcert.scenarios.pool.pool import OwnProcess, WorkerLost
from storcert.scenarios.pool.processes import LIVES, Processes
from storcert.scenarios.pool.session import Setup
from tests.scenarios.explore.two_faults import FAILING, SCENARIO, TWO_FAULTS
from tests.scenarios.explore.worlds import SMALL
from tests.scenarios.pool.tasks import Dies, Double, Raises


@pytest.fixture
def pool() -> Iterator[Processes]:
    made = Processes(Setup(), 2)
    yield made
    made.close()


def test_tasks_are_done_in_other_processes(pool: Processes) -> None:
    futures = [pool.submit(Double(number)) for number in range(6)]
    found = [future.result(60) for future in futures]
    assert [twice for twice, _ in found] == [0, 2, 4, 6, 8, 10]
    assert os.getpid() not in {pid for _, pid in found} and len({pid for _, pid in found}) <= 2
    with pytest.raises(TaskFailed, match="ValueError: not with me"):
        pool.submit(Raises()).result(60)


def test_a_lost_worker_costs_nothing_but_time(pool: Processes, tmp_path: Path) -> None:
    lives = tmp_path / "lives"
    lives.write_text("1", encoding="utf-8")
    assert pool.submit(Dies(str(lives))).result(60) == "alive"
    lives.write_text(str(LIVES), encoding="utf-8")
    with pytest.raises(WorkerLost, match=f"{LIVES} times"):
        pool.submit(Dies(str(lives))).result(60)
    assert pool.submit(Double(4)).result(60)[0] == 8


def test_a_closed_pool_leaves_no_process() -> None:
    pool = Processes(Setup(), 1)
    _, pid = pool.submit(Double(1)).result(60)
    assert pool.pids() == [pid]
    pool.close()
    assert pool.pids() == [] and not Path(f"/proc/{pid}").exists()


def test_a_run_is_the_same_run_in_every_pool(pool: Processes) -> None:
    task = RunTrial(Trial(loosened(SMALL), 3))
    here = OwnProcess(Setup())
    one = here.submit(task).result()
    here.close()
    assert one.verdict is Verdict.PASS and pool.submit(task).result(60) == one
    with pytest.raises(ValueError, match="nothing"):
        here.submit(_Nothing()).result()
    here.close()


class _Nothing:
    def do(self, watch: object) -> None:
        raise ValueError("nothing")


def test_a_defect_is_planted_for_the_session_and_gone_afterwards() -> None:
    trial = RunTrial(Trial(loosened(FAILING), 1))
    pool = OwnProcess(Setup(TWO_FAULTS))
    found = pool.submit(trial).result()
    assert [one.rule for one in found.breaks] == ["L-SOURCE"]
    assert all(place in pool.submit(Survey(SCENARIO, 1)).result().terrain.requests for place in ("catalogue", "vols", "fast"))
    pool.close()
    pool = OwnProcess(Setup())
    assert pool.submit(trial).result().verdict is Verdict.PASS
    pool.close()

"""A Dask cluster on this machine: the same runs come to the same, and a worker that is lost costs nothing but time."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storcert.conformance import explore_command
from storcert.conformance.cli import run
from storcert.scenarios.pool.child import TaskFailed
from storcert.scenarios.pool.pool import PoolLost
from storcert.scenarios.pool.session import Setup
from tests.scenarios.pool.tasks import Double, Raises

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.slow
SMALL = """\
title = "One volume"
zone = [{ name = "z1" }]
device = [{ name = "vols", kind = "nfs" }]
step = [{ do = "create", object = "volume/a", size = "4 KiB", device = "vols" }]
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as made:
        yield made


def _digest(arguments: list[str], tmp_path: Path) -> str:
    path = tmp_path / "run.json"
    assert run(["explore", *arguments, "--json", str(path)]) == 0
    return str(json.loads(path.read_text(encoding="utf-8"))["digest"])


def test_tasks_are_done_by_the_cluster(cluster: Any) -> None:
    from storcert.scenarios.pool.cluster import Cluster

    pool = Cluster(Setup(), cluster.scheduler_address)
    try:
        assert pool.workers == 2
        found = [pool.submit(Double(number)).result(60) for number in range(4)]
        assert [twice for twice, _ in found] == [0, 2, 4, 6]
        with pytest.raises(TaskFailed, match="not with me"):
            pool.submit(Raises()).result(60)
    finally:
        pool.close()


def test_who_ran_it_does_not_show_and_a_lost_worker_neither(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = tmp_path / "small.toml"
    scenario.write_text(SMALL, encoding="utf-8")
    alone = _digest([str(scenario), "--runs", "30"], tmp_path)
    killed: list[int] = []
    told = explore_command.ExploreProgress.told

    def kill_one(progress: Any, outcome: Any) -> None:
        told(progress, outcome)
        if outcome.trials >= 5 and not killed:
            killed.append(next(iter(cluster.workers.values())).pid)
            os.kill(killed[0], signal.SIGKILL)

    monkeypatch.setattr(explore_command.ExploreProgress, "told", kill_one)
    assert _digest([str(scenario), "--runs", "30", "--scheduler", cluster.scheduler_address], tmp_path) == alone
    assert killed


def test_an_address_where_nobody_is_and_a_cluster_without_workers_are_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from storcert.scenarios.pool.cluster import Cluster

    scenario = tmp_path / "small.toml"
    scenario.write_text(SMALL, encoding="utf-8")
    assert run(["explore", str(scenario), "--runs", "1", "--scheduler", "tcp://127.0.0.1:9"]) == 4
    assert "no Dask scheduler at tcp://127.0.0.1:9" in capsys.readouterr().err
    with distributed.LocalCluster(n_workers=0, dashboard_address=":0") as empty, pytest.raises(PoolLost, match="no worker"):
        Cluster(Setup(), empty.scheduler_address)

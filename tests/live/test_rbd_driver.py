"""The bundled RBD driver on a real Ceph cluster: certified, killed in the middle of everything, and left without an answer.

The driver runs in processes of its own: the tests' process may have the simulated client library.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storcert.conformance.live_targets.ceph import Ceph
from tests.live.ceph_binding import ROOT, environment, require_modules

pytestmark = [pytest.mark.live, pytest.mark.timeout(3600)]
KILLS = int(os.environ.get("STORCERT_LIVE_KILLS", "6"))
#: Calls that are left without an answer; each takes minutes, so by default the one that says most.
FROZEN = os.environ.get("STORCERT_LIVE_FROZEN", "write").split()
V, C, BASE, S, BASE_S = "/volume/1/v", "/volume/1/c", "/volume/1/base", "/snapshot/1/s", "/snapshot/1/base"
ALL = (V, C, BASE, S, BASE_S)
#: What is done, and how many seconds it takes at most: a kill is drawn from that.
CALLS: dict[str, tuple[tuple[str, ...], float]] = {
    "create": ((V,), 0.008), "write": ((V,), 0.06), "copy": ((BASE, V), 0.06), "take_snapshot": ((BASE, S), 0.03),
    "clone": ((BASE_S, V), 0.02), "delete": ((C,), 0.04),
}  # fmt: skip
KEPT = {"rbd_directory", "rbd_info", "rbd_trash", "rbd_children", "storcert.directory"}


@pytest.fixture(scope="module")
def cluster(ceph: Ceph) -> Iterator[Ceph]:
    require_modules(ceph)
    ceph.command("osd", "pool", "create", "storcert", "8")
    yield ceph


def begin(cluster: Ceph, verb: str, *uris: str) -> subprocess.Popen[str]:
    """A process that is about to make the call."""
    command = [sys.executable, "-m", "tests.live.rbd_driver_process", str(cluster.conf), verb, *uris]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment(cluster), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def call(cluster: Ceph, verb: str, *uris: str) -> str:
    """How the call ended."""
    process = begin(cluster, verb, *uris)
    said, _ = process.communicate("\n")
    return said.strip()


def left(cluster: Ceph, limit_s: float = 20.0) -> list[str]:
    """What is still in the pool when the cluster has trimmed what only removed snapshots had: until then that is listed."""
    ends_s = time.monotonic() + limit_s
    while (found := objects(cluster)) and time.monotonic() < ends_s:
        time.sleep(0.2)
    return found


def objects(cluster: Ceph) -> list[str]:
    """Every object in the pool but those that always stay, and the keys of the directory."""
    rados = ["rados", "-c", str(cluster.conf), "-p", "storcert"]
    names = subprocess.run([*rados, "ls"], check=True, capture_output=True, text=True).stdout.split()
    keys = subprocess.run([*rados, "listomapkeys", "storcert.directory"], capture_output=True, text=True).stdout.split()
    trash = subprocess.run([*rados, "listomapkeys", "rbd_trash"], capture_output=True, text=True).stdout.split()
    return sorted([name for name in names if name not in KEPT] + keys + trash)


def test_certified(cluster: Ceph, tmp_path: Path) -> None:
    config = tmp_path / "rbd.toml"
    config.write_text(
        f'[configuration]\nconf = "{cluster.conf}"\nuser = "admin"\npool = "storcert"\n', encoding="utf-8"
    )
    record = tmp_path / "run.json"
    arguments = [
        "certify", "rbd", "--device", "live", "--profile", "core", "--config", str(config), "--json", str(record),
    ]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "tests.live.rbd_certified", *arguments], cwd=ROOT, env=environment(cluster),
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    run: dict[str, Any] = json.loads(record.read_text(encoding="utf-8"))
    assert run["verdict"] == "conformant"
    passed = {rule["id"] for rule in run["rules"] if rule["verdict"] == "pass"}
    assert {"C-SNAP", "C-REVERT", "C-CLONE", "C-DEPEND", "C-VOLUME", "C-COPY", "C-COMMIT"} <= passed
    assert left(cluster) == []


def test_killed_at_any_moment_of_anything_deletes_clear_it(cluster: Ceph) -> None:
    draw = random.Random(7)
    for _ in range(KILLS):
        for verb, uris in (("create", (BASE,)), ("take_snapshot", (BASE, BASE_S)), ("clone", (BASE_S, C))):
            assert call(cluster, verb, *uris) == "ok"
        verb = draw.choice(sorted(CALLS))
        uris, seconds = CALLS[verb]
        moment_s = draw.random() * seconds
        process = begin(cluster, verb, *uris)
        go(process)
        time.sleep(moment_s)  # the one thing to be waited for is the moment of the kill
        process.kill()
        process.communicate()
        for uri in draw.sample(ALL, len(ALL)):
            assert call(cluster, "delete", uri) == "ok", (verb, moment_s, uri)
        assert left(cluster) == [], (verb, moment_s)


@pytest.mark.parametrize("verb", FROZEN)
def test_without_an_answer_every_call_ends_and_says_so(cluster: Ceph, verb: str) -> None:
    for one, uris in (("create", (BASE,)), ("take_snapshot", (BASE, BASE_S)), ("clone", (BASE_S, C))):
        assert call(cluster, one, *uris) == "ok"
    process = begin(cluster, verb, *CALLS[verb][0])
    cluster.freeze("osd0")
    try:
        begun = time.monotonic()
        go(process)
        said, _ = process.communicate(timeout=900)
        assert said.startswith("DeviceUnavailable"), said
        assert time.monotonic() - begun < 900
    finally:
        cluster.thaw("osd0")
    for uri in ALL:
        assert call(cluster, "delete", uri) == "ok"
    assert left(cluster) == []

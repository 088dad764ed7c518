"""The control plane in real time on a real small Ceph cluster: volumes on RBD, images on its RADOS gateway, agents killed in
the middle, a virtual machine writing, and at the end neither bytes nor records left.

All that touches Ceph are the agents, processes of their own that have the distribution's bindings; this one has none.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from storcert.conformance.live_targets.ceph import ACCESS_KEY, SECRET_KEY, Ceph
from tests.harness.service.processes import Process, ask, until, web
from tests.live.ceph_binding import environment, require_modules

MIB = 1 << 20
BYTES = hashlib.shake_128(b"image").digest(96 * MIB)
DIGEST = f"sha256:{hashlib.sha256(BYTES).hexdigest()}"
POOL, BUCKET = "zone", "zone-images"
PATIENCE_S = 180.0
pytestmark = [pytest.mark.live, pytest.mark.timeout(1800)]


class World:
    """A zone: a storage VM, a host, two management servers' names, RBD and the gateway of one cluster."""

    def __init__(self, folder: Path, cluster: Ceph) -> None:
        (folder / "web").mkdir()
        (folder / "web" / "image.raw").write_bytes(BYTES)
        self.folder, self.cluster = folder, cluster
        self.web = web(folder / "web")
        self.store = boto3.client(
            "s3", endpoint_url=cluster.endpoint_url, region_name="us-east-1", aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
        )
        self.store.create_bucket(Bucket=BUCKET)
        self.environ = {
            **environment(cluster), "AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
        self.ssvm = self.agent("ssvm-1")
        self.host = self.agent("host-1")
        self.file = folder / "zone.toml"
        self.file.write_text(self.said(), encoding="utf-8")
        words = ("--config", str(self.file), "--name", "ms-1", "--reconcile", "1")
        self.management = Process("storcert.harness.service.management", *words)

    def agent(self, name: str) -> Process:
        """An agent that reaches the cluster."""
        return Process("storcert.harness.service.agent", "--name", name, environ=self.environ)

    def said(self) -> str:
        """The zone as TOML."""
        return f'''
catalogue = {json.dumps(str(self.folder / "catalogue.sqlite"))}
[[location]]
name = "ms-1"
kind = "management"
[[location]]
name = "ssvm-1"
kind = "storage-vm"
zone = "z1"
agent = "http://127.0.0.1:{self.ssvm.port}"
[[location]]
name = "host-1"
kind = "host"
zone = "z1"
cluster = "c1"
agent = "http://127.0.0.1:{self.host.port}"
[[device]]
name = "images"
driver = "s3"
capacity_bytes = 1099511627776
configuration = {{ endpoint_url = "{self.cluster.endpoint_url}", bucket = "{BUCKET}", region_name = "us-east-1" }}
policy = {{ role = "image", scope = "zone", scope_id = "z1", verify_digest = true }}
[[device]]
name = "volumes"
driver = "rbd"
capacity_bytes = 1099511627776
configuration = {{ conf = {json.dumps(str(self.cluster.conf))}, pool = "{POOL}" }}
policy = {{ role = "primary", scope = "zone", scope_id = "z1" }}
'''

    def ask(self, method: str, **arguments: Any) -> Any:
        """A call that is to succeed."""
        answer = ask(self.management, method, PATIENCE_S, **arguments)
        assert isinstance(answer, dict) and answer.get("error") is None and "wrong" not in answer, (method, answer)
        return answer

    def begin(self, results: list[Any], method: str, **arguments: Any) -> threading.Thread:
        """A call beside this one."""
        body = lambda: results.append(ask(self.management, method, PATIENCE_S, **arguments))  # noqa: E731
        thread = threading.Thread(target=body, daemon=True)
        thread.start()
        return thread

    def digest(self, uri: str) -> str:
        """Of the bytes of an object, as a client gets them through a link."""
        link = self.ask("link", uri=uri)
        hasher = hashlib.sha256()
        with httpx.stream("GET", link["url"], timeout=60) as answer:
            assert answer.status_code == 200
            for piece in answer.iter_bytes():
                hasher.update(piece)
        self.ask("unlink", link=link["link"])
        return f"sha256:{hasher.hexdigest()}"

    def left(self) -> tuple[list[str], list[str]]:
        """What is in the pool but what always stays, and in the bucket."""
        rados = ["rados", "-c", str(self.cluster.conf), "-p", POOL, "ls"]
        names = subprocess.run(rados, check=True, capture_output=True, text=True, timeout=60).stdout.split()
        always = {"rbd_directory", "rbd_info", "rbd_trash", "rbd_children", "storcert.directory"}
        objects = [one["Key"] for one in self.store.list_objects_v2(Bucket=BUCKET).get("Contents", [])]
        return sorted(set(names) - always), objects

    def close(self) -> None:
        for process in (self.management, self.ssvm, self.host):
            process.kill()
        self.web.shutdown()


@pytest.fixture
def world(tmp_path: Path, radosgw: Ceph) -> Iterator[World]:
    require_modules(radosgw)
    radosgw.command("osd", "pool", "create", POOL, "8")
    made = World(tmp_path, radosgw)
    try:
        yield made
    finally:
        made.close()


def moved(world: World, key: str) -> int:
    """How many bytes of that job have moved, 0 where it is not under way."""
    told = ask(world.management, "progress", key=key)
    return int(told.get("moved_bytes") or 0)


def until_moving(world: World, key: str, least: int = MIB) -> None:
    """Wait until bytes move."""
    until(lambda: moved(world, key) >= least, PATIENCE_S)


def test_a_zone_on_ceph_from_the_web_to_nothing_left(world: World) -> None:
    url = f"http://127.0.0.1:{world.web.server_address[1]}/image.raw"
    made = world.ask("register", uri="/template/1/t", url=url, zone="z1", size_bytes=len(BYTES), digest=DIGEST)
    assert made["device"] == "images"

    # The storage VM dies while it writes the volume.
    results: list[Any] = []
    copy = world.begin(results, "create_from", uri="/volume/7/root", source="/template/1/t", zone="z1")
    until_moving(world, "/volume/7/root")
    world.ssvm.kill()
    world.ssvm.start()
    copy.join(PATIENCE_S)
    assert results == [{"uri": "/volume/7/root", "device": "volumes", "way": "stream"}]
    assert world.digest("/volume/7/root") == DIGEST

    # A snapshot, the volume reverted to it after a virtual machine has written, and a clone of it.
    world.ask("take_snapshot", volume="/volume/7/root", snapshot="/snapshot/7/s")
    world.ask("attach", volume="/volume/7/root", host="host-1", io={"pause_ns": 1_000_000})
    assert ask(world.management, "delete", uri="/volume/7/root")["error"] == "ObjectInUse"
    assert ask(world.management, "export", uri="/volume/7/root", url=url)["error"] == "ObjectInUse"
    backup = world.ask("take_snapshot", volume="/volume/7/root", snapshot="/snapshot/7/backup", device="images")
    assert backup["way"] == "snapshot-stream", "a volume that is written to is copied as it was at one moment"
    # How many blocks the machine writes in a second is not what is tested: it is given as long as it needs.
    until(lambda: world.digest("/snapshot/7/backup") != DIGEST or _again(world), PATIENCE_S)
    world.ask("detach", volume="/volume/7/root", host="host-1")
    assert world.digest("/volume/7/root") != DIGEST
    world.ask("revert", volume="/volume/7/root", snapshot="/snapshot/7/s")
    assert world.digest("/volume/7/root") == DIGEST
    assert world.ask("create_from", uri="/volume/7/clone", source="/snapshot/7/s", device="volumes")["way"] == "clone"
    assert world.digest("/volume/7/clone") == DIGEST

    # A host whose agent is killed has lost its machine, and its grant goes.
    world.ask("attach", volume="/volume/7/clone", host="host-1", io={"pause_ns": 1_000_000})
    world.host.kill()
    world.host.start()
    until(lambda: "error" not in ask(world.management, "delete", uri="/volume/7/clone"), PATIENCE_S)

    for uri in ("/snapshot/7/backup", "/template/1/t"):
        world.ask("delete", uri=uri)
    world.ask("delete", uri="/volume/7/root", dependants=True)
    until(lambda: world.left() == ([], []), PATIENCE_S)


def _again(world: World) -> bool:
    """Another backup, later."""
    time.sleep(0.2)
    world.ask("delete", uri="/snapshot/7/backup")
    world.ask("take_snapshot", volume="/volume/7/root", snapshot="/snapshot/7/backup", device="images")
    return False


def test_a_client_uploads_to_rbd_and_the_agent_dies_in_the_middle(world: World) -> None:
    ticket = world.ask("upload", uri="/volume/7/up", zone="z1", size_bytes=len(BYTES), digest=DIGEST)
    done = threading.Event()

    def slowly() -> Iterator[bytes]:
        for start in range(0, len(BYTES), MIB):
            yield BYTES[start : start + MIB]
            if start > len(BYTES) // 2:
                done.wait(PATIENCE_S)

    def client() -> None:
        with contextlib.suppress(httpx.HTTPError):
            httpx.put(ticket["url"], content=slowly(), headers={"content-length": str(len(BYTES))}, timeout=30)

    sending = threading.Thread(target=client, daemon=True)
    sending.start()
    until(lambda: int(httpx.head(ticket["url"]).headers["upload-offset"]) > len(BYTES) // 4, PATIENCE_S)
    world.ssvm.kill()
    done.set()
    sending.join(PATIENCE_S)
    world.ssvm.start()
    # The port that clients come to is another one by now, unless it was fixed: so is the URL.
    again: list[Any] = []

    def open_again() -> bool:
        again[:] = [world.ask("upload", uri="/volume/7/up", zone="z1", size_bytes=len(BYTES), digest=DIGEST)]
        return bool(httpx.head(again[0]["url"]).status_code == 204)

    until(open_again, PATIENCE_S)
    half = len(BYTES) // 2
    first = {"content-range": f"bytes 0-{half - 1}/{len(BYTES)}"}
    assert httpx.put(again[0]["url"], content=BYTES[:half], headers=first, timeout=60).status_code == 202
    rest = {"content-range": f"bytes {half}-{len(BYTES) - 1}/{len(BYTES)}"}
    assert httpx.put(again[0]["url"], content=BYTES[half:], headers=rest, timeout=60).status_code == 201
    until(lambda: ask(world.management, "job", number=ticket["job"])["state"] == "succeeded", PATIENCE_S)
    assert world.digest("/volume/7/up") == DIGEST
    world.ask("delete", uri="/volume/7/up")
    until(lambda: world.left() == ([], []), PATIENCE_S)

"""The same control plane in real time, on loopback: real processes, real drivers, and kill -9 in the middle."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer

from storcert.harness.contract import DataObjectUri, InvalidRequest
from storcert.harness.drivers.nfs import NfsDriver
from storcert.harness.service.management import Zone
from tests.harness.service.processes import Process, ask, until, web

MIB = 1 << 20
BYTES = hashlib.shake_128(b"template").digest(48 * MIB)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


class World:
    """A zone with an S3 image device on moto and volumes in a directory."""

    def __init__(self, folder: Path) -> None:
        (folder / "web").mkdir()
        (folder / "volumes").mkdir()
        (folder / "web" / "ubuntu.raw").write_bytes(BYTES)
        self.folder = folder
        self.web = web(folder / "web")
        self.moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self.moto.start()
        self.endpoint = "http://{}:{}".format(*self.moto.get_host_and_port())
        keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
        boto3.client(
            "s3", endpoint_url=self.endpoint, region_name="us-east-1", aws_access_key_id="key", aws_secret_access_key="secret"
        ).create_bucket(Bucket="images")
        self.ssvm = Process("storcert.harness.service.agent", "--name", "ssvm-1", environ=keys)
        self.host = Process("storcert.harness.service.agent", "--name", "host-1", environ=keys)
        self.file = folder / "zone.toml"
        self.file.write_text(self.said(), encoding="utf-8")
        self.management = self.server("ms-1")

    def server(self, name: str) -> Process:
        """A management server on the zone's file."""
        words = ("--config", str(self.file), "--name", name, "--reconcile", "1")
        return Process("storcert.harness.service.management", *words)

    def said(self) -> str:
        """The zone as TOML."""
        return f'''
catalogue = {json.dumps(str(self.folder / "catalogue.sqlite"))}
[[location]]
name = "ms-1"
kind = "management"
[[location]]
name = "ms-2"
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
configuration = {{ endpoint_url = "{self.endpoint}", bucket = "images", region_name = "us-east-1" }}
policy = {{ role = "image", scope = "zone", scope_id = "z1" }}
[[device]]
name = "volumes"
driver = "nfs"
capacity_bytes = 1099511627776
configuration = {{ mount = {json.dumps(str(self.folder / "volumes"))}, plain_directory = true }}
policy = {{ role = "primary", scope = "zone", scope_id = "z1" }}
'''

    @property
    def volumes(self) -> NfsDriver:
        """A look at the volumes, past the control plane."""
        return NfsDriver({"mount": str(self.folder / "volumes"), "plain_directory": True})

    def read(self, name: str) -> bytes:
        """The bytes of a volume."""
        with self.volumes.open_input(DataObjectUri.parse(name)) as stream:
            return b"".join(iter(lambda: stream.read(MIB), b""))

    def close(self) -> None:
        for process in (self.management, self.ssvm, self.host):
            process.kill()
        self.moto.stop()
        self.web.shutdown()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    try:
        yield made
    finally:
        made.close()


def test_from_the_web_to_a_volume_with_the_agent_killed_in_the_middle(world: World) -> None:
    url = f"http://127.0.0.1:{world.web.server_address[1]}/ubuntu.raw"
    digest = f"sha256:{hashlib.sha256(BYTES).hexdigest()}"
    made = ask(world.management, "register", uri="/template/1/ubuntu", url=url, zone="z1", size_bytes=len(BYTES), digest=digest)
    assert made == {"uri": "/template/1/ubuntu", "device": "images"}

    results: list[Any] = []
    copy = threading.Thread(
        target=lambda: results.append(ask(
            world.management, "create_from", 300.0, uri="/volume/7/root", source="/template/1/ubuntu", zone="z1"))
    )
    copy.start()
    pending = world.folder / "volumes"
    until(lambda: any(path.is_file() and path.stat().st_size > MIB for path in pending.rglob("*")))
    world.ssvm.kill()
    world.ssvm.start()
    copy.join(300)
    assert results == [{"uri": "/volume/7/root", "device": "volumes", "way": "stream"}]
    assert world.read("/volume/7/root") == BYTES
    files = [path for path in pending.rglob("*") if path.is_file()]
    assert len(files) == 1, "the killed agent's leftovers are still there"


def test_a_management_server_that_is_killed_is_succeeded_by_another(world: World) -> None:
    url = f"http://127.0.0.1:{world.web.server_address[1]}/ubuntu.raw"

    def register() -> None:
        with contextlib.suppress(httpx.HTTPError):
            ask(world.management, "register", uri="/template/1/t", url=url, zone="z1")

    asked = threading.Thread(target=register)
    asked.start()
    asked.join(0.4)
    world.management.kill()
    world.management = world.server("ms-2")
    # The lease of the dead server's job runs out some day; asked again, the job is joined or done anew.
    assert ask(world.management, "create_volume", uri="/volume/1/v", size_bytes=MIB, zone="z1")["device"] == "volumes"
    assert ask(world.management, "attach", volume="/volume/1/v", host="host-1", io={"pause_ns": 1_000_000}) == {
        "uri": "/volume/1/v", "host": "host-1"}
    assert ask(world.management, "delete", uri="/volume/1/v")["error"] == "ObjectInUse"
    detached = ask(world.management, "detach", volume="/volume/1/v", host="host-1")
    assert detached["error"] is None
    assert ask(world.management, "delete", uri="/volume/1/v") == {"uri": "/volume/1/v", "deleted": 1}
    assert list(world.volumes.list_objects()) == []


def test_nonsense_is_answered_in_words(world: World) -> None:
    wrong = ask(world.management, "format_everything")
    assert "no method 'format_everything'" in wrong["wrong"]
    assert ask(world.management, "create_volume", uri="/cat/1/v", size_bytes=1, zone="z1")["error"] == "InvalidRequest"
    assert "TypeError" in ask(world.management, "create_volume", uri="/volume/1/v", bytes=1)["wrong"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "KeyError: 'location'"),
        ("location = 3", "TypeError"),
        ("[[location]", "TOMLDecodeError"),
        ('[[location]]\nname = "a"\nkind = "cat"', "'cat' is not a valid LocationKind"),
    ],
)
def test_a_zone_file_that_is_none_is_told(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "zone.toml"
    file.write_text(text)
    with pytest.raises(InvalidRequest, match=told):
        Zone.read(file)
    with pytest.raises(InvalidRequest, match="No such file"):
        Zone.read(tmp_path / "none.toml")

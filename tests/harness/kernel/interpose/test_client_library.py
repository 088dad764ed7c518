"""A real client library at a location: boto3 makes sessions and clients; what it looks up is told, with the driver's line."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

pytest.importorskip("boto3")
import botocore.loaders
import botocore.session

SOURCE = """
import boto3, io
from boto3.s3.transfer import TransferConfig

def make():
    return boto3.session.Session().client("s3", endpoint_url="http://s3.sim", region_name="us-east-1")

def use():
    client = make()
    client.put_object(Bucket="b", Key="k", Body=b"x")

def transfer():
    make().upload_fileobj(io.BytesIO(b"x"), "b", "k")
"""


@pytest.fixture(autouse=True)
def a_loader_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A live run in this process has all sessions share one, which has looked up its folders already."""
    for module in (botocore.loaders, botocore.session):
        monkeypatch.setattr(module, "create_loader", inspect.unwrap(module.create_loader))


@pytest.fixture
def driver(world: Any) -> Any:
    world.here.environ.update(AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b", AWS_MAX_ATTEMPTS="1")
    return world.module(SOURCE)


def test_session_and_client(world: Any, driver: Any) -> None:
    client = world.run(driver.make)
    assert client.meta.endpoint_url == "http://s3.sim"
    assert sorted({message for message, _, _ in world.found()}) == [
        "os.path.isdir('~/.aws/models') (inside botocore)",
        "os.path.isfile('~/.aws/config') (inside botocore)",
        "os.path.isfile('~/.aws/credentials') (inside botocore)",
    ]
    assert {(name, line) for _, name, line in world.found()} == {("vendor_driver.py", 6)}


def test_a_request_meets_the_fence(world: Any, driver: Any) -> None:
    with pytest.raises(Exception, match="cannot be simulated"):
        world.run(driver.use)
    assert ("socket.getaddrinfo('s3.sim', 80) (inside urllib3)", "vendor_driver.py", 10) in world.found()


def test_threads_of_a_transfer_meet_the_fence_where_they_send(world: Any, driver: Any) -> None:
    with pytest.raises(Exception, match="cannot be simulated"):
        world.run(driver.transfer)
    kinds = {one.kind for one in world.here.findings}
    assert "socket" in kinds and "thread" not in kinds

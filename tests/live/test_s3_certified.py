"""The bundled S3 driver certified on real servers: a RADOS gateway with claims, and moto's server without.

What a live device cannot show (faults, crashes, races) is skipped by the kit; that several really win or lose at once on
the gateway is tried here with threads.
"""

from __future__ import annotations

import functools
import logging
import threading
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import botocore.loaders
import pytest

from storcert.conformance.live_targets.ceph import ACCESS_KEY, SECRET_KEY, Ceph
from storcert.conformance.rules import RULES
from storcert.harness.contract import DataObjectUri, ObjectExists, ObjectKind
from storcert.harness.drivers.s3 import S3Driver
from storcert.harness.record.run_record import RunRecord, RunVerdict
from storcert.harness.record.verdict import Verdict
from tests.conformance.kit import S3, certify

pytestmark = [pytest.mark.live, pytest.mark.timeout(1800)]
one_loader = functools.cache(botocore.loaders.create_loader)  # every session would read the service model again
PART = 5 * 1024**2


@pytest.fixture(autouse=True)
def quick_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(botocore.loaders, "create_loader", one_loader)


def client_for(configuration: dict[str, Any]) -> Any:
    """A client with a driver's own settings."""
    import boto3

    given = {name: value for name, value in configuration.items() if name.startswith(("endpoint", "region", "aws"))}
    return boto3.client("s3", **given)  # type: ignore[call-overload]


@pytest.fixture
def gateway(radosgw: Ceph, request: pytest.FixtureRequest) -> dict[str, Any]:
    """Configuration of a fresh bucket on the gateway."""
    configuration = {
        "endpoint_url": radosgw.endpoint_url, "bucket": f"bucket-{zlib.crc32(request.node.nodeid.encode()):x}",
        "region_name": "us-east-1", "aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": SECRET_KEY,
        "conditional_complete": False,
    }  # fmt: skip
    client_for(configuration).create_bucket(Bucket=configuration["bucket"])
    return configuration


@pytest.fixture
def moto_server(caplog: pytest.LogCaptureFixture) -> Iterator[dict[str, Any]]:
    """Configuration of a bucket on a moto server of its own, which writes no log: it would have thousands of lines."""
    caplog.set_level(logging.ERROR, logger="werkzeug")
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    configuration = {
        "endpoint_url": f"http://{host}:{port}", "bucket": "live", "region_name": "us-east-1",
        "aws_access_key_id": "key", "aws_secret_access_key": "secret", "conditional_copy": False,
    }  # fmt: skip
    client_for(configuration).create_bucket(Bucket="live")
    yield configuration
    server.stop()


def assert_conformant(record: RunRecord) -> None:
    failures = [f"{rule.id}: {failure.message}" for rule in record.rules for failure in rule.failures]
    assert record.verdict is RunVerdict.CONFORMANT, failures
    assert (record.device.name, record.device.mode) == ("live", "live")
    passed = [rule.id for rule in record.rules if rule.verdict is Verdict.PASS]
    assert len(passed) >= 15, passed


def assert_nothing_left(configuration: dict[str, Any]) -> None:
    client, bucket = client_for(configuration), configuration["bucket"]
    assert client.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    assert not client.list_multipart_uploads(Bucket=bucket).get("Uploads")


def test_on_radosgw(gateway: dict[str, Any]) -> None:
    assert_conformant(certify(S3, device="live", configuration=gateway))
    assert_nothing_left(gateway)


def test_on_a_moto_server(moto_server: dict[str, Any]) -> None:
    # Half the time would go into names, which the gateway is asked.
    rules = [rule for rule in RULES if rule.startswith("C-") and rule != "C-NAMES"]
    assert_conformant(certify(S3, *rules, device="live", configuration=moto_server))
    assert_nothing_left(moto_server)


def at_once(functions: list[Callable[[], Any]]) -> list[Any]:
    """Run all in threads of their own; results or errors, in order."""
    ended: list[Any] = [None] * len(functions)
    start = threading.Barrier(len(functions))

    def run(index: int, function: Callable[[], Any]) -> None:
        start.wait()
        try:
            ended[index] = function()
        except Exception as error:  # noqa: BLE001  (whatever it is, the test looks at it)
            ended[index] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(functions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ended


@pytest.mark.parametrize("size_bytes", [100, PART + 1], ids=["small", "large"])
def test_of_eight_commits_at_once_one_wins(gateway: dict[str, Any], size_bytes: int) -> None:
    for number in range(3):
        uri = DataObjectUri(ObjectKind.VOLUME, "1", str(number))
        streams = []
        for writer in range(8):
            stream = S3Driver(gateway).open_output(uri, size_bytes)
            left = memoryview(bytes([writer]) * size_bytes)
            while left:
                left = left[stream.write(left) :]
            streams.append(stream)
        ended = at_once([stream.commit for stream in streams])
        lost = [end for end in ended if isinstance(end, BaseException)]
        assert len(lost) == 7 and {type(error) for error in lost} == {ObjectExists}, ended
        winner = next(index for index, end in enumerate(ended) if not isinstance(end, BaseException))
        with S3Driver(gateway).open_input(uri) as body:
            assert b"".join(iter(body.read, b"")) == bytes([winner]) * size_bytes
        S3Driver(gateway).delete(uri)
    assert_nothing_left(gateway)


def test_of_sixteen_that_replace_one_claim_one_wins(gateway: dict[str, Any]) -> None:
    """What taking over a claim stands on: PutObject with If-Match, without quotes, is decided by the device."""
    client, bucket = client_for(gateway), gateway["bucket"]
    for number in range(10):
        etag = client.put_object(Bucket=bucket, Key=f"k{number}", Body=b"claim")["ETag"].strip('"')
        ended = at_once([
            functools.partial(client.put_object, Bucket=bucket, Key=f"k{number}", Body=bytes([writer]), IfMatch=etag)
            for writer in range(16)
        ])  # fmt: skip
        assert sum(not isinstance(end, BaseException) for end in ended) == 1, ended

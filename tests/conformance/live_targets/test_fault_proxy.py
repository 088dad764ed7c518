"""The fault proxy, seen by a real boto3 client before moto's server: what each fault makes of a request."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any

import boto3.session
import pytest
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    IncompleteReadError,
    ResponseStreamingError,
)
from moto.server import ThreadedMotoServer

from storcert.conformance.live_proxy import FaultProxy
from storcert.conformance.live_proxy_faults import NOT_SHOWN, PROXY_FAULTS
from storcert.conformance.live_proxy_names import operation_of
from storcert.harness.record.fault import Fault, Phase
from storcert.simulators.object_store.legal_faults import LEGAL_FAULTS

BUCKET = "one"
DATA = bytes(range(256)) * 40
SECOND_NS = 10**9


@pytest.fixture(scope="module")
def service() -> Iterator[tuple[str, int]]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield server.get_host_and_port()
    server.stop()


@pytest.fixture(scope="module")
def make_client() -> Any:
    session = boto3.session.Session()

    def make(url: str) -> Any:
        config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, read_timeout=5)
        return session.client(
            "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b", config=config)

    return make


@pytest.fixture
def direct(service: tuple[str, int], make_client: Any) -> Any:
    """A client past the proxy, on a bucket that holds nothing."""
    client = make_client(f"http://{service[0]}:{service[1]}")
    client.create_bucket(Bucket=BUCKET)
    for one in client.list_objects_v2(Bucket=BUCKET).get("Contents", ()):
        client.delete_object(Bucket=BUCKET, Key=one["Key"])
    return client


@pytest.fixture
def proxy(service: tuple[str, int]) -> Iterator[FaultProxy]:
    made = FaultProxy(service)
    made.begin(BUCKET)
    yield made
    made.close()


@pytest.fixture
def client(proxy: FaultProxy, direct: Any, make_client: Any) -> Any:
    return make_client(proxy.url)


def put(client: Any, key: str = "a") -> Any:
    return client.put_object(Bucket=BUCKET, Key=key, Body=DATA)


def keys(client: Any) -> list[str]:
    return [one["Key"] for one in client.list_objects_v2(Bucket=BUCKET).get("Contents", ())]


def code_of(call: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as caught:
        call()
    return caught.value.response["Error"]["Code"], caught.value.response["ResponseMetadata"]["HTTPStatusCode"]


def test_without_faults_everything_passes_and_is_counted(proxy: FaultProxy, client: Any) -> None:
    proxy.location = "host-1"
    put(client)
    assert client.get_object(Bucket=BUCKET, Key="a")["Body"].read() == DATA
    client.head_object(Bucket=BUCKET, Key="a")
    client.delete_object(Bucket=BUCKET, Key="a")
    seen = [(one.operation, one.target, one.sent_bytes, one.received_bytes, one.answer, one.location) for one in proxy.requests]
    assert seen == [
        ("PutObject", "one/a", len(DATA), 0, "ok", "host-1"), ("GetObject", "one/a", 0, len(DATA), "ok", "host-1"),
        ("HeadObject", "one/a", 0, 0, "ok", "host-1"), ("DeleteObject", "one/a", 0, 0, "ok", "host-1"),
    ]  # fmt: skip


def test_requests_for_another_bucket_pass_unseen(proxy: FaultProxy, client: Any, direct: Any) -> None:
    direct.create_bucket(Bucket="other")
    proxy.arm([Fault("throttle", count=0)])
    client.put_object(Bucket="other", Key="a", Body=b"")
    assert proxy.requests == [] and proxy.plan.fired == []


def test_throttle(proxy: FaultProxy, client: Any, direct: Any) -> None:
    proxy.arm([Fault("throttle", "PutObject", nth=2)])
    put(client)
    assert code_of(lambda: put(client, "b")) == ("SlowDown", 503)
    put(client, "c")
    assert keys(direct) == ["a", "c"], "no effect"
    assert [str(fault) for fault in proxy.plan.fired] == ["throttle before PutObject #2"]
    assert [one.answer for one in proxy.requests] == ["ok", "SlowDown", "ok"]


@pytest.mark.parametrize("phase, due", [(Phase.BEFORE, []), (Phase.AFTER, ["a"])])
def test_internal_error_before_and_after_the_effect(
    proxy: FaultProxy, client: Any, direct: Any, phase: Phase, due: list[str]
) -> None:
    proxy.arm([Fault("internal_error", "PutObject", phase=phase)])
    assert code_of(lambda: put(client)) == ("InternalError", 500)
    assert keys(direct) == due


@pytest.mark.parametrize("phase, due", [(Phase.BEFORE, ["a"]), (Phase.AFTER, ["a", "b"])])
def test_ok_with_an_error_inside(proxy: FaultProxy, client: Any, direct: Any, phase: Phase, due: list[str]) -> None:
    put(direct)
    proxy.arm([Fault("ok_with_error", "CopyObject", phase=phase)])
    code, _ = code_of(lambda: client.copy_object(Bucket=BUCKET, Key="b", CopySource=f"{BUCKET}/a"))
    assert code == "InternalError"
    assert keys(direct) == due


def test_full_lasts_and_lets_reads_and_deletes_pass(proxy: FaultProxy, client: Any, direct: Any) -> None:
    put(direct)
    proxy.arm([Fault("full", "PutObject")])
    assert code_of(lambda: put(client, "b")) == ("QuotaExceeded", 403)
    assert code_of(lambda: put(client, "c")) == ("QuotaExceeded", 403), "from then on"
    assert client.get_object(Bucket=BUCKET, Key="a")["Body"].read() == DATA
    client.delete_object(Bucket=BUCKET, Key="a")
    proxy.heal()
    put(client, "d")
    assert keys(direct) == ["d"]


def test_expired_credentials(proxy: FaultProxy, client: Any, direct: Any) -> None:
    proxy.arm([Fault("expired_credentials", "PutObject")])
    assert code_of(lambda: put(client)) == ("ExpiredToken", 400)
    assert keys(direct) == []


def test_a_lost_request_has_no_effect(proxy: FaultProxy, client: Any, direct: Any) -> None:
    proxy.arm([Fault("request_lost", "PutObject")])
    with pytest.raises(ConnectionClosedError):
        put(client)
    assert keys(direct) == [] and proxy.requests[0].answer == "lost"


def test_a_lost_answer_has_its_effect(proxy: FaultProxy, client: Any, direct: Any) -> None:
    proxy.arm([Fault("answer_lost", "PutObject", phase=Phase.AFTER)])
    with pytest.raises(ConnectionClosedError):
        put(client)
    assert keys(direct) == ["a"] and proxy.requests[0].answer == "answer-lost"


@pytest.mark.parametrize("after", [0, 1, 5000, len(DATA) - 1])
def test_an_answer_is_cut_inside_its_body(proxy: FaultProxy, client: Any, direct: Any, after: int) -> None:
    put(direct)
    proxy.arm([Fault("cut", "GetObject", phase=Phase.DURING, value=after)])
    body = client.get_object(Bucket=BUCKET, Key="a")["Body"]
    got = b""
    with pytest.raises((IncompleteReadError, ResponseStreamingError, ConnectionClosedError)):
        while piece := body.read(1000):
            got += piece
    assert len(got) <= after and DATA.startswith(got)
    assert (proxy.requests[0].answer, proxy.requests[0].received_bytes) == ("cut", after)


def test_a_request_is_cut_inside_its_body(proxy: FaultProxy, client: Any, direct: Any) -> None:
    proxy.arm([Fault("cut", "PutObject", phase=Phase.DURING, value=1000)])
    with pytest.raises(BotoCoreError):
        put(client)
    assert keys(direct) == [] and (proxy.requests[0].answer, proxy.requests[0].sent_bytes) == ("cut", 1000)


@pytest.mark.parametrize("phase", [Phase.BEFORE, Phase.DURING, Phase.AFTER])
def test_slow(proxy: FaultProxy, client: Any, direct: Any, phase: Phase) -> None:
    put(direct)
    proxy.arm([Fault("slow", "GetObject", phase=phase, value=SECOND_NS // 10)])
    begun = time.monotonic()
    assert client.get_object(Bucket=BUCKET, Key="a")["Body"].read() == DATA
    assert time.monotonic() - begun >= 0.1


@pytest.mark.parametrize("phase, due", [(Phase.BEFORE, []), (Phase.AFTER, ["a"])])
def test_a_restart_refuses_connections_until_it_is_over(
    proxy: FaultProxy, client: Any, direct: Any, phase: Phase, due: list[str]
) -> None:
    proxy.arm([Fault("server_restart", "PutObject", phase=phase, value=100 * SECOND_NS)])
    with pytest.raises(ConnectionClosedError):
        put(client)
    with pytest.raises(EndpointConnectionError):
        put(client)
    assert keys(direct) == due
    proxy.heal()
    put(client, "b")
    proxy.arm([Fault("server_restart", "PutObject", value=SECOND_NS // 50)])
    with pytest.raises(ConnectionClosedError):
        put(client)
    ends_s = time.monotonic() + 5
    while True:
        try:
            put(client, "c")
            break
        except BotoCoreError:
            assert time.monotonic() < ends_s, "it does not come back by itself"
    assert "c" in keys(direct)


def test_a_service_that_is_gone_is_a_broken_connection(make_client: Any) -> None:
    proxy = FaultProxy(("127.0.0.1", 1))
    proxy.begin(BUCKET)
    with pytest.raises(ConnectionClosedError):
        put(make_client(proxy.url))
    assert proxy.requests[0].answer == "refused"
    proxy.close()


def test_every_fault_of_the_simulator_is_shown_or_said_not_to_be() -> None:
    assert {kind.name for kind in PROXY_FAULTS} | set(NOT_SHOWN) == {kind.name for kind in LEGAL_FAULTS}
    with pytest.raises(ValueError, match="'crash' is no legal fault here"):
        FaultProxy(("127.0.0.1", 1)).arm([Fault("crash")])


@pytest.mark.parametrize(
    "method, path, headers, due",
    [
        ("PUT", "/b", {}, "CreateBucket"), ("PUT", "/b/k", {}, "PutObject"),
        ("PUT", "/b/k", {"x-amz-copy-source": "/b/a"}, "CopyObject"),
        ("PUT", "/b/k?partNumber=1&uploadId=u", {}, "UploadPart"),
        ("PUT", "/b/k?partNumber=1&uploadId=u", {"x-amz-copy-source": "/b/a"}, "UploadPartCopy"),
        ("POST", "/b/k?uploads", {}, "CreateMultipartUpload"), ("POST", "/b/k?uploadId=u", {}, "CompleteMultipartUpload"),
        ("POST", "/b?delete", {}, "DeleteObjects"), ("DELETE", "/b/k?uploadId=u", {}, "AbortMultipartUpload"),
        ("DELETE", "/b/k", {}, "DeleteObject"), ("DELETE", "/b", {}, "DeleteBucket"), ("HEAD", "/b", {}, "HeadBucket"),
        ("HEAD", "/b/k", {}, "HeadObject"), ("GET", "/b/k", {}, "GetObject"), ("GET", "/b/k?uploadId=u", {}, "ListParts"),
        ("GET", "/b?list-type=2", {}, "ListObjectsV2"), ("GET", "/b?uploads", {}, "ListMultipartUploads"),
        ("GET", "/b?versions", {}, "ListObjectVersions"), ("GET", "/b", {}, "ListObjects"), ("GET", "/", {}, "ListBuckets"),
        ("PATCH", "/b/k", {}, "PATCH"),
    ],
)  # fmt: skip
def test_names_of_operations(method: str, path: str, headers: dict[str, str], due: str) -> None:
    assert operation_of(method, path, headers)[0] == due


def test_a_key_keeps_its_slashes_and_its_escapes_are_undone() -> None:
    assert operation_of("GET", "/b/volume/1/a%2Fb%20c", {}) == ("GetObject", "b", "volume/1/a/b c")

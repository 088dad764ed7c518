"""The client itself: endpoint, credentials, Config, retries in virtual time, meta, sessions, the doors of boto3."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import boto3
import boto3.session
import botocore.session
import pytest
from botocore import UNSIGNED, exceptions
from botocore.client import BaseClient
from botocore.config import Config

from storcert.harness.kernel.interpose.install import installed
from storcert.harness.record.fault import Fault, Phase
from storcert.simulators.device import NotModelled
from storcert.simulators.object_store.service_model import HARMLESS, MODELLED, service_model
from tests.simulators.object_store.conftest import BUCKET, StoreWorld, answer_of

NAMES = {"Bucket": BUCKET, "Key": "k"}
S = 1_000_000_000


def _list(client: Any) -> Any:
    return answer_of(lambda: client.list_objects_v2(Bucket=BUCKET))


@pytest.mark.parametrize(
    ("config", "attempts"),
    [
        (None, 3),  # botocore 1.44: standard mode unless told otherwise
        (Config(retries={"mode": "legacy"}), 5),
        (Config(retries={"mode": "legacy", "max_attempts": 2}), 3),
        (Config(retries={"mode": "legacy", "total_max_attempts": 2}), 2),
        (Config(retries={"mode": "standard"}), 3),
        (Config(retries={"mode": "standard", "max_attempts": 6}), 7),
        (Config(retries={"max_attempts": 0}), 1),
    ],
)
@pytest.mark.parametrize("kind", ["throttle", "internal_error", "answer_lost"])
def test_how_often_botocore_tries(world: StoreWorld, config: Any, attempts: int, kind: str) -> None:
    world.arm(Fault(kind, count=0) if kind != "answer_lost" else Fault(kind, phase=Phase.AFTER, value=1, count=0))
    if kind == "answer_lost":
        with pytest.raises(exceptions.ConnectionClosedError):
            world.run(_list, config=config)
    else:
        assert world.run(_list, config=config) in ("SlowDown 503", "InternalError 500")
    assert len(world.store.requests) == attempts


def test_the_environment_configures_retries(world: StoreWorld) -> None:
    world.here.environ.update(AWS_MAX_ATTEMPTS="4", AWS_RETRY_MODE="legacy")
    world.arm(Fault("throttle", count=0))
    world.run(_list)
    assert len(world.store.requests) == 4


@pytest.mark.parametrize("fault", ["expired_credentials"])
def test_what_botocore_does_not_retry(world: StoreWorld, fault: str) -> None:
    world.arm(Fault(fault, count=0))
    world.run(_list)
    assert len(world.store.requests) == 1


def test_retries_wait_in_virtual_time_and_are_counted(world: StoreWorld) -> None:
    world.arm(Fault("throttle", count=3))
    answer = world.run(
        lambda client: client.list_objects_v2(Bucket=BUCKET), config=Config(retries={"mode": "legacy", "max_attempts": 5}))
    assert answer["ResponseMetadata"]["RetryAttempts"] == 3
    times = [request.time_ns for request in world.store.requests]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert all(gap < 2**number * S + S // 10 for number, gap in enumerate(gaps))
    assert sum(gaps) > S // 10


def test_the_dice_of_retries_are_the_locations(make_world: Callable[..., StoreWorld]) -> None:
    def times(seed: int) -> list[int]:
        world = make_world(seed=seed)
        world.arm(Fault("throttle", count=2))
        world.run(_list)
        return [request.time_ns for request in world.store.requests]

    assert times(1) == times(1)
    assert times(1) != times(2)


def test_exhausted_retries_say_so(world: StoreWorld) -> None:
    world.arm(Fault("throttle", count=0))
    with pytest.raises(exceptions.ClientError, match=r"\(reached max retries: 2\)") as raised:
        world.run(lambda client: client.list_objects_v2(Bucket=BUCKET))
    assert raised.value.response["ResponseMetadata"]["RetryAttempts"] == 2


def test_read_timeout_is_honoured(world: StoreWorld) -> None:
    world.arm(Fault("request_lost"))
    with pytest.raises(exceptions.ReadTimeoutError):
        world.run(_list, config=Config(read_timeout=7, retries={"total_max_attempts": 1}))
    start_ns = world.store.requests[0].time_ns
    assert 7 * S <= world.kernel.now_ns - start_ns < 7.01 * S


def test_the_default_timeout_is_a_minute(world: StoreWorld) -> None:
    world.arm(Fault("request_lost"))
    with pytest.raises(exceptions.ReadTimeoutError):
        world.run(_list, config=Config(retries={"total_max_attempts": 1}))
    assert world.kernel.now_ns - world.store.requests[0].time_ns >= 60 * S


def test_an_adaptive_client_is_not_modelled(world: StoreWorld) -> None:
    world.arm(Fault("throttle"))
    with pytest.raises(NotModelled, match="adaptive"):
        world.run(_list, config=Config(retries={"mode": "adaptive"}))


@pytest.mark.parametrize("endpoint", ["http://elsewhere.sim", "https://s3.sim", None])
def test_another_endpoint_cannot_be_reached(world: StoreWorld, endpoint: str | None) -> None:
    with pytest.raises(exceptions.EndpointConnectionError, match="Could not connect to the endpoint URL"):
        world.run(_list, endpoint_url=endpoint)
    assert world.store.requests == []


@pytest.mark.parametrize("endpoint", ["http://s3.sim", "http://s3.sim/", "http://S3.sim"])
def test_the_endpoint_may_be_written_in_several_ways(world: StoreWorld, endpoint: str) -> None:
    assert world.run(_list, endpoint_url=endpoint) == 200


def test_the_endpoint_may_come_from_the_environment(world: StoreWorld) -> None:
    world.here.environ["AWS_ENDPOINT_URL_S3"] = "http://s3.sim"
    assert world.run(_list, endpoint_url=None) == 200


def test_an_endpoint_that_is_no_url(world: StoreWorld) -> None:
    with pytest.raises(ValueError, match="Invalid endpoint"):
        world.run(_list, endpoint_url="s3.sim")


def test_no_credentials(world: StoreWorld) -> None:
    world.here.environ.clear()
    with pytest.raises(exceptions.NoCredentialsError):
        world.run(_list)
    assert world.store.requests == []


def test_half_of_the_credentials(world: StoreWorld) -> None:
    with pytest.raises(exceptions.PartialCredentialsError):
        world.run(_list, aws_access_key_id="x")
    del world.here.environ["AWS_SECRET_ACCESS_KEY"]
    with pytest.raises(exceptions.PartialCredentialsError):
        world.run(_list)


def test_unsigned_requests_are_denied(world: StoreWorld) -> None:
    assert world.run(_list, config=Config(signature_version=UNSIGNED)) == "AccessDenied 403"


def test_wrong_credentials_are_not_repeated(world: StoreWorld) -> None:
    assert world.run(_list, aws_access_key_id="a", aws_secret_access_key="b") == "InvalidAccessKeyId 403"
    assert len(world.store.requests) == 1


def test_meta_shows_what_the_client_was_made_with(world: StoreWorld) -> None:
    def program(client: Any) -> None:
        assert client.meta.endpoint_url == "http://s3.sim"
        assert client.meta.region_name == "eu-west-1"
        assert client.meta.config.read_timeout == 9
        assert client.meta.config.retries == {"mode": "standard", "total_max_attempts": 2}
        assert client.meta.service_model.service_name == "s3"
        assert client.meta.method_to_api_mapping["put_object"] == "PutObject"
        with pytest.raises(NotModelled):
            client.meta.events.register("before-send.s3", print)

    world.run(program, region_name="eu-west-1", config=Config(read_timeout=9, retries={"max_attempts": 1}))


def test_what_the_client_does_not_have(world: StoreWorld) -> None:
    def program(client: Any) -> None:
        for method in ("put_object_tagging", "generate_presigned_url", "get_waiter", "select_object_content"):
            with pytest.raises(NotModelled, match=method):
                getattr(client, method)(Bucket=BUCKET)
        with pytest.raises(AttributeError):
            client.put_objekt  # noqa: B018
        with pytest.raises(exceptions.OperationNotPageableError):
            client.get_paginator("put_object")
        assert client.can_paginate("list_objects_v2")
        assert not client.can_paginate("head_object")
        client.close()

    world.run(program)


def test_every_modelled_parameter_exists_in_botocore() -> None:
    service = service_model()
    assert set(MODELLED) == set(service.operations)
    for name, parameters in MODELLED.items():
        shape = service.operations[name].shape
        assert parameters <= set(shape.members), name
        assert not parameters & set(HARMLESS), name


def test_sessions_and_other_ways_to_a_client(world: StoreWorld) -> None:
    def program(_: Any) -> list[Any]:
        session = boto3.session.Session(region_name="eu-west-1")
        assert isinstance(session, boto3.session.Session)
        assert (session.region_name, session.profile_name) == ("eu-west-1", "default")
        clients = [
            session.client("s3", endpoint_url="http://s3.sim"), boto3.Session().client("s3", None, None, True, None, "http://s3.sim"),
            botocore.session.Session().create_client("s3", endpoint_url="http://s3.sim"),
        ]
        assert clients[0].meta.region_name == "eu-west-1"
        with pytest.raises(NotModelled):
            boto3.resource("s3")
        with pytest.raises(NotModelled):
            session.resource("s3")
        with pytest.raises(NotModelled):
            boto3.client("sqs")
        with pytest.raises(exceptions.ProfileNotFound):
            boto3.session.Session(profile_name="mine")
        with pytest.raises(TypeError, match="unexpected keyword"):
            world.client(endpoint="x")
        return [_list(client) for client in clients]

    assert world.run(program) == [200, 200, 200]


def test_a_location_without_a_store_meets_the_real_boto3_and_the_fence(world: StoreWorld) -> None:
    bare = world.kernel.location("bare", environ={"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"})
    with installed():
        task = world.kernel.spawn(lambda: boto3.client("s3", region_name="us-east-1"), location=bare)
        world.kernel.run_until_done(task)
    assert task.error is None
    assert isinstance(task.result, BaseClient)
    assert {finding.kind for finding in bare.findings} == {"file-system"}


def test_outside_a_location_boto3_is_itself() -> None:
    before = boto3.client, boto3.session.Session, botocore.session.Session.create_client
    with installed():
        assert boto3.session.Session is not before[1]
        session = boto3.session.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1")
        assert type(session) is before[1]
        assert isinstance(session, boto3.session.Session)
        assert session.client("s3").meta.endpoint_url == "https://s3.amazonaws.com"
    assert (boto3.client, boto3.session.Session, botocore.session.Session.create_client) == before


def test_two_stores_in_two_worlds_do_not_mix(make_world: Callable[..., StoreWorld]) -> None:
    one, two = make_world(), make_world()
    one.run(lambda client: client.put_object(**NAMES, Body=b"x"))
    assert two.run(lambda client: answer_of(lambda: client.head_object(**NAMES))) == "404 404"

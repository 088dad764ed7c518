"""The device as the kit sees it: configuration, options, limits, log, census, healing, one digest per seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from storcert.harness.kernel.loop import Kernel
from storcert.harness.record.fault import Fault
from storcert.simulators.device import CensusEntry, SimulatedDevice
from storcert.simulators.object_store import ObjectStore, ObjectStoreOptions
from tests.simulators.object_store.conftest import BUCKET, StoreWorld, answer_of

NAMES = {"Bucket": BUCKET, "Key": "k"}


def test_it_is_a_simulated_device(world: StoreWorld) -> None:
    device: SimulatedDevice = world.store
    assert device.name == "object-store"
    assert device.configuration() == {
        "endpoint_url": "http://s3.sim", "bucket": "storcert", "prefix": "", "region_name": "us-east-1"}


def test_defaults_are_those_of_s3() -> None:
    store = ObjectStore(Kernel(0))
    assert store.options.dialect == "aws"
    assert store.limits.part_size_bytes == 5 * 1024**2
    assert store.limits.page_size == 1000
    assert store.limits.name_bytes_max == 1024
    assert store.limits.max_object_size_bytes == 5 * 1024**4


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"dialekt": "aws"}, "no option 'dialekt'"), ({"dialect": "minio"}, "no such dialect"),
        ({"page_size": "3"}, "is no int"), ({"page_size": True}, "is no int"), ({"latency_ns": -1}, "too small"),
        ({"put_bytes_per_s": 0}, "too small"), ({"face": "web"}, "there are native and moto"),
    ],
)
def test_wrong_options(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ObjectStore(Kernel(0), options)


def test_options_may_be_a_value() -> None:
    assert ObjectStore(Kernel(0), ObjectStoreOptions(versioning=True)).options.versioning


def test_attaching_sets_the_credentials_there(world: StoreWorld) -> None:
    assert world.here.environ["AWS_ACCESS_KEY_ID"] == world.store.options.access_key
    assert world.here.environ["AWS_SECRET_ACCESS_KEY"] == world.store.options.secret_key


def test_every_attempt_stands_in_the_log(world: StoreWorld) -> None:
    def program(client: Any) -> None:
        client.put_object(**NAMES, Body=b"12345")
        client.get_object(**NAMES, Range="bytes=1-3")["Body"].read()
        answer_of(lambda: client.head_object(Bucket=BUCKET, Key="none"))

    world.arm(Fault("throttle"))
    world.run(program)
    assert [
        (request.operation, request.target, request.sent_bytes, request.received_bytes, request.answer)
        for request in world.store.requests
    ] == [
        ("PutObject", "storcert/k", 5, 0, "SlowDown"), ("PutObject", "storcert/k", 5, 0, "ok"),
        ("GetObject", "storcert/k", 0, 3, "ok"), ("HeadObject", "storcert/none", 0, 0, "NoSuchKey"),
    ]


def test_the_census_lists_all_there_is(make_world: Callable[..., StoreWorld]) -> None:
    world = make_world(versioning=True)

    def program(client: Any) -> tuple[str, ...]:
        old = client.put_object(**NAMES, Body=b"1")["VersionId"]
        new = client.put_object(**NAMES, Body=b"22")["VersionId"]
        marker = client.delete_object(Bucket=BUCKET, Key="gone")["VersionId"]
        upload = client.create_multipart_upload(**NAMES)["UploadId"]
        client.upload_part(**NAMES, UploadId=upload, PartNumber=3, Body=b"333")
        return old, new, marker, upload

    old, new, marker, upload = world.run(program)
    assert world.store.census() == (
        CensusEntry("delete-marker", "storcert/gone", marker, 0), CensusEntry("object", "storcert/k", new, 2),
        CensusEntry("part", "storcert/k", f"{upload}/00003", 3), CensusEntry("upload", "storcert/k", upload, 0),
        CensusEntry("version", "storcert/k", old, 1),
    )


def test_healing_ends_every_fault(world: StoreWorld) -> None:
    def program(client: Any) -> list[Any]:
        world.arm(Fault("full"), Fault("throttle", nth=2, count=0))
        seen = [answer_of(lambda: client.put_object(**NAMES, Body=b""))]
        world.store.heal()
        return [*seen, answer_of(lambda: client.put_object(**NAMES, Body=b""))]

    world.arm()
    assert world.run(program) == ["QuotaExceeded 403", 200]


def test_one_seed_one_world(make_world: Callable[..., StoreWorld]) -> None:
    def digest(seed: int) -> str:
        world = make_world(seed=seed)
        world.arm(Fault("throttle", nth=3), Fault("slow", nth=5, value=10**8), Fault("internal_error", nth=7))

        def program(client: Any) -> None:
            for number in range(10):
                client.put_object(Bucket=BUCKET, Key=str(number), Body=bytes(number))
            client.list_objects_v2(Bucket=BUCKET)

        world.run(program)
        return world.kernel.digest()

    assert digest(5) == digest(5)
    assert digest(5) != digest(6)


def test_ids_come_from_the_seed(make_world: Callable[..., StoreWorld]) -> None:
    begin = lambda client: client.create_multipart_upload(**NAMES)["UploadId"]  # noqa: E731
    first, again, other = (make_world(seed=seed).run(begin) for seed in (1, 1, 2))
    assert first == again != other


def test_bigger_bodies_take_longer(world: StoreWorld) -> None:
    def program(client: Any) -> list[int]:
        times: list[int] = []
        for size in (0, 6_500_000):
            start_ns = world.kernel.now_ns
            client.put_object(**NAMES, Body=bytes(size))
            times.append(world.kernel.now_ns - start_ns)
        return times

    small_ns, big_ns = world.run(program)
    assert 3_000_000 < small_ns < 4_000_000
    assert 100_000_000 < big_ns - small_ns < 101_000_000, "65 MB/s"

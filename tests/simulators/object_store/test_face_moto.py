"""The moto face: real boto3 at a simulated location, the device's legal faults, virtual time, private state."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore import exceptions
from botocore.config import Config

from storcert.harness.kernel.interpose.install import installed
from storcert.harness.kernel.loop import Kernel
from storcert.harness.record.fault import Fault, Phase
from storcert.simulators.object_store import ObjectStore

BUCKET = "storcert"
READ_TIMEOUT_S = 60
ATTEMPTS = 3
NAMES = {"Bucket": BUCKET, "Key": "a"}


class World:
    """One kernel, one location, one store with the moto face."""

    def __init__(self, seed: int = 1, **options: Any) -> None:
        self.kernel = Kernel(seed)
        self.store = ObjectStore(self.kernel, {"face": "moto", "dialect": "moto", "part_size_min_bytes": 10, **options})
        self.location = self.kernel.location("here")
        self.store.attach(self.location)
        self.took_s = 0.0

    def run(self, function: Callable[[Any], Any], **arguments: Any) -> Any:
        """``function(client)`` at the location; its result, or the exception it raised, as a value."""

        def body() -> Any:
            import boto3

            client = boto3.client("s3", **{"endpoint_url": "http://s3.sim", "region_name": "us-east-1", **arguments})
            start_ns = self.kernel.now_ns
            try:
                return function(client)
            except exceptions.BotoCoreError as error:
                return error
            except exceptions.ClientError as error:
                return error
            finally:
                self.took_s = (self.kernel.now_ns - start_ns) / 1e9

        task = self.kernel.spawn(body, location=self.location, name="test")
        self.kernel.run_until_done(task)
        if task.error is not None:
            raise task.error
        return task.result

    def put(self, body: bytes = b"old") -> Any:
        return self.run(lambda client: client.put_object(**NAMES, Body=body))

    def census(self) -> list[tuple[str, str, int]]:
        return [(entry.kind, entry.name, entry.size_bytes) for entry in self.store.census()]

    def answers(self) -> list[str]:
        return [request.answer for request in self.store.requests]


@pytest.fixture(scope="module", autouse=True)
def fence() -> Iterator[None]:
    with installed():
        yield


@pytest.fixture
def new_world() -> Iterator[Callable[..., World]]:
    made: list[World] = []

    def make(**options: Any) -> World:
        made.append(World(**options))
        return made[-1]

    yield make
    for world in made:
        world.kernel.close()
        world.store.close()


@pytest.fixture
def world(new_world: Callable[..., World]) -> World:
    return new_world()


def test_objects_come_back_as_they_went(world: World) -> None:
    def program(client: Any) -> Any:
        client.put_object(**NAMES, Body=io.BytesIO(b"hello"), Metadata={"k": "v"})
        answer = client.get_object(**NAMES)
        return answer["Body"].read(), answer["Metadata"], client.list_objects_v2(Bucket=BUCKET)["Contents"][0]["Key"]

    assert world.run(program) == (b"hello", {"k": "v"}, "a")
    assert [request.operation for request in world.store.requests] == ["PutObject", "GetObject", "ListObjectsV2"]
    assert [request.target for request in world.store.requests] == [f"{BUCKET}/a", f"{BUCKET}/a", BUCKET]
    assert [(request.sent_bytes, request.received_bytes) for request in world.store.requests] == [(5, 0), (0, 5), (0, 0)]
    assert world.location.findings == []


def test_what_the_native_model_has_not_is_motos_answer(world: World) -> None:
    def program(client: Any) -> Any:
        client.put_object(**NAMES, Body=b"")
        client.put_object_tagging(**NAMES, Tagging={"TagSet": [{"Key": "x", "Value": "y"}]})
        return client.get_object_tagging(**NAMES)["TagSet"]

    assert world.run(program) == [{"Key": "x", "Value": "y"}]


@pytest.mark.parametrize("style", ["path", "virtual"])
def test_both_addressing_styles_and_odd_keys(world: World, style: Any) -> None:
    keys = ["a b", "a+b", "%41", "é", "a//b", "k&<>\"'", "a?b#c", "dir/"]

    def program(client: Any) -> Any:
        for key in keys:
            client.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
        return [client.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode() for key in keys]

    assert world.run(program, config=Config(s3={"addressing_style": style})) == keys
    assert sorted(name for _, name, _ in world.census()) == sorted(f"{BUCKET}/{key}" for key in keys)


def test_a_body_takes_its_time(world: World) -> None:
    world.put(bytes(3_000_000))
    assert 0.04 < world.took_s < 0.08  # 3 MB at 65 MB/s
    world.run(lambda client: client.get_object(**NAMES)["Body"].read(1))
    assert world.took_s < 0.005
    world.run(lambda client: client.get_object(**NAMES)["Body"].read())
    assert 0.01 < world.took_s < 0.02  # at 300 MB/s


@pytest.mark.parametrize(
    ("kind", "phase", "value", "error", "at_least_s"),
    [
        ("request_lost", Phase.BEFORE, 0, exceptions.ReadTimeoutError, ATTEMPTS * READ_TIMEOUT_S),
        ("answer_lost", Phase.AFTER, 0, exceptions.ReadTimeoutError, ATTEMPTS * READ_TIMEOUT_S),
        ("answer_lost", Phase.AFTER, 1, exceptions.ConnectionClosedError, 0),
        ("cut", Phase.DURING, 1, exceptions.ConnectionClosedError, 0),
        ("server_restart", Phase.BEFORE, 3600 * 10**9, exceptions.EndpointConnectionError, 0),
    ],
)
def test_a_broken_wire_is_botocores_own_error_after_its_own_retries(
    world: World, kind: str, phase: Phase, value: int, error: type[Exception], at_least_s: int
) -> None:
    world.store.arm([Fault(kind, "PutObject", phase=phase, value=value, count=0)])
    real_s = time.perf_counter()
    assert isinstance(world.put(b"new"), error)
    assert len(world.store.requests) == ATTEMPTS
    assert world.took_s >= at_least_s
    assert time.perf_counter() - real_s < 5


@pytest.mark.parametrize(
    ("kind", "code", "requests"),
    [("throttle", "SlowDown", ATTEMPTS), ("internal_error", "InternalError", ATTEMPTS),
     ("expired_credentials", "ExpiredToken", 1), ("full", "QuotaExceeded", 1)],
)  # fmt: skip
def test_what_the_device_answers_is_parsed_by_botocore(world: World, kind: str, code: str, requests: int) -> None:
    world.store.arm([Fault(kind, "PutObject", count=0)])
    error = world.put(b"new")
    assert isinstance(error, exceptions.ClientError)
    assert error.response["Error"]["Code"] == code
    assert error.response["ResponseMetadata"]["RetryAttempts"] == requests - 1
    assert world.answers() == [code] * requests
    assert world.census() == []
    world.store.heal()
    world.put(b"new")
    assert world.census() == [("object", f"{BUCKET}/a", 3)]


def test_three_retries_sleep_virtual_seconds_and_no_real_time(world: World) -> None:
    world.store.arm([Fault("throttle", "PutObject", count=3)])
    real_s = time.perf_counter()
    four = Config(retries={"mode": "standard", "total_max_attempts": 4})
    answer = world.run(lambda client: client.put_object(**NAMES, Body=b"x"), config=four)
    assert answer["ResponseMetadata"]["RetryAttempts"] == 3
    assert world.took_s > 0.5
    assert time.perf_counter() - real_s < min(world.took_s, 0.5)


def test_backoff_is_drawn_from_the_seed(new_world: Callable[..., World]) -> None:
    def digest(seed: int) -> tuple[float, str]:
        world = new_world(seed=seed)
        world.store.arm([Fault("throttle", "PutObject", count=2)])
        world.put()
        return world.took_s, world.kernel.digest()

    assert digest(5) == digest(5)
    assert digest(5)[0] != digest(6)[0]


def test_an_error_in_a_200_is_found_by_botocore_and_retried(world: World) -> None:
    world.put(b"old")
    world.store.arm([Fault("ok_with_error", "CopyObject", count=1)])
    answer = world.run(lambda client: client.copy_object(Bucket=BUCKET, Key="b", CopySource=f"{BUCKET}/a"))
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1
    assert world.answers() == ["ok", "InternalError", "ok"]


@pytest.mark.parametrize(("kind", "phase"), [("answer_lost", Phase.AFTER), ("internal_error", Phase.AFTER)])
def test_an_answer_lost_after_the_effect_leaves_the_effect(world: World, kind: str, phase: Phase) -> None:
    world.store.arm([Fault(kind, "PutObject", phase=phase)])
    error = world.run(lambda client: client.put_object(**NAMES, Body=b"new"), config=Config(retries={"total_max_attempts": 1}))
    assert isinstance(error, exceptions.ReadTimeoutError | exceptions.ClientError)
    assert world.census() == [("object", f"{BUCKET}/a", 3)]


def test_the_retry_of_a_conditional_put_meets_its_own_first_effect(world: World) -> None:
    world.store.arm([Fault("answer_lost", "PutObject", phase=Phase.AFTER, value=1)])
    error = world.run(lambda client: client.put_object(**NAMES, Body=b"new", IfNoneMatch="*"))
    assert isinstance(error, exceptions.ClientError)
    assert error.response["Error"]["Code"] == "PreconditionFailed"
    assert world.census() == [("object", f"{BUCKET}/a", 3)]


@pytest.mark.parametrize("step", [None, 300])
def test_a_cut_body_raises_and_is_never_a_short_end(world: World, step: int | None) -> None:
    world.put(bytes(100_000))
    world.store.arm([Fault("cut", "GetObject", phase=Phase.DURING, value=1000)])
    got = 0

    def program(client: Any) -> None:
        nonlocal got
        body = client.get_object(**NAMES)["Body"]
        while data := body.read(step):
            got += len(data)

    error = world.run(program)
    assert isinstance(error, exceptions.ResponseStreamingError | exceptions.IncompleteReadError)
    assert got == (1000 if step else 0)
    assert world.store.requests[-1].received_bytes == 1000


def test_a_crash_before_the_effect_leaves_nothing_and_after_it_everything(new_world: Callable[..., World]) -> None:
    for phase, left in ((Phase.BEFORE, 0), (Phase.DURING, 0), (Phase.AFTER, 1)):
        world = new_world()
        world.store.arm([Fault("crash", "PutObject", phase=phase)])
        world.put(b"new")
        assert not world.location.alive
        assert len(world.census()) == left


def test_census_shows_versions_markers_uploads_and_parts(new_world: Callable[..., World]) -> None:
    world = new_world(versioning=True)

    def program(client: Any) -> str:
        client.put_object(**NAMES, Body=b"1")
        client.put_object(**NAMES, Body=b"22")
        client.put_object(Bucket=BUCKET, Key="b", Body=b"333")
        client.delete_object(Bucket=BUCKET, Key="b")
        upload = client.create_multipart_upload(Bucket=BUCKET, Key="c")["UploadId"]
        for number, size in ((1, 10), (2, 4)):
            client.upload_part(Bucket=BUCKET, Key="c", UploadId=upload, PartNumber=number, Body=bytes(size))
        return str(upload)

    upload = world.run(program)
    assert world.census() == [
        ("delete-marker", f"{BUCKET}/b", 0), ("object", f"{BUCKET}/a", 2), ("part", f"{BUCKET}/c", 10),
        ("part", f"{BUCKET}/c", 4), ("upload", f"{BUCKET}/c", 0), ("version", f"{BUCKET}/a", 1), ("version", f"{BUCKET}/b", 3),
    ]  # fmt: skip
    details = [entry.detail for entry in world.store.census() if entry.kind in ("part", "upload")]
    assert details == [f"{upload}/00001", f"{upload}/00002", upload]


def test_two_devices_do_not_see_each_other_and_the_same_seed_gives_the_same_ids(new_world: Callable[..., World]) -> None:
    def program(client: Any) -> str:
        client.put_object(**NAMES, Body=b"x")
        return str(client.create_multipart_upload(Bucket=BUCKET, Key="u")["UploadId"])

    first, second, other = new_world(seed=3), new_world(seed=3), new_world(seed=4)
    upload = first.run(program)
    assert second.census() == []
    assert second.run(program) == upload
    assert other.run(program) != upload
    first.run(lambda client: client.delete_object(**NAMES))
    assert ("object", f"{BUCKET}/a", 1) in second.census()
    assert ("object", f"{BUCKET}/a", 1) not in first.census()


def test_closing_leaves_nothing_in_motos_modules(new_world: Callable[..., World]) -> None:
    import moto.s3.models as models

    tracked: list[Any] = models.FakeKey.instances_tracked  # type: ignore[attr-defined]  # pyright: ignore
    before = len(tracked), dict(models.s3_backends)
    world = new_world()
    world.put()
    world.store.close()
    assert (len(tracked), dict(models.s3_backends)) == before


def test_credentials_and_settings_come_from_the_location_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://elsewhere.example")
    assert world.run(lambda client: client.meta.config.retries).get("total_max_attempts") != 1
    world.location.environ["AWS_ENDPOINT_URL"] = "http://s3.sim"
    world.run(lambda client: client.put_object(**NAMES, Body=b""), endpoint_url=None)
    assert world.answers() == ["ok"]
    del world.location.environ["AWS_ACCESS_KEY_ID"], world.location.environ["AWS_SECRET_ACCESS_KEY"]
    assert isinstance(world.put(), exceptions.NoCredentialsError)
    assert os.environ["AWS_MAX_ATTEMPTS"] == "1"


def test_another_endpoint_is_not_reached(world: World) -> None:
    error = world.run(lambda client: client.put_object(**NAMES, Body=b""), endpoint_url="http://elsewhere.example")
    assert isinstance(error, exceptions.EndpointConnectionError)
    assert world.store.requests == []


def test_a_session_of_the_driver_gives_the_same_client(world: World) -> None:
    def program(_: Any) -> str:
        import boto3

        session = boto3.session.Session(region_name="us-east-1")
        client: Any = session.client("s3", endpoint_url="http://s3.sim")
        return str(client.put_object(**NAMES, Body=b"x")["ETag"])

    assert world.run(program) == '"9dd4e461268c8034f5c8564e155c67a6"'


def test_a_fresh_client_is_cheap(world: World) -> None:
    def program(_: Any) -> float:
        import boto3

        best_s = 1.0
        for _attempt in range(20):
            with_clock = _real_clock()
            boto3.client("s3", endpoint_url="http://s3.sim", region_name="us-east-1")
            best_s = min(best_s, _real_clock() - with_clock)
        return best_s

    assert world.run(program) < 0.005


def _real_clock() -> float:
    from storcert.harness.kernel.context import outside

    with outside():
        return time.perf_counter()


def test_the_same_calls_take_the_same_virtual_time_and_leave_the_same_log_as_on_the_native_face(
    new_world: Callable[..., World],
) -> None:
    def program(client: Any) -> None:
        client.put_object(**NAMES, Body=bytes(1_000_000))
        client.put_object(Bucket=BUCKET, Key="b/é x", Body=b"1")
        client.get_object(**NAMES)["Body"].read()
        client.head_object(**NAMES)
        client.list_objects_v2(Bucket=BUCKET, Delimiter="/")
        client.copy_object(Bucket=BUCKET, Key="c", CopySource=f"{BUCKET}/a")
        upload = {**NAMES, "UploadId": client.create_multipart_upload(**NAMES)["UploadId"]}
        etag = client.upload_part(**upload, PartNumber=1, Body=b"part")["ETag"]
        client.list_parts(**upload)
        client.complete_multipart_upload(**upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})
        client.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "a"}, {"Key": "c"}]})
        client.delete_object(Bucket=BUCKET, Key="b/é x")

    logs = []
    for face in ("native", "moto"):
        world = new_world(face=face)
        assert world.run(program) is None
        logs.append([
            (request.time_ns, request.operation, request.target, request.sent_bytes, request.received_bytes, request.answer)
            for request in world.store.requests
        ])  # fmt: skip
        assert world.census() == []
    assert logs[0] == logs[1]

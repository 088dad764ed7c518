"""Legal faults through the native face: what the client sees, what the store holds, what the log says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore import exceptions
from botocore.config import Config

from storcert.harness.record.fault import Fault, Phase
from storcert.simulators.object_store.legal_faults import LEGAL_FAULTS, WRITES
from storcert.simulators.object_store.server import OPERATIONS
from tests.simulators.object_store.conftest import BUCKET, PART, StoreWorld, answer_of

NAMES = {"Bucket": BUCKET, "Key": "k"}
ONCE = Config(retries={"total_max_attempts": 1}, read_timeout=5)
B, D, A = Phase.BEFORE, Phase.DURING, Phase.AFTER
S = 1_000_000_000

PUT_FAULTS: list[tuple[Fault, type[Exception] | str, bool]] = [
    (Fault("throttle"), "SlowDown 503", False),
    (Fault("internal_error"), "InternalError 500", False),
    (Fault("internal_error", phase=A), "InternalError 500", True),
    (Fault("expired_credentials"), "ExpiredToken 403", False),
    (Fault("full"), "QuotaExceeded 403", False),
    (Fault("request_lost"), exceptions.ReadTimeoutError, False),
    (Fault("answer_lost", phase=A), exceptions.ReadTimeoutError, True),
    (Fault("answer_lost", phase=A, value=1), exceptions.ConnectionClosedError, True),
    (Fault("cut", phase=D, value=2), exceptions.ConnectionClosedError, False),
    (Fault("server_restart"), exceptions.ConnectionClosedError, False),
    (Fault("server_restart", phase=A), exceptions.ConnectionClosedError, True),
    (Fault("power_loss", phase=A), exceptions.ConnectionClosedError, True),
    (Fault("slow", phase=A, value=6 * S), exceptions.ReadTimeoutError, True),
]


@pytest.mark.parametrize(("fault", "seen", "stored"), PUT_FAULTS, ids=lambda value: str(value))
def test_a_put_that_is_struck_once_and_not_repeated(
    world: StoreWorld, fault: Fault, seen: type[Exception] | str, stored: bool
) -> None:
    world.arm(fault)
    if isinstance(seen, str):
        assert world.run(lambda client: answer_of(lambda: client.put_object(**NAMES, Body=b"data")), config=ONCE) == seen
    else:
        with pytest.raises(seen):
            world.run(lambda client: client.put_object(**NAMES, Body=b"data"), config=ONCE)
    assert (world.kinds() == ["object storcert/k"]) is stored
    assert world.store.fired == [fault]
    assert len(world.store.requests) == 1


@pytest.mark.parametrize(
    "fault", [fault for fault, _, _ in PUT_FAULTS if fault.kind not in ("full", "expired_credentials")], ids=str)
def test_botocore_repeats_a_put_by_itself(world: StoreWorld, fault: Fault) -> None:
    world.arm(fault)

    def program(client: Any) -> int:
        answer = client.put_object(**NAMES, Body=b"data")
        assert client.get_object(**NAMES)["Body"].read() == b"data"
        return answer["ResponseMetadata"]["RetryAttempts"]  # type: ignore[no-any-return]

    retries = world.run(program, config=Config(read_timeout=5, retries={"total_max_attempts": 8}))
    assert retries >= 1
    assert len(world.store.requests) == retries + 2


@pytest.mark.parametrize("operation", ["CopyObject", "CompleteMultipartUpload", "UploadPartCopy"])
@pytest.mark.parametrize("phase", [B, A])
def test_an_error_in_a_200_is_a_500_to_the_client(world: StoreWorld, operation: str, phase: Phase) -> None:
    world.arm(Fault("ok_with_error", operation=operation, phase=phase))

    def program(client: Any) -> Any:
        client.put_object(Bucket=BUCKET, Key="source", Body=b"data")
        if operation == "CopyObject":
            return answer_of(lambda: client.copy_object(**NAMES, CopySource=f"{BUCKET}/source"))
        upload = {**NAMES, "UploadId": client.create_multipart_upload(**NAMES)["UploadId"]}
        if operation == "UploadPartCopy":
            return answer_of(lambda: client.upload_part_copy(**upload, PartNumber=1, CopySource=f"{BUCKET}/source"))
        part = {"PartNumber": 1, "ETag": client.upload_part(**upload, PartNumber=1, Body=b"x")["ETag"]}
        return answer_of(lambda: client.complete_multipart_upload(**upload, MultipartUpload={"Parts": [part]}))

    assert world.run(program, config=ONCE) == "InternalError 500"
    done = "part storcert/k" if operation == "UploadPartCopy" else "object storcert/k"
    assert (done in world.kinds()) is (phase is A)


def test_a_full_store_refuses_writes_until_it_is_healed_and_deletes_work(world: StoreWorld) -> None:
    def program(client: Any) -> list[Any]:
        client.put_object(**NAMES, Body=b"x")
        world.arm(Fault("full"))

        def put() -> Any:
            return answer_of(lambda: client.put_object(**NAMES, Body=b"y"))

        seen = [put(), put(), answer_of(lambda: client.get_object(**NAMES)), answer_of(lambda: client.delete_object(**NAMES)),
                answer_of(lambda: client.create_multipart_upload(**NAMES))]
        world.store.heal()
        return [*seen, put()]

    assert world.run(program) == ["QuotaExceeded 403"] * 2 + [200, 204, "QuotaExceeded 403", 200]


def test_acknowledged_data_survives_a_power_loss(world: StoreWorld) -> None:
    def program(client: Any) -> bytes:
        client.put_object(**NAMES, Body=b"kept")
        world.arm(Fault("power_loss", value=3 * S))
        return client.get_object(**NAMES)["Body"].read()  # type: ignore[no-any-return]

    assert world.run(program, config=Config(retries={"total_max_attempts": 9})) == b"kept"


@pytest.mark.parametrize(
    ("fault", "read", "error"),
    [
        (Fault("cut", "GetObject", phase=D, value=40), lambda body: body.read(), exceptions.ResponseStreamingError),
        (Fault("cut", "GetObject", phase=D, value=40), lambda body: list(body.iter_chunks(30)), exceptions.IncompleteReadError),
        (Fault("cut", "GetObject", phase=D, value=0), lambda body: body.read(5), exceptions.IncompleteReadError),
        (Fault("cut", "GetObject", phase=D, value=999), lambda body: list(body.iter_chunks(99)),
         exceptions.IncompleteReadError),
        (Fault("slow", "GetObject", phase=D, value=9 * S), lambda body: body.read(), exceptions.ReadTimeoutError),
    ],
)
def test_a_body_that_breaks_off_raises_what_botocore_raises(
    world: StoreWorld, fault: Fault, read: Callable[[Any], Any], error: type[Exception]
) -> None:
    # Checked against a real server on loopback that closes, or stops sending, in the middle of a body.
    def program(client: Any) -> None:
        client.put_object(**NAMES, Body=b"x" * 100)
        world.arm(fault)
        body = client.get_object(**NAMES)["Body"]
        with pytest.raises(error):
            read(body)

    world.run(program, config=ONCE)


def test_a_server_that_dies_while_a_body_is_read_is_a_reset(world: StoreWorld) -> None:
    def program(client: Any) -> None:
        client.put_object(**NAMES, Body=bytes(10**6))
        body = client.get_object(**NAMES)["Body"]
        assert len(body.read(10)) == 10
        world.store.wire.take_down(S)
        with pytest.raises(exceptions.ResponseStreamingError, match="Connection reset by peer"):
            body.read()

    world.run(program)


def test_a_body_takes_time_while_it_is_read(world: StoreWorld) -> None:
    def program(client: Any) -> tuple[int, int]:
        client.put_object(**NAMES, Body=bytes(3_000_000))
        body = client.get_object(**NAMES)["Body"]
        start_ns = world.kernel.now_ns
        body.read(1_500_000)
        half_ns = world.kernel.now_ns - start_ns
        body.read()
        return half_ns, world.kernel.now_ns - start_ns

    assert world.run(program) == (5_000_000, 10_000_000), "300 MB/s"
    assert world.store.requests[-1].received_bytes == 3_000_000


def test_a_body_nobody_reads_costs_nothing(world: StoreWorld) -> None:
    world.run(lambda client: (client.put_object(**NAMES, Body=bytes(10**6)), client.get_object(**NAMES)))
    assert world.store.requests[-1].received_bytes == 0


@pytest.mark.parametrize(("phase", "stored"), [(B, False), (D, False), (A, True)])
def test_crash_points(world: StoreWorld, phase: Phase, stored: bool) -> None:
    world.arm(Fault("crash", "PutObject", nth=2, phase=phase))

    def program(client: Any) -> None:
        for key in ("a", "b", "c"):
            client.put_object(Bucket=BUCKET, Key=key, Body=b"xx")

    with pytest.raises(AssertionError, match="crashed"):
        world.run(program)
    assert not world.here.alive
    assert world.kinds() == ["object storcert/a"] + ["object storcert/b"] * stored


def test_two_clients_in_a_race_have_one_winner(make_world: Callable[..., StoreWorld]) -> None:
    for seed in range(5):
        world = make_world(seed=seed)
        results: list[Any] = []

        def program(client: Any, world: StoreWorld = world, results: list[Any] = results) -> None:
            def racer(other: Any) -> None:
                results.append(answer_of(lambda: other.put_object(**NAMES, Body=b"x" * PART, IfNoneMatch="*")))

            for task in [world.spawn(racer, world.location(name)) for name in ("one", "two", "three")]:
                world.kernel.join(task)

        world.run(program)
        assert results.count(200) == 1


def test_a_retry_of_a_conditional_put_meets_its_own_success(world: StoreWorld) -> None:
    """The trap of every exactly-once driver: the answer is lost, botocore repeats, and the repeat is refused."""
    world.arm(Fault("answer_lost", phase=A, value=1))
    assert world.run(lambda client: answer_of(lambda: client.put_object(**NAMES, Body=b"x", IfNoneMatch="*"))) in (
        "PreconditionFailed 412", "ConditionalRequestConflict 409")


def test_arming_an_illegal_fault_is_refused(world: StoreWorld) -> None:
    for fault in (Fault("bit_rot"), Fault("throttle", phase=A), Fault("full", operation="GetObject")):
        with pytest.raises(ValueError, match="legal"):
            world.arm(fault)


def test_legal_faults_are_described_and_name_operations_that_exist() -> None:
    assert len({kind.name for kind in LEGAL_FAULTS}) == len(LEGAL_FAULTS)
    for kind in LEGAL_FAULTS:
        assert kind.description
        assert kind.source
        assert kind.operations == ("*",) or set(kind.operations) <= set(OPERATIONS)
    assert set(WRITES) <= set(OPERATIONS)

"""Managed transfers: boto3's own, with s3transfer's threads as tasks; which requests they make, what is left when they fail."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError
from s3transfer.exceptions import RetriesExceededError

from storcert.harness.record.fault import Fault, Phase
from tests.simulators.object_store.conftest import BUCKET, StoreWorld

SMALL = TransferConfig(multipart_threshold=20, multipart_chunksize=16)
PART = 5 * 1024**2  # s3transfer makes no smaller parts of an upload, whatever it is told
ONCE = Config(retries={"total_max_attempts": 1})


class _OneWay(io.RawIOBase):
    """A body that can only be read."""

    def __init__(self, data: bytes) -> None:
        self._source = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._source.read(size)


@pytest.mark.parametrize(
    ("size", "requests"),
    [
        (0, ["PutObject"]), (19, ["PutObject"]),
        (20, ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"]),
        (PART, ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"]),
        (PART + 1, ["CreateMultipartUpload", "UploadPart", "UploadPart", "CompleteMultipartUpload"]),
    ],
)
@pytest.mark.parametrize("source", [io.BytesIO, _OneWay])
def test_upload(world: StoreWorld, size: int, requests: list[str], source: Callable[[bytes], Any]) -> None:
    body = (bytes(range(251)) * (size // 251 + 1))[:size]
    moved: list[int] = []

    def program(client: Any) -> bytes:
        client.upload_fileobj(source(body), BUCKET, "k", ExtraArgs={"ContentType": "a/b"}, Callback=moved.append, Config=SMALL)
        got = client.get_object(Bucket=BUCKET, Key="k")
        assert got["ContentType"] == "a/b"
        return got["Body"].read()  # type: ignore[no-any-return]

    assert world.run(program) == body
    assert world.operations()[:-1] == requests
    assert sum(moved) == size


def test_a_failed_upload_is_aborted(world: StoreWorld) -> None:
    world.arm(Fault("internal_error", operation="UploadPart", nth=2))
    with pytest.raises(ClientError, match="InternalError"):
        world.run(lambda client: client.upload_fileobj(io.BytesIO(bytes(2 * PART)), BUCKET, "k", Config=SMALL), config=ONCE)
    assert world.store.census() == ()
    assert world.operations()[-1] == "AbortMultipartUpload"


@pytest.mark.parametrize("size", [0, 19, 20, 33])
def test_download(world: StoreWorld, size: int) -> None:
    body = bytes(range(size))
    target = io.BytesIO()

    def program(client: Any) -> None:
        client.put_object(Bucket=BUCKET, Key="k", Body=body)
        client.download_fileobj(BUCKET, "k", target, Config=SMALL)

    world.run(program)
    assert target.getvalue() == body
    assert world.operations()[1:] == ["HeadObject", *["GetObject"] * (1 if size < 20 else -(-size // 16))]


def test_a_broken_download_is_asked_for_again(world: StoreWorld) -> None:
    target = io.BytesIO()

    def program(client: Any) -> None:
        client.put_object(Bucket=BUCKET, Key="k", Body=b"0123456789")
        world.arm(Fault("cut", operation="GetObject", phase=Phase.DURING, value=3, count=4))
        client.download_fileobj(BUCKET, "k", target)

    world.run(program)
    assert target.getvalue() == b"0123456789"
    assert world.operations().count("GetObject") == 5


def test_a_download_that_always_breaks_gives_up(world: StoreWorld) -> None:
    def program(client: Any) -> None:
        client.put_object(Bucket=BUCKET, Key="k", Body=b"0123456789")
        world.arm(Fault("cut", operation="GetObject", phase=Phase.DURING, value=3, count=0))
        client.download_fileobj(BUCKET, "k", io.BytesIO())

    with pytest.raises(RetriesExceededError):
        world.run(program)


def test_download_of_nothing(world: StoreWorld) -> None:
    with pytest.raises(ClientError, match="404"):
        world.run(lambda client: client.download_fileobj(BUCKET, "none", io.BytesIO()))


@pytest.mark.parametrize(("size", "operation"), [(10, "CopyObject"), (33, "UploadPartCopy")])
def test_managed_copy(world: StoreWorld, size: int, operation: str) -> None:
    def program(client: Any) -> bytes:
        client.put_object(Bucket=BUCKET, Key="source", Body=bytes(range(size)))
        client.copy({"Bucket": BUCKET, "Key": "source"}, BUCKET, "k", Config=SMALL)
        return client.get_object(Bucket=BUCKET, Key="k")["Body"].read()  # type: ignore[no-any-return]

    assert world.run(program) == bytes(range(size))
    assert operation in world.operations()


@pytest.mark.parametrize("use_threads", [True, False])
def test_real_botocore_and_the_native_client_do_the_same(use_threads: bool) -> None:
    """Threads, requests and their order, to the digest."""
    config = TransferConfig(
        multipart_threshold=PART, multipart_chunksize=PART, max_concurrency=3, io_chunksize=1 << 20, use_threads=use_threads)
    body = bytes(range(250)) * (2 * PART // 250 + 9)

    def program(client: Any) -> bytes:
        client.upload_fileobj(io.BytesIO(body), BUCKET, "k", Config=config)
        target = io.BytesIO()
        client.download_fileobj(BUCKET, "k", target, Config=config)
        return target.getvalue()

    runs = []
    for face in ("native", "moto", "native"):
        world = StoreWorld(part_size_min_bytes=PART, face=face)
        assert world.run(program) == body
        times = [(one.operation, one.time_ns, one.task) for one in world.store.requests]
        runs.append((times, world.kernel.digest()))
        world.kernel.close()
    assert runs[0] == runs[1] == runs[2]
    parts = [time_ns for operation, time_ns, _ in runs[0][0] if operation == "UploadPart"]
    assert len(parts) == 3
    ends = [one.ended_ns for one in world.store.requests if one.operation == "UploadPart"]
    assert (max(parts) < min(end or 0 for end in ends)) is use_threads


def test_wrong_arguments(world: StoreWorld) -> None:
    def program(client: Any) -> None:
        with pytest.raises(ValueError, match="Invalid extra_args key 'Nonsense'"):
            client.upload_fileobj(io.BytesIO(), BUCKET, "k", ExtraArgs={"Nonsense": 1})
        with pytest.raises(ValueError, match="must implement read"):
            client.upload_fileobj("text", BUCKET, "k")
        with pytest.raises(ValueError, match="must implement write"):
            client.download_fileobj(BUCKET, "k", "text")

    world.run(program)


def test_files_are_the_fences_affair(world: StoreWorld) -> None:
    with pytest.raises(OSError):
        world.run(lambda client: client.upload_file("/etc/hostname", BUCKET, "k"))
    assert [finding.kind for finding in world.here.findings] == ["file-system"]

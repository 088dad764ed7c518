"""An answer whose connection ends in good order after the head: every face gives what botocore gives on a real socket."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
import urllib3
from botocore.config import Config

from storcert.harness.record.fault import Fault, Phase
from storcert.simulators.object_store.legal_faults import LATER_FAULTS
from storcert.simulators.object_store.service_model import service_model
from tests.simulators.object_store.conftest import BUCKET, PART, StoreWorld, answer_of

OPERATIONS = next(kind for kind in LATER_FAULTS if kind.name == "head_only").operations
ONCE = Config(retries={"total_max_attempts": 1, "mode": "standard"}, s3={"addressing_style": "path"})
KEY = {"Bucket": BUCKET, "Key": "k"}
HEADER = SimpleNamespace(serialization={"location": "header"})
HEAD = b'HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: 400\r\n\r\n'
Ask = Callable[[Any, str], Mapping[str, Any]]

ASKED: Mapping[str, Ask] = {
    "ListObjectsV2": lambda client, _: client.list_objects_v2(Bucket=BUCKET),
    "ListObjects": lambda client, _: client.list_objects(Bucket=BUCKET),
    "ListObjectVersions": lambda client, _: client.list_object_versions(Bucket=BUCKET),
    "ListMultipartUploads": lambda client, _: client.list_multipart_uploads(Bucket=BUCKET),
    "ListParts": lambda client, upload: client.list_parts(**KEY, UploadId=upload),
    "CreateMultipartUpload": lambda client, _: client.create_multipart_upload(**KEY),
    "CopyObject": lambda client, _: client.copy_object(Bucket=BUCKET, Key="copy", CopySource=f"{BUCKET}/k"),
    "UploadPartCopy": lambda client, upload: client.upload_part_copy(
        **KEY, UploadId=upload, PartNumber=2, CopySource=f"{BUCKET}/k"),
    "CompleteMultipartUpload": lambda client, upload: client.complete_multipart_upload(
        **KEY, UploadId=upload, MultipartUpload={"Parts": [part_1(client, upload)]}),
}  # fmt: skip


def part_1(client: Any, upload: str) -> dict[str, Any]:
    if not upload:
        return {"PartNumber": 1, "ETag": '"x"'}
    return {"PartNumber": 1, "ETag": client.list_parts(**KEY, UploadId=upload)["Parts"][0]["ETag"]}


def of_the_document(operation: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    """Without what stands in the head, which the server on loopback does not fill in."""
    members = service_model().operations[operation].botocore_model.output_shape.members
    return {name: value for name, value in answer.items() if not members.get(name, HEADER).serialization.get("location")}


@contextmanager
def heads_only() -> Iterator[str]:
    """A server on loopback that reads a request and ends the connection in good order after the head of its answer."""

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as lines:
                length = 0
                while (line := lines.readline().strip()):
                    name, _, value = line.partition(b":")
                    length = int(value) if name.lower() == b"content-length" else length
                lines.read(length)
                connection.sendall(HEAD)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module")
def real() -> dict[str, Any]:
    """What botocore makes of it on a socket."""
    with heads_only() as url:
        client = boto3.client(
            "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b", config=ONCE)
        uploads = {name: "" if name == "CompleteMultipartUpload" else "u" for name in ASKED}
        return {name: of_the_document(name, ask(client, uploads[name])) for name, ask in ASKED.items()}


@pytest.mark.parametrize("face", ["native", "moto"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_face_gives_what_botocore_gives(operation: str, face: str, real: Mapping[str, Any]) -> None:
    world = StoreWorld(face=face)

    def program(client: Any) -> dict[str, Any]:
        client.put_object(**KEY, Body=b"data" * PART)
        upload = client.create_multipart_upload(**KEY)["UploadId"]
        client.upload_part(**KEY, UploadId=upload, PartNumber=1, Body=b"data" * PART)
        world.arm(Fault("head_only", operation, phase=Phase.AFTER, count=0))
        return of_the_document(operation, ASKED[operation](client, upload))

    assert world.run(program, config=ONCE) == real[operation]
    assert [fault.kind for fault in world.store.fired] == ["head_only"]


def test_it_is_done_all_the_same(world: StoreWorld) -> None:
    def program(client: Any) -> None:
        client.put_object(**KEY, Body=b"data")
        world.arm(Fault("head_only", "CopyObject", phase=Phase.AFTER))
        ASKED["CopyObject"](client, "")

    world.run(program, config=ONCE)
    assert world.kinds() == ["object storcert/copy", "object storcert/k"]


def test_a_refusal_comes_whole(world: StoreWorld) -> None:
    world.arm(Fault("head_only", "CopyObject", phase=Phase.AFTER))
    assert world.run(lambda client: answer_of(lambda: ASKED["CopyObject"](client, "")), config=ONCE) == "NoSuchKey 404"


def test_over_a_connection_it_is_an_answer_too_short() -> None:
    world = StoreWorld(face="moto")  # which asks nobody for a signature
    world.arm(Fault("head_only", "ListObjectsV2", phase=Phase.AFTER))

    def ask(_client: Any) -> str:
        try:
            urllib3.PoolManager(retries=False).request("GET", "http://s3.sim/storcert?list-type=2")
        except urllib3.exceptions.HTTPError as error:
            return type(error).__name__
        return "nothing raised"

    assert world.run(ask) == "ProtocolError"


def test_what_may_legally_be_empty_is_never_struck() -> None:
    assert not {"GetBucketVersioning", "DeleteObjects"} & set(OPERATIONS)
    with pytest.raises(ValueError, match="head_only"):
        StoreWorld().arm(Fault("head_only", "DeleteObjects", phase=Phase.AFTER))

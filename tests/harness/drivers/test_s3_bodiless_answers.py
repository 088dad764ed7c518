"""An answer whose connection ends between head and body: no error to botocore, and never taken for an answer by the driver."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from storcert.harness.contract import DeviceUnavailable
from storcert.harness.drivers.s3 import S3Driver
from storcert.harness.drivers.s3_errors import is_whole

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: 300\r\nETag: \"e\"\r\n\r\n"


@pytest.fixture
def endpoint() -> Iterator[str]:
    """Answers every request with the head of a success, and ends the connection."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(8)

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(1 << 16)
                    connection.sendall(HEAD)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)


@pytest.mark.slow
def test_a_listing_without_a_body_is_not_empty(endpoint: str) -> None:
    configuration: dict[str, Any] = {
        "endpoint_url": endpoint, "bucket": "b", "region_name": "us-east-1",
        "aws_access_key_id": "key", "aws_secret_access_key": "secret",
    }  # fmt: skip
    driver = S3Driver(configuration)
    with pytest.raises(DeviceUnavailable, match="before the answer's body"):
        list(driver.list_objects())


@pytest.mark.parametrize(
    ("operation", "answer", "whole"),
    [
        ("list_objects_v2", {}, False), ("list_objects_v2", {"IsTruncated": False, "KeyCount": 0}, True),
        ("create_multipart_upload", {"ResponseMetadata": {}}, False), ("create_multipart_upload", {"UploadId": "u"}, True),
        ("copy_object", {"CopyObjectResult": {}}, False), ("copy_object", {"CopyObjectResult": {"ETag": "e"}}, True),
        ("complete_multipart_upload", {"ETag": "", "Bucket": "b"}, True), ("head_object", {}, True),
    ],
)  # fmt: skip
def test_what_a_whole_answer_says(operation: str, answer: dict[str, Any], whole: bool) -> None:
    assert is_whole(operation, answer) is whole

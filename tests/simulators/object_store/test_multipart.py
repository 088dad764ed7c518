"""Multipart uploads through the native face."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from tests.simulators.object_store.conftest import BUCKET, PART, StoreWorld, answer_of

NAMES = {"Bucket": BUCKET, "Key": "k"}


def _begin(client: Any, key: str = "k", **extra: Any) -> dict[str, Any]:
    upload_id = client.create_multipart_upload(Bucket=BUCKET, Key=key, **extra)["UploadId"]
    return {"Bucket": BUCKET, "Key": key, "UploadId": upload_id}


def _put(client: Any, upload: dict[str, Any], number: int, body: bytes) -> dict[str, Any]:
    return {"PartNumber": number, "ETag": client.upload_part(**upload, PartNumber=number, Body=body)["ETag"]}


def _complete(client: Any, upload: dict[str, Any], *parts: dict[str, Any], **extra: Any) -> Any:
    return client.complete_multipart_upload(**upload, MultipartUpload={"Parts": list(parts)}, **extra)


def test_parts_become_one_object_at_complete(world: StoreWorld) -> None:
    bodies = [b"a" * PART, b"b" * (PART + 1), b"c"]

    def program(client: Any) -> str:
        upload = _begin(client, ContentType="text/plain", Metadata={"m": "1"})
        parts = [_put(client, upload, number, body) for number, body in ((1, bodies[0]), (3, bodies[1]), (7, bodies[2]))]
        assert answer_of(lambda: client.head_object(**NAMES)) == "404 404", "nothing is visible before"
        assert client.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0
        etag = _complete(client, upload, *parts)["ETag"]
        got = client.get_object(**NAMES)
        assert got["Body"].read() == b"".join(bodies)
        assert (got["ContentType"], got["Metadata"]) == ("text/plain", {"m": "1"})
        across = client.get_object(**NAMES, Range=f"bytes={PART - 1}-{2 * PART + 1}")["Body"].read()
        assert across == b"".join(bodies)[PART - 1 : 2 * PART + 2]
        return etag  # type: ignore[no-any-return]

    md5s = b"".join(hashlib.md5(body).digest() for body in bodies)
    assert world.run(program) == f'"{hashlib.md5(md5s).hexdigest()}-3"'
    assert world.kinds() == ["object storcert/k"]


def test_pending_uploads_and_parts_stand_in_the_census(world: StoreWorld) -> None:
    world.run(lambda client: _put(client, _begin(client), 2, b"abc"))
    upload, part = sorted(world.store.census(), key=lambda entry: entry.kind, reverse=True)
    assert (upload.kind, upload.name, upload.size_bytes) == ("upload", "storcert/k", 0)
    assert (part.kind, part.detail, part.size_bytes) == ("part", f"{upload.detail}/00002", 3)


def test_a_part_again_replaces_it_and_parts_not_named_are_dropped(world: StoreWorld) -> None:
    def program(client: Any) -> bytes:
        upload = _begin(client)
        _put(client, upload, 1, b"old")
        last = _put(client, upload, 1, b"new")
        _put(client, upload, 2, b"dropped")
        _complete(client, upload, last)
        return client.get_object(**NAMES)["Body"].read()  # type: ignore[no-any-return]

    assert world.run(program) == b"new"
    assert world.kinds() == ["object storcert/k"]


def test_an_upload_replaces_the_object_that_was_there(world: StoreWorld) -> None:
    def program(client: Any) -> bytes:
        upload = _begin(client)
        part = _put(client, upload, 1, b"late")
        client.put_object(**NAMES, Body=b"early")
        _complete(client, upload, part)
        return client.get_object(**NAMES)["Body"].read()  # type: ignore[no-any-return]

    assert world.run(program) == b"late"


def test_a_refused_complete_leaves_the_upload(world: StoreWorld) -> None:
    def program(client: Any) -> list[Any]:
        upload = _begin(client)
        part = _put(client, upload, 1, b"x")
        client.put_object(**NAMES, Body=b"first")
        refused = answer_of(lambda: _complete(client, upload, part, IfNoneMatch="*"))
        return [refused, len(client.list_parts(**upload)["Parts"]), client.get_object(**NAMES)["Body"].read()]

    assert world.run(program) == ["PreconditionFailed 412", 1, b"first"]


def test_abort_frees_everything_and_is_final(world: StoreWorld) -> None:
    def program(client: Any) -> list[Any]:
        upload = _begin(client)
        part = _put(client, upload, 1, b"x")
        return [
            answer_of(lambda: client.abort_multipart_upload(**upload)),
            answer_of(lambda: client.abort_multipart_upload(**upload)),
            answer_of(lambda: client.list_parts(**upload)),
            answer_of(lambda: _put(client, upload, 1, b"x")),
            answer_of(lambda: _complete(client, upload, part)),
        ]

    assert world.run(program) == [204, *["NoSuchUpload 404"] * 4]
    assert world.store.census() == ()


def test_a_repeated_complete_with_other_parts_is_another_upload(world: StoreWorld) -> None:
    def program(client: Any) -> Any:
        upload = _begin(client)
        part = _put(client, upload, 1, b"x")
        _complete(client, upload, part)
        return answer_of(lambda: _complete(client, upload, {**part, "ETag": '"other"'}))

    assert world.run(program) == "NoSuchUpload 404"


def test_upload_part_copy_of_a_range(world: StoreWorld) -> None:
    def program(client: Any) -> tuple[bytes, list[Any]]:
        client.put_object(Bucket=BUCKET, Key="source", Body=bytes(range(100)))
        upload = _begin(client)
        source = {"CopySource": f"{BUCKET}/source"}
        answer = client.upload_part_copy(**upload, PartNumber=1, **source, CopySourceRange="bytes=10-39")
        _complete(client, upload, {"PartNumber": 1, "ETag": answer["CopyPartResult"]["ETag"]})

        def refused(text: str) -> Any:
            other = _begin(client, "other")
            return answer_of(lambda: client.upload_part_copy(**other, PartNumber=1, **source, CopySourceRange=text))

        wrong = [refused(text) for text in ("bytes=0-100", "bytes=5-", "nonsense")]
        return client.get_object(**NAMES)["Body"].read(), wrong

    assert world.run(program) == (bytes(range(10, 40)), ["InvalidArgument 400"] * 3)


def test_limits(make_world: Callable[..., StoreWorld]) -> None:
    world = make_world(part_size_max_bytes=40, object_max_bytes=60, parts_max=3)

    def program(client: Any) -> list[Any]:
        upload = _begin(client)
        parts = [_put(client, upload, number, bytes(40)) for number in (1, 2)]
        return [
            answer_of(lambda: _put(client, upload, 3, bytes(41))), answer_of(lambda: _put(client, upload, 4, b"")),
            answer_of(lambda: _complete(client, upload, *parts)),
            answer_of(lambda: _complete(client, upload, parts[0], MpuObjectSize=39)),
            answer_of(lambda: _complete(client, upload, parts[0], MpuObjectSize=40)),
        ]

    assert world.run(program) == [
        "EntityTooLarge 400", "InvalidArgument 400", "EntityTooLarge 400", "InvalidRequest 400", 200]


def test_the_wrong_key_is_no_upload(world: StoreWorld) -> None:
    def program(client: Any) -> Any:
        upload = {**_begin(client), "Key": "other"}
        return answer_of(lambda: _put(client, upload, 1, b"x"))

    assert world.run(program) == "NoSuchUpload 404"


def test_listing_parts_and_uploads_page_by_page(world: StoreWorld) -> None:
    def program(client: Any) -> tuple[list[int], list[str], list[str]]:
        uploads = [_begin(client, key) for key in ("b", "a/1", "b", "a/2", "c")]
        for number in (5, 1, 3):
            _put(client, uploads[0], number, b"x")
        size = {"PaginationConfig": {"PageSize": 2}}
        parts = [part["PartNumber"] for page in client.get_paginator("list_parts").paginate(**uploads[0], **size)
                 for part in page["Parts"]]
        pages = list(client.get_paginator("list_multipart_uploads").paginate(Bucket=BUCKET, **size))
        grouped = client.list_multipart_uploads(Bucket=BUCKET, Delimiter="/")
        assert [entry["Key"] for entry in grouped["Uploads"]] == ["b", "b", "c"]
        return parts, [entry["Key"] for page in pages for entry in page["Uploads"]], [
            group["Prefix"] for group in grouped["CommonPrefixes"]]

    assert world.run(program) == ([1, 3, 5], ["a/1", "a/2", "b", "b", "c"], ["a/"])


def test_grouped_uploads_page_by_page(world: StoreWorld) -> None:
    def program(client: Any) -> list[str]:
        for key in ("a/1", "a/2", "b", "c/1", "d"):
            _begin(client, key)
        found: list[str] = []
        for page in client.get_paginator("list_multipart_uploads").paginate(
            Bucket=BUCKET, Delimiter="/", PaginationConfig={"PageSize": 1}
        ):
            found += [entry["Key"] for entry in page.get("Uploads", ())]
            found += [group["Prefix"] for group in page.get("CommonPrefixes", ())]
        return found

    assert world.run(program) == ["a/", "b", "c/", "d"]


@pytest.mark.parametrize("size", [0, 1])
def test_one_small_part_is_enough(world: StoreWorld, size: int) -> None:
    def program(client: Any) -> int:
        upload = _begin(client)
        _complete(client, upload, _put(client, upload, 1, bytes(size)))
        return client.head_object(**NAMES)["ContentLength"]  # type: ignore[no-any-return]

    assert world.run(program) == size

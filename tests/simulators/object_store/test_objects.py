"""Puts, gets, ranges, conditions, copies and deletes of single objects through the native face."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, MissingDependencyException, ParamValidationError

from storcert.simulators.device import NotModelled
from tests.simulators.object_store.conftest import BUCKET, StoreWorld, answer_of

NAMES = {"Bucket": BUCKET, "Key": "k"}


def test_what_was_put_is_got(world: StoreWorld) -> None:
    def program(client: Any) -> None:
        put = client.put_object(**NAMES, Body=b"hello", Metadata={"Colour": "red"}, ContentType="text/plain")
        assert put["ETag"] == '"5d41402abc4b2a76b9719d911017c592"'
        assert put["ResponseMetadata"]["HTTPStatusCode"] == 200
        got = client.get_object(**NAMES)
        assert got["Body"].read() == b"hello"
        assert got["ContentLength"] == 5
        assert got["ContentType"] == "text/plain"
        assert got["Metadata"] == {"colour": "red"}
        assert got["ETag"] == put["ETag"]
        assert got["ResponseMetadata"]["HTTPHeaders"]["content-length"] == "5"
        head = client.head_object(**NAMES)
        assert {name: got[name] for name in head if name not in ("ResponseMetadata", "Body")} == {
            name: value for name, value in head.items() if name != "ResponseMetadata"}

    world.run(program)


@pytest.mark.parametrize(
    "body", [b"abc", bytearray(b"abc"), "abc", io.BytesIO(b"abc"), b""], ids=["bytes", "bytearray", "str", "file", "empty"])
def test_bodies_botocore_takes(world: StoreWorld, body: Any) -> None:
    expected = b"" if body == b"" else b"abc"
    world.run(lambda client: client.put_object(**NAMES, Body=body))
    assert world.run(lambda client: client.get_object(**NAMES)["Body"].read()) == expected


def test_a_put_without_a_body_is_an_empty_object(world: StoreWorld) -> None:
    world.run(lambda client: client.put_object(**NAMES))
    assert world.run(lambda client: client.head_object(**NAMES))["ContentLength"] == 0


def test_a_body_is_taken_as_it_is_when_it_is_put(world: StoreWorld) -> None:
    body = bytearray(b"before")

    def program(client: Any) -> bytes:
        client.put_object(**NAMES, Body=body)
        body[:] = b"after."
        return client.get_object(**NAMES)["Body"].read()  # type: ignore[no-any-return]

    assert world.run(program) == b"before"


def test_a_file_is_read_from_where_it_stands(world: StoreWorld) -> None:
    stream = io.BytesIO(b"0123456789")
    stream.seek(4)
    world.run(lambda client: client.put_object(**NAMES, Body=stream))
    assert world.run(lambda client: client.get_object(**NAMES)["Body"].read()) == b"456789"
    assert stream.tell() == 10


class _Unseekable(io.RawIOBase):
    def read(self, _size: int = -1) -> bytes:
        return b""


class _OfText(io.StringIO):
    pass


@pytest.mark.parametrize(
    ("body", "error"),
    [(_Unseekable(), io.UnsupportedOperation), (memoryview(b"abc"), ParamValidationError), (_OfText("abc"), TypeError),
     (5, ParamValidationError)],
    ids=["unseekable", "memoryview", "text", "number"],
)
def test_bodies_botocore_refuses(world: StoreWorld, body: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        world.run(lambda client: client.put_object(**NAMES, Body=body))
    assert world.store.requests == []


@pytest.mark.parametrize(
    "arguments",
    [{"Bucket": BUCKET}, {**NAMES, "Key": ""}, {**NAMES, "Nonsense": 1}, {**NAMES, "Metadata": {"a": "é"}},
     {"Bucket": "no bucket", "Key": "k"}, {**NAMES, "ContentLength": "5"}],
    ids=["missing", "empty key", "unknown", "metadata", "bucket name", "type"],
)
def test_wrong_parameters_are_found_by_botocore(world: StoreWorld, arguments: dict[str, Any]) -> None:
    with pytest.raises(ParamValidationError):
        world.run(lambda client: client.put_object(**arguments))
    assert world.store.requests == []


def test_positional_arguments_are_refused(world: StoreWorld) -> None:
    with pytest.raises(TypeError, match=r"put_object\(\) only accepts keyword arguments"):
        world.run(lambda client: client.put_object(BUCKET, "k"))


@pytest.mark.parametrize("extra", [{"Tagging": "a=b"}, {"ACL": "public-read"}, {"ContentLength": 7}])
def test_what_is_not_modelled_says_so(world: StoreWorld, extra: dict[str, Any]) -> None:
    with pytest.raises(NotModelled):
        world.run(lambda client: client.put_object(**NAMES, Body=b"", **extra))


@pytest.mark.parametrize("extra", [{"ACL": "private"}, {"StorageClass": "STANDARD"}, {"ServerSideEncryption": "AES256"}])
def test_what_changes_nothing_is_accepted(world: StoreWorld, extra: dict[str, Any]) -> None:
    assert world.run(lambda client: answer_of(lambda: client.put_object(**NAMES, Body=b"", **extra))) == 200


def test_a_checksum_botocore_cannot_compute(world: StoreWorld) -> None:
    with pytest.raises(MissingDependencyException):
        world.run(lambda client: client.put_object(**NAMES, Body=b"", ChecksumAlgorithm="CRC32C"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("bytes=0-0", b"0"), ("bytes=3-5", b"345"), ("bytes=7-", b"789"), ("bytes=-3", b"789"), ("bytes=-30", b"0123456789"),
     ("bytes=5-99", b"56789")],
)
def test_ranges(world: StoreWorld, text: str, expected: bytes) -> None:
    def program(client: Any) -> tuple[int, bytes, str]:
        client.put_object(**NAMES, Body=b"0123456789")
        got = client.get_object(**NAMES, Range=text)
        return got["ResponseMetadata"]["HTTPStatusCode"], got["Body"].read(), got["ContentRange"]

    start = b"0123456789".index(expected)
    assert world.run(program) == (206, expected, f"bytes {start}-{start + len(expected) - 1}/10")


@pytest.mark.parametrize("text", ["bytes=0-1,4-5", "lines=1-2", "bytes=5-2", "nonsense", "bytes=-"])
def test_ranges_s3_ignores(world: StoreWorld, text: str) -> None:
    world.run(lambda client: client.put_object(**NAMES, Body=b"0123456789"))
    got = world.run(lambda client: client.get_object(**NAMES, Range=text))
    assert (got["ResponseMetadata"]["HTTPStatusCode"], got["ContentLength"]) == (200, 10)


@pytest.mark.parametrize(("body", "text"), [(b"abc", "bytes=3-4"), (b"", "bytes=0-0"), (b"abc", "bytes=-0"), (b"", "bytes=-1")])
def test_ranges_nothing_satisfies(world: StoreWorld, body: bytes, text: str) -> None:
    world.run(lambda client: client.put_object(**NAMES, Body=body))
    assert world.run(lambda client: answer_of(lambda: client.get_object(**NAMES, Range=text))) == "InvalidRange 416"


def _at(hours: int) -> datetime:
    return datetime.fromtimestamp(1_700_000_000, UTC) + timedelta(hours=hours)


ETAG = f'"{hashlib.md5(b"x").hexdigest()}"'


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"IfMatch": ETAG}, 200), ({"IfMatch": "*"}, 200), ({"IfMatch": '"no"'}, "412"),
        ({"IfNoneMatch": ETAG}, "304"), ({"IfNoneMatch": "*"}, "304"), ({"IfNoneMatch": '"no"'}, 200),
        ({"IfNoneMatch": f'"no", {ETAG}'}, "304"),
        ({"IfModifiedSince": _at(-1)}, 200), ({"IfModifiedSince": _at(1)}, "304"),
        ({"IfUnmodifiedSince": _at(1)}, 200), ({"IfUnmodifiedSince": _at(-1)}, "412"),
        ({"IfMatch": ETAG, "IfUnmodifiedSince": _at(-1)}, 200), ({"IfNoneMatch": '"no"', "IfModifiedSince": _at(1)}, 200),
    ],
)
def test_conditions_of_reads(world: StoreWorld, condition: dict[str, Any], expected: Any) -> None:
    world.run(lambda client: client.put_object(**NAMES, Body=b"x"))
    seen = world.run(lambda client: [
        answer_of(lambda: client.head_object(**NAMES, **condition)),
        answer_of(lambda: client.get_object(**NAMES, **condition)),
    ])
    if expected == "412":
        assert seen == ["412 412", "PreconditionFailed 412"], "a HEAD has no body to say more in"
    elif expected == "304":
        assert seen == ["304 304", "304 304"]
    else:
        assert seen == [200, 200]


def test_a_get_holds_the_bytes_of_the_moment_it_arrived(world: StoreWorld) -> None:
    def program(client: Any) -> bytes:
        client.put_object(**NAMES, Body=b"old")
        body = client.get_object(**NAMES)["Body"]
        client.put_object(**NAMES, Body=b"new")
        client.delete_object(**NAMES)
        return body.read()  # type: ignore[no-any-return]

    assert world.run(program) == b"old"


def test_delete_is_final_and_may_be_repeated(world: StoreWorld) -> None:
    def program(client: Any) -> list[Any]:
        client.put_object(**NAMES, Body=b"x")
        return [
            answer_of(lambda: client.delete_object(**NAMES)), answer_of(lambda: client.delete_object(**NAMES)),
            answer_of(lambda: client.get_object(**NAMES)), answer_of(lambda: client.head_object(**NAMES)),
        ]

    assert world.run(program) == [204, 204, "NoSuchKey 404", "404 404"]
    assert world.store.census() == ()


def test_error_classes_are_those_of_the_client(world: StoreWorld) -> None:
    def program(client: Any) -> None:
        with pytest.raises(client.exceptions.NoSuchKey) as missing:
            client.get_object(**NAMES)
        assert missing.value.response["Error"] == {
            "Code": "NoSuchKey", "Message": "The specified key does not exist.", "Key": "k"}
        assert str(missing.value) == (
            "An error occurred (NoSuchKey) when calling the GetObject operation: The specified key does not exist.")
        with pytest.raises(client.exceptions.NoSuchBucket):
            client.list_objects_v2(Bucket="elsewhere")
        with pytest.raises(ClientError) as head:
            client.head_object(**NAMES)
        assert type(head.value) is ClientError
        assert head.value.operation_name == "HeadObject"

    world.run(program)


def test_copy_is_independent_of_its_source(world: StoreWorld) -> None:
    def program(client: Any) -> tuple[Any, ...]:
        client.put_object(Bucket=BUCKET, Key="dir/a b+c/é?", Body=b"data", Metadata={"m": "1"}, ContentType="text/x")
        answer = client.copy_object(**NAMES, CopySource={"Bucket": BUCKET, "Key": "dir/a b+c/é?"})
        client.delete_object(Bucket=BUCKET, Key="dir/a b+c/é?")
        got = client.get_object(**NAMES)
        assert answer["CopyObjectResult"]["ETag"] == got["ETag"]
        return got["Body"].read(), got["Metadata"], got["ContentType"]

    assert world.run(program) == (b"data", {"m": "1"}, "text/x")


def test_copy_moves_no_bytes_through_the_client(world: StoreWorld) -> None:
    world.run(lambda client: client.put_object(**NAMES, Body=bytes(1000)))
    world.run(lambda client: client.copy_object(Bucket=BUCKET, Key="c", CopySource=f"{BUCKET}/k"))
    copied = world.store.requests[-1]
    assert (copied.operation, copied.sent_bytes, copied.received_bytes) == ("CopyObject", 0, 0)


def test_copy_onto_itself_needs_a_change(world: StoreWorld) -> None:
    def program(client: Any) -> list[Any]:
        client.put_object(**NAMES, Body=b"x", Metadata={"a": "1"})
        source = {"CopySource": f"{BUCKET}/k"}
        replace = {"MetadataDirective": "REPLACE", "Metadata": {"b": "2"}}
        seen = [answer_of(lambda: client.copy_object(**NAMES, **source)),
                answer_of(lambda: client.copy_object(**NAMES, **source, **replace))]
        return [*seen, client.head_object(**NAMES)["Metadata"]]

    assert world.run(program) == ["InvalidRequest 400", 200, {"b": "2"}]


def test_size_limits(make_world: Callable[..., StoreWorld]) -> None:
    world = make_world(put_max_bytes=10, copy_max_bytes=5)

    def program(client: Any) -> list[Any]:
        return [
            answer_of(lambda: client.put_object(**NAMES, Body=bytes(10))),
            answer_of(lambda: client.put_object(**NAMES, Body=bytes(11))),
            answer_of(lambda: client.copy_object(Bucket=BUCKET, Key="c", CopySource=f"{BUCKET}/k")),
        ]

    assert world.run(program) == [200, "EntityTooLarge 400", "InvalidRequest 400"]


@pytest.mark.parametrize("key", ["a/../b", "a//b", "/lead", "dir/", ".", "ä", "\U0001f600", "a\\b", "%41", "a+b c"])
def test_keys_are_kept_verbatim(world: StoreWorld, key: str) -> None:
    def program(client: Any) -> list[str]:
        client.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
        assert client.get_object(Bucket=BUCKET, Key=key)["Body"].read() == key.encode()
        return [item["Key"] for item in client.list_objects_v2(Bucket=BUCKET)["Contents"]]

    assert world.run(program) == [key]


def test_a_key_of_a_lone_surrogate_is_no_key(world: StoreWorld) -> None:
    with pytest.raises(UnicodeEncodeError):
        world.run(lambda client: client.put_object(Bucket=BUCKET, Key="\ud800", Body=b""))
    assert world.store.census() == ()

"""Every row of the dialect table, shown by requests in all three dialects. A row without a program here fails."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from storcert.harness.record.fault import Fault
from storcert.simulators.object_store.dialect import ROWS, TABLE, Dialect
from storcert.simulators.object_store.errors import ERRORS
from tests.simulators.object_store.conftest import BUCKET, PART, StoreWorld, answer_of
from tests.simulators.object_store.dialect_programs import FURTHER

Program = Callable[[StoreWorld, Any], Any]
NAMES = {"Bucket": BUCKET, "Key": "k"}
OK = 200


def _etag(client: Any, key: str = "k", body: bytes = b"x") -> str:
    return str(client.put_object(Bucket=BUCKET, Key=key, Body=body)["ETag"])


def _upload(client: Any, key: str = "k", sizes: tuple[int, ...] = (PART, 3)) -> dict[str, Any]:
    """An upload with parts; the arguments to complete it."""
    upload_id = client.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
    parts = [
        {"PartNumber": number, "ETag": client.upload_part(
            Bucket=BUCKET, Key=key, UploadId=upload_id, PartNumber=number, Body=bytes([number]) * size)["ETag"]}
        for number, size in enumerate(sizes, 1)
    ]
    return {"Bucket": BUCKET, "Key": key, "UploadId": upload_id, "MultipartUpload": {"Parts": parts}}


def _message(_: StoreWorld, client: Any) -> Any:
    try:
        client.get_object(Bucket=BUCKET, Key="none")
    except client.exceptions.NoSuchKey as error:
        return error.response["Error"]["Message"]


def _bucket(name: str, **arguments: Any) -> Program:
    def program(_: StoreWorld, client: Any) -> Any:
        return answer_of(lambda: client.create_bucket(Bucket=name, **arguments))

    return program


def _located(region: str) -> Program:
    return _bucket("another", CreateBucketConfiguration={"LocationConstraint": region})


def _again(_: StoreWorld, client: Any) -> Any:
    located = {"CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}
    try:
        client.create_bucket(Bucket="another", **located)
    except client.exceptions.ClientError:  # this dialect knows no other region
        located = {}
        client.create_bucket(Bucket="another")
    return answer_of(lambda: client.create_bucket(Bucket=BUCKET)), answer_of(
        lambda: client.create_bucket(Bucket="another", **located))


def _put(**condition: Any) -> Program:
    def program(_: StoreWorld, client: Any) -> Any:
        _etag(client)
        return answer_of(lambda: client.put_object(**NAMES, Body=b"new", **condition))

    return program


def _put_match_right(_: StoreWorld, client: Any) -> Any:
    etag = _etag(client)
    quoted = answer_of(lambda: client.put_object(**NAMES, Body=b"x", IfMatch=etag))
    return quoted, answer_of(lambda: client.put_object(**NAMES, Body=b"x", IfMatch=etag.strip('"')))


def _put_match_missing(_: StoreWorld, client: Any) -> Any:
    return answer_of(lambda: client.put_object(**NAMES, Body=b"x", IfMatch='"abc"'))


def _race(world: StoreWorld, client: Any) -> Any:
    codes: list[str] = []

    def racer(_: Any) -> None:
        def put(key: str) -> Any:
            return answer_of(lambda: client.put_object(Bucket=BUCKET, Key=key, Body=b"", IfNoneMatch="*"))

        codes.extend(str(put(str(number))) for number in range(20))

    tasks = [world.spawn(racer) for _ in range(3)]
    for task in tasks:
        world.kernel.join(task)
    assert codes.count("200") == 20, "exactly one wins each"
    return set(codes)


def _delete_match(_: StoreWorld, client: Any) -> Any:
    _etag(client)
    return answer_of(lambda: client.delete_object(**NAMES, IfMatch='"abc"'))


def _complete_none_match(_: StoreWorld, client: Any) -> Any:
    _etag(client)
    arguments = _upload(client)
    return answer_of(lambda: client.complete_multipart_upload(**arguments, IfNoneMatch="*"))


def _copy(**condition: Any) -> Program:
    def program(_: StoreWorld, client: Any) -> Any:
        etag = _etag(client, "source")
        _etag(client)
        given = {name: etag if value == "same" else value for name, value in condition.items()}
        return answer_of(lambda: client.copy_object(**NAMES, CopySource=f"{BUCKET}/source", **given))

    return program


def _md5(_: StoreWorld, client: Any) -> Any:
    wrong = base64.b64encode(bytes(16)).decode()
    return answer_of(lambda: client.put_object(**NAMES, Body=b"x", ContentMD5=wrong))


def _sha256(_: StoreWorld, client: Any) -> Any:
    wrong = base64.b64encode(bytes(32)).decode()
    return answer_of(lambda: client.put_object(**NAMES, Body=b"x", ChecksumSHA256=wrong))


def _checksums(_: StoreWorld, client: Any) -> Any:
    put = client.put_object(**NAMES, Body=b"hello")
    got = client.get_object(**NAMES)
    return put.get("ChecksumCRC32"), got.get("ChecksumCRC32"), "ChecksumCRC32" in client.head_object(**NAMES)


def _checksum_type(_: StoreWorld, client: Any) -> Any:
    return client.put_object(**NAMES, Body=b"hello").get("ChecksumType")


def _copy_of_multipart(_: StoreWorld, client: Any) -> Any:
    etag = client.complete_multipart_upload(**_upload(client, "source"))["ETag"]
    client.copy_object(**NAMES, CopySource=f"{BUCKET}/source")
    head = client.head_object(**NAMES)
    assert head["ContentLength"] == PART + 3
    return (etag or '"-2"').endswith('-2"'), head["ETag"].endswith('-2"')


def _key(key: str) -> Program:
    def program(_: StoreWorld, client: Any) -> Any:
        return answer_of(lambda: client.put_object(Bucket=BUCKET, Key=key, Body=b"x"))

    return program


def _long_key(world: StoreWorld, client: Any) -> Any:
    assert _key("é" * 512)(world, client) == OK, "1024 bytes of UTF-8 are a key"
    return _key("é" * 512 + "k")(world, client)


def _max_keys(_: StoreWorld, client: Any) -> Any:
    return client.list_objects_v2(Bucket=BUCKET, MaxKeys=5000)["MaxKeys"]


def _bad_token(_: StoreWorld, client: Any) -> Any:
    return answer_of(lambda: client.list_objects_v2(Bucket=BUCKET, ContinuationToken="no such token"))


def _next_marker(_: StoreWorld, client: Any) -> Any:
    for key in ("a", "b/1", "b/2", "c"):
        _etag(client, key)
    plain = client.list_objects(Bucket=BUCKET, MaxKeys=2)
    grouped = client.list_objects(Bucket=BUCKET, MaxKeys=2, Delimiter="/")
    rest = client.list_objects(
        Bucket=BUCKET, Marker=plain.get("NextMarker", plain["Contents"][-1]["Key"]), Delimiter="")
    assert [item["Key"] for item in rest["Contents"]] == ["b/2", "c"]
    after = client.list_objects(Bucket=BUCKET, Marker=grouped["NextMarker"], Delimiter="/")
    assert [item["Key"] for item in after["Contents"]] == ["c"]
    return plain.get("NextMarker"), grouped["NextMarker"]


def _delete_many(count: int, *, quiet: bool = False) -> Program:
    def program(_: StoreWorld, client: Any) -> Any:
        delete = {"Objects": [{"Key": str(number)} for number in range(count)], "Quiet": quiet}
        return answer_of(lambda: client.delete_objects(Bucket=BUCKET, Delete=delete))

    return program


def _quiet(_: StoreWorld, client: Any) -> Any:
    return "Deleted" in client.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "a"}], "Quiet": True})


def _complete_etag(_: StoreWorld, client: Any) -> Any:
    arguments = _upload(client)
    first = client.complete_multipart_upload(**arguments)["ETag"]
    again = client.complete_multipart_upload(**arguments)["ETag"]
    assert again.strip(chr(34)) == client.head_object(**NAMES)["ETag"].strip(chr(34))  # radosgw gives it without quotes
    return first == again, first == ""


def _complete_again(_: StoreWorld, client: Any) -> Any:
    arguments = _upload(client)
    client.complete_multipart_upload(**arguments)
    return answer_of(lambda: client.complete_multipart_upload(**arguments))


def _complete(change: Callable[[list[dict[str, Any]]], Any], sizes: tuple[int, ...] = (PART, PART)) -> Program:
    def program(_: StoreWorld, client: Any) -> Any:
        arguments = _upload(client, sizes=sizes)
        change(arguments["MultipartUpload"]["Parts"])
        return answer_of(lambda: client.complete_multipart_upload(**arguments))

    return program


def _complete_unknown(_: StoreWorld, client: Any) -> Any:
    arguments = _upload(client)
    arguments["UploadId"] = "nobody"
    return answer_of(lambda: client.complete_multipart_upload(**arguments))


def _part(number: int) -> Program:
    def program(_: StoreWorld, client: Any) -> Any:
        upload_id = client.create_multipart_upload(**NAMES)["UploadId"]
        return answer_of(lambda: client.upload_part(**NAMES, UploadId=upload_id, PartNumber=number, Body=b"x"))

    return program


def _ended_upload(_: StoreWorld, client: Any) -> Any:
    arguments = _upload(client)
    client.complete_multipart_upload(**arguments)
    return answer_of(
        lambda: client.upload_part(**NAMES, UploadId=arguments["UploadId"], PartNumber=1, Body=b"x"))


def _read_part(method: str) -> Program:
    def program(_: StoreWorld, client: Any) -> Any:
        client.complete_multipart_upload(**_upload(client))
        answer = getattr(client, method)(**NAMES, PartNumber=2)
        return answer["ResponseMetadata"]["HTTPStatusCode"], answer["ContentLength"], answer.get("PartsCount")

    return program


def _delete_bucket(_: StoreWorld, client: Any) -> Any:
    client.create_multipart_upload(**NAMES)
    return answer_of(lambda: client.delete_bucket(Bucket=BUCKET))


def _unknown_version(_: StoreWorld, client: Any) -> Any:
    _versioned(client)
    _etag(client)
    return answer_of(lambda: client.get_object(**NAMES, VersionId="0" * 40))


def _marker_version(_: StoreWorld, client: Any) -> Any:
    _versioned(client)
    _etag(client)
    marker = client.delete_object(**NAMES)["VersionId"]
    return answer_of(lambda: client.get_object(**NAMES, VersionId=marker))


def _versioned(client: Any) -> None:
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})


def _signed(**wrong: str) -> Program:
    def program(world: StoreWorld, _: Any) -> Any:
        options = world.store.options
        keys = {"aws_access_key_id": options.access_key, "aws_secret_access_key": options.secret_key, **wrong}
        other = world.client(**keys)
        return answer_of(lambda: other.list_objects_v2(Bucket=BUCKET))

    return program


def _faulty(kind: str) -> Program:
    def program(world: StoreWorld, client: Any) -> Any:
        world.arm(Fault(kind))
        return answer_of(lambda: client.put_object(**NAMES, Body=b"x"))

    return program


def _copy_etag(_: StoreWorld, client: Any) -> Any:
    _etag(client, "source")
    return client.copy_object(**NAMES, CopySource=f"{BUCKET}/source")["CopyObjectResult"]["ETag"].startswith('"')


def same(value: Any) -> tuple[Any, Any, Any]:
    return value, value, value


FAILED = "PreconditionFailed 412"
# row name: program, and what it comes to under aws, radosgw and moto
PROGRAMS: dict[str, tuple[Program, tuple[Any, Any, Any]]] = {
    "error_message": (_message, (ERRORS["NoSuchKey"][1], None, ERRORS["NoSuchKey"][1])),
    "create_own_bucket_again": (_again, ((OK, "BucketAlreadyOwnedByYou 409"), (OK, OK), (OK, OK))),
    "bucket_name_underscore_or_capital": (
        _bucket("A_B"), ("InvalidBucketName 400", "InvalidBucketName 400", OK)),
    "bucket_name_two_characters": (_bucket("ab"), same("InvalidBucketName 400")),
    "location_constraint_us_east_1": (_located("us-east-1"), same("InvalidLocationConstraint 400")),
    "location_constraint_other_region": (_located("eu-west-1"), (OK, "InvalidLocationConstraint 400", OK)),
    "location_constraint_unknown": (_located("atlantis"), same("InvalidLocationConstraint 400")),
    "put_if_none_match_star_existing": (_put(IfNoneMatch="*"), same(FAILED)),
    "conditional_write_race": (
        _race, ({"200", FAILED, "ConditionalRequestConflict 409"}, {"200", FAILED}, {"200", FAILED})),
    "put_if_match_quoted": (_put_match_right, ((OK, OK), (FAILED, OK), (OK, OK))),
    "put_if_match_missing_key": (_put_match_missing, ("NoSuchKey 404", FAILED, "NoSuchKey 404")),
    "put_if_match_star": (_put(IfMatch="*"), (FAILED, OK, FAILED)),
    "put_if_none_match_etag": (_put(IfNoneMatch='"abc"'), ("NotImplemented 501", OK, OK)),
    "delete_if_match_wrong": (_delete_match, (FAILED, 204, FAILED)),
    "complete_if_none_match_existing": (_complete_none_match, (FAILED, OK, FAILED)),
    "copy_source_if_match_wrong": (_copy(CopySourceIfMatch='"abc"'), (FAILED, OK, OK)),
    "copy_source_if_none_match_same": (_copy(CopySourceIfNoneMatch="same"), (FAILED, OK, FAILED)),
    "copy_if_none_match_existing": (_copy(IfNoneMatch="*"), (FAILED, OK, OK)),
    "content_md5_wrong": (_md5, ("BadDigest 400", "BadDigest 400", OK)),
    "checksum_wrong": (_sha256, ("BadDigest 400", OK, OK)),
    "checksum_returned": (
        _checksums, (("NhCmhg==", "NhCmhg==", False), (None, None, False), ("NhCmhg==", "NhCmhg==", False))),
    "checksum_type_returned": (_checksum_type, ("FULL_OBJECT", None, None)),
    "copy_of_multipart": (_copy_of_multipart, ((True, False), (True, True), (True, False))),
    "key_1025_bytes": (_long_key, ("KeyTooLongError 400", "InvalidObjectName 400", OK)),
    "key_with_newline": (_key("a\nb"), (OK, OK, "404 404")),
    "max_keys_over_1000_echoed": (_max_keys, (1000, 1000, 5000)),
    "continuation_token_bad": (_bad_token, ("InvalidArgument 400", OK, "InternalError 500")),
    "list_v1_next_marker": (_next_marker, ((None, "b/"), ("b/1", "b/"), ("1Yi8x", "1Yi8="))),
    "delete_objects_1001": (_delete_many(1001), ("MalformedXML 400", "MalformedXML 400", OK)),
    "delete_objects_empty": (_delete_many(0), ("MalformedXML 400", OK, "MalformedXML 400")),
    "delete_objects_quiet": (_quiet, (False, False, True)),
    "complete_etag": (_complete_etag, ((True, False), (False, True), (True, False))),
    "complete_repeated": (_complete_again, same(OK)),
    "complete_unknown_upload": (_complete_unknown, ("NoSuchUpload 404", "InternalError 500", "InternalError 500")),
    "complete_parts_out_of_order": (
        _complete(lambda parts: parts.reverse()), ("InvalidPartOrder 400", OK, "EntityTooSmall 400")),
    "complete_small_part": (_complete(lambda parts: None, (PART - 1, 1)), same("EntityTooSmall 400")),
    "complete_stale_part_etag": (_complete(lambda parts: parts[0].update(ETag='"abc"')), same("InvalidPart 400")),
    "complete_no_parts": (_complete(lambda parts: parts.clear()), same("MalformedXML 400")),
    "part_number_0": (_part(0), ("InvalidArgument 400", OK, "NoSuchUpload 404")),
    "part_number_10001": (_part(10001), ("InvalidArgument 400", OK, "InvalidArgument 400")),
    "upload_part_unknown_upload": (_ended_upload, ("NoSuchUpload 404", "NoSuchUpload 404", "InternalError 500")),
    "get_part_number": (_read_part("get_object"), ((206, 3, 2), (OK, PART + 3, None), (OK, PART + 3, None))),
    "head_part_number": (_read_part("head_object"), ((206, 3, 2), (OK, PART + 3, None), (206, 3, 2))),
    "delete_bucket_with_upload": (_delete_bucket, same(204)),
    "get_unknown_version": (_unknown_version, ("NoSuchVersion 404", "NoSuchKey 404", "NoSuchVersion 404")),
    "get_version_of_delete_marker": (_marker_version, ("MethodNotAllowed 405", "NoSuchKey 404", "NoSuchVersion 404")),
    "secret_wrong": (
        _signed(aws_secret_access_key="x"), ("SignatureDoesNotMatch 403", "SignatureDoesNotMatch 403", OK)),
    "access_key_unknown": (
        _signed(aws_access_key_id="x"), ("InvalidAccessKeyId 403", "InvalidAccessKeyId 403", OK)),
    "expired_token_status": (_faulty("expired_credentials"), same("ExpiredToken 403")),
    "copy_etag_quoted": (_copy_etag, (True, False, True)),
    "full": (_faulty("full"), same("QuotaExceeded 403")),
    **FURTHER,
}


def test_every_row_has_a_program_and_no_program_is_without_a_row() -> None:
    assert sorted(PROGRAMS) == sorted(TABLE)


@pytest.mark.parametrize("dialect", ["aws", "radosgw", "moto"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_row(make_world: Callable[..., StoreWorld], row: Any, dialect: str) -> None:
    program, expected = PROGRAMS[row.name]
    world = make_world(dialect=dialect)
    assert world.run(lambda client: program(world, client)) == expected[("aws", "radosgw", "moto").index(dialect)]


def test_error_codes_in_the_table_are_known() -> None:
    for row in ROWS:
        for value in (row.aws, row.radosgw, row.moto):
            if isinstance(value, str) and value[:1].isupper():
                assert value in ERRORS, (row.name, value)


def test_every_row_says_what_it_means_and_where_it_comes_from() -> None:
    assert all(row.meaning and row.source for row in ROWS)
    assert len(TABLE) == len(ROWS)


def test_an_unknown_dialect_is_refused() -> None:
    with pytest.raises(ValueError, match="no such dialect"):
        Dialect("minio")  # type: ignore[arg-type]

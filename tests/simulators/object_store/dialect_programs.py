"""More programs for ``test_dialect``: what radosgw does otherwise with versions, ranges, conditions and uploads.

Each has its three answers beside it, for ``aws``, ``radosgw`` and ``moto``; those of radosgw were measured on 16.2.15.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tests.simulators.object_store.conftest import BUCKET, PART, StoreWorld, answer_of

Program = Callable[[StoreWorld, Any], Any]
NAMES = {"Bucket": BUCKET, "Key": "k"}
SOURCE = {"Bucket": BUCKET, "Key": "k"}
OK = 200
FAILED = "PreconditionFailed 412"


def _versioning(client: Any, status: str = "Enabled") -> None:
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": status})


def _put(client: Any, body: bytes = b"0123456789", key: str = "k", **more: Any) -> Any:
    return client.put_object(Bucket=BUCKET, Key=key, Body=body, **more)


def _upload(client: Any, key: str = "k") -> str:
    return str(client.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"])


def _part(client: Any, upload_id: str, number: int, body: bytes = b"x" * PART) -> dict[str, Any]:
    answer = client.upload_part(**NAMES, UploadId=upload_id, PartNumber=number, Body=body)
    return {"PartNumber": number, "ETag": answer["ETag"]}


def _complete(client: Any, upload_id: str, *parts: dict[str, Any]) -> Any:
    return client.complete_multipart_upload(**NAMES, UploadId=upload_id, MultipartUpload={"Parts": list(parts)})


def _absent_while_versioned(_: StoreWorld, client: Any) -> Any:
    _versioning(client)
    _put(client)
    return answer_of(lambda: _put(client, IfNoneMatch="*"))


def _absent_after_marker(_: StoreWorld, client: Any) -> Any:
    _versioning(client, "Suspended")
    _put(client)
    client.delete_object(**NAMES)
    none_match = answer_of(lambda: _put(client, IfNoneMatch="*"))
    client.delete_object(**NAMES)
    return none_match, answer_of(lambda: _put(client, IfMatch="*"))


def _match_while_versioned(_: StoreWorld, client: Any) -> Any:
    _versioning(client)
    etag = _put(client)["ETag"]
    return answer_of(lambda: _put(client, IfMatch=etag.strip('"')))


def _dates(_: StoreWorld, client: Any) -> Any:
    _put(client)
    past, future = datetime(2001, 1, 1, tzinfo=UTC), datetime(2901, 1, 1, tzinfo=UTC)
    return answer_of(lambda: client.get_object(**NAMES, IfUnmodifiedSince=past, IfModifiedSince=future))


def _star_reads(_: StoreWorld, client: Any) -> Any:
    _put(client)
    conditions = ({"IfMatch": "*"}, {"IfNoneMatch": "*"})
    return tuple(answer_of(lambda given=given: client.get_object(**NAMES, **given)) for given in conditions)


def _list_reads(_: StoreWorld, client: Any) -> Any:
    etag = _put(client)["ETag"]
    return answer_of(lambda: client.get_object(**NAMES, IfMatch=f'"abc", {etag}'))


def _ranges(_: StoreWorld, client: Any) -> Any:
    _put(client)
    _put(client, b"", "empty")
    texts = ("bytes=a-b", "bytes=0-0,2-3", "bytes=-", "bytes=-0", "bytes=4-2", "items=0-1", "bytes=", "bytes=-4")
    found = []
    for text in texts:
        try:
            answer = client.get_object(**NAMES, Range=text)
            found.append((answer["ResponseMetadata"]["HTTPStatusCode"], answer["Body"].read()))
        except client.exceptions.ClientError as error:
            found.append((error.response["ResponseMetadata"]["HTTPStatusCode"], b""))
    return found, answer_of(lambda: client.get_object(Bucket=BUCKET, Key="empty", Range="items=0-1"))


_WHOLE = (200, b"0123456789")
_BY_RFC = ([_WHOLE, _WHOLE, _WHOLE, (416, b""), _WHOLE, _WHOLE, _WHOLE, (206, b"6789")], OK)
_BY_NUMBERS = (
    [(206, b"0"), (206, b"0"), (206, b"123456789"), (206, b"0123456789"), (416, b""), _WHOLE, (416, b""), (206, b"6789")],
    "InvalidRange 416",
)


def _copied_range(_: StoreWorld, client: Any) -> Any:
    _put(client)
    named = {**NAMES, "UploadId": _upload(client), "PartNumber": 1, "CopySource": SOURCE}
    return tuple(
        answer_of(lambda text=text: client.upload_part_copy(**named, CopySourceRange=text))
        for text in ("bytes=0-9", "bytes=0-10", "bytes=5-", "words")
    )


def _two_things_missing(_: StoreWorld, client: Any) -> Any:
    return answer_of(lambda: client.upload_part_copy(**NAMES, UploadId="none", PartNumber=1, CopySource=SOURCE))


def _percent(_: StoreWorld, client: Any) -> Any:
    _put(client, b"01", "a%41")
    source = {"Bucket": BUCKET, "Key": "a%41"}
    named = {**NAMES, "UploadId": _upload(client), "PartNumber": 1}
    whole = answer_of(lambda: client.copy_object(**NAMES, CopySource=source))
    one, again = source, {"Bucket": BUCKET, "Key": "a%2541"}
    return whole, *(answer_of(lambda one=one: client.upload_part_copy(**named, CopySource=one)) for one in (one, again))


def _malformed(_: StoreWorld, client: Any) -> Any:
    _put(client)
    other = {**NAMES, "IfMatch": '"another"'}
    return tuple(answer_of(lambda text=text: client.get_object(**other, Range=text)) for text in ("bytes=4-2", "bytes=9-"))


def _underscore(_: StoreWorld, client: Any) -> Any:
    _put(client, Metadata={"a_b": "1"})
    return client.head_object(**NAMES)["Metadata"]


def _mfa(_: StoreWorld, client: Any) -> Any:
    before = client.get_bucket_versioning(Bucket=BUCKET).get("MFADelete")
    _versioning(client)
    return before, client.get_bucket_versioning(Bucket=BUCKET).get("MFADelete")


def _copy_names(_: StoreWorld, client: Any) -> Any:
    _versioning(client)
    _put(client)
    answer = client.copy_object(Bucket=BUCKET, Key="copy", CopySource=SOURCE)
    return "VersionId" in answer, "CopySourceVersionId" in answer


def _onto_itself(_: StoreWorld, client: Any) -> Any:
    _put(client)
    return tuple(
        answer_of(lambda source=source: client.copy_object(**NAMES, CopySource=source))
        for source in (SOURCE, {**SOURCE, "VersionId": "null"})
    )


def _null_version(_: StoreWorld, client: Any) -> Any:
    _put(client)
    never = client.get_object(**NAMES, VersionId="null").get("VersionId")
    _versioning(client, "Suspended")
    return never, client.get_object(**NAMES).get("VersionId"), client.get_object(**NAMES, VersionId="null").get("VersionId")


def _marker_upon_marker(_: StoreWorld, client: Any) -> Any:
    _versioning(client)
    for _number in range(2):
        client.delete_object(**NAMES)
    return len(client.list_object_versions(Bucket=BUCKET)["DeleteMarkers"])


def _unknown_version(_: StoreWorld, client: Any) -> Any:
    _versioning(client)
    _put(client)
    return tuple(
        client.delete_object(Bucket=BUCKET, Key=key, VersionId=version).get("VersionId")
        for key, version in (("k", "none"), ("k", "null"), ("other", "null"))
    )


def _complete_like_the_object(_: StoreWorld, client: Any) -> Any:
    upload_id = _upload(client)
    part = _part(client, upload_id, 1)
    _complete(client, upload_id, part)
    ended = _upload(client)
    client.abort_multipart_upload(**NAMES, UploadId=ended)
    return answer_of(lambda: _complete(client, ended, part))


def _complete_some(_: StoreWorld, client: Any) -> Any:
    upload_id = _upload(client)
    first, _second = _part(client, upload_id, 1), _part(client, upload_id, 2)
    return answer_of(lambda: _complete(client, upload_id, first))


def _complete_nothing(_: StoreWorld, client: Any) -> Any:
    return answer_of(lambda: _complete(client, "none"))


def _parts_of_none(_: StoreWorld, client: Any) -> Any:
    return answer_of(lambda: client.list_parts(**NAMES, UploadId="none"))


def _parts_owner(_: StoreWorld, client: Any) -> Any:
    answer = client.list_parts(**NAMES, UploadId=_upload(client))
    return bool(answer["Owner"]["ID"]), "Initiator" in answer


def _markers(_: StoreWorld, client: Any) -> Any:
    upload_id = _upload(client)
    answer = client.list_multipart_uploads(Bucket=BUCKET)
    return "KeyMarker" in answer, answer.get("NextKeyMarker"), answer.get("NextUploadIdMarker") == upload_id


def _from_key(_: StoreWorld, client: Any) -> Any:
    for key in ("a", "k", "z"):
        _upload(client, key)
    return [entry["Key"] for entry in client.list_multipart_uploads(Bucket=BUCKET, KeyMarker="k")["Uploads"]]


def _prefixes_of_uploads(_: StoreWorld, client: Any) -> Any:
    for key in ("a/1", "b"):
        _upload(client, key)
    answer = client.list_multipart_uploads(Bucket=BUCKET, Delimiter="/")
    return [entry["Key"] for entry in answer["Uploads"]], len(answer.get("CommonPrefixes", []))


def _start_after(_: StoreWorld, client: Any) -> Any:
    for key in ("a", "b"):
        _put(client, key=key)
    token = client.list_objects_v2(Bucket=BUCKET, MaxKeys=1)["NextContinuationToken"]
    answer = client.list_objects_v2(Bucket=BUCKET, ContinuationToken=token, StartAfter="z")
    return [entry["Key"] for entry in answer["Contents"]], answer.get("StartAfter")


def _odd_markers(_: StoreWorld, client: Any) -> Any:
    for key in ("a+b", "a+b/1", "z"):
        _put(client, key=key)
    older = client.list_objects(Bucket=BUCKET, Prefix="a+b", Marker="a+b", Delimiter="z", MaxKeys=1)
    versions = client.list_object_versions(Bucket=BUCKET, MaxKeys=1, Prefix="a+b")
    newer = client.list_objects_v2(Bucket=BUCKET, Prefix="a+b", StartAfter="a+b")
    return older["Prefix"], older["Marker"], versions["NextKeyMarker"], newer["Prefix"], newer["StartAfter"]


FURTHER: dict[str, tuple[Program, tuple[Any, Any, Any]]] = {
    "put_if_none_match_star_versioned": (_absent_while_versioned, (FAILED, OK, FAILED)),
    "marker_counts_as_object": (_absent_after_marker, ((OK, "NoSuchKey 404"), (FAILED, OK), (OK, "NoSuchKey 404"))),
    "put_if_match_versioned": (_match_while_versioned, (OK, FAILED, OK)),
    "read_dates": (_dates, (FAILED, "304 304", FAILED)),
    "read_condition_star": (_star_reads, ((OK, "304 304"), (FAILED, OK), (OK, "304 304"))),
    "read_condition_list": (_list_reads, (OK, FAILED, OK)),
    "range": (_ranges, (_BY_RFC, _BY_NUMBERS, _BY_RFC)),
    "range_malformed_first": (
        _malformed, ((FAILED, FAILED), ("InvalidRange 416", FAILED), (FAILED, FAILED))),
    "copy_part_range_outside": (
        _copied_range,
        (
            (OK, "InvalidArgument 400", "InvalidArgument 400", "InvalidArgument 400"),
            (OK, "InvalidRange 416", "InvalidRange 416", "InvalidArgument 400"),
            (OK, "InvalidArgument 400", "InvalidArgument 400", "InvalidArgument 400"),
        ),
    ),
    "copy_part_source_first": (_two_things_missing, ("NoSuchUpload 404", "NoSuchKey 404", "InternalError 500")),
    "copy_part_source_decoded": (
        _percent, ((OK, OK, "NoSuchKey 404"), (OK, "NoSuchKey 404", OK), (OK, OK, "NoSuchKey 404"))),
    "metadata_underscore": (_underscore, ({"a_b": "1"}, {"a-b": "1"}, {"a_b": "1"})),
    "mfa_delete_shown": (_mfa, ((None, None), (None, "Disabled"), (None, None))),
    "copy_names_versions": (_copy_names, ((True, True), (False, False), (True, True))),
    "copy_onto_itself_by_version": (
        _onto_itself,
        (("InvalidRequest 400",) * 2, ("InvalidRequest 400", OK), ("InvalidRequest 400",) * 2),
    ),
    "null_version_named": (_null_version, ((None, "null", "null"), ("null", None, "null"), (None, "null", "null"))),
    "delete_marker_upon_marker": (_marker_upon_marker, (2, 1, 2)),
    "delete_unknown_version_named": (
        _unknown_version,
        (("none", "null", "null"), (None, "null", None), ("none", "null", "null")),
    ),
    "complete_again": (_complete_like_the_object, ("NoSuchUpload 404", OK, "InternalError 500")),
    "complete_needs_all_parts": (_complete_some, (OK, "InvalidPart 400", OK)),
    "complete_no_parts_first": (_complete_nothing, ("NoSuchUpload 404", "MalformedXML 400", "InternalError 500")),
    "list_parts_unknown_upload": (_parts_of_none, ("NoSuchUpload 404", "NoSuchKey 404", "NoSuchUpload 404")),
    "list_parts_owner": (_parts_owner, ((True, True), (False, False), (True, True))),
    "uploads_markers": (_markers, ((True, None, False), (False, "k", True), (True, None, False))),
    "uploads_key_marker": (_from_key, (["z"], ["k", "z"], ["z"])),
    "uploads_common_prefixes": (_prefixes_of_uploads, ((["b"], 1), (["b"], 0), (["b"], 1))),
    "markers_encoded": (_odd_markers, (("a+b",) * 5, ("a+b", *("a b",) * 4), ("a+b",) * 5)),
    "start_after_with_token": (_start_after, ((["b"], None), (["b"], "z"), (["b"], None))),
}

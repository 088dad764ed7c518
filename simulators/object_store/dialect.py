"""What real S3 servers do differently, as data: one row per behaviour, one column per dialect, the source beside it.

The model asks ``dialect["row name"]`` and never asks which dialect it is. ``aws`` is the service as AWS documents it (not
measured), ``radosgw`` is Ceph 16.2.15, ``moto`` is 5.2.5; the last two were measured side by side with one script of 130
steps, and are compared with the model call by call in generated programs. Values: ``"ok"`` the request is accepted and
means what it says, ``"ignored"`` accepted and the condition or header is not looked at, an error code where it is refused,
a number or a word where the row says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

DialectName = Literal["aws", "radosgw", "moto"]
Value = str | int | bool

_MEASURED = "measured: radosgw 16.2.15 and moto 5.2.5, same script; aws: documents"
_CONDITIONAL = "docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html; " + _MEASURED
_COMPLETE = "docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html; " + _MEASURED
_LIST = "docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html; " + _MEASURED


@dataclass(frozen=True, slots=True)
class Row:
    """One behaviour in the three dialects."""

    name: str
    aws: Value
    radosgw: Value
    moto: Value
    meaning: str
    source: str = _MEASURED


ROWS: tuple[Row, ...] = (
    Row("error_message", "text", "empty", "text", "the <Message> of an error; empty is None in botocore"),
    Row("create_own_bucket_again", "200 in us-east-1", "ok", "ok", "else 409 BucketAlreadyOwnedByYou"),
    Row("bucket_name_underscore_or_capital", "InvalidBucketName", "InvalidBucketName", "ok", "bucket A_B"),
    Row("bucket_name_two_characters", "InvalidBucketName", "InvalidBucketName", "InvalidBucketName", "bucket ab"),
    Row("location_constraint_us_east_1", "InvalidLocationConstraint", "InvalidLocationConstraint",
        "InvalidLocationConstraint", "CreateBucket with LocationConstraint us-east-1"),
    Row("location_constraint_other_region", "ok", "InvalidLocationConstraint", "ok",
        "CreateBucket with LocationConstraint eu-west-1"),
    Row("location_constraint_unknown", "InvalidLocationConstraint", "InvalidLocationConstraint",
        "InvalidLocationConstraint", "CreateBucket with a LocationConstraint nobody knows"),
    Row("put_if_none_match_star_existing", "PreconditionFailed", "PreconditionFailed", "PreconditionFailed",
        "PutObject If-None-Match: * on an existing key", _CONDITIONAL),
    Row("conditional_write_race", "ConditionalRequestConflict", "ok", "ok",
        "a conditional write while another write of that key is under way may be answered so", _CONDITIONAL),
    Row("put_if_match_quoted", "ok", "PreconditionFailed", "ok",
        "PutObject If-Match with the right ETag in quotes, as clients send it (16.2 compares it unstripped)", _CONDITIONAL),
    Row("put_if_match_missing_key", "NoSuchKey", "PreconditionFailed", "NoSuchKey",
        "PutObject If-Match, no such key", _CONDITIONAL),
    Row("put_if_match_star", "PreconditionFailed", "ok", "PreconditionFailed", "PutObject If-Match: *", _CONDITIONAL),
    Row("put_if_none_match_etag", "NotImplemented", "unstripped", "ok",
        "PutObject If-None-Match with an ETag; only * is defined. radosgw compares it with its quotes, and refuses where there "
        "is no object", _CONDITIONAL),
    Row("put_if_none_match_star_versioned", "PreconditionFailed", "ignored", "PreconditionFailed",
        "put_if_none_match_star_existing where versioning is enabled: radosgw looks for the new version, which never exists",
        _CONDITIONAL),
    Row("marker_counts_as_object", False, True, False,
        "conditions of PutObject with * take a delete marker for an object, versioning suspended", _CONDITIONAL),
    Row("put_if_match_versioned", "ok", "PreconditionFailed", "ok",
        "PutObject If-Match that holds, versioning enabled: radosgw looks for the new version, which never exists",
        _CONDITIONAL),
    Row("read_dates", "as in RFC 9110", "the second first", "as in RFC 9110",
        "of If-Unmodified-Since and If-Modified-Since, where neither holds, radosgw looks at the second first"),
    Row("read_condition_star", "any", "an ETag", "any",
        "what * means in If-Match and If-None-Match of GetObject and HeadObject (moto: known_differences)"),
    Row("read_condition_list", True, False, True, "If-Match and If-None-Match of a read may name several ETags"),
    Row("range", "as in RFC 9110", "numbers", "as in RFC 9110",
        "how Range is read: radosgw takes a leading number or 0, ignores no range of bytes, and none fits an empty object"),
    Row("range_malformed_first", False, True, False,
        "a range that is none (no dash, end before beginning) is refused before the conditions of a read are looked at"),
    Row("copy_part_range_outside", "InvalidArgument", "InvalidRange", "InvalidArgument",
        "UploadPartCopy with a range that is not wholly inside the source, or open-ended"),
    Row("copy_part_source_first", False, True, False, "UploadPartCopy looks at its source before it looks for its upload"),
    Row("copy_part_source_decoded", "once", "twice", "once",
        "how often UploadPartCopy decodes its source: to radosgw a%2541 is aA, where CopyObject finds a%41"),
    Row("metadata_underscore", "kept", "-", "kept", "an underscore in the name of user metadata"),
    Row("mfa_delete_shown", False, True, False, "GetBucketVersioning says MFADelete Disabled"),
    Row("copy_names_versions", True, False, True, "VersionId and CopySourceVersionId in the answer to CopyObject"),
    Row("copy_onto_itself_by_version", "refused", "ok", "refused",
        "CopyObject of a key onto itself with nothing changed, the source named with its version id, bucket never versioned"),
    Row("null_version_named", "if versioned", "if asked", "if versioned",
        "VersionId in answers about the version that is called null"),
    Row("delete_marker_upon_marker", True, False, True,
        "DeleteObject of a key whose current version is a delete marker (not the null one) adds another one"),
    Row("delete_unknown_version_named", True, False, True, "VersionId in the answer to the deletion of an unknown version"),
    Row("delete_if_match_wrong", "PreconditionFailed", "ignored", "PreconditionFailed",
        "DeleteObject If-Match with another ETag", _CONDITIONAL),
    Row("complete_if_none_match_existing", "PreconditionFailed", "ignored", "PreconditionFailed",
        "CompleteMultipartUpload If-None-Match: * on an existing key", _CONDITIONAL),
    Row("copy_source_if_match_wrong", "PreconditionFailed", "ignored", "ignored", "CopyObject CopySourceIfMatch wrong"),
    Row("copy_source_if_none_match_same", "PreconditionFailed", "ignored", "PreconditionFailed",
        "CopyObject CopySourceIfNoneMatch with the source's ETag"),
    Row("copy_if_none_match_existing", "PreconditionFailed", "ignored", "ignored",
        "CopyObject If-None-Match: * on an existing destination", _CONDITIONAL),
    Row("content_md5_wrong", "BadDigest", "BadDigest", "ignored", "a Content-MD5 that is not the body's"),
    Row("checksum_wrong", "BadDigest", "ignored", "ignored", "an x-amz-checksum-* that is not the body's"),
    Row("checksum_returned", True, False, True, "x-amz-checksum-* in answers"),
    Row("checksum_type_returned", True, False, False, "x-amz-checksum-type in answers"),
    Row("copy_of_multipart", "md5 of the bytes", "kept", "md5 of the bytes",
        "ETag, checksum and part sizes of a copy of a multipart object; aws: the copy is one part",
        "docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html; radosgw: knowledge of its manifest copy"),
    Row("key_1025_bytes", "KeyTooLongError", "InvalidObjectName", "ok", "a key longer than 1024 bytes of UTF-8",
        "docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html; " + _MEASURED),
    Row("key_with_newline", "ok", "ok", "404", "PutObject of a key with a newline"),
    Row("max_keys_over_1000_echoed", False, False, True, "MaxKeys=5000 is echoed as given", _LIST),
    Row("continuation_token_bad", "InvalidArgument", "taken as key", "InternalError",
        "ListObjectsV2 with a ContinuationToken nobody gave out", _LIST),
    Row("list_v1_next_marker", "with delimiter", "always", "token", "when ListObjects gives NextMarker, and what it is"),
    Row("delete_objects_1001", "MalformedXML", "MalformedXML", "ok", "DeleteObjects with 1001 keys"),
    Row("delete_objects_empty", "MalformedXML", "ok", "MalformedXML", "DeleteObjects with no key"),
    Row("delete_objects_quiet", True, True, False, "DeleteObjects honours Quiet"),
    Row("complete_etag", "quoted", "empty at first", "quoted",
        "ETag in the answer of CompleteMultipartUpload; radosgw gives it only when the call is repeated", _COMPLETE),
    Row("complete_repeated", "ok", "ok", "ok", "CompleteMultipartUpload again after success, same parts", _COMPLETE),
    Row("complete_unknown_upload", "NoSuchUpload", "InternalError", "InternalError",
        "CompleteMultipartUpload of an unknown UploadId (radosgw: 500, already in progress)", _COMPLETE),
    Row("complete_again", "of that upload", "by ETag", "of that upload",
        "Complete of an upload that is not pending: radosgw looks at the object under the key only, and says 200 where its "
        "ETag is what the parts named would give, whoever wrote it", _COMPLETE),
    Row("complete_needs_all_parts", False, True, False, "CompleteMultipartUpload must name every part sent", _COMPLETE),
    Row("complete_no_parts_first", False, True, False, "an empty list is refused before the upload is looked for", _COMPLETE),
    Row("complete_parts_out_of_order", "InvalidPartOrder", "ok", "EntityTooSmall", "parts not ascending", _COMPLETE),
    Row("complete_small_part", "EntityTooSmall", "EntityTooSmall", "EntityTooSmall", "a part under 5 MiB, not the last",
        _COMPLETE),
    Row("complete_stale_part_etag", "InvalidPart", "InvalidPart", "InvalidPart", "a part's ETag is not the stored one",
        _COMPLETE),
    Row("complete_no_parts", "MalformedXML", "MalformedXML", "MalformedXML", "an empty list of parts", _COMPLETE),
    Row("part_number_0", "InvalidArgument", "ignored", "NoSuchUpload",
        "UploadPart with PartNumber 0; radosgw takes it and never shows or uses it"),
    Row("part_number_10001", "InvalidArgument", "ok", "InvalidArgument", "UploadPart with PartNumber 10001"),
    Row("upload_part_unknown_upload", "NoSuchUpload", "NoSuchUpload", "InternalError",
        "UploadPart into an upload that never was or has ended"),
    Row("list_parts_unknown_upload", "NoSuchUpload", "NoSuchKey", "NoSuchUpload", "ListParts of an upload that is not pending"),
    Row("list_parts_owner", "given", "empty", "given", "Owner and Initiator of ListParts; radosgw: empty, and none"),
    Row("uploads_markers", "always", "where they say something", "always",
        "KeyMarker and UploadIdMarker of ListMultipartUploads; the Next ones: at the end of a page, or after any entry"),
    Row("uploads_key_marker", "after the key", "from the key", "after the key",
        "where ListMultipartUploads with a KeyMarker alone goes on"),
    Row("uploads_common_prefixes", True, False, True, "ListMultipartUploads with a Delimiter gives common prefixes"),
    Row("markers_encoded", True, False, True,
        "markers of listings (not tokens) and prefixes come encoded as botocore asked; radosgw sends them plain, and botocore "
        "decodes what never was encoded: after NextMarker a+b one would go on from 'a b'", _LIST),
    Row("start_after_with_token", False, True, False, "StartAfter is echoed where there is a ContinuationToken, too", _LIST),
    Row("get_part_number", "ok", "ignored", "ignored", "GetObject PartNumber: 206 and that part, or the whole object"),
    Row("head_part_number", "ok", "ignored", "ok", "HeadObject PartNumber"),
    Row("delete_bucket_with_upload", "ok", "ok", "ok", "DeleteBucket while only an upload is pending"),
    Row("get_unknown_version", "NoSuchVersion", "NoSuchKey", "NoSuchVersion", "GetObject with an unknown VersionId"),
    Row("get_version_of_delete_marker", "MethodNotAllowed", "NoSuchKey", "NoSuchVersion",
        "GetObject with the VersionId of a delete marker",
        "docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html; " + _MEASURED),
    Row("secret_wrong", "SignatureDoesNotMatch", "SignatureDoesNotMatch", "ok", "wrong secret key"),
    Row("access_key_unknown", "InvalidAccessKeyId", "InvalidAccessKeyId", "ok", "unknown access key"),
    Row("expired_token_status", 403, 403, 403,
        "HTTP status of ExpiredToken (AWS's list of errors says 400, so a HEAD would show that; kept 403 by decision)",
        "docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"),
    Row("copy_etag_quoted", True, False, True, "ETag in CopyObjectResult and CopyPartResult"),
    Row("full", "QuotaExceeded", "QuotaExceeded", "QuotaExceeded",
        "a write beyond the quota; radosgw's code, AWS has no such limit", "docs.ceph.com/en/pacific/radosgw/s3/"),
)

TABLE: Mapping[str, Row] = {row.name: row for row in ROWS}


class Dialect:
    """One column of the table."""

    __slots__ = ("_values", "name")

    def __init__(self, name: DialectName) -> None:
        if name not in ("aws", "radosgw", "moto"):
            raise ValueError(f"no such dialect: {name!r}; there are aws, radosgw and moto")
        self.name: DialectName = name
        self._values: dict[str, Value] = {row.name: getattr(row, name) for row in ROWS}

    def __getitem__(self, row: str) -> Value:
        return self._values[row]

    def code(self, row: str) -> str | None:
        """The error code of a row; ``None`` where the dialect accepts (``"ok"`` or ``"ignored"``)."""
        value = str(self._values[row])
        return None if value in ("ok", "ignored") else value

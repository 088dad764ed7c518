"""Where moto 5.2 answers otherwise than the native model in its ``moto`` dialect, as data; the differential test reads it.

A row explains one difference in one field and carries a program that shows it. A difference without a row fails the test, and
so does a row whose own program no longer shows it. Nothing but rows and their type lives here: what moto does and a
client can make use of belongs into the dialect, not into this table.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final, Literal, TypeAlias

Call: TypeAlias = tuple[str, Mapping[str, Any]]
Scope: TypeAlias = Literal["field", "answer", "program"]


class _Mark:
    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


ANYTHING: Final = _Mark("ANYTHING")
"""Matches every value of a field, ``None`` too, and every value of an argument that is there."""
ABSENT: Final = _Mark("ABSENT")
"""Matches an argument that is not there."""


@dataclasses.dataclass(frozen=True, slots=True)
class KnownDifference:
    """``field``: path without indices, or ``outcome`` where a side raised; a shell pattern.

    ``native`` and ``moto``: the values on each side, ``None`` for an absent field; texts are shell patterns. ``given``:
    arguments the call must have; ``after``: operations, as shell patterns, each of which must have been called before.
    ``scope``: what is not compared further: this field, this whole answer, or the rest of the program as well, because
    from here on the two hold different things. ``example``: calls that show it.
    """

    name: str
    operations: tuple[str, ...]
    field: str
    native: object
    moto: object
    reason: str
    example: tuple[Call, ...]
    given: Mapping[str, object] = dataclasses.field(default_factory=dict)
    after: tuple[str, ...] = ()
    scope: Scope = "field"

    def explains(self, program: Sequence[Call], field: str, native: object, moto: object) -> bool:
        """Whether this row is about a difference in the answer to the last call of ``program``."""
        operation, arguments = program[-1]
        earlier = [name for name, _ in program[:-1]]
        return (
            all(any(fnmatchcase(name, pattern) for name in earlier) for pattern in self.after)
            and operation in self.operations
            and all(_fits(value, arguments.get(name, ABSENT)) for name, value in self.given.items())
            and fnmatchcase(field.replace("[]", ""), self.field)
            and _fits(self.native, native)
            and _fits(self.moto, moto)
        )


def _fits(expected: object, value: object) -> bool:
    if isinstance(expected, str) and isinstance(value, str):
        return fnmatchcase(value, expected)
    if expected is ANYTHING:
        return value is not ABSENT
    return expected is value or expected == value


_PUT: Final = ("put_object", {"Key": "a", "Body": "$bytes:5:0"})
_UPLOAD: Final = ("create_multipart_upload", {"Key": "a"})
_PART: Final = ("upload_part", {"UploadId": "$upload:0", "Key": "a", "PartNumber": 1, "Body": "$bytes:10:0"})
_THIS: Final = {"UploadId": "$upload:0", "Key": "a"}
_COMPLETE: Final = ("complete_multipart_upload", {**_THIS, "MultipartUpload": "$parts:0:right"})
_VERSIONED: Final = ("put_bucket_versioning", {"VersioningConfiguration": {"Status": "Enabled"}})
_SUSPENDED: Final = ("put_bucket_versioning", {"VersioningConfiguration": {"Status": "Suspended"}})
_READS: Final = ("get_object", "head_object")
_INVENTED = "moto writes constants of its own for who owns and who began; so does the model, others"


def _row(
    name: str, operations: str, field: str, native: object, moto: object, reason: str,
    *example: Call, given: Mapping[str, object] | None = None, after: str = "", scope: Scope = "field",
) -> KnownDifference:  # fmt: skip
    return KnownDifference(
        name, tuple(operations.split()), field, native, moto, reason, example, given or {}, tuple(after.split()), scope
    )


KNOWN_DIFFERENCES: tuple[KnownDifference, ...] = (
    _row("owner", "list_object_versions list_multipart_uploads list_parts", "*Owner.*", ANYTHING, ANYTHING, _INVENTED,
         _PUT, ("list_object_versions", {})),
    _row("initiator", "list_multipart_uploads list_parts", "*Initiator.*", ANYTHING, ANYTHING, _INVENTED,
         _UPLOAD, ("list_multipart_uploads", {})),
    _row("location", "complete_multipart_upload", "Location", "http://s3.sim/*", "http://*.s3.amazonaws.com/*",
         "moto writes the address of AWS, the model that of its endpoint",
         _UPLOAD, _PART, _COMPLETE),
    _row("versions-encoding", "list_object_versions", "EncodingType", "url", None,
         "moto neither encodes keys in ListObjectVersions nor says so, though botocore asks for it",
         ("list_object_versions", {})),
    _row("uploads-unsorted", "list_multipart_uploads", "Uploads.*", ANYTHING, ANYTHING,
         "moto lists uploads in order of creation, S3 by key and then by age",
         ("create_multipart_upload", {"Key": "b"}), _UPLOAD, ("list_multipart_uploads", {})),
    _row("token-nothing-to-list", "list_objects_v2", "outcome", "InternalError 500", "ok",
         "moto looks at a continuation token only when there are keys to compare it with",
         ("list_objects_v2", {"ContinuationToken": "$token"}), given={"ContinuationToken": ANYTHING}),
    _row("delete-of-nothing-makes-no-marker", "delete_object", "DeleteMarker", True, None,
         "moto adds no delete marker for a key that never was; S3 does",
         _VERSIONED, ("delete_object", {"Key": "a"}),
         given={"VersionId": ABSENT}, after="put_bucket_versioning", scope="program"),
    _row("delete-many-of-nothing-makes-no-marker", "delete_objects", "Deleted.DeleteMarker*", ANYTHING, None,
         "moto adds no delete marker for a key that never was; S3 does",
         _VERSIONED, ("delete_objects", {"Delete": {"Objects": [{"Key": "a"}]}}),
         after="put_bucket_versioning", scope="program"),
    _row("suspended-answers-no-version", "put_object copy_object get_object head_object delete_object", "VersionId", "*", None,
         "moto takes a suspended bucket for one that was never versioned; in S3 its new versions are called null",
         _VERSIONED, _SUSPENDED, _PUT, after="put_bucket_versioning", scope="program"),
    _row("complete-null-version", "complete_multipart_upload", "VersionId", None, "null",
         "moto names the version null in a bucket that was never versioned",
         _UPLOAD, _PART, _COMPLETE),
    _row("complete-repeated-with-condition", "complete_multipart_upload", "outcome", "ok", "PreconditionFailed 412",
         "moto knows of a finished upload only as long as the object it made is the current one, and looks at conditions first",
         _UPLOAD, _PART, _COMPLETE, _PUT,
         ("complete_multipart_upload", {**_THIS, "MultipartUpload": "$parts:0:right", "IfNoneMatch": "*"}),
         given={"IfNoneMatch": "*"}, after="complete_multipart_upload", scope="program"),
    _row("complete-repeated-after-copy-onto-itself", "complete_multipart_upload", "ETag", "*-*", "*",
         "moto takes a copy of the object that Complete made for that object, and gives the ETag of the copy",
         _UPLOAD, _PART, _COMPLETE,
         ("copy_object", {"Key": "a", "CopySource": {"Bucket": "storcert", "Key": "a"}, "MetadataDirective": "REPLACE"}),
         _COMPLETE, after="copy_object complete_multipart_upload", scope="program"),
    _row("complete-condition-first", "complete_multipart_upload", "outcome", ANYTHING, "PreconditionFailed 412",
         "moto looks at If-None-Match before it looks at the upload and the parts",
         _PUT, ("complete_multipart_upload",
                {"Key": "a", "UploadId": "bogus", "MultipartUpload": "$parts:0:right", "IfNoneMatch": "*"}),
         given={"IfNoneMatch": "*"}),
    _row("complete-order-not-checked", "complete_multipart_upload", "outcome", "EntityTooSmall 400", "ok",
         "moto never refuses an order: it joins parts as named, one named twice two times; S3 says InvalidPartOrder",
         _UPLOAD, _PART, ("complete_multipart_upload", {**_THIS, "MultipartUpload": "$parts:0:twice"}), scope="program"),
    _row("part-number-0-bogus-upload", "upload_part", "outcome", "NoSuchUpload 404", "InternalError 500",
         "of two things wrong moto meets the unknown upload first",
         ("upload_part", {"UploadId": "bogus", "Key": "a", "PartNumber": 0, "Body": "$bytes:1:0"}), given={"PartNumber": 0}),
    _row("get-part-1-of-simple-object", "get_object", "HTTPStatusCode", 200, 206,
         "moto ignores PartNumber of a GET for multipart objects only",
         _PUT, ("get_object", {"Key": "a", "PartNumber": 1}), given={"PartNumber": 1}),
    _row("get-part-1-range", "get_object", "ContentRange", None, "bytes 0-*",
         "moto ignores PartNumber of a GET for multipart objects only; of an empty object it says 0--1/0",
         _PUT, ("get_object", {"Key": "a", "PartNumber": 1}), given={"PartNumber": 1}),
    _row("get-part-2-of-simple-object", "get_object", "outcome", ANYTHING, "416 416",
         "moto ignores PartNumber of a GET for multipart objects only",
         _PUT, ("get_object", {"Key": "a", "PartNumber": 2}), given={"PartNumber": ANYTHING}),
    _row("copy-if-none-match-star", "copy_object", "outcome", "PreconditionFailed 412", ANYTHING,
         "moto compares the star with the ETag; RFC 9110 says that it means any",
         _PUT, ("copy_object", {"Key": "b", "CopySource": {"Bucket": "storcert", "Key": "a"}, "CopySourceIfNoneMatch": "*"}),
         given={"CopySourceIfNoneMatch": "*"}, scope="program"),
    _row("complete-repeated-with-other-parts", "complete_multipart_upload", "outcome", "InternalError 500", "ok",
         "moto answers a repeated Complete without looking at its parts while the object it made is the current one",
         _UPLOAD, _PART, _COMPLETE,
         ("complete_multipart_upload", {**_THIS, "MultipartUpload": "$parts:0:wrong-etag"}), scope="program"),
    _row("complete-if-match-ignored", "complete_multipart_upload", "outcome", ANYTHING, "ok",
         "moto does not look at If-Match of CompleteMultipartUpload",
         _UPLOAD, _PART, ("complete_multipart_upload", {**_THIS, "MultipartUpload": "$parts:0:right", "IfMatch": "*"}),
         given={"IfMatch": ANYTHING}, scope="program"),
    _row("delete-if-match-star", "delete_object", "outcome", "ok", "PreconditionFailed 412",
         "moto compares the star with the ETag; for S3 it means any object",
         _PUT, ("delete_object", {"Key": "a", "IfMatch": "*"}), given={"IfMatch": "*"}, scope="program"),
    _row("delete-if-match-star-of-nothing", "delete_object", "outcome", "PreconditionFailed 412", "NoSuchKey 404",
         "moto answers 404 to every If-Match on a key that is not there",
         ("delete_object", {"Key": "a", "IfMatch": "*"}), given={"IfMatch": "*"}),
    _row("copy-source-null-version", "copy_object", "CopySourceVersionId", "null", None,
         "moto does not name a source version that is called null",
         _PUT, _VERSIONED, ("copy_object", {"Key": "b", "CopySource": {"Bucket": "storcert", "Key": "a"}})),
    _row("suffix-range-of-empty-object", "get_object head_object", "outcome", "*416", "ok",
         "moto ignores a suffix range that comes to nothing",
         ("put_object", {"Key": "a", "Body": "$bytes:0:0"}), ("get_object", {"Key": "a", "Range": "bytes=-1"}),
         given={"Range": "bytes=-*"}),
    _row("checksum-of-whole-range", "get_object", "ChecksumCRC32", None, "*",
         "moto gives the checksum of an object with a range that happens to be all of it",
         _PUT, ("get_object", {"Key": "a", "Range": "bytes=0-"}), given={"Range": ANYTHING}),
    _row("versions-page-and-group", "list_object_versions", "*", ANYTHING, ANYTHING,
         "where a page of ListObjectVersions ends with a common prefix moto gives it on this page and on the next",
         _PUT, ("put_object", {"Key": "a/b", "Body": "$bytes:5:0"}),
         ("list_object_versions", {"Delimiter": "/", "MaxKeys": 1}),
         given={"Delimiter": ANYTHING, "MaxKeys": ANYTHING}, scope="answer"),
    _row("checksum-of-multipart", "get_object head_object", "ChecksumCRC32", "*", None,
         "moto keeps no checksum of a multipart object unless one was sent with Complete",
         _UPLOAD, _PART, _COMPLETE, ("get_object", {"Key": "a"}), after="complete_multipart_upload"),
    _row("checksum-of-copied-multipart", "copy_object", "CopyObjectResult.ChecksumCRC32", "*", None,
         "moto keeps no checksum of a multipart object, so a copy of it has none either",
         _UPLOAD, _PART, _COMPLETE, ("copy_object", {"Key": "b", "CopySource": {"Bucket": "storcert", "Key": "a"}}),
         after="complete_multipart_upload"),
    _row("head-part-of-multipart", "head_object", "HTTPStatusCode", 206, 200,
         "moto answers a HEAD of one part with 200, the part's own ETag and no Content-Range",
         _UPLOAD, _PART, _COMPLETE, ("head_object", {"Key": "a", "PartNumber": 1}),
         given={"PartNumber": ANYTHING}, after="complete_multipart_upload", scope="answer"),
    _row("head-dropped-part", "head_object", "outcome", "416 416", ANYTHING,
         "moto remembers parts that Complete did not name and the parts of what was copied; of others it knows nothing (500)",
         _UPLOAD, _PART, _COMPLETE, ("head_object", {"Key": "a", "PartNumber": 2}),
         given={"PartNumber": ANYTHING}, after="complete_multipart_upload"),
    _row("list-algorithm-of-multipart", "list_objects_v2", "Contents.ChecksumAlgorithm*", ANYTHING, None,
         "moto keeps no checksum of a multipart object unless one was sent with Complete",
         _UPLOAD, _PART, _COMPLETE, ("list_objects_v2", {}), after="complete_multipart_upload"),
    _row("complete-repeated-later", "complete_multipart_upload", "outcome", "ok", "InternalError 500",
         "moto knows of a finished upload only as long as the object it made is the current one",
         _UPLOAD, _PART, _COMPLETE, _PUT, _COMPLETE, after="complete_multipart_upload", scope="program"),
    _row("backward-range", "get_object head_object", "outcome", "ok", "*416",
         "moto compares the start of a range with the size before it sees that the range runs backwards, which S3 ignores",
         ("put_object", {"Key": "a", "Body": "$bytes:1:0"}), ("get_object", {"Key": "a", "Range": "bytes=4-2"}),
         given={"Range": "bytes=4-2"}),
    _row("suspended-delete-of-marker", "delete_object delete_objects", "outcome", "ok", "InternalError 500",
         "moto fails inside when a suspended bucket is asked to delete a key that has a delete marker",
         _VERSIONED, _PUT, ("delete_object", {"Key": "a"}), _SUSPENDED, ("delete_object", {"Key": "a"}),
         after="put_bucket_versioning delete_object*", scope="program"),
    _row("suspended-copy-onto-itself", "copy_object", "outcome", "ok", "InvalidRequest 400",
         "moto takes a suspended bucket for one that was never versioned, where a version id changes nothing",
         _PUT, _VERSIONED, _SUSPENDED,
         ("copy_object", {"Key": "a", "CopySource": {"Bucket": "storcert", "Key": "a", "VersionId": "null"}}),
         after="put_bucket_versioning", scope="program"),
    _row("range-of-another-unit", "get_object head_object", "*", ANYTHING, ANYTHING,
         "moto takes every unit of a range for bytes; RFC 9110 says to ignore a unit that is not known",
         _PUT, ("get_object", {"Key": "a", "Range": "items=0-1"}), given={"Range": "items=*"}, scope="answer"),
    _row("complete-two-things-wrong", "complete_multipart_upload", "outcome", "InvalidPart 400", "EntityTooSmall 400",
         "moto looks at size and ETag of one part after the other, the model at all ETags first",
         _UPLOAD, ("upload_part", {**_THIS, "PartNumber": 1, "Body": "$bytes:5:0"}),
         ("upload_part", {**_THIS, "PartNumber": 2, "Body": "$bytes:5:0"}),
         ("complete_multipart_upload", {**_THIS, "MultipartUpload": "$parts:0:unknown-part"})),
    _row("groups-of-deleted-keys", "list_objects_v2", "CommonPrefixes*", ANYTHING, ANYTHING,
         "moto makes common prefixes of keys that have a delete marker, too",
         _VERSIONED, ("put_object", {"Key": "a/b", "Body": "$bytes:5:0"}), ("delete_object", {"Key": "a/b"}),
         ("list_objects_v2", {"Delimiter": "/"}),
         given={"Delimiter": ANYTHING}, after="put_bucket_versioning delete_object*", scope="answer"),
    _row("get-if-none-match-star", "get_object head_object", "outcome", "304 304", ANYTHING,
         "moto compares the star with the ETag; RFC 9110 says that it means any",
         _PUT, ("get_object", {"Key": "a", "IfNoneMatch": "*"}), given={"IfNoneMatch": "*"}),
    _row("get-if-match-star", "get_object head_object", "outcome", ANYTHING, "*412",
         "moto compares the star with the ETag; RFC 9110 says that it means any",
         _PUT, ("get_object", {"Key": "a", "IfMatch": "*"}), given={"IfMatch": "*"}),
    _row("head-version-of-unversioned-bucket", "head_object", "outcome", ANYTHING, "400 400",
         "moto refuses a HEAD with a version id where the bucket is not versioned",
         _PUT, ("head_object", {"Key": "a", "VersionId": "null"}), given={"VersionId": ANYTHING}),
)

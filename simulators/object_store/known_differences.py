"""Where moto 5.2 answers otherwise than the native model in its ``moto`` dialect, as data; the differential test reads it.

A row explains one difference in one field and carries a program that shows it. A difference without a row fails the test, and
so does a row whose own program no longer shows it. Nothing but rows and their type lives here: what moto does and a
client can make use of belongs into the dialect, not into this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final


class _Anything:
    def __repr__(self) -> str:
        return "ANYTHING"


ANYTHING: Final = _Anything()
"""Matches every value, an absent one too."""


@dataclass(frozen=True, slots=True)
class KnownDifference:
    """``field``: path without indices, or ``outcome`` where a side raised; a shell pattern.

    ``native`` and ``moto``: the values on each side, ``None`` for an absent field; texts are shell patterns. ``given``:
    arguments the call must have. ``diverges``: from here on the two hold different things and the rest of a program is
    not compared. ``example``: calls that show it.
    """

    name: str
    operations: tuple[str, ...]
    field: str
    native: object
    moto: object
    reason: str
    example: tuple[tuple[str, Mapping[str, Any]], ...]
    given: Mapping[str, object] = field(default_factory=dict)
    diverges: bool = False

    def explains(self, call: tuple[str, Mapping[str, Any]], field: str, native: object, moto: object) -> bool:
        """Whether this row is about that difference."""
        operation, arguments = call
        return (
            operation in self.operations
            and all(name in arguments and _fits(value, arguments[name]) for name, value in self.given.items())
            and fnmatchcase(field.replace("[]", ""), self.field)
            and _fits(self.native, native)
            and _fits(self.moto, moto)
        )


def _fits(expected: object, value: object) -> bool:
    if isinstance(expected, str) and isinstance(value, str):
        return fnmatchcase(value, expected)
    return expected is ANYTHING or expected == value


_PUT: Final = ("put_object", {"Key": "a", "Body": "$bytes:5:0"})
_UPLOAD: Final = ("create_multipart_upload", {"Key": "a"})
_PART: Final = ("upload_part", {"UploadId": "$upload:0", "Key": "a", "PartNumber": 1, "Body": "$bytes:10:0"})
_THIS: Final = {"UploadId": "$upload:0", "Key": "a"}
_VERSIONED: Final = ("put_bucket_versioning", {"VersioningConfiguration": {"Status": "Enabled"}})
_SUSPENDED: Final = ("put_bucket_versioning", {"VersioningConfiguration": {"Status": "Suspended"}})
_READS: Final = ("get_object", "head_object")
_INVENTED = "moto writes constants of its own for who owns and who began; so does the model, others"


def _row(
    name: str, operations: str, field: str, native: object, moto: object, reason: str,
    *example: tuple[str, Mapping[str, Any]], given: Mapping[str, object] | None = None, diverges: bool = False,
) -> KnownDifference:  # fmt: skip
    return KnownDifference(
        name, tuple(operations.split()), field, native, moto, reason, example, given or {}, diverges
    )


KNOWN_DIFFERENCES: tuple[KnownDifference, ...] = (
    _row("owner", "list_object_versions list_multipart_uploads list_parts", "*Owner.*", ANYTHING, ANYTHING, _INVENTED,
         _PUT, ("list_object_versions", {})),
    _row("initiator", "list_multipart_uploads list_parts", "*Initiator.*", ANYTHING, ANYTHING, _INVENTED,
         _UPLOAD, ("list_multipart_uploads", {})),
    _row("location", "complete_multipart_upload", "Location", "http://s3.sim/*", "http://*.s3.amazonaws.com/*",
         "moto writes the address of AWS, the model that of its endpoint",
         _UPLOAD, _PART, ("complete_multipart_upload", {**_THIS, "MultipartUpload": "$parts:0:right"})),
    _row("versions-encoding", "list_object_versions", "EncodingType", "url", None,
         "moto neither encodes keys in ListObjectVersions nor says so, though botocore asks for it",
         ("list_object_versions", {})),
    _row("uploads-unsorted", "list_multipart_uploads", "Uploads.*", ANYTHING, ANYTHING,
         "moto lists uploads in order of creation, S3 by key and then by age",
         ("create_multipart_upload", {"Key": "b"}), _UPLOAD, ("list_multipart_uploads", {})),
    _row("token-nothing-to-list", "list_objects_v2", "outcome", "InternalError 500", "ok",
         "moto looks at a continuation token only when there are keys to compare it with",
         ("list_objects_v2", {"ContinuationToken": "$token"}), given={"ContinuationToken": ANYTHING}),
    _row("delete-of-nothing-makes-no-marker", "delete_object", "*", ANYTHING, None,
         "moto adds no delete marker for a key that never was; S3 does",
         _VERSIONED, ("delete_object", {"Key": "a"}), diverges=True),
    _row("delete-many-of-nothing-makes-no-marker", "delete_objects", "Deleted.DeleteMarker*", ANYTHING, None,
         "moto adds no delete marker for a key that never was; S3 does",
         _VERSIONED, ("delete_objects", {"Delete": {"Objects": [{"Key": "a"}]}}), diverges=True),
    _row("suspended-answers-no-version", "put_object copy_object get_object head_object delete_object", "VersionId", "*", None,
         "moto takes a suspended bucket for one that was never versioned; in S3 its new versions are called null",
         _VERSIONED, _SUSPENDED, _PUT, diverges=True),
    _row("complete-null-version", "complete_multipart_upload", "VersionId", None, "null",
         "moto names the version null in a bucket that was never versioned",
         _UPLOAD, _PART, ("complete_multipart_upload", {**_THIS, "MultipartUpload": "$parts:0:right"})),
    _row("complete-condition-first", "complete_multipart_upload", "outcome", ANYTHING, "PreconditionFailed 412",
         "moto looks at If-None-Match before it looks at the upload and the parts",
         _PUT, ("complete_multipart_upload",
                {"Key": "a", "UploadId": "bogus", "MultipartUpload": "$parts:0:right", "IfNoneMatch": "*"}),
         given={"IfNoneMatch": "*"}),
    _row("complete-part-named-twice", "complete_multipart_upload", "outcome", "EntityTooSmall 400", "ok",
         "moto joins a part that is named twice two times: its check of the order compares with 0; S3 says InvalidPartOrder",
         _UPLOAD, _PART, ("complete_multipart_upload", {**_THIS, "MultipartUpload": "$parts:0:twice"}), diverges=True),
    _row("part-number-0-bogus-upload", "upload_part", "outcome", "404 404", "InternalError 500",
         "of two things wrong moto meets the unknown upload first",
         ("upload_part", {"UploadId": "bogus", "Key": "a", "PartNumber": 0, "Body": "$bytes:1:0"}), given={"PartNumber": 0}),
    _row("get-part-1-of-simple-object", "get_object", "HTTPStatusCode", 200, 206,
         "moto ignores PartNumber of a GET for multipart objects only",
         _PUT, ("get_object", {"Key": "a", "PartNumber": 1}), given={"PartNumber": 1}),
    _row("get-part-1-range", "get_object", "ContentRange", None, "bytes 0-*",
         "moto ignores PartNumber of a GET for multipart objects only; of an empty object it says 0--1/0",
         _PUT, ("get_object", {"Key": "a", "PartNumber": 1}), given={"PartNumber": 1}),
    _row("get-part-2-of-simple-object", "get_object", "outcome", "ok", "416 416",
         "moto ignores PartNumber of a GET for multipart objects only",
         _PUT, ("get_object", {"Key": "a", "PartNumber": 2}), given={"PartNumber": ANYTHING}),
    _row("copy-if-none-match-star", "copy_object", "outcome", "PreconditionFailed 412", "ok",
         "moto compares the star with the ETag; RFC 9110 says that it means any",
         _PUT, ("copy_object", {"Key": "b", "CopySource": {"Bucket": "storcert", "Key": "a"}, "CopySourceIfNoneMatch": "*"}),
         given={"CopySourceIfNoneMatch": "*"}, diverges=True),
    _row("complete-repeated-with-other-parts", "complete_multipart_upload", "outcome", "InternalError 500", "ok",
         "moto answers a repeated Complete without looking at its parts while the object it made is the current one",
         _UPLOAD, _PART, ("complete_multipart_upload", {**_THIS, "MultipartUpload": "$parts:0:right"}),
         ("complete_multipart_upload", {**_THIS, "MultipartUpload": "$parts:0:wrong-etag"})),
    _row("get-if-none-match-star", "get_object head_object", "outcome", "304 304", "ok",
         "moto compares the star with the ETag; RFC 9110 says that it means any",
         _PUT, ("get_object", {"Key": "a", "IfNoneMatch": "*"}), given={"IfNoneMatch": "*"}),
    _row("get-if-match-star", "get_object head_object", "outcome", ANYTHING, "*412",
         "moto compares the star with the ETag; RFC 9110 says that it means any",
         _PUT, ("get_object", {"Key": "a", "IfMatch": "*"}), given={"IfMatch": "*"}),
    _row("head-version-of-unversioned-bucket", "head_object", "outcome", ANYTHING, "400 400",
         "moto refuses a HEAD with a version id where the bucket is not versioned",
         _PUT, ("head_object", {"Key": "a", "VersionId": "null"}), given={"VersionId": ANYTHING}),
)

"""Which operation of S3 an HTTP request is, by the names that boto3 and the simulated object store use. Path style only."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote, urlsplit

_BUCKET_READS = (
    ("uploads", "ListMultipartUploads"), ("versions", "ListObjectVersions"), ("location", "GetBucketLocation"),
    ("versioning", "GetBucketVersioning"),
)  # fmt: skip


def operation_of(method: str, path: str, headers: Mapping[str, str]) -> tuple[str, str, str]:
    """Name of the operation, bucket, key. ``headers``: by lower-case name. A request that is none of S3 keeps its method."""
    parts = urlsplit(path)
    asked = dict(parse_qsl(parts.query, keep_blank_values=True))
    bucket, _, key = unquote(parts.path).removeprefix("/").partition("/")
    if not bucket:
        return "ListBuckets" if method == "GET" else method, "", ""
    named = _of_key(method, asked, headers) if key else _of_bucket(method, asked)
    return named or method, bucket, key


def _of_bucket(method: str, asked: Mapping[str, str]) -> str:
    if method == "GET":
        plain = "ListObjectsV2" if asked.get("list-type") == "2" else "ListObjects"
        return next((name for word, name in _BUCKET_READS if word in asked), plain)
    if method == "POST":
        return "DeleteObjects" if "delete" in asked else ""
    return {"HEAD": "HeadBucket", "PUT": "CreateBucket", "DELETE": "DeleteBucket"}.get(method, "")


def _of_key(method: str, asked: Mapping[str, str], headers: Mapping[str, str]) -> str:
    copies = "x-amz-copy-source" in headers
    if method == "PUT" and "uploadId" in asked:
        return "UploadPartCopy" if copies else "UploadPart"
    if method == "PUT":
        return "CopyObject" if copies else "PutObject"
    if method == "POST":
        return "CreateMultipartUpload" if "uploads" in asked else "CompleteMultipartUpload" if "uploadId" in asked else ""
    if method == "DELETE":
        return "AbortMultipartUpload" if "uploadId" in asked else "DeleteObject"
    if method == "GET":
        return "ListParts" if "uploadId" in asked else "GetObject"
    return "HeadObject" if method == "HEAD" else ""

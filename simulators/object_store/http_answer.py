"""What the store answers, as HTTP: status, headers, XML. Shapes are botocore's, written instead of read.

Source of the names of the outermost elements: the response syntax of each operation on docs.aws.amazon.com/AmazonS3/latest/API.
"""

from __future__ import annotations

import http
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from storcert.simulators.object_store.errors import Refusal
from storcert.simulators.object_store.reply import Reply
from storcert.simulators.object_store.service_model import service_model

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_ROOTS: Mapping[str, str] = {
    "ListObjectsV2": "ListBucketResult", "ListObjects": "ListBucketResult", "ListObjectVersions": "ListVersionsResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult", "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "ListParts": "ListPartsResult", "ListMultipartUploads": "ListMultipartUploadsResult", "DeleteObjects": "DeleteResult",
    "CopyObject": "CopyObjectResult", "UploadPartCopy": "CopyPartResult", "ListBuckets": "ListAllMyBucketsResult",
    "GetBucketVersioning": "VersioningConfiguration",
}  # fmt: skip
# What a client that asks for encoding-type=url gets encoded.
_ENCODED = frozenset(
    ("Key", "Prefix", "Delimiter", "StartAfter", "Marker", "NextMarker", "KeyMarker", "NextKeyMarker")
)
# XML 1.0 has no other control characters, not even escaped.
_XML_REFUSES = frozenset(chr(code) for code in range(32)) - {"\t", "\n", "\r"} | {"\ufffe", "\uffff"}


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What the server sends back: ``status``, ``headers``, whole ``body``."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def error_answer(refusal: Refusal) -> HttpAnswer:
    """The HTTP answer S3 gives for an error of the device itself, whatever its status (a 200 can carry one)."""
    elements = {"Code": refusal.code, "Message": refusal.message or ""} | refusal.details
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in elements.items())
    body = f"{_HEAD}<Error>{inner}</Error>"
    return HttpAnswer(refusal.status, {"content-type": "application/xml"} | refusal.headers, body.encode())


def reply_answer(operation: str, reply: Reply, *, encoded: bool) -> HttpAnswer:
    """The answer of an operation that succeeded. The body of GetObject is not in it. ``encoded``: keys as in a URL."""
    headers = dict(reply.headers)
    shape = service_model().operations[operation].botocore_model.output_shape
    status = http.HTTPStatus.NO_CONTENT if operation in ("DeleteBucket", "AbortMultipartUpload") else reply.status
    if shape is None:
        return HttpAnswer(status, headers, b"")
    for name, member in shape.members.items():
        if member.serialization.get("location") == "header" and name in reply.result:
            headers.setdefault(member.serialization.get("name", name).lower(), _text(reply.result[name]))
    root = _ROOTS.get(operation)
    if operation == "GetBucketLocation":
        region = reply.result.get("LocationConstraint") or ""
        return _xml(status, headers, f'<LocationConstraint xmlns="{NAMESPACE}">{escape(region)}</LocationConstraint>')
    if root is None:
        return HttpAnswer(status, headers, b"")
    result: Any = reply.result
    payload = shape.serialization.get("payload")
    if payload is not None:
        shape, result = shape.members[payload], result[payload]
    if not encoded and "EncodingType" in result:
        result = {name: value for name, value in result.items() if name != "EncodingType"}
    inner = _members(shape, result, encoded)
    return _xml(status, headers, f'<{root} xmlns="{NAMESPACE}">{inner}</{root}>')


def _xml(status: int, headers: dict[str, str], text: str) -> HttpAnswer:
    return HttpAnswer(status, headers | {"content-type": "application/xml"}, (_HEAD + text).encode())


def _members(shape: Any, values: Mapping[str, Any], encoded: bool) -> str:
    written: list[str] = []
    for name, member in shape.members.items():
        if name not in values or member.serialization.get("location"):
            continue
        tag = member.serialization.get("name", name)
        if member.type_name == "list" and member.serialization.get("flattened"):
            tag = member.serialization.get("name") or member.member.serialization.get("name") or name
            written += [_element(tag, member.member, value, encoded) for value in values[name]]
        else:
            written.append(_element(tag, member, values[name], encoded))
    return "".join(written)


def _element(tag: str, shape: Any, value: Any, encoded: bool) -> str:
    if shape.type_name == "structure":
        inner = _members(shape, value, encoded)
    elif shape.type_name == "list":
        inside = shape.member.serialization.get("name", "member")
        inner = "".join(_element(inside, shape.member, one, encoded) for one in value)
    else:
        text = _text(value)
        if encoded and tag in _ENCODED:
            text = quote(text, safe="/")
        inner = _escaped(text)
    return f"<{tag}>{inner}</{tag}>"


def _escaped(text: str) -> str:
    """Carriage returns would be read as line feeds; of other control characters S3 sends references that no parser takes."""
    safe = escape(text, {"\r": "&#13;", '"': "&quot;"})
    return "".join(f"&#{ord(sign)};" if sign in _XML_REFUSES else sign for sign in safe) if not _XML_REFUSES.isdisjoint(
        safe) else safe


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return str(value)

"""A request of S3's REST API as the model takes it: which operation it is, and its parameters by botocore's own shapes.

Source of the routes: methods and subresources on docs.aws.amazon.com/AmazonS3/latest/API; of everything else, the service model
that botocore is shipped with, read in the opposite direction. No rule of S3 stands here.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from storcert.simulators.device import NotModelled
from storcert.simulators.object_store.errors import Refusal
from storcert.simulators.object_store.service_model import HARMLESS, service_model

_OF_BUCKET: Mapping[tuple[str, str], str] = {
    ("GET", ""): "ListObjects", ("GET", "list-type"): "ListObjectsV2", ("GET", "location"): "GetBucketLocation",
    ("GET", "versioning"): "GetBucketVersioning", ("GET", "uploads"): "ListMultipartUploads",
    ("GET", "versions"): "ListObjectVersions", ("PUT", ""): "CreateBucket", ("PUT", "versioning"): "PutBucketVersioning",
    ("DELETE", ""): "DeleteBucket", ("HEAD", ""): "HeadBucket", ("POST", "delete"): "DeleteObjects",
}
_OF_KEY: Mapping[tuple[str, str], str] = {
    ("GET", ""): "GetObject", ("GET", "uploadId"): "ListParts", ("HEAD", ""): "HeadObject", ("PUT", ""): "PutObject",
    ("PUT", "uploadId"): "UploadPart", ("DELETE", ""): "DeleteObject", ("DELETE", "uploadId"): "AbortMultipartUpload",
    ("POST", "uploads"): "CreateMultipartUpload", ("POST", "uploadId"): "CompleteMultipartUpload",
}
_COPIES: Mapping[str, str] = {"PutObject": "CopyObject", "UploadPart": "UploadPartCopy"}
# What makes another operation of a request. Anything else in a query is a parameter of the operation, or unknown to it.
_SUBRESOURCES = (
    "list-type", "location", "versioning", "uploads", "versions", "delete", "uploadId", "acl", "tagging", "policy", "cors",
    "lifecycle", "notification", "object-lock", "legal-hold", "retention", "encryption", "replication", "attributes", "restore",
    "select", "torrent", "website", "logging", "publicAccessBlock", "ownershipControls", "renameObject",
)  # fmt: skip
# Of the transport or of the signature, and told by no shape.
_IGNORED_HEADERS = frozenset(("ContentLength", "ExpectedBucketOwner", "RequestPayer", "ExpectedSourceBucketOwner"))


@dataclass(frozen=True, slots=True)
class Addressed:
    """What a request is about. ``key`` is decoded and empty for requests of a bucket; ``query`` keeps its order."""

    operation: str
    bucket: str
    key: str
    quoted_key: str
    query: tuple[tuple[str, str], ...]

    @property
    def target(self) -> str:
        """As the log of requests shows it."""
        return f"{self.bucket}/{self.key}" if self.key else self.bucket


def addressed(method: str, bucket: str, quoted_key: str, query_text: str, headers: Mapping[str, str]) -> Addressed:
    """Which operation a request is. One that S3 has and the model has not is named by its method and subresource."""
    query = tuple(parse_qsl(query_text, keep_blank_values=True))
    names = {name for name, _ in query}
    sub = next((name for name in _SUBRESOURCES if name in names), "")
    if not bucket:
        operation = "ListBuckets" if method == "GET" else ""
    else:
        operation = (_OF_KEY if quoted_key else _OF_BUCKET).get((method, sub), "")
    if "x-amz-copy-source" in headers:
        operation = _COPIES.get(operation, operation)
    return Addressed(operation or f"{method} {sub}".strip(), bucket, unquote(quoted_key), quoted_key, query)


def parameters(request: Addressed, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """The parameters of the operation, as botocore's users give them. Raises :class:`Refusal` for what S3 refuses, and
    :class:`NotModelled` for what the model does not have."""
    operation = service_model().operations.get(request.operation)
    if operation is None:
        raise NotModelled(f"S3 over HTTP: {request.operation}")
    if headers.get("transfer-encoding") is not None:
        raise Refusal("NotImplemented")
    if "aws-chunked" in headers.get("content-encoding", ""):
        raise NotModelled("S3 over HTTP: a body in signed chunks")
    found: dict[str, Any] = {}
    shape = operation.shape
    query = dict(request.query)
    payload = None if shape is None else shape.serialization.get("payload")
    for name, member in () if shape is None else shape.members.items():
        wire_name = member.serialization.get("name", name)
        text: str | None = None
        match member.serialization.get("location"):
            case "uri":
                text = request.bucket if name == "Bucket" else request.key
            case "querystring":
                text = query.get(wire_name)
            case "header" if name not in _IGNORED_HEADERS:
                text = headers.get(wire_name.lower())
            case "headers":
                prefix = wire_name.lower()
                found[name] = {key[len(prefix) :]: value for key, value in headers.items() if key.startswith(prefix)}
            case _:
                pass
        if text is not None:
            found[name] = _scalar(member, text)
        elif name == payload and member.type_name == "structure" and body:
            found[name] = _structure(member, _tree(body))
    if not found.get("Metadata", True):
        del found["Metadata"]
    _refuse_unmodelled(operation, found)
    return found


def _refuse_unmodelled(operation: Any, found: Mapping[str, Any]) -> None:
    for name in sorted(found.keys() - operation.modelled):
        allowed = HARMLESS.get(name, ())
        if allowed is not None and found[name] not in allowed:
            raise NotModelled(f"{operation.name}: parameter {name}={found[name]!r}")


def _scalar(shape: Any, text: str) -> Any:
    try:
        match shape.type_name:
            case "integer" | "long":
                return int(text)
            case "boolean":
                return text.lower() == "true"
            case "timestamp":
                return parsedate_to_datetime(text)
            case _:
                return text
    except ValueError:
        raise Refusal("InvalidArgument", f"{shape.name}: {text!r} is no {shape.type_name}") from None


def _tree(body: bytes) -> ET.Element:
    try:
        return ET.fromstring(body)
    except ET.ParseError:
        raise Refusal("MalformedXML") from None


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _structure(shape: Any, node: ET.Element) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, member in shape.members.items():
        flat = member.type_name == "list" and member.serialization.get("flattened")
        wire_name = member.serialization.get("name", name)
        if flat:
            wire_name = member.serialization.get("name") or member.member.serialization.get("name") or name
        nodes = [child for child in node if _local(child.tag) == wire_name]
        if nodes:
            found[name] = _value(member, nodes)
    return found


def _value(shape: Any, nodes: list[ET.Element]) -> Any:
    if shape.type_name == "list":
        items = nodes if shape.serialization.get("flattened") else list(nodes[0])
        return [_value(shape.member, [item]) for item in items]
    if shape.type_name == "structure":
        return _structure(shape, nodes[0])
    return _scalar(shape, nodes[0].text or "")

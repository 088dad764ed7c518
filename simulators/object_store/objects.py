"""Operations on one object: put, get, head, delete, copy. Pure: state in, reply out, refusals raised."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from storcert.simulators.object_store.conditions import (
    check_copy_source,
    check_delete,
    check_publish,
    check_read,
    check_write,
)
from storcert.simulators.object_store.content import Digests, crc32_text, digests_of, received
from storcert.simulators.object_store.errors import Refusal
from storcert.simulators.object_store.model import NULL_VERSION, Bucket, Store
from storcert.simulators.object_store.ranges import read_range, refuse_malformed
from storcert.simulators.object_store.reply import Reply, http_date, moment
from storcert.simulators.object_store.version import DEFAULT_CONTENT_TYPE, Version

Params = Mapping[str, Any]

STORED_HEADERS = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Expires")


def check_key(store: Store, key: str) -> None:
    """Refuse a key no object can have."""
    if len(key) * 4 > store.limits.key_bytes_max and len(key.encode()) > store.limits.key_bytes_max:
        code = store.dialect.code("key_1025_bytes")
        if code is not None:
            raise Refusal(code, details={"MaxSizeAllowed": "1024", "Size": str(len(key.encode()))})
    if "\n" in key:
        code = store.dialect.code("key_with_newline")
        if code is not None:
            raise Refusal(code, "Not Found", status=404)


def check_body(store: Store, params: Params, body: bytes, digests: Digests) -> None:
    """Compare the digests a client sent with the body."""
    claimed = params.get("ContentMD5")
    if claimed is not None and (code := store.dialect.code("content_md5_wrong")) is not None:
        try:
            md5 = base64.b64decode(claimed, validate=True)
        except binascii.Error:
            md5 = b""
        if len(md5) != 16:
            raise Refusal("InvalidDigest")
        if md5 != digests.md5:
            raise Refusal(code)
    code = store.dialect.code("checksum_wrong")
    if code is None:
        return
    for name, value in client_checksums(params, body, digests).items():
        if params.get(name, value) != value:
            algorithm = name.removeprefix("Checksum")
            raise Refusal(code, f"The {algorithm} you specified did not match the calculated checksum.")


def client_checksums(params: Params, body: bytes, digests: Digests) -> dict[str, str]:
    """The checksum that goes with a body: the algorithm the client chose, CRC-32 if it chose none (boto3's default)."""
    algorithm = params.get("ChecksumAlgorithm")
    if algorithm == "SHA256" or "ChecksumSHA256" in params:
        return {"ChecksumSHA256": base64.b64encode(hashlib.sha256(body).digest()).decode()}
    if algorithm == "SHA1" or "ChecksumSHA1" in params:
        return {"ChecksumSHA1": base64.b64encode(hashlib.sha1(body, usedforsecurity=False).digest()).decode()}
    return {"ChecksumCRC32": crc32_text(digests.crc32)}


def properties(store: Store, params: Params) -> tuple[dict[str, Any], dict[str, str]]:
    """System headers and user metadata of a new object."""
    headers = {name: params[name] for name in STORED_HEADERS if name in params}
    headers.setdefault("ContentType", DEFAULT_CONTENT_TYPE)
    metadata = params.get("Metadata")
    if not metadata:
        return headers, {}
    dashed = store.dialect["metadata_underscore"] == "-"
    return headers, {(name.replace("_", "-") if dashed else name).lower(): value for name, value in metadata.items()}


def put_object(store: Store, params: Params, body: bytes) -> Reply:
    """Store a whole object at one instant."""
    bucket = store.bucket(params["Bucket"])
    key: str = params["Key"]
    check_key(store, key)
    if len(body) > store.limits.put_max_bytes:
        raise Refusal("EntityTooLarge", details={"MaxSizeAllowed": str(store.limits.put_max_bytes)})
    store.check_space()
    content, digests = received(body)
    check_body(store, params, body, digests)
    check_write(store.dialect, params, bucket, key)
    headers, metadata = properties(store, params)
    checksums = client_checksums(params, body, digests)
    version = Version(
        key, store.version_id_for(bucket), content, digests.md5.hex(), store.now_ns, headers, metadata, checksums,
    )
    bucket.add(version)
    reply = Reply({"ETag": f'"{version.etag}"'})
    add_checksums(store, reply.result, version)
    add_version(store, bucket, reply, version)
    return reply


def add_checksums(store: Store, result: dict[str, Any], version: Version) -> None:
    """Checksums as this dialect echoes them."""
    if version.checksums and store.dialect["checksum_returned"]:
        result.update(version.checksums)
        if store.dialect["checksum_type_returned"]:
            result["ChecksumType"] = "COMPOSITE" if version.part_sizes else "FULL_OBJECT"


def add_version(store: Store, bucket: Bucket, reply: Reply, version: Version, asked: str | None = None) -> None:
    """The version id, in buckets that ever were versioned; ``asked``: the one a read named."""
    if version.version_id == NULL_VERSION and store.dialect["null_version_named"] == "if asked":
        named = asked == NULL_VERSION
    else:
        named = bucket.versioning is not None
    if named:
        reply.result["VersionId"] = version.version_id
        reply.headers["x-amz-version-id"] = version.version_id


def find_for_read(store: Store, bucket: Bucket, key: str, version_id: str | None) -> Version:
    """The version a read means, or the refusal the dialect gives."""
    if version_id is None:
        version = bucket.current(key)
        if version is None:
            raise Refusal("NoSuchKey", details={"Key": key})
        if not version.exists:
            headers = {"x-amz-delete-marker": "true", "x-amz-version-id": version.version_id}
            raise Refusal("NoSuchKey", details={"Key": key}, headers=headers)
        return version
    version = bucket.find(key, version_id)
    if version is None:
        details = {"Key": key, "VersionId": version_id}
        raise Refusal(str(store.dialect["get_unknown_version"]), details=details)
    if not version.exists:
        code = str(store.dialect["get_version_of_delete_marker"])
        raise Refusal(code, headers={"x-amz-delete-marker": "true", "x-amz-version-id": version.version_id})
    return version


def get_object(store: Store, params: Params, _body: bytes) -> Reply:
    """The object or a range of it, as it is at this instant."""
    return _read(store, params, "get_part_number", with_body=True)


def head_object(store: Store, params: Params, _body: bytes) -> Reply:
    """The same without the bytes."""
    return _read(store, params, "head_part_number", with_body=False)


def _read(store: Store, params: Params, part_row: str, *, with_body: bool) -> Reply:
    bucket = store.bucket(params["Bucket"])
    version = find_for_read(store, bucket, params["Key"], params.get("VersionId"))
    if "Range" in params:
        refuse_malformed(store.dialect, params["Range"], version.size_bytes)
    check_read(store.dialect, params, version)
    content = version.content
    assert content is not None
    size = content.size_bytes
    part = params.get("PartNumber")
    span: tuple[int, int, int] | None = None
    if part is not None and store.dialect.code(part_row) is None and store.dialect[part_row] != "ignored":
        span = (*_part_span(version, part), 206)
    elif "Range" in params:
        span = read_range(store.dialect, params["Range"], size)
    offset, length, status = span or (0, size, 200)
    result: dict[str, Any] = {"AcceptRanges": "bytes", "LastModified": moment(version.modified_ns), "ContentLength": length}
    headers = {
        "accept-ranges": "bytes", "content-length": str(length), "etag": f'"{version.etag}"',
        "last-modified": http_date(version.modified_ns), "content-type": version.headers["ContentType"],
    }
    reply = Reply(result, status, headers)
    if span is not None:
        result["ContentRange"] = headers["content-range"] = f"bytes {offset}-{offset + length - 1}/{size}"
        if part is not None and version.part_sizes:
            result["PartsCount"] = len(version.part_sizes)
    elif with_body or params.get("ChecksumMode") == "ENABLED":
        # boto3 asks for checksums with every GET since 1.36; with HEAD only when told. A range has none.
        add_checksums(store, result, version)
    result["ETag"] = headers["etag"]
    result.update(version.headers)
    for name in ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Expires"):
        if f"Response{name}" in params:
            result[name] = params[f"Response{name}"]
    metadata = result["Metadata"] = version.metadata
    for name, value in metadata.items():
        headers[f"x-amz-meta-{name}"] = value
    add_version(store, bucket, reply, version, params.get("VersionId"))
    if with_body:
        reply.body = content.slice(offset, length)
        reply.body_bytes = length
    return reply


def _part_span(version: Version, number: int) -> tuple[int, int]:
    sizes = version.part_sizes or (version.size_bytes,)
    if not 1 <= number <= len(sizes):
        raise Refusal("InvalidPartNumber")
    return sum(sizes[: number - 1]), sizes[number - 1]


def delete_object(store: Store, params: Params, _body: bytes) -> Reply:
    """Delete, or add a delete marker. Deleting what is not there succeeds."""
    bucket = store.bucket(params["Bucket"])
    check_delete(store.dialect, params, bucket.live(params["Key"]))
    result = remove(store, bucket, params["Key"], params.get("VersionId"))
    reply = Reply(result, 204)
    if "VersionId" in result:
        reply.headers["x-amz-version-id"] = result["VersionId"]
    if result.get("DeleteMarker"):
        reply.headers["x-amz-delete-marker"] = "true"
    return reply


def remove(store: Store, bucket: Bucket, key: str, version_id: str | None) -> dict[str, Any]:
    """The deletion itself, with the elements its answer carries."""
    if version_id is not None:
        known = bucket.has(key)
        version = bucket.remove(key, version_id)
        named = bucket.versioning is not None or version_id != NULL_VERSION
        if version is None and not store.dialect["delete_unknown_version_named"]:
            named = named and known and version_id == NULL_VERSION
        result: dict[str, Any] = {"VersionId": version_id} if named else {}
        if version is not None and not version.exists:
            result["DeleteMarker"] = True
        return result
    if bucket.versioning is None:
        bucket.remove(key, NULL_VERSION)
        return {}
    current = bucket.current(key)
    upon_marker = current is not None and not current.exists and (
        bucket.versioning == "Enabled" or current.version_id != NULL_VERSION
    )
    if upon_marker and not store.dialect["delete_marker_upon_marker"]:
        return {}
    marker = Version(key, store.version_id_for(bucket), None, "", store.now_ns)
    bucket.add(marker)
    return {"DeleteMarker": True, "VersionId": marker.version_id}


def split_copy_source(text: str) -> tuple[str, str, str | None]:
    """Bucket, key and version id of the header x-amz-copy-source."""
    path, _, version = text.partition("?versionId=")
    bucket, _, key = unquote(path).removeprefix("/").partition("/")
    if not bucket or not key:
        raise Refusal("InvalidArgument", "Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
    return bucket, key, version or None


def find_copy_source(store: Store, params: Params, *, decode_twice: bool = False) -> Version:
    """The source of CopyObject and UploadPartCopy, with its conditions checked."""
    bucket_name, key, version_id = split_copy_source(params["CopySource"])
    if decode_twice:
        key = unquote(key)
    version = find_for_read(store, store.bucket(bucket_name), key, version_id)
    check_copy_source(store.dialect, params, version)
    return version


def copy_object(store: Store, params: Params, _body: bytes) -> Reply:
    """Copy within the device at one instant; never through the client."""
    bucket = store.bucket(params["Bucket"])
    key: str = params["Key"]
    check_key(store, key)
    source = find_copy_source(store, params)
    content = source.content
    assert content is not None
    if content.size_bytes > store.limits.copy_max_bytes:
        raise Refusal(
            "InvalidRequest", "The specified copy source is larger than the maximum allowable size for a copy source: "
            f"{store.limits.copy_max_bytes}")
    replace = params.get("MetadataDirective") == "REPLACE"
    source_bucket, source_key, source_version = split_copy_source(params["CopySource"])
    same_version = source_version is None or (
        bucket.versioning is None and store.dialect["copy_onto_itself_by_version"] == "refused"
    )
    if (source_bucket, source_key) == (bucket.name, key) and same_version and not replace:
        raise Refusal(
            "InvalidRequest", "This copy request is illegal because it is trying to copy an object to itself without "
            "changing the object's metadata, storage class, website redirect location or encryption attributes.")
    store.check_space()
    check_publish(store.dialect, "copy_if_none_match_existing", params, bucket.live(key))
    headers, metadata = properties(store, params) if replace else (source.headers, source.metadata)
    etag, checksums, part_sizes = source.etag, source.checksums, source.part_sizes
    if part_sizes and store.dialect["copy_of_multipart"] == "md5 of the bytes":
        whole = digests_of(content.read(0, content.size_bytes))
        etag, checksums, part_sizes = whole.md5.hex(), {"ChecksumCRC32": crc32_text(whole.crc32)}, ()
    version = Version(
        key, store.version_id_for(bucket), content, etag, store.now_ns, headers, metadata, checksums, part_sizes,
    )
    bucket.add(version)
    outcome: dict[str, Any] = {
        "ETag": f'"{etag}"' if store.dialect["copy_etag_quoted"] else etag, "LastModified": moment(store.now_ns),
    }
    add_checksums(store, outcome, version)
    reply = Reply({"CopyObjectResult": outcome}, moved_bytes=content.size_bytes)
    if store.dialect["copy_names_versions"]:
        add_version(store, bucket, reply, version)
        if store.bucket(source_bucket).versioning is not None:
            reply.result["CopySourceVersionId"] = source.version_id
    return reply

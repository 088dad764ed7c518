"""Multipart uploads: begin, parts, complete, abort, and the two listings of what is pending. Pure, like ``objects``."""

from __future__ import annotations

import itertools
from typing import Any

from storcert.simulators.object_store.conditions import check_publish
from storcert.simulators.object_store.content import Content, composite_crc32, crc32_text, multipart_etag, received
from storcert.simulators.object_store.errors import Refusal
from storcert.simulators.object_store.model import Bucket, Completed, Part, Store, Upload
from storcert.simulators.object_store.objects import (
    Params,
    add_version,
    check_body,
    check_key,
    client_checksums,
    find_copy_source,
    properties,
)
from storcert.simulators.object_store.reply import Reply, moment
from storcert.simulators.object_store.version import Version

OWNER = {"DisplayName": "storcert", "ID": "a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90"}


def no_such_upload(upload_id: str) -> Refusal:
    """The refusal of an upload that is not pending."""
    return Refusal("NoSuchUpload", details={"UploadId": upload_id})


def pending(bucket: Bucket, key: str, upload_id: str) -> Upload:
    """The upload, if it is pending and of that key."""
    upload = bucket.uploads.get(upload_id)
    if upload is None or upload.key != key:
        raise no_such_upload(upload_id)
    return upload


def create_multipart_upload(store: Store, params: Params, _body: bytes) -> Reply:
    """Begin an upload; nothing is visible under the key."""
    bucket = store.bucket(params["Bucket"])
    check_key(store, params["Key"])
    store.check_space()
    headers, metadata = properties(store, params)
    upload = Upload(store.new_id(), params["Key"], store.now_ns, headers, metadata)
    upload.checksum_algorithm = params.get("ChecksumAlgorithm", "CRC32")
    bucket.uploads[upload.upload_id] = upload
    result: dict[str, Any] = {"Bucket": bucket.name, "Key": upload.key, "UploadId": upload.upload_id}
    if store.dialect["checksum_type_returned"]:
        result["ChecksumAlgorithm"] = upload.checksum_algorithm
        result["ChecksumType"] = params.get("ChecksumType", "COMPOSITE")
    return Reply(result)


def _receiving_upload(store: Store, params: Params) -> Upload:
    bucket = store.bucket(params["Bucket"])
    number: int = params["PartNumber"]
    if number < 1:
        code = store.dialect.code("part_number_0")
        if code is not None:
            raise Refusal(code, "Part number must be an integer between 1 and 10000, inclusive", status=_status(code))
    if number > store.limits.parts_max:
        code = store.dialect.code("part_number_10001")
        if code is not None:
            raise Refusal(code, "Part number must be an integer between 1 and 10000, inclusive", status=_status(code))
    upload = bucket.uploads.get(params["UploadId"])
    if upload is None or upload.key != params["Key"]:
        code = str(store.dialect["upload_part_unknown_upload"])
        raise Refusal(code, details={"UploadId": params["UploadId"]} if code == "NoSuchUpload" else None)
    return upload


def _status(code: str) -> int | None:
    return int(code) if code.isdigit() else None


def upload_part(store: Store, params: Params, body: bytes) -> Reply:
    """Store one part; the same number again replaces it."""
    upload = _receiving_upload(store, params)
    if len(body) > store.limits.part_size_max_bytes:
        raise Refusal("EntityTooLarge", details={"MaxSizeAllowed": str(store.limits.part_size_max_bytes)})
    store.check_space()
    kept, digests = received(body)
    check_body(store, params, body, digests)
    number: int = params["PartNumber"]
    if number < 1:
        return Reply({"ETag": f'"{digests.md5.hex()}"'})
    part = Part(number, kept, digests, digests.md5.hex(), store.now_ns)
    upload.parts[number] = part
    reply = Reply({"ETag": f'"{part.etag}"'})
    if store.dialect["checksum_returned"]:
        reply.result.update(client_checksums(params, body, digests))
    return reply


def upload_part_copy(store: Store, params: Params, _body: bytes) -> Reply:
    """A part whose bytes are already on the device."""
    if store.dialect["copy_part_source_first"]:
        span = _written_range(store, params.get("CopySourceRange"))
        content = _copied_content(store, params)
        upload = _receiving_upload(store, params)
    else:
        upload = _receiving_upload(store, params)
        content = _copied_content(store, params)
        span = _written_range(store, params.get("CopySourceRange"))
    if span is not None and not (content.size_bytes == 0 and store.dialect["copy_part_source_first"]):
        if span[1] >= content.size_bytes:
            code = str(store.dialect["copy_part_range_outside"])
            raise Refusal(code, f"Range specified is not valid for source object of size: {content.size_bytes}")
        content = content.slice(span[0], span[1] + 1 - span[0])
    if content.size_bytes > store.limits.copy_max_bytes:
        raise Refusal("InvalidRequest", "The specified copy source is larger than the maximum allowable size for a copy "
                      f"source: {store.limits.copy_max_bytes}")
    store.check_space()
    body = content.read(0, content.size_bytes)
    kept, digests = received(body)
    part = Part(params["PartNumber"], kept, digests, digests.md5.hex(), store.now_ns)
    if part.number >= 1:
        upload.parts[part.number] = part
    etag = f'"{part.etag}"' if store.dialect["copy_etag_quoted"] else part.etag
    outcome: dict[str, Any] = {"ETag": etag, "LastModified": moment(store.now_ns)}
    if store.dialect["checksum_type_returned"]:
        outcome["ChecksumCRC32"] = crc32_text(digests.crc32)
    return Reply({"CopyPartResult": outcome}, moved_bytes=content.size_bytes)


def _copied_content(store: Store, params: Params) -> Content:
    content = find_copy_source(store, params, decode_twice=store.dialect["copy_part_source_decoded"] == "twice").content
    assert content is not None
    return content


def _written_range(store: Store, text: str | None) -> tuple[int, int] | None:
    """First and last byte of a CopySourceRange as it is written, whatever the source is."""
    if text is None:
        return None
    first, dash, last = text.removeprefix("bytes=").partition("-")
    if not text.startswith("bytes=") or not dash or not (first + last).isdigit():
        raise Refusal("InvalidArgument", "The x-amz-copy-source-range value must be of the form bytes=first-last")
    if not first or not last or int(last) < int(first):
        raise Refusal(str(store.dialect["copy_part_range_outside"]), "The range is not of the form bytes=first-last")
    return int(first), int(last)


def complete_multipart_upload(store: Store, params: Params, _body: bytes) -> Reply:
    """Publish the parts named, in their order, as one object at one instant; parts not named are dropped."""
    bucket = store.bucket(params["Bucket"])
    key, upload_id = params["Key"], params["UploadId"]
    named: list[dict[str, Any]] = params.get("MultipartUpload", {}).get("Parts", [])
    wanted = tuple((part.get("PartNumber", 0), str(part.get("ETag", "")).strip('"')) for part in named)
    if not wanted and store.dialect["complete_no_parts_first"]:
        raise Refusal(str(store.dialect["complete_no_parts"]))
    upload = bucket.uploads.get(upload_id)
    if upload is None or upload.key != key:
        return _complete_again(store, bucket, key, upload_id, wanted)
    if not wanted:
        raise Refusal(str(store.dialect["complete_no_parts"]))
    parts = _chosen_parts(store, upload, wanted)
    total = sum(part.content.size_bytes for part in parts)
    if total > store.limits.object_max_bytes:
        raise Refusal("EntityTooLarge", details={"MaxSizeAllowed": str(store.limits.object_max_bytes)})
    if params.get("MpuObjectSize", total) != total:
        raise Refusal("InvalidRequest", "The provided 'x-amz-mp-object-size' header does not match what was computed.")
    check_publish(store.dialect, "complete_if_none_match_existing", params, bucket.live(key))
    checksums: dict[str, str] = {}
    if upload.checksum_algorithm == "CRC32":
        checksums["ChecksumCRC32"] = composite_crc32(part.digests.crc32 for part in parts)
    version = Version(
        key, store.version_id_for(bucket), Content.joined(part.content for part in parts),
        multipart_etag(part.digests.md5 for part in parts), store.now_ns, upload.headers, upload.metadata,
        checksums, part_sizes=tuple(part.content.size_bytes for part in parts),
    )
    bucket.add(version)
    del bucket.uploads[upload_id]
    result: dict[str, Any] = {
        "Location": f"http://s3.sim/{bucket.name}/{key}", "Bucket": bucket.name, "Key": key, "ETag": f'"{version.etag}"',
    }
    if store.dialect["checksum_type_returned"]:
        result |= {**version.checksums, "ChecksumType": "COMPOSITE"}
    reply = Reply(result, entries=len(parts))
    add_version(store, bucket, reply, version)
    bucket.completed[upload_id] = Completed(key, wanted, dict(result))
    if store.dialect["complete_etag"] == "empty at first":
        result["ETag"] = ""
    return reply


def _chosen_parts(store: Store, upload: Upload, wanted: tuple[tuple[int, str], ...]) -> list[Part]:
    numbers = [number for number, _ in wanted]
    if any(later <= earlier for earlier, later in itertools.pairwise(numbers)):
        code = store.dialect.code("complete_parts_out_of_order")
        if code is not None:
            raise Refusal(code)
    if store.dialect["complete_needs_all_parts"]:
        return _all_parts(store, upload, dict(wanted))
    parts: list[Part] = []
    for number, etag in sorted(wanted):
        part = upload.parts.get(number)
        if part is None or (etag and part.etag != etag) or not etag:
            raise Refusal(str(store.dialect["complete_stale_part_etag"]), details={"UploadId": upload.upload_id})
        parts.append(part)
    if any(part.content.size_bytes < store.limits.part_size_min_bytes for part in parts[:-1]):
        raise Refusal(str(store.dialect["complete_small_part"]))
    return parts


def _all_parts(store: Store, upload: Upload, wanted: dict[int, str]) -> list[Part]:
    """radosgw: as many as were sent, then one after the other, size before ETag."""
    invalid = Refusal(str(store.dialect["complete_stale_part_etag"]), details={"UploadId": upload.upload_id})
    if len(wanted) != len(upload.parts):
        raise invalid
    parts = [upload.parts[number] for number in sorted(upload.parts)]
    for index, (part, number) in enumerate(zip(parts, sorted(wanted), strict=True)):
        if index < len(parts) - 1 and part.content.size_bytes < store.limits.part_size_min_bytes:
            raise Refusal(str(store.dialect["complete_small_part"]))
        if part.number != number or part.etag != wanted[number]:
            raise invalid
    return parts


def _complete_again(
    store: Store, bucket: Bucket, key: str, upload_id: str, wanted: tuple[tuple[int, str], ...],
) -> Reply:
    if store.dialect["complete_again"] == "by ETag":
        return _complete_by_etag(store, bucket, key, dict(wanted))
    done = bucket.completed.get(upload_id)
    if done is not None and done.key == key and done.parts == wanted and store.dialect["complete_repeated"] == "ok":
        return Reply(dict(done.result))
    code = str(store.dialect["complete_unknown_upload"])
    if code == "NoSuchUpload":
        raise no_such_upload(upload_id)
    raise Refusal(code, "This multipart completion is already in progress")


def _complete_by_etag(store: Store, bucket: Bucket, key: str, wanted: dict[int, str]) -> Reply:
    """radosgw keeps nothing of a finished upload: it asks whether the object there could have come of these parts."""
    current = bucket.live(key)
    digests = [wanted[number] for number in sorted(wanted)]
    etag = multipart_etag(bytes.fromhex(digest) for digest in digests) if all(map(_is_md5, digests)) else None
    if current is None or current.etag != etag:
        raise Refusal(str(store.dialect["complete_unknown_upload"]), "This multipart completion is already in progress")
    return Reply({"Location": f"http://s3.sim/{bucket.name}/{key}", "Bucket": bucket.name, "Key": key, "ETag": etag})


def _is_md5(text: str) -> bool:
    return len(text) == 32 and all(character in "0123456789abcdef" for character in text)


def abort_multipart_upload(store: Store, params: Params, _body: bytes) -> Reply:
    """Forget an upload and its parts; a second time it is unknown."""
    bucket = store.bucket(params["Bucket"])
    del bucket.uploads[pending(bucket, params["Key"], params["UploadId"]).upload_id]
    return Reply({}, 204)


def list_parts(store: Store, params: Params, _body: bytes) -> Reply:
    """The parts of one pending upload, by number."""
    bucket = store.bucket(params["Bucket"])
    try:
        upload = pending(bucket, params["Key"], params["UploadId"])
    except Refusal as refusal:
        refusal.code = str(store.dialect["list_parts_unknown_upload"])
        raise
    marker = int(params.get("PartNumberMarker", 0))
    limit = min(params.get("MaxParts", 1000), store.limits.page_size)
    after = [upload.parts[number] for number in sorted(upload.parts) if number > marker]
    page = after[:limit]
    result: dict[str, Any] = {
        "Bucket": bucket.name, "Key": upload.key, "UploadId": upload.upload_id, "PartNumberMarker": marker,
        "NextPartNumberMarker": page[-1].number if page else 0, "MaxParts": limit, "IsTruncated": len(after) > len(page),
        "Owner": {"DisplayName": "", "ID": ""}, "StorageClass": "STANDARD",
    }
    if store.dialect["list_parts_owner"] == "given":
        result |= {"Initiator": dict(OWNER), "Owner": dict(OWNER)}
    if page:
        result["Parts"] = [
            {"PartNumber": part.number, "LastModified": moment(part.modified_ns), "ETag": f'"{part.etag}"',
             "Size": part.content.size_bytes}
            for part in page
        ]
    return Reply(result, entries=len(page))


def _uploads_after(store: Store, bucket: Bucket, key_marker: str, id_marker: str) -> list[Upload]:
    """Pending uploads in the order of the listing, from its markers on."""
    if store.dialect["uploads_key_marker"] == "from the key":
        # radosgw sorts the names of the objects that hold uploads: key, full stop, upload id.
        start = f"{key_marker}.{id_marker}" if id_marker else key_marker
        named = {f"{upload.key}.{upload.upload_id}": upload for upload in bucket.uploads.values()}
        return [named[name] for name in sorted(named) if name > start]
    ordered = sorted(bucket.uploads.values(), key=lambda upload: (upload.key, upload.initiated_ns, upload.upload_id))
    if not key_marker:
        return ordered
    known = bucket.uploads.get(id_marker) if id_marker else None
    reached = (known.key, known.initiated_ns, known.upload_id) if known is not None else None
    return [
        upload for upload in ordered
        if upload.key > key_marker
        or (reached is not None and upload.key == key_marker
            and (upload.key, upload.initiated_ns, upload.upload_id) > reached)
    ]


def list_multipart_uploads(store: Store, params: Params, _body: bytes) -> Reply:
    """Pending uploads, by key and then by age."""
    bucket = store.bucket(params["Bucket"])
    prefix, delimiter = params.get("Prefix", ""), params.get("Delimiter", "")
    key_marker, id_marker = params.get("KeyMarker", ""), params.get("UploadIdMarker", "")
    limit = min(params.get("MaxUploads", 1000), store.limits.page_size)
    ordered = _uploads_after(store, bucket, key_marker, id_marker)
    entries: list[Upload] = []
    prefixes: list[str] = []
    truncated = False
    for upload in ordered:
        if not upload.key.startswith(prefix):
            continue
        group = _group(upload.key, prefix, delimiter)
        if group is not None and (group in prefixes or (key_marker and group == key_marker)):
            continue
        if group is not None and not store.dialect["uploads_common_prefixes"]:
            continue
        if len(entries) + len(prefixes) >= limit:
            truncated = True
            break
        if group is None:
            entries.append(upload)
        else:
            prefixes.append(group)
    result: dict[str, Any] = {
        "Bucket": bucket.name, "KeyMarker": key_marker, "UploadIdMarker": id_marker, "MaxUploads": limit,
        "IsTruncated": truncated,
    }
    if "Prefix" in params:
        result["Prefix"] = prefix
    if delimiter:
        result["Delimiter"] = delimiter
    sparing = store.dialect["uploads_markers"] != "always"
    if sparing:
        for name in ("KeyMarker", "UploadIdMarker", "Prefix"):
            if not result.get(name):
                result.pop(name, None)
    if truncated or (sparing and (entries or prefixes)):
        last = entries[-1] if entries else None
        result["NextKeyMarker"] = max([prefixes[-1]] if prefixes else [], default="") if last is None else last.key
        result["NextUploadIdMarker"] = "" if last is None else last.upload_id
        if prefixes and (last is None or prefixes[-1] > last.key):
            result["NextKeyMarker"], result["NextUploadIdMarker"] = prefixes[-1], ""
    if entries:
        result["Uploads"] = [
            {"UploadId": upload.upload_id, "Key": upload.key, "Initiated": moment(upload.initiated_ns),
             "StorageClass": "STANDARD", "Owner": dict(OWNER), "Initiator": dict(OWNER)}
            for upload in entries
        ]
    if prefixes:
        result["CommonPrefixes"] = [{"Prefix": group} for group in prefixes]
    count = len(entries) + len(prefixes)
    return Reply(result, entries=count)


def _group(key: str, prefix: str, delimiter: str) -> str | None:
    if not delimiter:
        return None
    at = key.find(delimiter, len(prefix))
    return None if at < 0 else key[: at + len(delimiter)]

"""Listings of keys and versions, page by page, in UTF-8 byte order. Pure; DeleteObjects is here too, a list both ways."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from storcert.simulators.object_store.errors import Refusal
from storcert.simulators.object_store.model import Bucket, Store
from storcert.simulators.object_store.multipart import OWNER
from storcert.simulators.object_store.objects import Params, remove
from storcert.simulators.object_store.reply import Reply, moment
from storcert.simulators.object_store.version import Version

# No key of Unicode text sorts after a prefix followed by this: how a whole group of keys is skipped.
_AFTER_ALL = "\U0010ffff"


@dataclass(slots=True)
class _Page:
    entries: list[Version]
    prefixes: list[str]
    truncated: bool
    last: str  # the last entry or common prefix given


def _page(bucket: Bucket, prefix: str, delimiter: str, after: str, limit: int) -> _Page:
    """Live keys after ``after``; a common prefix counts as one entry and is skipped whole once given."""
    page = _Page([], [], False, "")
    if limit == 0:
        return page
    # "after" is exclusive: the smallest text greater than it.
    start = max(prefix, after + "\0") if after else prefix
    key = bucket.key_at_or_after(start)
    while key is not None and key.startswith(prefix):
        version = bucket.live(key)
        if version is None:
            key = bucket.key_at_or_after(key + "\0")
            continue
        at = key.find(delimiter, len(prefix)) if delimiter else -1
        group = key[: at + len(delimiter)] if at >= 0 else None
        if group is not None and group == after:
            key = bucket.key_at_or_after(group + _AFTER_ALL)
            continue
        if len(page.entries) + len(page.prefixes) == limit:
            page.truncated = True
            break
        if group is None:
            page.entries.append(version)
            page.last = key
            key = bucket.key_at_or_after(key + "\0")
        else:
            page.prefixes.append(group)
            page.last = group
            key = bucket.key_at_or_after(group + _AFTER_ALL)
    return page


def _max_keys(store: Store, params: Params, name: str = "MaxKeys") -> tuple[int, int]:
    """How many to give, and what to echo."""
    asked: int = params.get(name, 1000)
    if asked < 0:
        raise Refusal("InvalidArgument", f"Argument maxKeys must be an integer between 0 and 2147483647: {asked}")
    return min(asked, store.limits.page_size), asked if store.dialect["max_keys_over_1000_echoed"] else min(asked, 1000)


def _contents(store: Store, page: _Page, *, owner: bool) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    echo = store.dialect["checksum_returned"]
    for version in page.entries:
        entry: dict[str, Any] = {
            "Key": version.key, "LastModified": moment(version.modified_ns), "ETag": f'"{version.etag}"',
            "Size": version.size_bytes, "StorageClass": "STANDARD",
        }
        if echo and version.checksums:
            entry["ChecksumAlgorithm"] = [name.removeprefix("Checksum") for name in version.checksums]
            if store.dialect["checksum_type_returned"]:
                entry["ChecksumType"] = "COMPOSITE" if version.part_sizes else "FULL_OBJECT"
        if owner:
            entry["Owner"] = dict(OWNER)
        found.append(entry)
    return found


def _shown(store: Store, text: str) -> str:
    """A marker or prefix as it comes out of botocore, which decodes what it asked to be encoded."""
    return text if store.dialect["markers_encoded"] else unquote_plus(text)


def _finish(store: Store, page: _Page, result: dict[str, Any], params: Params, *, owner: bool) -> Reply:
    if page.entries:
        result["Contents"] = _contents(store, page, owner=owner)
    if page.prefixes:
        result["CommonPrefixes"] = [{"Prefix": prefix} for prefix in page.prefixes]
    if params.get("Delimiter"):
        result["Delimiter"] = params["Delimiter"]
    count = len(page.entries) + len(page.prefixes)
    return Reply(result, entries=count)


def make_token(last: str) -> str:
    """An opaque continuation token."""
    return "1" + base64.urlsafe_b64encode(last.encode()).decode()


def read_token(store: Store, token: str) -> str:
    """The key a token stands for, or what the dialect does with a token nobody gave out."""
    if store.dialect["continuation_token_bad"] == "taken as key":
        return token
    try:
        if not token.startswith("1"):
            raise ValueError(token)
        return base64.b64decode(token[1:], b"-_", validate=True).decode()
    except (ValueError, binascii.Error):
        code = str(store.dialect["continuation_token_bad"])
        raise Refusal(code, "The continuation token provided is incorrect") from None


def list_objects_v2(store: Store, params: Params, _body: bytes) -> Reply:
    """One page; the token of the next one is opaque."""
    bucket = store.bucket(params["Bucket"])
    prefix, delimiter = params.get("Prefix", ""), params.get("Delimiter", "")
    limit, echoed = _max_keys(store, params)
    token = params.get("ContinuationToken")
    after = params.get("StartAfter", "") if token is None else read_token(store, token)
    page = _page(bucket, prefix, delimiter, after, limit)
    result: dict[str, Any] = {
        "IsTruncated": page.truncated, "Name": bucket.name, "Prefix": _shown(store, prefix), "MaxKeys": echoed,
        "KeyCount": len(page.entries) + len(page.prefixes), "EncodingType": "url",
    }
    if token is not None:
        result["ContinuationToken"] = token
    if "StartAfter" in params and (token is None or store.dialect["start_after_with_token"]):
        result["StartAfter"] = _shown(store, params["StartAfter"])
    if page.truncated:
        plain = store.dialect["continuation_token_bad"] == "taken as key"
        result["NextContinuationToken"] = page.last if plain else make_token(page.last)
    return _finish(store, page, result, params, owner=bool(params.get("FetchOwner")))


def list_objects(store: Store, params: Params, _body: bytes) -> Reply:
    """The older listing; whether it says where to go on depends on the dialect."""
    bucket = store.bucket(params["Bucket"])
    prefix, delimiter, marker = params.get("Prefix", ""), params.get("Delimiter", ""), params.get("Marker", "")
    limit, echoed = _max_keys(store, params)
    rule = store.dialect["list_v1_next_marker"]
    after = read_token(store, marker) if rule == "token" and marker.startswith("1") else marker
    page = _page(bucket, prefix, delimiter, after, limit)
    result: dict[str, Any] = {
        "IsTruncated": page.truncated, "Marker": _shown(store, marker), "Name": bucket.name, "Prefix": prefix,
        "MaxKeys": echoed, "EncodingType": "url",
    }
    if page.truncated:
        if rule == "token":
            result["NextMarker"] = make_token(page.last)
        elif rule == "always" or delimiter:
            result["NextMarker"] = _shown(store, page.last)
    return _finish(store, page, result, params, owner=True)


def list_object_versions(store: Store, params: Params, _body: bytes) -> Reply:
    """Every version and delete marker, by key, newest first."""
    bucket = store.bucket(params["Bucket"])
    prefix, delimiter = params.get("Prefix", ""), params.get("Delimiter", "")
    key_marker, id_marker = params.get("KeyMarker", ""), params.get("VersionIdMarker", "")
    limit, echoed = _max_keys(store, params)
    found: list[tuple[Version, bool]] = []
    prefixes: list[str] = []
    truncated, last = False, ("", "")
    skip = bool(id_marker)
    for key in bucket.keys_from(max(prefix, key_marker)):
        if not key.startswith(prefix):
            break
        if key == key_marker and not id_marker:
            continue
        at = key.find(delimiter, len(prefix)) if delimiter else -1
        group = key[: at + len(delimiter)] if at >= 0 else None
        if group is not None:
            if group in prefixes[-1:] or group == key_marker:
                continue
            if len(found) + len(prefixes) == limit:
                truncated = True
                break
            prefixes.append(group)
            last = (group, "")
            continue
        versions = bucket.versions(key)
        for version in reversed(versions):
            if key == key_marker and skip:
                skip = version.version_id != id_marker
                continue
            if len(found) + len(prefixes) == limit:
                truncated = True
                break
            found.append((version, version is versions[-1]))
            last = (key, version.version_id)
        if truncated:
            break
    result: dict[str, Any] = {
        "IsTruncated": truncated, "KeyMarker": _shown(store, key_marker), "VersionIdMarker": id_marker, "Name": bucket.name,
        "Prefix": _shown(store, prefix), "MaxKeys": echoed,
    }
    if truncated:
        result["NextKeyMarker"], result["NextVersionIdMarker"] = _shown(store, last[0]), last[1]
    objects = [_version_entry(version, newest) for version, newest in found if version.exists]
    markers = [_version_entry(version, newest) for version, newest in found if not version.exists]
    if objects:
        result["Versions"] = objects
    if markers:
        result["DeleteMarkers"] = markers
    if prefixes:
        result["CommonPrefixes"] = [{"Prefix": group} for group in prefixes]
    if delimiter:
        result["Delimiter"] = delimiter
    result["EncodingType"] = "url"
    count = len(found) + len(prefixes)
    return Reply(result, entries=count)


def _version_entry(version: Version, newest: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "Owner": dict(OWNER), "Key": version.key, "VersionId": version.version_id, "IsLatest": newest,
        "LastModified": moment(version.modified_ns),
    }
    if version.exists:
        entry |= {"ETag": f'"{version.etag}"', "Size": version.size_bytes, "StorageClass": "STANDARD"}
    return entry


def delete_objects(store: Store, params: Params, _body: bytes) -> Reply:
    """Up to 1000 deletions in one request; the answer is 200 with one result per key."""
    bucket = store.bucket(params["Bucket"])
    wanted: list[dict[str, Any]] = params["Delete"]["Objects"]
    row = "delete_objects_empty" if not wanted else "delete_objects_1001"
    if not wanted or len(wanted) > store.limits.delete_keys_max:
        code = store.dialect.code(row)
        if code is not None:
            raise Refusal(code)
    deleted: list[dict[str, Any]] = []
    for item in wanted:
        outcome = remove(store, bucket, item["Key"], item.get("VersionId"))
        entry: dict[str, Any] = {"Key": item["Key"]}
        if "VersionId" in item:
            entry["VersionId"] = item["VersionId"]
        if outcome.get("DeleteMarker"):
            entry["DeleteMarker"] = True
            entry["DeleteMarkerVersionId"] = outcome["VersionId"]
        deleted.append(entry)
    quiet = params["Delete"].get("Quiet", False) and store.dialect["delete_objects_quiet"]
    result: dict[str, Any] = {} if quiet or not deleted else {"Deleted": deleted}
    return Reply(result, entries=len(wanted))

"""Getting rid of things: an object with all its versions, and uploads nobody will finish. Exactly one key at a time.

Every listing is by prefix, so siblings whose names begin alike are in it; only entries of the very key are touched.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from storcert.harness.drivers.s3_bucket import Bucket, Effort, Head
from storcert.harness.drivers.s3_errors import RequestFailed, Trouble


def clear_uploads(bucket: Bucket, effort: Effort, key: str, but: str | None = None) -> int:
    """Abort every pending upload for ``key``, whoever began it, ``but`` that one; how many there were."""
    uploads = [upload_id for upload_id in pending_uploads(bucket, effort, key) if upload_id != but]
    for upload_id in uploads:
        effort.check("clearing uploads")
        abort_upload(bucket, effort, key, upload_id)
        effort.progressed()
    return len(uploads)


def pending_uploads(bucket: Bucket, effort: Effort, key: str) -> list[str]:
    """The ids of all uploads for ``key`` that are neither completed nor aborted."""
    return [str(entry["UploadId"]) for page in _upload_pages(bucket, effort, key) for entry in page]


def abort_upload(bucket: Bucket, effort: Effort, key: str, upload_id: str) -> bool:
    """Abort one upload; whether it was there. Raises :class:`RequestFailed` where it may still be there."""
    try:
        bucket.ask(effort, "abort_multipart_upload", safe=True, Key=key, UploadId=upload_id)
    except RequestFailed as failure:
        if failure.trouble in (Trouble.NO_UPLOAD, Trouble.NOT_FOUND):
            return False
        raise
    return True


def doomed_versions(bucket: Bucket, effort: Effort, key: str, current: Head | None) -> list[str]:
    """What lies under the published object, and ``current`` itself if given, in the order in which it must go.

    Hidden versions first, then the one that readers see, then the delete markers that hid something: so nothing old
    ever comes to light, and a crash leaves only what the next delete finds. A version published since ``current`` was
    looked at stays.
    """
    versions: list[Any] = []
    markers: list[Any] = []
    try:
        for page_versions, page_markers in _version_pages(bucket, effort, key):
            versions += page_versions
            markers += page_markers
    except RequestFailed as failure:
        if failure.trouble is Trouble.NOT_IMPLEMENTED:  # a device without versions has nothing to purge
            return []
        raise
    doomed = [str(entry["VersionId"]) for entry in versions if not entry.get("IsLatest")]
    if current is not None and current.version_id is not None and current.version_id not in doomed:
        doomed.append(current.version_id)
    return doomed + [str(entry["VersionId"]) for entry in markers]


def remove_versions(bucket: Bucket, effort: Effort, key: str, doomed: list[str]) -> None:
    """Remove the versions and markers with these ids, in this order."""
    for version_id in doomed:
        effort.check("removing versions")
        try:
            # An id is never used again, except "null".
            bucket.ask(effort, "delete_object", safe=version_id != "null", Key=key, VersionId=version_id)
        except RequestFailed as failure:
            if failure.trouble is not Trouble.NOT_FOUND:
                raise
        effort.progressed()


def clear_after_publishing(bucket: Bucket, key: str, versioned: bool) -> None:
    """What dead writers left under a key that has just been published. Never turns the success into a failure."""
    effort = Effort.closing()
    try:
        clear_uploads(bucket, effort, key)
        if versioned:
            remove_versions(bucket, effort, key, doomed_versions(bucket, effort, key, None))
    except RequestFailed:
        return  # the object is there and whole; what could not be removed goes with its delete


def delete_current(bucket: Bucket, effort: Effort, key: str, seen: Head) -> bool:
    """Remove ``seen`` from a bucket without versions (or with versioning suspended); whether versions may remain.

    One call must never remove two objects: after an ambiguous answer another location may have written a new one. So
    the request is repeated only where ``seen`` is still there and an earlier attempt cannot strike later.
    """
    condition: dict[str, Any] = {"IfMatch": seen.etag} if seen.etag else {}
    while True:
        try:
            answer = bucket.ask(effort, "delete_object", Key=key, **condition)
            return bool(answer.get("VersionId") or answer.get("DeleteMarker") or seen.version_id)
        except RequestFailed as failure:
            if failure.trouble is Trouble.NOT_FOUND:
                return True
            if failure.trouble is Trouble.NOT_IMPLEMENTED and condition:
                condition = {}
                continue
            if failure.trouble is not Trouble.TAKEN and not failure.ambiguous:
                raise
            now = _look(bucket, failure, key)
            if now is None or not now.is_same_object(seen):
                return True
            if failure.trouble is Trouble.TAKEN and condition:
                condition = {}  # the device compares ETags in a way of its own
            elif failure.trouble is Trouble.TAKEN:
                raise RequestFailed(Trouble.ODD, failure.text) from None
            elif failure.trouble is Trouble.SILENT or not effort.again():
                raise


def _look(bucket: Bucket, failure: RequestFailed, key: str) -> Head | None:
    """What is published after ``failure``; where that cannot be learnt, ``failure`` says what is known."""
    try:
        return bucket.look(Effort.closing(), key)
    except RequestFailed as blind:
        raise failure if failure.ambiguous else RequestFailed(Trouble.REFUSED, blind.text) from None


def _upload_pages(bucket: Bucket, effort: Effort, key: str) -> Iterator[list[Any]]:
    where: dict[str, str] = {}
    while True:
        page = bucket.ask(effort, "list_multipart_uploads", safe=True, Prefix=key, **where)
        entries = page.get("Uploads") or []
        yield [entry for entry in entries if entry["Key"] == key]
        following = {"KeyMarker": page.get("NextKeyMarker"), "UploadIdMarker": page.get("NextUploadIdMarker")}
        if _is_last(page, entries, key, where, following, effort):
            return
        where = {name: value for name, value in following.items() if value}


def _version_pages(bucket: Bucket, effort: Effort, key: str) -> Iterator[tuple[list[Any], list[Any]]]:
    where: dict[str, str] = {}
    while True:
        page = bucket.ask(effort, "list_object_versions", safe=True, Prefix=key, **where)
        versions, markers = page.get("Versions") or [], page.get("DeleteMarkers") or []
        yield [entry for entry in versions if entry["Key"] == key], [entry for entry in markers if entry["Key"] == key]
        following = {"KeyMarker": page.get("NextKeyMarker"), "VersionIdMarker": page.get("NextVersionIdMarker")}
        if _is_last(page, versions + markers, key, where, following, effort):
            return
        where = {name: value for name, value in following.items() if value}


def _is_last(
    page: Any, entries: list[Any], key: str, where: dict[str, str], following: dict[str, Any], effort: Effort
) -> bool:
    """Listings are in byte order and siblings begin with ``key``: after the first sibling nothing of ``key`` comes."""
    if not page.get("IsTruncated") or any(entry["Key"] > key for entry in entries):
        return True
    if not any(following.values()) or {name: value for name, value in following.items() if value} == where:
        raise RequestFailed(Trouble.ODD, "the device says that a listing goes on but not where")
    effort.check("a listing")
    effort.progressed()
    return False

"""Getting rid of claims and of what belongs to them: the names of both, the delete of a name, and leftovers of the dead.

The order matters. Uploads of a name are aborted before its claim goes, so that nobody publishes under a claim that is
about to go. A claim is replaced by one of our own, under a condition, before it is deleted without one: whoever would take
it for stale has to wait anew. Data is removed only after a look at the claim that came after the listing: data that its
name did not point to then was never published and never will be.
"""

from __future__ import annotations

from typing import Any

from storcert.harness.contract import DataObjectUri, ObjectInUse, Outcome
from storcert.harness.drivers.s3_bucket import DATA_MARK, WRITE_ID, Effort, Head
from storcert.harness.drivers.s3_claims_bucket import ClaimedBucket, claim_of, data_key, new_claim, write_id_of
from storcert.harness.drivers.s3_cleanup import abort_upload, delete_current
from storcert.harness.drivers.s3_errors import RequestFailed, Trouble

ROUNDS = 4


def delete_name(bucket: ClaimedBucket, uri: DataObjectUri) -> None:
    """Delete what is published under ``uri``, or claimed, and all that was left there."""
    key, effort, begun = bucket.key(uri), Effort(), False
    try:
        for _ in range(ROUNDS):
            found = bucket.look(effort, key)
            if found is not None:
                bucket.require_unversioned(effort)  # what is deleted there stays, as a version
            begun = abort_uploads_under(bucket, effort, key + DATA_MARK) > 0 or begun
            if found is None:
                break
            claim = claim_of(found)
            if claim is None or bucket.look(effort, data_key(key, claim)) is not None:
                _delete_published(bucket, effort, uri, found, begun)
                begun = True
                break
            begun = True
            if remove_claim(bucket, effort, key, found):
                break
        else:
            raise ObjectInUse("others keep the name busy", uri, Outcome.UNKNOWN)
        remove_data(bucket, effort, key)
    except RequestFailed as failure:
        raise failure.typed(uri, Outcome.UNKNOWN if begun else Outcome.NOT_DONE) from failure


def _delete_published(bucket: ClaimedBucket, effort: Effort, uri: DataObjectUri, found: Head, begun: bool) -> None:
    try:
        delete_current(bucket, effort, bucket.key(uri), found)
    except RequestFailed as failure:
        raise failure.typed(uri, Outcome.UNKNOWN if begun else None) from failure


def remove_claim(bucket: ClaimedBucket, effort: Effort, key: str, found: Head) -> bool:
    """Remove the claim ``found``, whose upload is gone; whether it was still there. Raises :class:`RequestFailed`."""
    text, claim = new_claim()
    while True:
        try:
            bucket.ask(
                effort, "put_object", Key=key, Body=text, Metadata={WRITE_ID: write_id_of(claim)},
                IfMatch=str(found.etag).strip('"'),
            )  # fmt: skip
            break
        except RequestFailed as failure:
            if failure.trouble is Trouble.FULL:
                claim = claim_of(found) or claim  # no room for a claim of our own; nor has anybody else any
                break
            if not failure.ambiguous and failure.trouble is not Trouble.TAKEN:
                raise
            now = bucket.look(Effort.closing(), key)
            if claim_of(now) == claim:
                break
            if failure.trouble is Trouble.TAKEN or (now != found and failure.trouble is not Trouble.SILENT):
                return False
            if failure.trouble is Trouble.SILENT or not effort.again():
                raise
    ours = bucket.look(effort, key)
    if ours is None or claim_of(ours) != claim:
        return False
    delete_current(bucket, effort, key, ours)
    return True


def clear_leftovers(bucket: ClaimedBucket, key: str) -> None:
    """What dead writers left of a name that has just been published. Never turns the success into a failure."""
    effort = Effort.closing()
    try:
        abort_uploads_under(bucket, effort, key + DATA_MARK)
        remove_data(bucket, effort, key)
    except RequestFailed:
        return  # the object is there and whole; what could not be removed goes with its delete


def abort_uploads_under(bucket: ClaimedBucket, effort: Effort, prefix: str) -> int:
    """Abort every pending upload whose key begins with ``prefix``; how many there were."""
    found: list[tuple[str, str]] = []
    where: dict[str, Any] = {}
    while True:
        page = bucket.ask(effort, "list_multipart_uploads", safe=True, Prefix=prefix, **where)
        found += [(str(entry["Key"]), str(entry["UploadId"])) for entry in page.get("Uploads") or []]
        following = {"KeyMarker": page.get("NextKeyMarker"), "UploadIdMarker": page.get("NextUploadIdMarker")}
        if not page.get("IsTruncated"):
            break
        where = _following(where, following, effort)
    for key, upload_id in found:
        effort.check("clearing uploads")
        abort_upload(bucket, effort, key, upload_id)
        effort.progressed()
    return len(found)


def remove_data(bucket: ClaimedBucket, effort: Effort, key: str) -> None:
    """Remove data that the name does not point to."""
    found: list[str] = []
    where: dict[str, Any] = {}
    while True:
        page = bucket.ask(effort, "list_objects_v2", safe=True, Prefix=key + DATA_MARK, **where)
        found += [str(entry["Key"]) for entry in page.get("Contents") or []]
        if not page.get("IsTruncated"):
            break
        where = _following(where, {"ContinuationToken": page.get("NextContinuationToken")}, effort)
    if not found:
        return
    bucket.require_unversioned(effort)
    current = claim_of(bucket.look(effort, key))
    for one in found:
        if current is None or one != data_key(key, current):
            effort.check("removing data")
            # The id in the key is never used again: it may be sent twice.
            bucket.ask(effort, "delete_object", safe=True, Key=one)
            effort.progressed()


def _following(where: dict[str, Any], following: dict[str, Any], effort: Effort) -> dict[str, Any]:
    """The place of the next page."""
    given = {name: value for name, value in following.items() if value}
    if not given or given == where:
        raise RequestFailed(Trouble.ODD, "the device says that a listing goes on but not where")
    effort.check("a listing")
    effort.progressed()
    return given

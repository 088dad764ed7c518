"""Publishing exactly once on a device that looks at conditions of PutObject only, as radosgw 16 does.

There Complete and Copy replace whatever is under their key, and a delete is unconditional. So no bytes of a large object
ever travel to the name's own key. They go to a key of their own, the *data key*: the name's key, ``!`` and a claim id that
nobody else has. The name's key holds a small *claim* that names the data key. A large object is there exactly if its
claim and its data are; it is published by Complete, which can replace nothing there. A small object lies under the name's
own key, as everywhere. Who may put a claim or a small object there is decided by ``If-None-Match: *``.

What a dead writer left is a claim without data. Another one waits a while for it, then *fences* it: once its upload is
aborted, nobody can complete it any more. Only then is the claim replaced, by a PutObject with ``If-Match``, so that of
several again one wins. No clock decides what is published: whoever is slow finds its upload gone and says so.

``!`` comes before every character of a name, so what belongs to a name follows it in every listing. Removing things is in
``s3_claims_cleanup``.
"""

from __future__ import annotations

import time
import uuid
from typing import Any
from urllib.parse import quote

from storcert.harness.contract import (
    DataObjectUri,
    DeviceUnavailable,
    ObjectExists,
    ObjectInUse,
    Outcome,
    StorageError,
)
from storcert.harness.drivers.s3_bucket import WRITE_ID, Effort, Head
from storcert.harness.drivers.s3_claims_bucket import ClaimedBucket, claim_of, data_key, new_claim, write_id_of
from storcert.harness.drivers.s3_claims_cleanup import abort_uploads_under, clear_leftovers, remove_claim
from storcert.harness.drivers.s3_errors import RequestFailed, Trouble
from storcert.harness.drivers.s3_publish import Publisher, Upload

PATIENCE_S = 45.0
"""How long a claim of somebody else is waited for: longer than any one request of its owner may take."""
ROUNDS = 3


class ClaimingPublisher(Publisher):
    """What :class:`Publisher` does, with claims."""

    _bucket: ClaimedBucket

    def put_whole(self, effort: Effort, uri: DataObjectUri, body: bytes) -> None:
        settle(self._bucket, effort, uri, body, uuid.uuid4().hex, publishes=True)
        clear_leftovers(self._bucket, self._bucket.key(uri))

    def upload(self, uri: DataObjectUri) -> Upload:
        return ClaimedUpload(self._bucket, uri)


class ClaimedUpload(Upload):
    """An upload to a data key. Completing it publishes, if its claim holds the name."""

    _bucket: ClaimedBucket

    def __init__(self, bucket: ClaimedBucket, uri: DataObjectUri) -> None:
        super().__init__(bucket, uri)
        self._claim_text, self._claim = new_claim()
        self._key = data_key(self._name, self._claim)

    def copy_part(self, effort: Effort, source: str, first: int, last: int, etag: str | None) -> None:
        try:
            super().copy_part(effort, source, first, last, etag)
        except RequestFailed as failure:
            if failure.trouble is not Trouble.NOT_FOUND:
                raise
            # radosgw 16 decodes the source of UploadPartCopy twice. Elsewhere the source has really gone, and the look at
            # it that follows the parts says so: what is found under the other key is never published.
            super().copy_part(effort, quote(source), first, last, etag)

    def complete(self, effort: Effort) -> None:
        try:
            settle(self._bucket, effort, self._uri, self._claim_text, write_id_of(self._claim), publishes=False)
        except StorageError as error:
            raise self.give_up(error) from error
        try:
            super().complete(effort)
        except StorageError as error:
            raise self._withdrawn(error) from error

    def _published(self, versioned: bool) -> None:
        self._over = True
        clear_leftovers(self._bucket, self._name)

    def _withdrawn(self, error: StorageError) -> StorageError:
        """Take the claim back where the upload has certainly not been completed; what is to be said then."""
        if error.outcome is Outcome.UNKNOWN:
            return error
        try:
            found = self._bucket.look(Effort.closing(), self._name)
            if found is not None and claim_of(found) == self._claim:
                remove_claim(self._bucket, Effort.closing(), self._name, found)
                return error
            return self._overtaken(error, Effort.closing(), found)
        except RequestFailed:
            return type(error)(error.message, error.uri, Outcome.UNKNOWN, error.retryable)

    def _overtaken(self, error: StorageError, effort: Effort, found: Head | None) -> StorageError:
        """Somebody took the claim for stale, or deleted it. ``ObjectExists`` where that one publishes now."""
        ends_s, wait_s = time.monotonic() + PATIENCE_S, 0.25
        while found is not None:
            if self._bucket.head(effort, self._name) is not None:
                return ObjectExists("the name is taken", self._uri)
            if time.monotonic() >= ends_s:
                break
            time.sleep(wait_s)
            wait_s = min(2 * wait_s, 8.0)
            found = self._bucket.look(effort, self._name)
        return error


def settle(
    bucket: ClaimedBucket, effort: Effort, uri: DataObjectUri, body: bytes, write_id: str, *, publishes: bool
) -> None:
    """Put ``body`` under the name's own key unless something is published there. Raises a typed error.

    ``publishes``: ``body`` is an object, not a claim; then it is never sent again where it may have been there already.
    """
    attempt = _Attempt(bucket, uri, write_id, publishes)
    try:
        bucket.require_unversioned(effort)
    except RequestFailed as failure:
        raise failure.typed(uri, Outcome.NOT_DONE) from failure
    for number in range(ROUNDS):
        if number:
            attempt.make_room(effort)
        if attempt.put(effort, body):
            return
    raise ObjectInUse("others keep the name busy", uri, attempt.outcome)


class _Attempt:
    """One body on its way to a name, over several requests."""

    def __init__(self, bucket: ClaimedBucket, uri: DataObjectUri, write_id: str, publishes: bool) -> None:
        self._bucket, self._uri, self._key = bucket, uri, bucket.key(uri)
        self._write_id = write_id
        self._publishes = publishes
        self._stale: Head | None = None  # a claim that nobody can fulfil any more
        self._holder: Head | None = None  # what was found under the key
        self._quotes = ""  # radosgw compares If-Match with what it keeps, which has none; others may want them
        self._doubt = False

    @property
    def outcome(self) -> Outcome:
        """What is known where the attempt is given up."""
        return Outcome.UNKNOWN if self._doubt else Outcome.NOT_DONE

    def put(self, effort: Effort, body: bytes) -> bool:
        """Whether ``body`` is there; if not, something else is."""
        while True:
            condition: dict[str, Any] = {"IfNoneMatch": "*"}
            if self._stale is not None:
                etag = str(self._stale.etag).strip('"')
                condition = {"IfMatch": f"{self._quotes}{etag}{self._quotes}"}
            try:
                self._bucket.ask(
                    effort, "put_object", Key=self._key, Body=body, Metadata={WRITE_ID: self._write_id}, **condition
                )
            except RequestFailed as failure:
                if not failure.ambiguous and failure.trouble is not Trouble.TAKEN:
                    raise self._refused(failure) from failure
                found = self._look(failure)
                if found is not None and found.write_id == self._write_id:
                    return True
                untouched = self._stale is not None and found == self._stale
                self._judge(failure, found, untouched)
                if found is not None and not untouched:
                    self._holder = found
                    return False
                if not untouched:
                    self._stale = None
                elif failure.trouble is Trouble.TAKEN:
                    self._quotes = "" if self._quotes else '"'
                if not effort.again():
                    raise ObjectInUse(failure.text, self._uri, self.outcome) from failure
            else:
                return True

    def _refused(self, failure: RequestFailed) -> StorageError:
        if failure.trouble in (Trouble.NOT_FOUND, Trouble.NOT_IMPLEMENTED):
            return DeviceUnavailable(failure.text, self._uri, self.outcome, False)
        return failure.typed(self._uri, self.outcome)

    def _look(self, failure: RequestFailed) -> Head | None:
        try:
            return self._bucket.look(Effort.closing(), self._key)
        except RequestFailed:
            raise failure.typed(self._uri, Outcome.UNKNOWN) from failure

    def _judge(self, failure: RequestFailed, found: Head | None, untouched: bool) -> None:
        """Raise where the body may still come, or may have been there and gone: it must not be sent again."""
        late = failure.trouble is Trouble.SILENT
        gone = failure.trouble is Trouble.RESET and self._publishes and not untouched
        if not (late or gone):
            self._doubt = self._doubt or (failure.ambiguous and self._publishes and not untouched)
            return
        if found is not None and claim_of(found) is None:
            raise ObjectExists("the name is taken", self._uri, Outcome.UNKNOWN) from failure
        raise failure.typed(self._uri, Outcome.UNKNOWN) from failure

    def make_room(self, effort: Effort) -> None:
        """Wait for what holds the name: raise ``ObjectExists`` if it is or becomes an object, fence it if its owner is dead."""
        try:
            self._stale = self._overcome(effort)
        except RequestFailed as failure:
            raise failure.typed(self._uri, self.outcome) from failure

    def _overcome(self, effort: Effort) -> Head | None:
        holder = self._holder
        claim = claim_of(holder)
        if claim is None:
            raise self._taken()
        data, ends_s, wait_s = data_key(self._key, claim), time.monotonic() + PATIENCE_S, 0.25
        while True:
            if self._bucket.look(effort, data) is not None:
                raise self._taken()
            if time.monotonic() >= ends_s:
                break
            effort.check("waiting for another writer")
            time.sleep(wait_s)
            wait_s = min(2 * wait_s, 8.0)
            if self._bucket.look(effort, self._key) != holder:
                return None
        abort_uploads_under(self._bucket, effort, data)
        if self._bucket.look(effort, data) is not None:
            raise self._taken()
        return holder

    def _taken(self) -> ObjectExists:
        return ObjectExists("the name is taken", self._uri, Outcome.UNKNOWN if self._doubt else None)

"""Publishing an object exactly once: one conditional request, or a multipart upload with a conditional end.

Every attempt to publish carries a random write id in the object's metadata. After an ambiguous answer HEAD tells
whether the bytes under the key are our own: success, ``ObjectExists``, or an outcome that is truly unknown. What may
already have been published, and deleted by somebody else meanwhile, is never sent a second time.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from enum import Enum
from typing import Any

from storcert.harness.contract import (
    DataObjectUri,
    DeviceUnavailable,
    ObjectExists,
    Outcome,
    StorageError,
)
from storcert.harness.drivers.s3_bucket import WRITE_ID, Bucket, Effort, Head
from storcert.harness.drivers.s3_cleanup import abort_upload, clear_after_publishing, clear_uploads
from storcert.harness.drivers.s3_errors import RequestFailed, Trouble

_ABSENT = Head(-1, None, None, None, "")


def put_whole(bucket: Bucket, effort: Effort, uri: DataObjectUri, body: bytes) -> None:
    """Publish ``body`` under ``uri`` with one request, unless the name is taken."""

    def request(write_id: str) -> Any:
        return bucket.ask(
            effort, "put_object", Key=bucket.key(uri), Body=body, IfNoneMatch="*", Metadata={WRITE_ID: write_id}
        )

    try:
        publish_once(bucket, effort, uri, request)
    except RequestFailed as failure:
        raise DeviceUnavailable(failure.text, uri, Outcome.NOT_DONE, False) from failure


def publish_once(bucket: Bucket, effort: Effort, uri: DataObjectUri, request: Callable[[str], Any]) -> None:
    """Send ``request(write_id)``, which publishes under ``uri`` if the name is free, until its fate is known.

    Raises a typed error; :class:`RequestFailed` only for ``NOT_FOUND`` and ``NOT_IMPLEMENTED``, which the caller reads.
    """
    key = bucket.key(uri)
    write_id, doubt = _new_write_id(), False
    while True:
        try:
            answer = request(write_id)
        except RequestFailed as failure:
            if failure.trouble in (Trouble.NOT_FOUND, Trouble.NOT_IMPLEMENTED) and not doubt:
                raise
            if not failure.ambiguous and not doubt:
                raise failure.typed(uri) from failure
            if not failure.ambiguous and failure.trouble is not Trouble.TAKEN:
                raise failure.typed(uri, Outcome.UNKNOWN) from failure
            doubt = True
            found = _find_own(bucket, key, failure, uri)
            if found.write_id == write_id:
                return clear_after_publishing(bucket, key, found.version_id is not None)
            lost = failure.trouble in (Trouble.RESET, Trouble.SILENT)
            if found is not _ABSENT:
                raise ObjectExists("the name is taken", uri, Outcome.UNKNOWN if lost else None) from failure
            if lost or not effort.again():
                raise failure.typed(uri, Outcome.UNKNOWN) from failure
        else:
            return clear_after_publishing(bucket, key, bool(answer.get("VersionId")))


class Discarded(Enum):
    """What became of an upload that is given up."""

    ABORTED = "aborted"
    GONE = "gone before"
    UNSURE = "may still be there"


class Upload:
    """One multipart upload, from its first part to its publication or its end. Invisible until then."""

    def __init__(self, bucket: Bucket, uri: DataObjectUri) -> None:
        self._bucket = bucket
        self._uri = uri
        self._name = self._key = bucket.key(uri)
        self._write_id = _new_write_id()
        self._upload_id: str | None = None
        self._parts: list[dict[str, Any]] = []
        self._astray = False  # an upload whose id we never learnt may exist
        self._late = False  # it may even come into being later
        self._over = False

    @property
    def next_number(self) -> int:
        """Number of the part to be sent next, from 1."""
        return len(self._parts) + 1

    def put_part(self, effort: Effort, body: bytes) -> None:
        """Send the next part. Raises a typed error; the upload is discarded then."""
        self._part(effort, "upload_part", Body=body)

    def copy_part(self, effort: Effort, source: str, first: int, last: int, etag: str | None) -> None:
        """Have the device copy a range of ``source`` as the next part. Raises as :meth:`put_part`.

        :class:`RequestFailed` passes for ``NOT_FOUND`` and ``TAKEN``: the source has gone or changed.
        """
        condition = {"CopySourceIfMatch": etag} if etag else {}
        self._part(
            effort,
            "upload_part_copy",
            CopySource={"Bucket": self._bucket.name, "Key": source},
            CopySourceRange=f"bytes={first}-{last}",
            **condition,
        )

    def _part(self, effort: Effort, operation: str, **parameters: Any) -> None:
        copying = operation == "upload_part_copy"
        try:
            effort.check("sending parts")
            if self._upload_id is None:
                self._begin(effort)
            number = self.next_number
            # The same part with the same bytes may be sent twice: the later one replaces the earlier.
            answer = self._bucket.ask(
                effort, operation, safe=True, Key=self._key, UploadId=self._upload_id, PartNumber=number, **parameters
            )
        except RequestFailed as failure:
            if copying and failure.trouble in (Trouble.NOT_FOUND, Trouble.TAKEN):
                raise
            if failure.trouble in (Trouble.NO_UPLOAD, Trouble.NOT_FOUND):
                raise self.give_up(self._ended_by_others(failure)) from failure
            # Nothing is published and the upload is given up: not done, whatever became of the part.
            raise self.give_up(failure.typed(self._uri, Outcome.NOT_DONE)) from failure
        effort.progressed()
        self._parts.append({"PartNumber": number, "ETag": (answer["CopyPartResult"] if copying else answer)["ETag"]})

    def _begin(self, effort: Effort) -> None:
        while True:
            try:
                answer = self._bucket.ask(
                    effort, "create_multipart_upload", Key=self._key, Metadata={WRITE_ID: self._write_id}
                )
            except RequestFailed as failure:
                if not failure.ambiguous:
                    raise
                self._astray = True
                self._late = failure.trouble is Trouble.SILENT
                # After silence the upload may still come into being, behind the back of any clean-up: no second one.
                if self._late or not effort.again():
                    raise
            else:
                self._upload_id = str(answer["UploadId"])
                return

    def complete(self, effort: Effort) -> None:
        """Publish. Raises a typed error; with ``not_done`` nothing is left, with ``unknown`` whole or not at all."""
        doubt, lost = False, False
        if self._astray:
            self._clear_astray(effort)
        while True:
            try:
                answer = self._bucket.ask(
                    effort,
                    "complete_multipart_upload",
                    Key=self._key,
                    UploadId=self._upload_id,
                    MultipartUpload={"Parts": self._parts},
                    IfNoneMatch="*",
                )
            except RequestFailed as failure:
                if not failure.ambiguous and not doubt and failure.trouble is not Trouble.NO_UPLOAD:
                    raise self.give_up(failure.typed(self._uri)) from failure
                doubt = doubt or failure.ambiguous
                lost = lost or failure.trouble in (Trouble.RESET, Trouble.SILENT)
                found = _find_own(self._bucket, self._key, failure, self._uri)
                if found.write_id == self._write_id:
                    return self._published(found.version_id is not None)
                if found is not _ABSENT:
                    raise self._lost_to_another(lost) from failure
                # Complete takes effect at most once for one upload, so it may be sent again.
                if failure.trouble is not Trouble.NO_UPLOAD and effort.again():
                    continue
                return self._conclude(failure, lost)
            else:
                return self._published(bool(answer.get("VersionId")))

    def _clear_astray(self, effort: Effort) -> None:
        """After publishing it would be too late to report that an upload of ours could not be found and removed."""
        try:
            clear_uploads(self._bucket, effort, self._key, but=self._upload_id)
        except RequestFailed as failure:
            raise self.give_up(failure.typed(self._uri, Outcome.NOT_DONE)) from failure
        self._astray = False

    def _published(self, versioned: bool) -> None:
        self._over = True
        clear_after_publishing(self._bucket, self._key, versioned)

    def _lost_to_another(self, lost: bool) -> StorageError:
        outcome = self.discard()
        unsure = outcome is Discarded.UNSURE or (lost and outcome is Discarded.GONE)
        return ObjectExists("the name is taken", self._uri, Outcome.UNKNOWN if unsure else None)

    def _conclude(self, failure: RequestFailed, lost: bool) -> None:
        """No answer could be had: an upload that can still be aborted has not been published, and never will be."""
        outcome = self.discard()
        if outcome is Discarded.ABORTED:
            raise DeviceUnavailable(failure.text, self._uri, Outcome.NOT_DONE) from failure
        found = _find_own(self._bucket, self._key, failure, self._uri)
        if found.write_id == self._write_id:
            return self._published(found.version_id is not None)
        unsure = lost or outcome is Discarded.UNSURE
        known = Outcome.UNKNOWN if unsure else Outcome.NOT_DONE
        if found is not _ABSENT:
            raise ObjectExists("the name is taken", self._uri, known) from failure
        raise DeviceUnavailable(f"the upload was ended: {failure.text}", self._uri, known) from failure

    def _ended_by_others(self, failure: RequestFailed) -> StorageError:
        """Somebody aborted the upload: a delete of the name, or the commit that won it."""
        try:
            taken = self._bucket.head(Effort.closing(), self._name) is not None
        except RequestFailed:
            taken = False
        if taken:
            return ObjectExists("the name is taken", self._uri)
        return DeviceUnavailable(f"the upload was ended: {failure.text}", self._uri, Outcome.NOT_DONE)

    def give_up(self, error: StorageError) -> StorageError:
        """Discard the upload; ``error``, with its outcome unknown where something of the upload may be left."""
        if self.discard() is not Discarded.UNSURE or error.outcome is Outcome.UNKNOWN:
            return error
        return type(error)(error.message, error.uri, Outcome.UNKNOWN, error.retryable)

    def discard(self) -> Discarded:
        """Remove what was sent. May be repeated."""
        if self._over:
            return Discarded.GONE
        effort = Effort.closing()
        outcome = Discarded.GONE
        try:
            if self._upload_id is not None:
                was_there = abort_upload(self._bucket, effort, self._key, self._upload_id)
                outcome = Discarded.ABORTED if was_there else Discarded.GONE
            if self._astray and not clear_uploads(self._bucket, effort, self._key) and self._late:
                return Discarded.UNSURE
        except RequestFailed:
            return Discarded.UNSURE
        self._over = True
        return outcome


class Publisher:
    """How this device publishes: what streams, copies and creates end with."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def put_whole(self, effort: Effort, uri: DataObjectUri, body: bytes) -> None:
        """Publish ``body`` at once. Raises a typed error."""
        put_whole(self._bucket, effort, uri, body)

    def upload(self, uri: DataObjectUri) -> Upload:
        """Begin an object of several parts."""
        return Upload(self._bucket, uri)


def _find_own(bucket: Bucket, key: str, failure: RequestFailed, uri: DataObjectUri) -> Head:
    """What is published now; where not even that can be learnt, the outcome is unknown."""
    try:
        return bucket.head(Effort.closing(), key) or _ABSENT
    except RequestFailed:
        raise failure.typed(uri, Outcome.UNKNOWN) from failure


def _new_write_id() -> str:
    return uuid.uuid4().hex

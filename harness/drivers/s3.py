"""A driver for S3 and everything that speaks it, on boto3 alone.

One object is one key: the prefix and the text form of the URI without its leading slash, percent-encoded, so that keys
are plain ASCII and two names never meet. Nothing else is kept on the device: pending uploads exist only while a stream
or a call works on them. An object of one part is one conditional PutObject; a larger one a multipart upload with a
conditional Complete; ``copy`` happens on the device. The rest is in the modules beside this one: ``s3_bucket`` sends
requests with bounded effort, ``s3_errors`` reads answers, ``s3_publish`` publishes exactly once, ``s3_streams`` moves
bytes, ``s3_cleanup`` removes things.

What it needs of the device: ``If-None-Match: *`` on PutObject and CompleteMultipartUpload; on CopyObject too, unless
``conditional_copy`` is false. A device that ignores one of them can publish over an existing object, and certifying it
shows that. For one that looks at conditions of PutObject only (radosgw 16) there is ``conditional_complete = false``: then
the bytes of large objects and of copies have keys of their own, beside the name's, as ``s3_claims`` explains; such objects
are two keys for other programs, opening one for reading costs a request more, the bucket must not have versioning, and
every driver of the bucket has the same setting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from storcert.harness.contract import (
    Capabilities,
    CapacityExceeded,
    DataObjectDescription,
    DataObjectUri,
    DeviceUnavailable,
    InvalidRequest,
    JsonValue,
    ObjectExists,
    ObjectNotFound,
    Outcome,
    StorageError,
)
from storcert.harness.drivers.arguments import count_of_bytes
from storcert.harness.drivers.s3_bucket import OBJECT_BYTES_MAX, WRITE_ID, Bucket, Effort, Head, Settings
from storcert.harness.drivers.s3_claims import ClaimingPublisher
from storcert.harness.drivers.s3_claims_bucket import ClaimedBucket
from storcert.harness.drivers.s3_claims_cleanup import delete_name
from storcert.harness.drivers.s3_cleanup import (
    abort_upload,
    delete_current,
    doomed_versions,
    pending_uploads,
    remove_versions,
)
from storcert.harness.drivers.s3_errors import RequestFailed, Trouble
from storcert.harness.drivers.s3_publish import Publisher, publish_once
from storcert.harness.drivers.s3_streams import EmptyInputStream, S3InputStream, S3OutputStream

_CREATE_ROUNDS = 4


def _device(settings: Settings) -> tuple[Bucket, Publisher]:
    """How to speak to this device, and how to publish there."""
    if settings.conditional_complete:
        bucket = Bucket(settings)
        return bucket, Publisher(bucket)
    claimed = ClaimedBucket(settings)
    return claimed, ClaimingPublisher(claimed)


class S3Driver:
    """Configuration: ``bucket``; optional ``endpoint_url``, ``prefix``, ``region_name``, ``aws_access_key_id``,
    ``aws_secret_access_key``, ``aws_session_token``, ``addressing_style`` (``path``), ``part_size_bytes`` (5 MiB),
    ``copy_part_bytes`` (5 GiB: the largest copy in one request), ``max_object_size_bytes`` (5 TiB) and
    ``conditional_copy`` (true: CopyObject honours ``If-None-Match``) and ``conditional_complete`` (true:
    CompleteMultipartUpload does; false for radosgw). Credentials that are not given come from boto3.
    """

    def __init__(self, configuration: Mapping[str, JsonValue]) -> None:
        self._settings = Settings.parse(configuration)
        self._bucket, self._publisher = _device(self._settings)

    def capabilities(self) -> Capabilities:
        return Capabilities(
            max_object_size_bytes=self._settings.size_bytes_max,
            on_device_copy=True,
            range_read=True,
            enumerate=True,
            max_name_bytes=self._settings.name_bytes_max,
        )

    def create(self, uri: DataObjectUri, size: int) -> None:
        key, effort = self._bucket.key(uri), Effort()
        size = self._size(size, uri)
        for _ in range(_CREATE_ROUNDS):
            if self._has_size(effort, key, uri, size):
                return
            try:
                return self._publish_zeros(effort, uri, size)
            except ObjectExists as taken:
                # Somebody made it between the look and the publication: what counts is what is there now.
                if taken.outcome is Outcome.UNKNOWN:
                    raise
        raise DeviceUnavailable("others make and delete it all the time", uri, Outcome.NOT_DONE)

    def _has_size(self, effort: Effort, key: str, uri: DataObjectUri, size: int) -> bool:
        """Whether the object is there with ``size``. Raises ``ObjectExists`` where it has another."""
        found = self._head(effort, key, uri)
        if found is not None and found.size_bytes != size:
            raise ObjectExists(f"the object has {found.size_bytes} bytes, not {size}", uri)
        return found is not None

    def _publish_zeros(self, effort: Effort, uri: DataObjectUri, size: int) -> None:
        part_bytes = self._settings.part_bytes(1, size)
        if size <= part_bytes:
            return self._publisher.put_whole(effort, uri, bytes(size))
        zeros, upload = bytes(part_bytes), self._publisher.upload(uri)
        for start in range(0, size, part_bytes):
            upload.put_part(effort, zeros[: size - start])
        return upload.complete(effort)

    def delete(self, uri: DataObjectUri) -> None:
        key, effort, begun = self._bucket.key(uri), Effort(), False
        if isinstance(self._bucket, ClaimedBucket):
            return delete_name(self._bucket, uri)
        try:
            seen = self._bucket.head(effort, key)
            versions_remain = True
            if seen is not None and seen.version_id in (None, "null"):
                try:
                    versions_remain = delete_current(self._bucket, effort, key, seen)
                except RequestFailed as failure:
                    raise failure.typed(uri) from failure
                seen, begun = None, True
            if versions_remain:
                doomed = doomed_versions(self._bucket, effort, key, seen)
                begun = begun or bool(doomed)
                remove_versions(self._bucket, effort, key, doomed)
            uploads = pending_uploads(self._bucket, effort, key)
            begun = begun or bool(uploads)
            for upload_id in uploads:
                effort.check("clearing uploads")
                abort_upload(self._bucket, effort, key, upload_id)
                effort.progressed()
        except RequestFailed as failure:
            raise failure.typed(uri, Outcome.UNKNOWN if begun else Outcome.NOT_DONE) from failure

    def copy(self, source: DataObjectUri, destination: DataObjectUri) -> None:
        source_key, destination_key, effort = self._bucket.key(source), self._bucket.key(destination), Effort()
        seen = self._existing(effort, source_key, source)
        if source_key == destination_key or self._head(effort, destination_key, destination) is not None:
            raise ObjectExists("the destination is taken", destination)
        settings = self._settings
        copies_at_once = settings.conditional_copy and settings.conditional_complete
        if copies_at_once and seen.size_bytes <= settings.copy_part_bytes:
            request = self._copy_request(effort, source_key, destination_key)
            try:
                return publish_once(self._bucket, effort, destination, request)
            except RequestFailed as failure:
                if failure.trouble is Trouble.NOT_FOUND:
                    raise ObjectNotFound("the source has gone", source) from failure
        return self._copy_in_parts(effort, seen, source, seen.key, destination)

    def _copy_request(self, effort: Effort, source_key: str, destination_key: str) -> Callable[[str], Any]:
        return lambda write_id: self._bucket.ask(
            effort,
            "copy_object",
            Key=destination_key,
            CopySource={"Bucket": self._bucket.name, "Key": source_key},
            MetadataDirective="REPLACE",
            Metadata={WRITE_ID: write_id},
            IfNoneMatch="*",
        )

    def _copy_in_parts(
        self, effort: Effort, seen: Head, source: DataObjectUri, source_key: str, destination: DataObjectUri
    ) -> None:
        if not seen.size_bytes:
            return self._publisher.put_whole(effort, destination, b"")  # no part can be a copy of no bytes
        upload, step = self._publisher.upload(destination), self._settings.copy_part_bytes
        for first in range(0, seen.size_bytes, step):
            last = min(first + step, seen.size_bytes) - 1
            try:
                upload.copy_part(effort, source_key, first, last, seen.etag)
            except RequestFailed as failure:
                raise upload.give_up(self._source_lost(source_key, source)) from failure
        try:
            now = self._head(effort, source_key, source)
        except StorageError as error:
            raise upload.give_up(error) from error
        if now is None or not now.is_same_object(seen):
            # A device may ignore the condition on the source: parts of two objects must never become one.
            raise upload.give_up(self._source_lost(source_key, source))
        return upload.complete(effort)

    def _source_lost(self, source_key: str, source: DataObjectUri) -> StorageError:
        try:
            if self._head(Effort.closing(), source_key, source) is not None:
                return DeviceUnavailable("the source was replaced during the copy", source, Outcome.NOT_DONE)
        except StorageError as error:
            return error
        return ObjectNotFound("the source has gone", source)

    def open_input(self, uri: DataObjectUri, offset: int = 0, length: int | None = None) -> S3InputStream:
        self._bucket.key(uri)
        offset = count_of_bytes("offset", offset, uri)
        if length is not None:
            length = min(count_of_bytes("length", length, uri), OBJECT_BYTES_MAX)
        if length == 0 or offset >= OBJECT_BYTES_MAX:
            return EmptyInputStream(self._bucket, uri)
        return S3InputStream(self._bucket, uri, offset, length)

    def open_output(self, uri: DataObjectUri, size: int | None = None) -> S3OutputStream:
        key = self._bucket.key(uri)
        if size is not None:
            size = self._size(size, uri)
        if self._head(Effort(), key, uri) is not None:
            raise ObjectExists("the name is taken", uri)
        return S3OutputStream(self._bucket, self._publisher, uri, size)

    def describe(self, uri: DataObjectUri) -> DataObjectDescription:
        return DataObjectDescription(uri, self._existing(Effort(), self._bucket.key(uri), uri).size_bytes, None)

    def list_objects(self) -> Iterator[DataObjectUri]:
        prefix, effort = self._settings.prefix, Effort()
        where: dict[str, Any] = {}
        while True:
            try:
                effort.check("a listing")
                page = self._bucket.ask(effort, "list_objects_v2", safe=True, Prefix=prefix, **where)
            except RequestFailed as failure:
                raise failure.typed(None, Outcome.NOT_DONE) from failure
            entries = page.get("Contents") or []
            for index, entry in enumerate(entries):
                uri = self._uri_of(str(entry["Key"]))
                if uri is not None and self._is_published(effort, entries, index):
                    yield uri
                    effort = Effort()  # the caller's next step is a call of its own
            if not page.get("IsTruncated"):
                return
            following = {"ContinuationToken": page.get("NextContinuationToken")}
            if not following["ContinuationToken"] or following == where:
                raise DeviceUnavailable("a listing goes on but not where", None, Outcome.NOT_DONE)
            where = following

    def _is_published(self, effort: Effort, entries: list[Any], index: int) -> bool:
        try:
            return self._bucket.is_published(effort, entries, index)
        except RequestFailed as failure:
            raise failure.typed(None, Outcome.NOT_DONE) from failure

    def _uri_of(self, key: str) -> DataObjectUri | None:
        """The URI that ``key`` stands for, or ``None`` for a key that is none of ours."""
        try:
            uri = DataObjectUri.parse("/" + key[len(self._settings.prefix) :])
            return uri if self._bucket.key(uri) == key else None
        except InvalidRequest:
            return None

    def _size(self, value: object, uri: DataObjectUri) -> int:
        size = count_of_bytes("size", value, uri)
        if size > self._settings.size_bytes_max:
            raise CapacityExceeded(f"an object has at most {self._settings.size_bytes_max} bytes", uri)
        return size

    def _head(self, effort: Effort, key: str, uri: DataObjectUri) -> Head | None:
        try:
            return self._bucket.head(effort, key)
        except RequestFailed as failure:
            raise failure.typed(uri, Outcome.NOT_DONE) from failure

    def _existing(self, effort: Effort, key: str, uri: DataObjectUri) -> Head:
        try:
            found = self._bucket.head_in_bucket(effort, key)
        except RequestFailed as failure:
            raise failure.typed(uri, Outcome.NOT_DONE) from failure
        if found is None:
            raise ObjectNotFound("no such object", uri)
        return found

"""The service: one request in, one answer out, at one instant. Who may call, which operation, how long it takes.

Nothing of a client library is known here; the faces translate. ``Answer.result`` is a :class:`Reply`, or the
:class:`Refusal` that says why not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from storcert.harness.record.fault import Fault
from storcert.simulators.network.wire import Answer
from storcert.simulators.object_store import buckets, listing, multipart, objects
from storcert.simulators.object_store.errors import Refusal
from storcert.simulators.object_store.model import Store
from storcert.simulators.object_store.reply import Reply
from storcert.simulators.object_store.timing import OTHER_BASE_NS, service_ns

Operation = Callable[[Store, Mapping[str, Any], bytes], Reply]

OPERATIONS: Mapping[str, Operation] = {
    "PutObject": objects.put_object, "GetObject": objects.get_object, "HeadObject": objects.head_object,
    "DeleteObject": objects.delete_object, "CopyObject": objects.copy_object, "DeleteObjects": listing.delete_objects,
    "ListObjectsV2": listing.list_objects_v2, "ListObjects": listing.list_objects,
    "ListObjectVersions": listing.list_object_versions,
    "CreateMultipartUpload": multipart.create_multipart_upload, "UploadPart": multipart.upload_part,
    "UploadPartCopy": multipart.upload_part_copy, "CompleteMultipartUpload": multipart.complete_multipart_upload,
    "AbortMultipartUpload": multipart.abort_multipart_upload, "ListParts": multipart.list_parts,
    "ListMultipartUploads": multipart.list_multipart_uploads,
    "CreateBucket": buckets.create_bucket, "DeleteBucket": buckets.delete_bucket, "HeadBucket": buckets.head_bucket,
    "ListBuckets": buckets.list_buckets, "GetBucketLocation": buckets.get_bucket_location,
    "PutBucketVersioning": buckets.put_bucket_versioning, "GetBucketVersioning": buckets.get_bucket_versioning,
}
_CONDITIONAL = frozenset(("PutObject", "CompleteMultipartUpload", "CopyObject"))
_WRITES_OF_KEY = _CONDITIONAL | {"DeleteObject"}
_BUSY_KEYS_MAX = 1000


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request is signed with."""

    access_key: str
    secret_key: str
    token: str | None = None


class Server:
    """The store behind its front door."""

    def __init__(self, store: Store, credentials: Credentials, races: Random) -> None:
        self.store = store
        self.credentials = credentials
        self._races = races
        self._busy_until_ns: dict[tuple[str, str], int] = {}
        self._busy_keys_max = _BUSY_KEYS_MAX

    def handle(
        self, operation: str, params: Mapping[str, Any], body: bytes, credentials: Credentials | None, now_ns: int,
    ) -> Answer:
        """Do it, now."""
        store = self.store
        store.now_ns = now_ns
        try:
            if credentials is not self.credentials:
                self._authenticate(credentials)
            if operation in _WRITES_OF_KEY:
                self._check_race(operation, params, now_ns)
            reply = OPERATIONS[operation](store, params, body)
        except Refusal as refusal:
            return self.refuse(refusal)
        duration_ns = service_ns(operation, reply)
        if operation in _WRITES_OF_KEY:
            self._note_busy((params["Bucket"], params["Key"]), now_ns, duration_ns)
        return Answer(reply, "ok", reply.body_bytes, duration_ns)

    def refuse(self, refusal: Refusal) -> Answer:
        """A refusal as an answer, in the words of the dialect."""
        if self.store.dialect["error_message"] == "empty":
            refusal.message = None
        # Without its traceback: that holds what holds the answer, and nobody but the garbage collector would free either.
        return Answer(refusal.with_traceback(None), refusal.code, 0, OTHER_BASE_NS)

    def on_fault(self, fault: Fault, operation: str) -> Answer | None:
        """What the wire does not do itself."""
        match fault.kind:
            case "throttle":
                return self.refuse(Refusal("SlowDown"))
            case "internal_error":
                return self.refuse(Refusal("InternalError"))
            case "ok_with_error":
                return self.refuse(Refusal("InternalError", status=200))
            case "full":
                self.store.full = True
            case "expired_credentials":
                return self.refuse(Refusal("ExpiredToken", status=int(self.store.dialect["expired_token_status"])))
            case _:
                pass
        return None

    def _authenticate(self, credentials: Credentials | None) -> None:
        if credentials is None:
            raise Refusal("AccessDenied")
        if credentials.access_key != self.credentials.access_key:
            code = self.store.dialect.code("access_key_unknown")
            if code is not None:
                raise Refusal(code, details={"AWSAccessKeyId": credentials.access_key})
        elif credentials.secret_key != self.credentials.secret_key:
            code = self.store.dialect.code("secret_wrong")
            if code is not None:
                raise Refusal(code, details={"AWSAccessKeyId": credentials.access_key})

    def _check_race(self, operation: str, params: Mapping[str, Any], now_ns: int) -> None:
        """A conditional write may be refused because another write of its key is still under way."""
        if operation not in _CONDITIONAL or not ("IfNoneMatch" in params or "IfMatch" in params):
            return
        code = self.store.dialect.code("conditional_write_race")
        busy_until_ns = self._busy_until_ns.get((params["Bucket"], params["Key"]), 0)
        if code is not None and now_ns < busy_until_ns and self._races.getrandbits(1):
            raise Refusal(code, details={"Key": params["Key"]})

    def _note_busy(self, key: tuple[str, str], now_ns: int, duration_ns: int) -> None:
        if len(self._busy_until_ns) >= self._busy_keys_max:
            self._busy_until_ns = {name: until for name, until in self._busy_until_ns.items() if until > now_ns}
            self._busy_keys_max = max(_BUSY_KEYS_MAX, 2 * len(self._busy_until_ns))
        self._busy_until_ns[key] = now_ns + duration_ns

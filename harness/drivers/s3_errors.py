"""What an S3 answer means for the contract: every failure of boto3 becomes one ``RequestFailed`` with its ``Trouble``.

The one question a driver must not get wrong is whether a failed request may have had, or may still have, an effect:

============  ==========================================  ==============================================
trouble       seen as                                     effect
============  ==========================================  ==============================================
``REFUSED``   throttled, conflict, body not received      none
``UNREACHED`` no connection                               none
``TROUBLED``  5xx, or 200 with an error in the body       perhaps already, never later
``RESET``     connection broke before the whole answer    perhaps already
``SILENT``    read timeout, 502 or 504 of a proxy         perhaps already, perhaps later
============  ==========================================  ==============================================

All other troubles are definite answers without effect. No request is made here.
"""

from __future__ import annotations

import http.client
from enum import Enum
from typing import Any

import boto3.exceptions
import botocore.exceptions
import botocore.parsers
import urllib3.exceptions

from storcert.harness.contract import (
    CapacityExceeded,
    DataCorrupted,
    DeviceUnavailable,
    InvalidRequest,
    ObjectExists,
    ObjectNotFound,
    Outcome,
    PermissionDenied,
    StorageError,
)

FOREIGN: tuple[type[Exception], ...] = (
    botocore.exceptions.BotoCoreError,
    botocore.exceptions.ClientError,
    botocore.parsers.ResponseParserError,
    boto3.exceptions.Boto3Error,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
)
"""Everything boto3 and the libraries below it raise for a failed request."""


class Trouble(Enum):
    """What went wrong with one request."""

    REFUSED = "refused for now"
    UNREACHED = "not reached"
    TROUBLED = "server error"
    RESET = "connection lost"
    SILENT = "no answer in time"
    NOT_FOUND = "no such object"
    NO_UPLOAD = "no such upload"
    NO_BUCKET = "no such bucket"
    TAKEN = "precondition failed"
    RANGE = "range not satisfiable"
    DENIED = "not permitted"
    FULL = "no room"
    CORRUPT = "bytes damaged on the way"
    INVALID = "not a legal request"
    NOT_IMPLEMENTED = "not implemented"
    ODD = "unexpected answer"


AMBIGUOUS = frozenset({Trouble.TROUBLED, Trouble.RESET, Trouble.SILENT})
REPEATABLE = frozenset({Trouble.REFUSED, Trouble.UNREACHED, Trouble.CORRUPT})

_BY_CODE: dict[str, Trouble] = {
    code: trouble
    for trouble, codes in {
        Trouble.REFUSED: (
            "SlowDown SlowDownRead SlowDownWrite Throttling ThrottlingException ThrottledException RequestThrottled "
            "RequestThrottledException TooManyRequests TooManyRequestsException RequestLimitExceeded "
            "BandwidthLimitExceeded LimitExceededException PriorRequestNotComplete RequestTimeout IncompleteBody "
            "ConditionalRequestConflict OperationAborted"
        ),
        Trouble.NOT_FOUND: "NoSuchKey NoSuchVersion 404 NotFound",
        Trouble.NO_UPLOAD: "NoSuchUpload",
        Trouble.NO_BUCKET: "NoSuchBucket",
        Trouble.TAKEN: "PreconditionFailed 412",
        Trouble.RANGE: "InvalidRange 416 RequestedRangeNotSatisfiable",
        Trouble.DENIED: (
            "AccessDenied AccessForbidden AllAccessDisabled AccountProblem AuthorizationHeaderMalformed ExpiredToken "
            "ExpiredTokenException InvalidAccessKeyId InvalidSecurity InvalidToken NotSignedUp RequestExpired "
            "RequestTimeTooSkewed SignatureDoesNotMatch TokenRefreshRequired UnauthorizedAccess UserSuspended 401 403"
        ),
        Trouble.FULL: (
            "QuotaExceeded ServiceQuotaExceededException XMinioStorageFull XMinioAdminBucketQuotaExceeded "
            "InsufficientStorage InsufficientStorageSpace InsufficientCapacity EntityTooLarge MaxSizeExceeded 507"
        ),
        Trouble.CORRUPT: "BadDigest InvalidDigest XAmzContentChecksumMismatch XAmzContentSHA256Mismatch",
        Trouble.INVALID: "KeyTooLongError InvalidObjectName XMinioInvalidObjectName",
        Trouble.NOT_IMPLEMENTED: "NotImplemented 501",
    }.items()
    for code in codes.split()
}

_BY_STATUS: dict[int, Trouble] = {
    401: Trouble.DENIED,
    403: Trouble.DENIED,
    404: Trouble.NOT_FOUND,
    412: Trouble.TAKEN,
    416: Trouble.RANGE,
    429: Trouble.REFUSED,
    501: Trouble.NOT_IMPLEMENTED,
    502: Trouble.SILENT,
    504: Trouble.SILENT,
    507: Trouble.FULL,
}

_CREDENTIALS = (
    botocore.exceptions.NoCredentialsError,
    botocore.exceptions.PartialCredentialsError,
    botocore.exceptions.CredentialRetrievalError,
    botocore.exceptions.NoAuthTokenError,
    botocore.exceptions.TokenRetrievalError,
    botocore.exceptions.SSOError,
)

_UNREACHED = (
    botocore.exceptions.EndpointConnectionError,
    botocore.exceptions.ConnectTimeoutError,
    botocore.exceptions.ProxyConnectionError,
    ConnectionRefusedError,
)

_TYPES: dict[Trouble, type[StorageError]] = {
    Trouble.NOT_FOUND: ObjectNotFound,
    Trouble.TAKEN: ObjectExists,
    Trouble.RANGE: InvalidRequest,
    Trouble.DENIED: PermissionDenied,
    Trouble.FULL: CapacityExceeded,
    Trouble.CORRUPT: DataCorrupted,
    Trouble.INVALID: InvalidRequest,
}


class RequestFailed(Exception):
    """One request failed for good. Never leaves the driver: :meth:`typed` gives the error of the contract."""

    def __init__(self, trouble: Trouble, text: str) -> None:
        super().__init__(text)
        self.trouble = trouble
        self.text = text

    @property
    def ambiguous(self) -> bool:
        """Whether the request may have had its effect, or may still have it."""
        return self.trouble in AMBIGUOUS

    def typed(self, uri: object, outcome: Outcome | None = None) -> StorageError:
        """The contract's error. ``outcome`` ``None``: what this one request alone says."""
        kind = _TYPES.get(self.trouble, DeviceUnavailable)
        if outcome is None:
            outcome = Outcome.UNKNOWN if self.ambiguous else Outcome.NOT_DONE
        hopeless = self.trouble in (Trouble.ODD, Trouble.NOT_IMPLEMENTED)
        retryable = False if kind is DeviceUnavailable and hopeless else None
        return kind(self.text, uri, outcome, retryable)


#: What a whole answer always has, by operation.
_SAID = {
    "create_multipart_upload": ("UploadId",),
    "complete_multipart_upload": ("Bucket", "Key", "ETag", "Location"),
    "list_objects_v2": ("IsTruncated", "KeyCount", "Name"),
    "list_multipart_uploads": ("IsTruncated", "Bucket"),
    "list_object_versions": ("IsTruncated", "Name"),
    "copy_object": ("CopyObjectResult",),
    "upload_part_copy": ("CopyPartResult",),
}


def is_whole(operation: str, answer: Any) -> bool:
    """Whether the answer had a body, where it must have one.

    A connection that ends between the head and the body of an answer is no error to botocore (1.43): it parses nothing, and
    gives an answer in which nothing is said. An empty listing looks like that, and so does an upload that has no id."""
    names = _SAID.get(operation)
    return names is None or any(answer.get(name) not in (None, {}) for name in names)


def classify(error: Exception) -> RequestFailed:
    """What ``error``, one of :data:`FOREIGN`, says about the request that raised it."""
    if isinstance(error, botocore.exceptions.ClientError):
        return _answered(error.response)
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, _CREDENTIALS):
        return RequestFailed(Trouble.DENIED, text)
    if isinstance(error, botocore.exceptions.ParamValidationError):
        # An older boto3 does not know every condition; the caller may have another way.
        return RequestFailed(Trouble.NOT_IMPLEMENTED if "Unknown parameter" in text else Trouble.INVALID, text)
    if isinstance(error, botocore.exceptions.FlexibleChecksumError):
        return RequestFailed(Trouble.CORRUPT, text)
    if isinstance(error, _UNREACHED):
        return RequestFailed(Trouble.UNREACHED, text)
    if isinstance(error, (botocore.exceptions.ReadTimeoutError, TimeoutError)):
        return RequestFailed(Trouble.SILENT, text)
    return RequestFailed(Trouble.RESET, text)


def _answered(response: Any) -> RequestFailed:
    """An error the server sent. radosgw leaves the message empty, HEAD has no body: code and text may be ``None``."""
    fields = response.get("Error") or {}
    code = str(fields.get("Code") or "")
    status = int((response.get("ResponseMetadata") or {}).get("HTTPStatusCode") or 0)
    message = str(fields.get("Message") or "").strip()
    text = f"{code or status}: {message}" if message else f"the device answered {code or status}"
    trouble = _BY_CODE.get(code) or _BY_STATUS.get(status)
    if trouble is None and (status >= 500 or code in ("InternalError", "ServiceUnavailable")):
        trouble = Trouble.TROUBLED
    return RequestFailed(trouble or Trouble.ODD, text)

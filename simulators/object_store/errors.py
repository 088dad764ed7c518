"""S3's error codes: HTTP status and AWS's text of each, as data; and the exception with which the model refuses.

Only codes the model can answer are listed. What a dialect changes (empty messages, other codes) is in ``dialect``.
Source of the codes and statuses: docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html; texts as moto 5.2.5 sends them.
"""

from __future__ import annotations

from collections.abc import Mapping

ERRORS: Mapping[str, tuple[int, str]] = {
    "AccessDenied": (403, "Access Denied"),
    "BadDigest": (400, "The Content-MD5 you specified did not match what we received."),
    "BucketAlreadyExists": (409, "The requested bucket name is not available."),
    "BucketAlreadyOwnedByYou": (
        409, "Your previous request to create the named bucket succeeded and you already own it."),
    "BucketNotEmpty": (409, "The bucket you tried to delete is not empty"),
    "ConditionalRequestConflict": (
        409, "The conditional request cannot succeed due to a conflicting operation against this resource."),
    "EntityTooLarge": (400, "Your proposed upload exceeds the maximum allowed size"),
    "EntityTooSmall": (400, "Your proposed upload is smaller than the minimum allowed object size."),
    "ExpiredToken": (400, "The provided token has expired."),
    "InternalError": (500, "We encountered an internal error. Please try again."),
    "InvalidAccessKeyId": (403, "The AWS Access Key Id you provided does not exist in our records."),
    "InvalidArgument": (400, "Invalid Argument"),
    "InvalidBucketName": (400, "The specified bucket is not valid."),
    "InvalidDigest": (400, "The Content-MD5 you specified is not valid."),
    "InvalidLocationConstraint": (400, "The specified location-constraint is not valid"),
    "InvalidObjectName": (400, "The specified object name is not valid."),
    "InvalidPart": (
        400, ("One or more of the specified parts could not be found. The part might not have been uploaded, or the "
        "specified entity tag might not have matched the part's entity tag.")),
    "InvalidPartNumber": (416, "The requested partnumber is not satisfiable"),
    "InvalidPartOrder": (
        400, "The list of parts was not in ascending order. The parts list must be specified in order by part number."),
    "InvalidRange": (416, "The requested range is not satisfiable"),
    "InvalidRequest": (400, "Invalid Request"),
    "KeyTooLongError": (400, "Your key is too long"),
    "MalformedXML": (400, "The XML you provided was not well-formed or did not validate against our published schema"),
    "MethodNotAllowed": (405, "The specified method is not allowed against this resource."),
    "NoSuchBucket": (404, "The specified bucket does not exist"),
    "NoSuchKey": (404, "The specified key does not exist."),
    "NoSuchUpload": (
        404, ("The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or "
        "completed.")),
    "NoSuchVersion": (404, "The specified version does not exist."),
    "NotImplemented": (501, "A header you provided implies functionality that is not implemented"),
    "PreconditionFailed": (412, "At least one of the pre-conditions you specified did not hold"),
    "QuotaExceeded": (403, "The quota of the user or bucket is exceeded."),
    "ServiceUnavailable": (503, "Please reduce your request rate."),
    "SignatureDoesNotMatch": (
        403, ("The request signature we calculated does not match the signature you provided. Check your key and signing "
        "method.")),
    "SlowDown": (503, "Please reduce your request rate."),
    "304": (304, "Not Modified"),
}


class Refusal(Exception):
    """The device refuses a request. ``details`` are further elements of the error's body (``Key``, ``UploadId``...)."""

    def __init__(
        self, code: str, message: str | None = None, *, status: int | None = None,
        details: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        known_status, known_message = ERRORS.get(code, (status or 500, ""))
        self.code = code
        self.message: str | None = known_message if message is None else message
        self.status = status or known_status
        self.details = dict(details or {})
        self.headers = dict(headers or {})

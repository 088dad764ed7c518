"""Legal faults of the object store: what a real S3 service can do to a client, and nothing a real one cannot.

Fault model. Acknowledged data is never lost and never changes: S3 is durable, also over a power loss. Every operation is
atomic: a fault strikes before its effect (nothing happened) or after it (everything happened), never between. What varies
is what the client learns:

- the wire's own faults (``request_lost``, ``answer_lost``, ``cut``, ``slow``, ``server_restart``, ``power_loss``,
  ``crash``), described in ``simulators.network.wire``;
- ``throttle``: 503 SlowDown before the effect. AWS answers so above 3,500 writes or 5,500 reads per second and prefix, and
  for hot single keys; clients are told to back off. [repost.aws s3-resolve-503-slowdown-throttling]
- ``internal_error``: 500 InternalError, before or after the effect: the client cannot know which.
  [docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html; .../userguide/ErrorBestPractices.html: retry 500s]
- ``ok_with_error``: CopyObject, CompleteMultipartUpload and UploadPartCopy send 200 first and may end in an error body;
  botocore turns that into a retryable 500. [API_CompleteMultipartUpload.html, API_CopyObject.html]
- ``full``: from then on every write is refused with the quota's error until healed; deletes and reads work.
  [docs.ceph.com/en/pacific/radosgw/admin/#quota-management; AWS itself has no such limit]
- ``expired_credentials``: the answer is ExpiredToken, as with temporary credentials during a long transfer. [fsspec/s3fs#500]
- ``head_only``: the connection ends in good order (FIN) after the head of an answer whose length was announced and before its
  first byte: the request is done, and its answer says nothing. botocore raises nothing then: ``{}`` for a listing or a new
  upload, which no service ever answers. Not of GetBucketVersioning and DeleteObjects, where an empty answer is a legal one
  and no client could tell. Where an answer comes in chunks, botocore sees the end for what it is. [seen on a socket,
  botocore 1.44, urllib3 2.8; live behind the fault proxy] No check that contract version 1 is scored by tries it.

Not modelled, and why:

- stored bytes that rot, and acknowledged objects that are lost: the service promises that neither happens, and no driver could
  keep the contract over one where it does.
- old answers after a write (eventual consistency): S3 has been strongly consistent per key since December 2020, and so is
  radosgw within a zone.
  [docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel]
- what changes objects behind a driver's back (lifecycle rules, replication, object lock) and what is a matter of the account
  (redirects to another region, a skewed clock, wrong bucket policies): settings of the operator, wrong once and for all.
- a connection that ends in good order inside the body of an answer: here it is reset. botocore finds the XML broken, makes a
  500 of it, and a client learns as little.
- errors of single keys inside a DeleteObjects that succeeds: the service gives them for keys it may not delete, and here all
  keys of a bucket may be deleted by whoever may delete one.
"""

from __future__ import annotations

from dataclasses import replace

from storcert.harness.record.fault import Phase
from storcert.simulators.device import FaultKind
from storcert.simulators.network.wire import TRANSPORT_FAULTS

ANY = ("*",)
WRITES = (
    "PutObject", "UploadPart", "UploadPartCopy", "CopyObject", "CreateMultipartUpload", "CompleteMultipartUpload",
)
LISTINGS = ("ListObjectsV2", "ListObjects", "ListObjectVersions", "ListParts", "ListMultipartUploads")
ANSWERED_EARLY = ("CopyObject", "CompleteMultipartUpload", "UploadPartCopy")
_B, _A = (Phase.BEFORE,), (Phase.BEFORE, Phase.AFTER)

LEGAL_FAULTS: tuple[FaultKind, ...] = (
    *(
        replace(kind, description="power of the service fails: as a restart, acknowledged data stays")
        if kind.name == "power_loss" else kind
        for kind in TRANSPORT_FAULTS
    ),
    FaultKind("throttle", _B, ANY, "", "503 SlowDown, no effect", "repost.aws: s3-resolve-503-slowdown-throttling"),
    FaultKind("internal_error", _A, ANY, "", "500 InternalError", "docs.aws.amazon.com: API/ErrorResponses.html"),
    FaultKind("ok_with_error", _A, ANSWERED_EARLY, "", "200 with an error body",
              "docs.aws.amazon.com: API_CompleteMultipartUpload.html, API_CopyObject.html"),
    FaultKind("full", _B, WRITES, "", "writes are refused until healed", "docs.ceph.com: radosgw quota management"),
    FaultKind("expired_credentials", _B, ANY, "", "ExpiredToken", "github.com/fsspec/s3fs/issues/500"),
)

#: Legal as well, and tried by no check that contract version 1 is scored by.
LATER_FAULTS: tuple[FaultKind, ...] = (
    FaultKind("head_only", (Phase.AFTER,), (*LISTINGS, "CreateMultipartUpload", *ANSWERED_EARLY), "",
              "done, and the connection ends before the answer's body", "seen on a socket: botocore 1.44, urllib3 2.8"),
)

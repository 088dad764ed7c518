"""How long the service works on a request: a table, calibrated on real servers. Jitter and bandwidth are the wire's.

Source: radosgw 16.2.15 over loopback, milliseconds p50: put 4K 3.2, get 4K 2.2, head 2.1, delete 2.9, list 200 keys 23,
put 1M 15, copy 1M 12, listing 2560 keys in 3 pages 430. The wire adds its latency twice.
"""

from __future__ import annotations

from collections.abc import Mapping

from storcert.simulators.object_store.reply import Reply

US = 1_000

BASE_NS: Mapping[str, int] = {
    "PutObject": 2_800 * US, "UploadPart": 2_800 * US, "GetObject": 1_800 * US, "HeadObject": 1_700 * US,
    "DeleteObject": 2_500 * US, "DeleteObjects": 2_500 * US, "CopyObject": 3_500 * US, "UploadPartCopy": 3_500 * US,
    "CreateMultipartUpload": 3_000 * US, "CompleteMultipartUpload": 5_000 * US, "AbortMultipartUpload": 3_000 * US,
    "ListObjectsV2": 2_000 * US, "ListObjects": 2_000 * US, "ListObjectVersions": 2_000 * US, "ListParts": 2_000 * US,
    "ListMultipartUploads": 2_000 * US, "CreateBucket": 20_000 * US, "DeleteBucket": 20_000 * US,
}
OTHER_BASE_NS = 1_700 * US
PER_ENTRY_NS: Mapping[str, int] = {
    "ListObjectsV2": 105 * US, "ListObjects": 105 * US, "ListObjectVersions": 105 * US, "ListParts": 20 * US,
    "ListMultipartUploads": 20 * US, "DeleteObjects": 900 * US, "CompleteMultipartUpload": 50 * US,
}
COPY_BYTES_PER_S = 120_000_000


def service_ns(operation: str, reply: Reply) -> int:
    """Time from the effect to the first byte of the answer."""
    duration_ns = BASE_NS.get(operation, OTHER_BASE_NS)
    if reply.entries:
        duration_ns += reply.entries * PER_ENTRY_NS.get(operation, 0)
    if reply.moved_bytes:
        duration_ns += reply.moved_bytes * 1_000_000_000 // COPY_BYTES_PER_S
    return duration_ns


def service_ns_of_bytes(operation: str, sent_bytes: int, received_bytes: int) -> int:
    """The same for a face that knows no more of a reply than its bytes, which the wire itself takes time for."""
    return BASE_NS.get(operation, OTHER_BASE_NS)

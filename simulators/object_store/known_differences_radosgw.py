"""Where radosgw 16.2.15 answers otherwise than the model in its ``radosgw`` dialect, as data; the live differential reads it.

As in ``known_differences``: a row explains one difference in one field and carries a program that shows it. What a client
can make use of belongs into the dialect, not into this table.
"""

from __future__ import annotations

from typing import Final

from storcert.simulators.object_store.known_difference import ANYTHING, KnownDifference, row

_PUT: Final = ("put_object", {"Key": "a", "Body": "$bytes:5:0"})
_PUT_DEEP: Final = ("put_object", {"Key": "a/b", "Body": "$bytes:5:0"})
_UPLOAD: Final = ("create_multipart_upload", {"Key": "a"})
_PART: Final = ("upload_part", {"UploadId": "$upload:0", "Key": "a", "PartNumber": 1, "Body": "$bytes:10:0"})
_THIS: Final = {"UploadId": "$upload:0", "Key": "a"}
_COMPLETE: Final = ("complete_multipart_upload", {**_THIS, "MultipartUpload": "$parts:0:right"})
_VERSIONED: Final = ("put_bucket_versioning", {"VersioningConfiguration": {"Status": "Enabled"}})
_SUSPENDED: Final = ("put_bucket_versioning", {"VersioningConfiguration": {"Status": "Suspended"}})

RADOSGW_DIFFERENCES: tuple[KnownDifference, ...] = (
    row("owner", "list_object_versions list_multipart_uploads list_objects list_objects_v2", "*Owner.*", ANYTHING, ANYTHING,
        "the model writes constants of its own for who owns; radosgw names its user",
        _PUT, ("list_object_versions", {})),
    row("initiator", "list_multipart_uploads", "*Initiator.*", ANYTHING, ANYTHING,
        "the model writes constants of its own for who began; radosgw names its user",
        _UPLOAD, ("list_multipart_uploads", {})),
    row("location", "complete_multipart_upload", "Location", "http://s3.sim/*", "http://127.0.0.1:*",
        "each writes the address of its endpoint",
        _UPLOAD, _PART, _COMPLETE),
    row("version-marker-after-group", "list_object_versions", "NextVersionIdMarker", "", "null",
        "after a page that ends with a common prefix radosgw names the null version; the group is skipped whole all the same",
        _PUT_DEEP, ("put_object", {"Key": "b", "Body": "$bytes:5:0"}),
        ("list_object_versions", {"Delimiter": "/", "MaxKeys": 1})),
    row("order-of-uploads", "list_multipart_uploads", "NextUploadIdMarker", "<UploadId-*>", "<UploadId-*>",
        "both list uploads of one key by their ids, which are random, so each ends with another one",
        *(_UPLOAD,) * 12, ("list_multipart_uploads", {})),
)

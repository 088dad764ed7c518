"""A bucket in which large objects are claims and data: the names of both, and what is published. The idea is in ``s3_claims``.

Nothing is changed on the device here.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from storcert.harness.drivers.s3_bucket import CLAIM_ID_BYTES, DATA_MARK, Bucket, Effort, Head
from storcert.harness.drivers.s3_errors import RequestFailed, Trouble

_GREETING = "storcert "
_MARK = "claim-"
CLAIM_TEXT_BYTES = len(_GREETING) + CLAIM_ID_BYTES


def data_key(key: str, claim: str) -> str:
    """Where the bytes are that a claim under ``key`` stands for."""
    return f"{key}{DATA_MARK}{claim}"


def new_claim() -> tuple[bytes, str]:
    """The text of a claim, and its id: the ETag a listing shows of that text."""
    text = f"{_GREETING}{uuid.uuid4().hex}".encode()
    return text, hashlib.md5(text, usedforsecurity=False).hexdigest()


def write_id_of(claim: str) -> str:
    """What stands in a claim's metadata where an object has its write id."""
    return f"{_MARK}{claim}"


def claim_of(head: Head | None) -> str | None:
    """The claim id, if ``head`` is a claim's."""
    if head is None or head.write_id is None or not head.write_id.startswith(_MARK):
        return None
    return head.write_id.removeprefix(_MARK)


class ClaimedBucket(Bucket):
    """The bucket with claims resolved: :meth:`head` finds published objects, :meth:`look` what is under the very key."""

    def head(self, effort: Effort, key: str) -> Head | None:
        found = self.look(effort, key)
        claim = claim_of(found)
        return found if claim is None else self.look(effort, data_key(key, claim))

    def is_published(self, effort: Effort, entries: list[Any], index: int) -> bool:
        """Whether an entry of a listing is a published object; asks the device only where the listing cannot tell."""
        key, size_bytes = str(entries[index]["Key"]), int(entries[index]["Size"])
        if size_bytes != CLAIM_TEXT_BYTES:
            return True
        data = data_key(key, str(entries[index].get("ETag") or "").strip('"'))
        for later in entries[index + 1 :]:
            if later["Key"] == data:
                return True
            if not str(later["Key"]).startswith(key + DATA_MARK):
                break
        return self.head(effort, key) is not None

    def before_reading(self, effort: Effort, key: str) -> Head | None:
        """Where the bytes are. Raises :class:`RequestFailed`, ``NOT_FOUND`` too."""
        found = self.head_in_bucket(effort, key)
        if found is None:
            raise RequestFailed(Trouble.NOT_FOUND, "no such object")
        return found

    def require_unversioned(self, effort: Effort) -> None:
        """radosgw ignores ``If-None-Match`` where versioning is enabled, and sees objects in delete markers after that."""
        try:
            status = self.ask(effort, "get_bucket_versioning", safe=True).get("Status")
        except RequestFailed as failure:
            if failure.trouble is Trouble.NOT_IMPLEMENTED:
                return
            raise
        if status:
            raise RequestFailed(Trouble.ODD, f"the bucket has versioning {status}: this driver needs one that never had any")

"""What the store holds, entry by entry: the raw material of every leak check. Read-only."""

from __future__ import annotations

from storcert.simulators.device import CensusEntry
from storcert.simulators.object_store.model import Store


def census(store: Store) -> tuple[CensusEntry, ...]:
    """Current objects, older versions, delete markers, pending uploads and their parts, over all buckets, sorted.

    ``name`` is ``bucket/key``. ``detail`` is the version id (``null`` where versioning never was on), the upload id, or
    upload id and part number.
    """
    found: list[CensusEntry] = []
    for bucket in store.buckets.values():
        for key in bucket.keys_from(""):
            name = f"{bucket.name}/{key}"
            versions = bucket.versions(key)
            for version in versions:
                kind = "delete-marker" if not version.exists else "object" if version is versions[-1] else "version"
                found.append(CensusEntry(kind, name, version.version_id, version.size_bytes))
        for upload in bucket.uploads.values():
            name = f"{bucket.name}/{upload.key}"
            found.append(CensusEntry("upload", name, upload.upload_id, 0))
            found.extend(
                CensusEntry("part", name, f"{upload.upload_id}/{part.number:05}", part.content.size_bytes)
                for part in upload.parts.values()
            )
    return tuple(sorted(found))

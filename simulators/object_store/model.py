"""State of a simulated object store: buckets, versions, uploads, and the few moves that keep them consistent.

Pure data and rules of place (what is current, what is sorted how); no API call, no dialect, no time of its own. Every
move is atomic because nothing in it can be interrupted: S3 promises strong consistency per key, and so does this.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from storcert.simulators.object_store.content import Content, Digests
from storcert.simulators.object_store.dialect import Dialect
from storcert.simulators.object_store.errors import Refusal
from storcert.simulators.object_store.version import Version

NULL_VERSION = "null"
GIB = 1024**3
EMPTY = Content(())


@dataclass(frozen=True, slots=True)
class Limits:
    """S3's numbers; smaller ones make a test reach an edge sooner.

    Source: docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html and upload-objects.html.
    """

    part_size_min_bytes: int = 5 * 1024**2
    part_size_max_bytes: int = 5 * GIB
    put_max_bytes: int = 5 * GIB
    copy_max_bytes: int = 5 * GIB
    object_max_bytes: int = 5 * 1024 * GIB
    parts_max: int = 10_000
    page_size: int = 1000
    delete_keys_max: int = 1000
    key_bytes_max: int = 1024


@dataclass(slots=True)
class Part:
    """One uploaded part."""

    number: int
    content: Content
    digests: Digests
    etag: str
    modified_ns: int


@dataclass(slots=True)
class Upload:
    """A multipart upload that has begun and neither completed nor been aborted."""

    upload_id: str
    key: str
    initiated_ns: int
    headers: dict[str, Any]
    metadata: dict[str, str]
    parts: dict[int, Part] = field(default_factory=dict)
    checksum_algorithm: str | None = None


@dataclass(slots=True)
class Completed:
    """What is remembered of a finished upload, so that a repeated Complete can be answered."""

    key: str
    parts: tuple[tuple[int, str], ...]
    result: dict[str, Any]


class Bucket:
    """Keys in UTF-8 byte order (which for Python text is the order of ``str``), their versions, pending uploads."""

    __slots__ = ("_keys", "_versions", "completed", "created_ns", "location", "name", "uploads", "versioning")

    def __init__(self, name: str, created_ns: int, location: str | None) -> None:
        self.name = name
        self.created_ns = created_ns
        self.location = location
        self.versioning: str | None = None
        self.uploads: dict[str, Upload] = {}
        self.completed: dict[str, Completed] = {}
        # Most keys have one version, which needs no list.
        self._versions: dict[str, Version | list[Version]] = {}
        self._keys: list[str] = []

    def versions(self, key: str) -> Sequence[Version]:
        """All versions of a key, oldest first."""
        found = self._versions.get(key)
        if found is None:
            return ()
        return (found,) if type(found) is Version else found  # type: ignore[return-value]

    def current(self, key: str) -> Version | None:
        """The newest version of a key, which may be a delete marker."""
        found = self._versions.get(key)
        return found[-1] if type(found) is list else found  # type: ignore[return-value]

    def live(self, key: str) -> Version | None:
        """The object a plain GET sees."""
        version = self.current(key)
        return version if version is not None and version.exists else None

    def find(self, key: str, version_id: str) -> Version | None:
        """One version by its id."""
        for version in self.versions(key):
            if version.version_id == version_id:
                return version
        return None

    def add(self, version: Version) -> None:
        """Make ``version`` the current one. A version of the same id (``null``) goes."""
        key = version.key
        before = self.versions(key)
        if not before:
            insort(self._keys, key)
        kept = [old for old in before if old.version_id != version.version_id]
        self._versions[key] = [*kept, version] if kept else version

    def remove(self, key: str, version_id: str) -> Version | None:
        """Take one version away for good; gives it, or ``None`` if there was none."""
        version = self.find(key, version_id)
        if version is None:
            return None
        left = [other for other in self.versions(key) if other is not version]
        if left:
            self._versions[key] = left[0] if len(left) == 1 else left
        else:
            del self._versions[key]
            del self._keys[bisect_left(self._keys, key)]
        return version

    def has(self, key: str) -> bool:
        """Whether there is any version of a key."""
        return key in self._versions

    def keys_from(self, start: str) -> Iterator[str]:
        """Keys not before ``start``, in order."""
        keys = self._keys
        for index in range(bisect_left(keys, start), len(keys)):
            yield keys[index]

    def key_at_or_after(self, start: str) -> str | None:
        """The first key not before ``start``."""
        index = bisect_left(self._keys, start)
        return self._keys[index] if index < len(self._keys) else None

    @property
    def empty(self) -> bool:
        """No version and no delete marker (pending uploads do not count)."""
        return not self._versions


@dataclass(slots=True)
class Store:
    """The whole device. ``now_ns`` is set by whoever calls an operation; ids come from ``ids``."""

    dialect: Dialect
    limits: Limits
    ids: Random
    region: str = "us-east-1"
    buckets: dict[str, Bucket] = field(default_factory=dict)
    now_ns: int = 0
    full: bool = False

    def bucket(self, name: str) -> Bucket:
        """The bucket, or the refusal every operation begins with."""
        bucket = self.buckets.get(name)
        if bucket is None:
            raise Refusal("NoSuchBucket", details={"BucketName": name})
        return bucket

    def new_id(self) -> str:
        """An opaque id for a version or an upload."""
        return f"{self.ids.getrandbits(160):040x}"

    def version_id_for(self, bucket: Bucket) -> str:
        """What a new version in this bucket is called."""
        return self.new_id() if bucket.versioning == "Enabled" else NULL_VERSION

    def check_space(self) -> None:
        """Refuse writes while the device is full."""
        if self.full:
            raise Refusal(str(self.dialect["full"]))

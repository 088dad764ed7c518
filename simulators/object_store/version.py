"""One version of a key, kept small: a million small objects must fit in memory. No bucket and no operation here.

Of a small object put whole, with nothing special said of it, only the bytes are kept; ETag, checksum and content type
follow from them and are made when asked for. Everything else has a second record.
"""

from __future__ import annotations

import hashlib
import sys
import zlib
from collections.abc import Mapping
from typing import Any

from storcert.simulators.object_store.content import Content, crc32_text

SMALL_BYTES = 256
DEFAULT_CONTENT_TYPE = "binary/octet-stream"
DEFAULT_HEADERS: Mapping[str, Any] = {"ContentType": DEFAULT_CONTENT_TYPE}
_NONE: Mapping[str, str] = {}


class _More:
    """What a version has that does not follow from its bytes. ``None`` for what does."""

    __slots__ = ("checksums", "etag", "headers", "metadata", "part_sizes")

    def __init__(
        self, etag: str | None, headers: Mapping[str, Any], metadata: Mapping[str, str],
        checksums: Mapping[str, str] | None, part_sizes: tuple[int, ...],
    ) -> None:
        self.etag = etag
        self.headers = headers
        # Names and values in turn: a quarter of a dictionary.
        self.metadata = tuple(text for name, value in metadata.items() for text in (sys.intern(str(name)), value))
        self.checksums = checksums
        self.part_sizes = part_sizes


class Version:
    """``content is None`` is a delete marker. ``etag`` is without quotes. What the properties give is not to be
    changed."""

    __slots__ = ("_body", "_more", "key", "modified_ns", "version_id")

    def __init__(
        self, key: str, version_id: str, content: Content | None, etag: str, modified_ns: int,
        headers: Mapping[str, Any] = _NONE, metadata: Mapping[str, str] = _NONE, checksums: Mapping[str, str] = _NONE,
        part_sizes: tuple[int, ...] = (),
    ) -> None:
        self.key = key
        self.version_id = version_id
        self.modified_ns = modified_ns
        self._body: bytes | Content | None = content
        self._more: _More | None = None
        if headers == DEFAULT_HEADERS:
            headers = DEFAULT_HEADERS
        kept_etag: str | None = etag
        kept_checksums: Mapping[str, str] | None = checksums
        if content is not None and content.size_bytes <= SMALL_BYTES and not part_sizes:
            body = self._body = content.read(0, content.size_bytes)
            kept_etag = None if etag == _etag(body) else etag
            kept_checksums = None if checksums == _checksums(body) else checksums
        if kept_etag is not None or kept_checksums is not None or metadata or headers is not DEFAULT_HEADERS:
            self._more = _More(kept_etag, headers, metadata, kept_checksums, part_sizes)

    @property
    def content(self) -> Content | None:
        """The bytes."""
        body = self._body
        return Content((body,)) if type(body) is bytes else body  # type: ignore[return-value]

    @property
    def exists(self) -> bool:
        """Whether it is an object, not a delete marker."""
        return self._body is not None

    @property
    def size_bytes(self) -> int:
        """Length; 0 for a delete marker."""
        body = self._body
        if body is None:
            return 0
        return len(body) if isinstance(body, bytes) else body.size_bytes

    @property
    def etag(self) -> str:
        """MD5 of the bytes, or what else it was given."""
        more = self._more
        if more is not None and more.etag is not None:
            return more.etag
        assert isinstance(self._body, bytes)
        return _etag(self._body)

    @property
    def headers(self) -> Mapping[str, Any]:
        """Content type and the like."""
        return DEFAULT_HEADERS if self._more is None else self._more.headers

    @property
    def metadata(self) -> dict[str, str]:
        """User metadata, a dictionary of its own each time."""
        if self._more is None or not self._more.metadata:
            return {}
        kept = self._more.metadata
        return dict(zip(kept[::2], kept[1::2], strict=True))

    @property
    def checksums(self) -> Mapping[str, str]:
        """By the names the API has for them."""
        more = self._more
        if more is not None and more.checksums is not None:
            return more.checksums
        assert isinstance(self._body, bytes)
        return _checksums(self._body)

    @property
    def part_sizes(self) -> tuple[int, ...]:
        """Of an object that was uploaded in parts."""
        return () if self._more is None else self._more.part_sizes


def _etag(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def _checksums(body: bytes) -> dict[str, str]:
    return {"ChecksumCRC32": crc32_text(zlib.crc32(body))}

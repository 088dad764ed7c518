"""minio-py and Apache Libcloud as they would have to be: the same interfaces, and nothing of the contract is broken by them.

What an upload publishes appears whole, at one moment, and only where nothing is; what it does not publish leaves nothing.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from libcloud.common.exceptions import BaseHTTPError
from libcloud.storage.types import ObjectDoesNotExistError
from minio import S3Error

OBJECTS: dict[str, bytes] = {}


class IdealMinio:
    """As much of ``minio.Minio`` as the adapter uses."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self._objects = OBJECTS

    def put_object(self, bucket: str, key: str, source: Any, length: int, **_: Any) -> None:
        assert length == -1
        self._publish(key, _whole(iter(lambda: source.read(1 << 20), b"")))

    def _publish(self, key: str, content: bytes) -> None:
        if key in self._objects:
            raise _refusal("PreconditionFailed")
        self._objects[key] = content

    def copy_object(self, bucket: str, key: str, source: Any) -> None:
        self._publish(key, self._content(source.object_name))

    def get_object(self, bucket: str, key: str, offset: int = 0, length: int = 0) -> Any:
        content = self._content(key)
        body = io.BytesIO(content[offset : offset + length if length else None])
        return SimpleNamespace(read=body.read, close=body.close, release_conn=lambda: None)

    def stat_object(self, bucket: str, key: str) -> Any:
        return SimpleNamespace(size=len(self._content(key)))

    def remove_object(self, bucket: str, key: str) -> None:
        self._objects.pop(key, None)

    def list_objects(self, bucket: str, prefix: str | None = None, recursive: bool = False) -> Iterator[Any]:
        assert recursive
        return iter([SimpleNamespace(object_name=key) for key in sorted(self._objects) if key.startswith(prefix or "")])

    def _content(self, key: str) -> bytes:
        try:
            return self._objects[key]
        except KeyError:
            raise _refusal("NoSuchKey") from None


class IdealStorageDriver:
    """As much of a storage driver of Apache Libcloud as the adapter uses."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self._objects = OBJECTS

    def get_container(self, name: str) -> Any:
        return SimpleNamespace(name=name)

    def get_object(self, container: str, key: str) -> Any:
        if key not in self._objects:
            raise ObjectDoesNotExistError(value=None, driver=self, object_name=key)
        return SimpleNamespace(name=key, size=len(self._objects[key]), content=self._objects[key])

    def upload_object_via_stream(self, iterator: Iterator[bytes], container: Any, key: str) -> None:
        content = _whole(iterator)
        if key in self._objects:
            raise BaseHTTPError(412, "the object is there")
        self._objects[key] = content

    def download_object_as_stream(self, found: Any, chunk_size: int) -> Iterator[bytes]:
        return self.download_object_range_as_stream(found, 0, found.size, chunk_size)

    def download_object_range_as_stream(self, found: Any, start: int, end: int, chunk_size: int) -> Iterator[bytes]:
        return iter([found.content[at : min(at + chunk_size, end)] for at in range(start, end, chunk_size)])

    def delete_object(self, found: Any) -> bool:
        return self._objects.pop(found.name, None) is not None

    def iterate_container_objects(self, container: Any, prefix: str | None = None) -> Iterator[Any]:
        return iter([SimpleNamespace(name=key) for key in sorted(self._objects) if key.startswith(prefix or "")])

    def ex_cleanup_all_multipart_uploads(self, container: Any, prefix: str | None = None) -> None:
        """There are none."""


def _whole(pieces: Iterator[bytes]) -> bytes:
    return b"".join(pieces)


def _refusal(code: str) -> S3Error:
    nothing: Any = None
    return S3Error(nothing, code, code, "", "", "")

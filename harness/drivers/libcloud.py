"""Apache Libcloud's storage API as a driver: a thin and fair adapter, so that what the library does is judged, not repaired.

Fair means: where the library offers a way to do what the contract asks, that way is taken. An object is one
``upload_object_via_stream``: with S3 a multipart upload, completed when its source ends, so at the commit; with the local
provider a file written in place. The library pulls, the contract pushes: ``pulled_upload`` stands between. Libcloud says of
itself that a driver object is not to be shared between threads, so every call and every stream has one of its own. Unfinished
uploads are looked for by ``ex_cleanup_all_multipart_uploads``, at each delete and after each commit; it goes by the beginning
of a key, so keys end in a sign that no other key goes on after.

Thin means: no retries, no locks, no temporary names. Its ordinary errors become typed ones; any other exception passes through.

What Libcloud 3.9 does not offer, and nothing here makes up for: a conditional upload (so a taken name is looked for before,
and whoever comes meanwhile is overwritten); a copy on the device.

An object is ``prefix/kind/account/object_id!``, both names percent-encoded. ``max_name_bytes`` is what then always fits into
the 1024 bytes of a key, or into the 255 of a file's name. An absent bucket or folder is an absent device.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from storcert.harness.contract import (
    Capabilities,
    CapacityExceeded,
    DataObjectDescription,
    DataObjectUri,
    DeviceUnavailable,
    InvalidRequest,
    JsonValue,
    ObjectExists,
    ObjectNotFound,
    Outcome,
    PermissionDenied,
    SizeMismatch,
)
from storcert.harness.drivers.arguments import count_of_bytes
from storcert.harness.drivers.pulled_upload import PulledUpload

try:
    import requests.exceptions as http
    import urllib3.exceptions as transport
    from libcloud.common.exceptions import BaseHTTPError
    from libcloud.common.types import InvalidCredsError, LibcloudError
    from libcloud.storage.drivers import local, s3
    from libcloud.storage.types import ContainerDoesNotExistError, ObjectDoesNotExistError
except ImportError as missing:
    raise ImportError("the libcloud driver needs Apache Libcloud: pip install 'storcert[libcloud]'") from missing

CHUNK_BYTES = 256 * 1024
KEY_BYTES_MAX = 1024
FILE_NAME_BYTES = 255
ENCODED_BYTES = 3
OBJECT_BYTES_MAX = 10_000 * 5 * 1024**2  # parts of the size that the library cuts
PRECONDITION_FAILED = 412
MARK = "!"
_KIND_AND_SIGNS_BYTES = len("/template//!")
_CODE = re.compile(r"<Code>(\w+)</Code>")
_TEXTS: Mapping[str, tuple[str, ...]] = {
    "s3": ("bucket", "prefix", "endpoint_url", "region_name", "aws_access_key_id", "aws_secret_access_key"),
    "local": ("root", "container"),
}


@contextmanager
def _typed(uri: DataObjectUri | None, outcome: Outcome = Outcome.NOT_DONE) -> Iterator[None]:
    """Ordinary errors of the library as typed ones. ``outcome``: what an answer that says nothing means at this point."""
    try:
        yield
    except ObjectDoesNotExistError as error:
        raise ObjectNotFound("no such object", uri) from error
    except ContainerDoesNotExistError as error:
        raise DeviceUnavailable("no such container", uri, Outcome.NOT_DONE) from error
    except InvalidCredsError as error:
        code = _CODE.search(str(error.value))
        if code is not None and code[1] == "QuotaExceeded":
            raise CapacityExceeded(code[1], uri) from error
        raise PermissionDenied(code[1] if code else "the credentials are not accepted", uri) from error
    except (BaseHTTPError, LibcloudError) as error:
        if getattr(error, "code", None) == PRECONDITION_FAILED:
            raise ObjectExists("the condition was not met", uri) from error
        raise DeviceUnavailable(f"{type(error).__name__}: {error}", uri, outcome) from error
    except (http.RequestException, transport.HTTPError, OSError) as error:
        raise DeviceUnavailable(f"{type(error).__name__}: {error}", uri, outcome) from error


class LibcloudDriver:
    """Configuration: ``provider`` (``s3``, the default, or ``local``). For ``s3``: ``bucket``, ``prefix``, ``endpoint_url``,
    ``region_name``, ``aws_access_key_id`` and ``aws_secret_access_key`` (default: those of the environment). For
    ``local``: ``root``, an existing folder, and ``container``, an existing folder in it.
    """

    def __init__(self, configuration: Mapping[str, JsonValue]) -> None:
        given = dict(configuration)
        provider = given.pop("provider", "s3")
        if provider not in _TEXTS:
            raise InvalidRequest("provider of the libcloud driver is s3 or local")
        unknown = sorted(key for key in given if key not in _TEXTS[str(provider)])
        if unknown:
            known = ", ".join(_TEXTS[str(provider)])
            raise InvalidRequest(f"libcloud with provider {provider} has no key {', '.join(unknown)}; it has {known}")
        if not all(isinstance(value, str) for value in given.values()):
            raise InvalidRequest("every value of the configuration of the libcloud driver is text")
        needed = ("bucket",) if provider == "s3" else ("root", "container")
        if not all(given.get(key) for key in needed):
            raise InvalidRequest(f"libcloud with provider {provider} needs {' and '.join(needed)}")
        self._local = provider == "local"
        self._given: dict[str, str] = {key: str(value) for key, value in given.items()}
        self._prefix = self._given.get("prefix", "")
        self._container = self._given["container" if self._local else "bucket"]
        self._url = urlsplit(self._given.get("endpoint_url", "https://s3.amazonaws.com"))
        if self._url.scheme not in ("http", "https") or not self._url.hostname:
            raise InvalidRequest("endpoint_url of the libcloud driver is http://host[:port] or https://host[:port]")

    def _connect(self) -> Any:
        make: Any = local.LocalStorageDriver if self._local else s3.S3StorageDriver
        if self._local:
            try:
                return make(self._given["root"])
            except ValueError as error:
                raise DeviceUnavailable(f"no folder {self._given['root']}", None, Outcome.NOT_DONE) from error
        secure = self._url.scheme == "https"
        try:
            return make(
                self._given.get("aws_access_key_id") or os.environ.get("AWS_ACCESS_KEY_ID", ""),
                self._given.get("aws_secret_access_key") or os.environ.get("AWS_SECRET_ACCESS_KEY", ""),
                secure=secure, host=self._url.hostname, port=self._url.port or (443 if secure else 80),
                region=self._given.get("region_name", "us-east-1"),
            )  # fmt: skip
        except ValueError as error:
            raise InvalidRequest(str(error)) from error

    def capabilities(self) -> Capabilities:
        most = None if self._local else OBJECT_BYTES_MAX
        return Capabilities(
            max_object_size_bytes=most, range_read=True, enumerate=True, max_name_bytes=self._name_bytes_max())

    def create(self, uri: DataObjectUri, size: int) -> None:
        size = count_of_bytes("size", size, uri)
        self._check_size(size, uri)
        found = self._find(self._connect(), uri)
        if found is None:
            with self.open_output(uri, size) as stream:
                left = size
                while left:
                    left -= stream.write(bytes(min(left, CHUNK_BYTES)))
        elif found.size != size:
            raise ObjectExists(f"the object has {found.size} bytes, not {size}", uri)

    def delete(self, uri: DataObjectUri) -> None:
        client = self._connect()
        found = self._find(client, uri)
        if found is not None:
            try:
                with _typed(uri, Outcome.UNKNOWN):
                    if not client.delete_object(found):
                        raise DeviceUnavailable("delete_object gave False", uri, Outcome.UNKNOWN)
            except ObjectNotFound:
                pass
        self._drop_unfinished(client, uri)

    def _drop_unfinished(self, client: Any, uri: DataObjectUri) -> None:
        if not self._local:
            with _typed(uri, Outcome.UNKNOWN):
                client.ex_cleanup_all_multipart_uploads(client.get_container(self._container), prefix=self._key(uri))

    def open_input(self, uri: DataObjectUri, offset: int = 0, length: int | None = None) -> LibcloudInputStream:
        offset = count_of_bytes("offset", offset, uri)
        length = None if length is None else count_of_bytes("length", length, uri)
        client = self._connect()
        found = self._find(client, uri)
        if found is None:
            raise ObjectNotFound("no such object", uri)
        end = found.size if length is None else min(found.size, offset + length)
        if offset >= end:
            return LibcloudInputStream(iter(()), uri)
        with _typed(uri):
            if offset == 0 and end == found.size:
                chunks = client.download_object_as_stream(found, CHUNK_BYTES)
            else:
                chunks = client.download_object_range_as_stream(found, offset, end, CHUNK_BYTES)
        return LibcloudInputStream(chunks, uri)

    def open_output(self, uri: DataObjectUri, size: int | None = None) -> LibcloudOutputStream:
        size = None if size is None else count_of_bytes("size", size, uri)
        self._check_size(size or 0, uri)
        client = self._connect()
        if self._find(client, uri) is not None:
            raise ObjectExists("the name is taken", uri)
        with _typed(uri):
            container = client.get_container(self._container)
        key = self._key(uri)
        upload = PulledUpload(lambda source: client.upload_object_via_stream(iter(source), container, key))
        return LibcloudOutputStream(upload, uri, size, lambda: self._drop_unfinished(client, uri))

    def describe(self, uri: DataObjectUri) -> DataObjectDescription:
        found = self._find(self._connect(), uri)
        if found is None:
            raise ObjectNotFound("no such object", uri)
        return DataObjectDescription(uri, int(found.size), None)

    def list_objects(self) -> Iterator[DataObjectUri]:
        client = self._connect()
        base = self._prefix + "/" if self._prefix else ""
        with _typed(None):
            container = client.get_container(self._container)
            for found in client.iterate_container_objects(container, prefix=base or None):
                name = str(found.name)
                try:
                    if name.endswith(MARK):
                        yield DataObjectUri.parse("/" + name[len(base) : -len(MARK)])
                except InvalidRequest:
                    continue

    def _name_bytes_max(self) -> int:
        if self._local:
            return (FILE_NAME_BYTES - len(MARK)) // ENCODED_BYTES
        return (KEY_BYTES_MAX - len(self._prefix.encode()) - _KIND_AND_SIGNS_BYTES) // 2 // ENCODED_BYTES

    def _key(self, uri: DataObjectUri) -> str:
        if not isinstance(uri, DataObjectUri):
            raise InvalidRequest(f"a data object is named by a DataObjectUri, not {type(uri).__name__}")
        most = self._name_bytes_max()
        for segment in (uri.account, uri.object_id):
            if len(segment.encode()) > most:
                raise InvalidRequest(f"a segment has more than {most} bytes of UTF-8", uri)
        return (self._prefix + str(uri) + MARK).removeprefix("/")

    def _check_size(self, size: int, uri: DataObjectUri) -> None:
        if size > OBJECT_BYTES_MAX and not self._local:
            raise CapacityExceeded(f"objects have at most {OBJECT_BYTES_MAX} bytes", uri)

    def _find(self, client: Any, uri: DataObjectUri) -> Any:
        key = self._key(uri)
        try:
            with _typed(uri):
                return client.get_object(self._container, key)
        except ObjectNotFound:
            return None


class LibcloudInputStream:
    """Pieces of a download, as they come, and what is left of the last one."""

    def __init__(self, chunks: Any, uri: DataObjectUri) -> None:
        self._chunks = chunks
        self._left = memoryview(b"")
        self._uri = uri
        self._closed = False

    def read(self, n: int = -1) -> bytes:
        if self._closed:
            raise InvalidRequest("the stream is closed", self._uri)
        wanted = CHUNK_BYTES if n == -1 else count_of_bytes("n", n, self._uri)
        if not wanted:
            return b""
        if not self._left:
            with _typed(self._uri):
                self._left = memoryview(next(self._chunks, b""))
        taken, self._left = bytes(self._left[:wanted]), self._left[wanted:]
        return taken

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._left, self._chunks = memoryview(b""), iter(())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.close()


class LibcloudOutputStream:
    """One upload under way."""

    def __init__(self, upload: PulledUpload, uri: DataObjectUri, size: int | None, drop_unfinished: Any) -> None:
        self._upload = upload
        self._uri = uri
        self._size = size
        self._drop_unfinished = drop_unfinished
        self._written = 0
        self._failed = False
        self._ended = False

    def write(self, data: bytes | bytearray | memoryview) -> int:
        self._require_open()
        try:
            content = memoryview(data).tobytes()
        except TypeError as error:
            self._failed = True
            raise InvalidRequest(f"write takes bytes: {error}", self._uri) from error
        try:
            if content:
                with _typed(self._uri):
                    self._upload.write(content)
        except BaseException:
            self._failed = True
            raise
        self._written += len(content)
        return len(content)

    def commit(self) -> DataObjectDescription:
        self._require_open()
        if self._failed or (self._size is not None and self._size != self._written):
            written, failed = self._written, self._failed
            self.abort()
            if failed:
                raise InvalidRequest("an earlier write failed", self._uri)
            raise SizeMismatch(f"{written} bytes were written, {self._size} announced", self._uri)
        self._ended = True
        with _typed(self._uri, Outcome.UNKNOWN):
            self._upload.finish()
        self._drop_unfinished()
        return DataObjectDescription(self._uri, self._written, None)

    def abort(self) -> None:
        if self._ended:
            return
        self._ended = True
        error = self._upload.give_up()
        if error is not None and not self._failed:
            with _typed(self._uri):
                raise error

    def close(self) -> None:
        self.abort()

    def _require_open(self) -> None:
        if self._ended:
            raise InvalidRequest("the stream has ended", self._uri)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        if kind is not None:
            self.abort()
        elif not self._ended:
            self.commit()

    def __del__(self) -> None:
        self._upload.forget()

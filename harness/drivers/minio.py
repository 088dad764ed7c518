"""minio-py as a driver: a thin and fair adapter, so that what the library does is judged, not repaired.

Fair means: where the library offers a way to do what the contract asks, that way is taken. An object is one ``put_object`` of
unknown length, which the library publishes when its source ends, so at the commit; given a length it would publish
with the last byte. The library pulls, the contract pushes: ``pulled_upload`` stands between. Copies are ``copy_object``.

Thin means: no retries of our own (urllib3's, as minio-py sets them up, are the library's), no locks, no temporary names, no
clean-up of what the library leaves behind. Its ordinary errors become typed ones; any other exception passes through.

What minio-py 7.2 does not offer, and nothing here makes up for: a conditional put or copy (so a taken name is looked for
before, and whoever comes meanwhile is overwritten); a public way to find or remove unfinished uploads. Its ``http_client``
is the one it makes itself, with a shorter patience: that one waits for half an hour where nobody answers.

An object is ``prefix/kind/account/object_id``, both names percent-encoded. ``max_name_bytes`` is what then always fits into
the 1024 bytes of a key. An absent bucket is an absent device.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
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
    StorageError,
)
from storcert.harness.drivers.arguments import count_of_bytes
from storcert.harness.drivers.pulled_upload import PulledUpload

try:
    import minio as library
    import urllib3
    import urllib3.exceptions as transport
    from minio.commonconfig import CopySource
    from minio.credentials.providers import EnvAWSProvider, StaticProvider
except ImportError as missing:
    raise ImportError("the minio driver needs minio-py: pip install 'storcert[minio]'") from missing

PATIENCE_S = 30
MIB = 1024**2
CHUNK_BYTES = 256 * 1024
PARTS_MAX = 10_000
KEY_BYTES_MAX = 1024
ENCODED_BYTES = 3
_KIND_AND_SLASHES_BYTES = len("/template//")

_REFUSED: Mapping[str, tuple[type[StorageError], Outcome]] = {
    "NoSuchKey": (ObjectNotFound, Outcome.NOT_DONE),
    "NoSuchBucket": (DeviceUnavailable, Outcome.NOT_DONE),
    "AccessDenied": (PermissionDenied, Outcome.NOT_DONE),
    "InvalidAccessKeyId": (PermissionDenied, Outcome.NOT_DONE),
    "SignatureDoesNotMatch": (PermissionDenied, Outcome.NOT_DONE),
    "ExpiredToken": (PermissionDenied, Outcome.NOT_DONE),
    "PreconditionFailed": (ObjectExists, Outcome.NOT_DONE),
    "QuotaExceeded": (CapacityExceeded, Outcome.NOT_DONE),
    "EntityTooLarge": (CapacityExceeded, Outcome.NOT_DONE),
    "SlowDown": (DeviceUnavailable, Outcome.NOT_DONE),
    "ServiceUnavailable": (DeviceUnavailable, Outcome.NOT_DONE),
}


@contextmanager
def _typed(uri: DataObjectUri | None, outcome: Outcome = Outcome.NOT_DONE) -> Iterator[None]:
    """Ordinary errors of the library as typed ones. ``outcome``: what an answer that says nothing means at this point."""
    try:
        yield
    except library.S3Error as error:
        kind, known = _REFUSED.get(str(error.code), (DeviceUnavailable, outcome))
        raise kind(f"{error.code}: {error.message}", uri, known) from error
    except (library.InvalidResponseError, library.ServerError) as error:
        raise DeviceUnavailable(f"{type(error).__name__}: {error}", uri, outcome) from error
    except (transport.HTTPError, OSError) as error:
        raise DeviceUnavailable(f"{type(error).__name__}: {error}", uri, outcome) from error


@dataclass(frozen=True, slots=True)
class _Settings:
    bucket: str
    prefix: str = ""
    endpoint_url: str = "https://s3.amazonaws.com"
    region_name: str = "us-east-1"
    aws_access_key_id: str = ""
    aws_secret_access_key: str = ""
    part_size_bytes: int = 5 * MIB

    @classmethod
    def parse(cls, configuration: Mapping[str, JsonValue]) -> _Settings:
        known = cls.__dataclass_fields__
        unknown = sorted(str(key) for key in configuration if key not in known)
        if unknown:
            raise InvalidRequest(f"minio has no configuration key {', '.join(unknown)}; it has {', '.join(sorted(known))}")
        if not configuration.get("bucket"):
            raise InvalidRequest("minio needs the configuration key bucket")
        for key, value in configuration.items():
            wanted = int if key == "part_size_bytes" else str
            if type(value) is not wanted:
                raise InvalidRequest(f"{key} of the minio driver is {'a number' if wanted is int else 'text'}")
        given: dict[str, Any] = dict(configuration)
        settings = cls(**given)
        if not 5 * MIB <= settings.part_size_bytes <= 5 * 1024 * MIB:
            raise InvalidRequest("part_size_bytes of the minio driver lies between 5 MiB and 5 GiB")
        return settings


class MinioDriver:
    """Configuration: ``bucket``, ``prefix``, ``endpoint_url``, ``region_name``, ``part_size_bytes`` (default 5 MiB),
    ``aws_access_key_id`` and ``aws_secret_access_key`` (default: those of the environment, read as the library does).
    """

    def __init__(self, configuration: Mapping[str, JsonValue]) -> None:
        self._settings = settings = _Settings.parse(configuration)
        url = urlsplit(settings.endpoint_url)
        if url.scheme not in ("http", "https") or not url.netloc:
            raise InvalidRequest("endpoint_url of the minio driver is http://host[:port] or https://host[:port]")
        if settings.aws_access_key_id:
            credentials: Any = StaticProvider(settings.aws_access_key_id, settings.aws_secret_access_key)
        else:
            credentials = EnvAWSProvider()
        self._bucket = settings.bucket
        self._client = library.Minio(
            url.netloc, secure=url.scheme == "https", region=settings.region_name, credentials=credentials,
            http_client=urllib3.PoolManager(
                timeout=urllib3.Timeout(connect=PATIENCE_S, read=PATIENCE_S), maxsize=10,
                retries=urllib3.Retry(total=5, backoff_factor=0.2, status_forcelist=[500, 502, 503, 504]),
            ),
        )  # fmt: skip

    def capabilities(self) -> Capabilities:
        return Capabilities(
            max_object_size_bytes=self._settings.part_size_bytes * PARTS_MAX, on_device_copy=True, range_read=True,
            enumerate=True, max_name_bytes=self._name_bytes_max(),
        )  # fmt: skip

    def create(self, uri: DataObjectUri, size: int) -> None:
        size = count_of_bytes("size", size, uri)
        self._check_size(size, uri)
        found = self._size_of(uri)
        if found is None:
            with self.open_output(uri, size) as stream:
                left = size
                while left:
                    left -= stream.write(bytes(min(left, CHUNK_BYTES)))
        elif found != size:
            raise ObjectExists(f"the object has {found} bytes, not {size}", uri)

    def delete(self, uri: DataObjectUri) -> None:
        key = self._key(uri)
        with _typed(uri, Outcome.UNKNOWN):
            self._client.remove_object(self._bucket, key)

    def copy(self, source: DataObjectUri, destination: DataObjectUri) -> None:
        source_key, key = self._key(source), self._key(destination)
        if self._size_of(source) is None:
            raise ObjectNotFound("no such object", source)
        if self._size_of(destination) is not None:
            raise ObjectExists("the name is taken", destination)
        with _typed(destination, Outcome.UNKNOWN):
            self._client.copy_object(self._bucket, key, CopySource(self._bucket, source_key))

    def open_input(self, uri: DataObjectUri, offset: int = 0, length: int | None = None) -> MinioInputStream:
        key = self._key(uri)
        offset = count_of_bytes("offset", offset, uri)
        length = None if length is None else count_of_bytes("length", length, uri)
        size = self._size_of(uri)
        if size is None:
            raise ObjectNotFound("no such object", uri)
        wanted = max(0, size - offset if length is None else min(length, size - offset))
        if not wanted:
            return MinioInputStream(None, uri)
        with _typed(uri):
            return MinioInputStream(self._client.get_object(self._bucket, key, offset=offset, length=wanted), uri)

    def open_output(self, uri: DataObjectUri, size: int | None = None) -> MinioOutputStream:
        key = self._key(uri)
        size = None if size is None else count_of_bytes("size", size, uri)
        self._check_size(size or 0, uri)
        if self._size_of(uri) is not None:
            raise ObjectExists("the name is taken", uri)
        client: Any = self._client  # its hints ask for a whole file, it for ``read``
        bucket, part = self._bucket, self._settings.part_size_bytes
        upload = PulledUpload(lambda source: client.put_object(bucket, key, source, -1, part_size=part))
        return MinioOutputStream(upload, uri, size, part * PARTS_MAX)

    def describe(self, uri: DataObjectUri) -> DataObjectDescription:
        size = self._size_of(uri)
        if size is None:
            raise ObjectNotFound("no such object", uri)
        return DataObjectDescription(uri, size, None)

    def list_objects(self) -> Iterator[DataObjectUri]:
        base = self._settings.prefix + "/" if self._settings.prefix else ""
        with _typed(None):
            for found in self._client.list_objects(self._bucket, prefix=base or None, recursive=True):
                try:
                    yield DataObjectUri.parse("/" + str(found.object_name)[len(base) :])
                except InvalidRequest:
                    continue

    def _name_bytes_max(self) -> int:
        left = KEY_BYTES_MAX - len(self._settings.prefix.encode()) - _KIND_AND_SLASHES_BYTES
        return left // 2 // ENCODED_BYTES

    def _key(self, uri: DataObjectUri) -> str:
        if not isinstance(uri, DataObjectUri):
            raise InvalidRequest(f"a data object is named by a DataObjectUri, not {type(uri).__name__}")
        most = self._name_bytes_max()
        for segment in (uri.account, uri.object_id):
            if len(segment.encode()) > most:
                raise InvalidRequest(f"a segment has more than {most} bytes of UTF-8", uri)
        return (self._settings.prefix + str(uri)).removeprefix("/")

    def _check_size(self, size: int, uri: DataObjectUri) -> None:
        most = self._settings.part_size_bytes * PARTS_MAX
        if size > most:
            raise CapacityExceeded(f"objects have at most {most} bytes", uri)

    def _size_of(self, uri: DataObjectUri) -> int | None:
        key = self._key(uri)
        try:
            with _typed(uri):
                return self._client.stat_object(self._bucket, key).size
        except ObjectNotFound:
            return None


class MinioInputStream:
    """The body of one answer; ``None`` for an empty range, which S3 has no way to ask for."""

    def __init__(self, response: Any, uri: DataObjectUri) -> None:
        self._response = response
        self._uri = uri
        self._closed = False

    def read(self, n: int = -1) -> bytes:
        if self._closed:
            raise InvalidRequest("the stream is closed", self._uri)
        wanted = CHUNK_BYTES if n == -1 else count_of_bytes("n", n, self._uri)
        if self._response is None or not wanted:
            return b""
        with _typed(self._uri):
            return bytes(self._response.read(wanted))

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            if self._response is not None:
                with _typed(self._uri):
                    self._response.close()
                    self._response.release_conn()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.close()


class MinioOutputStream:
    """One ``put_object`` under way."""

    def __init__(self, upload: PulledUpload, uri: DataObjectUri, size: int | None, most: int) -> None:
        self._upload = upload
        self._uri = uri
        self._size = size
        self._most = most
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
            if self._written + len(content) > self._most:
                raise CapacityExceeded(f"objects have at most {self._most} bytes", self._uri)
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

"""minio-py as a driver: a thin and fair adapter, so that what the library does is judged, not repaired.

Fair means: where the library offers a way to do what the contract asks, that way is taken. An object is one ``put_object`` of
unknown length, which the library publishes when its source ends, so at the commit; given a length it would publish
with the last byte. It goes one part at a time: an upload that is given up is aborted whatever parts are on their way. The
library pulls, the contract pushes: ``pulled_upload`` stands between. Copies are ``copy_object``.

Thin means: no retries of our own (urllib3's, as minio-py sets them up, are the library's), no locks, no temporary names, no
clean-up of what the library leaves behind. Its ordinary errors become typed ones; any other exception passes through.

What minio-py 7.2 does not offer, and nothing here makes up for: a conditional put or copy (so a taken name is looked for
before, and whoever comes meanwhile is overwritten); a public way to find or remove unfinished uploads. Its ``http_client``
is the one it makes itself, with a shorter patience: that one waits for half an hour where nobody answers.

An absent bucket is an absent device.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import urllib3
import urllib3.exceptions

from storcert.harness.contract import (
    CapacityExceeded,
    DataObjectUri,
    DeviceUnavailable,
    InvalidRequest,
    JsonValue,
    ObjectExists,
    ObjectNotFound,
    Outcome,
    PermissionDenied,
    StorageError,
)
from storcert.harness.drivers.library_driver import CopyingLibraryDriver
from storcert.harness.drivers.library_settings import LibrarySettings, require_installed
from storcert.harness.drivers.library_store import said
from storcert.harness.drivers.pulled_upload import PulledSink

library: Any = None
try:
    import minio.commonconfig
    import minio.credentials.providers
    import minio.error

    library = minio
except ImportError:
    # Said by the constructor: a driver that is not used needs no library.
    pass

PATIENCE_S = 30
TO_THE_END = 0
PART_BYTES = 5 * 1024**2
OBJECT_BYTES_MAX = 10_000 * PART_BYTES

_REFUSED: Mapping[str, type[StorageError]] = {
    "NoSuchKey": ObjectNotFound, "NoSuchBucket": DeviceUnavailable, "PreconditionFailed": ObjectExists,
    "AccessDenied": PermissionDenied, "InvalidAccessKeyId": PermissionDenied, "SignatureDoesNotMatch": PermissionDenied,
    "ExpiredToken": PermissionDenied, "BadRequest": PermissionDenied,
    "QuotaExceeded": CapacityExceeded, "EntityTooLarge": CapacityExceeded,
    "SlowDown": DeviceUnavailable, "ServiceUnavailable": DeviceUnavailable,
}  # fmt: skip
"""What S3's codes mean; any other is trouble of the device. ``BadRequest`` is minio-py's word for a HEAD that is
refused with 400: such an answer has no body, and what S3 means by it, the request being well formed, is an expired token."""


class MinioDriver(CopyingLibraryDriver):
    """Configuration: ``endpoint_url``, ``bucket``, ``prefix``, ``region_name``, ``aws_access_key_id`` and
    ``aws_secret_access_key`` (default: those of the environment, as the library finds them)."""

    def __init__(self, configuration: Mapping[str, JsonValue]) -> None:
        require_installed("minio", library)
        settings = LibrarySettings.parse("minio", ("s3",), configuration)
        settings.require("minio", "endpoint_url", "bucket")
        super().__init__(MinioStore(settings), OBJECT_BYTES_MAX)


class MinioStore:
    """Keys below ``prefix`` of one bucket."""

    def __init__(self, settings: LibrarySettings) -> None:
        url = urlsplit(settings.endpoint_url)
        if url.scheme not in ("http", "https") or not url.netloc:
            raise InvalidRequest("endpoint_url of the minio driver is http://host[:port] or https://host[:port]")
        credentials: Any = library.credentials.providers.EnvAWSProvider()
        if settings.aws_access_key_id:
            credentials = library.credentials.providers.StaticProvider(
                settings.aws_access_key_id, settings.aws_secret_access_key)
        self._bucket = settings.bucket
        self._base = f"{settings.prefix.strip('/')}/" if settings.prefix.strip("/") else ""
        self._client = library.Minio(
            url.netloc, secure=url.scheme == "https", region=settings.region_name, credentials=credentials,
            http_client=urllib3.PoolManager(
                timeout=urllib3.Timeout(connect=PATIENCE_S, read=PATIENCE_S), maxsize=10,
                retries=urllib3.Retry(total=5, backoff_factor=0.2, status_forcelist=[500, 502, 503, 504]),
            ),
        )  # fmt: skip

    @contextmanager
    def errors(self, uri: DataObjectUri | None, outcome: Outcome) -> Iterator[None]:
        try:
            yield
        except library.S3Error as error:
            kind = _REFUSED.get(str(error.code), DeviceUnavailable)
            # What the device refuses may be a repetition of urllib3's, after a first try that had its effect.
            known = Outcome.NOT_DONE if kind in (ObjectNotFound, ObjectExists) else outcome
            raise kind(f"{error.code}: {error.message}", uri, known) from error
        except (library.error.InvalidResponseError, library.error.ServerError) as error:
            raise DeviceUnavailable(said(error), uri, outcome) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise DeviceUnavailable(said(error), uri, outcome) from error

    def size_of(self, path: str) -> int | None:
        return int(self._client.stat_object(self._bucket, self._base + path).size)

    def reader(self, path: str, offset: int, length: int | None) -> MinioSource:
        return MinioSource(self._client.get_object(self._bucket, self._base + path, offset, length or TO_THE_END))

    def writer(self, path: str, size: int | None) -> PulledSink:
        client, bucket, key = self._client, self._bucket, self._base + path
        return PulledSink(
            lambda source: client.put_object(bucket, key, source, -1, part_size=PART_BYTES, num_parallel_uploads=1))

    def copy(self, source: str, destination: str) -> None:
        """On the device, whatever is there."""
        copied = library.commonconfig.CopySource(self._bucket, self._base + source)
        self._client.copy_object(self._bucket, self._base + destination, copied)

    def remove(self, path: str) -> None:
        self._client.remove_object(self._bucket, self._base + path)

    def paths(self) -> Iterator[str]:
        for found in self._client.list_objects(self._bucket, prefix=self._base or None, recursive=True):
            yield str(found.object_name)[len(self._base) :]


class MinioSource:
    """The body of one answer."""

    def __init__(self, response: Any) -> None:
        self._response = response

    def read(self, n: int) -> bytes:
        return bytes(self._response.read(n))

    def close(self) -> None:
        self._response.close()
        self._response.release_conn()

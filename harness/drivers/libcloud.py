"""Apache Libcloud's storage API as a driver: a thin and fair adapter, so that what the library does is judged, not repaired.

Fair means: where the library offers a way to do what the contract asks, that way is taken. An object is one
``upload_object_via_stream``: with S3 a multipart upload, completed when its source ends, so at the commit; with the local
provider a file written in place. The library pulls, the contract pushes: ``pulled_upload`` stands between. Libcloud says of
itself that a driver object is not to be shared between threads, so every call and every stream has one of its own.

Unfinished uploads are removed by ``ex_cleanup_all_multipart_uploads`` when an object is deleted. It goes by the beginning of a
key, so keys end in a sign that no other key goes on after. After a commit it is not asked: it would take the
uploads of others that are under way.

Thin means: no retries, no locks, no temporary names. Its ordinary errors become typed ones; any other exception passes through.

What Libcloud 3.9 does not offer, and nothing here makes up for: a conditional upload (so a taken name is looked for before,
and whoever comes meanwhile is overwritten); a copy on the device. An absent bucket or folder is an absent device.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from urllib.parse import urlsplit

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
)
from storcert.harness.drivers.library_driver import ENCODED_BYTES, FILE_NAME_BYTES, LibraryDriver
from storcert.harness.drivers.library_settings import LibrarySettings, require_installed
from storcert.harness.drivers.library_store import said
from storcert.harness.drivers.library_streams import CHUNK_BYTES
from storcert.harness.drivers.pulled_upload import PulledSink, PulledSource

library: Any = None
try:
    import libcloud.common.exceptions
    import libcloud.common.types
    import libcloud.http
    import libcloud.storage.drivers.local
    import libcloud.storage.drivers.s3
    import libcloud.storage.types

    library = libcloud
except ImportError:
    # Said by the constructor: a driver that is not used needs no library.
    pass

BACKENDS = ("s3", "local")
OBJECT_BYTES_MAX = 10_000 * 5 * 1024**2  # parts of the size that the library cuts
PRECONDITION_FAILED = 412
MARK = "!"
_CODE = re.compile(r"<Code>(\w+)</Code>")


class LibcloudDriver(LibraryDriver):
    """Configuration: :class:`~storcert.harness.drivers.library_settings.LibrarySettings` with one of :data:`BACKENDS`. The
    ``root`` of ``local`` is an existing folder in an existing folder: what Libcloud calls a container, and where it is."""

    def __init__(self, configuration: Mapping[str, JsonValue]) -> None:
        require_installed("libcloud", library)
        settings = LibrarySettings.parse("libcloud", BACKENDS, configuration)
        super().__init__(
            LibcloudStore(settings), "Libcloud copies nothing on the device", (FILE_NAME_BYTES - len(MARK)) // ENCODED_BYTES,
            OBJECT_BYTES_MAX if settings.backend == "s3" else None,
        )  # fmt: skip


class LibcloudStore:
    """Objects of one container: a bucket, or a folder."""

    def __init__(self, settings: LibrarySettings) -> None:
        self._settings = settings
        self._local = settings.backend == "local"
        self._base = ""
        if self._local:
            settings.require("libcloud", "root")
            self._folder, _, self._container = settings.root.rstrip("/").rpartition("/")
            return
        settings.require("libcloud", "endpoint_url", "bucket")
        self._container = settings.bucket
        self._base = f"{settings.prefix.strip('/')}/" if settings.prefix.strip("/") else ""
        self._url = urlsplit(settings.endpoint_url)
        if self._url.scheme not in ("http", "https") or not self._url.hostname:
            raise InvalidRequest("endpoint_url of the libcloud driver is http://host[:port] or https://host[:port]")

    @contextmanager
    def errors(self, uri: DataObjectUri | None, outcome: Outcome) -> Iterator[None]:
        try:
            yield
        except library.storage.types.ObjectDoesNotExistError as error:
            raise ObjectNotFound("no such object", uri) from error
        except library.storage.types.ContainerDoesNotExistError as error:
            raise DeviceUnavailable("no such container", uri, Outcome.NOT_DONE) from error
        except library.common.types.InvalidCredsError as error:
            # Every 403 of S3 is that to Libcloud, which keeps the answer's text.
            code = _CODE.search(str(error.value))
            # What is refused may be the last of several requests, after others that had their effect.
            if code is not None and code[1] == "QuotaExceeded":
                raise CapacityExceeded(code[1], uri, outcome) from error
            raise PermissionDenied(code[1] if code else "the credentials are not accepted", uri, outcome) from error
        except (library.common.exceptions.BaseHTTPError, library.common.types.LibcloudError) as error:
            if getattr(error, "code", None) == PRECONDITION_FAILED:
                raise ObjectExists("the condition was not met", uri) from error
            raise DeviceUnavailable(said(error), uri, outcome) from error
        except (library.http.requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise DeviceUnavailable(said(error), uri, outcome) from error

    def size_of(self, path: str) -> int | None:
        return int(self._find(self._connect(), path).size)

    def reader(self, path: str, offset: int, length: int | None) -> LibcloudSource:
        client = self._connect()
        found = self._find(client, path)
        if offset == 0 and length is None:
            return LibcloudSource(client.download_object_as_stream(found, CHUNK_BYTES))
        end = found.size if length is None else offset + length
        return LibcloudSource(client.download_object_range_as_stream(found, offset, end, CHUNK_BYTES))

    def writer(self, path: str, size: int | None) -> LibcloudSink:
        client, key = self._connect(), self._key(path)
        container = client.get_container(self._container)
        begun = threading.Event()

        def pieces(source: PulledSource) -> Iterator[bytes]:
            begun.set()
            yield from source

        def carry_out(source: PulledSource) -> None:
            try:
                client.upload_object_via_stream(pieces(source), container, key)
            finally:
                begun.set()

        sink = LibcloudSink(carry_out, lambda: self.errors(DataObjectUri.parse("/" + path), Outcome.UNKNOWN))
        if self._local:
            # The file is made before the first piece is asked for: whether it is seen is not left to two threads' race.
            begun.wait()
        return sink

    def remove(self, path: str) -> None:
        client = self._connect()
        try:
            found = self._find(client, path)
        except library.storage.types.ObjectDoesNotExistError:
            found = None
        if found is not None and not client.delete_object(found):
            raise library.common.types.LibcloudError("delete_object gave False", driver=client)
        if not self._local:
            client.ex_cleanup_all_multipart_uploads(client.get_container(self._container), prefix=self._key(path))

    def paths(self) -> Iterator[str]:
        client = self._connect()
        container = client.get_container(self._container)
        for found in client.iterate_container_objects(container, prefix=self._base or None):
            name = str(found.name)
            if name.endswith(MARK):
                yield name[len(self._base) : -len(MARK)]

    def _connect(self) -> Any:
        if self._local:
            folder: Any = library.storage.drivers.local.LocalStorageDriver
            try:
                return folder(self._folder or "/")
            except ValueError as error:
                raise DeviceUnavailable(f"no folder {self._folder}", None, Outcome.NOT_DONE) from error
        settings, secure = self._settings, self._url.scheme == "https"
        bucket: Any = library.storage.drivers.s3.S3StorageDriver
        try:
            return bucket(
                # storcert: allow STATELESS-where credentials of the location, which this library does not look for itself
                settings.aws_access_key_id or os.environ.get("AWS_ACCESS_KEY_ID", ""),
                settings.aws_secret_access_key or os.environ.get("AWS_SECRET_ACCESS_KEY", ""),
                secure=secure, host=self._url.hostname, port=self._url.port or (443 if secure else 80),
                region=settings.region_name,
            )  # fmt: skip
        except ValueError as error:
            raise InvalidRequest(str(error)) from error

    def _find(self, client: Any, path: str) -> Any:
        return client.get_object(self._container, self._key(path))

    def _key(self, path: str) -> str:
        return self._base + path + MARK


class LibcloudSink(PulledSink):
    """One upload. Where it fails, or its abort does, nobody knows whether the device is as before: an upload may have stayed,
    which the next delete takes away. ``errors``: those of a request whose outcome is unknown."""

    def __init__(self, carry_out: Callable[[PulledSource], Any], errors: Callable[[], AbstractContextManager[None]]) -> None:
        super().__init__(carry_out)
        self._errors = errors

    def write(self, data: bytes) -> None:
        with self._errors():
            super().write(data)

    def discard(self) -> None:
        with self._errors():
            super().discard()


class LibcloudSource:
    """Pieces of a download, as they come, and what is left of the last one. The first is asked for at once: the local provider
    opens its file no sooner."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = memoryview(next(pieces, b""))

    def read(self, n: int) -> bytes:
        if not self._left:
            self._left = memoryview(next(self._pieces, b""))
        taken, self._left = bytes(self._left[:n]), self._left[n:]
        return taken

    def close(self) -> None:
        self._pieces = iter(())

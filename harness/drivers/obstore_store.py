"""obstore (the Python face of the Rust crate object_store) as a driver: a thin and fair adapter.

Back ends: ``memory``, ``local`` (key ``root``) and ``s3``. Fair means: an object is published by
``put(mode="create")``, the one way in which obstore creates and never overwrites; that takes the whole object at once,
so what is written is kept in memory until the commit. A reader is one ``get`` with a range, as a stream. Declared:
``range_read``, ``enumerate``, and ``on_device_copy`` by ``copy(overwrite=False)``, which obstore documents as atomic or
refused. Not declared: ``digest``; none is common to the library.store.

A ``MemoryStore`` is its own content, so there is one for each root and process: it is the device.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from storcert.harness.contract import (
    DataObjectUri,
    DeviceUnavailable,
    InvalidRequest,
    JsonValue,
    ObjectExists,
    Outcome,
    PermissionDenied,
    Unsupported,
)
from storcert.harness.drivers.library_driver import CopyingLibraryDriver
from storcert.harness.drivers.library_settings import LibrarySettings, require_installed
from storcert.harness.drivers.library_store import first_line, os_errors

library: Any = None
try:
    import obstore

    library = obstore
except ImportError:
    # Said by the constructor: a driver that is not used needs no library.
    pass

BACKENDS = ("memory", "local", "s3")
_IN_MEMORY: dict[str, Any] = {}


class ObstoreDriver(CopyingLibraryDriver):
    """Configuration: :class:`~storcert.harness.drivers.library_settings.LibrarySettings` with one of :data:`BACKENDS`."""

    native_io = True  # in its memory alone it is not

    def __init__(self, configuration: Mapping[str, JsonValue]) -> None:
        require_installed("obstore", library)
        settings = LibrarySettings.parse("obstore", BACKENDS, configuration)
        super().__init__(ObstoreStore(settings))
        self.native_io = settings.backend != "memory"


class ObstoreStore:
    """Paths below the store's own prefix."""

    def __init__(self, settings: LibrarySettings) -> None:
        if settings.backend == "local":
            settings.require("obstore", "root")
        elif settings.backend == "s3":
            settings.require("obstore", "endpoint_url", "bucket")
        self._settings = settings
        self._made: Any = None

    @contextmanager
    def errors(self, uri: DataObjectUri | None, outcome: Outcome) -> Iterator[None]:
        try:
            with os_errors(uri, outcome):
                yield
        except library.exceptions.AlreadyExistsError as error:
            raise ObjectExists(first_line(error), uri) from error
        except library.exceptions.PreconditionError as error:
            raise ObjectExists(first_line(error), uri) from error
        except (library.exceptions.PermissionDeniedError, library.exceptions.UnauthenticatedError) as error:
            raise PermissionDenied(first_line(error), uri) from error
        except library.exceptions.NotSupportedError as error:
            raise Unsupported(first_line(error), uri) from error
        except library.exceptions.InvalidPathError as error:
            raise InvalidRequest(first_line(error), uri) from error
        except library.exceptions.GenericError as error:
            # The one class for everything else: a lost connection, a full disk, an answer that was not expected.
            raise DeviceUnavailable(first_line(error), uri, outcome) from error

    def size_of(self, path: str) -> int | None:
        return int(library.head(self._store(), path)["size"])

    def reader(self, path: str, offset: int, length: int | None) -> ObstoreSource:
        options: Any = {"range": {"offset": offset}} if length is None else {"range": (offset, offset + length)}
        return ObstoreSource(library.get(self._store(), path, options=options).stream())

    def writer(self, path: str, size: int | None) -> ObstoreSink:
        return ObstoreSink(self._store(), path)

    def remove(self, path: str) -> None:
        library.delete(self._store(), path)

    def copy(self, source: str, destination: str) -> None:
        """On the device; never over an object."""
        library.copy(self._store(), source, destination, overwrite=False)

    def paths(self) -> Iterator[str]:
        for chunk in library.list(self._store()):
            for entry in chunk:
                yield entry["path"]

    def _store(self) -> Any:
        settings = self._settings
        if settings.backend == "memory":
            return _IN_MEMORY.setdefault(settings.root, self._made or library.store.MemoryStore())
        if settings.backend == "local":
            # It looks for its root when it is made, and not again.
            return self._local(settings.root)
        if self._made is None:
            self._made = self._s3()
        return self._made

    @staticmethod
    def _local(root: str) -> Any:
        try:
            return library.store.LocalStore(root)
        except library.exceptions.GenericError as error:
            raise DeviceUnavailable("the root does not exist", None, Outcome.NOT_DONE) from error

    def _s3(self) -> Any:
        settings = self._settings
        keys = {"access_key_id": settings.aws_access_key_id, "secret_access_key": settings.aws_secret_access_key}
        plain: Any = {"client_options": {"allow_http": True}} if settings.endpoint_url.startswith("http://") else {}
        return library.store.S3Store(
            settings.bucket, prefix=settings.prefix.strip("/") or None, endpoint=settings.endpoint_url,
            region=settings.region_name, copy_if_not_exists="multipart", **{k: v for k, v in keys.items() if v}, **plain,
        )  # fmt: skip


class ObstoreSource:
    """The stream of one ``get``: pieces of the library's choosing, handed out in those asked for."""

    def __init__(self, pieces: Any) -> None:
        self._pieces = iter(pieces)
        self._rest = memoryview(b"")

    def read(self, n: int) -> bytes:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._rest = memoryview(bytes(piece))
        taken, self._rest = self._rest[:n], self._rest[n:]
        return bytes(taken)

    def close(self) -> None:
        self._pieces, self._rest = iter(()), memoryview(b"")


class ObstoreSink:
    """Bytes until the one ``put`` that may not overwrite."""

    def __init__(self, store: Any, path: str) -> None:
        self._store = store
        self._path = path
        self._content = bytearray()

    def write(self, data: bytes) -> None:
        self._content += data

    def publish(self) -> None:
        try:
            library.put(self._store, self._path, bytes(self._content), mode="create")
        except FileNotFoundError as error:
            # What can be missing of an object that is made is where it was to be.
            raise DeviceUnavailable(first_line(error), None, Outcome.NOT_DONE) from error

    def discard(self) -> None:
        self._content.clear()

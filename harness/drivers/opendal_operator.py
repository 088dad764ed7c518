"""Apache OpenDAL as a driver: a thin and fair adapter of its Python binding's blocking ``Operator``.

Back ends: ``memory``, ``fs`` (key ``root``) and ``s3``. Fair means: an object is written through ``open(path, "wb")``
with ``if_not_exists`` wherever the operator's own capabilities have it, and read with ``if_match`` likewise; ``fs``
gets a folder for atomic writes beside the objects; a file is read as soon as it is open, since before its first read it
belongs to no object; a write is given up by dropping its file: the binding has no abort, and its ``close()``
publishes. Declared: ``range_read`` and ``enumerate``. Not declared: ``on_device_copy``, since ``copy`` of the binding
overwrites; ``digest``, since none is common.

An operator in memory is its own store, so there is one for each root and process: it is the device. ``fs`` makes its
root where it is missing; so the root is looked for first, through an operator of the whole file system.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from storcert.harness.contract import (
    DataObjectUri,
    DeviceUnavailable,
    JsonValue,
    ObjectExists,
    ObjectInUse,
    ObjectNotFound,
    Outcome,
    PermissionDenied,
    Unsupported,
)
from storcert.harness.drivers.library_driver import ENCODED_BYTES, FILE_NAME_BYTES, MAX_NAME_BYTES, LibraryDriver
from storcert.harness.drivers.library_settings import LibrarySettings, require_installed
from storcert.harness.drivers.library_store import first_line, os_errors

library: Any = None
try:
    import opendal

    library = opendal
except ImportError:
    # Said by the constructor: a driver that is not used needs no library.
    pass

BACKENDS = ("memory", "fs", "s3")
SCRATCH = ".opendal"  # no name of an object: those begin with their kind
SUFFIX_BYTES = len(".3Rd9cWH1")  # what the library puts behind the name of a file that it writes atomically
FIRST_BYTES = 4096
_IN_MEMORY: dict[str, Any] = {}


class OpendalDriver(LibraryDriver):
    """Configuration: :class:`~storcert.harness.drivers.library_settings.LibrarySettings` with one of :data:`BACKENDS`."""

    native_io = True  # in its memory alone it is not

    def __init__(self, configuration: Mapping[str, JsonValue]) -> None:
        require_installed("opendal", library)
        settings = LibrarySettings.parse("opendal", BACKENDS, configuration)
        # An atomic write puts a suffix of its own behind the name.
        max_name = (FILE_NAME_BYTES - SUFFIX_BYTES) // ENCODED_BYTES if settings.backend == "fs" else MAX_NAME_BYTES
        super().__init__(OpendalStore(settings), "copy of OpenDAL's operator overwrites its target", max_name)
        self.native_io = settings.backend != "memory"


class OpendalStore:
    """Paths below the operator's root."""

    def __init__(self, settings: LibrarySettings) -> None:
        if settings.backend == "fs":
            settings.require("opendal", "root")
        elif settings.backend == "s3":
            settings.require("opendal", "endpoint_url", "bucket")
        self._settings = settings
        self._made: Any = None

    @contextmanager
    def errors(self, uri: DataObjectUri | None, outcome: Outcome) -> Iterator[None]:
        try:
            with os_errors(uri, outcome):
                yield
        except library.exceptions.NotFound as error:
            raise ObjectNotFound(first_line(error), uri) from error
        except (library.exceptions.ConditionNotMatch, library.exceptions.AlreadyExists) as error:
            raise ObjectExists(first_line(error), uri) from error
        except library.exceptions.PermissionDenied as error:
            raise PermissionDenied(first_line(error), uri) from error
        except library.exceptions.Conflict as error:
            raise ObjectInUse(first_line(error), uri) from error
        except library.exceptions.RateLimited as error:
            raise DeviceUnavailable(first_line(error), uri, Outcome.NOT_DONE) from error
        except library.exceptions.ConfigInvalid as error:
            # Its word for a bucket that is not there, too.
            raise DeviceUnavailable(first_line(error), uri, Outcome.NOT_DONE) from error
        except library.exceptions.Unsupported as error:
            raise Unsupported(first_line(error), uri) from error
        except (library.exceptions.Unexpected, OSError) as error:
            # One class for everything else: a lost connection, a full disk, an answer it did not expect. Errors of files are
            # all OSError without a number, whatever happened; those with one had their chance above.
            raise DeviceUnavailable(first_line(error), uri, outcome) from error

    def size_of(self, path: str) -> int | None:
        found = self._operator().stat(path)
        return int(found.content_length) if found.mode.is_file() else None

    def reader(self, path: str, offset: int, length: int | None) -> OpendalSource:
        operator, same = self._operator(), {}
        if operator.capability().read_with_if_match:
            etag = operator.stat(path).etag
            same = {"if_match": etag} if etag else {}
        file = operator.open(path, "rb", **same)
        if offset:
            file.seek(offset)
        return OpendalSource(file)

    def writer(self, path: str, size: int | None) -> OpendalSink:
        operator = self._operator()
        exclusive = {"if_not_exists": True} if operator.capability().write_with_if_not_exists else {}
        return OpendalSink(operator.open(path, "wb", **exclusive))

    def remove(self, path: str) -> None:
        self._operator().delete(path)

    def paths(self) -> Iterator[str]:
        for entry in self._operator().list("", recursive=True):
            if not entry.path.endswith("/"):
                yield entry.path

    def _operator(self) -> Any:
        settings = self._settings
        if settings.backend == "memory":
            return _IN_MEMORY.setdefault(settings.root, self._made or library.Operator("memory"))
        if settings.backend == "fs":
            try:
                library.Operator("fs", root="/").stat(f"{settings.root}/")
            except library.exceptions.NotFound as error:
                raise DeviceUnavailable("the root does not exist", None, Outcome.NOT_DONE) from error
        if self._made is None:
            self._made = self._new()
        return self._made

    def _new(self) -> Any:
        settings = self._settings
        if settings.backend == "fs":
            return library.Operator("fs", root=settings.root, atomic_write_dir=f"{settings.root}/{SCRATCH}")
        keys = {"access_key_id": settings.aws_access_key_id, "secret_access_key": settings.aws_secret_access_key}
        return library.Operator(
            "s3", bucket=settings.bucket, endpoint=settings.endpoint_url, region=settings.region_name,
            root="/" + settings.prefix.strip("/"), **{key: value for key, value in keys.items() if value},
        )  # fmt: skip


class OpendalSource:
    """A file of the binding and its first bytes: by reading them it comes to belong to one object."""

    def __init__(self, file: Any) -> None:
        self._file: Any = file
        self._first = bytes(file.read(FIRST_BYTES))

    def read(self, n: int) -> bytes:
        if not self._first:
            return bytes(self._file.read(n))
        taken, self._first = self._first[:n], self._first[n:]
        return taken

    def close(self) -> None:
        self._file.close()


class OpendalSink:
    """A file of the binding. It has ``close``, which publishes, and nothing that gives up."""

    def __init__(self, file: Any) -> None:
        self._file: Any = file

    def write(self, data: bytes) -> int:
        return int(self._file.write(data))

    def publish(self) -> None:
        file, self._file = self._file, None
        file.close()

    def discard(self) -> None:
        self._file = None

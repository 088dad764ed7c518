"""Any fsspec file system as a driver: a thin and fair adapter, so that what the library does is judged, not repaired.

Fair means: where the library offers a way to do what the contract asks, that way is taken. An object is written as one
file in mode ``xb`` (create only), inside a transaction, which is the library's deferred commit. A transaction belongs
to an instance of the file system, so each output stream has an instance of its own. Where a file system refuses ``xb``
or transactions, it is asked for less. The local one is opened in mode ``wb``: there ``xb`` writes in place at once and
leaves nothing for the transaction to commit. With ``whole`` no stream is opened (:mod:`fsspec_whole`): where that does
better, the findings say so.

Thin means: no retries, no locks, no temporary names of our own, no clean-up of what the library leaves behind. Its
ordinary errors become typed ones; any other exception passes through, so that whoever certifies it sees it.

Declared, and why: ``range_read`` and ``enumerate``, which every file system offers (``seek``, ``find``). Not declared:
``on_device_copy``, since ``cp_file`` of most file systems reads and writes through the caller, some say nothing about
which, and none refuses to overwrite; ``digest``, since ``checksum`` is a fingerprint without a named algorithm.
``max_name_bytes`` is what a percent-encoded segment may have where names are limited to 255 bytes.

An object is ``root/kind/account/object_id``, both names percent-encoded. Where a file system has real folders, those
for kind and account are made when they are missed, and stay: their number does not grow with the objects of an account,
and removing one could pull it from under another location that is about to write into it. The root is never made: on
the local file system an absent root is an absent mount. Elsewhere the library does not tell the two apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from botocore.exceptions import BotoCoreError

from storcert.harness.contract import (
    Capabilities,
    DataObjectDescription,
    DataObjectUri,
    DeviceUnavailable,
    InvalidRequest,
    JsonValue,
    ObjectExists,
    ObjectNotFound,
    Outcome,
    SizeMismatch,
    Unsupported,
)
from storcert.harness.drivers.arguments import count_of_bytes
from storcert.harness.drivers.fsspec_whole import WholeSink, whole_source
from storcert.harness.drivers.library_driver import MAX_NAME_BYTES
from storcert.harness.drivers.library_store import os_errors, said
from storcert.harness.drivers.library_streams import CHUNK_BYTES, LibraryInputStream, LibraryOutputStream

try:
    # Here and not at first use: the library looks for configuration in the home directory when it is imported, which
    # is the loading of code, not something a driver does at a location.
    import fsspec as library
except ImportError:
    library = None


S3_PROTOCOLS = ("s3", "s3a")
LOST: tuple[type[Exception], ...] = (OSError, BotoCoreError)  # s3fs lets out what botocore says of a connection


class FsspecDriver:
    """Configuration: ``protocol`` (default ``memory``), ``root`` (default ``storcert``), ``whole`` (default false); every other
    key is an option of the file system. With ``protocol = "s3"`` the keys that an object store hands out, ``bucket``,
    ``prefix`` and ``region_name``, are root and region. ``use_listings_cache`` is false unless the configuration says
    otherwise (C-STATELESS).
    """

    def __init__(self, configuration: Mapping[str, JsonValue]) -> None:
        options: dict[str, Any] = {"protocol": "memory", "root": "storcert", "use_listings_cache": False}
        options.update(configuration)
        if options["protocol"] in S3_PROTOCOLS and "bucket" in options:
            options.update(_as_s3fs_has_it(options))
        protocol, root, whole = options.pop("protocol"), options.pop("root"), options.pop("whole", False)
        if not isinstance(protocol, str) or not isinstance(root, str):
            raise InvalidRequest("protocol and root of the fsspec driver are text")
        if not isinstance(whole, bool):
            raise InvalidRequest("whole of the fsspec driver is true or false")
        self._whole = whole
        self._protocol, self._options, self._root = protocol, options, root.rstrip("/")
        self._fs = self._new_file_system()

    def _new_file_system(self) -> Any:
        """An instance of our own: the library's cache of instances would mix transactions of several users."""
        if library is None:
            raise InvalidRequest("the fsspec driver needs the package fsspec, which cannot be imported here")
        try:
            return library.filesystem(self._protocol, skip_instance_cache=True, **self._options)
        except (ImportError, ValueError, TypeError) as error:
            raise InvalidRequest(f"fsspec gives no file system for protocol {self._protocol!r}: {error}") from error
        except AttributeError as error:
            raise InvalidRequest("the module named fsspec on sys.path is not the library fsspec") from error

    def capabilities(self) -> Capabilities:
        return Capabilities(range_read=True, enumerate=True, max_name_bytes=MAX_NAME_BYTES)

    def create(self, uri: DataObjectUri, size: int) -> None:
        size = count_of_bytes("size", size, uri)
        found = self._size_of(uri)
        if found is None:
            with self.open_output(uri, size) as stream:
                left = size
                while left:
                    left -= stream.write(bytes(min(left, CHUNK_BYTES)))
        elif found != size:
            raise ObjectExists(f"the object has {found} bytes, not {size}", uri)

    def delete(self, uri: DataObjectUri) -> None:
        path = self._path(uri)
        self._require_root(uri)
        try:
            with _errors(uri, Outcome.UNKNOWN):
                self._fs.rm_file(path)
        except ObjectNotFound:
            return

    def copy(self, source: DataObjectUri, destination: DataObjectUri) -> None:
        raise Unsupported("fsspec does not say which of its file systems copy without moving bytes", destination)

    def open_input(self, uri: DataObjectUri, offset: int = 0, length: int | None = None) -> LibraryInputStream:
        path = self._path(uri)
        offset = count_of_bytes("offset", offset, uri)
        length = None if length is None else count_of_bytes("length", length, uri)
        with _errors(uri):
            self._require_root(uri)
            if self._whole:
                source, left = whole_source(self._fs, path, offset, length)
                return LibraryInputStream(_errors, source, uri, left)
            file = self._fs.open(path, "rb")
            size = self._fs.size(path)
            left = max(0, (size if length is None else min(size, offset + length)) - offset)
            if offset and left:
                file.seek(offset)
        return LibraryInputStream(_errors, file, uri, left)

    def open_output(self, uri: DataObjectUri, size: int | None = None) -> FsspecOutputStream | LibraryOutputStream:
        path = self._path(uri)
        size = None if size is None else count_of_bytes("size", size, uri)
        if self._size_of(uri) is not None:
            raise ObjectExists("the name is taken", uri)
        if self._whole:
            return LibraryOutputStream(_errors, WholeSink(self._fs, path), uri, size, lambda: self._size_of(uri) is not None)
        fs = self._new_file_system()
        if _is_local(fs):
            self._make_folders(path, uri)
        try:
            return FsspecOutputStream(fs, path, uri, size)
        except FileNotFoundError:
            self._make_folders(path, uri)
        with _errors(uri):
            return FsspecOutputStream(fs, path, uri, size)

    def _make_folders(self, path: str, uri: DataObjectUri) -> None:
        with _errors(uri):
            self._require_root(uri)
            account = path.rpartition("/")[0]
            for folder in (account.rpartition("/")[0], account):
                try:
                    self._fs.mkdir(folder, create_parents=False)
                except FileExistsError:
                    continue

    def _require_root(self, uri: DataObjectUri | None) -> None:
        if _is_local(self._fs) and not self._fs.isdir(self._root):
            raise DeviceUnavailable(f"{self._root} does not exist", uri, Outcome.NOT_DONE)

    def describe(self, uri: DataObjectUri) -> DataObjectDescription:
        size = self._size_of(uri)
        if size is None:
            raise ObjectNotFound("no such object", uri)
        return DataObjectDescription(uri, size, None)

    def list_objects(self) -> Iterator[DataObjectUri]:
        with _errors(None):
            self._require_root(None)
            base = self._fs._strip_protocol(self._root)
            try:
                paths = self._fs.find(base)
            except FileNotFoundError as error:
                if self._protocol in S3_PROTOCOLS:
                    raise DeviceUnavailable("no such bucket", None, Outcome.NOT_DONE) from error
                return
        for path in paths:
            try:
                yield DataObjectUri.parse(str(path)[len(base) :])
            except InvalidRequest:
                continue

    def _path(self, uri: DataObjectUri) -> str:
        if not isinstance(uri, DataObjectUri):
            raise InvalidRequest(f"a data object is named by a DataObjectUri, not {type(uri).__name__}")
        for segment in (uri.account, uri.object_id):
            if len(segment.encode()) > MAX_NAME_BYTES:
                raise InvalidRequest(f"a segment has more than {MAX_NAME_BYTES} bytes of UTF-8", uri)
        return self._root + str(uri)

    def _size_of(self, uri: DataObjectUri) -> int | None:
        try:
            with _errors(uri):
                self._require_root(uri)
                found = self._fs.info(self._path(uri))
        except ObjectNotFound:
            return None
        return int(found["size"]) if found["type"] == "file" else None


class FsspecOutputStream:
    """One file being written. ``FileNotFoundError`` passes from the constructor: a folder may be missing."""

    def __init__(self, fs: Any, path: str, uri: DataObjectUri, size: int | None) -> None:
        self._fs = fs
        self._uri = uri
        self._size = size
        self._written = 0
        self._failed = False
        self._ended = False
        self._deferred = True
        try:
            self._file = self._open(path)
        except FileNotFoundError:
            raise
        except LOST as error:
            with _errors(uri):
                raise error

    def _open(self, path: str) -> Any:
        refused: Exception | None = None
        for deferred in (True, False):
            for mode in ("wb",) if _is_local(self._fs) else ("xb", "wb"):
                self._deferred = deferred
                try:
                    if deferred:
                        self._fs.start_transaction()
                    file = self._fs.open(path, mode)
                    if not deferred or hasattr(file, "commit"):
                        return file
                    self._fs.transaction.files.clear()
                except (NotImplementedError, ValueError) as error:
                    refused = error
                if deferred:
                    self._fs.transaction.complete(commit=False)
        raise Unsupported(f"the file system opens no file for writing: {refused}", self._uri)

    def write(self, data: bytes | bytearray | memoryview) -> int:
        self._require_open()
        try:
            content = memoryview(data).tobytes()
            with _errors(self._uri):
                taken = self._file.write(content)
        except TypeError as error:
            self._failed = True
            raise InvalidRequest(f"write takes bytes: {error}", self._uri) from error
        except BaseException:
            self._failed = True
            raise
        taken = len(content) if taken is None else int(taken)
        self._written += taken
        return taken

    def commit(self) -> DataObjectDescription:
        self._require_open()
        if self._failed or (self._size is not None and self._size != self._written):
            written, failed = self._written, self._failed
            self.abort()
            if failed:
                raise InvalidRequest("an earlier write failed", self._uri)
            raise SizeMismatch(f"{written} bytes were written, {self._size} announced", self._uri)
        self._ended = True
        try:
            with _errors(self._uri, Outcome.UNKNOWN):
                self._file.close()
                if self._deferred:
                    self._fs.end_transaction()
        except ObjectNotFound as error:
            raise DeviceUnavailable(error.message, self._uri, Outcome.NOT_DONE) from error
        return DataObjectDescription(self._uri, self._written, None)

    def abort(self) -> None:
        if self._ended:
            return
        self._ended = True
        with _errors(self._uri):
            self._file.close()
            if self._deferred:
                self._fs.transaction.complete(commit=False)

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


@contextmanager
def _errors(uri: DataObjectUri | None, outcome: Outcome = Outcome.NOT_DONE) -> Iterator[None]:
    """The library's errors as typed ones; an error of the system that says nothing else is trouble of the device."""
    try:
        with os_errors(uri, outcome):
            yield
    except LOST as error:
        raise DeviceUnavailable(said(error), uri, outcome) from error


def _as_s3fs_has_it(options: dict[str, Any]) -> dict[str, Any]:
    """Bucket, prefix and region under the names of s3fs; taken out of ``options``."""
    bucket, prefix, region = options.pop("bucket"), options.pop("prefix", ""), options.pop("region_name", None)
    if not isinstance(bucket, str) or not isinstance(prefix, str):
        raise InvalidRequest("bucket and prefix of the fsspec driver are text")
    return {
        "root": "/".join(part for part in (bucket, prefix.strip("/")) if part),
        "client_kwargs": {"region_name": region, **options.get("client_kwargs", {})},
    }


def _is_local(fs: Any) -> bool:
    """Whether ``fs`` is the file system of this machine (protocols ``file`` and ``local``)."""
    return "file" in ((fs.protocol,) if isinstance(fs.protocol, str) else fs.protocol)

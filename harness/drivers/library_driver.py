"""A driver over a :class:`~storcert.harness.drivers.library_store.LibraryStore`: names, arguments, and the order of looks.

An object is ``kind/account/object_id`` below the store's root, both names percent-encoded. Declared is what every store offers:
ranges and a listing. ``max_name_bytes`` is what a percent-encoded segment may have where names are limited to 255 bytes.
A name that is taken is looked for when an output stream is opened; whether it is looked for again at the commit is the
library's affair.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from storcert.harness.contract import (
    Capabilities,
    CapacityExceeded,
    DataObjectDescription,
    DataObjectUri,
    DeviceUnavailable,
    InvalidRequest,
    ObjectExists,
    ObjectNotFound,
    Outcome,
    StorageError,
    Unsupported,
)
from storcert.harness.drivers.arguments import count_of_bytes
from storcert.harness.drivers.library_store import CopyingStore, LibraryStore
from storcert.harness.drivers.library_streams import CHUNK_BYTES, LibraryInputStream, LibraryOutputStream

FILE_NAME_BYTES = 255
ENCODED_BYTES = 3
MAX_NAME_BYTES = FILE_NAME_BYTES // ENCODED_BYTES


class LibraryDriver:
    """Everything of the contract that is not the library's own doing. ``no_copy``: what :meth:`copy` says.
    ``max_name_bytes``: of one segment, before it is encoded. ``max_object_size_bytes``: ``None`` where there is no limit."""

    def __init__(
        self, store: LibraryStore, no_copy: str, max_name_bytes: int = MAX_NAME_BYTES, max_object_size_bytes: int | None = None
    ) -> None:
        self._store = store
        self._no_copy = no_copy
        self._max_name_bytes = max_name_bytes
        self._max_object_size_bytes = max_object_size_bytes

    def capabilities(self) -> Capabilities:
        return Capabilities(
            range_read=True, enumerate=True, max_name_bytes=self._max_name_bytes,
            max_object_size_bytes=self._max_object_size_bytes,
        )  # fmt: skip

    def create(self, uri: DataObjectUri, size: int) -> None:
        size = self._allowed(size, uri)
        found = self._size_of(uri)
        if found is None:
            try:
                with self.open_output(uri, size) as stream:
                    left = size
                    while left:
                        left -= stream.write(bytes(min(left, CHUNK_BYTES)))
                return
            except ObjectExists:
                # Somebody else was faster: whether that is what was asked for, its size says.
                found = self._size_after_trying(uri)
                if found is None:
                    raise
        if found != size:
            raise ObjectExists(f"the object has {found} bytes, not {size}", uri)

    def delete(self, uri: DataObjectUri) -> None:
        path = self._path(uri)
        try:
            with self._store.errors(uri, Outcome.UNKNOWN):
                self._store.remove(path)
        except ObjectNotFound:
            return

    def copy(self, source: DataObjectUri, destination: DataObjectUri) -> None:
        for uri in (source, destination):
            self._path(uri)
        raise Unsupported(self._no_copy, destination)

    def open_input(self, uri: DataObjectUri, offset: int = 0, length: int | None = None) -> LibraryInputStream:
        path = self._path(uri)
        offset = count_of_bytes("offset", offset, uri)
        length = None if length is None else count_of_bytes("length", length, uri)
        size = self._size_of(uri)
        if size is None:
            raise ObjectNotFound("no such object", uri)
        end = size if length is None else min(size, offset + length)
        left = max(0, end - offset)
        with self._store.errors(uri, Outcome.NOT_DONE):
            source = self._store.reader(path, offset, None if length is None else left) if left else None
        return LibraryInputStream(self._store.errors, source, uri, left)

    def open_output(self, uri: DataObjectUri, size: int | None = None) -> LibraryOutputStream:
        size = None if size is None else self._allowed(size, uri)
        path = self._path(uri)
        if self._size_of(uri) is not None:
            raise ObjectExists("the name is taken", uri)
        with self._store.errors(uri, Outcome.NOT_DONE):
            sink = self._store.writer(path, size)
        return LibraryOutputStream(
            self._store.errors, sink, uri, size, lambda: self._size_after_trying(uri) is not None)

    def describe(self, uri: DataObjectUri) -> DataObjectDescription:
        size = self._size_of(uri)
        if size is None:
            raise ObjectNotFound("no such object", uri)
        return DataObjectDescription(uri, size, None)

    def list_objects(self) -> Iterator[DataObjectUri]:
        with self._store.errors(None, Outcome.NOT_DONE):
            for path in self._store.paths():
                try:
                    uri = DataObjectUri.parse("/" + path)
                except InvalidRequest:
                    continue
                yield uri

    def _size_of(self, uri: DataObjectUri) -> int | None:
        path = self._path(uri)
        try:
            with self._store.errors(uri, Outcome.NOT_DONE):
                return self._store.size_of(path)
        except ObjectNotFound:
            return None

    def _size_after_trying(self, uri: DataObjectUri) -> int | None:
        """As :meth:`_size_of`, where something was tried before: a look that fails leaves its outcome unknown."""
        try:
            return self._size_of(uri)
        except StorageError as error:
            raise DeviceUnavailable(error.message, uri, Outcome.UNKNOWN) from error

    def _allowed(self, size: int, uri: DataObjectUri) -> int:
        """A count of bytes that an object may have. Raises ``InvalidRequest``, or ``CapacityExceeded`` for more."""
        count, most = count_of_bytes("size", size, uri), self._max_object_size_bytes
        if most is not None and count > most:
            raise CapacityExceeded(f"objects have at most {most} bytes", uri)
        return count

    def _path(self, uri: DataObjectUri) -> str:
        """``kind/account/object_id``. Raises ``InvalidRequest`` for what is no name, or too long a one."""
        if not isinstance(uri, DataObjectUri):
            raise InvalidRequest(f"a data object is named by a DataObjectUri, not {type(uri).__name__}")
        for segment in (uri.account, uri.object_id):
            if len(segment.encode()) > self._max_name_bytes:
                raise InvalidRequest(f"a segment has more than {self._max_name_bytes} bytes of UTF-8", uri)
        return str(uri)[1:]


class CopyingLibraryDriver(LibraryDriver):
    """The same over a library that copies on the device."""

    def __init__(self, store: CopyingStore, max_object_size_bytes: int | None = None) -> None:
        super().__init__(store, "", MAX_NAME_BYTES, max_object_size_bytes)
        self._copying = store

    def capabilities(self) -> Capabilities:
        return replace(super().capabilities(), on_device_copy=True)

    def copy(self, source: DataObjectUri, destination: DataObjectUri) -> None:
        paths = self._path(source), self._path(destination)
        if self._size_of(source) is None:
            raise ObjectNotFound("no such object", source)
        if self._size_of(destination) is not None:
            raise ObjectExists("the name is taken", destination)
        with self._copying.errors(destination, Outcome.UNKNOWN):
            self._copying.copy(*paths)
